//! The second runner: fold the whole log in memory, copy it into a new generation, compare, swap.
//!
//! A rebuild can be cut off at any moment. What it has written stands at its checkpoint, and whoever rebuilds next goes on
//! from there.

mod builder;
mod compare;
mod kept;

use domain::envelope::Position;
use domain::ids::TenantId;

use self::builder::Builder;
use super::checkpoint::{self, Checkpoint, Of};
use super::difference::Difference;
use super::error::{GenerationError, ProjectionError};
use super::fold::Fold;
use super::generations::{self, Right};
use super::models::ReadModels;
use super::progress::Progress;
use super::runner::of;
use super::table::Generation;

/// What becomes of a generation once it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It takes the live one's place.
    Swap,
    /// It is held until it is told to.
    Hold,
}

/// How a read model is built anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuild {
    /// Bytes that rows may take in memory, roughly: what is beyond is written to the generation and loaded again.
    pub memory: usize,
    /// What becomes of it then.
    pub finish: Finish,
}

impl Default for Rebuild {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            finish: Finish::Swap,
        }
    }
}

/// A read model that was built anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Which read model.
    pub projection: &'static str,
    /// The generation that was built: live now, if it is not held.
    pub generation: i32,
    /// The position that it was taken up at, where a rebuild before this was cut off or held; else the start.
    pub resumed_at: Position,
    /// The position that it was built to.
    pub position: Position,
    /// How many rows it has.
    pub rows: u64,
    /// How many rows the generation before it differed in; none where the two cannot be compared, because that one
    /// was made by another version of the fold or had not come as far.
    pub differing: Option<u64>,
    /// The first of these differences, a thousand at most.
    pub differences: Option<Vec<Difference>>,
}

/// A read model that was taken back to the generation before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolledBack {
    /// Which read model.
    pub projection: &'static str,
    /// The generation that is live again.
    pub generation: i32,
    /// The one that was, which is kept.
    pub instead_of: i32,
    /// The position that its rows hold.
    pub position: Position,
}

/// Builds a read model anew beside the live one, compares the two, and swaps them unless it is to be held. Readers see
/// the old rows until they see all of the new; the live runner stands still only while a little rest is folded. Waits for
/// whoever is building the same.
pub(crate) async fn rebuild<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    how: Rebuild,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let right = Right::take(models, of::<F>(tenant)).await?;
    let rebuilt = build::<F>(models, tenant, how, progress).await?;
    right.give_back().await?;
    Ok(rebuilt)
}

/// Builds a read model anew whose live generation is of an older fold. None where somebody else is at it, or where that
/// has been done meanwhile.
pub(crate) async fn refresh<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Option<Rebuilt>, ProjectionError> {
    let of = of::<F>(tenant);
    let Some(right) = Right::try_take(models, of).await? else {
        return Ok(None);
    };
    let mut snapshot = models.database().begin_read(tenant).await?;
    let live = checkpoint::live(&mut snapshot, of).await?;
    snapshot.commit().await?;
    let rebuilt = match live {
        Some(live) if live.fold_version < F::VERSION => {
            Some(build::<F>(models, tenant, Rebuild::default(), progress).await?)
        }
        Some(_) | None => None,
    };
    right.give_back().await?;
    Ok(rebuilt)
}

/// Swaps in the generation that was built and held, after what has come since.
pub(crate) async fn swap<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let of = of::<F>(tenant);
    let right = Right::take(models, of).await?;
    let mut snapshot = models.database().begin_read(tenant).await?;
    let held = checkpoint::building(&mut snapshot, of).await?;
    snapshot.commit().await?;
    if held.is_none_or(|held| held.fold_version != F::VERSION) {
        right.give_back().await?;
        return Err(GenerationError::NothingBuilt.of(F::NAME));
    }
    let rebuilt = build::<F>(models, tenant, Rebuild::default(), progress).await?;
    right.give_back().await?;
    Ok(rebuilt)
}

/// Makes the generation before the live one live again, after it has come to where the live one stands. The one that was
/// live is kept in its turn.
pub(crate) async fn roll_back<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<RolledBack, ProjectionError> {
    let of = of::<F>(tenant);
    let right = Right::take(models, of).await?;
    let done = loop {
        match back::<F>(models, of, progress).await {
            // A worker of this version follows the log with it: once more, from where it is now.
            Err(ProjectionError::Generation {
                error: GenerationError::Elsewhere,
                ..
            }) => {}
            done => break done,
        }
    };
    right.give_back().await?;
    done
}

async fn back<F: Fold>(
    models: &ReadModels,
    of: Of,
    progress: &dyn Progress,
) -> Result<RolledBack, ProjectionError> {
    let mut snapshot = models.database().begin_read(of.tenant).await?;
    let live = checkpoint::live(&mut snapshot, of).await?;
    let retired = checkpoint::retired(&mut snapshot, of).await?;
    snapshot.commit().await?;
    let (Some(live), Some(retired)) = (live, retired) else {
        return Err(GenerationError::NothingRetired.of(F::NAME));
    };
    if retired.fold_version != F::VERSION {
        let error = GenerationError::OfOtherFold {
            stored: retired.fold_version,
            ours: F::VERSION,
        };
        return Err(error.of(F::NAME));
    }
    let memory = Rebuild::default().memory;
    let mut builder = Builder::<F>::open(models, of, retired.generation, retired.position, memory).await?;
    builder
        .write_to(live.position.max(retired.position), progress)
        .await?;
    builder.swap_in(progress).await?;
    Ok(RolledBack {
        projection: F::NAME,
        generation: retired.generation,
        instead_of: live.generation,
        position: builder.reached(),
    })
}

/// Takes up what a rebuild before this has left, if this program's fold made it, or begins anew.
async fn take_up(models: &ReadModels, of: Of) -> Result<Checkpoint, ProjectionError> {
    let mut transaction = models.database().begin(of.tenant).await?;
    let left = checkpoint::building(&mut transaction, of).await?;
    let taken = match left.filter(|left| left.fold_version == of.fold_version) {
        Some(left) => left,
        None => Checkpoint {
            generation: generations::begin(&mut transaction, of).await?,
            position: Position::START,
            fold_version: of.fold_version,
            stopped: None,
        },
    };
    transaction.commit().await?;
    Ok(taken)
}

async fn build<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    how: Rebuild,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let of = of::<F>(tenant);
    let begun = take_up(models, of).await?;
    let mut builder = Builder::<F>::open(models, of, begun.generation, begun.position, how.memory).await?;
    let compared = match builder.meet_live(progress).await? {
        Some((mut snapshot, live)) => {
            let live = Generation {
                tenant,
                number: live.generation,
            };
            let compared = compare::compare::<F::Row>(&mut snapshot, live, builder.generation()).await?;
            snapshot.commit().await?;
            Some(compared)
        }
        None => None,
    };
    builder.catch_up(progress).await?;
    if how.finish == Finish::Swap {
        builder.swap_in(progress).await?;
    }
    generations::remove_discarded::<F::Row>(models, of).await?;
    let (differing, differences) = compared.map(|found| (found.count, found.first)).unzip();
    Ok(Rebuilt {
        projection: F::NAME,
        generation: begun.generation,
        resumed_at: begun.position,
        position: builder.reached(),
        rows: builder.rows(),
        differing,
        differences,
    })
}
