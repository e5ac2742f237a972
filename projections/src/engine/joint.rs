//! All read models of a company that stand at one position, brought forward in one transaction: their checkpoints are
//! locked in one statement and moved in one. What does not go that way goes each by itself, see [`runner`]: an event that
//! cannot be read, a row that is refused, a fold that panics, a read model that has stopped, holds rows back or is of
//! another fold.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::{LogError, Transaction};
use futures::FutureExt;
use sqlx::PgConnection;
use tokio::time::timeout;

use super::checkpoint;
use super::error::ProjectionError;
use super::fold::{Fold, Rows, Source};
use super::held_back;
use super::history::Batch;
use super::models::ReadModels;
use super::projection::Projection;
use super::runner;
use super::table::{self, Generation};

/// How long one such transaction may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a read model in a batch for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    /// It holds the whole batch.
    To,
    /// Another worker has moved it.
    Elsewhere,
    /// Another worker is at it.
    Busy,
    /// Nothing was done: it has to go by itself.
    Apart,
}

/// Applies a batch to every read model that stands right before it, and says of each what became of it.
///
/// # Errors
/// [`ProjectionError::Log`] when the database is out of reach: nothing was done.
pub(crate) async fn apply(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
    projections: &[&'static dyn Projection],
) -> Result<Vec<Went>, ProjectionError> {
    let apart = || vec![Went::Apart; projections.len()];
    if batch.holds_unreadable() {
        return Ok(apart());
    }
    let attempt = timeout(PATIENCE, attempt(models, tenant, batch, projections));
    match AssertUnwindSafe(attempt).catch_unwind().await {
        Ok(Ok(Ok(went))) => Ok(went),
        Ok(Ok(Err(ProjectionError::Log(error @ LogError::Unavailable { .. })))) => Err(error.into()),
        Ok(Ok(Err(error))) => {
            tracing::debug!(%tenant, %error, "the read models go on each by itself");
            Ok(apart())
        }
        Ok(Err(_)) => Err(ProjectionError::Log(LogError::Unavailable {
            retry_after: PATIENCE,
        })),
        Err(_) => {
            tracing::debug!(%tenant, "a fold panicked; the read models go on each by itself");
            Ok(apart())
        }
    }
}

/// A live checkpoint that is locked.
struct Held {
    generation: i32,
    position: i64,
    fold_version: i32,
    /// Whether it has stopped or holds rows back.
    is_held_up: bool,
}

async fn attempt(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
    projections: &[&'static dyn Projection],
) -> Result<Vec<Went>, ProjectionError> {
    let mut transaction = runner::begin(models, tenant).await?;
    let names: Vec<&str> = projections.iter().map(|one| one.name()).collect();
    let mut held = lock(&mut transaction, tenant, &names).await?;
    if held.len() < projections.len() && batch.after.0 == 0 {
        let folds: Vec<(&str, i32)> = projections
            .iter()
            .map(|one| (one.name(), one.fold_version()))
            .collect();
        checkpoint::open_all(&mut transaction, tenant, &folds).await?;
        held = lock(&mut transaction, tenant, &names).await?;
    }
    let mut went = Vec::with_capacity(projections.len());
    let mut moved: Vec<&str> = Vec::new();
    for projection in projections {
        let name = projection.name();
        went.push(match held.get(name) {
            None => Went::Busy,
            Some(held) if held.fold_version != projection.fold_version() || held.is_held_up => Went::Apart,
            Some(held) if held.position != batch.after.0 => Went::Elsewhere,
            Some(held) => {
                projection
                    .write(&mut transaction, tenant, held.generation, batch)
                    .await?;
                moved.push(name);
                Went::To
            }
        });
    }
    if moved.is_empty() {
        transaction.rollback().await?;
        return Ok(went);
    }
    advance(&mut transaction, tenant, &moved, batch).await?;
    transaction.commit().await?;
    models.tell_moved(tenant);
    Ok(went)
}

/// Locks the live checkpoints of these read models, but those that somebody else has locked.
async fn lock(
    connection: &mut PgConnection,
    tenant: TenantId,
    names: &[&str],
) -> Result<HashMap<String, Held>, sqlx::Error> {
    let rows: Vec<(String, i32, i64, i32, bool)> = sqlx::query_as(
        "select c.projection, c.generation, c.position, c.fold_version,
             c.stopped is not null or exists (
                 select from projection_parked p
                 where p.tenant_id = $1 and p.projection = c.projection and p.generation = c.generation
             )
         from projection_checkpoints c
         where c.tenant_id = $1 and c.projection = any($2) and c.status = 'live'
         for update of c skip locked",
    )
    .bind(tenant.0)
    .bind(names)
    .fetch_all(connection)
    .await?;
    let held = |(name, generation, position, fold_version, is_held_up)| {
        let held = Held {
            generation,
            position,
            fold_version,
            is_held_up,
        };
        (name, held)
    };
    Ok(rows.into_iter().map(held).collect())
}

/// Moves checkpoints that are locked to the end of a batch.
async fn advance(
    connection: &mut PgConnection,
    tenant: TenantId,
    names: &[&str],
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update projection_checkpoints set position = $3, updated_at = clock_timestamp()
         where tenant_id = $1 and projection = any($2) and status = 'live'",
    )
    .bind(tenant.0)
    .bind(names)
    .bind(batch.to().0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Applies a batch that can be read to the rows of one read model.
pub(crate) async fn write<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    batch: &Batch,
) -> Result<(), ProjectionError> {
    let events: Vec<&Recorded> = batch.wanted_by::<F>().collect();
    let keys: HashSet<F::Key> = events.iter().filter_map(|event| F::key(event)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    // A row that is of one event is not there before it.
    let is_older = |key: &&F::Key| !matches!(F::source(key), Source::At(position) if position > batch.after);
    let older: HashSet<F::Key> = keys.iter().filter(is_older).cloned().collect();
    let stored = if older.is_empty() {
        Vec::new()
    } else {
        table::load(transaction, of, &older).await?
    };
    let mut rows = Rows::<F>::of(stored);
    for event in events {
        rows.apply(event);
    }
    held_back::write(transaction, of, &rows, keys).await
}
