//! Keys for programs: what one is for, and how long it is good.

use chrono::{DateTime, Duration, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use super::{ApiKeyCreated, UserCreated, UserError};
use crate::access::{Permission, Role};
use crate::ids::ApiKeyId;

/// How many good keys a person has at most.
pub const MOST_KEYS: usize = 50;

/// For how many days a key is good at most.
pub const LONGEST_LIFE_DAYS: i64 = 731;

/// A key as its owner's stream tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The key.
    pub key_id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the secret, in hexadecimal digits.
    pub secret_hash: String,
    /// What it is for.
    pub permissions: Vec<Permission>,
    /// Until when it is good, exclusive; without end where there is none.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// Whether it is neither revoked nor expired.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl From<&ApiKeyCreated> for ApiKey {
    fn from(created: &ApiKeyCreated) -> Self {
        Self {
            key_id: created.key_id,
            name: created.name.clone(),
            secret_hash: created.secret_hash.clone(),
            permissions: created.permissions.clone(),
            expires_at: created.expires_at,
            revoked_at: None,
        }
    }
}

/// A key that opens something, and whom it acts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsableKey<'a> {
    /// Its owner, with the role and the stations of now.
    pub owner: &'a UserCreated,
    /// The key.
    pub key: &'a ApiKey,
}

/// A key to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyAsk {
    /// Its id, made outside.
    pub key_id: ApiKeyId,
    /// What its owner calls it; 1 to 80 characters.
    pub name: String,
    /// SHA-256 of the secret, in hexadecimal digits.
    pub secret_hash: String,
    /// The last characters of the key, by which its owner knows it again.
    pub ends_with: String,
    /// What it is for.
    pub permissions: Vec<Permission>,
    /// Until when it is good, exclusive.
    pub expires_at: Option<DateTime<Utc>>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// Whether a key may be for it at all. Whoever finds a key must not make others with it, or let people in.
pub fn may_be_in_a_key(permission: Permission) -> bool {
    !matches!(permission, Permission::UserWrite | Permission::ApiKeyWrite)
}

impl ApiKeyAsk {
    pub(super) fn check(self, role: Role) -> Result<ApiKeyCreated, UserError> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > 80 {
            return Err(UserError::BadKeyName);
        }
        let mut permissions = self.permissions;
        permissions.sort_unstable();
        permissions.dedup();
        if permissions.is_empty() {
            return Err(UserError::ScopesRequired);
        }
        let beyond = |permission: &&Permission| !(role.may(**permission) && may_be_in_a_key(**permission));
        if let Some(beyond) = permissions.iter().find(beyond) {
            return Err(UserError::ScopeBeyondRole(*beyond));
        }
        let latest = self.now + Duration::days(LONGEST_LIFE_DAYS);
        if self.expires_at.is_some_and(|end| end <= self.now || end > latest) {
            return Err(UserError::BadExpiry);
        }
        Ok(ApiKeyCreated {
            key_id: self.key_id,
            name: name.to_owned(),
            secret_hash: self.secret_hash,
            ends_with: self.ends_with,
            permissions,
            expires_at: self.expires_at.map(|end| end.trunc_subsecs(6)),
            created_at: self.now,
        })
    }
}
