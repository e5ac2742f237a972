//! One look at a company: which policies have something to do, and what they all pass over.

use std::collections::{HashMap, HashSet};

use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;

use super::memory::lock_checkpoints;
use super::reaction::Answer;
use super::sitting::{Process, Sitting};
use super::waiting::{CaughtUp, Kept};
use super::{BATCH, Batch, PolicyError, Progress, processes};
use crate::Commands;
use crate::policies::{
    Answers, Policy, WhenBookingCancelled, WhenBookingCompleted, WhenBookingConfirmed,
    WhenBookingRequestedByLead, WhenCardIsAwaited, WhenChefTakesTimeOff, WhenCustomerErased,
    WhenCustomerWrites, WhenDepositCaptured, WhenDepositIsAwaited, WhenDepositOverdue, WhenEventIsNear,
    WhenFailedPaymentIsMadeGood, WhenLeadGrowsOld, WhenMoneyChangesTax, WhenMoneyNeedsAPerson,
    WhenPaymentFails, WhenPriceChanges, WhenRefundIsPending, WhenRefundSucceeds, WhenReviewAwaited,
    WhenReviewSubmitted, WhenTaxIsUnresolved, WhenTaxRateSet,
};

macro_rules! policies {
    ($([$($policy:ident),* $(,)?])*) => {
        /// Every policy there is.
        pub(super) const POLICIES: &[&str] = &[$($($policy::NAME),*),*];

        impl Commands {
            /// Lets every policy that has something to do do it, and says whether there may be more by now.
            pub(super) async fn pass(&self, tenant: TenantId) -> Result<Progress, PolicyError> {
                let mut pass = self.look(tenant).await?;
                $(
                    let concerned = [$(pass.concerned::<$policy>()),*];
                    if let Some(mut sitting) = self.sit(tenant, &mut pass, concerned).await? {
                        // Each on the heap: together they are more than a stack should hold.
                        $(Box::pin(self.take_part::<$policy>(&mut sitting, &pass)).await;)*
                        self.rise(sitting, &mut pass).await;
                    }
                    $(Box::pin(self.follow::<$policy>(tenant, &mut pass)).await;)*
                )*
                self.pass_over(tenant, &pass).await?;
                pass.end()
            }

            /// Lets the policy of a name go on with what waits of a process.
            pub(super) async fn go_on_named(
                &self,
                tenant: TenantId,
                policy: &str,
                kept: Kept<'_>,
                answer: Answer,
            ) -> Result<CaughtUp, PolicyError> {
                $($(if policy == $policy::NAME {
                    return Box::pin(self.go_on::<$policy>(tenant, kept, answer)).await;
                })*)*
                Ok(CaughtUp::Unknown)
            }
        }
    };
}

// A bracket sits together, in one transaction; what it remembers is there for the brackets after it.
policies! {
    // Those that count and decide.
    [
        WhenDepositCaptured,
        WhenDepositOverdue,
        WhenChefTakesTimeOff,
        WhenMoneyChangesTax,
        WhenTaxRateSet,
        WhenMoneyNeedsAPerson,
        WhenRefundIsPending,
        WhenCardIsAwaited,
        WhenTaxIsUnresolved,
    ]
    // After them: what customers are told is what these have left.
    [
        WhenPaymentFails,
        WhenFailedPaymentIsMadeGood,
        WhenCustomerWrites,
        WhenBookingCompleted,
        WhenReviewAwaited,
        WhenReviewSubmitted,
        WhenCustomerErased,
        WhenBookingRequestedByLead,
        WhenLeadGrowsOld,
        WhenBookingConfirmed,
        WhenDepositIsAwaited,
        WhenEventIsNear,
        WhenPriceChanges,
        WhenRefundSucceeds,
        WhenBookingCancelled,
    ]
}

/// Where the policies of a company stand, and what has come of looking at them.
pub(super) struct Pass {
    /// The last event there is.
    head: Position,
    /// The last event that a policy has looked at, by its name; none of one that has not begun.
    positions: HashMap<String, Position>,
    /// Policies for whose processes the time has come.
    due: HashSet<String>,
    /// The events from the first that some policy has not looked at up to the head, where they are few.
    unseen: Option<Vec<Recorded>>,
    /// Policies that none of the events concern.
    passing: Vec<&'static str>,
    progress: Progress,
    failed: Option<PolicyError>,
}

/// Policies that sit together, and what has come of it.
struct Together {
    sitting: Sitting,
    came: Vec<(&'static str, Batch)>,
    failed: Option<(&'static str, PolicyError)>,
}

impl Pass {
    /// Notes what has come of a policy's look.
    fn note(&mut self, policy: &str, batch: &Batch) {
        if batch.has_replied {
            self.progress = Progress::More;
        }
        if batch.has_due {
            self.due.insert(policy.to_owned());
        }
    }

    fn end(self) -> Result<Progress, PolicyError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.progress),
        }
    }

    /// The events after a position, where they were read and there are any.
    fn since(&self, position: Position) -> Option<&[Recorded]> {
        let unseen = self.unseen.as_deref()?;
        let next = unseen
            .iter()
            .position(|event| event.position.0 == position.0 + 1)?;
        unseen.get(next..)
    }

    /// Whether a policy has looked at all events.
    fn is_at_head<P: Policy>(&self) -> bool {
        self.positions
            .get(P::NAME)
            .is_some_and(|position| *position >= self.head)
    }

    /// The events that a policy has not looked at, where they were read.
    fn unseen_by(&self, policy: &str) -> Option<&[Recorded]> {
        self.since(*self.positions.get(policy)?)
    }

    /// Whether none of the events that a policy has not looked at concerns it: neither a process that it may react for, nor
    /// one of which something waits, since that goes by the same names.
    fn is_unconcerned<P: Policy>(&self) -> bool {
        let unseen = self.unseen_by(P::NAME);
        unseen.is_some_and(|unseen| unseen.iter().all(|event| P::processes(event).is_empty()))
    }

    /// The processes of a policy that events concern which it has not looked at.
    fn concerned<P: Policy>(&self) -> Vec<Process> {
        self.unseen_by(P::NAME).map(processes::<P>).unwrap_or_default()
    }
}

impl Commands {
    async fn look(&self, tenant: TenantId) -> Result<Pass, PolicyError> {
        let head = self.log().head(tenant).await?.position;
        let mut tx = self.log().database().begin_read(tenant).await?;
        let standing: Vec<(String, i64, bool)> = sqlx::query_as(
            "select policy, position, exists (
                 select from policy_states s
                 where s.tenant_id = c.tenant_id and s.policy = c.policy and s.wake_at <= $2
             )
             from policy_checkpoints c where tenant_id = $1",
        )
        .bind(tenant.0)
        .bind(self.ports.now())
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let mut pass = Pass {
            head,
            positions: HashMap::new(),
            due: HashSet::new(),
            unseen: None,
            passing: Vec::new(),
            progress: Progress::Done,
            failed: None,
        };
        for (policy, position, due) in standing {
            if due {
                pass.due.insert(policy.clone());
            }
            pass.positions.insert(policy, Position(position));
        }
        pass.unseen = self.unseen(tenant, &pass).await?;
        Ok(pass)
    }

    /// The events that some policy has not looked at, where one page holds them and this program can read them all.
    async fn unseen(&self, tenant: TenantId, pass: &Pass) -> Result<Option<Vec<Recorded>>, PolicyError> {
        let first = POLICIES
            .iter()
            .filter_map(|policy| pass.positions.get(*policy))
            .min();
        // Positions have no hole: what is further behind is more than a page.
        let page = 1..=i64::from(BATCH);
        let Some(first) = first.filter(|first| page.contains(&(pass.head.0 - first.0))) else {
            return Ok(None);
        };
        match self.read_events(tenant, *first).await {
            Ok(events) => Ok(Some(events)),
            // A policy that comes to what cannot be read says so.
            Err(PolicyError::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets policies sit together that the same events concern; none where there are no such policies, or where others have
    /// their checkpoints.
    async fn sit<const N: usize>(
        &self,
        tenant: TenantId,
        pass: &mut Pass,
        concerned: [Vec<Process>; N],
    ) -> Result<Option<Together>, PolicyError> {
        let policies: Vec<&'static str> = concerned
            .iter()
            .filter_map(|processes| processes.first())
            .map(|(policy, _)| *policy)
            .collect();
        if policies.is_empty() {
            return Ok(None);
        }
        let mut tx = self.log().database().begin_unflushed(tenant).await?;
        let checkpoints = lock_checkpoints(&mut tx, tenant, &policies, self.policies_holder).await?;
        if checkpoints.is_empty() {
            tx.rollback().await?;
            return Ok(None);
        }
        // Another node may have gone on meanwhile.
        for (policy, checkpoint) in &checkpoints {
            pass.positions.insert((*policy).to_owned(), checkpoint.position);
        }
        let mut sitting = Sitting::of(tx, tenant, checkpoints);
        sitting.recall(&concerned.concat()).await?;
        Ok(Some(Together {
            sitting,
            came: Vec::new(),
            failed: None,
        }))
    }

    /// Lets a policy look, if it is at a sitting that has not failed, at what it has not looked at.
    async fn take_part<P: Policy>(&self, together: &mut Together, pass: &Pass) {
        let is_there = together.sitting.has(P::NAME) && together.failed.is_none();
        let (true, Some(unseen)) = (is_there, pass.unseen_by(P::NAME)) else {
            return;
        };
        match self.look_at::<P>(&mut together.sitting, unseen).await {
            Ok(batch) => together.came.push((P::NAME, batch)),
            Err(error) => together.failed = Some((P::NAME, error)),
        }
    }

    /// Ends a sitting. After one that failed nobody has looked at anything, and each looks by itself: one that fails holds up
    /// no other.
    async fn rise(&self, together: Together, pass: &mut Pass) {
        let Together {
            sitting,
            came,
            failed,
        } = together;
        let tenant = sitting.tenant();
        let last = pass.unseen.as_ref().and_then(|unseen| unseen.last());
        let ended = match (failed, last) {
            (Some((policy, error)), _) => {
                tracing::warn!(%tenant, policy, %error, "policies look one by one");
                sitting.give_up().await
            }
            (None, None) => sitting.give_up().await,
            (None, Some(last)) => {
                let last = last.position;
                let ended = sitting.end(last).await;
                if ended.is_ok() {
                    for (policy, batch) in came {
                        pass.positions.insert(policy.to_owned(), last);
                        pass.note(policy, &batch);
                    }
                }
                ended
            }
        };
        if let Err(error) = ended {
            tracing::warn!(%tenant, %error, "policies look one by one");
        }
    }

    /// Lets a policy look at what it has not looked at, unless that does not concern it.
    async fn follow<P: Policy>(&self, tenant: TenantId, pass: &mut Pass) {
        if let Err(error) = self.follow_up::<P>(tenant, pass).await {
            tracing::error!(%tenant, policy = P::NAME, %error, "a policy waits");
            pass.failed.get_or_insert(error);
        }
    }

    async fn follow_up<P: Policy>(&self, tenant: TenantId, pass: &mut Pass) -> Result<(), PolicyError> {
        let is_behind = !pass.is_at_head::<P>();
        if is_behind && pass.is_unconcerned::<P>() {
            pass.passing.push(P::NAME);
        } else if is_behind {
            while let Some(batch) = self.follow_batch::<P>(tenant).await? {
                pass.note(P::NAME, &batch);
                if !batch.is_full {
                    break;
                }
            }
        }
        let has_due = pass.due.contains(P::NAME);
        if P::ANSWERS == Answers::EventsAlone || !has_due {
            return Ok(());
        }
        while let Some(batch) = self.wake_batch::<P>(tenant).await? {
            if batch.has_replied {
                pass.progress = Progress::More;
            }
            if !batch.is_full {
                break;
            }
        }
        Ok(())
    }

    /// Policies that none of the events concern have looked at them. One that another node has at the moment looks itself.
    async fn pass_over(&self, tenant: TenantId, pass: &Pass) -> Result<(), PolicyError> {
        let last = pass.unseen.as_ref().and_then(|unseen| unseen.last());
        let (Some(last), false) = (last, pass.passing.is_empty()) else {
            return Ok(());
        };
        let mut tx = self.log().database().begin_unflushed(tenant).await?;
        sqlx::query(
            "update policy_checkpoints set position = $3 where tenant_id = $1 and policy in (
                 select policy from policy_checkpoints
                 where tenant_id = $1 and policy = any ($2) and position < $3
                     and (held_by is null or held_by = $4 or held_until < clock_timestamp())
                 for update skip locked
             )",
        )
        .bind(tenant.0)
        .bind(&pass.passing)
        .bind(last.position.0)
        .bind(self.policies_holder)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
