-- Tax by the days that the money moved: a card for each booking, with what came and went.

create table tax_cash (
    tenant_id uuid not null,
    generation integer not null,
    booking_id uuid not null,
    booking_number text collate "C" not null,
    station_id uuid not null,
    zone text collate "C" not null,
    state text collate "C" not null,
    county text collate "C" not null,
    city text collate "C" not null,
    rate_ppm bigint,
    confirmation text collate "C" not null,
    price_cents bigint not null,
    first_on date,
    last_on date,
    moved jsonb not null,
    adjusted jsonb not null,
    primary key (tenant_id, generation, booking_id)
);

create index tax_cash_days on tax_cash (tenant_id, generation, state, last_on) where last_on is not null;

alter table tax_cash enable row level security, force row level security;
-- No missing_ok: without a tenant there is an error, not an empty answer.
create policy tenant on tax_cash using (tenant_id = (select current_setting('hibachi.tenant')::uuid));
grant select, insert, update, delete on tax_cash to hibachi_app;
