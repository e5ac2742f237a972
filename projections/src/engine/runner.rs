//! The first runner: follow the log, load the touched rows, fold, write and checkpoint in one transaction.

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::{LogError, Transaction};
use sqlx::Executor;

use super::checkpoint::{self, Checkpoint, Lock, Of};
use super::error::ProjectionError;
use super::fold::Fold;
use super::held_back;
use super::history::Batch;
use super::models::ReadModels;
use super::rows::Then;
use super::table::Generation;

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

/// Begins a transaction that applies a batch.
///
/// Its commit does not wait for the disk: rows and checkpoint are lost together or not at all, and the log has it all. A
/// worker that stands still with the checkpoint in its hand is thrown out by the server before others miss it for long.
/// Plans are made while the tables are empty and kept: each look-up is to go by its key, whatever the statistics say then.
pub(crate) async fn begin(models: &ReadModels, tenant: TenantId) -> Result<Transaction, LogError> {
    let mut transaction = models.database().begin(tenant).await?;
    transaction
        .execute(
            "set local synchronous_commit = off; set local idle_in_transaction_session_timeout = '6s';
             set local client_connection_check_interval = '1s'; set local lock_timeout = '5s';
             set local statement_timeout = '50s'; set local enable_seqscan = off; set local enable_sort = off;
             set local jit = off",
        )
        .await?;
    Ok(transaction)
}

/// Applies a batch, all of it or up to what stops the read model.
pub(crate) async fn apply<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
) -> Result<Ran, ProjectionError> {
    match attempt::<F>(models, tenant, batch, Pace::Quick).await? {
        Attempt::Done(ran) => Ok(ran),
        // A row that the database does not take, or that the fold panics on: find it, and let the others go on.
        Attempt::Carefully => carefully::<F>(models, tenant, batch).await,
    }
}

async fn carefully<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
) -> Result<Ran, ProjectionError> {
    match attempt::<F>(models, tenant, batch, Pace::Careful).await? {
        Attempt::Done(ran) => Ok(ran),
        Attempt::Carefully => unreachable!("nothing is lost where care is taken"),
    }
}

/// How a batch is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// All its rows at once.
    Quick,
    /// Event by event, each row as soon as it is made.
    Careful,
}

/// What came of it.
enum Attempt {
    Done(Ran),
    /// It must be done again, carefully: nothing was written.
    Carefully,
}

/// Whether the database refused values and not the work as a whole: data exceptions and violated
/// constraints, Postgres' classes 22 and 23.
fn refuses_data(error: &ProjectionError) -> bool {
    refusal(error).is_some()
}

/// Why the database refused values, where it did.
pub(crate) fn refusal(error: &ProjectionError) -> Option<String> {
    match error {
        ProjectionError::Log(LogError::Refused { code, message }) => (code.starts_with("22")
            || code.starts_with("23"))
        .then(|| format!("the database does not take its row: {message} ({code})")),
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
        | ProjectionError::Generation { .. }
        | ProjectionError::Busy { .. }
        | ProjectionError::Read(_) => None,
    }
}

async fn attempt<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    batch: &Batch,
    pace: Pace,
) -> Result<Attempt, ProjectionError> {
    let mut transaction = begin(models, tenant).await?;
    let Some(checkpoint) = checkpoint::take(&mut transaction, of::<F>(tenant), Lock::Skip).await? else {
        return Ok(Attempt::Done(Ran::Busy));
    };
    if checkpoint.fold_version < F::VERSION {
        return Ok(Attempt::Done(Ran::Outdated));
    }
    if checkpoint.fold_version > F::VERSION {
        return Err(ProjectionError::NewerFold {
            projection: F::NAME,
            stored: checkpoint.fold_version,
            ours: F::VERSION,
        });
    }
    if checkpoint.position != batch.after {
        return Ok(Attempt::Done(Ran::Elsewhere(checkpoint.position)));
    }
    let generation = Generation {
        tenant,
        number: checkpoint.generation,
    };
    let folded = match pace {
        Pace::Quick => held_back::fold::<F>(&mut transaction, generation, &batch.events).await,
        Pace::Careful => held_back::fold_carefully::<F>(&mut transaction, generation, &batch.events).await,
    };
    let asks_for_care = match &folded {
        Ok(halted) => halted
            .as_ref()
            .is_some_and(|halted| halted.then == Then::FoldAgain),
        Err(error) => refuses_data(error),
    };
    if asks_for_care && pace == Pace::Quick {
        // To its end, or who goes on with care finds the checkpoint still locked.
        transaction.rollback().await?;
        return Ok(Attempt::Carefully);
    }
    let (to, stopped) = match folded? {
        Some(halted) => (Position(halted.position.0 - 1), Some(halted.reason)),
        None => (batch.to(), None),
    };
    let ran = finish::<F>(models, transaction, tenant, &checkpoint, to, stopped).await?;
    Ok(Attempt::Done(ran))
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
    models.tell_moved(tenant);
    match stopped {
        None => Ok(Ran::To(to)),
        Some(reason) => Err(ProjectionError::Stopped {
            projection: F::NAME,
            position: to,
            reason,
        }),
    }
}
