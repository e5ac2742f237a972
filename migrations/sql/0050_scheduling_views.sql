-- Read models of who cooks and when, and what changes leave of a booking.

alter table booking_list
    add column chefs text collate "C" not null default '',
    add column notes jsonb not null default '[]',
    add column terms_version text collate "C",
    add column presence text collate "C" not null default 'here';

-- What is taken at a station, or of a chef, over some time.
create index booking_list_blocked on booking_list (tenant_id, generation, station_id, blocked_until);

alter table station_list add column chefs text collate "C" not null default '';

create table chef_list (
    tenant_id uuid not null,
    generation integer not null,
    chef_id uuid not null,
    version bigint not null,
    name jsonb not null,
    user_id uuid,
    stations text collate "C" not null,
    times jsonb not null,
    cap_per_day integer,
    cap_per_week integer,
    to_reassign jsonb not null,
    primary key (tenant_id, generation, chef_id)
);

alter table chef_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on chef_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on chef_list to hibachi_app;
