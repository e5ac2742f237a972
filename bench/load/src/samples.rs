//! What was measured: each answer of the time that counts, with how long it took to its last byte.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// What was asked for.
    Well,
    /// A rule of the business said no, as it may: somebody else has the slot.
    Refused,
    /// 429: the client asked for more than its allowance.
    Throttled,
    /// Anything else, no answer among it.
    Error,
}

#[derive(Debug, Default)]
struct Of {
    well: Vec<Duration>,
    refused: u64,
    throttled: u64,
    errors: u64,
    example: Option<String>,
}

static SAMPLES: Mutex<BTreeMap<&'static str, Of>> = Mutex::new(BTreeMap::new());
static WINDOW: OnceLock<(Instant, Instant)> = OnceLock::new();

/// Says from when until when it counts.
pub fn count_between(from: Instant, until: Instant) {
    WINDOW.set((from, until)).expect("a run measures once");
}

/// Writes down what came of a request that began then.
pub fn note(what: &'static str, began: Instant, came: Came, said: impl FnOnce() -> String) {
    let (from, until) = WINDOW.get().expect("it was said what counts");
    if began < *from || began >= *until {
        return;
    }
    let took = began.elapsed();
    let mut samples = SAMPLES.lock().expect("nobody panics with it");
    let of = samples.entry(what).or_default();
    match came {
        Came::Well => of.well.push(took),
        Came::Refused => of.refused += 1,
        Came::Throttled => of.throttled += 1,
        Came::Error => {
            of.errors += 1;
            of.example.get_or_insert_with(said);
        }
    }
}

/// What was measured, a line for each kind of request, and one for all of a company.
pub fn lines(case: &str, seconds: u64) -> Vec<Value> {
    let mut samples = SAMPLES.lock().expect("nobody panics with it");
    let mut sums: BTreeMap<&'static str, Of> = BTreeMap::new();
    let mut lines = Vec::new();
    for (what, of) in samples.iter_mut() {
        lines.push(line(case, what, of, seconds));
        let whole = match what.split(' ').next() {
            // What looks whether the program is well is no user's request.
            Some("health") => continue,
            Some("quiet") => "quiet, all",
            _ => "all",
        };
        let sum = sums.entry(whole).or_default();
        sum.well.extend(&of.well);
        sum.refused += of.refused;
        sum.throttled += of.throttled;
        sum.errors += of.errors;
    }
    lines.extend(sums.iter_mut().map(|(what, of)| line(case, what, of, seconds)));
    lines
}

fn line(case: &str, what: &str, of: &mut Of, seconds: u64) -> Value {
    of.well.sort_unstable();
    let count = of.well.len() as u64 + of.refused + of.throttled + of.errors;
    let share = |part: u64| part as f64 * 100.0 / count.max(1) as f64;
    json!({
        "case": case, "request": what, "requests": count, "seconds": seconds,
        "per_s": count as f64 / seconds as f64,
        "p50_ms": quantile(&of.well, 0.50), "p95_ms": quantile(&of.well, 0.95), "p99_ms": quantile(&of.well, 0.99),
        "refused_percent": share(of.refused), "throttled_percent": share(of.throttled),
        "error_percent": share(of.errors), "example": of.example,
    })
}

/// The smallest that at least this share is not above; of answers that came well.
fn quantile(sorted: &[Duration], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let found = sorted.get(rank.max(1) - 1)?;
    Some(found.as_secs_f64() * 1_000.0)
}
