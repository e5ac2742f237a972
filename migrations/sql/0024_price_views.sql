-- Read models of prices: each station's list, and how it came to be.

create table price_list (
    tenant_id uuid not null,
    generation integer not null,
    station_id uuid not null,
    version bigint not null,
    list jsonb not null,
    primary key (tenant_id, generation, station_id)
);

create table price_history (
    tenant_id uuid not null,
    generation integer not null,
    position bigint not null,
    station_id uuid not null,
    item text collate "C" not null,
    old_cents bigint,
    new_cents bigint not null,
    effective_from timestamptz not null,
    actor_id text collate "C" not null,
    reason text collate "C",
    recorded_at timestamptz not null,
    primary key (tenant_id, generation, position)
);

create index price_history_station on price_history (tenant_id, generation, station_id, position);
