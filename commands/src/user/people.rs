//! What people may do and whether they may sign in.

use domain::access::{Permission, Role, StationScope};
use domain::ids::UserId;
use domain::user::UserCommand;
use serde::Serialize;

use super::{OfUser, person};
use crate::execute::{Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Another role of a person, or other stations.
#[derive(Debug, Clone, Serialize)]
pub struct UserRoleChange {
    /// The person.
    pub user_id: UserId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// What the person is there for from now on.
    pub role: Role,
    /// The stations within reach from now on.
    pub stations: StationScope,
}

/// A person who is to sign in no more.
#[derive(Debug, Clone, Serialize)]
pub struct UserDeactivate {
    /// The person.
    pub user_id: UserId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Why; 3 to 500 characters.
    pub reason: String,
}

/// A person who is to sign in again.
#[derive(Debug, Clone, Serialize)]
pub struct UserReactivate {
    /// The person.
    pub user_id: UserId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
}

/// A person who is locked out, and is to be let in.
#[derive(Debug, Clone, Serialize)]
pub struct UserUnlock {
    /// The person.
    pub user_id: UserId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
}

impl Commands {
    /// Changes what a person may do, and where: from now on, for whoever is signed in as well.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OWN_USER`, `UNCHANGED`, `USER_DEACTIVATED`, or when the role may not.
    pub async fn change_user_role(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: UserRoleChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            this.expect_stations(&caller, &ask.stations).await?;
            let of_user = OfUser {
                user_id: ask.user_id,
                expected_version: ask.expected_version,
                command: || UserCommand::ChangeRole {
                    role: ask.role,
                    stations: ask.stations.clone(),
                    by: person(&caller),
                    of: ask.user_id,
                    now: this.ports.now(),
                },
            };
            this.run_on_user(&caller, &key, "user_role_change", &ask, of_user)
                .await
        })
        .await
    }

    /// Lets a person sign in no more; whoever is signed in as them is out, and their keys open nothing.
    ///
    /// # Errors
    /// `NOT_FOUND`, `OWN_USER`, `USER_DEACTIVATED`, `INVALID_REASON`, or when the role may not.
    pub async fn deactivate_user(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: UserDeactivate,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            let of_user = OfUser {
                user_id: ask.user_id,
                expected_version: ask.expected_version,
                command: || UserCommand::Deactivate {
                    reason: ask.reason.clone(),
                    by: person(&caller),
                    of: ask.user_id,
                    now: this.ports.now(),
                },
            };
            this.run_on_user(&caller, &key, "user_deactivate", &ask, of_user)
                .await
        })
        .await
    }

    /// Lets a person sign in again who could not any more.
    ///
    /// # Errors
    /// `NOT_FOUND`, `UNCHANGED`, or when the role may not.
    pub async fn reactivate_user(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: UserReactivate,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            let of_user = OfUser {
                user_id: ask.user_id,
                expected_version: ask.expected_version,
                command: || UserCommand::Reactivate {
                    now: this.ports.now(),
                },
            };
            this.run_on_user(&caller, &key, "user_reactivate", &ask, of_user)
                .await
        })
        .await
    }

    /// Notes that a person who is locked out is let in before the time is over.
    ///
    /// # Errors
    /// `NOT_FOUND`, `NOT_LOCKED`, or when the role may not.
    pub async fn unlock_user(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: UserUnlock,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            let of_user = OfUser {
                user_id: ask.user_id,
                expected_version: ask.expected_version,
                command: || UserCommand::Unlock {
                    now: this.ports.now(),
                },
            };
            this.run_on_user(&caller, &key, "user_unlock", &ask, of_user)
                .await
        })
        .await
    }
}
