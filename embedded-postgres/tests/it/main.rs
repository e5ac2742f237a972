//! The launcher against real Postgres, on this machine and as this user. As root, which is how
//! containers run, some tests also run as an ordinary user.

mod adoption;
mod crashes;
mod reach;
mod refusals;
mod support;
mod wheel;
mod with_postgres;
