//! Snapshots: states of long streams, so that a load need not fold them from the start.
//!
//! A snapshot only speeds loading. It is used when it was made by the schema that asks, is of a version that the stream
//! has, and is whole; else the load is one from the start, and the same comes of it. A state holds what is personal
//! sealed, as the events do that it was folded from: an erasure, which destroys the key, reaches snapshots too.

use domain::envelope::{Position, StreamId, Version};
use domain::ids::TenantId;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::LogError;
use crate::log::EventLog;
use crate::read::{event_version, succeeds};

/// Hash of what a state is folded and written by: of another's snapshots nothing is known.
pub type SchemaHash = [u8; 32];

/// A state of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// How many events of the stream are in it.
    pub version: Version,
    /// The state, in JSON.
    pub state: String,
}

/// What a fold needs of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// Place in the stream, from 1.
    pub sequence: Version,
    /// Wire name.
    pub event_type: String,
    /// Version of the payload's shape.
    pub event_version: u16,
    /// Stored JSON text.
    pub payload: String,
}

/// A stream, as it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedStream {
    /// The state to begin from; none: from the empty one.
    pub snapshot: Option<Snapshot>,
    /// The events after it, in order.
    pub events: Vec<StreamEvent>,
}

impl EventLog {
    /// Loads a stream from its snapshot by a schema, or from the start where there is none that can be used, or
    /// without a schema. One round trip, but for a snapshot that is damaged.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] when an event is missing from the stream, [`LogError::Unavailable`].
    pub async fn load(
        &self,
        tenant: TenantId,
        stream: &StreamId,
        schema: Option<&SchemaHash>,
    ) -> Result<LoadedStream, LogError> {
        let rows = self.load_rows(tenant, stream, schema).await?;
        let Some((first, rest)) = rows.split_first() else {
            return events(None, &rows);
        };
        let fit: Option<&str> = first.try_get(0)?;
        let Some(fit) = fit else {
            return events(None, &rows);
        };
        let snapshot = Snapshot {
            version: Version(first.try_get(3)?),
            state: first.try_get::<Option<_>, _>(6)?.unwrap_or_default(),
        };
        let digest: Option<[u8; 32]> = first.try_get(1)?;
        if fit != "usable" {
            tracing::warn!(%tenant, %stream, version = snapshot.version.0, fit, "a snapshot is ignored");
            return events(None, rest);
        }
        if digest == Some(digest_of(tenant, stream, &snapshot)) {
            return events(Some(snapshot), rest);
        }
        tracing::warn!(%tenant, %stream, version = snapshot.version.0, fit = "damaged", "a snapshot is ignored");
        events(None, &self.load_rows(tenant, stream, None).await?)
    }

    async fn load_rows(
        &self,
        tenant: TenantId,
        stream: &StreamId,
        schema: Option<&SchemaHash>,
    ) -> Result<Vec<PgRow>, LogError> {
        let statement = sqlx::query(
            "select fit, digest, position, sequence, event_type, event_version, payload
             from load_stream($1, $2, $3, $4)",
        )
        .bind(tenant.0)
        .bind(stream.kind.to_string())
        .bind(stream.id.clone())
        .bind(schema.copied());
        self.database().call(statement).await
    }

    /// Keeps a snapshot of a stream in place of the one that there may be.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach; [`LogError::Refused`] when it does not take the
    /// state.
    pub async fn keep_snapshot(
        &self,
        tenant: TenantId,
        stream: &StreamId,
        schema: &SchemaHash,
        snapshot: &Snapshot,
    ) -> Result<(), LogError> {
        let statement = sqlx::query("select keep_snapshot($1, $2, $3, $4, $5, $6, $7)")
            .bind(tenant.0)
            .bind(stream.kind.to_string())
            .bind(stream.id.clone())
            .bind(*schema)
            .bind(snapshot.version.0)
            .bind(snapshot.state.clone())
            .bind(digest_of(tenant, stream, snapshot));
        self.database().call(statement).await.map(drop)
    }

    /// Throws a tenant's snapshots away, and says how many there were. Nothing but time is lost.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn drop_snapshots(&self, tenant: TenantId) -> Result<u64, LogError> {
        let mut transaction = self.database().begin(tenant).await?;
        let dropped = sqlx::query("delete from snapshots where tenant_id = $1")
            .bind(tenant.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(dropped.rows_affected())
    }
}

/// Over whose state it is, of what version, and the state.
fn digest_of(tenant: TenantId, stream: &StreamId, snapshot: &Snapshot) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(tenant.0.as_bytes());
    for text in [stream.kind.as_ref(), &stream.id] {
        // What comes first is told from what comes next by its length.
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text);
    }
    hash.update(snapshot.version.0.to_be_bytes());
    hash.update(&snapshot.state);
    hash.finalize().into()
}

fn events(snapshot: Option<Snapshot>, rows: &[PgRow]) -> Result<LoadedStream, LogError> {
    let mut before = snapshot.as_ref().map_or(Version(0), |snapshot| snapshot.version);
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        let position = Position(row.try_get(2)?);
        let event = StreamEvent {
            sequence: Version(row.try_get(3)?),
            event_type: row.try_get(4)?,
            event_version: event_version(position, row.try_get(5)?)?,
            payload: row.try_get(6)?,
        };
        succeeds(before, event.sequence, position)?;
        before = event.sequence;
        events.push(event);
    }
    Ok(LoadedStream { snapshot, events })
}
