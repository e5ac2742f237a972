-- Read models of bookings and of the money paid for them. Text is compared by its bytes, so that a list has
-- the same order on every machine, and in memory.

create table booking_list (
    tenant_id uuid not null,
    generation integer not null,
    booking_id uuid not null,
    number text collate "C" not null,
    version bigint not null,
    status text collate "C" not null,
    customer_id uuid not null,
    station_id uuid not null,
    street jsonb not null,
    city text collate "C" not null,
    county text collate "C" not null,
    state text collate "C" not null,
    zip text collate "C" not null,
    start_utc timestamptz not null,
    start_local timestamp not null,
    zone text collate "C" not null,
    offset_secs integer not null,
    blocked_from timestamptz not null,
    blocked_until timestamptz not null,
    adults integer not null,
    children integer not null,
    under6 integer not null,
    chefs_needed integer not null,
    lines jsonb not null,
    total_cents bigint not null,
    tip_cents bigint not null,
    paid_cents bigint not null,
    deposit_cents bigint not null,
    deposit_due_at timestamptz not null,
    tax_state text collate "C" not null,
    tax_county text collate "C" not null,
    tax_city text collate "C",
    tax_rate_ppm bigint,
    tax_method text collate "C" not null,
    tax_confirmation text collate "C" not null,
    source text collate "C",
    note jsonb,
    requested_at timestamptz not null,
    refund_proposal jsonb,
    primary key (tenant_id, generation, booking_id)
);

create index booking_list_start on booking_list (tenant_id, generation, start_utc, booking_id);
create index booking_list_requested on booking_list (tenant_id, generation, requested_at, booking_id);
create index booking_list_customer on booking_list (tenant_id, generation, customer_id, start_utc, booking_id);

create table payment_list (
    tenant_id uuid not null,
    generation integer not null,
    payment_id uuid not null,
    version bigint not null,
    booking_id uuid not null,
    booking_number text collate "C" not null,
    station_id uuid not null,
    kind text collate "C" not null,
    method text collate "C" not null,
    status text collate "C" not null,
    amount_cents bigint not null,
    tip_cents bigint not null,
    fee_cents bigint not null,
    reference text collate "C",
    recorded_at timestamptz not null,
    primary key (tenant_id, generation, payment_id)
);

create index payment_list_recorded on payment_list (tenant_id, generation, recorded_at, payment_id);
create index payment_list_booking on payment_list (tenant_id, generation, booking_id);
