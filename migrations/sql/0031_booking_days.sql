-- The local day of each event: what the dashboard groups by. A program of before leaves it empty, in rows that are
-- of its own fold version and are never read by one of after.

alter table booking_list add column event_on date;

-- A station's bookings in order of their start: its list, its calendar and its dashboard. Neither column changes when
-- a booking is confirmed or paid.
create index booking_list_station on booking_list (tenant_id, generation, station_id, start_utc, booking_id);
-- Those that stand at a status that few do: what is still to be paid, what was called off.
create index booking_list_status on booking_list (tenant_id, generation, status, start_utc, booking_id);
-- A customer's in the order of asking, beside the one in the order of their starts.
create index booking_list_customer_requested
    on booking_list (tenant_id, generation, customer_id, requested_at, booking_id);
