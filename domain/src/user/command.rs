//! What can be asked of a user's record.

use chrono::{DateTime, Utc};

use super::UserEvent;
use super::api_key::ApiKeyAsk;
use super::event::{
    RecoveryCodeUsed, RecoveryCodesIssued, SecondFactorDisabled, SecondFactorEnabled, SessionRevoked,
    UserCreated, UserLockedOut, UserPasswordChanged,
};
use crate::access::{Role, StationScope};
use crate::ids::{ApiKeyId, UserId};

/// What can be asked of a user's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCommand {
    /// Let the person sign in.
    Create(UserCreated),
    /// Let the person do other things, or elsewhere.
    ChangeRole {
        /// What the person is there for from now on.
        role: Role,
        /// The stations within reach from now on.
        stations: StationScope,
        /// The person who asks; none for the operator.
        by: Option<UserId>,
        /// The user whom it is about.
        of: UserId,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Let the person sign in no more.
    Deactivate {
        /// Why; 3 to 500 characters.
        reason: String,
        /// The person who asks; none for the operator.
        by: Option<UserId>,
        /// The user whom it is about.
        of: UserId,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Let the person sign in again.
    Reactivate {
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Let the person sign in before the time is over.
    Unlock {
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Note what happened to how the person signs in, which is kept elsewhere and not decided here.
    Note(UserNote),
    /// Make a key for a program.
    CreateApiKey(ApiKeyAsk),
    /// Revoke one.
    RevokeApiKey {
        /// Which.
        key_id: ApiKeyId,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

macro_rules! notes {
    ($( $meaning:literal $note:ident($payload:ty); )+) => {
        /// What happened to how a person signs in: to the password, the second factor, and where they are signed in.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum UserNote {
            $( #[doc = $meaning] $note($payload), )+
        }

        impl From<UserNote> for UserEvent {
            fn from(noted: UserNote) -> Self {
                match noted { $( UserNote::$note(payload) => Self::$note(payload), )+ }
            }
        }
    };
}

notes! {
    "Another password." PasswordChanged(UserPasswordChanged);
    "Too many wrong guesses." LockedOut(UserLockedOut);
    "A second factor." SecondFactorEnabled(SecondFactorEnabled);
    "No second factor any more." SecondFactorDisabled(SecondFactorDisabled);
    "New recovery codes." RecoveryCodesIssued(RecoveryCodesIssued);
    "One recovery code less." RecoveryCodeUsed(RecoveryCodeUsed);
    "A sign-in that was ended." SessionRevoked(SessionRevoked);
}
