//! What waits to be appended: bounded, fair between tenants, and handed out a batch at a time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::envelope::StreamId;
use domain::ids::{CommandId, TenantId};
use tokio::sync::{Notify, oneshot};
use tracing::Span;

use crate::append::Append;
use crate::batch::Answer;
use crate::prepared::Prepared;

/// Appends that may wait at most; the next one is refused instead of waiting without end.
const WAITING: usize = 4096;
/// Appends of one tenant that may wait at most: a flood of one leaves room for the others.
const WAITING_OF_TENANT: usize = WAITING / 4;
/// Bytes that may wait at most, and of one tenant.
const BYTES: usize = 64 << 20;
const BYTES_OF_TENANT: usize = BYTES / 4;
/// Appends in one batch at most.
const BATCH: usize = 256;
/// Bytes after which a batch takes no further append.
const BATCH_BYTES: usize = 4 << 20;
/// Appends looked through for a batch at most, with those that have to wait for the next.
const LOOK_AHEAD: usize = 1024;

/// An append in the queue, with who waits for it.
pub(crate) struct Job {
    pub(crate) prepared: Prepared,
    pub(crate) answer: oneshot::Sender<Answer>,
    /// What it is part of.
    pub(crate) span: Span,
}

/// There is no room for another append, or the log is shutting down.
pub(crate) struct Full;

/// The queue before the appender.
#[derive(Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// Told when there is work, or the queue is closed.
    work: Notify,
}

#[derive(Default)]
struct Waiting {
    closed: bool,
    jobs: usize,
    bytes: usize,
    tenants: HashMap<TenantId, OfTenant>,
    /// Tenants with jobs, in the order of their turns.
    turns: VecDeque<TenantId>,
}

#[derive(Default)]
struct OfTenant {
    jobs: VecDeque<Job>,
    bytes: usize,
}

impl Queue {
    /// Adds a job.
    pub(crate) fn push(&self, job: Job) -> Result<(), Full> {
        self.waiting().push(job)?;
        self.work.notify_one();
        Ok(())
    }

    /// The next batch, as soon as there is one; none when the queue is closed and empty.
    pub(crate) async fn next_batch(&self) -> Option<Vec<Job>> {
        loop {
            {
                let mut waiting = self.waiting();
                let batch = waiting.next_batch();
                if !batch.is_empty() {
                    return Some(batch);
                }
                if waiting.closed {
                    return None;
                }
            }
            self.work.notified().await;
        }
    }

    /// How many wait.
    pub(crate) fn waiting_now(&self) -> usize {
        self.waiting().jobs
    }

    /// Takes no more jobs; those that wait are still handed out.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
        self.work.notify_one();
    }

    /// Takes no more jobs and lets go of those that wait: nobody is there to carry them out.
    pub(crate) fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.closed = true;
        waiting.turns.clear();
        let abandoned = std::mem::take(&mut waiting.tenants);
        drop(waiting);
        // Whoever waits hears of it by this.
        drop(abandoned);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, job: Job) -> Result<(), Full> {
        let bytes = job.prepared.bytes();
        let tenant = job.prepared.append.tenant;
        let own = self.tenants.get(&tenant);
        // However large, an append that finds the queue empty gets in.
        let fits = |waiting: usize, most: usize| waiting == 0 || waiting.saturating_add(bytes) <= most;
        let room = !self.closed
            && self.jobs < WAITING
            && fits(self.bytes, BYTES)
            && own.is_none_or(|own| own.jobs.len() < WAITING_OF_TENANT && fits(own.bytes, BYTES_OF_TENANT));
        if !room {
            return Err(Full);
        }
        self.jobs += 1;
        self.bytes += bytes;
        let own = self.tenants.entry(tenant).or_insert_with(|| {
            self.turns.push_back(tenant);
            OfTenant::default()
        });
        own.bytes += bytes;
        own.jobs.push_back(job);
        Ok(())
    }

    /// One append of each tenant in turn, until the batch is full: those that touch nothing that an earlier one
    /// touches, the others stay where they were.
    fn next_batch(&mut self) -> Vec<Job> {
        let mut touched = Touched::default();
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut held: HashMap<TenantId, VecDeque<Job>> = HashMap::new();
        let mut looked_at = 0;
        let mut turns = std::mem::take(&mut self.turns);
        while let Some(tenant) = turns.pop_front() {
            let full = batch.len() == BATCH || bytes >= BATCH_BYTES || looked_at == LOOK_AHEAD;
            let job = if full { None } else { self.take(tenant) };
            let Some(job) = job else {
                self.turns.push_back(tenant);
                continue;
            };
            turns.push_back(tenant);
            looked_at += 1;
            if touched.add(&job.prepared.append) {
                bytes += job.prepared.bytes();
                batch.push(job);
            } else {
                held.entry(tenant).or_default().push_back(job);
            }
        }
        for (tenant, jobs) in held {
            self.give_back(tenant, jobs);
        }
        let tenants = &self.tenants;
        self.turns
            .retain(|tenant| tenants.get(tenant).is_some_and(|own| !own.jobs.is_empty()));
        self.tenants.retain(|_, own| !own.jobs.is_empty());
        batch
    }

    fn take(&mut self, tenant: TenantId) -> Option<Job> {
        let own = self.tenants.get_mut(&tenant)?;
        let job = own.jobs.pop_front()?;
        let bytes = job.prepared.bytes();
        own.bytes -= bytes;
        self.bytes -= bytes;
        self.jobs -= 1;
        Some(job)
    }

    fn give_back(&mut self, tenant: TenantId, jobs: VecDeque<Job>) {
        let own = self.tenants.entry(tenant).or_default();
        for job in jobs.into_iter().rev() {
            let bytes = job.prepared.bytes();
            own.bytes += bytes;
            self.bytes += bytes;
            self.jobs += 1;
            own.jobs.push_front(job);
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
