//! What can happen to a user.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::USER_EMAIL;
use crate::access::{Permission, Role, StationScope};
use crate::envelope::{Claim, Sealed};
use crate::ids::{ApiKeyId, SessionId};

/// A person of the company may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCreated {
    /// E-mail, sealed.
    pub email: Sealed,
    /// Keyed hash of the folded e-mail: finds the user at sign-in.
    pub email_key: String,
    /// What the person is there for.
    pub role: Role,
    /// The stations within reach.
    pub stations: StationScope,
}

impl UserCreated {
    pub(super) fn claims(&self) -> Vec<Claim> {
        vec![Claim::TakeUnique {
            scope: USER_EMAIL.into(),
            key: self.email_key.clone(),
        }]
    }
}

/// A person's role or stations changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRoleChanged {
    /// What the person was there for.
    pub before_role: Role,
    /// The stations that were within reach.
    pub before_stations: StationScope,
    /// What the person is there for.
    pub role: Role,
    /// The stations within reach.
    pub stations: StationScope,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// A person may sign in no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDeactivated {
    /// Why.
    pub reason: String,
    /// When.
    pub deactivated_at: DateTime<Utc>,
}

/// A person who could not sign in any more may again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserReactivated {
    /// When.
    pub reactivated_at: DateTime<Utc>,
}

/// How somebody came to another password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordChange {
    /// They chose it, knowing the one before.
    Own,
    /// Somebody else gave it to them.
    Reset,
}

/// A person has another password; their other sign-ins end with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPasswordChanged {
    /// How they came to it.
    pub how: PasswordChange,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Somebody has guessed wrong too often: nobody signs in as this person for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLockedOut {
    /// How many guesses were wrong, one after the other.
    pub failures: i32,
    /// Until when, exclusive.
    pub until: DateTime<Utc>,
    /// When the last guess came.
    pub locked_at: DateTime<Utc>,
}

/// A person who was locked out may sign in before the time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserUnlocked {
    /// When.
    pub unlocked_at: DateTime<Utc>,
}

/// A person signs in with a second factor from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorEnabled {
    /// When.
    pub enabled_at: DateTime<Utc>,
}

/// Who has ended a person's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactorEnd {
    /// The person.
    Own,
    /// Somebody else: the phone is lost.
    Reset,
}

/// A person has no second factor any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactorDisabled {
    /// Who has ended it.
    pub how: SecondFactorEnd,
    /// When.
    pub disabled_at: DateTime<Utc>,
}

/// A person got new recovery codes; those before are void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodesIssued {
    /// How many.
    pub count: i32,
    /// When.
    pub issued_at: DateTime<Utc>,
}

/// A person signed in with a recovery code, which is used up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodeUsed {
    /// How many are left.
    pub left: i32,
    /// When.
    pub used_at: DateTime<Utc>,
}

/// Why a sign-in was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// A person has ended it from elsewhere.
    Revoked,
    /// A refresh token that had been used came again: somebody else has a copy of it.
    TokenReused,
}

impl SessionEnd {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::TokenReused => "token_reused",
        }
    }
}

/// A sign-in of a person was ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRevoked {
    /// Which.
    pub session_id: SessionId,
    /// Why.
    pub because: SessionEnd,
    /// When.
    pub revoked_at: DateTime<Utc>,
}

/// A person made a key for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyCreated {
    /// The key.
    pub key_id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the secret, in hexadecimal digits: of 256 random bits, so that it cannot be guessed back.
    pub secret_hash: String,
    /// The last characters of the key, by which its owner knows it again.
    pub ends_with: String,
    /// What it is for; of these it may do what its owner may at the time.
    pub permissions: Vec<Permission>,
    /// Until when it is good, exclusive; without end where there is none.
    pub expires_at: Option<DateTime<Utc>>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A key for a program was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    /// The key.
    pub key_id: ApiKeyId,
    /// What its owner called it.
    pub name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub revoked_at: DateTime<Utc>,
}
