//! Jobs that went wrong: what is done beside the commands, and what becomes of it.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::jobs::JobSchedule as Schedule;
use commands::policies::WaitingReaction as Waiting;
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{ConversationId, JobId, MessageId};
use domain::job::{Job as Aggregate, JobStatus as DomainStatus, JobTask as DomainTask};
use projections::job_list::{self, JobFilter as Filter, JobRow};

use super::connection::{connection, counter, payload};
use super::error::{UserError, fault, outcome, refused_question, unread};
use super::id::{global, local, named};
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::LogPosition;
use super::session::{app, caller, under_key, viewer};

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainTask")]
pub(super) enum JobTask {
    /// A message is taken to a customer.
    SendMessage,
    /// A policy reacts to what it could not react to at once.
    React,
    /// What has come to the log since it was checked last is held against its hashes. Recurs.
    CheckLog,
    /// Pictures and videos are destroyed that were uploaded and that no review names. Recurs.
    SweepMedia,
    /// An answer in a conversation is taken to the customer.
    SendAnswer,
}

/// Where a job stands that has failed at least once.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum JobStatus {
    /// It is tried again by itself.
    Retrying,
    /// It waits for a person.
    Dead,
    /// A person has given it up.
    Dropped,
    /// It is done after all.
    Completed,
}

/// A job that has failed at least once. What never failed is not here: it is in what it was for.
#[derive(Clone, Description)]
pub(super) struct Job {
    row: JobRow,
}

#[Object(use_type_description)]
impl Job {
    /// Opaque id.
    async fn id(&self) -> ID {
        global(self.row.job_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// What is to be done.
    async fn task(&self) -> JobTask {
        self.row.task.into()
    }
    /// Opaque id of what it is done to; of what recurs, of the one time that it was due.
    async fn subject_id(&self) -> ID {
        match self.row.task {
            DomainTask::SendMessage => global(MessageId(self.row.subject)),
            DomainTask::SendAnswer => global(ConversationId(self.row.subject)),
            DomainTask::React => named("WaitingReaction", &self.row.subject.to_string()),
            DomainTask::CheckLog | DomainTask::SweepMedia => {
                named("JobOccurrence", &self.row.subject.to_string())
            }
        }
    }
    /// Where it stands.
    async fn status(&self) -> JobStatus {
        self.row.status.into()
    }
    /// How often it was tried since it was queued, or since a person let it be tried again.
    async fn attempts(&self) -> i32 {
        self.row.attempts
    }
    /// What a policy has still to react to, as it is now, whatever is asked for; null of other jobs, and once nothing waits any more.
    #[graphql(complexity = "5 + child_complexity")]
    async fn reaction(&self, ctx: &Context<'_>) -> Result<Option<WaitingReaction>> {
        match self.row.task {
            DomainTask::SendMessage
            | DomainTask::SendAnswer
            | DomainTask::CheckLog
            | DomainTask::SweepMedia => Ok(None),
            DomainTask::React => {
                let tenant = viewer(ctx)?.tenant;
                let waiting = app(ctx).commands.waiting_reaction(tenant, self.row.subject).await;
                let waiting = waiting.map_err(|error| fault("UNAVAILABLE", &error))?;
                Ok(waiting.map(WaitingReaction::from))
            }
        }
    }
    /// Why it failed last, as a stable word: `UNREACHABLE`, `REFUSED`, `TIMED_OUT`, `CRASHED`; of a reaction also `LOG_REFUSES`,
    /// `CONFLICT`, `IDEMPOTENCY_MISMATCH`, `UNREADABLE_STATE`; of a check of the log `LOG_CHANGED`, when it is not as it was
    /// written.
    async fn code(&self) -> &str {
        &self.row.code
    }
    /// When it failed first.
    async fn first_failed_at(&self) -> DateTime<Utc> {
        self.row.first_failed_at
    }
    /// When something last happened to it.
    async fn changed_at(&self) -> DateTime<Utc> {
        self.row.changed_at
    }
    /// When it is tried again; null when it is not.
    async fn retry_at(&self) -> Option<DateTime<Utc>> {
        self.row.retry_at
    }
    /// Why a person has given it up.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }
}

/// What a policy has still to react to in one business process, in order. Other processes go on.
#[derive(SimpleObject)]
pub(super) struct WaitingReaction {
    /// Name of the policy: `when_deposit_captured`.
    policy: String,
    /// The business process, by the policy's own name for it: mostly the id of a booking or a payment.
    process: String,
    /// How much waits: events of the process, and a time that has come.
    waiting: i32,
    /// Place of the first of it in the log; 0 for a time that has come.
    first_position: LogPosition,
    /// When the first of it happened.
    since: DateTime<Utc>,
}

impl From<Waiting> for WaitingReaction {
    fn from(waiting: Waiting) -> Self {
        Self {
            policy: waiting.policy,
            process: waiting.process,
            waiting: i32::try_from(waiting.waiting).unwrap_or(i32::MAX),
            first_position: waiting.first.into(),
            since: waiting.since,
        }
    }
}

connection!(
    JobConnection,
    JobEdge,
    Job,
    "Jobs that have failed at least once, what changed last first."
);

/// Which jobs.
#[derive(Default, InputObject)]
pub(super) struct JobFilter {
    /// That stand there.
    status: Option<JobStatus>,
    /// That are to do this.
    task: Option<JobTask>,
}

/// Questions about jobs.
#[derive(Default)]
pub(super) struct JobQuery;

#[Object]
impl JobQuery {
    /// Jobs within reach that have failed at least once, what changed last first. Needs job:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which jobs; all that are in reach otherwise.")] filter: Option<JobFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<JobConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let JobFilter { status, task } = filter.unwrap_or_default();
        let filter = Filter {
            status: status.map(DomainStatus::from),
            task: task.map(DomainTask::from),
        };
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = job_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { job_list::count(&views, &viewer, filter, at).await },
        );
        Ok(JobConnection::new(page, previous, counter, |row| Job { row }))
    }

    /// A job that has failed at least once. Needs job:read.
    async fn job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<Option<Job>> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let at = at(ctx, as_of, fresh).await?;
        // Whoever may not see jobs hears so of any id.
        let id = local::<JobId>(&id).unwrap_or(JobId(uuid::Uuid::nil()));
        let found = job_list::one(views, viewer, id, at).await.map_err(unread)?;
        Ok(found.value.map(|row| Job { row }))
    }

    /// What recurs for the company, and when, as it is now. Needs job:read.
    #[graphql(complexity = "5 + child_complexity")]
    async fn job_schedules(&self, ctx: &Context<'_>) -> Result<Vec<JobSchedule>> {
        let schedules = app(ctx).commands.job_schedules(&caller(ctx)?).await;
        let schedules = schedules.map_err(refused_question)?;
        Ok(schedules.into_iter().map(JobSchedule::from).collect())
    }
}

/// What recurs for the company, and when.
#[derive(SimpleObject)]
pub(super) struct JobSchedule {
    /// What is done.
    task: JobTask,
    /// When it recurs: `daily 03:15`, by the clock of the station that was opened first.
    rule: String,
    /// IANA name of that clock's zone; `UTC` before there is a station.
    zone: String,
    /// When it is due next.
    next_at: DateTime<Utc>,
    /// When it was due last; null before the first time. Times that passed while no program ran are one.
    last_due_at: Option<DateTime<Utc>>,
    /// Opaque id of the job that came of that; `job` has it if it failed.
    last_job_id: Option<ID>,
    /// When it was done last.
    last_done_at: Option<DateTime<Utc>>,
}

impl From<Schedule> for JobSchedule {
    fn from(schedule: Schedule) -> Self {
        Self {
            task: schedule.task.into(),
            rule: schedule.rule,
            zone: schedule.zone,
            next_at: schedule.next_at,
            last_due_at: schedule.last_due_at,
            last_job_id: schedule.last_job.map(global),
            last_done_at: schedule.last_done_at,
        }
    }
}

/// Letting a dead job be tried again.
#[derive(InputObject)]
pub(super) struct JobRetryInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which job.
    job_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
}

/// Giving a dead job up.
#[derive(InputObject)]
pub(super) struct JobDropInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which job.
    job_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    reason: String,
}

payload!(JobPayload, job: Job);

impl JobPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(Aggregate::STREAM).parse::<JobId>() else {
            return Ok(Self::written(None, &written));
        };
        let found = job_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(|row| Job { row }), &written))
    }

    fn unknown() -> Self {
        Self::refused(UserError::not_found("jobId", "job"))
    }
}

/// Commands on jobs.
#[derive(Default)]
pub(super) struct JobMutation;

#[Object]
impl JobMutation {
    /// Lets a dead job be tried again, from now on and as often as at first. Needs job:write.
    async fn job_retry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: JobRetryInput,
    ) -> Result<JobPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<JobId>(&input.job_id) else {
            return Ok(JobPayload::unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.retry_job(caller, key, id, seen)
        })
        .await;
        JobPayload::of(ctx, done).await
    }

    /// Gives a dead job up: it is tried no more. Of a policy's process, what waits after it goes on by a job of its own. Needs
    /// job:write.
    async fn job_drop(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: JobDropInput,
    ) -> Result<JobPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<JobId>(&input.job_id) else {
            return Ok(JobPayload::unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.drop_job(caller, key, id, seen, input.reason)
        })
        .await;
        JobPayload::of(ctx, done).await
    }
}
