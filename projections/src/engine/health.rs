//! How the read models of all companies are, in sums: what the metrics show. One question for them all, and one more for
//! each read model that is behind.

use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use uuid::Uuid;

use super::error::ReadError;
use super::models::ReadModels;

/// How the live generations of one read model are, over all companies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionHealth {
    /// Which read model.
    pub projection: String,
    /// How many companies have it.
    pub companies: i64,
    /// In how many it is behind the log.
    pub behind: i64,
    /// Events that it is behind, summed up.
    pub lag_events: i64,
    /// Events that it is behind where it is furthest behind.
    pub worst_lag_events: i64,
    /// How long the next event has waited where it has stood still for longest, in milliseconds.
    pub worst_lag_ms: i64,
    /// In how many companies it has stopped.
    pub stopped: i64,
    /// Keys that are held back, summed up.
    pub parked_keys: i64,
    /// In how many companies rows are known to differ from what the log gives.
    pub drifted: i64,
    /// How many rows are known to.
    pub drifted_rows: i64,
    /// In how many companies it was never compared with the log.
    pub unchecked: i64,
    /// When it was compared where that was longest ago.
    pub oldest_check: Option<DateTime<Utc>>,
}

type HealthRow = (
    String,
    i64,
    i64,
    i64,
    i64,
    Option<Uuid>,
    Option<i64>,
    i64,
    i64,
    i64,
    i64,
    i64,
    Option<DateTime<Utc>>,
);

impl ReadModels {
    /// How the read models of all companies are, by name.
    ///
    /// # Errors
    /// [`ReadError::Log`] when the database does not answer.
    pub async fn health(&self) -> Result<Vec<ProjectionHealth>, ReadError> {
        // On behalf of nobody: the function gives sums, and there are no rows of the nil tenant.
        let mut transaction = self.database().begin_read(TenantId(Uuid::nil())).await?;
        let rows: Vec<HealthRow> = sqlx::query_as(
            "select projection, models, behind, lag_events, worst_lag_events, slowest, slowest_position, stopped,
                 parked, drifted, differing, unchecked, oldest_check
             from projection_health()",
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let worst_lag_ms = match (row.5, row.6) {
                (Some(tenant), Some(position)) => self.waited_ms(TenantId(tenant), position + 1).await?,
                (None, _) | (_, None) => 0,
            };
            all.push(health(row, worst_lag_ms));
        }
        Ok(all)
    }

    /// How long ago an event was recorded, in milliseconds; 0 where there is none.
    async fn waited_ms(&self, tenant: TenantId, position: i64) -> Result<i64, ReadError> {
        let mut snapshot = self.database().begin_read(tenant).await?;
        let waited: Option<i64> = sqlx::query_scalar(
            "select (extract(epoch from clock_timestamp() - recorded_at) * 1000)::bigint from events
             where tenant_id = $1 and position = $2",
        )
        .bind(tenant.0)
        .bind(position)
        .fetch_optional(&mut *snapshot)
        .await?;
        snapshot.commit().await?;
        Ok(waited.unwrap_or_default().max(0))
    }
}

fn health(row: HealthRow, worst_lag_ms: i64) -> ProjectionHealth {
    let (projection, companies, behind, lag_events, worst_lag_events, _, _, stopped, parked_keys, ..) = row;
    ProjectionHealth {
        projection,
        companies,
        behind,
        lag_events,
        worst_lag_events,
        worst_lag_ms,
        stopped,
        parked_keys,
        drifted: row.9,
        drifted_rows: row.10,
        unchecked: row.11,
        oldest_check: row.12,
    }
}
