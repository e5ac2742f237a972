//! Group commit: one task that carries out whatever appends have queued, a batch at a time.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use domain::envelope::{Position, StreamId};
use domain::ids::{CommandId, TenantId};
use sqlx::postgres::PgConnection;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::append::{Append, Outcome};
use crate::batch::{Answer, Batch};
use crate::database::Database;
use crate::error::{LogError, is_transient};

/// Appends in one batch at most.
const BATCH: usize = 256;
/// Appends looked through for a batch at most, with those that have to wait for the next.
const LOOK_AHEAD: usize = 1024;
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

/// An append in the queue, with who waits for it.
pub(crate) struct Job {
    pub(crate) append: Append,
    pub(crate) answer: oneshot::Sender<Answer>,
}

pub(crate) struct Appender {
    database: Database,
    connection: Option<PgConnection>,
    queue: mpsc::Receiver<Job>,
    /// Jobs that touch what a batch before them touched, in order of arrival.
    waiting: VecDeque<Job>,
    appended: broadcast::Sender<Appended>,
}

impl Appender {
    pub(crate) fn new(
        database: Database,
        queue: mpsc::Receiver<Job>,
        appended: broadcast::Sender<Appended>,
    ) -> Self {
        Self {
            database,
            connection: None,
            queue,
            waiting: VecDeque::new(),
            appended,
        }
    }

    /// Works until the queue is closed and empty.
    pub(crate) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        loop {
            if self.waiting.is_empty() {
                tokio::select! {
                    job = self.queue.recv() => match job {
                        Some(job) => self.waiting.push_back(job),
                        None => return,
                    },
                    // An error says that every handle is gone, and with them every sender of jobs.
                    _ = closing.wait_for(|closing| *closing), if !self.queue.is_closed() => self.queue.close(),
                }
                continue;
            }
            let batch = self.next_batch();
            self.carry_out(batch).await;
        }
    }

    fn next_batch(&mut self) -> Vec<Job> {
        let mut touched = Touched::default();
        let mut batch = Vec::new();
        let mut held = VecDeque::new();
        while batch.len() < BATCH && batch.len() + held.len() < LOOK_AHEAD {
            let Some(job) = self.waiting.pop_front().or_else(|| self.queue.try_recv().ok()) else {
                break;
            };
            if touched.add(&job.append) {
                batch.push(job);
            } else {
                held.push_back(job);
            }
        }
        held.append(&mut self.waiting);
        self.waiting = held;
        batch
    }

    async fn carry_out(&mut self, batch: Vec<Job>) {
        let appends: Vec<&Append> = batch.iter().map(|job| &job.append).collect();
        let answers = match self.attempt(&appends).await {
            Ok(answers) => answers,
            Err(LogError::Unavailable { retry_after }) => {
                vec![Err(LogError::Unavailable { retry_after }); batch.len()]
            }
            Err(error) if batch.len() == 1 => vec![Err(error)],
            Err(error) => {
                tracing::warn!(%error, appends = batch.len(), "a batch was refused; trying its appends alone");
                self.each_alone(&appends).await
            }
        };
        self.tell(&batch, &answers);
        for (job, answer) in batch.into_iter().zip(answers) {
            // Whoever asked may have gone; the append stands, and its command id tells.
            drop(job.answer.send(answer));
        }
    }

    /// One append that the database cannot take must not take its neighbours with it.
    async fn each_alone(&mut self, appends: &[&Append]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(appends.len());
        for append in appends {
            let answer = match self.attempt(&[*append]).await {
                Ok(mut one) => one
                    .pop()
                    .unwrap_or_else(|| Err(LogError::beside("an append has no answer"))),
                Err(error) => Err(error),
            };
            answers.push(answer);
        }
        answers
    }

    /// Tries a batch until it gets through, a few times. Trying again is safe whatever became of the attempt
    /// before: an append that got through then is found by its command id and answers `Replayed`.
    async fn attempt(&mut self, appends: &[&Append]) -> Result<Vec<Answer>, LogError> {
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
            self.connection = None;
            if attempt < ATTEMPTS {
                tokio::time::sleep(back_off).await;
                back_off *= 2;
            }
        }
        Err(LogError::unavailable())
    }

    async fn once(&mut self, batch: &Batch<'_>, appends: &[&Append]) -> Result<Vec<Answer>, sqlx::Error> {
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
            let tenant = job.append.tenant;
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

/// What the appends of a batch touch. Two may guard the same stream; none may touch one that another writes,
/// and none may come before one that was held back for that.
#[derive(Default)]
struct Touched {
    written: HashSet<(TenantId, StreamId)>,
    guarded: HashSet<(TenantId, StreamId)>,
    commands: HashSet<(TenantId, CommandId)>,
}

impl Touched {
    /// Notes what an append touches; says whether it touches nothing of those before it.
    fn add(&mut self, append: &Append) -> bool {
        let mut free = self.commands.insert((append.tenant, append.command_id));
        for write in &append.streams {
            let key = (append.tenant, write.stream.clone());
            free &= !self.guarded.contains(&key);
            free &= self.written.insert(key);
        }
        for (stream, _) in &append.reads {
            let key = (append.tenant, stream.clone());
            let own = append.streams.iter().any(|write| write.stream == *stream);
            free &= own || !self.written.contains(&key);
            self.guarded.insert(key);
        }
        free
    }
}
