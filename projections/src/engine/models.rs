//! The handle on the read side.

use std::sync::Arc;

use domain::ids::TenantId;
use event_log::{Database, EventLog};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::as_of::{AsOfMemory, DEFAULT_LARGEST, DEFAULT_LIMIT, States};
use super::measures::Measures;
use crate::changes::Feeds;

/// The read models of every tenant over one log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadModels {
    log: EventLog,
    moved: Arc<[watch::Sender<()>]>,
    states: Arc<States>,
    measures: Measures,
    feeds: Feeds,
}

impl ReadModels {
    /// The read models that follow a log.
    pub fn new(log: EventLog) -> Self {
        Self {
            log,
            moved: (0..=u8::MAX).map(|_| watch::Sender::new(())).collect(),
            states: Arc::new(States::new(DEFAULT_LIMIT, DEFAULT_LARGEST)),
            measures: Measures::default(),
            feeds: Feeds::default(),
        }
    }

    /// The same, with other memory for answers as of a position: so many bytes for states that are kept, 64 MiB
    /// otherwise, and so many for one that is being folded, 512 MiB otherwise. It changes no answer, only how long it
    /// takes.
    #[must_use]
    pub fn with_as_of_memory(self, kept: usize, folded: usize) -> Self {
        Self {
            states: Arc::new(States::new(kept, folded)),
            ..self
        }
    }

    /// What folded states take of that memory now.
    pub fn as_of_memory(&self) -> AsOfMemory {
        self.states.memory()
    }

    /// Puts what is measured of the read models among the figures of a program.
    pub fn register(&self, registry: &mut Registry) {
        self.measures.register(registry);
    }

    pub(crate) fn measures(&self) -> &Measures {
        &self.measures
    }

    pub(crate) fn states(&self) -> &Arc<States> {
        &self.states
    }

    pub(crate) fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    pub(crate) fn log(&self) -> &EventLog {
        &self.log
    }

    pub(crate) fn database(&self) -> &Database {
        self.log.database()
    }

    /// Tells when a checkpoint of a tenant has moved in this process, from now on; now and then when another tenant's
    /// has. Who waits looks at the database each time: were all told of all, ten thousand tenants would keep it busy.
    pub(crate) fn moved(&self, tenant: TenantId) -> watch::Receiver<()> {
        self.moved_of(tenant).subscribe()
    }

    /// Wakes whoever waits for a checkpoint of a tenant.
    pub(crate) fn tell_moved(&self, tenant: TenantId) {
        self.moved_of(tenant).send_replace(());
    }

    /// Tenants share one of 256, by the last byte of their ids, which is random.
    fn moved_of(&self, tenant: TenantId) -> &watch::Sender<()> {
        let [.., last] = tenant.0.into_bytes();
        &self.moved[usize::from(last)]
    }
}
