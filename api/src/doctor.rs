//! Whether all is well with an installation, and what to do where it is not. It looks and changes nothing.

mod place;
mod queues;
mod server;

use std::path::Path;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use commands::ports::Clock;
use domain::access::{Role, StationScope, Viewer};
use domain::envelope::Position;
use domain::ids::{TenantId, UserId};
use domain::job::JobStatus;
use projections::At;
use projections::job_list::{self, JobFilter};
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;

use place::Mark;
pub(crate) use place::write_mark;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// All is well.
    Well,
    /// It cannot be told from here.
    Unknown,
    /// It will be wrong before long, or may be already.
    Warning,
    /// Something is wrong.
    Wrong,
}

/// What was looked at, how it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at: a word that does not change.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was found, for people.
    pub found: String,
    /// What to do about it; nothing where all is well.
    #[serde(rename = "do")]
    pub to_do: Option<String>,
}

impl Finding {
    fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Well,
            found: found.into(),
            to_do: None,
        }
    }

    fn new(check: &'static str, state: State, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            check,
            state,
            found: found.into(),
            to_do: Some(to_do.into()),
        }
    }
}

/// What can be told of an installation without its database.
pub(crate) fn look_around(data_dir: &Path, has_server_here: bool, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = vec![place::disk(data_dir, has_server_here)];
    findings.extend(place::keys(&data_dir.join("secrets"), now));
    findings
}

/// The database did not let us in, or could not be brought up to date.
pub(crate) fn out_of_reach(error: &anyhow::Error) -> Finding {
    Finding::new(
        "database",
        State::Wrong,
        format!("{error:#}"),
        "see whether it runs, and whether DATABASE_URL or --data-dir names it; its own log says more",
    )
}

/// What the database, and the program's tables in it, tell.
///
/// # Errors
/// When the database is gone meanwhile.
pub(crate) async fn examine(app: &App, data_dir: &Path) -> Result<Vec<Finding>> {
    let before = app.clock.now();
    let facts = app.database.server().await?;
    let after = app.clock.now();
    let mut findings = server::all(&facts);
    findings.push(server::clock(facts.now, before, after));
    findings.push(place::backup(
        facts.archiver.as_ref(),
        Mark::read(data_dir).as_ref(),
        after,
    ));
    findings.push(queues::read_models(&app.views.health().await?));
    let queues = app.commands.queue_health().await?;
    findings.push(queues::policies(&queues.policies, after));
    findings.push(queues::jobs(&queues.tasks, dead_jobs(app).await?, after));
    Ok(findings)
}

/// How many jobs wait for a person, over all companies.
async fn dead_jobs(app: &App) -> Result<u64> {
    let mut dead = 0;
    for company in app.database.organisations().await? {
        // A company whose log was never written to has no read model yet.
        if app.log.head(company.tenant).await?.position == Position::START {
            continue;
        }
        let filter = JobFilter {
            status: Some(JobStatus::Dead),
            task: None,
        };
        dead += job_list::count(&app.views, &auditor(company.tenant), filter, At::NOW)
            .await?
            .value;
    }
    Ok(dead)
}

/// Whoever has the installation's secrets reads as an auditor.
fn auditor(tenant: TenantId) -> Viewer {
    Viewer {
        tenant,
        user: UserId(Uuid::nil()),
        role: Role::Auditor,
        stations: StationScope::All,
        through: None,
    }
}

/// What the clock shows where no program runs.
pub(crate) fn now() -> DateTime<Utc> {
    commands::gateways::SystemClock.now()
}

/// A span of time in words: the largest unit that there is one of.
fn words(span: TimeDelta) -> String {
    let one = |number: i64, unit: &str| {
        let ending = if number == 1 { "" } else { "s" };
        format!("{number} {unit}{ending}")
    };
    match (span.num_days(), span.num_hours(), span.num_minutes()) {
        (days, _, _) if days > 0 => one(days, "day"),
        (_, hours, _) if hours > 0 => one(hours, "hour"),
        (_, _, minutes) if minutes > 0 => one(minutes, "minute"),
        _ => one(span.num_seconds().max(0), "second"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        for (seconds, told) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "1 minute"),
            (7_200, "2 hours"),
            (86_400, "1 day"),
            (-5, "0 seconds"),
        ] {
            assert_eq!(words(TimeDelta::seconds(seconds)), told);
        }
    }

    #[test]
    fn states_are_in_order_of_how_bad_they_are() {
        assert!(
            State::Well < State::Unknown && State::Unknown < State::Warning && State::Warning < State::Wrong
        );
    }
}
