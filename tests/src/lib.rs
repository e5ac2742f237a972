//! What the integration tests share. The tests themselves are in `it/`, a file per capability.

pub mod database;
pub mod http;
pub mod process;
