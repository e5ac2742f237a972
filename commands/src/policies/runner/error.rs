//! Why a policy could not go on, and whether all of it waits.

use domain::decider::DecodeError;
use event_log::LogError;

use crate::CommandError;

/// Why a policy could not go on; it is tried again from its checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The log or the database is out of reach.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The database refused a statement.
    #[error("the policy's checkpoint cannot be kept")]
    Database(#[from] sqlx::Error),
    /// The log holds an event that this program cannot read.
    #[error("the log holds an event that cannot be read")]
    Unreadable(#[from] DecodeError),
    /// A remembered state is of another shape.
    #[error("a remembered state cannot be read")]
    State(#[from] serde_json::Error),
    /// A command neither happened nor was refused by a rule.
    #[error("a command did not happen")]
    Command(#[from] CommandError),
}

impl PolicyError {
    /// Whether other processes would fare no better: the policy waits as a whole.
    pub(super) fn holds_up_all(&self) -> bool {
        match self {
            Self::Log(_) | Self::Database(_) | Self::Unreadable(_) => true,
            Self::Command(error) => {
                matches!(error, CommandError::Unavailable(LogError::Unavailable { .. }))
            }
            Self::State(_) => false,
        }
    }

    /// Why, as a stable word.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Log(LogError::Unavailable { .. }) | Self::Database(_) => "UNAVAILABLE",
            Self::Log(_) => "LOG_REFUSES",
            Self::Unreadable(_) => "UNREADABLE_EVENT",
            Self::State(_) => "UNREADABLE_STATE",
            Self::Command(error) => match error {
                CommandError::Unavailable(LogError::Unavailable { .. }) => "UNAVAILABLE",
                CommandError::Unavailable(_) => "LOG_REFUSES",
                CommandError::Refused(refused) => refused.code,
                CommandError::Forbidden(_) => "FORBIDDEN",
                CommandError::VersionConflict { .. } | CommandError::Conflict => "CONFLICT",
                CommandError::IdempotencyMismatch => "IDEMPOTENCY_MISMATCH",
                CommandError::InProgress { .. } => "IN_PROGRESS",
                CommandError::Store(_) => "STORE_UNAVAILABLE",
                CommandError::Unreadable(_) => "UNREADABLE_EVENT",
            },
        }
    }

    /// Why, in words: with what it follows from.
    pub(crate) fn reason(&self) -> String {
        let mut told = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            told = format!("{told}: {error}");
            cause = error.source();
        }
        told
    }
}

impl From<PolicyError> for CommandError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Log(error) => error.into(),
            PolicyError::Database(error) => LogError::from(error).into(),
            PolicyError::Unreadable(error) => error.into(),
            PolicyError::State(error) => Self::Unreadable(DecodeError::Shape {
                name: "a policy's state".to_owned(),
                version: 0,
                reason: error.to_string(),
            }),
            PolicyError::Command(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> LogError {
        LogError::Refused {
            code: "P0001".to_owned(),
            message: "not this one".to_owned(),
        }
    }

    #[test]
    fn what_others_would_meet_too_holds_up_the_policy_and_nothing_else_does() {
        let out_of_reach = || LogError::Unavailable {
            retry_after: std::time::Duration::from_secs(1),
        };
        let all = [
            PolicyError::Log(out_of_reach()),
            PolicyError::Database(sqlx::Error::PoolTimedOut),
            PolicyError::Command(CommandError::Unavailable(out_of_reach())),
        ];
        for error in all {
            assert!(error.holds_up_all(), "{error:?}");
            assert_eq!(error.code(), "UNAVAILABLE");
        }
        let state = serde_json::from_str::<u8>("{}").unwrap_err();
        let one = [
            (
                PolicyError::Command(CommandError::Unavailable(refused())),
                "LOG_REFUSES",
            ),
            (PolicyError::Command(CommandError::Conflict), "CONFLICT"),
            (
                PolicyError::Command(CommandError::IdempotencyMismatch),
                "IDEMPOTENCY_MISMATCH",
            ),
            (PolicyError::State(state), "UNREADABLE_STATE"),
        ];
        for (error, code) in one {
            assert!(!error.holds_up_all(), "{error:?}");
            assert_eq!(error.code(), code);
        }
    }

    #[test]
    fn a_reason_names_what_it_follows_from() {
        let error = PolicyError::Command(CommandError::Unavailable(refused()));
        let reason = error.reason();
        assert!(
            reason.ends_with(": the database refused: not this one (P0001)"),
            "{reason}"
        );
    }
}
