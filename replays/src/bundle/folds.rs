//! Folding every read model beside a walk, in threads of their own.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use domain::envelope::StoredEvent;
use projections::{Folding, Projection, ProjectionError, registry};

use super::manifest::ReadModel;

/// Pages that wait for a thread.
const WAITING: usize = 2;
/// Threads at most.
const THREADS: usize = 4;

type Page = Arc<Vec<StoredEvent>>;
type Folded = Result<Vec<ReadModel>, ProjectionError>;

/// The read models in the making.
pub(super) struct Folds {
    threads: Vec<(SyncSender<Page>, JoinHandle<Folded>)>,
}

impl Folds {
    /// Every read model before the first event.
    pub(super) fn start() -> Self {
        let threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(THREADS);
        let mut shares: Vec<Vec<&'static dyn Projection>> = vec![Vec::new(); threads];
        for (place, projection) in registry().iter().enumerate() {
            shares[place % threads].push(*projection);
        }
        let start = |share| {
            let (pages, read) = sync_channel(WAITING);
            (pages, thread::spawn(move || fold(share, &read)))
        };
        Self {
            threads: shares.into_iter().map(start).collect(),
        }
    }

    /// Applies the next events.
    pub(super) fn apply(&self, events: &Page) {
        for (pages, _) in &self.threads {
            // A thread that has ended tells why in the end.
            pages.send(events.clone()).ok();
        }
    }

    /// The read models, by name.
    pub(super) fn finish(self) -> Folded {
        let mut models = Vec::new();
        let mut failed = None;
        for (pages, thread) in self.threads {
            drop(pages);
            match thread.join() {
                Ok(Ok(folded)) => models.extend(folded),
                Ok(Err(error)) => failed = failed.or(Some(error)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        models.sort_by(|a: &ReadModel, b| a.name.cmp(&b.name));
        Ok(models)
    }
}

fn fold(share: Vec<&'static dyn Projection>, pages: &Receiver<Page>) -> Folded {
    let mut foldings: Vec<(&'static dyn Projection, Box<dyn Folding>)> = share
        .into_iter()
        .map(|projection| (projection, projection.folding()))
        .collect();
    while let Ok(events) = pages.recv() {
        for event in events.iter() {
            for (_, folding) in &mut foldings {
                folding.apply(event)?;
            }
        }
    }
    let model = |(projection, folding): (&'static dyn Projection, Box<dyn Folding>)| {
        let (name, version) = (projection.name(), projection.fold_version());
        ReadModel::new(name, version, folding.len(), folding.checksum())
    };
    Ok(foldings.into_iter().map(model).collect())
}
