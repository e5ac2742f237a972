//! Policies: what reacts. A policy follows the log with its own checkpoint, keeps a small state per business
//! process, and answers events, or the passing of time, with commands whose keys follow from their cause, so
//! that a repeat does nothing. A rebuild or an as-of query never runs one.

mod runner;
#[cfg(test)]
mod testing;
mod when_card_is_awaited;
mod when_chef_takes_time_off;
mod when_deposit_captured;
mod when_deposit_overdue;
mod when_money_changes_tax;
mod when_money_needs_a_person;
mod when_refund_is_pending;
mod when_tax_is_unresolved;
mod when_tax_rate_set;

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::PaymentFact;
use domain::chef::ChefReassignmentNeeded;
use domain::ids::{BookingId, ChefId, PaymentId, RefundId, WorkItemId};
use domain::money::Cents;
use domain::recorded::Recorded;
use domain::work_item::WorkItemOpened;
use serde::{Serialize, de::DeserializeOwned};

use crate::booking::HeldUnder;

pub use runner::PolicyError;
pub use when_card_is_awaited::WhenCardIsAwaited;
pub use when_chef_takes_time_off::WhenChefTakesTimeOff;
pub use when_deposit_captured::WhenDepositCaptured;
pub use when_deposit_overdue::WhenDepositOverdue;
pub use when_money_changes_tax::WhenMoneyChangesTax;
pub use when_money_needs_a_person::WhenMoneyNeedsAPerson;
pub use when_refund_is_pending::WhenRefundIsPending;
pub use when_tax_is_unresolved::WhenTaxIsUnresolved;
pub use when_tax_rate_set::WhenTaxRateSet;

/// How long the money of a booking is followed after it was held or called off: as long as its records are kept, which is
/// four years (Cal. Code Regs. tit. 18, § 1698).
const MONEY_FOLLOWED: TimeDelta = TimeDelta::days(4 * 366);

/// One reaction of the company, as a pure function.
pub trait Policy: Send + Sync {
    /// What it remembers of one business process, until its story is over.
    type State: Serialize + DeserializeOwned + Send;

    /// Stable name: of its checkpoint, and of the actor of its commands.
    const NAME: &'static str;

    /// What it answers.
    const ANSWERS: Answers = Answers::EventsAlone;

    /// The business process that an event belongs to; none for an event that it does not look at.
    fn process(event: &Recorded) -> Option<String>;

    /// What an event changes, and what is to be done about it.
    fn react(state: Option<Self::State>, event: &Recorded) -> Reaction<Self::State>;

    /// What is to be done when the time that a state waits for has come.
    fn due(process: &str, state: Self::State) -> Option<Reply>;

    /// What it remembers once that is done, and when to look at it again; nothing, for what is then over.
    fn again(state: &Self::State, now: DateTime<Utc>) -> Option<(Self::State, DateTime<Utc>)> {
        let (_, _) = (state, now);
        None
    }
}

/// What a policy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Events: none of its states waits for a time.
    EventsAlone,
    /// Events, and the passing of time.
    TimeToo,
}

/// What a policy makes of an event.
#[derive(Debug, PartialEq, Eq)]
pub struct Reaction<S> {
    /// What it remembers from now on; none to forget the process.
    pub state: Option<S>,
    /// When to look at it again, if nothing happens before.
    pub wake_at: Option<DateTime<Utc>>,
    /// What is to be done now.
    pub reply: Option<Reply>,
}

impl<S> Reaction<S> {
    fn keep(state: Option<S>) -> Self {
        Self {
            state,
            wake_at: None,
            reply: None,
        }
    }
}

/// A command that a policy gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The deposit has come.
    ConfirmBooking {
        /// Which booking.
        booking_id: BookingId,
        /// The payment that completed the deposit.
        payment_id: PaymentId,
        /// Captured towards the booking by then, in cents.
        captured_cents: Cents,
    },
    /// The deposit did not come.
    ExpireBooking {
        /// Which booking.
        booking_id: BookingId,
    },
    /// Money has moved that changes the tax of a party that was held.
    RecordTax {
        /// Which booking.
        booking_id: BookingId,
        /// The movements, in the order of the log.
        facts: Vec<PaymentFact>,
    },
    /// A party was called off, and what is kept of it is a sale.
    RecordKept {
        /// Which booking.
        booking_id: BookingId,
        /// Tips and card fees that had come, and were not given back.
        beside: Vec<PaymentFact>,
    },
    /// A rate was loaded where parties were held without one, or at another.
    ResolveTax {
        /// Bookings without one.
        bookings: Vec<BookingId>,
        /// Parties that were held while it was in force, where there may be any.
        held: Option<HeldUnder>,
    },
    /// A chef is off on days on which parties count on the chef.
    NeedReassignment {
        /// Who.
        chef_id: ChefId,
        /// Which parties, on which days.
        needed: ChefReassignmentNeeded,
    },
    /// Something in the work queue has come up, or become right.
    Work(Vec<WorkStep>),
    /// Money is on its way back: somebody has to ask after it.
    TakeUpRefund {
        /// Which payment.
        payment_id: PaymentId,
        /// Which of its refunds.
        refund_id: RefundId,
    },
    /// A card payment waits: somebody has to ask after it.
    TakeUpCard {
        /// Which payment.
        payment_id: PaymentId,
    },
}

/// A change of the work queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkStep {
    /// A person should look.
    Open {
        /// The item.
        id: WorkItemId,
        /// What it is about.
        opened: WorkItemOpened,
    },
    /// It has become right.
    Close {
        /// The item.
        id: WorkItemId,
        /// How.
        because: &'static str,
    },
}
