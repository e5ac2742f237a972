//! What waits of policies is reacted to after all, one occasion a transaction, in its order; or a person gives it up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;
use event_log::{LogError, Transaction};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::memory::{load_state, load_stored, write_one};
use super::parking::{Occasion, TIME, rest};
use super::reaction::Answer;
use super::{PolicyError, WaitingReaction};
use crate::jobs::enqueue;
use crate::policies::Policy;
use crate::{CommandError, Commands};

/// Occasions that one attempt reacts to at most, before others have their turn.
const AT_ONCE: usize = 50;
/// How often to ask for a checkpoint that another has, and how long between.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for a turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many processes one program makes up for at a time: each holds on to a connection, and its command asks for others.
static TURNS: Semaphore = Semaphore::const_new(2);

type Row = (String, String, i64, i64, DateTime<Utc>);

/// How far what waits of a process was reacted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaughtUp {
    /// Nothing waits any more.
    Fully,
    /// More waits.
    InPart,
    /// Another has the policy's checkpoint.
    Busy,
    /// No policy of this program goes by the name.
    Unknown,
}

/// What waits of a process.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) process: &'a str,
    pub(super) subject: Uuid,
}

impl Commands {
    /// Reacts to what waits under an id, in its order.
    ///
    /// # Errors
    /// Why the first that waits cannot be reacted to. What came before it is done.
    pub(crate) async fn catch_up_waiting(
        &self,
        tenant: TenantId,
        subject: Uuid,
    ) -> Result<CaughtUp, PolicyError> {
        for _ in 0..AT_ONCE {
            let came = self.first_waiting(tenant, subject, Answer::Give).await?;
            if came != CaughtUp::InPart {
                return Ok(came);
            }
        }
        Ok(CaughtUp::InPart)
    }

    /// Gives up the first that waits under an id: its command is not given, and what the policy learns of it stays. What
    /// waits after it has a job of its own then. Once more, it does nothing.
    ///
    /// # Errors
    /// [`PolicyError`] when the log or the database is out of reach.
    pub(crate) async fn give_up_waiting(
        &self,
        tenant: TenantId,
        subject: Uuid,
    ) -> Result<CaughtUp, PolicyError> {
        self.first_waiting(tenant, subject, Answer::GiveUp).await
    }

    /// Gives up all that waits under an id, of a policy that there is no more.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub(crate) async fn forget_waiting(&self, tenant: TenantId, subject: Uuid) -> Result<(), PolicyError> {
        let mut tx = self.log().database().begin(tenant).await?;
        let of: Vec<String> = sqlx::query_scalar(
            "delete from policy_waiting where tenant_id = $1 and subject = $2 returning policy",
        )
        .bind(tenant.0)
        .bind(subject)
        .fetch_all(&mut *tx)
        .await?;
        if let Some(policy) = of.first() {
            let waited = of.len();
            tracing::warn!(%tenant, policy, waited, "what waits of a policy that there is no more is given up");
            none_left(&mut tx, tenant, policy).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What waits under an id now; none where nothing does any more.
    ///
    /// # Errors
    /// [`CommandError::Unavailable`] when the database is out of reach.
    pub async fn waiting_reaction(
        &self,
        tenant: TenantId,
        subject: Uuid,
    ) -> Result<Option<WaitingReaction>, CommandError> {
        let mut tx = self.log().database().begin_read(tenant).await?;
        let found: Result<Option<Row>, sqlx::Error> = sqlx::query_as(
            "select policy, process, count(*), min(position), min(since) from policy_waiting
             where tenant_id = $1 and subject = $2 group by policy, process",
        )
        .bind(tenant.0)
        .bind(subject)
        .fetch_optional(&mut *tx)
        .await;
        let found = found.map_err(PolicyError::from)?;
        tx.commit().await.map_err(PolicyError::from)?;
        let waiting = |(policy, process, waiting, first, since)| WaitingReaction {
            policy,
            process,
            waiting,
            first: Position(first),
            since,
        };
        Ok(found.map(waiting))
    }

    /// Goes one occasion on.
    async fn first_waiting(
        &self,
        tenant: TenantId,
        subject: Uuid,
        answer: Answer,
    ) -> Result<CaughtUp, PolicyError> {
        for look in 1..=LOOKS {
            let Some(found) = self.waiting_reaction(tenant, subject).await? else {
                return Ok(CaughtUp::Fully);
            };
            let Ok(turn) = timeout(PATIENCE, TURNS.acquire()).await else {
                return Ok(CaughtUp::Busy);
            };
            let process = &found.process;
            let kept = Kept { process, subject };
            let came = self.go_on_named(tenant, &found.policy, kept, answer).await?;
            if came != CaughtUp::Busy || look == LOOKS {
                return Ok(came);
            }
            drop(turn);
            sleep(PAUSE).await;
        }
        Ok(CaughtUp::Busy)
    }

    /// Lets a policy react to the first that waits of a process, or a person's word stand for its answer.
    pub(super) async fn go_on<P: Policy>(
        &self,
        tenant: TenantId,
        kept: Kept<'_>,
        answer: Answer,
    ) -> Result<CaughtUp, PolicyError> {
        let Some((mut tx, _)) = self.take_checkpoint(tenant, P::NAME).await? else {
            return Ok(CaughtUp::Busy);
        };
        let Some(position) = first(&mut tx, tenant, P::NAME, kept).await? else {
            tx.rollback().await?;
            return Ok(CaughtUp::Fully);
        };
        let made_up = self.make_up::<P>(&mut tx, tenant, kept.process, position, answer);
        match made_up.await {
            Ok(()) => {}
            // What it remembers cannot be read, and nothing is learnt: that is given up with the rest.
            Err(error) if answer == Answer::GiveUp && !error.holds_up_all() => {
                let why = error.reason();
                tracing::warn!(%tenant, policy = P::NAME, process = kept.process, why, "nothing is learnt of what is given up");
            }
            Err(error) => {
                tx.rollback().await?;
                return Err(error);
            }
        }
        remove(&mut tx, tenant, P::NAME, kept.process, position).await?;
        let Some(next) = first(&mut tx, tenant, P::NAME, kept).await? else {
            none_left(&mut tx, tenant, P::NAME).await?;
            tx.commit().await?;
            return Ok(CaughtUp::Fully);
        };
        rest(&mut tx, tenant, P::NAME, kept.process).await?;
        if answer == Answer::GiveUp {
            self.hand_on(&mut tx, tenant, P::NAME, kept, next).await?;
        }
        tx.commit().await?;
        Ok(CaughtUp::InPart)
    }

    async fn make_up<P: Policy>(
        &self,
        tx: &mut Transaction,
        tenant: TenantId,
        process: &str,
        position: Position,
        answer: Answer,
    ) -> Result<(), PolicyError> {
        if position != TIME {
            let event = self.event_at(tenant, position).await?;
            let state = load_state::<P>(tx, tenant, process).await?;
            let (_, memory) = self.react_to::<P>(tenant, state, &event, answer).await?;
            write_one(tx, tenant, (P::NAME, process.to_owned()), memory).await?;
            return Ok(());
        }
        if let Some(state) = load_stored(tx, tenant, P::NAME, process).await? {
            self.wake::<P>(tx, tenant, process, state, answer).await?;
        }
        Ok(())
    }

    /// Lets another job begin with what waits next.
    async fn hand_on(
        &self,
        tx: &mut Transaction,
        tenant: TenantId,
        policy: &str,
        kept: Kept<'_>,
        next: Position,
    ) -> Result<(), PolicyError> {
        let event = self.event_at(tenant, next).await?;
        let queued = Occasion::of_event(&event).job(policy, kept.process, self.ports.now());
        sqlx::query(
            "update policy_waiting set subject = $4 where tenant_id = $1 and policy = $2 and process = $3",
        )
        .bind(tenant.0)
        .bind(policy)
        .bind(kept.process)
        .bind(queued.job.subject)
        .execute(&mut **tx)
        .await?;
        Ok(enqueue(tx, tenant, &queued).await?)
    }

    async fn event_at(&self, tenant: TenantId, position: Position) -> Result<Recorded, PolicyError> {
        let before = Position(position.0 - 1);
        let event = self.log().read(tenant, before, 1, None).await?.pop();
        let gone = || LogError::Corrupt {
            position,
            what: "an event that waits is gone".to_owned(),
        };
        Ok(Recorded::try_from(event.ok_or_else(gone)?)?)
    }
}

/// The first that waits of a process.
async fn first(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    kept: Kept<'_>,
) -> Result<Option<Position>, sqlx::Error> {
    let first: Option<i64> = sqlx::query_scalar(
        "select position from policy_waiting
         where tenant_id = $1 and policy = $2 and process = $3 and subject = $4 order by position limit 1",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(kept.process)
    .bind(kept.subject)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(first.map(Position))
}

async fn remove(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    process: &str,
    position: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from policy_waiting where tenant_id = $1 and policy = $2 and process = $3 and position = $4",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(process)
    .bind(position.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes that nothing of a process waits any more, and of the policy nothing, where it was the last.
async fn none_left(tx: &mut Transaction, tenant: TenantId, policy: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update policy_checkpoints set has_waiting = exists (
             select from policy_waiting where tenant_id = $1 and policy = $2
         )
         where tenant_id = $1 and policy = $2",
    )
    .bind(tenant.0)
    .bind(policy)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
