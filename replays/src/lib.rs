//! What auditors and operators run over the log.

pub mod bundle;
pub mod claims;
mod diagnose;
pub mod diff;
pub mod erasures;
pub mod history;
pub mod independent;
mod lie;
pub mod moment;
pub mod personal;
pub mod prove;
pub mod show;
pub mod sign;
pub mod text;
pub mod verify;

pub use claims::verify_claims;
pub use lie::{Finding, Lie, Part};
pub use prove::{ProveError, prove};
pub use sign::{SignError, sign_head};
pub use verify::{
    Onward, Progress, Trust, Verified, VerifiedTo, VerifyError, verify, verify_against, verify_onward,
    verify_references,
};
