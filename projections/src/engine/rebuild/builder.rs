//! Brings one generation forward by folding in memory, and writes it back when memory is full and at the end.

use std::cmp::max;

use domain::envelope::Position;
use event_log::Transaction;
use futures::{TryStreamExt, pin_mut};

use super::kept::Kept;
use crate::engine::checkpoint::{self, Checkpoint, Of};
use crate::engine::error::ProjectionError;
use crate::engine::fold::Fold;
use crate::engine::generations;
use crate::engine::held_back;
use crate::engine::history::{self, Batch, Read};
use crate::engine::models::ReadModels;
use crate::engine::progress::Progress;
use crate::engine::rows::{Halted, Then};
use crate::engine::runner::refusal;
use crate::engine::table::Generation;

/// Events that are folded at a time, at most: rows that they need and that were written back are loaded in one question.
const AT_A_TIME: usize = 1_000;
/// Part of the limit that the rows of so many events may take.
const SHARE: usize = 4;
/// What a row is taken to hold beside its fields.
const TEXTS: usize = 512;
/// Events of a batch where it goes batch by batch, as the live runner does.
const BATCH: u32 = 500;
/// A rest of the log that is folded while the live runner waits.
const LITTLE: i64 = 500;
/// How often the rest is folded before that is done whatever it is: the log may grow as fast as it is folded.
const ROUNDS: usize = 8;

/// How a piece of the log was folded.
enum Folded {
    /// All of it.
    All,
    /// In memory it goes no further than right before a position: an event there or before it has a row that the
    /// database does not take, or one that the fold panics on.
    Not(Position),
}

/// Who brings a generation forward.
pub(super) struct Builder<'a, F: Fold> {
    models: &'a ReadModels,
    of: Of,
    generation: Generation,
    kept: Kept<F>,
    /// What the generation's checkpoint says.
    stored: Position,
    /// What the rows in memory hold.
    reached: Position,
    /// Bytes that rows in memory may take.
    limit: usize,
}

fn place(position: Position) -> u64 {
    u64::try_from(position.0).unwrap_or_default()
}

impl<'a, F: Fold> Builder<'a, F> {
    /// Goes on with a generation from its checkpoint.
    pub(super) async fn open(
        models: &'a ReadModels,
        of: Of,
        generation: i32,
        position: Position,
        limit: usize,
    ) -> Result<Self, ProjectionError> {
        let mut builder = Self {
            models,
            of,
            generation: Generation {
                tenant: of.tenant,
                number: generation,
            },
            kept: Kept::of_nothing(),
            stored: position,
            reached: position,
            limit,
        };
        if position > Position::START {
            builder.begin_again().await?;
        }
        Ok(builder)
    }

    /// Forgets what is in memory: the generation is what its tables say.
    async fn begin_again(&mut self) -> Result<(), ProjectionError> {
        let mut snapshot = self.models.database().begin_read(self.of.tenant).await?;
        self.kept = Kept::of_stored(&mut snapshot, self.generation).await?;
        snapshot.commit().await?;
        self.reached = self.stored;
        Ok(())
    }

    /// The position that its rows hold.
    pub(super) fn reached(&self) -> Position {
        self.reached
    }

    /// Which generation it is.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// How many rows it has, once they are all written.
    pub(super) fn rows(&self) -> u64 {
        self.kept.count()
    }

    /// Folds up to a position, and writes.
    ///
    /// # Errors
    /// [`ProjectionError::Stopped`] at an event that cannot be applied.
    pub(super) async fn write_to(
        &mut self,
        until: Position,
        progress: &dyn Progress,
    ) -> Result<(), ProjectionError> {
        self.fold_to(until, progress).await?;
        if self.stored < self.reached && !self.flush().await? {
            self.by_batches(self.reached).await?;
        }
        Ok(())
    }

    /// Folds up to the end of the log and writes, again while it grows, until only little is left.
    ///
    /// # Errors
    /// Those of [`write_to`](Self::write_to).
    pub(super) async fn catch_up(&mut self, progress: &dyn Progress) -> Result<(), ProjectionError> {
        for _ in 0..ROUNDS {
            let head = self.models.log().head(self.of.tenant).await?.position;
            let left = head.0 - self.reached.0;
            self.write_to(max(head, self.reached), progress).await?;
            if left <= LITTLE {
                break;
            }
        }
        Ok(())
    }

    /// Comes to where the live one stands, while that is standing still: both at the same position, in one snapshot.
    /// None where the live one is of another fold, or has not come as far.
    pub(super) async fn meet_live(
        &mut self,
        progress: &dyn Progress,
    ) -> Result<Option<(Transaction, Checkpoint)>, ProjectionError> {
        for _ in 0..ROUNDS {
            let Some(live) = self.live().await?.filter(|live| self.comparable(live)) else {
                return Ok(None);
            };
            if live.position.0 - self.reached.0 <= LITTLE {
                break;
            }
            self.write_to(live.position, progress).await?;
        }
        let mut standing_still = self.models.database().begin(self.of.tenant).await?;
        let live = checkpoint::lock_live(&mut standing_still, self.of).await?;
        let Some(live) = live.filter(|live| self.comparable(live)) else {
            standing_still.rollback().await?;
            return Ok(None);
        };
        self.write_to(live.position, progress).await?;
        let mut snapshot = self.models.database().begin_read(self.of.tenant).await?;
        // The first question is what makes it a snapshot.
        checkpoint::building(&mut snapshot, self.of).await?;
        standing_still.rollback().await?;
        Ok(Some((snapshot, live)))
    }

    async fn live(&self) -> Result<Option<Checkpoint>, ProjectionError> {
        let mut snapshot = self.models.database().begin_read(self.of.tenant).await?;
        let live = checkpoint::live(&mut snapshot, self.of).await?;
        snapshot.commit().await?;
        Ok(live)
    }

    fn comparable(&self, live: &Checkpoint) -> bool {
        live.fold_version == F::VERSION && live.position > Position::START && live.position >= self.reached
    }

    /// Comes to where the live one stands and takes its place, in one transaction.
    ///
    /// # Errors
    /// Those of [`write_to`](Self::write_to).
    pub(super) async fn swap_in(&mut self, progress: &dyn Progress) -> Result<(), ProjectionError> {
        loop {
            let mut transaction = self.models.database().begin(self.of.tenant).await?;
            let live = checkpoint::lock_live(&mut transaction, self.of).await?;
            let until = live.map_or(self.reached, |live| max(live.position, self.reached));
            self.fold_to(until, progress).await?;
            if self.write(&mut transaction).await? {
                generations::make_live(&mut transaction, self.of, self.generation.number).await?;
                transaction.commit().await?;
                self.written();
                self.models.tell_moved(self.of.tenant);
                return Ok(());
            }
            transaction.rollback().await?;
            self.by_batches(until).await?;
        }
    }

    async fn fold_to(&mut self, until: Position, progress: &dyn Progress) -> Result<(), ProjectionError> {
        while self.reached < until {
            match self.fold(until, progress).await? {
                Folded::All => self.reached = until,
                Folded::Not(at) => self.by_batches(at).await?,
            }
        }
        Ok(())
    }

    async fn fold(&mut self, until: Position, progress: &dyn Progress) -> Result<Folded, ProjectionError> {
        let pages = history::pages::<F>(self.models, self.of.tenant, self.reached, until).await?;
        pin_mut!(pages);
        while let Some(page) = pages.try_next().await? {
            for events in page.chunks(self.at_a_time()) {
                if let Err(halted) = self.take(events).await? {
                    return match halted.then {
                        Then::FoldAgain => Ok(Folded::Not(halted.position)),
                        Then::Stop => Err(halted.error::<F>()),
                    };
                }
                progress.at(place(self.reached), place(until));
                if self.kept.bytes() > self.limit {
                    if !self.flush().await? {
                        return Ok(Folded::Not(self.reached));
                    }
                    self.kept.forget();
                }
                // A page is long work for one that shares its thread with others.
                tokio::task::yield_now().await;
            }
        }
        progress.at(place(until), place(until));
        Ok(Folded::All)
    }

    fn at_a_time(&self) -> usize {
        let fitting = self.limit / SHARE / (size_of::<F::Row>() + TEXTS);
        fitting.clamp(1, AT_A_TIME)
    }

    async fn take(&mut self, events: &[Read]) -> Result<Result<(), Halted>, ProjectionError> {
        let lacking = self.kept.lacking(events);
        if !lacking.is_empty() {
            let mut snapshot = self.models.database().begin_read(self.of.tenant).await?;
            self.kept.load(&mut snapshot, self.generation, lacking).await?;
            snapshot.commit().await?;
        }
        for read in events {
            if let Err(halted) = self.kept.take(read) {
                return Ok(Err(halted));
            }
            self.reached = read.position;
        }
        Ok(Ok(()))
    }

    /// Writes what is in memory; false where the database does not take a row.
    async fn flush(&mut self) -> Result<bool, ProjectionError> {
        let mut transaction = self.models.database().begin(self.of.tenant).await?;
        if !self.write(&mut transaction).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        transaction.commit().await?;
        self.written();
        Ok(true)
    }

    async fn write(&mut self, transaction: &mut Transaction) -> Result<bool, ProjectionError> {
        generations::lock_at(transaction, self.of, self.generation.number, self.stored).await?;
        match self.kept.write(transaction, self.generation).await {
            Ok(()) => {}
            Err(error) if refusal(&error).is_some() => return Ok(false),
            Err(error) => return Err(error),
        }
        checkpoint::advance(transaction, self.of, self.generation.number, self.reached, None).await?;
        Ok(true)
    }

    fn written(&mut self) {
        self.kept.written();
        self.stored = self.reached;
    }

    /// Goes from the checkpoint on as the live runner does, which finds the event that it does not go on with in
    /// memory, and holds back its row or stops.
    async fn by_batches(&mut self, until: Position) -> Result<(), ProjectionError> {
        while self.stored < until {
            let left = u32::try_from(until.0 - self.stored.0).unwrap_or(u32::MAX);
            let batch = Batch::read(self.models, self.of.tenant, self.stored, BATCH.min(left)).await?;
            if !self.batch(&batch, Care::Quick).await? {
                self.batch(&batch, Care::Careful).await?;
            }
            self.stored = batch.to();
        }
        self.begin_again().await
    }

    /// Applies a batch; false where it has to be done with care.
    async fn batch(&mut self, batch: &Batch, care: Care) -> Result<bool, ProjectionError> {
        let mut transaction = self.models.database().begin(self.of.tenant).await?;
        generations::lock_at(&mut transaction, self.of, self.generation.number, self.stored).await?;
        let (of, events) = (self.generation, &batch.events);
        let halted = match care {
            Care::Quick => match held_back::fold::<F>(&mut transaction, of, events).await {
                Ok(halted) => halted,
                Err(error) if refusal(&error).is_some() => return Ok(false),
                Err(error) => return Err(error),
            },
            Care::Careful => held_back::fold_carefully::<F>(&mut transaction, of, events).await?,
        };
        match halted {
            Some(halted) if halted.then == Then::FoldAgain && care == Care::Quick => return Ok(false),
            Some(halted) => return Err(halted.error::<F>()),
            None => {}
        }
        checkpoint::advance(&mut transaction, self.of, of.number, batch.to(), None).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// How a batch is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// All at once.
    Quick,
    /// Event by event.
    Careful,
}
