//! Reading: in order, without gaps, one tenant at a time.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use crate::error::LogError;
use crate::log::EventLog;
use crate::proof::Hash;

/// Where a tenant's log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last event's position; 0 when there is none.
    pub position: Position,
    /// When the last event was recorded; when the log was opened, while it is empty.
    pub recorded_at: DateTime<Utc>,
    /// Number of the last block; 0 when there is none.
    pub block: i64,
    /// Hash of the last block; [`GENESIS`](crate::proof::GENESIS) when there is none.
    pub block_hash: Hash,
}

/// One batch's worth of a tenant's log, chained to all before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its number, counted from 1.
    pub block: i64,
    /// Its first event.
    pub first: Position,
    /// Its last event.
    pub last: Position,
    /// Root of the tree over its events' leaves.
    pub merkle_root: Hash,
    /// Its hash, over the hash of the block before it.
    pub block_hash: Hash,
    /// When it was recorded.
    pub closed_at: DateTime<Utc>,
}

/// What a command came to, kept under its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandResult {
    /// Keyed digest of its body.
    pub digest: [u8; 32],
    /// Its first event.
    pub first: Position,
    /// Its last event; right before `first` when it wrote none.
    pub last: Position,
    /// The streams it wrote, with their versions after it.
    pub streams: Vec<(StreamId, Version)>,
}

/// A stream and its version, as `commands.streams` has them.
#[derive(Deserialize)]
pub(crate) struct StreamVersion {
    kind: String,
    id: String,
    version: i64,
}

impl StreamVersion {
    pub(crate) fn into_pair(self) -> (StreamId, Version) {
        (
            StreamId {
                kind: Cow::Owned(self.kind),
                id: self.id,
            },
            Version(self.version),
        )
    }
}

const READ: &str = "select position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload::text as payload, metadata::text as metadata, event_id, command_id, recorded_at, leaf_hash
    from events
    where tenant_id = $1 and position > $2 and position <= $3 and ($4::text[] is null or event_type = any($4))
    order by position
    limit $5";

const READ_STREAM: &str =
    "select position, aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload::text as payload, metadata::text as metadata, event_id, command_id, recorded_at, leaf_hash
    from events
    where tenant_id = $1 and aggregate_type = $2 and aggregate_id = $3
    order by sequence";

impl EventLog {
    /// The next events after a position, at most `limit`, of the given types or of all. Without types the
    /// answer has no hole: that is asserted.
    ///
    /// # Errors
    /// [`LogError::Gap`] and [`LogError::Corrupt`] when the log is damaged, [`LogError::Unavailable`].
    pub async fn read(
        &self,
        tenant: TenantId,
        after: Position,
        limit: u32,
        types: Option<&[&str]>,
    ) -> Result<Vec<StoredEvent>, LogError> {
        let rows = self.rows(tenant, after, Position(i64::MAX), limit, types).await?;
        let mut before = after;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            let event = stored_event(tenant, row)?;
            if types.is_none() {
                follows(before, event.position)?;
            }
            before = event.position;
            events.push(event);
        }
        Ok(events)
    }

    pub(crate) async fn rows(
        &self,
        tenant: TenantId,
        after: Position,
        until: Position,
        limit: u32,
        types: Option<&[&str]>,
    ) -> Result<Vec<PgRow>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(READ)
            .bind(tenant.0)
            .bind(after.0)
            .bind(until.0)
            .bind(types)
            .bind(i64::from(limit))
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(rows)
    }

    /// One stream's events, in order; none when there is no such stream.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when an event is missing from the stream, [`LogError::Unavailable`].
    pub async fn read_stream(
        &self,
        tenant: TenantId,
        stream: &StreamId,
    ) -> Result<Vec<StoredEvent>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(READ_STREAM)
            .bind(tenant.0)
            .bind(stream.kind.as_ref())
            .bind(&stream.id)
            .fetch_all(&mut *transaction)
            .await?;
        transaction.commit().await?;
        let events: Vec<StoredEvent> = rows
            .iter()
            .map(|row| stored_event(tenant, row))
            .collect::<Result<_, _>>()?;
        for (event, sequence) in events.iter().zip(1..) {
            if event.sequence != Version(sequence) {
                return Err(LogError::Corrupt {
                    position: event.position,
                    what: format!("the stream lacks its event {sequence}"),
                });
            }
        }
        Ok(events)
    }

    /// Where the tenant's log ends.
    ///
    /// # Errors
    /// [`LogError::UnknownTenant`] when there is no such log, [`LogError::Unavailable`].
    pub async fn head(&self, tenant: TenantId) -> Result<Head, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let row =
            sqlx::query("select position, recorded_at, block, block_hash from log_head where tenant_id = $1")
                .bind(tenant.0)
                .fetch_optional(&mut *transaction)
                .await?;
        transaction.commit().await?;
        let row = row.ok_or(LogError::UnknownTenant(tenant))?;
        Ok(Head {
            position: Position(row.try_get("position")?),
            recorded_at: row.try_get("recorded_at")?,
            block: row.try_get("block")?,
            block_hash: row.try_get("block_hash")?,
        })
    }

    /// The last position recorded at or before an instant; [`Position::START`] when there is none.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when the log is damaged, [`LogError::Unavailable`].
    pub async fn position_at(&self, tenant: TenantId, instant: DateTime<Utc>) -> Result<Position, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let position = sqlx::query_scalar("select position_at($1, $2)")
            .bind(tenant.0)
            .bind(instant)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Position(position))
    }

    /// What a command came to, if it came to anything.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn command(
        &self,
        tenant: TenantId,
        command: CommandId,
    ) -> Result<Option<CommandResult>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let row = sqlx::query(
            "select digest, first_position, last_position, streams from commands
             where tenant_id = $1 and command_id = $2",
        )
        .bind(tenant.0)
        .bind(command.0)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let Json(streams): Json<Vec<StreamVersion>> = row.try_get("streams")?;
        Ok(Some(CommandResult {
            digest: row.try_get("digest")?,
            first: Position(row.try_get("first_position")?),
            last: Position(row.try_get("last_position")?),
            streams: streams.into_iter().map(StreamVersion::into_pair).collect(),
        }))
    }

    /// The stream that holds a unique key.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn unique_holder(
        &self,
        tenant: TenantId,
        scope: &str,
        key: &str,
    ) -> Result<Option<StreamId>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        let row = sqlx::query(
            "select holder_kind, holder_id from claims_unique
             where tenant_id = $1 and scope = $2 and key = $3",
        )
        .bind(tenant.0)
        .bind(scope)
        .bind(key)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let kind: String = row.try_get("holder_kind")?;
        Ok(Some(StreamId {
            kind: Cow::Owned(kind),
            id: row.try_get("holder_id")?,
        }))
    }
}

/// Asserts that nothing is missing between two positions.
pub(crate) fn follows(before: Position, found: Position) -> Result<(), LogError> {
    let expected = before.next();
    if found == expected {
        Ok(())
    } else {
        Err(LogError::Gap { expected, found })
    }
}

pub(crate) fn stored_event(tenant: TenantId, row: &PgRow) -> Result<StoredEvent, LogError> {
    let position = Position(row.try_get("position")?);
    let kind: String = row.try_get("aggregate_type")?;
    let version: &str = row.try_get("event_version")?;
    let event_version = version
        .parse()
        .ok()
        .filter(|parsed: &u16| parsed.to_string() == version);
    let event_version = event_version.ok_or_else(|| LogError::Corrupt {
        position,
        what: format!("the event version {version} is no number"),
    })?;
    Ok(StoredEvent {
        tenant,
        position,
        stream: StreamId {
            kind: Cow::Owned(kind),
            id: row.try_get("aggregate_id")?,
        },
        sequence: Version(row.try_get("sequence")?),
        event_type: row.try_get("event_type")?,
        event_version,
        payload: row.try_get("payload")?,
        metadata: row.try_get("metadata")?,
        event_id: EventId(row.try_get("event_id")?),
        command_id: CommandId(row.try_get("command_id")?),
        recorded_at: row.try_get("recorded_at")?,
        leaf_hash: row.try_get("leaf_hash")?,
    })
}
