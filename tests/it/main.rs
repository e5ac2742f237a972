//! Everything that needs a real Postgres, a file per capability.

mod access;
mod architecture;
mod bad_input;
mod catalogue;
mod cli;
mod event_log;
mod idempotency;
mod projections;
mod race;
mod tour;
