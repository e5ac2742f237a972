//! The handle on the log.

use std::sync::Arc;

use tokio::sync::{broadcast, oneshot, watch};
use tracing::Instrument;

use crate::append::{Append, Outcome};
use crate::appender::{Appended, keep_appending};
use crate::database::Database;
use crate::error::LogError;
use crate::queue::{Full, Job, Queue};

/// Wake-ups that a slow follower may fall behind; then it is told so, and polls.
const WAKE_UPS: usize = 1024;

/// The log of every tenant in one database: append, read, follow. Clones share one appender.
#[derive(Clone)]
pub struct EventLog {
    database: Database,
    queue: Arc<Queue>,
    appended: broadcast::Sender<Appended>,
    closing: Arc<watch::Sender<bool>>,
}

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLog")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl EventLog {
    /// Starts the appender, as a task of the runtime this is called in. It connects with the first append.
    pub fn start(database: Database) -> Self {
        let queue = Arc::new(Queue::default());
        let (appended, _) = broadcast::channel(WAKE_UPS);
        let (closing, closed) = watch::channel(false);
        tokio::spawn(keep_appending(
            database.clone(),
            queue.clone(),
            appended.clone(),
            closed,
        ));
        Self {
            database,
            queue,
            appended,
            closing: Arc::new(closing),
        }
    }

    /// The gateway that this log goes through.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Appends what a command decided: all of it or nothing. Once called to the point of queueing, it is carried
    /// out even if the caller goes away.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when too many wait, the log is shutting down or the database stays out of
    /// reach, [`LogError::UnknownTenant`] and [`LogError::Malformed`] for what cannot be, [`LogError::Refused`] when
    /// the database does not take it (text with a NUL, a payload that is no JSON).
    pub async fn append(&self, append: Append) -> Result<Outcome, LogError> {
        append.check()?;
        let (answer, answered) = oneshot::channel();
        // Only where somebody takes traces: written into every line, it would cost more than it says.
        let span = tracing::debug_span!("append", tenant = %append.tenant, streams = append.streams.len());
        self.queue
            .push(Job {
                prepared: append.into(),
                answer,
                span: span.clone(),
            })
            .map_err(|Full| LogError::unavailable())?;
        let answered = answered.instrument(span).await;
        answered.unwrap_or_else(|_| Err(LogError::unavailable()))
    }

    /// How many appends wait for their turn.
    pub fn waiting(&self) -> usize {
        self.queue.waiting_now()
    }

    /// Tells of committed batches of this process from now on. A hint: other nodes' batches are not told, and a
    /// receiver that lags misses some, so that a follower also polls.
    pub fn appended(&self) -> broadcast::Receiver<Appended> {
        self.appended.subscribe()
    }

    /// Takes no more appends, carries out those that wait, and returns when all are answered.
    pub async fn shut_down(&self) {
        self.closing.send_replace(true);
        self.closing.closed().await;
    }
}
