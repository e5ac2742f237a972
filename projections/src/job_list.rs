//! Which jobs have failed, and what became of them?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, StreamId};
use domain::ids::{JobId, StationId};
use domain::job::{JobEvent, JobStatus, JobTask};
use domain::recorded::{DomainEvent, Recorded};
use uuid::Uuid;

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, station_scope,
};

impl Column for JobTask {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for JobStatus {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for JobId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

row! {
    /// A job that has failed at least once.
    pub struct JobRow in "job_list", key (job_id: JobId) {
        /// The job.
        pub job_id: JobId,
        /// Events of the job so far: what a command expects of it.
        pub version: i64,
        /// What is to be done.
        pub task: JobTask,
        /// Id of what it is done to.
        pub subject: Uuid,
        /// Where it stands.
        pub status: JobStatus,
        /// The station that it is about; none where it concerns the whole company.
        pub station_id: Option<StationId>,
        /// How often it was tried since it was queued.
        pub attempts: i32,
        /// Why it failed last, as a stable word.
        pub code: String,
        /// When it failed first.
        pub first_failed_at: DateTime<Utc>,
        /// When something last happened to it.
        pub changed_at: DateTime<Utc>,
        /// When it is tried again.
        pub retry_at: Option<DateTime<Utc>>,
        /// Why a person has given it up.
        pub reason: Option<String>,
    }
}

/// The fold behind the list of jobs.
pub struct JobList;

impl Fold for JobList {
    type Key = JobId;
    type Row = JobRow;
    const NAME: &'static str = "job_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "job.failed",
            "job.died",
            "job.retried",
            "job.dropped",
            "job.completed",
        ]
    }

    fn key(event: &Recorded) -> Option<JobId> {
        job(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<JobRow>, event: &Recorded) -> Option<JobRow> {
        let Some(happened) = job(event) else {
            return row;
        };
        let version = event.sequence.0;
        match happened {
            JobEvent::Failed(failed) => Some(JobRow {
                job_id: Self::key(event)?,
                version,
                task: failed.job.task,
                subject: failed.job.subject,
                status: JobStatus::Retrying,
                station_id: failed.job.station_id,
                attempts: failed.attempt,
                code: failed.code.clone(),
                first_failed_at: row.map_or(failed.failed_at, |row| row.first_failed_at),
                changed_at: failed.failed_at,
                retry_at: Some(failed.retry_at),
                reason: None,
            }),
            JobEvent::Died(died) => Some(JobRow {
                job_id: Self::key(event)?,
                version,
                task: died.job.task,
                subject: died.job.subject,
                status: JobStatus::Dead,
                station_id: died.job.station_id,
                attempts: died.attempts,
                code: died.code.clone(),
                first_failed_at: row.map_or(died.died_at, |row| row.first_failed_at),
                changed_at: died.died_at,
                retry_at: None,
                reason: None,
            }),
            JobEvent::Retried(retried) => row.map(|row| JobRow {
                version,
                status: JobStatus::Retrying,
                attempts: 0,
                changed_at: retried.retried_at,
                retry_at: Some(retried.retried_at),
                ..row
            }),
            JobEvent::Dropped(dropped) => row.map(|row| JobRow {
                version,
                status: JobStatus::Dropped,
                changed_at: dropped.dropped_at,
                reason: Some(dropped.reason.clone()),
                ..row
            }),
            JobEvent::Completed(completed) => row.map(|row| JobRow {
                version,
                status: JobStatus::Completed,
                changed_at: completed.completed_at,
                retry_at: None,
                ..row
            }),
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<JobId> {
        (stream.kind == "job").then(|| stream.id.parse().ok())?
    }

    fn source(job: &JobId) -> Source {
        Source::Stream(StreamId::new("job", job.to_string()))
    }
}

fn job(event: &Recorded) -> Option<&JobEvent> {
    if let DomainEvent::Job(job) = &event.event {
        Some(job)
    } else {
        None
    }
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// That stand there.
    pub status: Option<JobStatus>,
    /// That are to do this.
    pub task: Option<JobTask>,
}

impl JobFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        conditions.extend(
            self.status
                .map(|status| Condition::Eq("status", Value::Text(status.as_str().to_owned()))),
        );
        conditions.extend(
            self.task
                .map(|task| Condition::Eq("task", Value::Text(task.as_str().to_owned()))),
        );
        conditions
    }
}

/// A page of jobs, what changed last first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see jobs, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: JobFilter,
    slice: Slice,
    at: At,
) -> Result<Page<JobRow>, ReadError> {
    viewer.require(Permission::JobRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::descending(&["changed_at", "job_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<JobList>(viewer.tenant, select, at).await
}

/// How many jobs there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: JobFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::JobRead)?;
    models
        .count::<JobList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One job, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: JobId,
    at: At,
) -> Result<Answer<Option<JobRow>>, ReadError> {
    viewer.require(Permission::JobRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("job_id", Value::Uuid(id.0)));
    let found = models.all::<JobList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::ids::MessageId;
    use domain::job::{JobCompleted, JobDied, JobFailed, JobOf, JobRetried};

    use super::*;
    use crate::testing::{STATION, at, fold, recorded};

    #[test]
    fn a_job_is_listed_from_its_first_failure_to_its_end() {
        let job = JobOf::sending(MessageId(Uuid::from_u128(5)), Some(STATION));
        let now = at("2026-11-01T00:00:00Z");
        let later = at("2026-11-01T01:00:00Z");
        let event =
            |position, event| recorded(position, &job.id().to_string(), position, DomainEvent::Job(event));
        let code = || "UNREACHABLE".to_owned();
        let failed = JobFailed {
            job,
            attempt: 1,
            code: code(),
            failed_at: now,
            retry_at: later,
        };
        let died = JobDied {
            job,
            attempts: 2,
            code: code(),
            died_at: later,
        };
        let events = [
            event(1, JobEvent::Failed(failed)),
            event(2, JobEvent::Died(died)),
            event(
                3,
                JobEvent::Retried(JobRetried {
                    job,
                    retried_at: later,
                }),
            ),
            event(
                4,
                JobEvent::Completed(JobCompleted {
                    job,
                    count: None,
                    completed_at: later,
                }),
            ),
        ];
        let row = |count: usize| fold::<JobList>(&events[..count]).get(&job.id()).cloned().unwrap();
        assert_eq!(
            (row(1).status, row(1).retry_at),
            (JobStatus::Retrying, Some(later))
        );
        let dead = row(2);
        assert_eq!(
            (dead.status, dead.attempts, dead.first_failed_at),
            (JobStatus::Dead, 2, now)
        );
        assert_eq!((row(3).status, row(3).attempts), (JobStatus::Retrying, 0));
        assert_eq!((row(4).status, row(4).version), (JobStatus::Completed, 4));
    }
}
