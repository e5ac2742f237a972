//! Metrics in the text that Prometheus reads: how the read models are, summed up over the companies. No company is named,
//! and what it costs does not grow with how often it is asked.

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::{ProjectionHealth, ReadModels};
use tokio::sync::Mutex;

/// For how long an answer is given again.
const GOOD_FOR: Duration = Duration::from_secs(5);

/// What was answered last, and when.
#[derive(Clone)]
pub(super) struct Metrics {
    views: ReadModels,
    last: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Metrics {
    pub(super) fn of(views: ReadModels) -> Self {
        Self {
            views,
            last: Arc::default(),
        }
    }
}

/// A gauge: its name, what it means, and where it is.
type Gauge = (&'static str, &'static str, fn(&ProjectionHealth) -> i64);

const GAUGES: [Gauge; 10] = [
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

pub(super) async fn metrics(State(metrics): State<Metrics>) -> Response {
    let mut last = metrics.last.lock().await;
    let text = match &*last {
        Some((at, text)) if at.elapsed() < GOOD_FOR => text.clone(),
        Some(_) | None => match metrics.views.health().await {
            Ok(all) => {
                let text = text(&all);
                *last = Some((Instant::now(), text.clone()));
                text
            }
            Err(error) => {
                tracing::warn!(%error, "no metrics");
                return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response();
            }
        },
    };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

fn text(all: &[ProjectionHealth]) -> String {
    let mut text = String::new();
    let mut write = |name: &str, help: &str, values: Vec<(&str, i64)>| {
        let done = writeln!(
            text,
            "# HELP hibachi_projection_{name} {help}\n# TYPE hibachi_projection_{name} gauge"
        );
        done.expect("a text takes what is written");
        for (projection, value) in values {
            let done = writeln!(
                text,
                "hibachi_projection_{name}{{projection=\"{projection}\"}} {value}"
            );
            done.expect("a text takes what is written");
        }
    };
    for (name, help, value) in GAUGES {
        let values = all
            .iter()
            .map(|health| (health.projection.as_str(), value(health)));
        write(name, help, values.collect());
    }
    let checked = all.iter().filter_map(|health| {
        let at = health.oldest_check?;
        Some((health.projection.as_str(), at.timestamp()))
    });
    write(
        "oldest_check_timestamp_seconds",
        "When it was compared with the log, where that was longest ago.",
        checked.collect(),
    );
    text
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
        let text = text(&[health("booking_list", 2), health("tax_ledger", 0)]);
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
}
