//! What auditors and operators run over the log.

pub mod verify;

pub use verify::{Finding, Lie, Progress, Verified, VerifyError, verify};
