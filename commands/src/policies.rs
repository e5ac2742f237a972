//! Policies: what reacts. A policy follows the log with its own checkpoint, keeps a small state per business
//! process, and answers events, or the passing of time, with commands whose keys follow from their cause, so
//! that a repeat does nothing. A rebuild or an as-of query never runs one.

mod due;
mod news;
mod runner;
#[cfg(test)]
mod testing;
mod when_booking_cancelled;
mod when_booking_completed;
mod when_booking_confirmed;
mod when_booking_requested_by_lead;
mod when_card_is_awaited;
mod when_chef_takes_time_off;
mod when_customer_erased;
mod when_customer_writes;
mod when_deposit_captured;
mod when_deposit_is_awaited;
mod when_deposit_overdue;
mod when_event_is_near;
mod when_failed_payment_is_made_good;
mod when_lead_grows_old;
mod when_money_changes_tax;
mod when_money_needs_a_person;
mod when_payment_fails;
mod when_price_changes;
mod when_refund_is_pending;
mod when_refund_succeeds;
mod when_review_awaited;
mod when_review_submitted;
mod when_tax_is_unresolved;
mod when_tax_rate_set;

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::PaymentFact;
use domain::chef::ChefReassignmentNeeded;
use domain::envelope::Position;
use domain::escalation::{EndedBy, EscalationOpen};
use domain::ids::{
    BookingId, ChefId, ConversationId, CustomerId, EscalationId, LeadId, PaymentId, RefundId, ReviewId,
    WorkItemId,
};
use domain::money::Cents;
use domain::recorded::Recorded;
use domain::review::ReviewCancelledBecause;
use domain::work_item::WorkItemOpened;
use serde::{Serialize, de::DeserializeOwned};

use crate::booking::HeldUnder;
use crate::message::{MessageAsk, PriceNews};

pub use news::News;
pub(crate) use runner::{CaughtUp, RELAY};
pub use runner::{PolicyError, WaitingReaction};
pub use when_booking_cancelled::WhenBookingCancelled;
pub use when_booking_completed::WhenBookingCompleted;
pub use when_booking_confirmed::WhenBookingConfirmed;
pub use when_booking_requested_by_lead::WhenBookingRequestedByLead;
pub use when_card_is_awaited::WhenCardIsAwaited;
pub use when_chef_takes_time_off::WhenChefTakesTimeOff;
pub use when_customer_erased::WhenCustomerErased;
pub use when_customer_writes::WhenCustomerWrites;
pub use when_deposit_captured::WhenDepositCaptured;
pub use when_deposit_is_awaited::WhenDepositIsAwaited;
pub use when_deposit_overdue::WhenDepositOverdue;
pub use when_event_is_near::WhenEventIsNear;
pub use when_failed_payment_is_made_good::WhenFailedPaymentIsMadeGood;
pub use when_lead_grows_old::WhenLeadGrowsOld;
pub use when_money_changes_tax::WhenMoneyChangesTax;
pub use when_money_needs_a_person::WhenMoneyNeedsAPerson;
pub use when_payment_fails::WhenPaymentFails;
pub use when_price_changes::WhenPriceChanges;
pub use when_refund_is_pending::WhenRefundIsPending;
pub use when_refund_succeeds::WhenRefundSucceeds;
pub use when_review_awaited::WhenReviewAwaited;
pub use when_review_submitted::WhenReviewSubmitted;
pub use when_tax_is_unresolved::WhenTaxIsUnresolved;
pub use when_tax_rate_set::WhenTaxRateSet;

/// What a booking costs and what is left to pay of it, in cents, as far as the log was followed: negative where too much has
/// come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BookingAccount {
    pub(crate) price_cents: Cents,
    pub(crate) due_cents: Cents,
}

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

    /// The business processes that an event belongs to, where it may be more than one.
    fn processes(event: &Recorded) -> Vec<String> {
        Self::process(event).into_iter().collect()
    }

    /// What an event changes, and what is to be done about it.
    fn react(state: Option<Self::State>, event: &Recorded) -> Reaction<Self::State>;

    /// What is to be done when the time that a state waits for has come.
    fn due(process: &str, state: Self::State) -> Option<Reply>;

    /// What it remembers once that is done, and when to look at it again; nothing, for what is then over.
    fn again(state: &Self::State, now: DateTime<Utc>) -> Option<(Self::State, DateTime<Utc>)> {
        let (_, _) = (state, now);
        None
    }

    /// What makes the time that a state waits for another than the times before: the key of the command follows from it.
    fn cause(process: &str, state: &Self::State) -> String {
        let _ = state;
        format!("due {process}")
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
    /// A customer's message waits for an answer.
    AnswerMessage {
        /// In which conversation.
        conversation_id: ConversationId,
    },
    /// A person must take something over.
    OpenEscalation(EscalationOpen),
    /// Nobody has to see to it any more.
    EndEscalations {
        /// Which escalations.
        escalations: Vec<EscalationId>,
        /// What ends them.
        by: EndedBy,
    },
    /// A review is to be asked for, or not any more.
    Review(ReviewStep),
    /// A customer is to be told something about their booking.
    AskMessage(MessageAsk),
    /// Customers are to be told that prices change.
    TellOfPrices(PriceNews),
    /// Whoever asked in vain before has booked.
    WinLeads {
        /// What was kept of them.
        leads: Vec<LeadId>,
        /// Who they are.
        customer_id: CustomerId,
        /// Their booking is the first in the log after this place.
        after: Position,
    },
    /// A lead's personal data may have to go.
    PurgeLead {
        /// Which lead.
        lead_id: LeadId,
    },
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

/// What becomes of a question for a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewStep {
    /// The customer is asked.
    Ask {
        /// After which party.
        booking_id: BookingId,
    },
    /// The customer is asked again.
    Remind {
        /// Which review.
        review_id: ReviewId,
        /// Which reminder: 1 or 2.
        number: i32,
    },
    /// Nobody waits for an answer any longer.
    Expire {
        /// Which review.
        review_id: ReviewId,
    },
    /// No answer is wanted any more.
    Cancel {
        /// Which review.
        review_id: ReviewId,
        /// Why.
        because: ReviewCancelledBecause,
    },
    /// The customer's data is gone.
    Forget {
        /// What they were asked.
        reviews: Vec<ReviewId>,
    },
}
