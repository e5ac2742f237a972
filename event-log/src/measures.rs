//! What the log and the way to the database measure of themselves. No tenant is named: every label has few values, all
//! of them the program's own words.

use std::time::{Duration, Instant};

use domain::envelope::Claim;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::append::Outcome;
use crate::batch::Answer;

/// One label with one of a few values.
type Label = [(&'static str, &'static str); 1];
/// A question: whose rows it is about, and what is asked of them.
type Question = [(&'static str, &'static str); 2];

/// Bounds of what takes milliseconds, in seconds.
const SHORT: [f64; 11] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Bounds of how many appends share a batch, up to the most there may be.
const APPENDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// From when on a statement is slow, where nothing else is said.
const SLOW: Duration = Duration::from_secs(1);

fn short() -> Histogram {
    Histogram::new(SHORT)
}

/// What is measured of a database and of the log in it. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Measures {
    pub(crate) slow_after: Duration,
    batch_appends: Histogram,
    batch_seconds: Histogram,
    batch_events: Counter,
    attempts_lost: Counter,
    outcomes: Family<Label, Counter>,
    claims_refused: Family<Label, Counter>,
    connection_wait: Histogram,
    connections_refused: Counter,
    questions: Family<Question, Histogram, fn() -> Histogram>,
    slow: Family<Question, Counter>,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            slow_after: SLOW,
            batch_appends: Histogram::new(APPENDS),
            batch_seconds: short(),
            batch_events: Counter::default(),
            attempts_lost: Counter::default(),
            outcomes: Family::default(),
            claims_refused: Family::default(),
            connection_wait: short(),
            connections_refused: Counter::default(),
            questions: Family::new_with_constructor(short),
            slow: Family::default(),
        }
    }
}

impl Measures {
    /// A batch was answered that took so long, with so many appends and events.
    pub(crate) fn batch(&self, took: Duration, events: usize, answers: &[Answer]) {
        let appends = u32::try_from(answers.len()).unwrap_or(u32::MAX);
        self.batch_appends.observe(f64::from(appends));
        self.batch_seconds.observe(took.as_secs_f64());
        self.batch_events
            .inc_by(u64::try_from(events).unwrap_or(u64::MAX));
        for answer in answers {
            let outcome = [("outcome", outcome(answer))];
            self.outcomes.get_or_create(&outcome).inc();
            if let Ok(Outcome::ClaimRefused { claim }) = answer {
                self.claims_refused.get_or_create(&[("kind", kind(claim))]).inc();
            }
        }
    }

    /// An attempt at a batch was lost with its connection.
    pub(crate) fn attempt_lost(&self) {
        self.attempts_lost.inc();
    }

    /// A connection was there after so long.
    pub(crate) fn leased(&self, waited: Duration) {
        self.connection_wait.observe(waited.as_secs_f64());
    }

    /// No connection came in time.
    pub(crate) fn not_leased(&self) {
        self.connections_refused.inc();
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hibachi_append_batch_appends",
            "Appends that were carried out in one transaction",
            self.batch_appends.clone(),
        );
        registry.register(
            "hibachi_append_batch_seconds",
            "From when a batch was taken up until it was on disk and answered",
            self.batch_seconds.clone(),
        );
        registry.register(
            "hibachi_append_events",
            "Events of the appends that were carried out, those that were refused included",
            self.batch_events.clone(),
        );
        registry.register(
            "hibachi_append_attempts_lost",
            "Attempts at a batch that were lost with their connection and made again",
            self.attempts_lost.clone(),
        );
        registry.register(
            "hibachi_append_outcomes",
            "What became of appends: appended, replayed, conflict, claim_refused, mismatch, unavailable, refused",
            self.outcomes.clone(),
        );
        registry.register(
            "hibachi_claims_refused",
            "Claims that were not free: a slot, a chef's time, a code or an id that somebody has",
            self.claims_refused.clone(),
        );
        registry.register(
            "hibachi_database_connection_wait_seconds",
            "How long a transaction waited for its connection",
            self.connection_wait.clone(),
        );
        registry.register(
            "hibachi_database_connections_refused",
            "Transactions that got no connection in time",
            self.connections_refused.clone(),
        );
        registry.register(
            "hibachi_question_seconds",
            "How long the database took to answer a question to a read model or the log",
            self.questions.clone(),
        );
        registry.register(
            "hibachi_questions_slow",
            "Questions that took longer than the limit for slow ones",
            self.slow.clone(),
        );
    }
}

fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Ok(Outcome::Appended(_)) => "appended",
        Ok(Outcome::Replayed(_)) => "replayed",
        Ok(Outcome::Conflict { .. }) => "conflict",
        Ok(Outcome::ClaimRefused { .. }) => "claim_refused",
        Ok(Outcome::IdempotencyMismatch) => "mismatch",
        Err(crate::LogError::Unavailable { .. }) => "unavailable",
        Err(_) => "refused",
    }
}

fn kind(claim: &Claim) -> &'static str {
    match claim {
        Claim::TakeUnique { .. } | Claim::ReleaseUnique { .. } => "unique",
        Claim::TakeCapacity { .. } | Claim::ReleaseCapacity { .. } => "capacity",
        Claim::TakeInterval { .. } | Claim::ReleaseInterval { .. } => "interval",
    }
}

/// A question that the database is at. Its time is taken when this is dropped; one that took too long is told in the log
/// by its name, and never by what was asked for.
#[derive(Debug)]
pub struct Asking {
    measures: Measures,
    of: &'static str,
    what: &'static str,
    began: Instant,
}

impl Asking {
    pub(crate) fn new(measures: Measures, of: &'static str, what: &'static str) -> Self {
        Self {
            measures,
            of,
            what,
            began: Instant::now(),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let labels = [("of", self.of), ("what", self.what)];
        let measures = &self.measures;
        measures
            .questions
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        if took >= measures.slow_after {
            measures.slow.get_or_create(&labels).inc();
            let question = format_args!("{}.{}", self.of, self.what);
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(%question, ms, "slow statement: a question took longer than its limit");
        }
    }
}

/// How the connections of a pool are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// How many there may be.
    pub size: u32,
    /// How many are in use.
    pub in_use: u32,
    /// How many are open and wait to be used.
    pub idle: u32,
}
