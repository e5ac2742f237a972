//! What ours must reach, as `docs/benchmarks.md` says; set beside every summary.

use std::fmt;

use super::report::{OURS, OURS_COLD, RIVAL_COLD};

/// A bound on one case of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// So many thousandths of a peer's rate at least.
    Ratio {
        /// The peer.
        peer: &'static str,
        /// The thousandths.
        permille: u64,
    },
    /// So many microseconds in 95 of 100 at most.
    P95 {
        /// The microseconds.
        micros: u64,
    },
    /// So many microseconds in 99 of 100 at most.
    P99 {
        /// The microseconds.
        micros: u64,
    },
    /// So many events per second at least.
    Rate {
        /// The events.
        events_per_s: u64,
    },
    /// So many events per second of processor time of this program at least.
    PerCore {
        /// The events.
        events_per_s: u64,
    },
}

/// Every case that has a bound, and the peer of ours that it is on.
const TARGETS: [(&str, &str, Bound); 21] = [
    ("append_1ev_new_64", OURS, ratio("postgres-es", 4_000)),
    ("append_1ev_new_64", OURS, ratio("raw_row", 1_500)),
    ("append_1ev_new_64", OURS, Bound::P99 { micros: 10_000 }),
    ("append_1ev_new_1", OURS, ratio("raw_row", 800)),
    ("append_1ev_existing_64", OURS, ratio("postgres-es", 5_000)),
    ("append_1ev_existing_64", OURS_COLD, ratio(RIVAL_COLD, 5_000)),
    ("append_5ev_new_16", OURS, ratio("postgres-es", 2_000)),
    ("read_all", OURS, ratio("copy", 500)),
    ("project_live", OURS, Bound::Rate { events_per_s: 20_000 }),
    ("project_all", OURS, Bound::Rate { events_per_s: 20_000 }),
    ("visible_500", OURS, Bound::P99 { micros: 50_000 }),
    (
        "rebuild_booking_list",
        OURS,
        Bound::Rate {
            events_per_s: 300_000,
        },
    ),
    ("rebuild_booking_list", OURS, ratio("row_at_a_time", 10_000)),
    ("page_50", OURS, Bound::P95 { micros: 50_000 }),
    ("page_50", OURS, ratio("postgraphile", 3_000)),
    ("page_anew_50", OURS, Bound::P95 { micros: 50_000 }),
    ("page_anew_50", OURS, ratio("postgraphile", 3_000)),
    ("asof_tax", OURS, Bound::P99 { micros: 1_500_000 }),
    ("asof_tax_near", OURS, Bound::P99 { micros: 100_000 }),
    (
        "export_csv",
        OURS,
        Bound::Rate {
            events_per_s: 200_000,
        },
    ),
    (
        "verify",
        OURS,
        Bound::PerCore {
            events_per_s: 300_000,
        },
    ),
];

const fn ratio(peer: &'static str, permille: u64) -> Bound {
    Bound::Ratio { peer, permille }
}

/// The bounds of a case on a peer of ours.
pub(super) fn of(case: &str, peer: &str) -> impl Iterator<Item = Bound> {
    TARGETS
        .into_iter()
        .filter(move |(bounded, of, _)| *bounded == case && *of == peer)
        .map(|(_, _, bound)| bound)
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio { peer, permille } => {
                let digits = format!("{:03}", permille % 1_000);
                let fraction = digits.trim_end_matches('0');
                let point = if fraction.is_empty() { "" } else { "." };
                write!(f, "≥ {}{point}{fraction} × {peer}", permille / 1_000)
            }
            Self::P95 { micros } => write!(f, "p95 ≤ {} ms", micros / 1_000),
            Self::P99 { micros } => write!(f, "p99 ≤ {} ms", micros / 1_000),
            Self::Rate { events_per_s } => write!(f, "≥ {events_per_s} events/s"),
            Self::PerCore { events_per_s } => write!(f, "≥ {events_per_s} events/s on one core"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_as_it_was_set() {
        let read = |case, peer| of(case, peer).map(|bound| bound.to_string()).collect::<Vec<_>>();
        assert_eq!(
            read("append_1ev_new_64", OURS),
            ["≥ 4 × postgres-es", "≥ 1.5 × raw_row", "p99 ≤ 10 ms"]
        );
        assert_eq!(read("append_1ev_new_1", OURS), ["≥ 0.8 × raw_row"]);
        assert_eq!(read("verify", OURS), ["≥ 300000 events/s on one core"]);
        assert_eq!(read("append_1ev_existing_64", OURS), ["≥ 5 × postgres-es"]);
        assert_eq!(
            read("append_1ev_existing_64", OURS_COLD),
            ["≥ 5 × postgres-es-cold"]
        );
        assert!(read("load_stream_100", OURS).is_empty());
    }
}
