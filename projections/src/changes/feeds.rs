//! The tails of one program, and the one look at where all logs end that keeps them going.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::{Appended, EventLog, LogError};
use tokio::sync::{Semaphore, SemaphorePermit, broadcast};
use tokio::time::{Instant, sleep_until, timeout};

use super::tail::Tail;

/// Listeners who are behind and read the log at the same time.
const READERS: usize = 4;
/// The first wait for events of other processes; it doubles while none come.
const POLL_FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const POLL_LAST: Duration = Duration::from_millis(500);
/// A wait is so many times as long as the look before it took: looking takes no more than this share of the time.
const POLL_SHARE: u32 = 20;
/// How long a look at every log's end may take.
const POLL_PATIENCE: Duration = Duration::from_secs(10);

/// The tails of one program. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Feeds {
    tails: Arc<Mutex<Tails>>,
    readers: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Tails {
    of: HashMap<TenantId, Weak<Tail>>,
    /// Whether somebody looks at where the logs end.
    watched: bool,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            tails: Arc::default(),
            readers: Arc::new(Semaphore::new(READERS)),
        }
    }
}

impl Feeds {
    /// The company's tail, which begins at the end of its log where nobody has one yet.
    pub(super) async fn tail(&self, log: &EventLog, tenant: TenantId) -> Result<Arc<Tail>, LogError> {
        if let Some(tail) = self.known(tenant) {
            return Ok(tail);
        }
        let end = log.head(tenant).await?.position;
        let tail = self.begin(log, tenant, end);
        // Whatever came before anybody told this tail of it.
        tail.tell(log.head(tenant).await?.position);
        Ok(tail)
    }

    fn begin(&self, log: &EventLog, tenant: TenantId, end: Position) -> Arc<Tail> {
        let mut tails = self.tails();
        // Perhaps by somebody else meanwhile.
        if let Some(tail) = tails.of.get(&tenant).and_then(Weak::upgrade) {
            return tail;
        }
        let tail = Tail::follow(log.clone(), tenant, end);
        tails.of.insert(tenant, Arc::downgrade(&tail));
        if !std::mem::replace(&mut tails.watched, true) {
            tokio::spawn(watch(self.clone(), log.clone()));
        }
        tail
    }

    /// Waits until few enough read the log.
    pub(super) async fn turn_to_read(&self) -> SemaphorePermit<'_> {
        let turn = self.readers.acquire().await;
        turn.expect("nobody closes it")
    }

    fn known(&self, tenant: TenantId) -> Option<Arc<Tail>> {
        self.tails().of.get(&tenant).and_then(Weak::upgrade)
    }

    fn tell(&self, tenant: TenantId, head: Position) -> bool {
        self.known(tenant).is_some_and(|tail| tail.tell(head))
    }

    fn has_listeners(&self) -> bool {
        self.tails().of.values().any(|tail| tail.strong_count() > 0)
    }

    /// Whether somebody still has a tail; where nobody has, whoever comes next lets somebody look again.
    fn is_listened_to(&self) -> bool {
        let mut tails = self.tails();
        tails.of.retain(|_, tail| tail.strong_count() > 0);
        tails.watched = !tails.of.is_empty();
        tails.watched
    }

    fn tails(&self) -> MutexGuard<'_, Tails> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the tails where their logs end, while anybody has one: at once when this process appends, by looking at every log's end
/// when another does.
async fn watch(feeds: Feeds, log: EventLog) {
    let mut appended = log.appended();
    let mut wait = POLL_FIRST;
    // What was appended while nobody listened is found by looking.
    let mut look_at = Instant::now();
    while feeds.is_listened_to() {
        tokio::select! {
            told = appended.recv() => match told {
                Ok(Appended { tenant, position }) => {
                    feeds.tell(tenant, position);
                }
                // Some were missed: where the logs end tells whose. It is not closed while the log is here.
                Err(broadcast::error::RecvError::Lagged(_) | broadcast::error::RecvError::Closed) => {
                    look_at = Instant::now();
                }
            },
            () = sleep_until(look_at) => {
                let began = Instant::now();
                let heads = timeout(POLL_PATIENCE, log.heads()).await;
                let news = match heads.unwrap_or(Err(LogError::Unavailable { retry_after: POLL_LAST })) {
                    Ok(heads) => heads.into_iter().filter(|(tenant, head)| feeds.tell(*tenant, *head)).count(),
                    // Where nobody listens any more, nobody has to know.
                    Err(error) => {
                        if feeds.has_listeners() {
                            tracing::warn!(%error, "nobody can see where the logs end, and listeners wait");
                        }
                        0
                    }
                };
                let next = if news > 0 { POLL_FIRST } else { wait * 2 };
                wait = next.max(began.elapsed() * POLL_SHARE).min(POLL_LAST);
                look_at = Instant::now() + wait;
            }
        }
    }
}
