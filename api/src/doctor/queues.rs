//! What follows the log: read models, policies and jobs.

use chrono::{DateTime, TimeDelta, Utc};
use commands::jobs::{PolicyHealth, TaskHealth};
use projections::ProjectionHealth;

use super::{Finding, State, words};

/// How far behind a read model may be, and how far it is when nobody brings it forward.
const LATE: TimeDelta = TimeDelta::minutes(1);
const STANDS_STILL: TimeDelta = TimeDelta::minutes(15);
/// Events that policies may be behind while they work.
const MANY_EVENTS: i64 = 1_000;
/// For how long a job may wait that could be done.
const JOB_WAITS: TimeDelta = TimeDelta::minutes(5);

const NOBODY: &str = "see whether `hibachi up` or `hibachi work` runs, and its log";

/// How the read models are.
pub(super) fn read_models(all: &[ProjectionHealth]) -> Finding {
    let named = |is: fn(&ProjectionHealth) -> bool| {
        let names: Vec<&str> = all
            .iter()
            .filter(|health| is(health))
            .map(|health| health.projection.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let wrong = |found: String, to_do: &str| Finding::new("read_models", State::Wrong, found, to_do);
    if let Some(names) = named(|health| health.stopped > 0) {
        return wrong(
            format!("stopped at an event: {names}"),
            "`hibachi projections list --org SLUG` says why; a newer program may be needed",
        );
    }
    if let Some(names) = named(|health| health.drifted_rows > 0) {
        return wrong(
            format!("rows are not what the log gives: {names}"),
            "`hibachi projections check --org SLUG` names them, `rebuild` mends them; find out who wrote them",
        );
    }
    if let Some(names) = named(|health| health.parked_keys > 0) {
        return wrong(
            format!("rows are held back: {names}"),
            "`hibachi projections park list --org SLUG` says why, `park retry` mends it after the fix",
        );
    }
    let worst = all.iter().max_by_key(|health| health.worst_lag_ms);
    let lag = worst.map_or(TimeDelta::zero(), |health| {
        TimeDelta::milliseconds(health.worst_lag_ms)
    });
    let name = worst.map_or("", |health| health.projection.as_str());
    let found = format!("{name} is behind the log, for {}", words(lag));
    if lag > STANDS_STILL {
        return wrong(found, NOBODY);
    }
    if lag > LATE {
        return Finding::new("read_models", State::Warning, found, NOBODY);
    }
    Finding::well("read_models", format!("{} follow the log", all.len()))
}

/// How what reacts to events is.
pub(super) fn policies(all: &[PolicyHealth], now: DateTime<Utc>) -> Finding {
    let waiting: i64 = all.iter().map(|policy| policy.waiting).sum();
    let since = all.iter().filter_map(|policy| policy.waiting_since).min();
    if waiting > 0 {
        let since = since.map_or(TimeDelta::zero(), |since| now - since);
        return Finding::new(
            "policies",
            State::Warning,
            format!(
                "{waiting} reactions wait after a failure, the oldest for {}",
                words(since)
            ),
            "they are tried again by themselves; `hibachi jobs list --org SLUG` says why each waits",
        );
    }
    let behind = all.iter().map(|policy| policy.lag_events).max().unwrap_or(0);
    if behind > MANY_EVENTS {
        return Finding::new(
            "policies",
            State::Warning,
            format!("a policy is {behind} events behind"),
            NOBODY,
        );
    }
    Finding::well("policies", "no reaction waits")
}

/// How what is done beside the commands is.
pub(super) fn jobs(tasks: &[TaskHealth], dead: u64, now: DateTime<Utc>) -> Finding {
    if dead > 0 {
        return Finding::new(
            "jobs",
            State::Wrong,
            format!("{dead} jobs have failed for good"),
            "`hibachi jobs list --org SLUG --status dead`, then `jobs retry` after the fix, or `jobs drop`",
        );
    }
    let oldest = tasks.iter().filter_map(|task| task.due_since).min();
    let waits = oldest.map_or(TimeDelta::zero(), |since| now - since);
    let left: i64 = tasks.iter().map(|task| task.jobs).sum();
    if waits > JOB_WAITS {
        return Finding::new(
            "jobs",
            State::Wrong,
            format!("a job has waited for {}, and nobody does it", words(waits)),
            NOBODY,
        );
    }
    Finding::well(
        "jobs",
        format!("none has failed for good; {left} are still to do"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> ProjectionHealth {
        ProjectionHealth {
            projection: "booking_list".to_owned(),
            companies: 1,
            behind: 0,
            lag_events: 0,
            worst_lag_events: 0,
            worst_lag_ms: 0,
            stopped: 0,
            parked_keys: 0,
            drifted: 0,
            drifted_rows: 0,
            unchecked: 0,
            oldest_check: None,
        }
    }

    #[test]
    fn a_read_model_that_is_wrong_is_worse_than_one_that_is_late() {
        let state = |health| read_models(&[health]).state;
        assert_eq!(state(health()), State::Well);
        assert_eq!(read_models(&[]).state, State::Well);
        let late = |minutes: i64| ProjectionHealth {
            worst_lag_ms: minutes * 60_000,
            ..health()
        };
        assert_eq!(
            [state(late(1)), state(late(2)), state(late(16))],
            [State::Well, State::Warning, State::Wrong]
        );
        let found = read_models(&[ProjectionHealth {
            stopped: 1,
            parked_keys: 2,
            ..health()
        }]);
        assert_eq!(
            (found.state, found.found.as_str()),
            (State::Wrong, "stopped at an event: booking_list")
        );
        assert_eq!(
            state(ProjectionHealth {
                drifted_rows: 1,
                ..health()
            }),
            State::Wrong
        );
        assert_eq!(
            state(ProjectionHealth {
                parked_keys: 1,
                ..health()
            }),
            State::Wrong
        );
    }

    #[test]
    fn what_waits_is_told_with_since_when() {
        let now = DateTime::from_timestamp(10_000, 0).unwrap();
        let policy = |lag_events, waiting| PolicyHealth {
            policy: "when_refund_is_pending".to_owned(),
            behind: 0,
            lag_events,
            waiting,
            waiting_since: DateTime::from_timestamp(2_800, 0),
        };
        assert_eq!(policies(&[policy(3, 0)], now).state, State::Well);
        assert_eq!(policies(&[policy(2_000, 0)], now).state, State::Warning);
        let waits = policies(&[policy(0, 2)], now);
        assert_eq!(
            waits.found,
            "2 reactions wait after a failure, the oldest for 2 hours"
        );
    }

    #[test]
    fn a_job_that_nobody_does_is_wrong() {
        let now = DateTime::from_timestamp(10_000, 0).unwrap();
        let task = |due_since| TaskHealth {
            task: "send_message".to_owned(),
            jobs: 1,
            due: 1,
            held: 0,
            again: 0,
            due_since: DateTime::from_timestamp(due_since, 0),
        };
        assert_eq!(jobs(&[task(9_990)], 0, now).state, State::Well);
        assert_eq!(jobs(&[task(9_000)], 0, now).state, State::Wrong);
        assert_eq!(jobs(&[], 1, now).found, "1 jobs have failed for good");
    }
}
