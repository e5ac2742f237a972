//! Starts a private, real Postgres for development, tests and small installations.
//!
//! One data directory holds everything: the cluster (`postgres`), the socket (`run`), the log
//! (`postgres.log`) and the superuser's password (`secrets`). The server listens on a Unix
//! socket that only its user and root can reach, asks for a password there too unless told otherwise, and keeps
//! `fsync`, `synchronous_commit` and `full_page_writes` on: what it acknowledged survives a
//! power cut (on macOS only with `wal_sync_method = fsync_writethrough`, which is not Postgres's
//! choice there and may be given as an extra setting). A launcher's end, by `kill -9` too, ends the server with a fast shutdown.
//!
//! A second launcher of the same directory adopts the running server. It is not asked whether
//! it still needs it: the server ends with the launcher that started it.
//!
//! Root, which Postgres refuses, steps down to the owner of the cluster or to `postgres`. On
//! macOS there is no parent-death signal: a server whose launcher was killed runs on, and the
//! next start adopts it.

mod account;
mod binaries;
mod cluster;
mod death_signal;
mod directory;
mod error;
mod launch;
mod pid_file;
mod server;
mod settings;
mod socket;
mod start;
mod wheel;

pub use error::{StartError, StopError};
pub use server::Server;
pub use settings::{BinarySource, PortChoice, Settings, SocketAccess};
pub use start::start;
