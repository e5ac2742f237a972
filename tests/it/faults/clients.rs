//! Clients that append until they are told to stop, and remember what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use event_log::{EventLog, LogError};
use rand::Rng;
use tests::seed::random;
use tests::writer::Writer;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::invariants::{Attempt, Fate};

/// Wait before the log is asked again.
const PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writers at work.
pub(super) struct Clients {
    tasks: JoinSet<Vec<Attempt>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
}

impl Clients {
    pub(super) fn new() -> Self {
        Self {
            tasks: JoinSet::new(),
            stop: Arc::default(),
            acknowledged: Arc::default(),
            failed: Arc::default(),
        }
    }

    /// Sends a writer to work. Of the appends that get no answer it asks again for some, and gives up the others.
    pub(super) fn start(&mut self, log: EventLog, writer: Writer) {
        let (stop, acknowledged, failed) = (
            Arc::clone(&self.stop),
            Arc::clone(&self.acknowledged),
            Arc::clone(&self.failed),
        );
        self.tasks.spawn(async move {
            let mut random = random(writer.seed, u64::MAX - 1 - u64::from(writer.number));
            let mut attempts = Vec::new();
            for turn in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let append = writer.append(turn);
                let fate = loop {
                    match log.append(append.clone()).await {
                        Ok(outcome) => break Fate::of(&outcome),
                        Err(LogError::Unavailable { .. }) => {}
                        Err(error) => panic!("writer {} in turn {turn}: {error}", writer.number),
                    }
                    failed.fetch_add(1, Ordering::Relaxed);
                    sleep(PAUSE).await;
                    if random.random_bool(0.5) || stop.load(Ordering::Relaxed) {
                        break Fate::Unknown;
                    }
                };
                if fate != Fate::Unknown {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                attempts.push(Attempt { append, fate });
            }
            attempts
        });
    }

    /// Answers so far.
    pub(super) fn answered(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Appends that the log was unavailable for, so far.
    pub(super) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// Waits for so many more answers: the clients go on by themselves.
    pub(super) async fn progress(&mut self, more: usize) {
        let wanted = self.answered() + more;
        let deadline = Instant::now() + PATIENCE;
        while self.answered() < wanted {
            self.assert_at_work();
            assert!(
                Instant::now() < deadline,
                "no progress: {} answers",
                self.answered()
            );
            sleep(Duration::from_millis(2)).await;
        }
    }

    fn assert_at_work(&mut self) {
        if let Some(ended) = self.tasks.try_join_next() {
            let attempts = ended.expect("a client meets no error but that the log is unavailable");
            panic!("a client gave up after {} appends", attempts.len());
        }
    }

    /// Tells them to stop, and has what they know.
    pub(super) async fn stop(self) -> Vec<Attempt> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}
