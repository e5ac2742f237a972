//! What recurs for a company, done: its log held against its hashes, and uploads destroyed that no review names. Each goes
//! piece by piece, so that no attempt takes longer than a job is held.

use domain::ids::{JobId, ReviewId};
use domain::job::JobTask;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::JobsError;
use super::queue::Held;
use crate::message::{Delivered, Undelivered};
use crate::ports::{CheckedTo, LogCheckError, LogChecked};
use crate::review::Sweep;
use crate::{Caller, CommandError, Commands};

/// How far a company's log was checked.
#[derive(Serialize, Deserialize)]
struct CheckMark {
    /// By which job, last.
    job: JobId,
    to: CheckedTo,
    /// How many events that job has checked.
    checked: i64,
}

/// How far a company's uploads were looked through.
#[derive(Serialize, Deserialize)]
struct SweepMark {
    /// By which job, last.
    job: JobId,
    /// The last review whose uploads that job has looked at.
    after: Option<ReviewId>,
    /// How many files that job has destroyed.
    destroyed: i64,
}

impl From<JobsError> for Undelivered {
    fn from(error: JobsError) -> Self {
        tracing::warn!(%error, "a job waits");
        Self::passing("UNAVAILABLE")
    }
}

impl Commands {
    /// Holds what has come to a company's log since the last time against its hashes.
    pub(super) async fn check_log(&self, caller: &Caller, held: &Held) -> Result<Delivered, Undelivered> {
        let Some(log_check) = &self.log_check else {
            return Err(Undelivered::passing("NO_LOG_CHECK"));
        };
        let (tenant, job) = (caller.tenant, held.job.id());
        let mark: Option<CheckMark> = self.mark(tenant, JobTask::CheckLog).await?;
        let before = mark.as_ref().filter(|mark| mark.job == job);
        let before = before.map_or(0, |mark| mark.checked);
        let from = mark.map(|mark| mark.to);
        let since = from.as_ref().map_or(0, |from| from.position.0);
        let checked = log_check.check_on(tenant, from, self.jobs.hold / 3).await;
        let LogChecked { to, is_head } = checked.map_err(|error| match error {
            LogCheckError::Unavailable(error) => Undelivered::from(error),
            LogCheckError::Changed(why) => {
                tracing::error!(%tenant, %job, why, "the log is not as it was written");
                Undelivered::lasting("LOG_CHANGED")
            }
        })?;
        let checked = before + (to.position.0 - since);
        let mark = CheckMark { job, to, checked };
        let now = self.ports.now();
        self.keep_mark(tenant, JobTask::CheckLog, &mark, is_head.then_some(now))
            .await?;
        if !is_head {
            return Ok(Delivered::Waits(now));
        }
        self.job_completed(caller, held, Some(checked)).await?;
        Ok(Delivered::Settled)
    }

    /// Destroys uploads of a company that no review names and none can name any more.
    pub(super) async fn sweep_media(&self, caller: &Caller, held: &Held) -> Result<Delivered, Undelivered> {
        let (tenant, job) = (caller.tenant, held.job.id());
        let mark: Option<SweepMark> = self.mark(tenant, JobTask::SweepMedia).await?;
        let mark = mark.filter(|mark| mark.job == job);
        let mut sweep = Sweep {
            after: mark.as_ref().and_then(|mark| mark.after),
            destroyed: mark.map_or(0, |mark| mark.destroyed),
            until: Instant::now() + self.jobs.hold / 3,
        };
        let swept = self.sweep_review_media(caller, &mut sweep).await;
        let mark = SweepMark {
            job,
            after: sweep.after,
            destroyed: sweep.destroyed,
        };
        let now = self.ports.now();
        let is_done = matches!(swept, Ok(true));
        // What was destroyed counts, whatever stopped it.
        self.keep_mark(tenant, JobTask::SweepMedia, &mark, is_done.then_some(now))
            .await?;
        match swept {
            Ok(true) => {}
            Ok(false) => return Ok(Delivered::Waits(now)),
            Err(CommandError::Store(error)) => {
                tracing::warn!(%tenant, %job, %error, "uploads are not looked through");
                return Err(Undelivered::passing("STORE_UNAVAILABLE"));
            }
            Err(error) => return Err(error.into()),
        }
        let destroyed = Some(mark.destroyed).filter(|destroyed| *destroyed > 0);
        self.job_completed(caller, held, destroyed).await?;
        Ok(Delivered::Settled)
    }
}
