//! Takes jobs up, does them, and says in the log what went wrong. Companies take turns, so that one with many jobs does not
//! keep another's waiting.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::access::StationScope;
use domain::conversation::{AnswerOutcome, UndeliveredBecause};
use domain::decider::Decider;
use domain::envelope::{Actor, ActorKind, Channel};
use domain::ids::{MessageId, TenantId};
use domain::job::{Hope, Job, JobCommand, JobFailure, JobStatus, JobTask, wait_after};
use domain::message::{Message, MessageCommand, MessageError};
use event_log::Appended;
use futures::future::join_all;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

use super::JobsError;
use super::queue::{Attempt, Held};
use crate::execute::Plan;
use crate::message::{Delivered, Undelivered};
use crate::policies::RELAY;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// How often to look for whose time has come and for what other programs have left.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Companies whose jobs one program is at, at a time.
const COMPANIES: usize = 16;
/// Batches of one company's jobs until the next company has its turn.
const BATCHES: usize = 8;

impl Commands {
    /// Does every job of a company that is due, and says how many there were.
    ///
    /// # Errors
    /// [`JobsError`]; what was done stays done, and the next call goes on from there.
    pub async fn do_jobs(&self, tenant: TenantId) -> Result<usize, JobsError> {
        let mut done = 0;
        loop {
            self.relay_jobs(tenant).await?;
            let held = self.hold_jobs(tenant, &self.jobs).await?;
            if held.is_empty() {
                return Ok(done);
            }
            done += held.len();
            self.do_batch(tenant, held).await?;
        }
    }

    /// Does the jobs of all companies until told to stop: at once what this process asks for, within a second what others do
    /// and what is due by the clock.
    pub async fn do_jobs_until(&self, mut stop: watch::Receiver<bool>) {
        let mut appended = self.log().appended();
        let mut companies = Companies::default();
        let mut next_look = Instant::now();
        while !*stop.borrow() {
            if Instant::now() >= next_look {
                next_look = Instant::now() + LOOK_EVERY;
                match self.jobs_wanted().await {
                    Ok(tenants) => companies.wanted.extend(tenants),
                    Err(error) => tracing::error!(%error, "jobs wait for the log"),
                }
            }
            while let Some(tenant) = companies.next() {
                let this = self.clone();
                companies
                    .at_work
                    .spawn(async move { this.take_turn(tenant).await });
            }
            tokio::select! {
                _ = stop.changed() => {}
                Some(ended) = companies.at_work.join_next(), if !companies.at_work.is_empty() => {
                    companies.ended(ended);
                }
                word = appended.recv() => match word {
                    Ok(Appended { tenant, .. }) => { companies.wanted.insert(tenant); }
                    // Whose word was missed, the next look finds.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
                () = tokio::time::sleep_until(next_look) => {}
            }
        }
        while companies.at_work.join_next().await.is_some() {}
    }

    /// A turn of a company: a few batches of its jobs.
    async fn take_turn(&self, tenant: TenantId) -> (TenantId, Left) {
        let turn = async {
            self.relay_jobs(tenant).await?;
            for _ in 0..BATCHES {
                let held = self.hold_jobs(tenant, &self.jobs).await?;
                if held.is_empty() {
                    return Ok(Left::Nothing);
                }
                self.do_batch(tenant, held).await?;
            }
            Ok::<Left, JobsError>(Left::More)
        };
        let left = turn.await.unwrap_or_else(|error| {
            tracing::error!(%tenant, %error, "jobs wait");
            Left::Nothing
        });
        (tenant, left)
    }

    /// The companies whose log the relay has not followed to its end, or that have a job to do.
    async fn jobs_wanted(&self) -> Result<Vec<TenantId>, JobsError> {
        // On behalf of nobody: the functions name tenants, and there are no rows of the nil tenant.
        let mut tx = self.log().database().begin_read(TenantId(Uuid::nil())).await?;
        let tenants: Vec<Uuid> = sqlx::query_scalar(
            "select tenant_id from policies_behind($1, '-infinity') union select tenant_id from jobs_due($2)",
        )
        .bind([RELAY])
        .bind(self.ports.now())
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(tenants.into_iter().map(TenantId).collect())
    }

    async fn do_batch(&self, tenant: TenantId, held: Vec<Held>) -> Result<(), JobsError> {
        let done = join_all(held.iter().map(|held| self.do_job(tenant, held))).await;
        done.into_iter().collect()
    }

    /// Does one job, and takes it out of the queue or puts it off.
    async fn do_job(&self, tenant: TenantId, held: &Held) -> Result<(), JobsError> {
        let caller = worker(tenant, held);
        let loaded = self.load::<Job>(&caller, &held.job.id().to_string()).await?;
        match (loaded.state.status(), held.job.task) {
            (None | Some(JobStatus::Retrying), _) => {}
            // Done before, and to be done again by policies that follow the log anew; nothing else waits then.
            (Some(JobStatus::Completed), JobTask::React) => {}
            (Some(JobStatus::Dropped), JobTask::React) => return self.give_up(&caller, held).await,
            // A person has given it up, or the program ended before it was taken out.
            (Some(JobStatus::Dead | JobStatus::Dropped | JobStatus::Completed), _) => {
                return self.end_job(&caller, held).await;
            }
        }
        let most = i32::from(self.jobs.most_attempts.get());
        if held.attempt > most {
            // Each attempt ended with the program that was at it.
            return self
                .job_failed(&caller, held, &Undelivered::lasting("CRASHED"))
                .await;
        }
        let patience = self.jobs.hold * 2 / 3;
        match tokio::time::timeout(patience, self.attempt(&caller, held)).await {
            Ok(Ok(Delivered::Settled)) => self.end_job(&caller, held).await,
            Ok(Ok(Delivered::Waits(until))) => {
                self.put_off(&caller, held, until, Attempt::CountsForNothing)
                    .await
            }
            Ok(Err(undelivered)) => self.job_failed(&caller, held, &undelivered).await,
            Err(_) => {
                self.job_failed(&caller, held, &Undelivered::passing("TIMED_OUT"))
                    .await
            }
        }
    }

    async fn attempt(&self, caller: &Caller, held: &Held) -> Result<Delivered, Undelivered> {
        match held.job.task {
            JobTask::SendMessage => {
                let message = MessageId(held.job.subject);
                self.deliver(caller, message, &held.job).await
            }
            JobTask::React => self.react_late(caller, held).await,
            JobTask::CheckLog => self.check_log(caller, held).await,
            JobTask::SweepMedia => self.sweep_media(caller, held).await,
            JobTask::SendAnswer => self.send_answer(caller, &held.job).await,
        }
    }

    /// Says that an attempt failed, and puts the job off; or that it died, with what it was for.
    async fn job_failed(&self, caller: &Caller, held: &Held, why: &Undelivered) -> Result<(), JobsError> {
        let id = held.job.id().to_string();
        let key = IdempotencyKey::of_reaction("job_fail", &format!("{id} {}", held.hold));
        let now = self.ports.now();
        let failed = self
            .run(caller, &key, "job_fail", &(&id, held.attempt), || async {
                let loaded = self.load::<Job>(caller, &id).await?;
                let failure = JobFailure {
                    job: held.job,
                    attempt: held.attempt,
                    most_attempts: i32::from(self.jobs.most_attempts.get()),
                    code: why.code.to_owned(),
                    hope: why.hope,
                    now,
                };
                let ends = why.hope == Hope::None || failure.attempt >= failure.most_attempts;
                let events = loaded
                    .state
                    .decide(JobCommand::Fail(failure))
                    .map_err(CommandError::refused)?;
                let plan = Plan::default().write::<Job>(self, id.clone(), loaded.version, events);
                match held.job.task {
                    JobTask::SendMessage if ends => self.message_failed(caller, plan, held, why).await,
                    JobTask::SendAnswer if ends => self.answer_failed(caller, plan, held, why).await,
                    JobTask::SendMessage
                    | JobTask::SendAnswer
                    | JobTask::React
                    | JobTask::CheckLog
                    | JobTask::SweepMedia => Ok(plan),
                }
            })
            .await;
        match failed {
            Ok(_) if why.hope == Hope::None || held.attempt >= i32::from(self.jobs.most_attempts.get()) => {
                self.end_job(caller, held).await
            }
            Ok(_) => {
                let until = now + wait_after(held.job.id(), held.attempt);
                self.put_off(caller, held, until, Attempt::Counts).await
            }
            // It is over already.
            Err(CommandError::Refused(_)) => self.end_job(caller, held).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn answer_failed(
        &self,
        caller: &Caller,
        plan: Plan,
        held: &Held,
        why: &Undelivered,
    ) -> Result<Plan, CommandError> {
        let failed = AnswerOutcome::Undelivered {
            because: UndeliveredBecause::Failed,
            code: Some(why.code.to_owned()),
            attempts: Some(held.attempt),
        };
        self.plan_settled(caller, plan, &held.job, &failed).await
    }

    async fn message_failed(
        &self,
        caller: &Caller,
        plan: Plan,
        held: &Held,
        why: &Undelivered,
    ) -> Result<Plan, CommandError> {
        let id = held.job.subject.to_string();
        let message = self.load::<Message>(caller, &id).await?;
        let command = MessageCommand::Fail {
            attempts: held.attempt,
            code: why.code.to_owned(),
            now: self.ports.now(),
        };
        match message.state.decide(command) {
            Ok(events) => Ok(plan.write::<Message>(self, id, message.version, events)),
            Err(
                MessageError::Exists
                | MessageError::NotFound
                | MessageError::Settled(_)
                | MessageError::OldNews,
            ) => Ok(plan),
        }
    }
}

/// Whether a turn has left jobs for the next.
#[derive(PartialEq, Eq)]
enum Left {
    More,
    Nothing,
}

/// The companies that have something to do, in turns: whoever waited longest is next.
#[derive(Default)]
struct Companies {
    wanted: HashSet<TenantId>,
    busy: HashSet<TenantId>,
    at_work: JoinSet<(TenantId, Left)>,
    turns: HashMap<TenantId, u64>,
    turn: u64,
}

impl Companies {
    /// Whose turn it is, if this program can be at one more.
    fn next(&mut self) -> Option<TenantId> {
        if self.at_work.len() >= COMPANIES {
            return None;
        }
        let waiting = self.wanted.iter().filter(|tenant| !self.busy.contains(tenant));
        let next = *waiting.min_by_key(|tenant| self.turns.get(tenant).copied().unwrap_or(0))?;
        self.wanted.remove(&next);
        self.busy.insert(next);
        self.turn += 1;
        self.turns.insert(next, self.turn);
        Some(next)
    }

    fn ended(&mut self, ended: Result<(TenantId, Left), JoinError>) {
        match ended {
            Ok((tenant, left)) => {
                self.busy.remove(&tenant);
                if left == Left::More {
                    self.wanted.insert(tenant);
                }
            }
            Err(error) => {
                tracing::error!(panicked = error.is_panic(), "a company's jobs did not end well");
                // Whose they were is not said: nobody is kept from a turn.
                self.busy.clear();
            }
        }
    }
}

/// Who does a job.
fn worker(tenant: TenantId, held: &Held) -> Caller {
    Caller {
        tenant,
        actor: Actor {
            kind: ActorKind::Policy,
            id: RELAY.to_owned(),
            role: None,
        },
        stations: StationScope::All,
        channel: Channel::Policy,
        request_id: None,
        causation: held.caused_by,
        correlation: Some(held.correlation.clone()),
        through: None,
    }
}
