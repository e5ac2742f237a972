//! Answers as of an instant: they are as of the last position that was recorded by then, for ever.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;

use crate::engine::error::ReadError;
use crate::engine::models::ReadModels;

impl ReadModels {
    /// The last position recorded at or before an instant: what an answer as of an instant is as of. Asked again, it is
    /// the same, whatever is recorded meanwhile.
    ///
    /// An event that is recorded later has an instant that is not before the last one's: what is asked for a time before
    /// that is settled. For a time since then it is settled once it has passed and no append is under way, which may
    /// have its instant already. Only a database's clock that is set back behind an instant that was asked for, by more
    /// than the log has stood still, has events recorded at times that were settled.
    ///
    /// # Errors
    /// [`ReadError::InstantInFuture`] when it has not passed by the database's clock, [`ReadError::Log`] when the log
    /// does not answer.
    pub async fn as_of_instant(
        &self,
        tenant: TenantId,
        instant: DateTime<Utc>,
    ) -> Result<Position, ReadError> {
        if instant >= self.log().head(tenant).await?.recorded_at {
            self.settle(tenant, instant).await?;
        }
        Ok(self.log().position_at(tenant, instant).await?)
    }

    /// Waits for an append that may have taken its instant before this one.
    async fn settle(&self, tenant: TenantId, instant: DateTime<Utc>) -> Result<(), ReadError> {
        let mut transaction = self.database().begin(tenant).await?;
        // Whoever appends holds this lock from before its instant to its commit.
        sqlx::query("select from log_head where tenant_id = $1 for share")
            .bind(tenant.0)
            .execute(&mut *transaction)
            .await?;
        let (now, last): (DateTime<Utc>, DateTime<Utc>) =
            sqlx::query_as("select clock_timestamp(), recorded_at from log_head where tenant_id = $1")
                .bind(tenant.0)
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        // The next event has the greater of these two instants at the least.
        let next = now.max(last);
        if instant < next {
            Ok(())
        } else {
            Err(ReadError::InstantInFuture { asked: instant, now })
        }
    }
}
