-- How far each read model of each tenant has come, and which generation of its rows is live.

create table projection_checkpoints (
    tenant_id uuid not null,
    projection text not null,
    generation integer not null check (generation > 0),
    position bigint not null check (position >= 0),
    status text not null check (status in ('building', 'live', 'retired')),
    fold_version integer not null,
    -- Why it goes no further; null while it does.
    stopped text,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, projection, generation)
);

create unique index projection_checkpoints_live on projection_checkpoints (tenant_id, projection)
    where status = 'live';
create unique index projection_checkpoints_building on projection_checkpoints (tenant_id, projection)
    where status = 'building';
