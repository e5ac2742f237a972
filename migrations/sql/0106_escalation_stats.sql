-- Read model of the figures of conversations and escalations, day by day.

create table escalation_stats (
    tenant_id uuid not null,
    generation integer not null,
    counted_on date not null,
    measure text collate "C" not null,
    minutes_open bigint not null,
    station_id uuid not null,
    count bigint not null,
    primary key (tenant_id, generation, counted_on, measure, minutes_open, station_id)
);

alter table escalation_stats enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on escalation_stats using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on escalation_stats to hibachi_app;
