//! Holds a read model against its log: all of it, or rows that are drawn at random.
//!
//! What is held back is held back here too, so that a row which waits is no drift. What is found is remembered, until a
//! later check or a rebuild finds it well.

mod remembered;
mod sample;
mod whole;

use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::Transaction;

use super::checkpoint;
use super::difference::Checked;
use super::error::ProjectionError;
use super::fold::Fold;
use super::models::ReadModels;
use super::parked::Parked;
use super::parked_table;
use super::progress::Progress;
use super::runner::of;
use super::table::Generation;

pub(crate) use self::remembered::drift;

/// How much of a read model is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Every row, about so many in memory at a time: a read model that is larger takes as many passes over the log.
    Whole {
        /// Rows in memory.
        rows_at_once: u64,
    },
    /// So many rows, drawn from the table and from the log.
    Sample(Sample),
}

/// Rows that are drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How many.
    pub keys: u32,
    /// Decides which: the same seed draws the same rows of the same log.
    pub seed: u64,
    /// The pause after each thousand events of a pass over the log, for the sake of who else works.
    pub pause: Duration,
}

impl Default for Extent {
    fn default() -> Self {
        Self::Whole {
            rows_at_once: 100_000,
        }
    }
}

/// What is compared with the log.
struct Subject<F: Fold> {
    models: ReadModels,
    /// Rows and checkpoint as they are at one moment.
    snapshot: Transaction,
    generation: Generation,
    position: Position,
    parked: Parked<F::Key>,
}

/// Compares rows with what the log gives up to the same position, and remembers what was found.
///
/// # Errors
/// [`ProjectionError::NewerFold`] when the rows are of another version of the fold, [`ProjectionError::Stopped`] when
/// the log has an event that the rows cannot have taken, [`ProjectionError::Log`].
pub(crate) async fn check<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    extent: Extent,
    progress: &dyn Progress,
) -> Result<Checked, ProjectionError> {
    let mut snapshot = models.database().begin_read(tenant).await?;
    let standing = checkpoint::standing(&mut snapshot, of::<F>(tenant)).await?;
    if let Some(other) = &standing.checkpoint
        && other.fold_version != F::VERSION
    {
        return Err(ProjectionError::NewerFold {
            projection: F::NAME,
            stored: other.fold_version,
            ours: F::VERSION,
        });
    }
    let generation = Generation {
        tenant,
        number: standing.generation(),
    };
    let subject = Subject {
        models: models.clone(),
        generation,
        position: standing.position(),
        parked: parked_table::load::<F>(&mut snapshot, generation).await?,
        snapshot,
    };
    let checked = match extent {
        Extent::Whole { rows_at_once } => whole::check::<F>(subject, rows_at_once.max(1), progress).await?,
        Extent::Sample(sample) => sample::check::<F>(subject, sample, progress).await?,
    };
    if standing.checkpoint.is_some() {
        remembered::write::<F>(models, generation, &checked).await?;
    }
    Ok(checked)
}
