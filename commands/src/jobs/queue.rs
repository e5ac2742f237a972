//! The queue: rows of a table that one program at a time holds on to, each for as long as it may be at the job.

use chrono::{DateTime, Utc};
use domain::ids::{EventId, StationId, TenantId};
use domain::job::{JobOf, JobTask};
use event_log::Transaction;
use uuid::Uuid;

use super::{JobSettings, JobsError};
use crate::policies::RELAY;
use crate::{Caller, Commands};

/// A job on its way into the queue.
pub(crate) struct Queued {
    pub(crate) job: JobOf,
    /// The event that asks for it; none where a time does that has come.
    pub(crate) caused_by: Option<EventId>,
    pub(crate) correlation: String,
    pub(crate) run_at: DateTime<Utc>,
}

/// A job that this program holds on to.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) job: JobOf,
    pub(super) caused_by: Option<EventId>,
    pub(super) correlation: String,
    /// Which attempt this is since it was queued, from 1. One that ended with its program counts.
    pub(super) attempt: i32,
    /// By which this hold is told from another of the same job.
    pub(super) hold: Uuid,
}

/// Whether taking a job up was an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It was.
    Counts,
    /// Its time had not come after all, or somebody else was at it.
    CountsForNothing,
}

type Row = (
    Uuid,
    String,
    Uuid,
    Option<i64>,
    Option<Uuid>,
    Option<Uuid>,
    String,
    i32,
    Uuid,
);

/// Puts a job into the queue that is not in it.
pub(crate) async fn enqueue(
    tx: &mut Transaction,
    tenant: TenantId,
    queued: &Queued,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into jobs (tenant_id, job_id, task, subject, version, station_id, caused_by, correlation, run_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id, job_id) do nothing",
    )
    .bind(tenant.0)
    .bind(queued.job.id().0)
    .bind(queued.job.task.as_str())
    .bind(queued.job.subject)
    .bind(queued.job.version)
    .bind(queued.job.station_id.map(|station| station.0))
    .bind(queued.caused_by.map(|event| event.0))
    .bind(&queued.correlation)
    .bind(queued.run_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lets a job begin anew that may still be in the queue, held by whoever has just seen it die.
pub(super) async fn enqueue_anew(
    tx: &mut Transaction,
    tenant: TenantId,
    queued: &Queued,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from jobs where tenant_id = $1 and job_id = $2")
        .bind(tenant.0)
        .bind(queued.job.id().0)
        .execute(&mut **tx)
        .await?;
    enqueue(tx, tenant, queued).await
}

impl Commands {
    /// Takes up jobs of a company that are due, as many as it may have at work at a time on all nodes together. Where somebody
    /// holds the company's reactions, that one alone does its jobs.
    ///
    /// The database names the hold: how often somebody looks depends on how quick the machine is, and what is simulated is to
    /// have the same ids on every machine.
    pub(super) async fn hold_jobs(
        &self,
        tenant: TenantId,
        settings: &JobSettings,
    ) -> Result<Vec<Held>, JobsError> {
        let mut tx = self.log().database().begin(tenant).await?;
        // One node at a time counts what is held, or all together would hold more.
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('jobs ' || $1::text, 0))")
            .bind(tenant.0)
            .execute(&mut *tx)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(
            "with due as (
                 select job_id from jobs
                 where tenant_id = $1 and run_at <= $2 and (held_until is null or held_until < clock_timestamp())
                     and not exists (
                         select from policy_checkpoints c
                         where c.tenant_id = $1 and c.policy = $5 and c.held_by is not null
                             and c.held_by is distinct from $6 and c.held_until >= clock_timestamp()
                     )
                 order by run_at, job_id
                 limit greatest(0, $3 - (
                     select count(*) from jobs where tenant_id = $1 and held_until >= clock_timestamp()
                 ))
             )
             update jobs j
             set attempts = j.attempts + 1, held_by = gen_random_uuid(),
                 held_until = clock_timestamp() + $4 * interval '1 millisecond'
             from due
             where j.tenant_id = $1 and j.job_id = due.job_id
             returning j.job_id, j.task, j.subject, j.version, j.station_id, j.caused_by, j.correlation, j.attempts,
                 j.held_by",
        )
        .bind(tenant.0)
        .bind(self.ports.now())
        .bind(i64::from(settings.at_once))
        .bind(i64::try_from(settings.hold.as_millis()).unwrap_or(i64::MAX))
        .bind(RELAY)
        .bind(self.policies_holder)
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(rows.into_iter().filter_map(held).collect())
    }

    /// Takes a job out of the queue, if it is still held by this hold.
    pub(super) async fn end_job(&self, caller: &Caller, held: &Held) -> Result<(), JobsError> {
        let mut tx = self.log().database().begin(caller.tenant).await?;
        sqlx::query("delete from jobs where tenant_id = $1 and job_id = $2 and held_by = $3")
            .bind(caller.tenant.0)
            .bind(held.job.id().0)
            .bind(held.hold)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lets go of a job that is to be taken up again then.
    pub(super) async fn put_off(
        &self,
        caller: &Caller,
        held: &Held,
        until: DateTime<Utc>,
        attempt: Attempt,
    ) -> Result<(), JobsError> {
        let less = match attempt {
            Attempt::Counts => 0,
            Attempt::CountsForNothing => 1,
        };
        let mut tx = self.log().database().begin(caller.tenant).await?;
        sqlx::query(
            "update jobs set run_at = $4, attempts = attempts - $5, held_by = null, held_until = null
             where tenant_id = $1 and job_id = $2 and held_by = $3",
        )
        .bind(caller.tenant.0)
        .bind(held.job.id().0)
        .bind(held.hold)
        .bind(until)
        .bind(less)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A row as a job; none of a task that only a newer program knows, which will come by.
fn held(row: Row) -> Option<Held> {
    let (_, task, subject, version, station_id, caused_by, correlation, attempt, hold) = row;
    let Some(task) = JobTask::parse(&task) else {
        tracing::warn!(task, "a job waits for a newer program");
        return None;
    };
    Some(Held {
        job: JobOf {
            task,
            subject,
            version,
            station_id: station_id.map(StationId),
        },
        caused_by: caused_by.map(EventId),
        correlation,
        attempt,
        hold,
    })
}
