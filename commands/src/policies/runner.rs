//! Runs policies: one transaction a batch holds the checkpoint, the states and the proof that nobody else runs.

mod holding;
mod memory;
mod pass;
mod reply;

use std::collections::HashSet;
use std::time::Duration;

use domain::decider::DecodeError;
use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::{Appended, LogError};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Policy, Reaction, WhenMoneyChangesTax};
use crate::{CommandError, Commands};
use memory::{forget_state, keep_state, load_state};
use pass::{POLICIES, Pass};
use reply::Cause;

/// Events that one transaction looks at.
const BATCH: u16 = 200;
/// Processes whose time has come that one transaction looks at.
const DUE: u16 = 100;

/// How often to look for what other processes have appended, and for whose time has come.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a policy could not go on; it is tried again from its checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The log or the database is out of reach.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    /// The database refused a statement.
    #[error("the policy's checkpoint cannot be kept")]
    Database(#[from] sqlx::Error),
    /// The log holds an event that this program cannot read.
    #[error("the log holds an event that cannot be read")]
    Unreadable(#[from] DecodeError),
    /// A remembered state is of another shape.
    #[error("a remembered state cannot be read")]
    State(#[from] serde_json::Error),
    /// A command neither happened nor was refused by a rule.
    #[error("a command did not happen")]
    Command(#[from] CommandError),
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

    /// How many events of a company what follows its payments has not looked at yet: until there are none, tax may be
    /// missing.
    ///
    /// # Errors
    /// [`PolicyError`] when the log or the database is out of reach.
    pub async fn tax_events_behind(&self, tenant: TenantId) -> Result<i64, PolicyError> {
        let head = self.log().head(tenant).await?.position;
        let mut tx = self.log().database().begin_read(tenant).await?;
        let position: Option<i64> = sqlx::query_scalar(
            "select position from policy_checkpoints where tenant_id = $1 and policy = $2",
        )
        .bind(tenant.0)
        .bind(WhenMoneyChangesTax::NAME)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok((head.0 - position.unwrap_or(0)).max(0))
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

    /// Lets a policy look at some of the events that it has not looked at; none where there are none, or where another has
    /// its checkpoint.
    async fn follow_batch<P: Policy>(
        &self,
        tenant: TenantId,
        pass: &Pass,
    ) -> Result<Option<Followed>, PolicyError> {
        let Some((mut tx, checkpoint)) = self.take_checkpoint(tenant, P::NAME).await? else {
            return Ok(None);
        };
        let read;
        let events = match pass.since(checkpoint) {
            Some(seen) => seen,
            None => {
                read = self.read_events(tenant, checkpoint).await?;
                &read
            }
        };
        let Some(last) = events.last().map(|event| event.position) else {
            // Given back now, not some time after: the next batch must not find it taken.
            tx.rollback().await?;
            return Ok(None);
        };
        let now = self.ports.now();
        let mut has_due = false;
        let mut batch = Batch {
            is_full: events.len() == usize::from(BATCH),
            has_replied: false,
        };
        for event in events {
            let Some(process) = P::process(event) else {
                continue;
            };
            let state = load_state::<P>(&mut tx, tenant, &process).await?;
            let had_state = state.is_some();
            let Reaction {
                state,
                wake_at,
                reply,
            } = P::react(state, event);
            if let Some(reply) = reply {
                batch.has_replied = true;
                let cause = Cause {
                    event: Some(event.event_id),
                    key: event.event_id.to_string(),
                };
                self.reply::<P>(tenant, cause, Some(event.meta.correlation_id.clone()), reply)
                    .await?;
            }
            match state {
                Some(state) => {
                    has_due |= wake_at.is_some_and(|wake_at| wake_at <= now);
                    let state = serde_json::to_value(state)?;
                    keep_state(&mut tx, tenant, P::NAME, &process, &state, wake_at).await?;
                }
                None if had_state => forget_state(&mut tx, tenant, P::NAME, &process).await?,
                None => {}
            }
        }
        sqlx::query("update policy_checkpoints set position = $3 where tenant_id = $1 and policy = $2")
            .bind(tenant.0)
            .bind(P::NAME)
            .bind(last.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some(Followed { batch, has_due }))
    }

    async fn read_events(&self, tenant: TenantId, after: Position) -> Result<Vec<Recorded>, PolicyError> {
        let stored = self.log().read(tenant, after, u32::from(BATCH), None).await?;
        let events: Result<_, _> = stored.into_iter().map(Recorded::try_from).collect();
        Ok(events?)
    }

    /// Lets a policy do what some of its processes have waited for; none where none waits, or where another has its
    /// checkpoint.
    async fn wake_batch<P: Policy>(&self, tenant: TenantId) -> Result<Option<Batch>, PolicyError> {
        let Some((mut tx, _)) = self.take_checkpoint(tenant, P::NAME).await? else {
            return Ok(None);
        };
        let due: Vec<(String, Value)> = sqlx::query_as(
            "select process, state from policy_states
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
            has_replied: false,
        };
        for (process, state) in due {
            let state: P::State = serde_json::from_value(state)?;
            let again = P::again(&state, self.ports.now());
            if let Some(reply) = P::due(&process, state) {
                batch.has_replied = true;
                let cause = Cause {
                    event: None,
                    key: format!("due {process}"),
                };
                self.reply::<P>(tenant, cause, None, reply).await?;
            }
            match again {
                Some((state, wake_at)) => {
                    let state = serde_json::to_value(state)?;
                    keep_state(&mut tx, tenant, P::NAME, &process, &state, Some(wake_at)).await?;
                }
                None => forget_state(&mut tx, tenant, P::NAME, &process).await?,
            }
        }
        tx.commit().await?;
        Ok(Some(batch))
    }
}

/// What came of some events, or of some processes whose time has come.
struct Batch {
    /// There may be more of them.
    is_full: bool,
    /// A command was given: there may be new events.
    has_replied: bool,
}

/// What came of some events.
struct Followed {
    batch: Batch,
    /// A process waits for a time that has come already.
    has_due: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}
