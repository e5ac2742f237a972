//! Users: people of the company who sign in, and the keys with which programs act for them. Passwords and the secrets of
//! second factors are never events: the log keeps everything for ever.

mod api_key;
mod command;
mod error;
mod event;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::{Role, StationScope};
use crate::decider::Decider;
use crate::ids::ApiKeyId;

pub use api_key::{ApiKey, ApiKeyAsk, LONGEST_LIFE_DAYS, MOST_KEYS, UsableKey, may_be_in_a_key};
pub use command::{UserCommand, UserNote};
pub use error::UserError;
pub use event::{
    ApiKeyCreated, ApiKeyRevoked, PasswordChange, RecoveryCodeUsed, RecoveryCodesIssued,
    SecondFactorDisabled, SecondFactorEnabled, SecondFactorEnd, SessionEnd, SessionRevoked, UserCreated,
    UserDeactivated, UserLockedOut, UserPasswordChanged, UserReactivated, UserRoleChanged, UserUnlocked,
};

crate::events! {
    /// What can happen to a user.
    pub enum UserEvent {
        "A person of the company may sign in." Created(UserCreated) = "user.created" v 1, claims;
        "A person's role or stations changed." RoleChanged(UserRoleChanged) = "user.role_changed" v 1;
        "A person may sign in no more." Deactivated(UserDeactivated) = "user.deactivated" v 1;
        "A person who could not sign in any more may again." Reactivated(UserReactivated) = "user.reactivated" v 1;
        "A person has another password." PasswordChanged(UserPasswordChanged) = "user.password_changed" v 1;
        "Somebody has guessed wrong too often: nobody signs in as this person for a while." LockedOut(UserLockedOut) = "user.locked_out" v 1;
        "A person who was locked out may sign in before the time is over." Unlocked(UserUnlocked) = "user.unlocked" v 1;
        "A person signs in with a second factor from now on." SecondFactorEnabled(SecondFactorEnabled) = "user.second_factor_enabled" v 1;
        "A person has no second factor any more." SecondFactorDisabled(SecondFactorDisabled) = "user.second_factor_disabled" v 1;
        "A person got new recovery codes; those before are void." RecoveryCodesIssued(RecoveryCodesIssued) = "user.recovery_codes_issued" v 1;
        "A person signed in with a recovery code, which is used up." RecoveryCodeUsed(RecoveryCodeUsed) = "user.recovery_code_used" v 1;
        "A sign-in of a person was ended before its time." SessionRevoked(SessionRevoked) = "user.session_revoked" v 1;
        "A person made a key for a program." ApiKeyCreated(ApiKeyCreated) = "user.api_key_created" v 1;
        "A key for a program was revoked." ApiKeyRevoked(ApiKeyRevoked) = "user.api_key_revoked" v 1;
    }
}

/// What a user's e-mail is unique in.
pub const USER_EMAIL: &str = "user.email";

/// How many wrong guesses in a row lock a person out.
pub const GUESSES: i32 = 5;

/// For how many minutes nobody signs in as a person who is locked out, and after how many a wrong guess is forgotten.
pub const LOCK_OUT_MINS: i64 = 15;

/// Whether the person may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// They may.
    #[default]
    Active,
    /// They may no more.
    Deactivated,
}

impl UserStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivated => "deactivated",
        }
    }
}

/// A user as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// As created, with the role and the stations of now.
    created: Option<UserCreated>,
    #[serde(default)]
    status: UserStatus,
    #[serde(default)]
    locked_until: Option<DateTime<Utc>>,
    #[serde(default)]
    keys: Vec<ApiKey>,
}

impl User {
    /// What the user is now, once created: may they sign in or not.
    pub fn created(&self) -> Option<&UserCreated> {
        self.created.as_ref()
    }

    /// What the user is now, if they may sign in.
    pub fn active(&self) -> Option<&UserCreated> {
        let active = self.status == UserStatus::Active;
        self.created.as_ref().filter(|_| active)
    }

    /// The key of a hash, while it is good: not revoked, not expired, and of somebody who may sign in.
    pub fn usable_key(&self, secret_hash: &str, now: DateTime<Utc>) -> Option<UsableKey<'_>> {
        let owner = self.active()?;
        let key = self.keys.iter().find(|key| key.secret_hash == secret_hash)?;
        key.is_good(now).then_some(UsableKey { owner, key })
    }

    fn there(&self) -> Result<&UserCreated, UserError> {
        self.created.as_ref().ok_or(UserError::NotFound)
    }

    fn in_office(&self) -> Result<&UserCreated, UserError> {
        self.there()?;
        self.active().ok_or(UserError::Deactivated)
    }

    fn change_role(
        &self,
        role: Role,
        stations: StationScope,
        now: DateTime<Utc>,
    ) -> Result<UserEvent, UserError> {
        let created = self.in_office()?;
        if (created.role, &created.stations) == (role, &stations) {
            return Err(UserError::Unchanged);
        }
        Ok(UserEvent::RoleChanged(UserRoleChanged {
            before_role: created.role,
            before_stations: created.stations.clone(),
            role,
            stations,
            changed_at: now,
        }))
    }

    fn create_key(&self, ask: ApiKeyAsk) -> Result<UserEvent, UserError> {
        let owner = self.in_office()?;
        let good = self.keys.iter().filter(|key| key.is_good(ask.now)).count();
        if good >= MOST_KEYS {
            return Err(UserError::TooManyKeys);
        }
        ask.check(owner.role).map(UserEvent::ApiKeyCreated)
    }

    fn revoke_key(
        &self,
        key_id: ApiKeyId,
        reason: String,
        now: DateTime<Utc>,
    ) -> Result<UserEvent, UserError> {
        self.there()?;
        let key = self.keys.iter().find(|key| key.key_id == key_id);
        let key = key.ok_or(UserError::KeyNotFound)?;
        if key.revoked_at.is_some() {
            return Err(UserError::KeyRevoked);
        }
        check_reason(&reason)?;
        Ok(UserEvent::ApiKeyRevoked(ApiKeyRevoked {
            key_id,
            name: key.name.clone(),
            reason,
            revoked_at: now,
        }))
    }

    fn unlock(&self, now: DateTime<Utc>) -> Result<UserEvent, UserError> {
        self.there()?;
        if self.locked_until.is_none_or(|until| until <= now) {
            return Err(UserError::NotLocked);
        }
        Ok(UserEvent::Unlocked(UserUnlocked { unlocked_at: now }))
    }

    fn deactivate(&self, reason: String, now: DateTime<Utc>) -> Result<UserEvent, UserError> {
        self.in_office()?;
        check_reason(&reason)?;
        Ok(UserEvent::Deactivated(UserDeactivated {
            reason,
            deactivated_at: now,
        }))
    }

    fn reactivate(&self, now: DateTime<Utc>) -> Result<UserEvent, UserError> {
        self.there()?;
        if self.status == UserStatus::Active {
            return Err(UserError::Unchanged);
        }
        Ok(UserEvent::Reactivated(UserReactivated { reactivated_at: now }))
    }
}

/// A reason has 3 to 500 characters.
fn check_reason(reason: &str) -> Result<(), UserError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(UserError::BadReason)
    }
}

impl Decider for User {
    const STREAM: &'static str = "user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;

    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        let event = match command {
            UserCommand::Create(_) if self.created.is_some() => return Err(UserError::Exists),
            UserCommand::Create(created) => UserEvent::Created(created),
            // Nobody shuts out or raises themselves: whoever may do it is still there afterwards.
            UserCommand::ChangeRole { by, of, .. } | UserCommand::Deactivate { by, of, .. }
                if by == Some(of) =>
            {
                return Err(UserError::OwnUser);
            }
            UserCommand::ChangeRole {
                role, stations, now, ..
            } => self.change_role(role, stations, now)?,
            UserCommand::Deactivate { reason, now, .. } => self.deactivate(reason, now)?,
            UserCommand::Reactivate { now } => self.reactivate(now)?,
            UserCommand::Unlock { now } => self.unlock(now)?,
            UserCommand::CreateApiKey(ask) => self.create_key(ask)?,
            UserCommand::RevokeApiKey { key_id, reason, now } => self.revoke_key(key_id, reason, now)?,
            UserCommand::Note(_) if self.created.is_none() => return Err(UserError::NotFound),
            UserCommand::Note(noted) => noted.into(),
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &UserEvent) {
        match event {
            UserEvent::Created(created) => self.created = Some(created.clone()),
            UserEvent::RoleChanged(changed) => {
                if let Some(created) = &mut self.created {
                    created.role = changed.role;
                    created.stations = changed.stations.clone();
                }
            }
            UserEvent::Deactivated(_) => self.status = UserStatus::Deactivated,
            UserEvent::Reactivated(_) => self.status = UserStatus::Active,
            UserEvent::LockedOut(locked) => self.locked_until = Some(locked.until),
            UserEvent::Unlocked(_) => self.locked_until = None,
            UserEvent::ApiKeyCreated(created) => self.keys.push(ApiKey::from(created)),
            UserEvent::ApiKeyRevoked(revoked) => {
                let key = self.keys.iter_mut().find(|key| key.key_id == revoked.key_id);
                if let Some(key) = key {
                    key.revoked_at = Some(revoked.revoked_at);
                }
            }
            UserEvent::PasswordChanged(_)
            | UserEvent::SecondFactorEnabled(_)
            | UserEvent::SecondFactorDisabled(_)
            | UserEvent::RecoveryCodesIssued(_)
            | UserEvent::RecoveryCodeUsed(_)
            | UserEvent::SessionRevoked(_) => {}
        }
    }
}
