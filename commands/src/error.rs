//! Why a command did not happen.

use std::time::Duration;

use domain::access::Permission;
use domain::customer::CustomerError;
use domain::decider::{DecodeError, Refusal};
use domain::envelope::Version;
use event_log::LogError;

/// A refusal as callers see it: a stable code, the field at fault and a sentence to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable code in capitals.
    pub code: &'static str,
    /// Path of the input field, outermost first.
    pub field: Vec<&'static str>,
    /// A sentence that a person can act on.
    pub message: String,
}

impl<E: Refusal> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            field: error.field().to_vec(),
            message: error.to_string(),
        }
    }
}

/// Why a command did not happen; nothing is half done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A rule forbids it.
    #[error("{}: {}", .0.code, .0.message)]
    Refused(Refused),
    /// The role does not have the permission.
    #[error("this needs the permission {}", .0.as_str())]
    Forbidden(Permission),
    /// The aggregate is not at the version that the client saw.
    #[error("it has changed since you read it: it is at version {}", .actual.0)]
    VersionConflict {
        /// The version it is at.
        actual: Version,
    },
    /// Others kept changing the same things; nothing was written, and the command may be tried again.
    #[error("others are changing the same thing; try again")]
    Conflict,
    /// The key was used for another command.
    #[error("this idempotency key was used for another command")]
    IdempotencyMismatch,
    /// Another request with the same key is at it; what it comes to is not known yet.
    #[error("this command is still running; ask again with the same key in {} ms", retry_after.as_millis())]
    InProgress {
        /// How long to wait before asking again.
        retry_after: Duration,
    },
    /// The log cannot be reached or is full; whether it was written is unknown: try again with the same key.
    #[error("the log cannot take the command now; try again with the same idempotency key")]
    Unavailable(#[source] LogError),
    /// The store of customers' pictures and videos cannot be reached.
    #[error("pictures and videos cannot be kept or shown now; try again")]
    Store(#[from] crate::ports::StoreError),
    /// The log holds an event that this program cannot read.
    #[error("the log holds an event that cannot be read")]
    Unreadable(#[from] DecodeError),
}

impl From<LogError> for CommandError {
    fn from(error: LogError) -> Self {
        if matches!(error, LogError::Erased(_)) {
            return Self::refused(CustomerError::Erased);
        }
        Self::Unavailable(error)
    }
}

impl CommandError {
    /// What was heard changes nothing: there is nothing to write.
    pub(crate) fn nothing_new() -> Self {
        Self::Refused(Refused {
            code: crate::execute::NOTHING_NEW,
            field: Vec::new(),
            message: "it is known already".to_owned(),
        })
    }

    /// The refusal of a rule.
    pub(crate) fn refused(error: impl Refusal) -> Self {
        Self::Refused(error.into())
    }
}
