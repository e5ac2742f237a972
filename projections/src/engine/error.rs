//! What can go wrong on the read side.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::access::Forbidden;
use domain::envelope::Position;
use event_log::LogError;

use super::select::BadCursor;

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The viewer's role does not have the permission.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The read model has not come to the position that was asked for; asking again may help.
    #[error("{projection} is at position {position} and the log at {head}, not yet at {asked}; ask again")]
    StaleRead {
        /// Which read model.
        projection: &'static str,
        /// The position that the answer should have had at least.
        asked: Position,
        /// The position that it has come to: the start, while its rows are those of an older fold.
        position: Position,
        /// Where the log ends: what lies beyond is nobody's yet.
        head: Position,
    },
    /// A cursor of another list or order, or none of ours.
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    /// The log is not that long yet.
    #[error("the log ends at position {head}; there is no answer as of {asked} yet")]
    AsOfInFuture {
        /// The position that was asked for.
        asked: Position,
        /// The last position there is.
        head: Position,
    },
    /// There is no answer as of an instant that has not passed: what is recorded by then may change.
    #[error("it is {now} by the database's clock; there is no answer as of {asked} yet")]
    InstantInFuture {
        /// The instant that was asked for.
        asked: DateTime<Utc>,
        /// Now, by the database's clock.
        now: DateTime<Utc>,
    },
    /// A stored row or event does not fit this program.
    #[error("{table} holds what this program cannot read: {reason}")]
    Unreadable {
        /// Where it was found.
        table: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// The log, or the database that both are in, did not answer.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Why a read model could not be brought forward, rebuilt or checked.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// There is no projection of that name.
    #[error("there is no projection {0}")]
    Unknown(String),
    /// An event that cannot be applied; nothing after it is, until that is mended.
    #[error("{projection} stopped after position {position}: {reason}")]
    Stopped {
        /// Which read model.
        projection: &'static str,
        /// The last position that it has applied.
        position: Position,
        /// What cannot be applied, and why.
        reason: String,
    },
    /// The rows were made by a newer program than this.
    #[error("{projection} was built by version {stored} of its fold; this program has version {ours}")]
    NewerFold {
        /// Which read model.
        projection: &'static str,
        /// Version that made the rows.
        stored: i32,
        /// Version of this program.
        ours: i32,
    },
    /// Somebody else holds the checkpoint, for longer than is waited for.
    #[error("{projection} is being worked on by somebody else for more than {} s", waited.as_secs())]
    Busy {
        /// Which read model.
        projection: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// There is no generation to do that with.
    #[error("{projection}: {error}")]
    Generation {
        /// Which read model.
        projection: &'static str,
        /// Why not.
        error: GenerationError,
    },
    /// A stored row does not fit this program.
    #[error(transparent)]
    Read(ReadError),
    /// The log, or the database that both are in, did not answer.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Why a generation is not swapped in or brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenerationError {
    /// Nothing was built by this program's version of the fold and held.
    #[error("there is nothing built that waits to be swapped in; `rebuild --hold` builds it")]
    NothingBuilt,
    /// There was no other before the live one, or it has been removed.
    #[error("there is no generation before the live one to go back to")]
    NothingRetired,
    /// The one before the live one is not of this program's version of the fold.
    #[error(
        "the generation before the live one is of version {stored} of the fold; this program has version {ours}"
    )]
    OfOtherFold {
        /// Version that made its rows.
        stored: i32,
        /// Version of this program.
        ours: i32,
    },
    /// Somebody else has moved or discarded it meanwhile.
    #[error("somebody else has moved the generation meanwhile")]
    Elsewhere,
}

impl GenerationError {
    /// The error, of a read model.
    pub(crate) fn of(self, projection: &'static str) -> ProjectionError {
        ProjectionError::Generation {
            projection,
            error: self,
        }
    }
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<sqlx::Error> for ProjectionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<ReadError> for ProjectionError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Log(error) => Self::Log(error),
            other @ (ReadError::Forbidden(_)
            | ReadError::StaleRead { .. }
            | ReadError::BadCursor(_)
            | ReadError::AsOfInFuture { .. }
            | ReadError::InstantInFuture { .. }
            | ReadError::Unreadable { .. }) => Self::Read(other),
        }
    }
}
