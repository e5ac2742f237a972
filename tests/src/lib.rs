//! What the integration tests share. The tests themselves are in `it/`, a file per capability.

pub mod database;
pub mod http;
pub mod private_postgres;
pub mod process;
pub mod proxy;
pub mod seed;
pub mod stripe;
pub mod writer;
