-- Read model of the work queue: what a person should look at.

create table work_list (
    tenant_id uuid not null,
    generation integer not null,
    work_item_id uuid not null,
    version bigint not null,
    kind text collate "C" not null,
    status text collate "C" not null,
    station_id uuid,
    booking_id uuid,
    booking_number text collate "C",
    payment_id uuid,
    amount_cents bigint,
    detail text collate "C" not null,
    mail jsonb,
    opened_at timestamptz not null,
    closed_at timestamptz,
    note text collate "C",
    primary key (tenant_id, generation, work_item_id)
);

create index work_list_opened on work_list (tenant_id, generation, opened_at, work_item_id);
create index work_list_status on work_list (tenant_id, generation, status, opened_at, work_item_id);
create index work_list_kind on work_list (tenant_id, generation, kind, status, opened_at, work_item_id);
create index work_list_booking on work_list (tenant_id, generation, booking_id, opened_at, work_item_id);

alter table work_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on work_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on work_list to hibachi_app;
