//! Why a user's record refuses.

use super::api_key::{LONGEST_LIFE_DAYS, MOST_KEYS};
use crate::access::Permission;
use crate::decider::Refusal;

/// Why a user's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// It is there already.
    #[error("the user exists already")]
    Exists,
    /// There is no such person.
    #[error("there is no such user")]
    NotFound,
    /// There is no such branch of the company.
    #[error("there is no such station")]
    StationNotFound,
    /// Somebody signs in with this address.
    #[error("a user with this e-mail exists already")]
    EmailTaken,
    /// Not an address.
    #[error("an e-mail address has a name, an @ and a host")]
    BadEmail,
    /// A person does this for others only.
    #[error("nobody changes their own role or deactivates themselves: ask another who may")]
    OwnUser,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// The person may sign in no more.
    #[error("the user is deactivated; reactivate the user first")]
    Deactivated,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Nobody is locked out.
    #[error("the user is not locked out")]
    NotLocked,
    /// There is no such key.
    #[error("there is no such key")]
    KeyNotFound,
    /// It opens nothing any more.
    #[error("the key is revoked already")]
    KeyRevoked,
    /// Empty or too long.
    #[error("a key's name has 1 to 80 characters")]
    BadKeyName,
    /// A key for nothing.
    #[error("name at least one permission that the key is for")]
    ScopesRequired,
    /// A key is for no more than whoever makes it may do, and never for users and keys.
    #[error("a key of this user cannot be for {}", .0.as_str())]
    ScopeBeyondRole(Permission),
    /// In the past, or too far away.
    #[error("a key expires in the future, at most {LONGEST_LIFE_DAYS} days from now")]
    BadExpiry,
    /// One more would be too many.
    #[error("a user has at most {MOST_KEYS} keys; revoke one first")]
    TooManyKeys,
}

impl Refusal for UserError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound | Self::StationNotFound | Self::KeyNotFound => "NOT_FOUND",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::BadEmail => "INVALID_EMAIL",
            Self::OwnUser => "OWN_USER",
            Self::Unchanged => "UNCHANGED",
            Self::Deactivated => "USER_DEACTIVATED",
            Self::BadReason => "INVALID_REASON",
            Self::NotLocked => "NOT_LOCKED",
            Self::KeyRevoked => "API_KEY_REVOKED",
            Self::BadKeyName => "INVALID_NAME",
            Self::ScopesRequired => "SCOPES_REQUIRED",
            Self::ScopeBeyondRole(_) => "SCOPE_BEYOND_ROLE",
            Self::BadExpiry => "INVALID_EXPIRY",
            Self::TooManyKeys => "TOO_MANY_API_KEYS",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::Unchanged | Self::TooManyKeys => &[],
            Self::NotFound | Self::OwnUser | Self::Deactivated | Self::NotLocked => &["userId"],
            Self::StationNotFound => &["stationIds"],
            Self::EmailTaken | Self::BadEmail => &["email"],
            Self::BadReason => &["reason"],
            Self::KeyNotFound | Self::KeyRevoked => &["apiKeyId"],
            Self::BadKeyName => &["name"],
            Self::ScopesRequired | Self::ScopeBeyondRole(_) => &["scopes"],
            Self::BadExpiry => &["expiresAt"],
        }
    }
}
