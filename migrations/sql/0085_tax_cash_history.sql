-- A card of the tax by days of payment says how it stood after any position since the party was held: it can be read a page
-- at a time, in the order in which the bookings were asked for, as of a position.

alter table tax_cash
    add column position bigint not null default 0,
    add column places jsonb not null default '[]';

drop index tax_cash_days;
create index tax_cash_order on tax_cash (tenant_id, generation, position) where last_on is not null;
