//! The server of the database: whether it loses what it has acknowledged, and whose clock goes wrong.

use chrono::{DateTime, TimeDelta, Utc};
use event_log::ServerFacts;

use super::{Finding, State, words};

/// The oldest version that the program runs on.
const OLDEST: i32 = 150_000;
/// How far the two clocks may be apart.
const APART: TimeDelta = TimeDelta::seconds(1);
/// How far they are apart when something is wrong: tokens and quiet hours go by one, the log by the other.
const FAR_APART: TimeDelta = TimeDelta::seconds(30);

/// What the server says of itself, judged.
pub(super) fn all(facts: &ServerFacts) -> Vec<Finding> {
    vec![answers(facts), durable(facts), pages(facts), connections(facts)]
}

fn answers(facts: &ServerFacts) -> Finding {
    let (major, minor) = (facts.version / 10_000, facts.version % 10_000);
    let size = facts.size >> 20;
    let found = format!("Postgres {major}.{minor} answers; the database takes {size} MiB");
    if facts.version < OLDEST {
        return Finding::new("database", State::Wrong, found, "move to Postgres 15 or newer");
    }
    Finding::well("database", found)
}

fn durable(facts: &ServerFacts) -> Finding {
    let mut loses = Vec::new();
    if !facts.fsync {
        loses.push("fsync is off");
    }
    // `local` flushes here and does not wait for others.
    if !["on", "local", "remote_write", "remote_apply"].contains(&facts.synchronous_commit.as_str()) {
        loses.push("synchronous_commit is off");
    }
    if !facts.full_page_writes {
        loses.push("full_page_writes is off");
    }
    if loses.is_empty() {
        return Finding::well("durability", "what is acknowledged is on disk");
    }
    Finding::new(
        "durability",
        State::Wrong,
        format!("{}: a crash loses what was acknowledged", loses.join(", ")),
        "switch it on in postgresql.conf and reload",
    )
}

fn pages(facts: &ServerFacts) -> Finding {
    if facts.data_checksums {
        return Finding::well("checksums", "pages that the disk has changed are noticed");
    }
    Finding::new(
        "checksums",
        State::Warning,
        "data checksums are off: what the disk changes is noticed by `hibachi replay verify` alone, and in the log alone",
        "stop the server and run pg_checksums --enable",
    )
}

fn connections(facts: &ServerFacts) -> Finding {
    let (most, open) = facts.connections;
    let found = format!("{open} of {most} connections are in use");
    // A tenth is kept for whoever has to look.
    if open * 10 >= most * 9 {
        return Finding::new(
            "connections",
            State::Warning,
            found,
            "raise max_connections, or end what nobody needs: pg_stat_activity names it",
        );
    }
    Finding::well("connections", found)
}

/// The database's clock beside ours, which was read before and after.
pub(super) fn clock(theirs: DateTime<Utc>, before: DateTime<Utc>, after: DateTime<Utc>) -> Finding {
    let apart = (before - theirs).max(theirs - after).max(TimeDelta::zero());
    let found = format!("the database's clock and ours are {} apart", words(apart));
    let state = if apart > FAR_APART {
        State::Wrong
    } else if apart > APART {
        State::Warning
    } else {
        return Finding::well("clock", found);
    };
    Finding::new(
        "clock",
        state,
        found,
        "let both machines take the time from one source (chrony)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> ServerFacts {
        ServerFacts {
            version: 160_004,
            now: DateTime::UNIX_EPOCH,
            fsync: true,
            synchronous_commit: "on".to_owned(),
            full_page_writes: true,
            data_checksums: true,
            connections: (100, 20),
            size: 300 << 20,
            archiver: None,
        }
    }

    fn states(facts: &ServerFacts) -> Vec<(&'static str, State)> {
        let found = all(facts);
        let bad = found.iter().filter(|finding| finding.state != State::Well);
        bad.map(|finding| (finding.check, finding.state)).collect()
    }

    #[test]
    fn a_server_that_is_set_up_well_is_found_so() {
        assert_eq!(states(&facts()), []);
        assert_eq!(
            answers(&facts()).found,
            "Postgres 16.4 answers; the database takes 300 MiB"
        );
    }

    #[test]
    fn whatever_loses_acknowledged_events_is_wrong() {
        let no_fsync = ServerFacts {
            fsync: false,
            ..facts()
        };
        let no_wait = ServerFacts {
            synchronous_commit: "off".to_owned(),
            ..facts()
        };
        let torn = ServerFacts {
            full_page_writes: false,
            ..facts()
        };
        for lossy in [&no_fsync, &no_wait, &torn] {
            assert_eq!(states(lossy), [("durability", State::Wrong)]);
        }
    }

    #[test]
    fn what_is_old_unwatched_or_nearly_full_is_told() {
        let old = ServerFacts {
            version: 140_011,
            ..facts()
        };
        assert_eq!(states(&old), [("database", State::Wrong)]);
        let unwatched = ServerFacts {
            data_checksums: false,
            ..facts()
        };
        assert_eq!(states(&unwatched), [("checksums", State::Warning)]);
        let full = ServerFacts {
            connections: (100, 90),
            ..facts()
        };
        assert_eq!(states(&full), [("connections", State::Warning)]);
    }

    #[test]
    fn clocks_are_compared_with_how_long_the_question_took() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert_eq!(clock(at(105), at(100), at(110)).state, State::Well);
        assert_eq!(clock(at(120), at(100), at(110)).state, State::Warning);
        assert_eq!(clock(at(90), at(100), at(110)).state, State::Warning);
        assert_eq!(clock(at(0), at(100), at(110)).state, State::Wrong);
    }
}
