//! The event log: per tenant, everything that ever happened, in one gap-free order.
//!
//! What every reader may rely on: positions count 1, 2, 3 … within a tenant and are seen in that order;
//! nothing is ever changed; the log can be proved, tenant by tenant; a dump and restore keeps it whole.
//!
//! [`Database`] is the only way to a connection, [`EventLog`] the only way into the log, [`Vault`] the only
//! way to what is personal in it.

mod append;
mod appender;
mod batch;
mod claims;
mod copied;
mod database;
mod error;
mod hash_at;
mod heads;
mod import;
mod inspect;
mod keys;
mod log;
mod measures;
mod organisation;
mod pool;
mod prepared;
pub mod proof;
mod queue;
mod read;
mod retention;
mod seal;
mod server;
mod signed_heads;
mod snapshot;
mod stream;
mod streams;
mod transfer;
mod vault;

pub use append::{Append, Outcome, Receipt, StreamWrite};
pub use appender::Appended;
pub use claims::HeldClaim;
pub use database::{BY_POSITION, Database, MidCopy, Statement, Transaction};
pub use error::LogError;
pub use import::{Begun, Import, Written, never_readable};
pub use keys::{Entropy, KeyId, KeyRing, MasterKey, MasterKeys, SystemEntropy};
pub use log::EventLog;
pub use measures::{Asking, PoolUse};
pub use organisation::Organisation;
pub use read::{Block, CommandResult, Head};
pub use retention::{Retention, Swept, TooShort};
pub use server::{Archiver, ServerFacts};
pub use snapshot::{LoadedStream, SchemaHash, Snapshot, StreamEvent};
pub use transfer::KeptCommand;
pub use vault::{
    KeyUse, Opened, SealedField, Sealer, SubjectKey, Vault, WrappedState, WrappedSubjectKey,
    WrappedTenantKeys, sealed_under,
};
