//! Runs policies: one transaction a batch holds the checkpoint, the states and the proof that nobody else runs.

mod error;
mod holding;
mod memory;
mod parking;
mod pass;
mod reaction;
mod reply;
mod sitting;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::Appended;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Policy, WhenMoneyChangesTax};
use crate::Commands;
use parking::{Occasion, Parking};
use pass::POLICIES;
use reaction::{Answer, Reacted};
use sitting::{Process, Sitting};

pub use error::PolicyError;
pub(crate) use waiting::CaughtUp;

/// Events that one transaction looks at.
const BATCH: u16 = 200;
/// Processes whose time has come that one transaction looks at.
const DUE: u16 = 100;

/// What queues jobs: no policy, with a checkpoint like one.
pub(crate) const RELAY: &str = "jobs";

/// How often to look for what other processes have appended, and for whose time has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What waits of a policy's process since a reaction failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingReaction {
    /// Name of the policy.
    pub policy: String,
    /// The business process, by the policy's own name for it: mostly an id.
    pub process: String,
    /// How much of it waits: events, and a time that has come.
    pub waiting: i64,
    /// Where the first event of it is in the log; 0 for a time that has come.
    pub first: Position,
    /// When the first of it happened.
    pub since: DateTime<Utc>,
}

impl Commands {
    /// Lets every policy of a company react to all that has happened, what others of them did included, and to the time by
    /// now. One that fails holds up no other.
    ///
    /// # Errors
    /// [`PolicyError`], the first; what was done stays done, and the next call goes on from there.
    pub async fn react(&self, tenant: TenantId) -> Result<(), PolicyError> {
        self.hold_policies(tenant).await?;
        while self.pass(tenant).await? == Progress::More {}
        Ok(())
    }

    /// How many events of a company what follows its payments has not looked at yet, or has put aside: until there are none,
    /// tax may be missing.
    ///
    /// # Errors
    /// [`PolicyError`] when the log or the database is out of reach.
    pub async fn tax_events_behind(&self, tenant: TenantId) -> Result<i64, PolicyError> {
        let head = self.log().head(tenant).await?.position;
        let mut tx = self.log().database().begin_read(tenant).await?;
        let followed: Option<(i64, i64)> = sqlx::query_as(
            "select position, (
                 select count(*) from policy_waiting w where w.tenant_id = c.tenant_id and w.policy = c.policy
             )
             from policy_checkpoints c where tenant_id = $1 and policy = $2",
        )
        .bind(tenant.0)
        .bind(WhenMoneyChangesTax::NAME)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let (position, waiting) = followed.unwrap_or((0, 0));
        Ok((head.0 - position).max(0) + waiting)
    }

    /// Reacts for all companies until told to stop: at once to what this process appends, within a second to
    /// what others append and to the passing of time. Companies where nothing happens cost nothing.
    pub async fn react_until(&self, mut stop: watch::Receiver<bool>) {
        let mut appended = self.log().appended();
        while !*stop.borrow() {
            let next_look = Instant::now() + LOOK_EVERY;
            match self.behind().await {
                Ok(companies) => {
                    for tenant in companies {
                        self.react_or_tell(tenant).await;
                    }
                }
                Err(error) => tracing::error!(%error, "policies wait for the log"),
            }
            while !*stop.borrow() {
                tokio::select! {
                    _ = stop.changed() => {}
                    word = appended.recv() => match word {
                        Ok(Appended { tenant, .. }) => {
                            let mut companies = HashSet::from([tenant]);
                            // Many words of one company are one reason to look. Words that were missed, the next look makes up for.
                            while let Ok(Appended { tenant, .. }) = appended.try_recv() {
                                companies.insert(tenant);
                            }
                            for tenant in companies {
                                self.react_or_tell(tenant).await;
                            }
                        }
                        // Whose word was missed, the next look finds.
                        Err(RecvError::Lagged(_)) => break,
                        Err(RecvError::Closed) => return,
                    },
                    () = tokio::time::sleep_until(next_look) => break,
                }
            }
        }
    }

    async fn react_or_tell(&self, tenant: TenantId) {
        if let Err(error) = self.react(tenant).await {
            tracing::error!(%tenant, %error, "policies wait");
        }
    }

    /// The companies whose log goes on after a policy, or for whose processes the time has come.
    async fn behind(&self) -> Result<Vec<TenantId>, PolicyError> {
        // On behalf of nobody: the function names tenants, and there are no rows of the nil tenant.
        let mut tx = self.log().database().begin_read(TenantId(Uuid::nil())).await?;
        let tenants: Vec<Uuid> = sqlx::query_scalar("select tenant_id from policies_behind($1, $2)")
            .bind(POLICIES)
            .bind(self.ports.now())
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(tenants.into_iter().map(TenantId).collect())
    }

    /// Lets a policy look by itself at some of the events that it has not looked at; none where there are none, or where another
    /// has its checkpoint.
    async fn follow_batch<P: Policy>(&self, tenant: TenantId) -> Result<Option<Batch>, PolicyError> {
        let Some((tx, checkpoint)) = self.take_checkpoint(tenant, P::NAME).await? else {
            return Ok(None);
        };
        let events = self.read_events(tenant, checkpoint.position).await?;
        let mut sitting = Sitting::of(tx, tenant, HashMap::from([(P::NAME, checkpoint)]));
        let Some(last) = events.last().map(|event| event.position) else {
            sitting.give_up().await?;
            return Ok(None);
        };
        sitting.recall(&processes::<P>(&events)).await?;
        let batch = self.look_at::<P>(&mut sitting, &events).await?;
        sitting.end(last).await?;
        Ok(Some(batch))
    }

    async fn read_events(&self, tenant: TenantId, after: Position) -> Result<Vec<Recorded>, PolicyError> {
        let stored = self.log().read(tenant, after, u32::from(BATCH), None).await?;
        let events: Result<_, _> = stored.into_iter().map(Recorded::try_from).collect();
        Ok(events?)
    }

    /// Lets a policy do what some of its processes have waited for; none where none waits, or where another has its
    /// checkpoint.
    async fn wake_batch<P: Policy>(&self, tenant: TenantId) -> Result<Option<Batch>, PolicyError> {
        let Some((mut tx, checkpoint)) = self.take_checkpoint(tenant, P::NAME).await? else {
            return Ok(None);
        };
        let due: Vec<(String, Value, DateTime<Utc>)> = sqlx::query_as(
            "select process, state, wake_at from policy_states
             where tenant_id = $1 and policy = $2 and wake_at <= $3 order by wake_at limit $4",
        )
        .bind(tenant.0)
        .bind(P::NAME)
        .bind(self.ports.now())
        .bind(i64::from(DUE))
        .fetch_all(&mut *tx)
        .await?;
        if due.is_empty() {
            tx.rollback().await?;
            return Ok(None);
        }
        let mut batch = Batch {
            is_full: due.len() == usize::from(DUE),
            ..Batch::default()
        };
        let mut parking = Parking::new(tenant, P::NAME, &checkpoint);
        for (process, state, wake_at) in due {
            let woken = self.wake::<P>(&mut tx, tenant, &process, state, Answer::Give);
            match woken.await {
                Ok(reacted) => batch.add(&reacted),
                Err(error) => {
                    let occasion = Occasion::of_time(wake_at);
                    let now = self.ports.now();
                    parking.park(&mut tx, &process, &occasion, now, error).await?;
                }
            }
        }
        parking.end(&mut tx).await?;
        tx.commit().await?;
        Ok(Some(batch))
    }
}

/// The processes of a policy that events belong to, each once.
fn processes<P: Policy>(events: &[Recorded]) -> Vec<Process> {
    let mut names: Vec<String> = events.iter().flat_map(P::processes).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| (P::NAME, name)).collect()
}

/// What came of some events, or of some processes whose time has come.
#[derive(Default)]
struct Batch {
    /// There may be more of them.
    is_full: bool,
    /// A process waits for a time that has come already.
    has_due: bool,
    /// A command was given: there may be new events.
    has_replied: bool,
}

impl Batch {
    fn of(looked_at: usize) -> Self {
        Self {
            is_full: looked_at == usize::from(BATCH),
            ..Self::default()
        }
    }

    fn add(&mut self, reacted: &Reacted) {
        self.has_due |= reacted.is_due;
        self.has_replied |= reacted.has_replied;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}
