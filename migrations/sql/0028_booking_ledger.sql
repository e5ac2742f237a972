-- The money of each booking, a row for every fact: what was charged, said to be sent, found, and proposed to be
-- given back. Balances are not stored: they follow from the rows before.

create table booking_ledger (
    tenant_id uuid not null,
    generation integer not null,
    position bigint not null,
    booking_id uuid not null,
    station_id uuid not null,
    kind text collate "C" not null,
    payment_id uuid,
    payment_kind text collate "C",
    method text collate "C",
    -- Null where the fact does not say: it is another row's.
    amount_cents bigint,
    tip_cents bigint,
    deposit_cents bigint,
    refund_rule jsonb,
    recorded_at timestamptz not null,
    primary key (tenant_id, generation, position)
);

create index booking_ledger_booking on booking_ledger (tenant_id, generation, booking_id, position);

alter table booking_ledger enable row level security, force row level security;
create policy tenant on booking_ledger using (tenant_id = current_setting('hibachi.tenant')::uuid);
grant select, insert, update, delete on booking_ledger to hibachi_app;
