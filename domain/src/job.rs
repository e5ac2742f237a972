//! Jobs: what is done beside the commands, by the clock and again when it fails. The log tells of a job only where it
//! went wrong; what it does well is in the events of what it was for. Of what recurs it tells what came of it.

mod recurrence;
mod task;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
pub use recurrence::Recurrence;
pub use task::{JobOf, JobTask, wait_after};

crate::events! {
    /// What can happen to a job.
    pub enum JobEvent {
        "A job failed and is tried again later." Failed(JobFailed) = "job.failed" v 1;
        "A job failed for good and waits for a person." Died(JobDied) = "job.died" v 1;
        "A person lets a dead job be tried again." Retried(JobRetried) = "job.retried" v 1;
        "A person has given a dead job up." Dropped(JobDropped) = "job.dropped" v 1;
        "A job that had failed before, or that recurs, is done." Completed(JobCompleted) = "job.completed" v 1;
    }
}

/// A job failed and is tried again later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailed {
    /// Which job.
    #[serde(flatten)]
    pub job: JobOf,
    /// Which attempt, from 1.
    pub attempt: i32,
    /// Why, as a stable word: no personal data.
    pub code: String,
    /// When.
    pub failed_at: DateTime<Utc>,
    /// When it is tried again.
    pub retry_at: DateTime<Utc>,
}

/// A job failed for good and waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDied {
    /// Which job.
    #[serde(flatten)]
    pub job: JobOf,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last attempt failed, as a stable word: no personal data.
    pub code: String,
    /// When.
    pub died_at: DateTime<Utc>,
}

/// A person lets a dead job be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRetried {
    /// Which job.
    #[serde(flatten)]
    pub job: JobOf,
    /// When.
    pub retried_at: DateTime<Utc>,
}

/// A person has given a dead job up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDropped {
    /// Which job.
    #[serde(flatten)]
    pub job: JobOf,
    /// Why.
    pub reason: String,
    /// When.
    pub dropped_at: DateTime<Utc>,
}

/// A job that had failed before, or that recurs, is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCompleted {
    /// Which job.
    #[serde(flatten)]
    pub job: JobOf,
    /// Of a job that recurs, how much it dealt with: events that it checked, files that it destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// When.
    pub completed_at: DateTime<Utc>,
}

/// What can be asked of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum JobCommand {
    /// Say that an attempt failed.
    Fail(JobFailure),
    /// Say that it is done.
    Complete {
        /// Which job.
        job: JobOf,
        /// Of a job that recurs, how much it dealt with, where that is worth telling.
        count: Option<i64>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Let it be tried again.
    Retry {
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Give it up.
    Drop {
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobFailure {
    /// Which job.
    pub job: JobOf,
    /// Which attempt since it was queued, from 1.
    pub attempt: i32,
    /// How many there may be; it dies with the last.
    pub most_attempts: i32,
    /// Why, as a stable word.
    pub code: String,
    /// Whether another attempt may come to something else.
    pub hope: Hope,
    /// The time of the failure.
    pub now: DateTime<Utc>,
}

/// Whether another attempt may come to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Hope {
    /// It may.
    Some,
    /// It will not.
    None,
}

/// Why a job refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The log knows of no such job.
    #[error("there is no such job, or it never failed")]
    NotFound,
    /// It is not dead.
    #[error("the job is {0}: only a dead one is tried again or dropped")]
    NotDead(&'static str),
    /// It is tried no more.
    #[error("the job is {0}: it is tried no more")]
    Over(&'static str),
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
}

impl Refusal for JobError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::NotDead(_) | Self::Over(_) => "WRONG_STATE",
            Self::BadReason => "INVALID_REASON",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::NotFound => &["jobId"],
            Self::NotDead(_) | Self::Over(_) => &[],
            Self::BadReason => &["reason"],
        }
    }
}

/// Where a job stands that has failed at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It is tried again by itself.
    Retrying,
    /// It waits for a person.
    Dead,
    /// A person has given it up.
    Dropped,
    /// It is done after all.
    Completed,
}

impl JobStatus {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
            Self::Completed => "completed",
        }
    }
}

/// A job as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    job: Option<JobOf>,
    status: Option<JobStatus>,
}

impl Job {
    /// What it is about, once it has failed.
    pub fn job(&self) -> Option<&JobOf> {
        self.job.as_ref()
    }

    /// Where it stands, once it has failed.
    pub fn status(&self) -> Option<JobStatus> {
        self.status
    }

    fn dead(&self) -> Result<JobOf, JobError> {
        let (job, status) = self.job.zip(self.status).ok_or(JobError::NotFound)?;
        match status {
            JobStatus::Dead => Ok(job),
            JobStatus::Retrying | JobStatus::Dropped | JobStatus::Completed => {
                Err(JobError::NotDead(status.as_str()))
            }
        }
    }

    fn fail(&self, failure: JobFailure) -> Result<JobEvent, JobError> {
        match self.status {
            None | Some(JobStatus::Retrying) => {}
            // Policies that follow a log anew come by what was done before.
            Some(JobStatus::Completed) if failure.job.task == JobTask::React => {}
            Some(status @ (JobStatus::Dead | JobStatus::Dropped | JobStatus::Completed)) => {
                return Err(JobError::Over(status.as_str()));
            }
        }
        let JobFailure {
            job, attempt, code, ..
        } = failure;
        if failure.hope == Hope::None || attempt >= failure.most_attempts {
            return Ok(JobEvent::Died(JobDied {
                job,
                attempts: attempt,
                code,
                died_at: failure.now,
            }));
        }
        Ok(JobEvent::Failed(JobFailed {
            job,
            attempt,
            code,
            failed_at: failure.now,
            retry_at: failure.now + wait_after(job.id(), attempt),
        }))
    }
}

impl Decider for Job {
    const STREAM: &'static str = "job";
    type Command = JobCommand;
    type Event = JobEvent;
    type Error = JobError;

    fn decide(&self, command: JobCommand) -> Result<Vec<JobEvent>, JobError> {
        Ok(vec![match command {
            JobCommand::Fail(failure) => self.fail(failure)?,
            JobCommand::Complete { job, count, now } => {
                let is_told = match self.status {
                    Some(JobStatus::Retrying) => true,
                    // Of a job that never failed there is nothing to tell but what came of it.
                    None => count.is_some(),
                    Some(JobStatus::Dead | JobStatus::Dropped | JobStatus::Completed) => false,
                };
                if !is_told {
                    return Ok(Vec::new());
                }
                JobEvent::Completed(JobCompleted {
                    job,
                    count,
                    completed_at: now,
                })
            }
            JobCommand::Retry { now } => JobEvent::Retried(JobRetried {
                job: self.dead()?,
                retried_at: now,
            }),
            JobCommand::Drop { reason, now } => {
                let job = self.dead()?;
                if !(3..=500).contains(&reason.trim().chars().count()) {
                    return Err(JobError::BadReason);
                }
                JobEvent::Dropped(JobDropped {
                    job,
                    reason,
                    dropped_at: now,
                })
            }
        }])
    }

    fn evolve(&mut self, event: &JobEvent) {
        let (job, status) = match event {
            JobEvent::Failed(failed) => (failed.job, JobStatus::Retrying),
            JobEvent::Died(died) => (died.job, JobStatus::Dead),
            JobEvent::Retried(retried) => (retried.job, JobStatus::Retrying),
            JobEvent::Dropped(dropped) => (dropped.job, JobStatus::Dropped),
            JobEvent::Completed(completed) => (completed.job, JobStatus::Completed),
        };
        self.job = Some(job);
        self.status = Some(status);
    }
}

#[cfg(test)]
mod tests;
