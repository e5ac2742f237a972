//! The work queue: what policies, the provider's words and banks' notifications put into it, and who sees to it.

use chrono::{DateTime, Utc};
use domain::access::{Permission, StationScope};
use domain::decider::Decider;
use domain::envelope::Version;
use domain::ids::{PaymentId, WorkItemId};
use domain::money::Cents;
use domain::payment::PaidBooking;
use domain::work_item::{WorkItem, WorkItemCommand, WorkItemError, WorkItemOpened, WorkKind};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// An item about a booking, of which the amount and the sentence are still to be said.
pub(crate) struct About {
    kind: WorkKind,
    booking: PaidBooking,
    payment_id: Option<PaymentId>,
}

/// An item about a booking, and a payment for it.
pub(crate) fn about(kind: WorkKind, booking: &PaidBooking, payment_id: Option<PaymentId>) -> About {
    About {
        kind,
        booking: booking.clone(),
        payment_id,
    }
}

impl About {
    /// The item, about so much money, for this reason.
    pub(crate) fn of(self, amount: Cents, detail: String, now: DateTime<Utc>) -> WorkItemOpened {
        WorkItemOpened {
            kind: self.kind,
            station_id: Some(self.booking.station_id),
            booking_id: Some(self.booking.booking_id),
            booking_number: Some(self.booking.number),
            payment_id: self.payment_id,
            amount_cents: Some(amount),
            detail,
            mail: None,
            provider_event: None,
            opened_at: now,
        }
    }
}

impl Commands {
    /// Says that a person has seen to an item of the work queue.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE` when it was seen to already, `INVALID_NOTE`.
    pub async fn resolve_work(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: WorkItemId,
        seen: Option<i64>,
        note: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            this.run(&caller, &key, "work_item_resolve", &(id, seen, &note), || async {
                let loaded = this.load::<WorkItem>(&caller, &id.to_string()).await?;
                let opened = loaded.state.opened();
                let opened = opened.ok_or_else(|| CommandError::refused(WorkItemError::NotFound))?;
                match opened.station_id {
                    Some(station) => caller.reach(station, WorkItemError::NotFound.into())?,
                    // What concerns the whole company is nobody's of one station, as in the list.
                    None if caller.stations != StationScope::All => {
                        return Err(CommandError::refused(WorkItemError::NotFound));
                    }
                    None => {}
                }
                loaded.expect(seen)?;
                let command = WorkItemCommand::Resolve {
                    note: note.clone(),
                    now: this.ports.now(),
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<WorkItem>(&this, id.to_string(), loaded.version, events))
            })
            .await
        })
        .await
    }

    /// Puts an item into the work queue; one that is there already stays as it is.
    pub(crate) async fn open_work(
        &self,
        caller: Caller,
        id: WorkItemId,
        opened: WorkItemOpened,
    ) -> Result<(), CommandError> {
        let key = IdempotencyKey::of_reaction("work_item_open", &id.to_string());
        let done = self
            .run(&caller, &key, "work_item_open", &id, || async {
                let plan = Plan::default();
                self.plan_work(plan, id, opened.clone())
            })
            .await;
        match done {
            Ok(_) => Ok(()),
            Err(CommandError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Adds a new item to a plan.
    pub(crate) fn plan_work(
        &self,
        plan: Plan,
        id: WorkItemId,
        opened: WorkItemOpened,
    ) -> Result<Plan, CommandError> {
        let events = WorkItem::default()
            .decide(WorkItemCommand::Open(opened))
            .map_err(CommandError::refused)?;
        Ok(plan.write::<WorkItem>(self, id.to_string(), Version(0), events))
    }

    /// Takes an item out of the work queue that has become right by itself.
    pub(crate) async fn settle_work(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: WorkItemId,
        because: &'static str,
    ) -> Result<Written, CommandError> {
        self.run(&caller, &key, "work_item_settle", &id, || async {
            let loaded = self.load::<WorkItem>(&caller, &id.to_string()).await?;
            let command = WorkItemCommand::Settle {
                because: because.to_owned(),
                now: self.ports.now(),
            };
            let events = loaded.state.decide(command).map_err(CommandError::refused)?;
            Ok(Plan::default().write::<WorkItem>(self, id.to_string(), loaded.version, events))
        })
        .await
    }
}
