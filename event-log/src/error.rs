//! What can go wrong with the log, and the one place where SQLSTATEs get a meaning.

use std::time::Duration;

use domain::envelope::Position;
use domain::ids::{SubjectId, TenantId};

use crate::keys::KeyId;

/// How long a caller should wait before it asks again, when nothing better is known.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why the log did not do what it was asked.
///
/// What an append may come to by the rules (conflict, refused claim) is no error but an
/// [`Outcome`](crate::Outcome).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The database is out of reach or has too much to do. An append may have happened all the same; the
    /// same command id tells.
    #[error("the log is unavailable; retry in {} ms", retry_after.as_millis())]
    Unavailable {
        /// How long to wait before asking again.
        retry_after: Duration,
    },
    /// There is no such organisation.
    #[error("unknown tenant {0}")]
    UnknownTenant(TenantId),
    /// Another organisation has the slug.
    #[error("the slug {slug} is taken")]
    SlugTaken {
        /// The slug asked for.
        slug: String,
    },
    /// The organisation is there already, under another slug.
    #[error("the organisation exists under the slug {slug}")]
    OtherSlug {
        /// The slug that it has.
        slug: String,
    },
    /// A position is missing: an alarm and a stop, never a skip.
    #[error("the log has a gap: expected position {expected}, found {found}")]
    Gap {
        /// The position that should have come.
        expected: Position,
        /// The position that came.
        found: Position,
    },
    /// What is stored is not what this program stores.
    #[error("corrupt at position {position}: {what}")]
    Corrupt {
        /// Where in the log; 0 when it is beside it.
        position: Position,
        /// What does not fit.
        what: String,
    },
    /// The append contradicts itself.
    #[error("malformed append: {0}")]
    Malformed(&'static str),
    /// A sealed value is not one, or was moved from another tenant, stream or field, or its key was changed.
    #[error("a sealed value does not open")]
    Unopenable,
    /// The person was erased: nothing is sealed for them any more.
    #[error("the person {0} was erased")]
    Erased(SubjectId),
    /// A key is wrapped by a master key that is not at hand.
    #[error("the master key {0} is missing")]
    MasterKeyMissing(KeyId),
    /// The place that holds the master keys cannot be read.
    #[error("the master keys cannot be read: {0}")]
    MasterKeysUnreadable(String),
    /// The database refused a statement for a reason that no rule of the log foresees.
    #[error("the database refused: {message} ({code})")]
    Refused {
        /// SQLSTATE, or the driver's word for it.
        code: String,
        /// The database's own sentence, without the values it concerns.
        message: String,
    },
}

impl LogError {
    pub(crate) fn unavailable() -> Self {
        Self::Unavailable {
            retry_after: RETRY_AFTER,
        }
    }

    pub(crate) fn beside(what: impl Into<String>) -> Self {
        Self::Corrupt {
            position: Position::START,
            what: what.into(),
        }
    }
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            tracing::warn!(%error, "the database is unavailable");
            return Self::unavailable();
        }
        match error.as_database_error() {
            Some(refusal) if refusal.code().as_deref() == Some("HB003") => Self::beside(refusal.message()),
            Some(refusal) => Self::Refused {
                code: refusal.code().unwrap_or_default().into_owned(),
                message: refusal.message().to_owned(),
            },
            None => Self::Refused {
                code: "driver".to_owned(),
                message: error.to_string(),
            },
        }
    }
}

/// Whether the same statement may well succeed on another connection or a little later.
///
/// Classes and codes of Postgres' Appendix A: connection exceptions, shutdown, resources, read-only after a
/// failover, a transaction that was left alone too long, serialization and deadlock, a lock that did not come free and a
/// statement that took too long.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    if let Some(refusal) = error.as_database_error() {
        let code = refusal.code().unwrap_or_default();
        return code.starts_with("08")
            || code.starts_with("53")
            || code.starts_with("57P")
            || ["25006", "25P03", "40001", "40P01", "55P03", "57014"].contains(&code.as_ref());
    }
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
    )
}
