-- Read model of messages to customers.

create table message_list (
    tenant_id uuid not null,
    generation integer not null,
    message_id uuid not null,
    version bigint not null,
    kind text collate "C" not null,
    status text collate "C" not null,
    customer_id uuid not null,
    booking_id uuid,
    station_id uuid,
    due_at timestamptz not null,
    channel text collate "C",
    carrier text collate "C",
    carrier_id text collate "C",
    template_version bigint,
    template_locale text collate "C",
    subject_line jsonb,
    text jsonb,
    because text collate "C",
    code text collate "C",
    settled_at timestamptz,
    primary key (tenant_id, generation, message_id)
);

create index message_list_due on message_list (tenant_id, generation, due_at, message_id);
create index message_list_customer on message_list (tenant_id, generation, customer_id, due_at, message_id);
create index message_list_booking on message_list (tenant_id, generation, booking_id, due_at, message_id);
create index message_list_status on message_list (tenant_id, generation, status, due_at, message_id);

alter table message_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on message_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on message_list to hibachi_app;
