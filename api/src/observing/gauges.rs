//! Figures that are looked up when they are asked for: how the read models, the policies and the jobs are, summed up over
//! the companies.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use commands::jobs::{PolicyHealth, QueueHealth, TaskHealth};
use projections::ProjectionHealth;

use crate::app::App;

/// A gauge: its name, what it means, and where it is.
type Gauge<T> = (&'static str, &'static str, fn(&T) -> i64);

const OF_READ_MODELS: [Gauge<ProjectionHealth>; 10] = [
    ("companies", "Companies that have the read model.", |health| {
        health.companies
    }),
    ("behind", "Companies in which it is behind the log.", |health| {
        health.behind
    }),
    ("lag_events", "Events that it is behind, summed up.", |health| {
        health.lag_events
    }),
    (
        "worst_lag_events",
        "Events that it is behind where it is furthest behind.",
        |health| health.worst_lag_events,
    ),
    (
        "worst_lag_milliseconds",
        "How long the next event has waited where it has stood still for longest.",
        |health| health.worst_lag_ms,
    ),
    (
        "stopped",
        "Companies in which it has stopped at an event.",
        |health| health.stopped,
    ),
    ("parked_keys", "Rows and streams that are held back.", |health| {
        health.parked_keys
    }),
    (
        "drifted",
        "Companies in which rows are not what the log gives.",
        |health| health.drifted,
    ),
    (
        "drifted_rows",
        "Rows that are not what the log gives.",
        |health| health.drifted_rows,
    ),
    (
        "unchecked",
        "Companies in which it was never compared with the log.",
        |health| health.unchecked,
    ),
];

const OF_POLICIES: [Gauge<PolicyHealth>; 3] = [
    ("behind", "Companies in which it is behind the log.", |health| {
        health.behind
    }),
    ("lag_events", "Events that it is behind, summed up.", |health| {
        health.lag_events
    }),
    ("waiting", "Events that wait since a reaction failed.", |health| {
        health.waiting
    }),
];

const OF_TASKS: [Gauge<TaskHealth>; 4] = [
    ("queued", "Jobs that are still to do.", |health| health.jobs),
    (
        "due",
        "Jobs that could be done by now and nobody is at.",
        |health| health.due,
    ),
    ("held", "Jobs that a program is at.", |health| health.held),
    ("retried", "Jobs that have been tried in vain.", |health| {
        health.again
    }),
];

/// Writes a gauge with one label: its name, what it means, and its values.
pub(super) fn gauge<'a>(
    text: &mut String,
    (name, help): (&str, &str),
    label: &str,
    values: impl IntoIterator<Item = (&'a str, i64)>,
) {
    let begun = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    begun.expect("a text takes what is written");
    for (value, number) in values {
        let written = if label.is_empty() {
            writeln!(text, "{name} {number}")
        } else {
            writeln!(text, "{name}{{{label}=\"{value}\"}} {number}")
        };
        written.expect("a text takes what is written");
    }
}

fn gauges<T>(
    text: &mut String,
    (prefix, label): (&str, &str),
    gauges: &[Gauge<T>],
    all: &[T],
    name_of: impl Fn(&T) -> &str,
) {
    for (name, help, value) in gauges {
        let values = all.iter().map(|one| (name_of(one), value(one)));
        gauge(text, (&format!("{prefix}_{name}"), help), label, values);
    }
}

/// What this program knows without asking.
pub(super) fn of_this_program(text: &mut String, app: &App) {
    let pool = app.database.pool();
    let states = [
        ("in_use", i64::from(pool.in_use)),
        ("idle", i64::from(pool.idle)),
        (
            "unopened",
            i64::from(pool.size) - i64::from(pool.in_use) - i64::from(pool.idle),
        ),
    ];
    let about = (
        "hibachi_database_connections",
        "Connections of the pool; those that may still be opened as unopened.",
    );
    gauge(text, about, "state", states);
    let about = ("hibachi_append_waiting", "Appends that wait for their turn.");
    let waiting = i64::try_from(app.log.waiting()).unwrap_or(i64::MAX);
    gauge(text, about, "", [("", waiting)]);
}

/// What the database says of the read models, the policies and the jobs.
pub(super) async fn of_the_database(app: &App) -> String {
    let mut text = String::new();
    let asked = tokio::join!(app.views.health(), app.commands.queue_health());
    let about = ("hibachi_database_up", "Whether the database answers: 1 or 0.");
    match asked {
        (Ok(models), Ok(queues)) => {
            gauge(&mut text, about, "", [("", 1)]);
            read_models(&mut text, &models);
            the_queues(&mut text, &queues, app.clock.now());
        }
        (models, queues) => {
            let error = models.err().map(|error| error.to_string());
            let error = error.or_else(|| queues.err().map(|error| error.to_string()));
            tracing::warn!(error, "the figures lack what the database would give");
            gauge(&mut text, about, "", [("", 0)]);
        }
    }
    text
}

fn read_models(text: &mut String, all: &[ProjectionHealth]) {
    let prefix = ("hibachi_projection", "projection");
    gauges(text, prefix, &OF_READ_MODELS, all, |health| &health.projection);
    let checked = all.iter().filter_map(|health| {
        let at = health.oldest_check?;
        Some((health.projection.as_str(), at.timestamp()))
    });
    let about = (
        "hibachi_projection_oldest_check_timestamp_seconds",
        "When it was compared with the log, where that was longest ago.",
    );
    gauge(text, about, "projection", checked);
}

fn the_queues(text: &mut String, queues: &QueueHealth, now: DateTime<Utc>) {
    let QueueHealth { tasks, policies } = queues;
    gauges(
        text,
        ("hibachi_policy", "policy"),
        &OF_POLICIES,
        policies,
        |one| &one.policy,
    );
    let age = |since: DateTime<Utc>| (now - since).num_seconds().max(0);
    let waiting = policies
        .iter()
        .filter_map(|one| Some((one.policy.as_str(), age(one.waiting_since?))));
    let about = (
        "hibachi_policy_waiting_age_seconds",
        "How long ago the first event happened that waits since a reaction failed.",
    );
    gauge(text, about, "policy", waiting);
    gauges(text, ("hibachi_jobs", "task"), &OF_TASKS, tasks, |one| &one.task);
    let due = tasks
        .iter()
        .map(|one| (one.task.as_str(), one.due_since.map_or(0, age)));
    let about = (
        "hibachi_jobs_age_seconds",
        "For how long the job that could be done for longest has waited.",
    );
    gauge(text, about, "task", due);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_explained_once_and_given_for_each_read_model() {
        let health = |projection: &str, parked_keys| ProjectionHealth {
            projection: projection.to_owned(),
            companies: 3,
            behind: 0,
            lag_events: 0,
            worst_lag_events: 0,
            worst_lag_ms: 0,
            stopped: 0,
            parked_keys,
            drifted: 0,
            drifted_rows: 0,
            unchecked: 3,
            oldest_check: None,
        };
        let mut text = String::new();
        read_models(&mut text, &[health("booking_list", 2), health("tax_ledger", 0)]);
        let parked = "# HELP hibachi_projection_parked_keys Rows and streams that are held back.\n\
            # TYPE hibachi_projection_parked_keys gauge\n\
            hibachi_projection_parked_keys{projection=\"booking_list\"} 2\n\
            hibachi_projection_parked_keys{projection=\"tax_ledger\"} 0\n";
        assert!(text.contains(parked), "{text}");
        assert!(
            text.ends_with("seconds gauge\n"),
            "nothing was compared yet: {text}"
        );
    }

    #[test]
    fn a_job_is_as_old_as_it_could_have_been_done() {
        let now = DateTime::from_timestamp(1_000, 0).unwrap();
        let task = |due_since| TaskHealth {
            task: "send_message".to_owned(),
            jobs: 1,
            due: 1,
            held: 0,
            again: 0,
            due_since,
        };
        let age = |due_since| {
            let queues = QueueHealth {
                tasks: vec![task(due_since)],
                policies: Vec::new(),
            };
            let mut text = String::new();
            the_queues(&mut text, &queues, now);
            text.lines().last().unwrap_or_default().to_owned()
        };
        let line = |seconds: i64| format!("hibachi_jobs_age_seconds{{task=\"send_message\"}} {seconds}");
        assert_eq!(age(DateTime::from_timestamp(940, 0)), line(60));
        assert_eq!(age(None), line(0));
        // A clock that went back.
        assert_eq!(age(DateTime::from_timestamp(2_000, 0)), line(0));
    }
}
