//! Who signs in to the company, and as what?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Role, StationScope, Viewer};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::UserId;
use domain::recorded::{DomainEvent, Recorded};
use domain::user::{UserEvent, UserStatus};
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, shown_only,
};

/// Whether a person signs in with a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// They do not.
    Off,
    /// They do.
    On,
}

macro_rules! words {
    ($( $type:ty = $word:expr; )+) => { $(
        impl Column for $type {
            const KIND: Option<Kind> = Some(Kind::Text);

            fn value(&self) -> Option<Value> {
                let word: fn(&Self) -> &'static str = $word;
                Some(Value::Text(word(self).to_owned()))
            }
        }
    )+ };
}

words! {
    SecondFactor = |factor| match factor {
        SecondFactor::Off => "off",
        SecondFactor::On => "on",
    };
    Role = |role| role.as_str();
    UserStatus = |status| status.as_str();
}

shown_only! {
    StationScope;
}

row! {
    /// A person who signs in, or did.
    pub struct UserRow in "user_list", key (user_id: UserId) {
        /// The person.
        pub user_id: UserId,
        /// Events of the person so far: what a command expects.
        pub version: i64,
        /// E-mail, sealed.
        pub email: Sealed,
        /// What the person is there for.
        pub role: Role,
        /// The stations within reach.
        pub stations: StationScope,
        /// Whether the person may sign in.
        pub status: UserStatus,
        /// Whether the person signs in with a second factor.
        pub second_factor: SecondFactor,
        /// Until when nobody signs in as the person, since too many guesses were wrong. It may be over.
        pub locked_until: Option<DateTime<Utc>>,
        /// Since when the person is there.
        pub created_at: DateTime<Utc>,
    }
}

/// The fold behind the list of users.
pub struct UserList;

impl Fold for UserList {
    type Key = UserId;
    type Row = UserRow;
    const NAME: &'static str = "user_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "user.created",
            "user.role_changed",
            "user.deactivated",
            "user.reactivated",
            "user.password_changed",
            "user.locked_out",
            "user.unlocked",
            "user.second_factor_enabled",
            "user.second_factor_disabled",
            "user.recovery_codes_issued",
            "user.recovery_code_used",
            "user.session_revoked",
            "user.api_key_created",
            "user.api_key_revoked",
        ]
    }

    fn key(event: &Recorded) -> Option<UserId> {
        of_user(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<UserRow>, event: &Recorded) -> Option<UserRow> {
        let Some(happened) = of_user(event) else {
            return row;
        };
        let version = event.sequence.0;
        if let UserEvent::Created(created) = happened {
            return Some(UserRow {
                user_id: Self::key(event)?,
                version,
                email: created.email.clone(),
                role: created.role,
                stations: created.stations.clone(),
                status: UserStatus::Active,
                second_factor: SecondFactor::Off,
                locked_until: None,
                created_at: event.recorded_at,
            });
        }
        let row = UserRow { version, ..row? };
        Some(match happened {
            UserEvent::RoleChanged(changed) => UserRow {
                role: changed.role,
                stations: changed.stations.clone(),
                ..row
            },
            UserEvent::Deactivated(_) => UserRow {
                status: UserStatus::Deactivated,
                ..row
            },
            UserEvent::Reactivated(_) => UserRow {
                status: UserStatus::Active,
                ..row
            },
            UserEvent::LockedOut(locked) => UserRow {
                locked_until: Some(locked.until),
                ..row
            },
            UserEvent::Unlocked(_) => UserRow {
                locked_until: None,
                ..row
            },
            UserEvent::SecondFactorEnabled(_) => UserRow {
                second_factor: SecondFactor::On,
                ..row
            },
            UserEvent::SecondFactorDisabled(_) => UserRow {
                second_factor: SecondFactor::Off,
                ..row
            },
            UserEvent::Created(_)
            | UserEvent::PasswordChanged(_)
            | UserEvent::RecoveryCodesIssued(_)
            | UserEvent::RecoveryCodeUsed(_)
            | UserEvent::SessionRevoked(_)
            | UserEvent::ApiKeyCreated(_)
            | UserEvent::ApiKeyRevoked(_) => row,
        })
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<UserId> {
        (stream.kind == "user").then(|| stream.id.parse().ok())?
    }

    fn source(user: &UserId) -> Source {
        Source::Stream(StreamId::new("user", user.to_string()))
    }
}

fn of_user(event: &Recorded) -> Option<&UserEvent> {
    if let DomainEvent::User(user) = &event.event {
        Some(user)
    } else {
        None
    }
}

/// A page of users, the newest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see users, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    slice: Slice,
    at: At,
) -> Result<Page<UserRow>, ReadError> {
    viewer.require(Permission::UserRead)?;
    let select = Select {
        conditions: Vec::new(),
        order: Order::descending(&["created_at", "user_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<UserList>(viewer.tenant, select, at).await
}

/// How many users there are.
///
/// # Errors
/// As [`page`].
pub async fn count(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::UserRead)?;
    models.count::<UserList>(viewer.tenant, Vec::new(), at).await
}

/// One user; everybody may see themselves.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: UserId,
    at: At,
) -> Result<Answer<Option<UserRow>>, ReadError> {
    if id != viewer.user {
        viewer.require(Permission::UserRead)?;
    }
    let conditions = vec![Condition::Eq("user_id", Value::Uuid(id.0))];
    let found = models.all::<UserList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::user::{
        SecondFactorEnabled, UserCreated, UserDeactivated, UserLockedOut, UserReactivated, UserRoleChanged,
        UserUnlocked,
    };
    use uuid::Uuid;

    use super::*;
    use crate::testing::{at, fold, recorded, sealed};

    const USER: UserId = UserId(Uuid::from_u128(5));

    fn row(events: Vec<UserEvent>) -> UserRow {
        let created = UserEvent::Created(UserCreated {
            email: sealed("email"),
            email_key: "k".to_owned(),
            role: Role::Admin,
            stations: StationScope::All,
        });
        let events: Vec<Recorded> = std::iter::once(created)
            .chain(events)
            .zip(1..)
            .map(|(event, number)| recorded(number, &USER.to_string(), number, DomainEvent::User(event)))
            .collect();
        fold::<UserList>(&events).get(&USER).cloned().unwrap()
    }

    #[test]
    fn a_user_is_listed_as_they_are_now() {
        let now = at("2026-11-02T00:00:00Z");
        let role = UserEvent::RoleChanged(UserRoleChanged {
            before_role: Role::Admin,
            before_stations: StationScope::All,
            role: Role::Chef,
            stations: StationScope::Only(Vec::new()),
            changed_at: now,
        });
        let on = UserEvent::SecondFactorEnabled(SecondFactorEnabled { enabled_at: now });
        let changed = row(vec![role, on]);
        assert_eq!(
            (changed.version, changed.role, changed.second_factor),
            (3, Role::Chef, SecondFactor::On)
        );
        assert_eq!(changed.stations, StationScope::Only(Vec::new()));
    }

    #[test]
    fn who_is_locked_out_or_deactivated_is_so_until_told_otherwise() {
        let now = at("2026-11-02T00:00:00Z");
        let locked = UserEvent::LockedOut(UserLockedOut {
            failures: 5,
            until: now,
            locked_at: now,
        });
        let unlocked = UserEvent::Unlocked(UserUnlocked { unlocked_at: now });
        assert_eq!(row(vec![locked.clone()]).locked_until, Some(now));
        assert_eq!(row(vec![locked, unlocked]).locked_until, None);
        let gone = UserEvent::Deactivated(UserDeactivated {
            reason: "leaves us".to_owned(),
            deactivated_at: now,
        });
        let back = UserEvent::Reactivated(UserReactivated { reactivated_at: now });
        assert_eq!(row(vec![gone.clone()]).status, UserStatus::Deactivated);
        assert_eq!(row(vec![gone, back]).status, UserStatus::Active);
    }
}
