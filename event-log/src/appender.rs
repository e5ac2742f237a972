//! Group commit: one task that carries out whatever appends have queued, a batch at a time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::envelope::Position;
use domain::ids::TenantId;
use sqlx::postgres::PgConnection;
use tokio::sync::{broadcast, watch};
use tracing::Instrument;

use crate::append::Outcome;
use crate::batch::{Answer, Batch};
use crate::database::Database;
use crate::error::{LogError, is_transient};
use crate::prepared::Prepared;
use crate::queue::{Job, Queue};

/// Attempts at one batch before its callers hear that the log is unavailable.
const ATTEMPTS: u32 = 4;
/// Wait before the second attempt; it doubles with every further one.
const BACK_OFF: Duration = Duration::from_millis(50);
/// Longest time that one attempt may take. The statement may go on in the database: the next attempt waits
/// for it there and finds its command ids.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Word that a tenant's log has grown, within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Whose log.
    pub tenant: TenantId,
    /// Its last position then.
    pub position: Position,
}

/// The one task of this process that appends, over a connection of its own. More of them were measured and gained
/// nothing: appends to one log wait for each other at its head, and smaller batches cost more than what overlaps.
struct Appender {
    database: Database,
    connection: Option<PgConnection>,
    queue: Arc<Queue>,
    appended: broadcast::Sender<Appended>,
}

/// Keeps an appender at work until the queue is closed and empty. One that panics is replaced; those whose appends it
/// had hear that the log is unavailable, as do all who wait when the runtime ends.
pub(crate) fn keep_appending(
    database: Database,
    queue: Arc<Queue>,
    appended: broadcast::Sender<Appended>,
    closing: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send {
    // Made here, not in the future: a runtime may end before it has looked at it once.
    let abandoned = Abandoned(queue.clone());
    async move {
        loop {
            let mut appender = Appender::new(database.clone(), queue.clone(), appended.clone());
            let mut closing = closing.clone();
            let worked = tokio::spawn(async move { appender.work(&mut closing).await }).await;
            match worked {
                Ok(()) => break,
                Err(error) if error.is_panic() => {
                    tracing::error!(%error, "the appender panicked; another takes over")
                }
                Err(_) => break,
            }
        }
        // Before the receiver, by whose end it is known that all is answered.
        drop(abandoned);
    }
}

/// A queue that nobody works at any more, once this is dropped.
struct Abandoned(Arc<Queue>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Appender {
    fn new(database: Database, queue: Arc<Queue>, appended: broadcast::Sender<Appended>) -> Self {
        Self {
            database,
            connection: None,
            queue,
            appended,
        }
    }

    /// Works until the queue is closed and empty, or every handle is gone.
    async fn work(&mut self, closing: &mut watch::Receiver<bool>) {
        let queue = self.queue.clone();
        let close = async {
            // An error says that every handle is gone, and with them whoever could ask for more.
            drop(closing.wait_for(|closing| *closing).await);
            queue.close();
            // What waits is still carried out.
            std::future::pending::<()>().await;
        };
        let work = async {
            while let Some(batch) = self.queue.next_batch().await {
                self.carry_out(batch).await;
                // Those that were answered may ask again at once, and come into the next batch together: two that ask in
                // turns would else never share one.
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = work => {}
            () = close => {}
        }
    }

    async fn carry_out(&mut self, batch: Vec<Job>) {
        let appends: Vec<&Prepared> = batch.iter().map(|job| &job.prepared).collect();
        let events = appends.iter().map(|prepared| prepared.of_event.len()).sum();
        let began = Instant::now();
        let span = tracing::debug_span!(parent: None, "batch", appends = batch.len(), events);
        for job in &batch {
            // Whoever reads the trace of a request finds the batch that it waited for.
            span.follows_from(&job.span);
        }
        let answers = self.answers(&appends).instrument(span).await;
        self.database.measures().batch(began.elapsed(), events, &answers);
        self.tell(&batch, &answers);
        for (job, answer) in batch.into_iter().zip(answers) {
            // Whoever asked may have gone; the append stands, and its command id tells.
            drop(job.answer.send(answer));
        }
    }

    async fn answers(&mut self, appends: &[&Prepared]) -> Vec<Answer> {
        match self.attempt(appends).await {
            Ok(answers) => answers,
            Err(LogError::Unavailable { retry_after }) => {
                vec![Err(LogError::Unavailable { retry_after }); appends.len()]
            }
            Err(error) if appends.len() == 1 => vec![Err(error)],
            Err(error) => {
                tracing::warn!(%error, appends = appends.len(), "a batch was refused; trying its appends alone");
                self.each_alone(appends).await
            }
        }
    }

    /// One append that the database cannot take must not take its neighbours with it.
    async fn each_alone(&mut self, appends: &[&Prepared]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(appends.len());
        for append in appends {
            let answer = match self.attempt(&[*append]).await {
                Ok(mut one) => one
                    .pop()
                    .unwrap_or_else(|| Err(LogError::beside("an append has no answer"))),
                Err(error) => Err(error),
            };
            let gone = matches!(answer, Err(LogError::Unavailable { .. }));
            answers.push(answer);
            if gone {
                break;
            }
        }
        answers.resize(appends.len(), Err(LogError::unavailable()));
        answers
    }

    /// Tries a batch until it gets through, a few times. Trying again is safe whatever became of the attempt
    /// before: an append that got through then is found by its command id and answers `Replayed`.
    async fn attempt(&mut self, appends: &[&Prepared]) -> Result<Vec<Answer>, LogError> {
        let batch = Batch::new(appends);
        let mut back_off = BACK_OFF;
        for attempt in 1..=ATTEMPTS {
            let error = match tokio::time::timeout(ATTEMPT_TIMEOUT, self.once(&batch, appends)).await {
                Ok(Ok(answers)) => return Ok(answers),
                Ok(Err(error)) if is_transient(&error) => error.to_string(),
                Ok(Err(error)) => return Err(error.into()),
                Err(elapsed) => elapsed.to_string(),
            };
            tracing::warn!(%error, attempt, "the appender lost its connection");
            self.database.measures().attempt_lost();
            self.connection = None;
            if attempt < ATTEMPTS {
                tokio::time::sleep(back_off).await;
                back_off *= 2;
            }
        }
        Err(LogError::unavailable())
    }

    async fn once(&mut self, batch: &Batch<'_>, appends: &[&Prepared]) -> Result<Vec<Answer>, sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => empty.insert(self.database.dedicated().await?),
        };
        batch.run(connection, appends).await
    }

    fn tell(&self, batch: &[Job], answers: &[Answer]) {
        let mut heads: Vec<Appended> = Vec::new();
        for (job, answer) in batch.iter().zip(answers) {
            // A replay is told too: it may be our own commit, whose answer was lost.
            let (Ok(Outcome::Appended(receipt)) | Ok(Outcome::Replayed(receipt))) = answer else {
                continue;
            };
            let tenant = job.prepared.append.tenant;
            match heads.iter_mut().find(|head| head.tenant == tenant) {
                Some(head) => head.position = head.position.max(receipt.last),
                None => heads.push(Appended {
                    tenant,
                    position: receipt.last,
                }),
            }
        }
        for head in heads {
            // Nobody may be following.
            drop(self.appended.send(head));
        }
    }
}
