//! A projection: all that can be done with a fold, for whoever does not know its rows.

use std::marker::PhantomData;

use async_trait::async_trait;
use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::Transaction;

use super::as_of;
use super::check::{self, Extent};
use super::difference::Checked;
use super::error::{ProjectionError, ReadError};
use super::fold::Fold;
use super::folding::{self, ColumnInfo, Folded, Folding};
use super::history::Batch;
use super::joint;
use super::models::ReadModels;
use super::parked_list::{self, HeldBack, WaitingEvent};
use super::progress::Progress;
use super::read::Answer;
use super::rebuild::{self, Rebuild, Rebuilt, RolledBack};
use super::retry::{self, Retried};
use super::runner::{self, Ran};
use super::table::Generation;

/// A projection, whatever its rows are.
#[async_trait]
pub trait Projection: Send + Sync {
    /// Its name in checkpoints and on the command line.
    fn name(&self) -> &'static str;

    /// Version of its fold in this program.
    fn fold_version(&self) -> i32;

    /// Wire names of the events that it looks at.
    fn event_types(&self) -> &'static [&'static str];

    /// Its columns, in the order of its table.
    fn columns(&self) -> Vec<ColumnInfo>;

    /// Its fold before the first event, for events from anywhere.
    fn folding(&self) -> Box<dyn Folding>;

    /// Applies the next events, in one transaction.
    ///
    /// # Errors
    /// [`ProjectionError::Stopped`] when an event cannot be applied: all before it are.
    async fn apply(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        batch: &Batch,
    ) -> Result<Ran, ProjectionError>;

    /// Applies a batch to the rows of a generation, whose checkpoint the transaction holds, and leaves the checkpoint to
    /// the caller. No event of the batch may be one that cannot be read.
    ///
    /// # Errors
    /// [`ProjectionError`] when the rows cannot be read or written; the transaction is of no more use then.
    async fn write(
        &self,
        transaction: &mut Transaction,
        tenant: TenantId,
        generation: i32,
        batch: &Batch,
    ) -> Result<(), ProjectionError>;

    /// Builds it anew from the whole log and makes that the live one, as [`Rebuild::default`] has it.
    ///
    /// # Errors
    /// Those of [`rebuild_as`](Self::rebuild_as).
    async fn rebuild(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError> {
        self.rebuild_as(models, tenant, Rebuild::default(), progress)
            .await
    }

    /// Builds it anew from the whole log, or from where a rebuild before this was cut off or held.
    ///
    /// # Errors
    /// [`ProjectionError::Stopped`] when an event cannot be applied: the live one is as it was.
    async fn rebuild_as(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        how: Rebuild,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError>;

    /// Builds it anew where the live generation is of an older fold; none where it is not, or somebody else is at it.
    ///
    /// # Errors
    /// Those of [`rebuild_as`](Self::rebuild_as).
    async fn refresh(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Option<Rebuilt>, ProjectionError>;

    /// Makes the generation that was built and held the live one, after what has come since.
    ///
    /// # Errors
    /// [`GenerationError::NothingBuilt`](super::GenerationError::NothingBuilt), and those of
    /// [`rebuild_as`](Self::rebuild_as).
    async fn swap(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError>;

    /// Makes the generation before the live one live again, after it has come as far.
    ///
    /// # Errors
    /// [`GenerationError::NothingRetired`](super::GenerationError::NothingRetired) and
    /// [`GenerationError::OfOtherFold`](super::GenerationError::OfOtherFold), and those of
    /// [`rebuild_as`](Self::rebuild_as).
    async fn roll_back(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<RolledBack, ProjectionError>;

    /// Its rows as they were right after a position, in key order, each an object whose fields are its columns.
    ///
    /// # Errors
    /// [`ReadError::AsOfInFuture`] when the log is not that long, [`ReadError::Unreadable`] when the fold halts before,
    /// [`ReadError::Log`].
    async fn as_of(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        position: Position,
    ) -> Result<Answer<Vec<serde_json::Value>>, ReadError>;

    /// Compares all its rows with what the log gives, and remembers what was found.
    ///
    /// # Errors
    /// Those of [`check_as`](Self::check_as).
    async fn check(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Checked, ProjectionError> {
        self.check_as(models, tenant, Extent::default(), progress).await
    }

    /// Compares its rows, all or some, with what the log gives, and remembers what was found.
    ///
    /// # Errors
    /// [`ProjectionError`] when the log or the rows cannot be read, or are of another version of the fold.
    async fn check_as(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        extent: Extent,
        progress: &dyn Progress,
    ) -> Result<Checked, ProjectionError>;

    /// What it holds back, the first first, at most so much.
    ///
    /// # Errors
    /// [`ReadError::Log`] when the database does not answer.
    async fn held_back(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        limit: u32,
    ) -> Result<Vec<HeldBack>, ReadError>;

    /// The events that wait for a row or in a stream that is held back, in order, at most so many after a position.
    ///
    /// # Errors
    /// [`ReadError::Log`] when the database does not answer.
    async fn waiting(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        name: &str,
        after: Position,
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, ReadError>;

    /// Tries what is held back, or of that only what has a text in its name with what belongs to it, in one transaction.
    ///
    /// # Errors
    /// [`ProjectionError`] when the log or the rows cannot be read, or are of another version of the fold.
    async fn retry(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        only: Option<&str>,
    ) -> Result<Retried, ProjectionError>;
}

/// The projection of a fold.
pub(super) struct Of<F>(pub(super) PhantomData<fn() -> F>);

#[async_trait]
impl<F: Fold> Projection for Of<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn fold_version(&self) -> i32 {
        F::VERSION
    }

    fn event_types(&self) -> &'static [&'static str] {
        F::event_types()
    }

    fn columns(&self) -> Vec<ColumnInfo> {
        folding::columns::<F::Row>()
    }

    fn folding(&self) -> Box<dyn Folding> {
        Box::new(Folded::<F>::default())
    }

    async fn apply(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        batch: &Batch,
    ) -> Result<Ran, ProjectionError> {
        runner::apply::<F>(models, tenant, batch).await
    }

    async fn write(
        &self,
        transaction: &mut Transaction,
        tenant: TenantId,
        generation: i32,
        batch: &Batch,
    ) -> Result<(), ProjectionError> {
        let number = generation;
        joint::write::<F>(transaction, Generation { tenant, number }, batch).await
    }

    async fn rebuild_as(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        how: Rebuild,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError> {
        rebuild::rebuild::<F>(models, tenant, how, progress).await
    }

    async fn refresh(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Option<Rebuilt>, ProjectionError> {
        rebuild::refresh::<F>(models, tenant, progress).await
    }

    async fn swap(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<Rebuilt, ProjectionError> {
        rebuild::swap::<F>(models, tenant, progress).await
    }

    async fn roll_back(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        progress: &dyn Progress,
    ) -> Result<RolledBack, ProjectionError> {
        rebuild::roll_back::<F>(models, tenant, progress).await
    }

    async fn as_of(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        position: Position,
    ) -> Result<Answer<Vec<serde_json::Value>>, ReadError> {
        as_of::rows::<F>(models, tenant, position).await
    }

    async fn check_as(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        extent: Extent,
        progress: &dyn Progress,
    ) -> Result<Checked, ProjectionError> {
        check::check::<F>(models, tenant, extent, progress).await
    }

    async fn held_back(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        limit: u32,
    ) -> Result<Vec<HeldBack>, ReadError> {
        parked_list::held::<F>(models, tenant, limit).await
    }

    async fn waiting(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        name: &str,
        after: Position,
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, ReadError> {
        parked_list::waiting::<F>(models, tenant, name, after, limit).await
    }

    async fn retry(
        &self,
        models: &ReadModels,
        tenant: TenantId,
        only: Option<&str>,
    ) -> Result<Retried, ProjectionError> {
        retry::retry::<F>(models, tenant, only).await
    }
}
