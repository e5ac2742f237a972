//! When a company's policies and jobs have something to do next, if nothing happens before.

use chrono::{DateTime, Utc};
use domain::ids::TenantId;

use super::PolicyError;
use crate::Commands;

impl Commands {
    /// The earliest time that a process or a job of a company waits for; it may be over. None where nothing waits.
    ///
    /// # Errors
    /// [`PolicyError`] when the database is out of reach.
    pub async fn next_due(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, PolicyError> {
        let mut tx = self.log().database().begin_read(tenant).await?;
        let next = sqlx::query_scalar(
            "select least(
                 (select min(wake_at) from policy_states where tenant_id = $1),
                 (select min(run_at) from jobs where tenant_id = $1)
             )",
        )
        .bind(tenant.0)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(next)
    }
}
