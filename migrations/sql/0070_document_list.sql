-- Read model of the invoices, receipts and credit notes that were issued.

create table document_list (
    tenant_id uuid not null,
    generation integer not null,
    number text collate "C" not null,
    kind text collate "C" not null,
    booking_id uuid not null,
    booking_number text collate "C" not null,
    customer_id uuid not null,
    station_id uuid not null,
    payment_id uuid,
    total_cents bigint not null,
    balance_cents bigint not null,
    replaces text collate "C",
    as_of bigint not null,
    issued_on date not null,
    issued_at timestamptz not null,
    position bigint not null,
    primary key (tenant_id, generation, number)
);

create index document_list_issued on document_list (tenant_id, generation, issued_at, number);
create index document_list_kind on document_list (tenant_id, generation, kind, issued_at, number);
create index document_list_booking on document_list (tenant_id, generation, booking_id, issued_at, number);

alter table document_list enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on document_list using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on document_list to hibachi_app;
