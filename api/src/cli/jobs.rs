//! `hibachi jobs`.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{JobId, TenantId, UserId};
use domain::job::{JobStatus, JobTask};
use projections::job_list::{self, JobFilter, JobRow};
use projections::{At, Slice};
use uuid::Uuid;

use super::{Verdict, expect_installation, note, say, tenant, with_app};
use crate::app::App;
use crate::installation::Location;

/// What is done beside the commands, and went wrong.
#[derive(Debug, Subcommand)]
pub(super) enum Jobs {
    /// List jobs that have failed, what changed last first. Exit code 1 when one is dead.
    List(List),
    /// Show one job.
    Show(One),
    /// Let a dead job be tried again, or all of them.
    Retry(Retry),
    /// Give a dead job up.
    Drop(Drop),
    /// List what recurs, when it is due next, and when it was done last.
    Schedules(Company),
}

#[derive(Debug, Args)]
pub(super) struct Company {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    company: Company,
    /// Jobs that stand there alone.
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = clap::value_parser!(u16).range(1..=500))]
    first: u16,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    company: Company,
    /// Id of the job, as `list` has it.
    #[arg(value_name = "JOB")]
    job: JobId,
}

#[derive(Debug, Args)]
pub(super) struct Retry {
    #[command(flatten)]
    company: Company,
    /// Id of the job, as `list` has it.
    #[arg(
        value_name = "JOB",
        required_unless_present = "all_dead",
        conflicts_with = "all_dead"
    )]
    job: Option<JobId>,
    /// Every job that is dead now.
    #[arg(long)]
    all_dead: bool,
    /// Of those, the ones that are to do this.
    #[arg(long, value_name = "TASK", requires = "all_dead")]
    task: Option<Task>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Task {
    /// A message is taken to a customer.
    SendMessage,
    /// A policy reacts to what it could not react to at once.
    React,
    /// What has come to the log is held against its hashes.
    CheckLog,
    /// Uploads are destroyed that no review names.
    SweepMedia,
}

impl From<Task> for JobTask {
    fn from(task: Task) -> Self {
        match task {
            Task::SendMessage => Self::SendMessage,
            Task::React => Self::React,
            Task::CheckLog => Self::CheckLog,
            Task::SweepMedia => Self::SweepMedia,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Drop {
    #[command(flatten)]
    one: One,
    /// Why; 3 to 500 characters.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// It is tried again by itself.
    Retrying,
    /// It waits for a person.
    Dead,
    /// A person has given it up.
    Dropped,
    /// It is done after all.
    Completed,
}

impl From<Status> for JobStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Retrying => Self::Retrying,
            Status::Dead => Self::Dead,
            Status::Dropped => Self::Dropped,
            Status::Completed => Self::Completed,
        }
    }
}

impl Jobs {
    pub(super) async fn run(self) -> Result<Verdict> {
        let company = match &self {
            Self::List(list) => &list.company,
            Self::Show(one) => &one.company,
            Self::Retry(retry) => &retry.company,
            Self::Drop(drop) => &drop.one.company,
            Self::Schedules(company) => company,
        };
        expect_installation(&company.location)?;
        with_app(&company.location, async |app| {
            let tenant = tenant(&app, &company.org).await?;
            app.views.catch_up(tenant).await?;
            match &self {
                Self::List(ask) => list(&app, tenant, ask).await,
                Self::Show(one) => show(&app, tenant, one.job).await,
                Self::Retry(Retry { job: Some(job), .. }) => {
                    let caller = Caller::system(tenant, "jobs");
                    changed(app.commands.retry_job(caller, new_key()?, *job, None).await)
                }
                Self::Retry(retry) => retry_all(&app, tenant, retry.task.map(JobTask::from)).await,
                Self::Schedules(_) => schedules(&app, tenant).await,
                Self::Drop(ask) => {
                    let caller = Caller::system(tenant, "jobs");
                    let reason = ask.reason.clone();
                    changed(
                        app.commands
                            .drop_job(caller, new_key()?, ask.one.job, None, reason)
                            .await,
                    )
                }
            }
        })
        .await
    }
}

/// Each time it is typed it is asked for anew.
fn new_key() -> Result<IdempotencyKey> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(IdempotencyKey::from_client(&hex::encode(bytes))?)
}

fn changed(done: Result<commands::Written, CommandError>) -> Result<Verdict> {
    match done {
        Ok(written) => {
            note(format_args!("done at position {}", written.position.0));
            Ok(Verdict::Well)
        }
        Err(CommandError::Refused(refused)) => {
            note(format_args!("{}: {}", refused.code, refused.message));
            Ok(Verdict::FoundWrong)
        }
        Err(error) => bail!(error),
    }
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

async fn list(app: &App, tenant: TenantId, ask: &List) -> Result<Verdict> {
    let filter = JobFilter {
        status: ask.status.map(JobStatus::from),
        task: None,
    };
    let viewer = auditor(tenant);
    let page = job_list::page(&app.views, &viewer, filter, Slice::first(ask.first), At::NOW).await?;
    say(format_args!(
        "{:<36}  {:<12}  {:<9}  {:>8}  {:<20}  why",
        "job", "task", "status", "attempts", "changed"
    ));
    for listed in &page.rows {
        say(line(&listed.row));
    }
    let dead = JobFilter {
        status: Some(JobStatus::Dead),
        task: None,
    };
    let dead = job_list::count(&app.views, &viewer, dead, At::NOW).await?.value;
    if dead > 0 {
        note(format_args!(
            "{dead} dead: `hibachi jobs retry` or `hibachi jobs drop`"
        ));
        return Ok(Verdict::FoundWrong);
    }
    Ok(Verdict::Well)
}

/// Jobs that are looked at in one page.
const PAGE: u16 = 500;

/// Lets every dead job be tried again that is dead when it begins.
async fn retry_all(app: &App, tenant: TenantId, task: Option<JobTask>) -> Result<Verdict> {
    let filter = JobFilter {
        status: Some(JobStatus::Dead),
        task,
    };
    let viewer = auditor(tenant);
    let mut dead = Vec::new();
    let mut slice = Slice::first(PAGE);
    loop {
        let page = job_list::page(&app.views, &viewer, filter.clone(), slice, At::NOW).await?;
        dead.extend(page.rows.iter().map(|listed| listed.row.job_id));
        match page.end.filter(|_| page.has_next) {
            Some(end) => {
                slice = Slice {
                    after: Some(end),
                    first: PAGE,
                }
            }
            None => break,
        }
    }
    let (mut retried, mut left) = (0, 0);
    for job in dead {
        let caller = Caller::system(tenant, "jobs");
        match app.commands.retry_job(caller, new_key()?, job, None).await {
            Ok(_) => retried += 1,
            // Somebody else has let it go on, or given it up.
            Err(CommandError::Refused(refused)) => {
                left += 1;
                note(format_args!("{job}: {}: {}", refused.code, refused.message));
            }
            Err(error) => bail!(error),
        }
    }
    note(format_args!("tried again: {retried}"));
    Ok(if left > 0 {
        Verdict::FoundWrong
    } else {
        Verdict::Well
    })
}

async fn show(app: &App, tenant: TenantId, job: JobId) -> Result<Verdict> {
    let found = job_list::one(&app.views, &auditor(tenant), job, At::NOW).await?;
    let Some(row) = found.value else {
        note(format_args!("there is no job {job}, or it never failed"));
        return Ok(Verdict::FoundWrong);
    };
    say(line(&row));
    say(format_args!(
        "of {}, failed first at {}",
        row.subject, row.first_failed_at
    ));
    if row.task == JobTask::React {
        match app.commands.waiting_reaction(tenant, row.subject).await? {
            Some(waiting) => say(format_args!(
                "{} of {} waits with {}, since {}",
                waiting.policy, waiting.process, waiting.waiting, waiting.since
            )),
            None => say("nothing of it waits any more"),
        }
    }
    if let Some(at) = row.retry_at {
        say(format_args!("is tried again at {at}"));
    }
    if let Some(reason) = &row.reason {
        say(format_args!("given up: {reason}"));
    }
    Ok(Verdict::Well)
}

async fn schedules(app: &App, tenant: TenantId) -> Result<Verdict> {
    let caller = Caller::system(tenant, "jobs");
    let schedules = app.commands.job_schedules(&caller).await?;
    if schedules.is_empty() {
        note("nothing recurs yet: `hibachi up` and `hibachi work` begin with it");
        return Ok(Verdict::Well);
    }
    let at = |at: Option<DateTime<Utc>>| {
        at.map_or_else(
            || "never".to_owned(),
            |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
    };
    let row = |task: &str, rule: &str, zone: &str, next: &str, due: &str, done: &str, job: &str| {
        say(format_args!(
            "{task:<12}  {rule:<12}  {zone:<20}  {next:<20}  {due:<20}  {done:<20}  {job}"
        ));
    };
    row(
        "task",
        "recurs",
        "zone",
        "next",
        "last due",
        "last done",
        "last job",
    );
    for schedule in schedules {
        row(
            schedule.task.as_str(),
            &schedule.rule,
            &schedule.zone,
            &at(Some(schedule.next_at)),
            &at(schedule.last_due_at),
            &at(schedule.last_done_at),
            &schedule
                .last_job
                .map_or_else(|| "none".to_owned(), |job| job.to_string()),
        );
    }
    Ok(Verdict::Well)
}

fn line(row: &JobRow) -> String {
    format!(
        "{:<36}  {:<12}  {:<9}  {:>8}  {:<20}  {}",
        row.job_id.to_string(),
        row.task.as_str(),
        row.status.as_str(),
        row.attempts,
        row.changed_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        row.code
    )
}
