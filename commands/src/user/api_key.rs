//! Keys with which programs act for people.

use chrono::{DateTime, Utc};
use domain::access::Permission;
use domain::ids::{ApiKeyId, UserId};
use domain::user::{ApiKeyAsk, UserCommand, UserError};
use serde::Serialize;
use uuid::Uuid;

use super::{OfUser, person};
use crate::execute::{Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// A key to make, for oneself.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKeyCreate {
    /// What its owner calls it; 1 to 80 characters.
    pub name: String,
    /// What it is for.
    pub permissions: Vec<Permission>,
    /// Until when it is good, exclusive; without end where absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// SHA-256 of its secret, in hexadecimal digits. No part of what is asked: a repeat has made up another.
    #[serde(skip)]
    pub secret_hash: String,
    /// The last characters of the key, by which its owner knows it again. No part of what is asked either.
    #[serde(skip)]
    pub ends_with: String,
}

/// A key to revoke.
#[derive(Debug, Clone, Serialize)]
pub struct ApiKeyRevoke {
    /// Whose.
    pub user_id: UserId,
    /// Which.
    pub key_id: ApiKeyId,
    /// Why; 3 to 500 characters.
    pub reason: String,
}

impl ApiKeyCreate {
    /// The id of the key that is made under a key of idempotency: a repeat finds the first one's.
    pub fn id_under(key: &IdempotencyKey) -> ApiKeyId {
        ApiKeyId(Uuid::new_v5(&key.command_id().0, b"api_key"))
    }
}

impl Commands {
    /// Makes a key with which a program acts for the person who asks.
    ///
    /// # Errors
    /// The refusals of [`UserError`], or when the role may not.
    pub async fn create_api_key(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: ApiKeyCreate,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ApiKeyWrite)?;
            let owner = person(&caller).ok_or_else(|| CommandError::refused(UserError::NotFound))?;
            let of_user = OfUser {
                user_id: owner,
                expected_version: None,
                command: || {
                    UserCommand::CreateApiKey(ApiKeyAsk {
                        key_id: ApiKeyCreate::id_under(&key),
                        name: ask.name.clone(),
                        secret_hash: ask.secret_hash.clone(),
                        ends_with: ask.ends_with.clone(),
                        permissions: ask.permissions.clone(),
                        expires_at: ask.expires_at,
                        now: this.ports.now(),
                    })
                },
            };
            this.run_on_user(&caller, &key, "api_key_create", &ask, of_user)
                .await
        })
        .await
    }

    /// Revokes a key: it opens nothing from then on. Of others by whoever sees to users.
    ///
    /// # Errors
    /// `NOT_FOUND`, `API_KEY_REVOKED`, `INVALID_REASON`, or when the role may not.
    pub async fn revoke_api_key(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: ApiKeyRevoke,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let own = person(&caller) == Some(ask.user_id);
            caller.require(if own {
                Permission::ApiKeyWrite
            } else {
                Permission::UserWrite
            })?;
            let of_user = OfUser {
                user_id: ask.user_id,
                expected_version: None,
                command: || UserCommand::RevokeApiKey {
                    key_id: ask.key_id,
                    reason: ask.reason.clone(),
                    now: this.ports.now(),
                },
            };
            this.run_on_user(&caller, &key, "api_key_revoke", &ask, of_user)
                .await
        })
        .await
    }
}
