-- Payments in full: what was given back, by card and by hand, and what the customer owes no more.

alter table payment_list
    add column captured_cents bigint not null default 0,
    add column refunded_cents bigint not null default 0,
    add column refundable_cents bigint not null default 0,
    -- The payment itself, as its stream tells it.
    add column payment jsonb not null default '{}';

alter table booking_list
    add column refunded_cents bigint not null default 0,
    add column waived_cents bigint not null default 0;

alter table booking_ledger add column refund_kind text collate "C";
