//! Jobs that react: what a policy could not do at once is tried again, in the order in which it happened.

use chrono::TimeDelta;
use domain::decider::Decider;
use domain::job::{Job, JobCommand};

use super::JobsError;
use super::queue::{Attempt, Held};
use crate::execute::Plan;
use crate::message::{Delivered, Undelivered};
use crate::policies::{CaughtUp, PolicyError};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// How long to wait for a policy that another is at.
const BUSY: TimeDelta = TimeDelta::seconds(5);
/// How long to wait before a word to give a reaction up is heeded that could not be.
const NOT_GIVEN_UP: TimeDelta = TimeDelta::seconds(30);

impl Commands {
    /// Reacts to what waits of a policy's process.
    pub(super) async fn react_late(&self, caller: &Caller, held: &Held) -> Result<Delivered, Undelivered> {
        let caught_up = Box::pin(self.catch_up_waiting(caller.tenant, held.job.subject)).await;
        match caught_up {
            Ok(CaughtUp::Fully) => match self.job_completed(caller, held, None).await {
                Ok(()) => Ok(Delivered::Settled),
                Err(error) => Err(failed_again(caller, held, &error.into())),
            },
            Ok(CaughtUp::InPart) => Ok(Delivered::Waits(self.ports.now())),
            Ok(CaughtUp::Busy) => Ok(Delivered::Waits(self.ports.now() + BUSY)),
            Ok(CaughtUp::Unknown) => Err(Undelivered::passing("UNKNOWN_POLICY")),
            Err(error) => Err(failed_again(caller, held, &error)),
        }
    }

    /// Gives the first up that waits of a policy's process, as a person has said, and takes the job out of the queue. Of a
    /// policy that there is no more nobody would react to the rest either: that is given up with it.
    pub(super) async fn give_up(&self, caller: &Caller, held: &Held) -> Result<(), JobsError> {
        let given_up = Box::pin(self.give_up_waiting(caller.tenant, held.job.subject)).await;
        let (wait, attempt) = match given_up {
            Ok(CaughtUp::Fully | CaughtUp::InPart) => return self.end_job(caller, held).await,
            Ok(CaughtUp::Busy) => (BUSY, Attempt::CountsForNothing),
            // A newer program may know the policy: it has its turns before all of it is given up.
            Ok(CaughtUp::Unknown) if held.attempt <= i32::from(self.jobs.most_attempts.get()) => {
                (NOT_GIVEN_UP, Attempt::Counts)
            }
            Ok(CaughtUp::Unknown) => {
                self.forget_waiting(caller.tenant, held.job.subject).await?;
                return self.end_job(caller, held).await;
            }
            Err(error) => {
                let (tenant, job, why) = (caller.tenant, held.job.id(), error.reason());
                tracing::warn!(%tenant, %job, why, "a reaction cannot be given up yet");
                (NOT_GIVEN_UP, Attempt::CountsForNothing)
            }
        };
        self.put_off(caller, held, self.ports.now() + wait, attempt).await
    }

    /// Says that a job is done that had failed before, or how much one that recurs has dealt with.
    pub(super) async fn job_completed(
        &self,
        caller: &Caller,
        held: &Held,
        count: Option<i64>,
    ) -> Result<(), CommandError> {
        let id = held.job.id().to_string();
        let key = IdempotencyKey::of_reaction("job_complete", &format!("{id} {}", held.hold));
        let told = self
            .run(caller, &key, "job_complete", &id, || async {
                let loaded = self.load::<Job>(caller, &id).await?;
                let complete = JobCommand::Complete {
                    job: held.job,
                    count,
                    now: self.ports.now(),
                };
                let events = loaded.state.decide(complete).map_err(CommandError::refused)?;
                if events.is_empty() {
                    return Err(CommandError::nothing_new());
                }
                Ok(Plan::default().write::<Job>(self, id.clone(), loaded.version, events))
            })
            .await;
        match told {
            // It never failed, or that is told.
            Ok(_) | Err(CommandError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn failed_again(caller: &Caller, held: &Held, error: &PolicyError) -> Undelivered {
    let (tenant, job, why) = (caller.tenant, held.job.id(), error.reason());
    tracing::warn!(%tenant, %job, why, "a reaction failed again");
    Undelivered::passing(error.code())
}
