//! What is held back, for whoever operates the program.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;

use super::checkpoint;
use super::error::ReadError;
use super::fold::Fold;
use super::models::ReadModels;
use super::runner::of;

/// Something that is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The key as JSON, or the stream as `kind:id`.
    pub name: String,
    /// Since when.
    pub parked_at: DateTime<Utc>,
    /// The first event that waits.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// Why, in a sentence.
    pub reason: String,
    /// How often it was tried again in vain.
    pub tries: i32,
    /// How many events wait.
    pub waiting: i64,
}

/// An event that is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingEvent {
    /// Where it is.
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// Its stream, as `kind:id`.
    pub stream: String,
    /// The key of its row as JSON, where it tells.
    pub key: Option<String>,
}

type HeldRow = (String, DateTime<Utc>, i64, String, String, i32, i64);

/// What a read model holds back, the first first, at most so much.
///
/// # Errors
/// [`ReadError::Log`] when the database does not answer.
pub(crate) async fn held<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    limit: u32,
) -> Result<Vec<HeldBack>, ReadError> {
    let mut snapshot = models.database().begin_read(tenant).await?;
    let standing = checkpoint::standing(&mut snapshot, of::<F>(tenant)).await?;
    let rows: Vec<HeldRow> = sqlx::query_as(
        "select p.name, p.parked_at, p.position, p.event_type, p.reason, p.tries, (
             select count(*) from projection_waiting w
             where w.tenant_id = p.tenant_id and w.projection = p.projection and w.generation = p.generation
                 and (p.kind = 'key' and w.key = p.name or p.kind = 'stream' and w.stream = p.name)
         )
         from projection_parked p
         where p.tenant_id = $1 and p.projection = $2 and p.generation = $3
         order by p.position, p.name limit $4",
    )
    .bind(tenant.0)
    .bind(F::NAME)
    .bind(standing.generation())
    .bind(i64::from(limit))
    .fetch_all(&mut *snapshot)
    .await?;
    snapshot.commit().await?;
    let held = |(name, parked_at, position, event_type, reason, tries, waiting)| HeldBack {
        name,
        parked_at,
        position: Position(position),
        event_type,
        reason,
        tries,
        waiting,
    };
    Ok(rows.into_iter().map(held).collect())
}

/// The events that wait for a row or in a stream, in order, at most so many after a position.
///
/// # Errors
/// [`ReadError::Log`] when the database does not answer.
pub(crate) async fn waiting<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    name: &str,
    after: Position,
    limit: u32,
) -> Result<Vec<WaitingEvent>, ReadError> {
    let mut snapshot = models.database().begin_read(tenant).await?;
    let standing = checkpoint::standing(&mut snapshot, of::<F>(tenant)).await?;
    let rows: Vec<(i64, String, String, Option<String>)> = sqlx::query_as(
        "select position, event_type, stream, key from projection_waiting
         where tenant_id = $1 and projection = $2 and generation = $3 and (key = $4 or stream = $4) and position > $5
         order by position limit $6",
    )
    .bind(tenant.0)
    .bind(F::NAME)
    .bind(standing.generation())
    .bind(name)
    .bind(after.0)
    .bind(i64::from(limit))
    .fetch_all(&mut *snapshot)
    .await?;
    snapshot.commit().await?;
    let waiting = |(position, event_type, stream, key)| WaitingEvent {
        position: Position(position),
        event_type,
        stream,
        key,
    };
    Ok(rows.into_iter().map(waiting).collect())
}
