//! Looking at a damaged log: what is there, whether it fits or not.

use domain::envelope::{Position, StoredEvent};
use domain::ids::TenantId;

use crate::error::LogError;
use crate::log::EventLog;
use crate::read::stored_event;

/// Rows held in memory at a time.
const PAGE: i64 = 1000;

impl EventLog {
    /// The next rows after a position, a thousand at most, without an assertion that nothing is missing between them.
    /// A row that is no event, as its version is no number, is left out.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn inspect(&self, tenant: TenantId, after: Position) -> Result<Vec<StoredEvent>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(
            "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                 event_id, command_id, recorded_at, leaf_hash
             from events where tenant_id = $1 and position > $2 order by position limit $3",
        )
        .bind(tenant.0)
        .bind(after.0)
        .bind(PAGE)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let events = rows.iter().map(|row| stored_event(tenant, row));
        let there = events.filter(|event| !matches!(event, Err(LogError::Corrupt { .. })));
        there.collect()
    }

    /// The number of the block that a position is in, as the blocks have it; none when it is in none.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn block_of(&self, tenant: TenantId, position: Position) -> Result<Option<i64>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let block = sqlx::query_scalar("select block_of($1, $2)")
            .bind(tenant.0)
            .bind(position.0)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(block)
    }

    /// The last position that a command is known to have written; that of an empty log when none is.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn last_commanded(&self, tenant: TenantId) -> Result<Position, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let last =
            sqlx::query_scalar("select coalesce(max(last_position), 0) from commands where tenant_id = $1")
                .bind(tenant.0)
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(Position(last))
    }

    /// The first position, up to another, whose event has the id of an event before it.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn first_repeated_id(
        &self,
        tenant: TenantId,
        until: Position,
    ) -> Result<Option<Position>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let repeated: Option<i64> = sqlx::query_scalar(
            "select min(last) from (
                 select max(position) as last from events where tenant_id = $1 and position <= $2
                 group by event_id having count(*) > 1
             ) repeated",
        )
        .bind(tenant.0)
        .bind(until.0)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(repeated.map(Position))
    }

    /// The first position, up to another, that a command's result says it wrote, and did not.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn first_misattributed(
        &self,
        tenant: TenantId,
        until: Position,
    ) -> Result<Option<Position>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let wrong: Option<i64> = sqlx::query_scalar(
            "select min(c.first_position) from commands c
             left join events f on f.tenant_id = $1 and f.position = c.first_position
             left join events l on l.tenant_id = $1 and l.position = c.last_position
             where c.tenant_id = $1 and c.last_position >= c.first_position and c.last_position <= $2
                 and (f.command_id is distinct from c.command_id or l.command_id is distinct from c.command_id)",
        )
        .bind(tenant.0)
        .bind(until.0)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(wrong.map(Position))
    }
}
