//! Jobs: what is done beside the commands, outside of any transaction, and again until it is done or a person must look.
//!
//! An event asks for a job, or the time has come for one that recurs; it is queued, and a program that is free holds on to it for a while. What ends with its
//! program is taken up by another when the hold is over. A job may therefore be begun twice; what it does goes by a key that
//! follows from it.

mod health;
mod queue;
mod reaction;
mod recurring;
mod relay;
mod upkeep;
mod worker;

use std::num::NonZeroU16;
use std::time::Duration;

use domain::access::Permission;
use domain::decider::{Decider, DecodeError};
use domain::ids::JobId;
use domain::job::{Job, JobCommand, JobError};
use event_log::LogError;

use crate::execute::{Plan, Written, to_the_end};
use crate::policies::PolicyError;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

pub use health::{PolicyHealth, QueueHealth, TaskHealth};
pub(crate) use queue::{Queued, enqueue};
pub use recurring::JobSchedule;

/// How jobs are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSettings {
    /// How often a job is tried before it waits for a person.
    pub most_attempts: NonZeroU16,
    /// How many jobs of one company are at work at a time, on all nodes together.
    pub at_once: u16,
    /// How long a program holds on to a job. After that another takes it up; a job that takes longer than two thirds of it has
    /// failed.
    pub hold: Duration,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            most_attempts: const { NonZeroU16::new(10).expect("ten is not nothing") },
            at_once: 4,
            hold: Duration::from_secs(30),
        }
    }
}

/// Why jobs could not be gone on with; they are when the log is there again.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// The log or the database is out of reach.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The database refused a statement.
    #[error("the queue of jobs cannot be kept")]
    Database(#[from] sqlx::Error),
    /// The log holds an event that this program cannot read.
    #[error("the log holds an event that cannot be read")]
    Unreadable(#[from] DecodeError),
    /// The relay's checkpoint could not be had.
    #[error("the queue does not follow the log")]
    Checkpoint(#[from] PolicyError),
    /// What a job came to could not be written.
    #[error("a job's end cannot be written")]
    Command(#[from] CommandError),
}

impl Commands {
    /// Lets a dead job be tried again, from now on and as often as at first.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE`.
    pub async fn retry_job(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: JobId,
        seen: Option<i64>,
    ) -> Result<Written, CommandError> {
        let now = self.ports.now();
        self.change_job(caller, key, "job_retry", id, seen, JobCommand::Retry { now })
            .await
    }

    /// Gives a dead job up. Of a policy's process the first that waits is given up with it, and the rest has a job of its own.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE`, `INVALID_REASON`.
    pub async fn drop_job(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: JobId,
        seen: Option<i64>,
        reason: String,
    ) -> Result<Written, CommandError> {
        let now = self.ports.now();
        self.change_job(
            caller,
            key,
            "job_drop",
            id,
            seen,
            JobCommand::Drop { reason, now },
        )
        .await
    }

    async fn change_job(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        operation: &'static str,
        id: JobId,
        seen: Option<i64>,
        command: JobCommand,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::JobWrite)?;
            let reason = match &command {
                JobCommand::Drop { reason, .. } => Some(reason.clone()),
                JobCommand::Retry { .. } | JobCommand::Fail(_) | JobCommand::Complete { .. } => None,
            };
            this.run(&caller, &key, operation, &(id, seen, reason), || async {
                let loaded = this.load::<Job>(&caller, &id.to_string()).await?;
                let job = loaded
                    .state
                    .job()
                    .ok_or_else(|| CommandError::refused(JobError::NotFound))?;
                if let Some(station) = job.station_id {
                    caller.reach(station, JobError::NotFound.into())?;
                }
                loaded.expect(seen)?;
                let events = loaded
                    .state
                    .decide(command.clone())
                    .map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Job>(&this, id.to_string(), loaded.version, events))
            })
            .await
        })
        .await
    }
}
