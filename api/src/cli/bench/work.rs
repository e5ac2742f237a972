//! Work that is measured: clients that do one thing after another for a while.

use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use tokio::task::JoinSet;

use super::latencies::Latencies;
use super::server_use::ServerUse;

/// Errors after which a client gives up: the others go on, and the report says so.
const ERRORS: u64 = 100;

/// One way to do what a case asks for.
pub(super) trait Work: Clone + Send + Sync + 'static {
    /// Does it once, as one client.
    fn once(&self) -> impl Future<Output = Result<Done, Miss>> + Send;
}

/// What doing it once came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Events that it is counted as.
    pub(super) events: u64,
    /// Events that were loaded for it.
    pub(super) loaded: u64,
}

/// Why it came to nothing.
#[derive(Debug)]
pub(super) enum Miss {
    /// Somebody else was faster, as the rules allow.
    Conflict,
    /// It should not have happened.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Miss {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// How long each that came to something took; empty where there was only one.
    pub(super) latencies: Latencies,
    /// Times that it came to something.
    pub(super) operations: u64,
    /// Events of those.
    pub(super) events: u64,
    /// Events that were loaded for them.
    pub(super) loaded: u64,
    /// Times that somebody else was faster.
    pub(super) conflicts: u64,
    /// Times that it failed.
    pub(super) errors: u64,
    /// What the first failure said.
    pub(super) first_error: Option<String>,
    /// From the first start to the last end.
    pub(super) took: Duration,
    /// Processor time of this program meanwhile, without the server's.
    pub(super) cpu: Duration,
    /// What the server did meanwhile, where that was asked.
    pub(super) server: Option<ServerUse>,
    /// The most memory that this program took meanwhile, where that was asked.
    pub(super) peak_mib: Option<u64>,
    /// How much more that is than it had before, where that was asked.
    pub(super) grown_mib: Option<u64>,
}

impl Measured {
    /// Counts one.
    pub(super) fn count(&mut self, took: Duration, came_to: Result<Done, Miss>) {
        match came_to {
            Ok(done) => {
                self.latencies
                    .add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
                self.operations += 1;
                self.events += done.events;
                self.loaded += done.loaded;
            }
            Err(Miss::Conflict) => self.conflicts += 1,
            Err(Miss::Failed(error)) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.latencies.merge(&other.latencies);
        self.operations += other.operations;
        self.events += other.events;
        self.loaded += other.loaded;
        self.conflicts += other.conflicts;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }
}

/// Lets clients do it again and again, each after its own last, until the time is over; once at least, however short it
/// is.
pub(super) async fn drive<W: Work>(work: &W, clients: u32, time: Duration) -> Result<Measured> {
    let (cpu, began) = (cpu_time()?, Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        tasks.spawn(client(work.clone(), began + time));
    }
    let mut all = Measured::default();
    while let Some(one) = tasks.join_next().await {
        all.merge(one?);
    }
    all.took = began.elapsed();
    all.cpu = cpu_time()?.saturating_sub(cpu);
    Ok(all)
}

async fn client<W: Work>(work: W, deadline: Instant) -> Measured {
    let mut measured = Measured::default();
    let mut now = Instant::now();
    loop {
        let came_to = work.once().await;
        let then = Instant::now();
        measured.count(then - now, came_to);
        now = then;
        if now >= deadline || measured.errors >= ERRORS {
            return measured;
        }
    }
}

/// Measures what is long enough to be done but once.
pub(super) async fn once<W: Work>(work: &W) -> Result<Measured> {
    let (cpu, began) = (cpu_time()?, Instant::now());
    let came_to = work.once().await;
    let mut measured = Measured::default();
    measured.count(began.elapsed(), came_to);
    measured.latencies = Latencies::default();
    measured.took = began.elapsed();
    measured.cpu = cpu_time()?.saturating_sub(cpu);
    Ok(measured)
}

/// Processor time of this process so far: its own and the system's for it.
pub(super) fn cpu_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Idle;

    impl Work for Idle {
        async fn once(&self) -> Result<Done, Miss> {
            Ok(Done { events: 1, loaded: 0 })
        }
    }

    #[tokio::test]
    async fn a_client_that_comes_too_late_works_once_all_the_same() {
        let measured = drive(&Idle, 3, Duration::ZERO).await.unwrap();
        assert_eq!((measured.operations, measured.events), (3, 3));
    }
}
