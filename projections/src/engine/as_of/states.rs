//! Folded states in memory: an answer as of a position begins at the nearest one before it.
//!
//! A state is what a fold makes of a log up to a position, which nothing can change any more. So it may be kept or
//! dropped at any time, and no answer tells which.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use domain::envelope::Position;
use domain::ids::TenantId;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use crate::engine::fold::{Fold, Rows};

/// What is kept where nobody says otherwise: 64 MiB.
pub(crate) const DEFAULT_LIMIT: usize = 64 << 20;
/// What one state takes at most while it is folded, where nobody says otherwise: 512 MiB.
pub(crate) const DEFAULT_LARGEST: usize = 512 << 20;
/// How many folds of a process are at work at a time; the others wait. Each holds the rows of one read model.
const AT_ONCE: usize = 2;
/// One state takes this part of the memory at most, and so do all that one fold leaves behind on its way.
const LARGEST_PART: usize = 2;

/// What a state takes besides its rows, about.
const BESIDES: usize = 256;

/// Rows of a fold, whichever it is.
pub(crate) type Shared = Arc<dyn Any + Send + Sync>;
/// A read model of a company.
type Model = (TenantId, &'static str);

/// The folded states of a process.
pub(crate) struct States {
    limit: usize,
    largest: usize,
    kept: Mutex<Kept>,
    turns: Semaphore,
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Kept {
    states: HashMap<Model, BTreeMap<Position, State>>,
    /// The least recently used first.
    by_use: BTreeMap<u64, (Model, Position)>,
    uses: u64,
    bytes: usize,
    /// What is being folded right now.
    flights: HashMap<(Model, Position), Weak<OnceCell<Shared>>>,
}

struct State {
    rows: Shared,
    bytes: usize,
    used: u64,
}

/// What the folded states of a process take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOfMemory {
    /// How many states there are.
    pub states: usize,
    /// What they take, in bytes, about.
    pub bytes: usize,
}

impl States {
    /// None yet, and never more than so many bytes of them; the largest that is folded takes so many.
    pub(crate) fn new(limit: usize, largest: usize) -> Self {
        Self {
            limit,
            largest,
            kept: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing below panics half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one fold may leave behind, in bytes.
    pub(crate) fn part(&self) -> usize {
        self.limit / LARGEST_PART
    }

    /// What one state may take while it is folded, in bytes.
    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    /// What there is.
    pub(crate) fn memory(&self) -> AsOfMemory {
        let kept = self.kept();
        AsOfMemory {
            states: kept.by_use.len(),
            bytes: kept.bytes,
        }
    }

    /// Waits for a turn to fold.
    pub(crate) async fn turn(&self) -> SemaphorePermit<'_> {
        self.turns.acquire().await.expect("nobody closes it")
    }

    /// The last state at or before a position.
    pub(crate) fn nearest<F: Fold>(
        &self,
        tenant: TenantId,
        position: Position,
    ) -> Option<(Position, Arc<Rows<F>>)> {
        let model = (tenant, F::NAME);
        let mut kept = self.kept();
        let states = kept.states.get(&model)?;
        let at = *states.range(..=position).next_back()?.0;
        kept.uses += 1;
        let now = kept.uses;
        let state = kept.states.get_mut(&model)?.get_mut(&at)?;
        let before = std::mem::replace(&mut state.used, now);
        let rows = Arc::clone(&state.rows);
        kept.by_use.remove(&before);
        kept.by_use.insert(now, (model, at));
        Some((at, rows.downcast().ok()?))
    }

    /// Keeps a state, in place of those that were not used for longest; not one that is too large.
    pub(crate) fn keep<F: Fold>(
        &self,
        tenant: TenantId,
        position: Position,
        rows: Arc<Rows<F>>,
        bytes: usize,
    ) {
        let bytes = bytes + BESIDES;
        if bytes > self.part() {
            return;
        }
        let model = (tenant, F::NAME);
        let mut kept = self.kept();
        kept.forget(model, position);
        while kept.bytes + bytes > self.limit {
            let Some((_, (model, position))) = kept.by_use.pop_first() else {
                break;
            };
            kept.forget(model, position);
        }
        kept.uses += 1;
        let used = kept.uses;
        kept.bytes += bytes;
        kept.by_use.insert(used, (model, position));
        let states = kept.states.entry(model).or_default();
        states.insert(position, State { rows, bytes, used });
    }

    /// Drops a state, where it is still there.
    pub(crate) fn forget<F: Fold>(&self, tenant: TenantId, position: Position) {
        self.kept().forget((tenant, F::NAME), position);
    }

    /// The place where whoever wants the same state at the same time meets.
    pub(crate) fn flight<F: Fold>(&self, tenant: TenantId, position: Position) -> Flight<'_> {
        let of = ((tenant, F::NAME), position);
        let mut kept = self.kept();
        let cell = kept.flights.get(&of).and_then(Weak::upgrade).unwrap_or_default();
        kept.flights.insert(of, Arc::downgrade(&cell));
        Flight {
            states: self,
            of,
            cell,
        }
    }
}

impl Kept {
    fn forget(&mut self, model: Model, position: Position) {
        let Some(states) = self.states.get_mut(&model) else {
            return;
        };
        if let Some(state) = states.remove(&position) {
            self.bytes -= state.bytes;
            self.by_use.remove(&state.used);
        }
        if states.is_empty() {
            self.states.remove(&model);
        }
    }
}

/// A state that somebody folds, and everybody who waits for it.
pub(crate) struct Flight<'a> {
    states: &'a States,
    of: (Model, Position),
    cell: Arc<OnceCell<Shared>>,
}

impl Flight<'_> {
    /// What the first who asks makes, or the next where that one fails or goes away.
    pub(crate) async fn come_to<E>(
        &self,
        make: impl Future<Output = Result<Shared, E>>,
    ) -> Result<Shared, E> {
        self.cell.get_or_try_init(|| make).await.cloned()
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let mut kept = self.states.kept();
        // Nobody joins while this is locked: the last one out takes the place away.
        if Arc::strong_count(&self.cell) == 1 {
            kept.flights.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use uuid::Uuid;

    use super::*;
    use crate::tax_summary::TaxSummary;

    const TENANT: TenantId = TenantId(Uuid::nil());

    fn rows() -> Arc<Rows<TaxSummary>> {
        Arc::new(Rows::default())
    }

    #[tokio::test]
    async fn what_several_want_is_made_once_and_after_a_failure_by_the_next() {
        let states = States::new(0, 0);
        let made = AtomicU32::new(0);
        let make = async |fails: bool| {
            let flight = states.flight::<TaxSummary>(TENANT, Position(7));
            let make = async {
                made.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if fails { Err(()) } else { Ok::<Shared, ()>(rows()) }
            };
            flight.come_to(make).await.map(drop)
        };
        let (first, second, third) = tokio::join!(make(true), make(false), make(false));
        assert_eq!((first, second, third), (Err(()), Ok(()), Ok(())));
        assert_eq!(
            made.load(Ordering::Relaxed),
            2,
            "one failed, and one made it for two"
        );
        assert!(states.kept().flights.is_empty(), "nobody is left behind");
        make(false).await.unwrap();
        assert_eq!(made.load(Ordering::Relaxed), 3, "nothing is kept here");
    }

    #[test]
    fn the_least_recently_used_go_first_and_never_more_is_kept_than_there_is_room_for() {
        let states = States::new(4_000, 0);
        let keep = |position| states.keep::<TaxSummary>(TENANT, Position(position), rows(), 1_000 - BESIDES);
        let nearest = |position| {
            states
                .nearest::<TaxSummary>(TENANT, Position(position))
                .map(|(at, _)| at.0)
        };
        (1..=4).for_each(|place| keep(place * 10));
        assert_eq!((nearest(9), nearest(10), nearest(99)), (None, Some(10), Some(40)));
        keep(50);
        // The one at 20 was not used since.
        assert_eq!(nearest(29), Some(10));
        assert_eq!(
            states.memory(),
            AsOfMemory {
                states: 4,
                bytes: 4_000
            }
        );
        keep(50);
        assert_eq!(states.memory().states, 4, "the same again takes its own place");
        states.keep::<TaxSummary>(TENANT, Position(60), rows(), 2_001);
        assert_eq!(nearest(60), Some(50), "half of the room is the most for one");
        states.forget::<TaxSummary>(TENANT, Position(50));
        assert_eq!((nearest(60), states.memory().bytes), (Some(40), 3_000));
    }
}
