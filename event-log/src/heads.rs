//! Where every log ends, in one look: what tells a follower whose log has grown in another process.

use domain::envelope::Position;
use domain::ids::TenantId;
use sqlx::Row;
use uuid::Uuid;

use crate::error::LogError;
use crate::log::EventLog;

impl EventLog {
    /// The last position of every log that has an event, in no order. One row of two arrays: with ten thousand
    /// tenants, as many rows would cost more than what they say.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn heads(&self) -> Result<Vec<(TenantId, Position)>, LogError> {
        let statement = sqlx::query("select tenants, positions from log_heads()");
        let Some(row) = self.database().call_for_one(statement).await? else {
            return Ok(Vec::new());
        };
        let tenants: Vec<Uuid> = row.try_get(0)?;
        let positions: Vec<i64> = row.try_get(1)?;
        let heads = tenants.into_iter().zip(positions);
        Ok(heads
            .map(|(tenant, position)| (TenantId(tenant), Position(position)))
            .collect())
    }
}
