//! The lines of a run: one for each measurement as it is made, one for each case and peer at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::facts::Facts;
use super::target::{self, Bound};
use super::work::Measured;
use crate::cli::{Verdict, note};

/// The peer that the others are compared with.
pub(super) const OURS: &str = "ours";
/// The same on streams that it does not remember, and the rival on as many.
pub(super) const OURS_COLD: &str = "ours-cold";
pub(super) const RIVAL_COLD: &str = "postgres-es-cold";

/// The peer of ours that a peer is compared with: the one that has the same streams.
fn ours_beside(peer: &str) -> &'static str {
    if peer.ends_with("-cold") { OURS_COLD } else { OURS }
}

/// A number with three decimals, without floating point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Thousandths(u64);

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:03}", self.0 / 1_000, self.0 % 1_000))
    }
}

impl Serialize for Thousandths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

/// What is known of a case and peer, in one round or in the middle of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Figures {
    events: u64,
    /// Events loaded for each operation.
    loaded: Thousandths,
    seconds: Thousandths,
    events_per_s: u64,
    p50_ms: Option<Thousandths>,
    p95_ms: Option<Thousandths>,
    p99_ms: Option<Thousandths>,
    p999_ms: Option<Thousandths>,
    conflicts: u64,
    errors: u64,
    /// Processor time of this program, without the server's.
    cpu_seconds: Thousandths,
    /// That of the server, and its transactions, where a case is about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_cpu_seconds: Option<Thousandths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_transactions: Option<u64>,
    /// The most memory that this program took meanwhile, where a case is about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_mib: Option<u64>,
    /// How much more that is than it had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    grown_mib: Option<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    peer: &'static str,
    case: &'a str,
    clients: u32,
    round: u32,
    preloaded: u64,
    #[serde(flatten)]
    figures: Figures,
    #[serde(flatten)]
    facts: &'a Facts,
}

#[derive(Serialize)]
struct Summary<'a> {
    /// What the figures are over the rounds.
    summary: &'static str,
    peer: &'static str,
    case: &'a str,
    clients: u32,
    rounds: usize,
    preloaded: u64,
    #[serde(flatten)]
    figures: Figures,
    /// Our rate over each peer's.
    ratios: BTreeMap<&'static str, Thousandths>,
    targets: Vec<Target>,
    #[serde(flatten)]
    facts: &'a Facts,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Target {
    target: String,
    reached: bool,
}

/// A case and peer with its rounds.
struct Series {
    case: String,
    peer: &'static str,
    clients: u32,
    rounds: Vec<Figures>,
}

/// What has been measured so far.
pub(super) struct Report {
    facts: Facts,
    preloaded: u64,
    series: Vec<Series>,
    failed: bool,
}

impl Report {
    /// Nothing yet, in a log that so many events were written to beforehand.
    pub(super) fn new(facts: Facts, preloaded: u64) -> Self {
        Self {
            facts,
            preloaded,
            series: Vec::new(),
            failed: false,
        }
    }

    /// Prints a measurement, and keeps it for the end.
    pub(super) fn add(
        &mut self,
        case: &str,
        peer: &'static str,
        clients: u32,
        round: u32,
        measured: &Measured,
    ) -> Result<()> {
        let figures = Figures::of(measured);
        print(&Line {
            peer,
            case,
            clients,
            round,
            preloaded: self.preloaded,
            figures,
            facts: &self.facts,
        })?;
        if let Some(error) = &measured.first_error {
            self.failed = true;
            note(format_args!(
                "{case}, {peer}: {} errors, the first: {error}",
                measured.errors
            ));
        }
        let known = self
            .series
            .iter_mut()
            .find(|series| series.case == case && series.peer == peer);
        match known {
            Some(series) => series.rounds.push(figures),
            None => self.series.push(Series {
                case: case.to_owned(),
                peer,
                clients,
                rounds: vec![figures],
            }),
        }
        Ok(())
    }

    /// Prints the medians with what they are compared with, for programs and for people.
    pub(super) fn finish(&self) -> Result<Verdict> {
        note(format_args!(
            "{:<24} {:<16} {:>12} {:>9} {:>9} {:>9}  {}",
            "median", "peer", "events/s", "p50 ms", "p99 ms", "p99.9 ms", "ours to it, and targets"
        ));
        for series in &self.series {
            let figures = median(&series.rounds);
            let (ratios, targets) = self.compared(series, &figures);
            self.table_line(series, &figures, &targets);
            print(&Summary {
                summary: "median",
                peer: series.peer,
                case: &series.case,
                clients: series.clients,
                rounds: series.rounds.len(),
                preloaded: self.preloaded,
                figures,
                ratios,
                targets,
                facts: &self.facts,
            })?;
        }
        Ok(if self.failed {
            Verdict::FoundWrong
        } else {
            Verdict::Well
        })
    }

    fn rate(&self, case: &str, peer: &str) -> Option<u64> {
        let series = self
            .series
            .iter()
            .find(|series| series.case == case && series.peer == peer)?;
        Some(median(&series.rounds).events_per_s)
    }

    fn compared(
        &self,
        series: &Series,
        figures: &Figures,
    ) -> (BTreeMap<&'static str, Thousandths>, Vec<Target>) {
        if series.peer != ours_beside(series.peer) {
            return (BTreeMap::new(), Vec::new());
        }
        let peers = self.series.iter().filter(|other| {
            other.case == series.case && other.peer != series.peer && ours_beside(other.peer) == series.peer
        });
        let ratios: BTreeMap<_, _> = peers
            .filter_map(|other| {
                let rate = median(&other.rounds).events_per_s;
                Some((other.peer, permille(figures.events_per_s, rate)?))
            })
            .collect();
        let reached = |bound: Bound| match bound {
            Bound::Ratio { peer, permille } => ratios.get(peer).is_some_and(|ratio| ratio.0 >= permille),
            Bound::Rate { events_per_s } => figures.events_per_s >= events_per_s,
            Bound::P95 { micros } => figures.p95_ms.is_some_and(|p95| p95.0 <= micros),
            Bound::P99 { micros } => figures.p99_ms.is_some_and(|p99| p99.0 <= micros),
            Bound::PerCore { events_per_s } => {
                // Who works on several cores takes less time than processor time; who waits takes more.
                let time = figures.cpu_seconds.max(figures.seconds).0.max(1);
                figures.events.saturating_mul(1_000) / time >= events_per_s
            }
        };
        let targets = target::of(&series.case, series.peer)
            .map(|bound| Target {
                target: bound.to_string(),
                reached: reached(bound),
            })
            .collect();
        (ratios, targets)
    }

    fn table_line(&self, series: &Series, figures: &Figures, targets: &[Target]) {
        let millis = |figure: Option<Thousandths>| figure.map_or_else(|| "–".to_owned(), |it| it.to_string());
        let ours = ours_beside(series.peer);
        let ours = self.rate(&series.case, ours).filter(|_| series.peer != ours);
        let mut beside = match ours.and_then(|ours| permille(ours, figures.events_per_s)) {
            Some(ratio) => vec![format!("{ratio} ×")],
            None => Vec::new(),
        };
        beside.extend(targets.iter().map(|Target { target, reached }| {
            format!("{target}: {}", if *reached { "reached" } else { "missed" })
        }));
        note(format_args!(
            "{:<24} {:<16} {:>12} {:>9} {:>9} {:>9}  {}",
            series.case,
            series.peer,
            figures.events_per_s,
            millis(figures.p50_ms),
            millis(figures.p99_ms),
            millis(figures.p999_ms),
            beside.join("; ")
        ));
    }
}

/// Prints a line. A reader that has gone is an error, not a panic: the scratch database is still to be dropped.
fn print(line: &impl Serialize) -> Result<()> {
    let line = serde_json::to_string(line)?;
    writeln!(std::io::stdout(), "{line}").context("nobody reads the lines")
}

impl Figures {
    fn of(measured: &Measured) -> Self {
        let events = u128::from(measured.events);
        let micros = measured.took.as_micros().max(1);
        let percentile = |permille| measured.latencies.permille(permille).map(Thousandths);
        Self {
            events: measured.events,
            loaded: Thousandths(measured.loaded * 1_000 / measured.operations.max(1)),
            seconds: millis(measured.took),
            events_per_s: u64::try_from(events * 1_000_000 / micros).unwrap_or(u64::MAX),
            p50_ms: percentile(500),
            p95_ms: percentile(950),
            p99_ms: percentile(990),
            p999_ms: percentile(999),
            conflicts: measured.conflicts,
            errors: measured.errors,
            cpu_seconds: millis(measured.cpu),
            server_cpu_seconds: measured.server.as_ref().map(|server| millis(server.cpu())),
            server_transactions: measured.server.as_ref().map(|server| server.transactions),
            peak_mib: measured.peak_mib,
            grown_mib: measured.grown_mib,
        }
    }
}

fn millis(time: Duration) -> Thousandths {
    Thousandths(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn permille(this: u64, of: u64) -> Option<Thousandths> {
    this.saturating_mul(1_000).checked_div(of).map(Thousandths)
}

/// The middle of each figure, the lower one of two; of what went wrong the sum.
fn median(rounds: &[Figures]) -> Figures {
    let count = |figure: fn(&Figures) -> u64| middle(rounds.iter().map(figure)).unwrap_or(0);
    let time = |figure: fn(&Figures) -> Option<Thousandths>| middle(rounds.iter().filter_map(figure));
    let exact =
        |figure: fn(&Figures) -> Thousandths| middle(rounds.iter().map(figure)).unwrap_or(Thousandths(0));
    let sum = |figure: fn(&Figures) -> u64| rounds.iter().map(figure).sum();
    Figures {
        events: count(|round| round.events),
        loaded: exact(|round| round.loaded),
        seconds: exact(|round| round.seconds),
        events_per_s: count(|round| round.events_per_s),
        p50_ms: time(|round| round.p50_ms),
        p95_ms: time(|round| round.p95_ms),
        p99_ms: time(|round| round.p99_ms),
        p999_ms: time(|round| round.p999_ms),
        conflicts: sum(|round| round.conflicts),
        errors: sum(|round| round.errors),
        cpu_seconds: exact(|round| round.cpu_seconds),
        server_cpu_seconds: time(|round| round.server_cpu_seconds),
        server_transactions: middle(rounds.iter().filter_map(|round| round.server_transactions)),
        peak_mib: rounds.iter().filter_map(|round| round.peak_mib).max(),
        grown_mib: rounds.iter().filter_map(|round| round.grown_mib).max(),
    }
}

fn middle<T: Ord>(figures: impl Iterator<Item = T>) -> Option<T> {
    let mut figures: Vec<T> = figures.collect();
    figures.sort_unstable();
    let middle = figures.len().saturating_sub(1) / 2;
    figures.into_iter().nth(middle)
}
