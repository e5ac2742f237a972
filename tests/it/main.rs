//! Everything that needs a real Postgres, a file per capability.

mod access;
mod architecture;
mod bad_input;
mod catalogue;
mod cli;
mod erasure;
mod event_log;
mod faults;
mod idempotency;
mod keys;
mod projections;
mod race;
mod remembered;
mod snapshot;
mod tour;
mod upgrade;
