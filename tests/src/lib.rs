//! What the integration tests share. The tests themselves are in `it/`, a file per capability.

pub mod bucket;
pub mod carrier;
pub mod collector;
pub mod database;
pub mod http;
pub mod private_postgres;
pub mod process;
pub mod proxy;
pub mod seed;
pub mod smtp;
pub mod stripe;
pub mod texting;
pub mod tools;
pub mod workshop;
pub mod writer;
