//! The claims that are held, as the tables have them.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::envelope::{Position, StreamId};
use domain::ids::TenantId;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::LogError;
use crate::log::EventLog;

/// A claim that a stream holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldClaim {
    /// A key that no other stream may hold.
    Unique {
        /// What the key is of.
        scope: String,
        /// The key.
        key: String,
        /// Who holds it.
        holder: StreamId,
    },
    /// Units of a resource over an interval.
    Capacity {
        /// What is limited.
        resource: String,
        /// Who holds them.
        holder: StreamId,
        /// First instant taken.
        from: DateTime<Utc>,
        /// First instant free again.
        until: DateTime<Utc>,
        /// How many.
        units: i32,
    },
    /// A resource alone, over an interval.
    Interval {
        /// What is taken.
        resource: String,
        /// Who holds it.
        holder: StreamId,
        /// First instant taken.
        from: DateTime<Utc>,
        /// First instant free again.
        until: DateTime<Utc>,
    },
}

impl std::fmt::Display for HeldClaim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |instant: &DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
        match self {
            Self::Unique { scope, key, holder } => write!(f, "{scope} {key} of {holder}"),
            Self::Capacity {
                resource,
                holder,
                from,
                until,
                units,
            } => write!(
                f,
                "{units} of {resource} from {} to {} of {holder}",
                at(from),
                at(until)
            ),
            Self::Interval {
                resource,
                holder,
                from,
                until,
            } => write!(f, "{resource} from {} to {} of {holder}", at(from), at(until)),
        }
    }
}

impl EventLog {
    /// Every claim that is held, and the position that they are held at: as of one instant.
    ///
    /// # Errors
    /// [`LogError::UnknownTenant`], [`LogError::Unavailable`].
    pub async fn held_claims(&self, tenant: TenantId) -> Result<(Position, Vec<HeldClaim>), LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let position: Option<i64> = sqlx::query_scalar("select position from log_head where tenant_id = $1")
            .bind(tenant.0)
            .fetch_optional(&mut *transaction)
            .await?;
        let position = position.ok_or(LogError::UnknownTenant(tenant))?;
        let mut held = Vec::new();
        for (statement, read) in TABLES {
            let rows = sqlx::query(statement)
                .bind(tenant.0)
                .fetch_all(&mut *transaction)
                .await?;
            for row in &rows {
                held.push(read(row)?);
            }
        }
        transaction.commit().await?;
        Ok((Position(position), held))
    }

    /// Capacity and intervals of some resources that are held over some of `[from, until)`: as of one instant.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn claims_over(
        &self,
        tenant: TenantId,
        resources: &[String],
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<HeldClaim>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let mut held = Vec::new();
        for (statement, read) in OVER {
            let rows = sqlx::query(statement)
                .bind(tenant.0)
                .bind(resources)
                .bind(from)
                .bind(until)
                .fetch_all(&mut *transaction)
                .await?;
            for row in &rows {
                held.push(read(row)?);
            }
        }
        transaction.commit().await?;
        Ok(held)
    }

    /// Units of a resource that are held, over whatever time: of one that is taken over one interval alone, how much of
    /// it is gone.
    ///
    /// # Errors
    /// [`LogError::Unavailable`].
    pub async fn capacity_held(&self, tenant: TenantId, resource: &str) -> Result<i64, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let held: i64 = sqlx::query_scalar(
            "select coalesce(sum(units), 0)::bigint from claims_capacity where tenant_id = $1 and resource = $2",
        )
        .bind(tenant.0)
        .bind(resource)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(held)
    }
}

type ReadClaim = fn(&PgRow) -> Result<HeldClaim, sqlx::Error>;

const TABLES: [(&str, ReadClaim); 3] = [
    (
        "select holder_kind, holder_id, scope, key from claims_unique where tenant_id = $1",
        |row| {
            Ok(HeldClaim::Unique {
                holder: holder(row)?,
                scope: row.try_get(2)?,
                key: row.try_get(3)?,
            })
        },
    ),
    (
        "select holder_kind, holder_id, resource, from_at, until_at, units from claims_capacity
         where tenant_id = $1",
        capacity,
    ),
    (
        "select holder_kind, holder_id, resource, from_at, until_at from claims_interval where tenant_id = $1",
        interval,
    ),
];

const OVER: [(&str, ReadClaim); 2] = [
    (
        "select holder_kind, holder_id, resource, from_at, until_at, units from claims_capacity
         where tenant_id = $1 and resource = any($2) and until_at > $3 and from_at < $4",
        capacity,
    ),
    (
        "select holder_kind, holder_id, resource, from_at, until_at from claims_interval
         where tenant_id = $1 and resource = any($2) and tstzrange(from_at, until_at) && tstzrange($3, $4)",
        interval,
    ),
];

fn capacity(row: &PgRow) -> Result<HeldClaim, sqlx::Error> {
    Ok(HeldClaim::Capacity {
        holder: holder(row)?,
        resource: row.try_get(2)?,
        from: row.try_get(3)?,
        until: row.try_get(4)?,
        units: row.try_get(5)?,
    })
}

fn interval(row: &PgRow) -> Result<HeldClaim, sqlx::Error> {
    Ok(HeldClaim::Interval {
        holder: holder(row)?,
        resource: row.try_get(2)?,
        from: row.try_get(3)?,
        until: row.try_get(4)?,
    })
}

fn holder(row: &PgRow) -> Result<StreamId, sqlx::Error> {
    let kind: String = row.try_get(0)?;
    Ok(StreamId {
        kind: Cow::Owned(kind),
        id: row.try_get(1)?,
    })
}
