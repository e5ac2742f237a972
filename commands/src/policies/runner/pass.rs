//! One look at a company: which policies have something to do, and what they all pass over.

use std::collections::{HashMap, HashSet};

use domain::envelope::Position;
use domain::ids::TenantId;
use domain::recorded::Recorded;

use super::{PolicyError, Progress};
use crate::Commands;
use crate::policies::{
    Answers, Policy, WhenCardIsAwaited, WhenChefTakesTimeOff, WhenDepositCaptured, WhenDepositOverdue,
    WhenMoneyChangesTax, WhenMoneyNeedsAPerson, WhenRefundIsPending, WhenTaxIsUnresolved, WhenTaxRateSet,
};

macro_rules! policies {
    ($($policy:ident),* $(,)?) => {
        /// Every policy there is.
        pub(super) const POLICIES: &[&str] = &[$($policy::NAME),*];

        impl Commands {
            /// Lets every policy that has something to do do it, and says whether there may be more by now.
            pub(super) async fn pass(&self, tenant: TenantId) -> Result<Progress, PolicyError> {
                let mut pass = self.look(tenant).await?;
                // Each on the heap: together they are more than a stack should hold.
                $(Box::pin(self.follow::<$policy>(tenant, &mut pass)).await;)*
                self.pass_over(tenant, &pass).await?;
                pass.end()
            }
        }
    };
}

policies! {
    WhenDepositCaptured,
    WhenDepositOverdue,
    WhenChefTakesTimeOff,
    WhenMoneyChangesTax,
    WhenTaxRateSet,
    WhenMoneyNeedsAPerson,
    WhenRefundIsPending,
    WhenCardIsAwaited,
    WhenTaxIsUnresolved,
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

impl Pass {
    fn end(self) -> Result<Progress, PolicyError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.progress),
        }
    }

    /// The events after a position, where they were read and there are any.
    pub(super) fn since(&self, position: Position) -> Option<&[Recorded]> {
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

    /// Whether none of the events that a policy has not looked at concerns it.
    fn is_unconcerned<P: Policy>(&self) -> bool {
        let (Some(from), Some(unseen)) = (self.positions.get(P::NAME), &self.unseen) else {
            return false;
        };
        let mut unseen = unseen.iter().filter(|event| event.position > *from);
        unseen.all(|event| P::process(event).is_none())
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
        let Some(first) = first.filter(|first| **first < pass.head) else {
            return Ok(None);
        };
        match self.read_events(tenant, *first).await {
            Ok(events) => {
                let is_all = events.last().is_some_and(|last| last.position >= pass.head);
                Ok(is_all.then_some(events))
            }
            // A policy that comes to what cannot be read says so.
            Err(PolicyError::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets a policy look at what it has not looked at, unless that does not concern it.
    async fn follow<P: Policy>(&self, tenant: TenantId, pass: &mut Pass) {
        match self.follow_up::<P>(tenant, pass).await {
            Ok(Progress::Done) => {}
            Ok(Progress::More) => pass.progress = Progress::More,
            Err(error) => {
                tracing::error!(%tenant, policy = P::NAME, %error, "a policy waits");
                pass.failed.get_or_insert(error);
            }
        }
    }

    async fn follow_up<P: Policy>(&self, tenant: TenantId, pass: &mut Pass) -> Result<Progress, PolicyError> {
        let mut progress = Progress::Done;
        let mut has_due = pass.due.contains(P::NAME);
        let is_behind = !pass.is_at_head::<P>();
        if is_behind && pass.is_unconcerned::<P>() {
            pass.passing.push(P::NAME);
        } else if is_behind {
            while let Some(followed) = self.follow_batch::<P>(tenant, pass).await? {
                if followed.batch.has_replied {
                    progress = Progress::More;
                }
                has_due |= followed.has_due;
                if !followed.batch.is_full {
                    break;
                }
            }
        }
        if P::ANSWERS == Answers::EventsAlone || !has_due {
            return Ok(progress);
        }
        while let Some(batch) = self.wake_batch::<P>(tenant).await? {
            if batch.has_replied {
                progress = Progress::More;
            }
            if !batch.is_full {
                break;
            }
        }
        Ok(progress)
    }

    /// Policies that none of the events concern have looked at them. One that another node has at the moment looks itself.
    async fn pass_over(&self, tenant: TenantId, pass: &Pass) -> Result<(), PolicyError> {
        let last = pass.unseen.as_ref().and_then(|unseen| unseen.last());
        let (Some(last), false) = (last, pass.passing.is_empty()) else {
            return Ok(());
        };
        let mut tx = self.log().database().begin(tenant).await?;
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
