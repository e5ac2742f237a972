//! Reading: in order, without gaps, one tenant at a time.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use futures::stream::{Stream, TryStreamExt, iter, try_unfold};
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

/// Events of some types that a page has at most.
const TYPED: u32 = 1_000;

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

/// Columns of an event as every reader takes them, in the order of [`stored_event`].
macro_rules! select_events {
    ($from:literal) => {
        concat!(
            "select position, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                event_id, command_id, recorded_at, leaf_hash
             from ",
            $from
        )
    };
}

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
        let statement = sqlx::query(select_events!("read_events($1, $2, $3, $4)"))
            .bind(tenant.0)
            .bind(after.0)
            .bind(i64::from(limit))
            .bind(types.map(owned));
        let asking = self.database().asking("log", "events");
        let rows = self.database().call(statement).await?;
        drop(asking);
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

    /// The events of the given types after a position, in order, up to the head that the last page meets: for types of which
    /// a log has few. A page is read when the one before it is used up, and nothing is held between two.
    ///
    /// The stream ends with its first error, one of [`read`](Self::read)'s.
    pub fn stream_types<'a>(
        &'a self,
        tenant: TenantId,
        after: Position,
        types: &'a [&'a str],
    ) -> impl Stream<Item = Result<StoredEvent, LogError>> + Send + 'a {
        try_unfold(after, move |after| async move {
            let page = self.read(tenant, after, TYPED, Some(types)).await?;
            let last = page.last().map(|event| event.position);
            Ok::<_, LogError>(last.map(|last| (iter(page.into_iter().map(Ok)), last)))
        })
        .try_flatten()
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
        self.read_stream_after(tenant, stream, Version(0)).await
    }

    /// One stream's events after a version of it, in order; none when it has no more.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when an event is missing from the stream, [`LogError::Unavailable`].
    pub async fn read_stream_after(
        &self,
        tenant: TenantId,
        stream: &StreamId,
        after: Version,
    ) -> Result<Vec<StoredEvent>, LogError> {
        let statement = sqlx::query(select_events!("read_stream($1, $2, $3, $4)"))
            .bind(tenant.0)
            .bind(stream.kind.to_string())
            .bind(stream.id.clone())
            .bind(after.0);
        let asking = self.database().asking("log", "stream");
        let rows = self.database().call(statement).await?;
        drop(asking);
        let mut before = after;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            let event = stored_event(tenant, row)?;
            succeeds(before, event.sequence, event.position)?;
            before = event.sequence;
            events.push(event);
        }
        Ok(events)
    }

    /// Where the tenant's log ends.
    ///
    /// # Errors
    /// [`LogError::UnknownTenant`] when there is no such log, [`LogError::Unavailable`].
    pub async fn head(&self, tenant: TenantId) -> Result<Head, LogError> {
        let statement = sqlx::query("select position, recorded_at, block, block_hash from read_head($1)");
        let row = self.database().call_for_one(statement.bind(tenant.0)).await?;
        let row = row.ok_or(LogError::UnknownTenant(tenant))?;
        Ok(Head {
            position: Position(row.try_get(0)?),
            recorded_at: row.try_get(1)?,
            block: row.try_get(2)?,
            block_hash: row.try_get(3)?,
        })
    }

    /// The last position recorded at or before an instant; [`Position::START`] when there is none.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when the log is damaged, [`LogError::Unavailable`].
    pub async fn position_at(&self, tenant: TenantId, instant: DateTime<Utc>) -> Result<Position, LogError> {
        let statement = sqlx::query("select read_position_at($1, $2)")
            .bind(tenant.0)
            .bind(instant);
        match self.database().call_for_one(statement).await? {
            Some(row) => Ok(Position(row.try_get(0)?)),
            None => Ok(Position::START),
        }
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
        let statement =
            sqlx::query("select digest, first_position, last_position, streams from read_command($1, $2)")
                .bind(tenant.0)
                .bind(command.0);
        let Some(row) = self.database().call_for_one(statement).await? else {
            return Ok(None);
        };
        let Json(streams): Json<Vec<StreamVersion>> = row.try_get(3)?;
        Ok(Some(CommandResult {
            digest: row.try_get(0)?,
            first: Position(row.try_get(1)?),
            last: Position(row.try_get(2)?),
            streams: streams.into_iter().map(StreamVersion::into_pair).collect(),
        }))
    }

    /// What commands came to, of those that came to anything; in one question, in no order.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn commands(
        &self,
        tenant: TenantId,
        commands: &[CommandId],
    ) -> Result<Vec<(CommandId, CommandResult)>, LogError> {
        let ids: Vec<uuid::Uuid> = commands.iter().map(|command| command.0).collect();
        let mut transaction = self.database().begin_read(tenant).await?;
        let rows = sqlx::query(
            "select command_id, digest, first_position, last_position, streams from commands
             where tenant_id = $1 and command_id = any($2)",
        )
        .bind(tenant.0)
        .bind(ids)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let result = |row: PgRow| {
            let Json(streams): Json<Vec<StreamVersion>> = row.try_get(4)?;
            let result = CommandResult {
                digest: row.try_get(1)?,
                first: Position(row.try_get(2)?),
                last: Position(row.try_get(3)?),
                streams: streams.into_iter().map(StreamVersion::into_pair).collect(),
            };
            Ok((CommandId(row.try_get(0)?), result))
        };
        rows.into_iter().map(result).collect()
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
        let statement = sqlx::query("select holder_kind, holder_id from read_unique_holder($1, $2, $3)")
            .bind(tenant.0)
            .bind(scope.to_owned())
            .bind(key.to_owned());
        let Some(row) = self.database().call_for_one(statement).await? else {
            return Ok(None);
        };
        let kind: String = row.try_get(0)?;
        Ok(Some(StreamId {
            kind: Cow::Owned(kind),
            id: row.try_get(1)?,
        }))
    }
}

fn owned(types: &[&str]) -> Vec<String> {
    types.iter().map(|&name| name.to_owned()).collect()
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

/// Asserts that nothing is missing between two events of a stream.
pub(crate) fn succeeds(before: Version, found: Version, position: Position) -> Result<(), LogError> {
    let expected = before.next();
    if found == expected {
        return Ok(());
    }
    Err(LogError::Corrupt {
        position,
        what: format!("the stream lacks its event {}", expected.0),
    })
}

/// The version of an event's shape, as a number that is written in one way only.
pub(crate) fn event_version(position: Position, version: &str) -> Result<u16, LogError> {
    let canonical = version == "0" || version.starts_with(|first: char| ('1'..='9').contains(&first));
    let number = version.parse().ok().filter(|_| canonical);
    number.ok_or_else(|| LogError::Corrupt {
        position,
        what: format!("the event version {version} is no number"),
    })
}

/// An event of a row whose columns are those of `select_events`, in their order.
pub(crate) fn stored_event(tenant: TenantId, row: &PgRow) -> Result<StoredEvent, LogError> {
    let position = Position(row.try_get(0)?);
    Ok(StoredEvent {
        tenant,
        position,
        stream: StreamId {
            kind: Cow::Owned(row.try_get(1)?),
            id: row.try_get(2)?,
        },
        sequence: Version(row.try_get(3)?),
        event_type: row.try_get(4)?,
        event_version: event_version(position, row.try_get(5)?)?,
        // Unchecked: `json` is sent as its text, which the driver does not give as a string.
        payload: row.try_get_unchecked(6)?,
        metadata: row.try_get_unchecked(7)?,
        event_id: EventId(row.try_get(8)?),
        command_id: CommandId(row.try_get(9)?),
        recorded_at: row.try_get(10)?,
        leaf_hash: row.try_get(11)?,
    })
}
