//! What recurs: a row for each company and task with the rule and the time at which it is due next. Whoever finds that the
//! time has come queues the job of that time, in the transaction that moves the row on: so there is one, on however many nodes.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use domain::access::Permission;
use domain::ids::{JobId, TenantId};
use domain::job::{JobOf, JobTask, Recurrence};
use domain::organisation::Organisation;
use domain::station::Station;
use event_log::{LogError, Transaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use super::JobsError;
use super::queue::{Queued, enqueue};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands};

/// How often to look for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A task that recurs for a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSchedule {
    /// What is done.
    pub task: JobTask,
    /// When it recurs, as `daily 03:15`.
    pub rule: String,
    /// IANA name of the zone by whose clock `next_at` was reckoned.
    pub zone: String,
    /// When it is due next.
    pub next_at: DateTime<Utc>,
    /// When it was due last; none before the first time.
    pub last_due_at: Option<DateTime<Utc>>,
    /// The job that came of that.
    pub last_job: Option<JobId>,
    /// When it was done last.
    pub last_done_at: Option<DateTime<Utc>>,
}

type Row = (
    String,
    String,
    String,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    Option<DateTime<Utc>>,
);

impl Commands {
    /// Queues what recurs, of all companies, until told to stop: within a second of its time. Any number of programs may.
    pub async fn queue_recurring_until(&self, mut stop: watch::Receiver<bool>) {
        loop {
            match self.recurring_wanted().await {
                Ok(companies) => {
                    for tenant in companies {
                        if *stop.borrow() {
                            return;
                        }
                        if let Err(error) = self.queue_recurring(tenant).await {
                            tracing::error!(%tenant, %error, "what recurs waits");
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "what recurs waits for the log"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Queues what recurs for a company and is due, and says how much that is. Times that passed while nobody asked are one, and
    /// one that comes while the job of the last is still in the queue is done by that. A company that has no schedule yet gets
    /// the usual one, and nothing is due before its first time.
    ///
    /// # Errors
    /// [`JobsError`]; what was queued stays so.
    pub async fn queue_recurring(&self, tenant: TenantId) -> Result<usize, JobsError> {
        let tasks = self.recurring();
        let zone = self.company_zone(tenant).await?;
        let now = self.ports.now();
        let mut tx = self.log().database().begin(tenant).await?;
        for task in &tasks {
            begin(&mut tx, tenant, *task, zone, now).await?;
        }
        let due: Vec<(String, String, DateTime<Utc>, bool)> = sqlx::query_as(
            "select task, rule, next_at, exists (
                 select from jobs j where j.tenant_id = s.tenant_id and j.job_id = s.last_job_id
             )
             from job_schedules s
             where tenant_id = $1 and next_at <= $2 and task = any ($3)
             order by task for update of s skip locked",
        )
        .bind(tenant.0)
        .bind(now)
        .bind(words(&tasks))
        .fetch_all(&mut *tx)
        .await?;
        let mut count = 0;
        for (task, rule, due_at, is_at_work) in due {
            let Some(task) = JobTask::parse(&task) else {
                continue;
            };
            let Some(rule) = rule_of(task, &rule, tenant) else {
                continue;
            };
            let next_at = rule.next_after(now, zone);
            if is_at_work {
                move_on(&mut tx, tenant, task, next_at, zone).await?;
                continue;
            }
            let queued = occurrence(tenant, task, due_at);
            enqueue(&mut tx, tenant, &queued).await?;
            note_queued(&mut tx, tenant, &queued).await?;
            move_on(&mut tx, tenant, task, next_at, zone).await?;
            count += 1;
        }
        tx.commit().await?;
        Ok(count)
    }

    /// What recurs for a company, by task.
    ///
    /// # Errors
    /// When the caller may not see jobs, or the database is out of reach.
    pub async fn job_schedules(&self, caller: &Caller) -> Result<Vec<JobSchedule>, CommandError> {
        caller.require(Permission::JobRead)?;
        let found = self.read_schedules(caller.tenant).await?;
        let schedule = |(task, rule, zone, next_at, last_due_at, last_job, last_done_at): Row| {
            Some(JobSchedule {
                // A task that only a newer program knows is its to tell of.
                task: JobTask::parse(&task)?,
                rule,
                zone,
                next_at,
                last_due_at,
                last_job: last_job.map(JobId),
                last_done_at,
            })
        };
        Ok(found.into_iter().filter_map(schedule).collect())
    }

    async fn read_schedules(&self, tenant: TenantId) -> Result<Vec<Row>, LogError> {
        let mut tx = self.log().database().begin_read(tenant).await?;
        let found = sqlx::query_as(
            "select task, rule, zone, next_at, last_due_at, last_job_id, last_done_at from job_schedules
             where tenant_id = $1 order by task",
        )
        .bind(tenant.0)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The companies for which something recurs now, or that have no schedule yet.
    async fn recurring_wanted(&self) -> Result<Vec<TenantId>, JobsError> {
        // On behalf of nobody: the function names tenants, and there are no rows of the nil tenant.
        let mut tx = self.log().database().begin_read(TenantId(Uuid::nil())).await?;
        let tenants: Vec<Uuid> = sqlx::query_scalar("select tenant_id from job_schedules_due($1, $2)")
            .bind(words(&self.recurring()))
            .bind(self.ports.now())
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(tenants.into_iter().map(TenantId).collect())
    }

    /// The tasks that recur, and that this program can do.
    fn recurring(&self) -> Vec<JobTask> {
        let check = self.log_check.as_ref().map(|_| JobTask::CheckLog);
        check.into_iter().chain([JobTask::SweepMedia]).collect()
    }

    /// By whose clock a company's nights are told: that of the station that it opened first, UTC before there is one.
    async fn company_zone(&self, tenant: TenantId) -> Result<Tz, CommandError> {
        let caller = Caller::system(tenant, "jobs");
        let company = self
            .load::<Organisation>(&caller, &organisation_id(tenant))
            .await?;
        let Some(first) = company.state.stations().first() else {
            return Ok(Tz::UTC);
        };
        let station = self
            .load::<Station>(&caller, &first.station_id.to_string())
            .await?;
        Ok(station.state.opened().map_or(Tz::UTC, |opened| opened.zone))
    }

    /// How far a task has come; none where it has not begun, or where another program has put it another way.
    pub(super) async fn mark<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        task: JobTask,
    ) -> Result<Option<T>, JobsError> {
        let mut tx = self.log().database().begin_read(tenant).await?;
        let mark: Option<Option<Value>> =
            sqlx::query_scalar("select mark from job_schedules where tenant_id = $1 and task = $2")
                .bind(tenant.0)
                .bind(task.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(mark.flatten().and_then(|mark| serde_json::from_value(mark).ok()))
    }

    /// Keeps how far a task has come, and when it was done where it was.
    pub(super) async fn keep_mark(
        &self,
        tenant: TenantId,
        task: JobTask,
        mark: &impl Serialize,
        done_at: Option<DateTime<Utc>>,
    ) -> Result<(), JobsError> {
        let mut tx = self.log().database().begin(tenant).await?;
        sqlx::query(
            "update job_schedules set mark = $3, last_done_at = coalesce($4, last_done_at)
             where tenant_id = $1 and task = $2",
        )
        .bind(tenant.0)
        .bind(task.as_str())
        .bind(sqlx::types::Json(mark))
        .bind(done_at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn words(tasks: &[JobTask]) -> Vec<&'static str> {
    tasks.iter().map(|task| task.as_str()).collect()
}

/// The rule of a row; the usual one where only a newer program knows what the row says.
fn rule_of(task: JobTask, rule: &str, tenant: TenantId) -> Option<Recurrence> {
    match rule.parse() {
        Ok(rule) => Some(rule),
        Err(error) => {
            tracing::warn!(%tenant, task = task.as_str(), %error, "the usual rule stands in");
            task.usual_recurrence(tenant)
        }
    }
}

/// Gives a company the usual schedule of a task that has none.
async fn begin(
    tx: &mut Transaction,
    tenant: TenantId,
    task: JobTask,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let Some(rule) = task.usual_recurrence(tenant) else {
        return Ok(());
    };
    sqlx::query(
        "insert into job_schedules (tenant_id, task, rule, zone, next_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, task) do nothing",
    )
    .bind(tenant.0)
    .bind(task.as_str())
    .bind(rule.to_string())
    .bind(zone.name())
    .bind(rule.next_after(now, zone))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The job of a time that has come.
fn occurrence(tenant: TenantId, task: JobTask, due_at: DateTime<Utc>) -> Queued {
    let due = due_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    Queued {
        job: JobOf::recurring(task, tenant, due_at),
        caused_by: None,
        correlation: format!("{} {due}", task.as_str()),
        run_at: due_at,
    }
}

/// Notes on a schedule which job came of a time.
async fn note_queued(tx: &mut Transaction, tenant: TenantId, queued: &Queued) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update job_schedules set last_due_at = $3, last_job_id = $4 where tenant_id = $1 and task = $2",
    )
    .bind(tenant.0)
    .bind(queued.job.task.as_str())
    .bind(queued.run_at)
    .bind(queued.job.id().0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets a schedule wait for its next time.
async fn move_on(
    tx: &mut Transaction,
    tenant: TenantId,
    task: JobTask,
    next_at: DateTime<Utc>,
    zone: Tz,
) -> Result<(), sqlx::Error> {
    sqlx::query("update job_schedules set next_at = $3, zone = $4 where tenant_id = $1 and task = $2")
        .bind(tenant.0)
        .bind(task.as_str())
        .bind(next_at)
        .bind(zone.name())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
