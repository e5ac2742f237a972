//! Which keys for programs are there, whose and for what?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::StreamId;
use domain::ids::{ApiKeyId, UserId};
use domain::recorded::{DomainEvent, Recorded};
use domain::user::UserEvent;

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Value, row, shown_only,
};

impl Column for ApiKeyId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

shown_only! {
    Vec<Permission>;
}

row! {
    /// A key for a program. Neither it nor its hash is here.
    pub struct ApiKeyRow in "api_key_list", key (key_id: ApiKeyId) {
        /// The key.
        pub key_id: ApiKeyId,
        /// Whom it acts for.
        pub user_id: UserId,
        /// What its owner calls it.
        pub name: String,
        /// Its last characters.
        pub ends_with: String,
        /// What it is for.
        pub permissions: Vec<Permission>,
        /// Until when it is good, exclusive; without end where there is none.
        pub expires_at: Option<DateTime<Utc>>,
        /// When it was revoked, if it was.
        pub revoked_at: Option<DateTime<Utc>>,
        /// Why it was.
        pub reason: Option<String>,
        /// When it was made.
        pub created_at: DateTime<Utc>,
    }
}

/// The fold behind the list of keys.
pub struct ApiKeyList;

impl Fold for ApiKeyList {
    type Key = ApiKeyId;
    type Row = ApiKeyRow;
    const NAME: &'static str = "api_key_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &["user.api_key_created", "user.api_key_revoked"]
    }

    fn key(event: &Recorded) -> Option<ApiKeyId> {
        match of_user(event)? {
            UserEvent::ApiKeyCreated(created) => Some(created.key_id),
            UserEvent::ApiKeyRevoked(revoked) => Some(revoked.key_id),
            UserEvent::Created(_)
            | UserEvent::RoleChanged(_)
            | UserEvent::Deactivated(_)
            | UserEvent::Reactivated(_)
            | UserEvent::PasswordChanged(_)
            | UserEvent::LockedOut(_)
            | UserEvent::Unlocked(_)
            | UserEvent::SecondFactorEnabled(_)
            | UserEvent::SecondFactorDisabled(_)
            | UserEvent::RecoveryCodesIssued(_)
            | UserEvent::RecoveryCodeUsed(_)
            | UserEvent::SessionRevoked(_) => None,
        }
    }

    fn apply(row: Option<ApiKeyRow>, event: &Recorded) -> Option<ApiKeyRow> {
        match of_user(event) {
            Some(UserEvent::ApiKeyCreated(created)) => Some(ApiKeyRow {
                key_id: created.key_id,
                user_id: owner(&event.stream)?,
                name: created.name.clone(),
                ends_with: created.ends_with.clone(),
                permissions: created.permissions.clone(),
                expires_at: created.expires_at,
                revoked_at: None,
                reason: None,
                created_at: created.created_at,
            }),
            Some(UserEvent::ApiKeyRevoked(revoked)) => row.map(|row| ApiKeyRow {
                revoked_at: Some(revoked.revoked_at),
                reason: Some(revoked.reason.clone()),
                ..row
            }),
            Some(
                UserEvent::Created(_)
                | UserEvent::RoleChanged(_)
                | UserEvent::Deactivated(_)
                | UserEvent::Reactivated(_)
                | UserEvent::PasswordChanged(_)
                | UserEvent::LockedOut(_)
                | UserEvent::Unlocked(_)
                | UserEvent::SecondFactorEnabled(_)
                | UserEvent::SecondFactorDisabled(_)
                | UserEvent::RecoveryCodesIssued(_)
                | UserEvent::RecoveryCodeUsed(_)
                | UserEvent::SessionRevoked(_),
            )
            | None => row,
        }
    }
}

fn of_user(event: &Recorded) -> Option<&UserEvent> {
    if let DomainEvent::User(user) = &event.event {
        Some(user)
    } else {
        None
    }
}

fn owner(stream: &StreamId) -> Option<UserId> {
    stream.id.parse().ok()
}

/// What the viewer may see of the keys: the own ones, or all with the right to see users.
fn reach(viewer: &Viewer) -> Result<Vec<Condition>, ReadError> {
    if viewer.may(Permission::UserRead) {
        return Ok(Vec::new());
    }
    viewer.require(Permission::ApiKeyWrite)?;
    Ok(vec![Condition::Eq("user_id", Value::Uuid(viewer.user.0))])
}

/// A page of keys, the last made first: the viewer's own, or all with the right to see users.
///
/// # Errors
/// [`ReadError`] when the viewer may neither make keys nor see users, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    slice: Slice,
    at: At,
) -> Result<Page<ApiKeyRow>, ReadError> {
    let select = Select {
        conditions: reach(viewer)?,
        order: Order::descending(&["created_at", "key_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<ApiKeyList>(viewer.tenant, select, at).await
}

/// How many keys there are.
///
/// # Errors
/// As [`page`].
pub async fn count(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Answer<u64>, ReadError> {
    models
        .count::<ApiKeyList>(viewer.tenant, reach(viewer)?, at)
        .await
}

/// One key.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: ApiKeyId,
    at: At,
) -> Result<Answer<Option<ApiKeyRow>>, ReadError> {
    let mut conditions = reach(viewer)?;
    conditions.push(Condition::Eq("key_id", Value::Uuid(id.0)));
    let found = models.all::<ApiKeyList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::user::{ApiKeyCreated, ApiKeyRevoked};
    use uuid::Uuid;

    use super::*;
    use crate::testing::{at, fold, recorded};

    #[test]
    fn a_key_stays_listed_once_it_is_revoked() {
        let (user, key_id) = (UserId(Uuid::from_u128(5)), ApiKeyId(Uuid::from_u128(6)));
        let now = at("2026-11-02T00:00:00Z");
        let created = UserEvent::ApiKeyCreated(ApiKeyCreated {
            key_id,
            name: "till".to_owned(),
            secret_hash: "h".to_owned(),
            ends_with: "wxyz".to_owned(),
            permissions: vec![Permission::TaxRead],
            expires_at: None,
            created_at: now,
        });
        let revoked = UserEvent::ApiKeyRevoked(ApiKeyRevoked {
            key_id,
            name: "till".to_owned(),
            reason: "leaked".to_owned(),
            revoked_at: now,
        });
        let events: Vec<Recorded> = [created, revoked]
            .into_iter()
            .zip(2..)
            .map(|(event, number)| recorded(number, &user.to_string(), number, DomainEvent::User(event)))
            .collect();
        let row = fold::<ApiKeyList>(&events).get(&key_id).cloned().unwrap();
        assert_eq!((row.user_id, row.name.as_str()), (user, "till"));
        assert_eq!(
            (row.revoked_at, row.reason.as_deref()),
            (Some(now), Some("leaked"))
        );
    }
}
