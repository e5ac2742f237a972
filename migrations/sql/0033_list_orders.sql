-- Each list that one column narrows to a few rows, in the order it is shown: an index read straight through instead of
-- a sort, or a walk past rows of others.

create index payment_list_status on payment_list (tenant_id, generation, status, recorded_at, payment_id);
create index payment_list_for_booking on payment_list (tenant_id, generation, booking_id, recorded_at, payment_id);
drop index payment_list_booking;

create index tax_ledger_county on tax_ledger (tenant_id, generation, state, county, event_on, position);
create index tax_ledger_for_booking on tax_ledger (tenant_id, generation, booking_id, event_on, position);
drop index tax_ledger_booking;

create index customer_list_by_email on customer_list (tenant_id, generation, email_key, registered_at, customer_id);
create index customer_list_by_phone on customer_list (tenant_id, generation, phone_key, registered_at, customer_id);
drop index customer_list_email;
drop index customer_list_phone;

create index price_history_item on price_history (tenant_id, generation, station_id, item, position);
