//! Wrong guesses: five in a row, and nobody signs in as the person for a quarter of an hour.

use chrono::{DateTime, Duration, Utc};
use domain::ids::{TenantId, UserId};
use domain::user::{GUESSES, LOCK_OUT_MINS};
use event_log::Transaction;

/// A person's guesses, held until the transaction ends: of many at once each is counted, and a right one that comes after
/// the fifth wrong one is too late, however they were checked.
pub(super) struct Guesses {
    tenant: TenantId,
    user: UserId,
    failures: i32,
    locked_until: Option<DateTime<Utc>>,
}

/// What a wrong guess came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It was counted.
    Counted,
    /// It was one too many.
    LockedOut {
        /// How many there were.
        failures: i32,
        /// Until when nobody signs in.
        until: DateTime<Utc>,
    },
}

fn lock_out() -> Duration {
    Duration::minutes(LOCK_OUT_MINS)
}

impl Guesses {
    /// The guesses of a person who has a password; none of anybody else.
    pub(super) async fn hold(
        tx: &mut Transaction,
        tenant: TenantId,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, sqlx::Error> {
        type Row = (i32, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
        let row: Option<Row> = sqlx::query_as(
            "select failures, failed_at, locked_until from credentials
             where tenant_id = $1 and user_id = $2 for update",
        )
        .bind(tenant.0)
        .bind(user.0)
        .fetch_optional(&mut **tx)
        .await?;
        Ok(row.map(|(failures, failed_at, locked_until)| Self {
            tenant,
            user,
            failures: match failed_at {
                Some(failed_at) if failed_at + lock_out() > now => failures,
                Some(_) | None => 0,
            },
            locked_until: locked_until.filter(|until| *until > now),
        }))
    }

    /// Whether nobody signs in as the person at the moment.
    pub(super) fn are_locked(&self) -> bool {
        self.locked_until.is_some()
    }

    /// Counts a wrong one.
    pub(super) async fn wrong(&self, tx: &mut Transaction, now: DateTime<Utc>) -> Result<Wrong, sqlx::Error> {
        let failures = self.failures + 1;
        if failures < GUESSES {
            self.set(tx, failures, Some(now), None).await?;
            return Ok(Wrong::Counted);
        }
        let until = now + lock_out();
        self.set(tx, 0, None, Some(until)).await?;
        Ok(Wrong::LockedOut { failures, until })
    }

    /// Forgets the wrong ones.
    pub(super) async fn forget(&self, tx: &mut Transaction) -> Result<(), sqlx::Error> {
        self.set(tx, 0, None, None).await
    }

    async fn set(
        &self,
        tx: &mut Transaction,
        failures: i32,
        failed_at: Option<DateTime<Utc>>,
        locked_until: Option<DateTime<Utc>>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "update credentials set failures = $3, failed_at = $4, locked_until = $5
             where tenant_id = $1 and user_id = $2",
        )
        .bind(self.tenant.0)
        .bind(self.user.0)
        .bind(failures)
        .bind(failed_at)
        .bind(locked_until)
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
