-- By how much a start was moved forward that the clock skips.

alter table booking_list add column moved_forward_secs bigint not null default 0;
