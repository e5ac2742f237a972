-- The tax ledger's lines in full: what each fact adds, the day that it belongs to, and what was given back. Rows of
-- older folds keep what they had until they are built anew.

alter table tax_ledger
    add column tax_on date not null default '0001-01-01',
    add column venue_city text collate "C" not null default '',
    add column venue_county text collate "C",
    add column discount_cents bigint not null default 0,
    add column card_fee_cents bigint not null default 0,
    add column non_taxable_cents bigint not null default 0,
    add column refund_cents bigint not null default 0,
    add column refunded_non_taxable_cents bigint not null default 0,
    add column refunded_net_cents bigint not null default 0,
    add column refunded_tax_cents bigint not null default 0,
    add column refund_kind text collate "C",
    add column reason text collate "C",
    add column payment_id uuid,
    add column recorded_at timestamptz not null default 'epoch',
    drop constraint tax_ledger_check,
    add constraint tax_ledger_charged check (gross_cents = non_taxable_cents + net_cents + tax_cents) not valid,
    add constraint tax_ledger_given_back check (
        refund_cents = refunded_non_taxable_cents + refunded_net_cents + refunded_tax_cents
    );

drop index tax_ledger_day;
drop index tax_ledger_county;
drop index tax_ledger_for_booking;
create index tax_ledger_tax_day on tax_ledger (tenant_id, generation, tax_on, position);
create index tax_ledger_tax_county on tax_ledger (tenant_id, generation, state, county, tax_on, position);
create index tax_ledger_of_booking on tax_ledger (tenant_id, generation, booking_id, tax_on, position);

alter table tax_summary rename column event_on to tax_on;

alter table tax_summary
    add column refund_cents bigint not null default 0,
    add column refunded_non_taxable_cents bigint not null default 0,
    add column refunded_net_cents bigint not null default 0,
    add column refunded_tax_cents bigint not null default 0,
    add constraint tax_summary_given_back check (
        refund_cents = refunded_non_taxable_cents + refunded_net_cents + refunded_tax_cents
    );
