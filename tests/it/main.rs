//! Everything that needs a real Postgres, a file per capability.

mod access;
mod architecture;
mod bad_input;
mod bundle;
mod calendar;
mod catalogue;
mod cli;
mod erasure;
mod event_log;
mod faults;
mod figures;
mod idempotency;
mod keys;
mod no_double_booking;
mod projections;
mod race;
mod remembered;
mod replay;
mod scheduling;
mod snapshot;
mod tour;
mod upgrade;
