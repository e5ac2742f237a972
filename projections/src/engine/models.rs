//! The handle on the read side.

use std::sync::Arc;

use event_log::{Database, EventLog};
use tokio::sync::watch;

/// The read models of every tenant over one log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadModels {
    log: EventLog,
    moved: Arc<watch::Sender<()>>,
}

impl ReadModels {
    /// The read models that follow a log.
    pub fn new(log: EventLog) -> Self {
        Self {
            log,
            moved: Arc::new(watch::Sender::new(())),
        }
    }

    pub(crate) fn log(&self) -> &EventLog {
        &self.log
    }

    pub(crate) fn database(&self) -> &Database {
        self.log.database()
    }

    /// Tells when a checkpoint has moved in this process, from now on.
    pub(crate) fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Wakes whoever waits for a checkpoint.
    pub(crate) fn tell_moved(&self) {
        self.moved.send_replace(());
    }
}
