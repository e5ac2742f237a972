-- Read models of tax: the ledger's lines, their sums by day, and the rates.

create table tax_ledger (
    tenant_id uuid not null,
    generation integer not null,
    position bigint not null,
    booking_id uuid not null,
    booking_number text collate "C" not null,
    station_id uuid not null,
    kind text collate "C" not null,
    event_on date not null,
    state text collate "C" not null,
    county text collate "C" not null,
    city text collate "C" not null,
    venue_zip text collate "C",
    method text collate "C",
    confirmation text collate "C",
    rate_ppm bigint,
    rate_effective_from date,
    gross_cents bigint not null,
    travel_cents bigint not null,
    gratuity_cents bigint not null,
    tip_cents bigint not null,
    taxable_cents bigint not null,
    net_cents bigint not null,
    tax_cents bigint not null,
    payment_method text collate "C",
    primary key (tenant_id, generation, position),
    check (gross_cents = tip_cents + net_cents + tax_cents)
);

create index tax_ledger_day on tax_ledger (tenant_id, generation, event_on, position);
create index tax_ledger_booking on tax_ledger (tenant_id, generation, booking_id);

create table tax_summary (
    tenant_id uuid not null,
    generation integer not null,
    state text collate "C" not null,
    county text collate "C" not null,
    city text collate "C" not null,
    -- -1 where no rate is known.
    rate_ppm bigint not null check (rate_ppm >= -1),
    event_on date not null,
    station_id uuid not null,
    orders bigint not null,
    unconfirmed bigint not null,
    gross_cents bigint not null,
    non_taxable_cents bigint not null,
    taxable_cents bigint not null,
    tax_cents bigint not null,
    primary key (tenant_id, generation, state, county, city, rate_ppm, event_on, station_id),
    check (gross_cents = non_taxable_cents + taxable_cents + tax_cents)
);

create index tax_summary_day on tax_summary (tenant_id, generation, state, event_on);

create table tax_rates (
    tenant_id uuid not null,
    generation integer not null,
    state text collate "C" not null,
    county_key text collate "C" not null,
    city_key text collate "C" not null,
    effective_from date not null,
    effective_until date,
    county text collate "C" not null,
    city text collate "C",
    rate_ppm bigint not null,
    source text collate "C" not null,
    version bigint not null,
    primary key (tenant_id, generation, state, county_key, city_key, effective_from)
);
