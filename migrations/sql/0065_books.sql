-- The books: an account card for each booking, whose entries are never changed.

create table book_entries (
    tenant_id uuid not null,
    generation integer not null,
    booking_id uuid not null,
    booking_number text collate "C" not null,
    station_id uuid not null,
    zone text collate "C" not null,
    stage text collate "C" not null,
    deposit_cents bigint not null,
    entries jsonb not null,
    primary key (tenant_id, generation, booking_id)
);

alter table book_entries enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on book_entries using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on book_entries to hibachi_app;
