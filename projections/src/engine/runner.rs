//! The first runner: follow the log, load the touched rows, fold, write and checkpoint in one transaction.

use std::collections::HashSet;

use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::{LogError, Transaction};

use super::checkpoint::{self, Checkpoint, Lock, Of};
use super::error::ProjectionError;
use super::fold::{Fold, Rows};
use super::history::{Batch, reason};
use super::models::ReadModels;
use super::table::{self, Generation};

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// The read model has come to this position.
    To(Position),
    /// It is elsewhere: another worker has moved it.
    Elsewhere(Position),
    /// Another worker is at it.
    Busy,
    /// Its rows were made by an older fold: it must be rebuilt before it goes on.
    Outdated,
}

/// What a checkpoint of a fold is of.
pub(crate) fn of<F: Fold>(tenant: TenantId) -> Of {
    Of {
        tenant,
        projection: F::NAME,
        fold_version: F::VERSION,
    }
}

/// Applies a batch, all of it or up to what cannot be applied.
pub(crate) async fn apply<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
) -> Result<Ran, ProjectionError> {
    let mut count = batch.events.len();
    loop {
        match attempt::<F>(models, tenant, batch, count).await {
            // A row that the database does not take: the fewer events, the nearer to the one that makes it.
            Err(error) if refuses_data(&error) && count > 1 => count /= 2,
            Err(error) if refuses_data(&error) => return refused::<F>(models, tenant, batch, &error).await,
            done => return done,
        }
    }
}

/// Whether the database refused values and not the work as a whole: data exceptions and violated
/// constraints, Postgres' classes 22 and 23.
fn refuses_data(error: &ProjectionError) -> bool {
    match error {
        ProjectionError::Log(LogError::Refused { code, .. }) => {
            code.starts_with("22") || code.starts_with("23")
        }
        ProjectionError::Log(
            LogError::Unavailable { .. }
            | LogError::UnknownTenant(_)
            | LogError::SlugTaken { .. }
            | LogError::OtherSlug { .. }
            | LogError::Gap { .. }
            | LogError::Corrupt { .. }
            | LogError::Malformed(_)
            | LogError::Unopenable
            | LogError::Erased(_)
            | LogError::MasterKeyMissing(_)
            | LogError::MasterKeysUnreadable(_),
        )
        | ProjectionError::Unknown(_)
        | ProjectionError::Stopped { .. }
        | ProjectionError::NewerFold { .. }
        | ProjectionError::Busy { .. }
        | ProjectionError::Read(_) => false,
    }
}

async fn attempt<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
    count: usize,
) -> Result<Ran, ProjectionError> {
    let mut transaction = models.database().begin(tenant).await?;
    let Some(checkpoint) = checkpoint::take(&mut transaction, of::<F>(tenant), Lock::Skip).await? else {
        return Ok(Ran::Busy);
    };
    if checkpoint.fold_version < F::VERSION {
        return Ok(Ran::Outdated);
    }
    if checkpoint.fold_version > F::VERSION {
        return Err(ProjectionError::NewerFold {
            projection: F::NAME,
            stored: checkpoint.fold_version,
            ours: F::VERSION,
        });
    }
    if checkpoint.position != batch.after {
        return Ok(Ran::Elsewhere(checkpoint.position));
    }
    let part = read_part::<F>(batch, count);
    let generation = Generation {
        tenant,
        number: checkpoint.generation,
    };
    write_rows::<F>(&mut transaction, generation, &part.events).await?;
    finish::<F>(models, transaction, tenant, &checkpoint, part.to, part.stopped).await
}

/// The events of a batch that a fold looks at, up to the first that cannot be read.
struct Part<'a> {
    events: Vec<&'a Recorded>,
    to: Position,
    stopped: Option<String>,
}

fn read_part<F: Fold>(batch: &Batch, count: usize) -> Part<'_> {
    let mut part = Part {
        events: Vec::new(),
        to: batch.after,
        stopped: None,
    };
    for read in batch.events.iter().take(count) {
        match read.wanted_by::<F>() {
            Ok(event) => part.events.extend(event),
            Err(error) => {
                part.stopped = Some(reason(read.position, error));
                break;
            }
        }
        part.to = read.position;
    }
    part
}

async fn write_rows<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    events: &[&Recorded],
) -> Result<(), ProjectionError> {
    let keys: HashSet<F::Key> = events.iter().filter_map(|event| F::key(event)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::<F>::of(table::load(transaction, of, &keys).await?);
    for event in events {
        rows.apply(event);
    }
    let written: Vec<&F::Row> = keys.iter().filter_map(|key| rows.get(key)).collect();
    table::write(transaction, of, &written).await?;
    let gone = keys.into_iter().filter(|key| rows.get(key).is_none()).collect();
    table::delete::<F::Row>(transaction, of, &gone).await?;
    Ok(())
}

async fn finish<F: Fold>(
    models: &ReadModels,
    mut transaction: Transaction,
    tenant: TenantId,
    checkpoint: &Checkpoint,
    to: Position,
    stopped: Option<String>,
) -> Result<Ran, ProjectionError> {
    if to != checkpoint.position || stopped != checkpoint.stopped {
        let of = of::<F>(tenant);
        checkpoint::advance(
            &mut transaction,
            of,
            checkpoint.generation,
            to,
            stopped.as_deref(),
        )
        .await?;
    }
    transaction.commit().await?;
    models.tell_moved();
    match stopped {
        None => Ok(Ran::To(to)),
        Some(reason) => Err(ProjectionError::Stopped {
            projection: F::NAME,
            position: to,
            reason,
        }),
    }
}

/// Stops the read model before the first event of a batch, whose row the database does not take.
async fn refused<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
    error: &ProjectionError,
) -> Result<Ran, ProjectionError> {
    let mut transaction = models.database().begin(tenant).await?;
    match checkpoint::take(&mut transaction, of::<F>(tenant), Lock::Skip).await? {
        Some(checkpoint) if checkpoint.position == batch.after => {
            let why = reason(batch.after.next(), error);
            finish::<F>(models, transaction, tenant, &checkpoint, batch.after, Some(why)).await
        }
        Some(checkpoint) => Ok(Ran::Elsewhere(checkpoint.position)),
        None => Ok(Ran::Busy),
    }
}
