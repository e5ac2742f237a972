//! What of a company's log goes elsewhere with its events: the results of its commands.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{CommandId, TenantId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::error::LogError;
use crate::log::EventLog;
use crate::read::StreamVersion;

/// The result of a command, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCommand {
    /// The command.
    pub command: CommandId,
    /// Keyed digest of its body.
    pub digest: [u8; 32],
    /// Its first event.
    pub first: Position,
    /// Its last event; right before `first` when it wrote none.
    pub last: Position,
    /// The streams it wrote, with their versions after it.
    pub streams: Vec<(StreamId, Version)>,
    /// When it was carried out.
    pub recorded_at: DateTime<Utc>,
}

impl EventLog {
    /// The kept results of the commands that began to write within events that follow one another, and of those that
    /// wrote nothing there; by first position and id.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn kept_commands(
        &self,
        tenant: TenantId,
        events: &[StoredEvent],
    ) -> Result<Vec<KeptCommand>, LogError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Ok(Vec::new());
        };
        let written: HashSet<Uuid> = events.iter().map(|event| event.command_id.0).collect();
        self.kept(
            tenant,
            written.into_iter().collect(),
            first.position,
            last.position,
        )
        .await
    }

    /// The kept results of commands that wrote nothing where the log ends at a position; by id.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn kept_commands_after(
        &self,
        tenant: TenantId,
        end: Position,
    ) -> Result<Vec<KeptCommand>, LogError> {
        self.kept(tenant, Vec::new(), end.next(), end.next()).await
    }

    async fn kept(
        &self,
        tenant: TenantId,
        written: Vec<Uuid>,
        from: Position,
        to: Position,
    ) -> Result<Vec<KeptCommand>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(
            "select command_id, digest, first_position, last_position, streams, recorded_at from commands
             where tenant_id = $1 and command_id = any($2)
                 and last_position >= first_position and first_position between $3 and $4
             union all
             select command_id, digest, first_position, last_position, streams, recorded_at from commands
             where tenant_id = $1 and last_position < first_position and first_position between $3 and $4
             order by 3, 1",
        )
        .bind(tenant.0)
        .bind(written)
        .bind(from.0)
        .bind(to.0)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        rows.iter().map(kept_command).collect()
    }
}

fn kept_command(row: &PgRow) -> Result<KeptCommand, LogError> {
    let Json(streams): Json<Vec<StreamVersion>> = row.try_get(4)?;
    Ok(KeptCommand {
        command: CommandId(row.try_get(0)?),
        digest: row.try_get(1)?,
        first: Position(row.try_get(2)?),
        last: Position(row.try_get(3)?),
        streams: streams.into_iter().map(StreamVersion::into_pair).collect(),
        recorded_at: row.try_get(5)?,
    })
}
