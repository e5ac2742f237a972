//! Aggregates that this program has loaded or written, so that most commands need not load them again.
//!
//! What is remembered may be behind the log: another node may have written since. So a decision on it is never the last
//! word. The append of a command guards every stream that was remembered for it at the version it was remembered at, and
//! finds a stale one in conflict; a refusal is decided again on what the log holds. Outside a command nothing is
//! remembered.

use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::ids::TenantId;
use lru::LruCache;

use crate::load::Loaded;

/// Aggregates remembered at most; those that were used longest ago are forgotten.
const AGGREGATES: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// The aggregates, over all companies.
#[derive(Clone)]
pub(crate) struct Remembered {
    aggregates: Arc<Mutex<LruCache<(TenantId, StreamId), Aggregate>>>,
}

struct Aggregate {
    version: Version,
    state: Arc<dyn Any + Send + Sync>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            aggregates: Arc::new(Mutex::new(LruCache::new(AGGREGATES))),
        }
    }
}

impl Remembered {
    /// An aggregate, at the version that this program saw last.
    pub(crate) fn get<D: Decider>(&self, tenant: TenantId, stream: &StreamId) -> Option<Loaded<D>> {
        let (version, state) = {
            let mut aggregates = self.aggregates();
            let aggregate = aggregates.get(&(tenant, stream.clone()))?;
            (aggregate.version, Arc::clone(&aggregate.state))
        };
        Some(Loaded {
            state: state.downcast_ref::<D>()?.clone(),
            version,
        })
    }

    /// Remembers an aggregate, unless a later version is known. One that is not there is not remembered.
    pub(crate) fn put<D: Decider>(&self, tenant: TenantId, stream: StreamId, loaded: Loaded<D>) {
        let Loaded { state, version } = loaded;
        if version == Version(0) {
            return;
        }
        let mut aggregates = self.aggregates();
        let known = aggregates.peek(&(tenant, stream.clone()));
        if known.is_none_or(|known| known.version < version) {
            let state = Arc::new(state);
            aggregates.put((tenant, stream), Aggregate { version, state });
        }
    }

    /// Brings an aggregate forward by what was written to it.
    pub(crate) fn advance<D: Decider>(
        &self,
        tenant: TenantId,
        stream: StreamId,
        from: Version,
        events: &[D::Event],
    ) {
        let before = if from == Version(0) {
            Some(D::default())
        } else {
            self.get::<D>(tenant, &stream)
                .filter(|known| known.version == from)
                .map(|known| known.state)
        };
        let Some(mut state) = before else { return };
        let mut version = from;
        for event in events {
            state.evolve(event);
            version = version.next();
        }
        self.put(tenant, stream, Loaded { state, version });
    }

    /// Forgets aggregates that a decision on them has shown to be behind, or ahead of a log that was put back.
    pub(crate) fn forget(&self, tenant: TenantId, streams: Vec<(StreamId, Version)>) {
        let mut aggregates = self.aggregates();
        for (stream, _) in streams {
            aggregates.pop(&(tenant, stream));
        }
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.aggregates().clear();
    }

    fn aggregates(&self) -> MutexGuard<'_, LruCache<(TenantId, StreamId), Aggregate>> {
        self.aggregates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a decision takes its aggregates from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// What is remembered first.
    Memory,
    /// The log alone.
    Log,
}

/// A decision in the making.
struct Deciding {
    source: Source,
    /// The streams that were remembered for it.
    remembered: Vec<(StreamId, Version)>,
}

tokio::task_local! {
    static DECIDING: RefCell<Deciding>;
}

/// Decides, and says which streams were remembered for it, at which versions.
pub(crate) async fn deciding<T>(
    source: Source,
    decide: impl Future<Output = T>,
) -> (T, Vec<(StreamId, Version)>) {
    let deciding = RefCell::new(Deciding {
        source,
        remembered: Vec::new(),
    });
    DECIDING
        .scope(deciding, async {
            let decided = decide.await;
            let remembered = DECIDING.with(|deciding| std::mem::take(&mut deciding.borrow_mut().remembered));
            (decided, remembered)
        })
        .await
}

/// Whether a load may be answered from memory: within a command's first decision only.
pub(crate) fn may_remember() -> bool {
    DECIDING
        .try_with(|deciding| deciding.borrow().source == Source::Memory)
        .unwrap_or(false)
}

/// Notes that a decision rests on what was remembered.
pub(crate) fn note(stream: StreamId, version: Version) {
    // Outside a decision nothing is answered from memory.
    DECIDING
        .try_with(|deciding| deciding.borrow_mut().remembered.push((stream, version)))
        .ok();
}
