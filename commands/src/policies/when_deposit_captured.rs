//! When the deposit has come, in one payment or in several, the booking is confirmed.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::BookingEvent;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::PaymentEvent;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply};

/// Confirms bookings.
pub struct WhenDepositCaptured;

/// A booking that waits for its deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The deposit, in cents.
    deposit_cents: Cents,
    /// What has come so far, in cents.
    captured_cents: Cents,
    /// The payment that came last.
    #[serde(default)]
    last: Option<PaymentId>,
    /// Until when it may be taken out again, once it was put away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restorable_until: Option<DateTime<Utc>>,
}

/// A restoration of the last moment may be heard of some time after it.
const A_DAY: TimeDelta = TimeDelta::days(1);

impl Policy for WhenDepositCaptured {
    type State = Waiting;
    const NAME: &'static str = "when_deposit_captured";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(_) => Some(event.stream.id.clone()),
            DomainEvent::Payment(payment) => {
                payment.money()?;
                Some(payment.booking().booking_id.to_string())
            }
            DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn react(state: Option<Waiting>, event: &Recorded) -> Reaction<Waiting> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::Requested(requested)) => Reaction::keep(Some(Waiting {
                deposit_cents: requested.quote.deposit_cents,
                captured_cents: Cents::ZERO,
                last: None,
                restorable_until: None,
            })),
            // A price that fell below the deposit lowers it.
            DomainEvent::Booking(BookingEvent::GuestCountChanged(changed)) => {
                Waiting::owe(state, changed.quote.deposit_cents, &event.stream.id)
            }
            DomainEvent::Booking(BookingEvent::MenuChanged(changed)) => {
                Waiting::owe(state, changed.quote.deposit_cents, &event.stream.id)
            }
            DomainEvent::Booking(BookingEvent::Rescheduled(moved)) => {
                Waiting::owe(state, moved.quote.deposit_cents, &event.stream.id)
            }
            // What came while the booking was away confirms it now.
            DomainEvent::Booking(BookingEvent::Restored(_)) => match state {
                Some(waiting) => Waiting {
                    restorable_until: None,
                    ..waiting
                }
                .confirm_if_complete(&event.stream.id),
                None => Reaction::keep(None),
            },
            DomainEvent::Booking(BookingEvent::Deleted(deleted)) => {
                Waiting::goes_on(state.map(|waiting| Waiting {
                    restorable_until: Some(deleted.restorable_until),
                    ..waiting
                }))
            }
            DomainEvent::Booking(
                BookingEvent::DepositDueExtended(_)
                | BookingEvent::ChefAssigned(_)
                | BookingEvent::ChefUnassigned(_)
                | BookingEvent::NoteAdded(_)
                | BookingEvent::TermsAccepted(_)
                | BookingEvent::TaxPlaceSet(_)
                | BookingEvent::TaxAdjusted(_),
            ) => Waiting::goes_on(state),
            DomainEvent::Booking(
                BookingEvent::Confirmed(_)
                | BookingEvent::Completed(_)
                | BookingEvent::Cancelled(_)
                | BookingEvent::Expired(_),
            ) => Reaction::keep(None),
            DomainEvent::Payment(payment) => match state {
                Some(waiting) => waiting.receive(payment, &event.stream.id),
                // Confirmed, or over, before this money came.
                None => Reaction::keep(None),
            },
            DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => Waiting::goes_on(state),
        }
    }

    fn due(_process: &str, _state: Waiting) -> Option<Reply> {
        None
    }
}

impl Waiting {
    /// What nobody can take out any more is forgotten.
    fn goes_on(waiting: Option<Self>) -> Reaction<Self> {
        Reaction {
            wake_at: waiting
                .and_then(|waiting| waiting.restorable_until)
                .map(|until| until + A_DAY),
            ..Reaction::keep(waiting)
        }
    }

    /// What came, and what was voided, given back or lost of it, counts by its sum.
    fn receive(mut self, event: &PaymentEvent, payment: &str) -> Reaction<Self> {
        let moved = event.money().unwrap_or_default().held_cents();
        self.captured_cents += moved;
        if moved > Cents::ZERO {
            self.last = payment.parse::<PaymentId>().ok();
        }
        self.confirm_if_complete(&event.booking().booking_id.to_string())
    }

    fn owe(waiting: Option<Self>, deposit_cents: Cents, booking: &str) -> Reaction<Self> {
        match waiting {
            Some(waiting) => Self {
                deposit_cents,
                ..waiting
            }
            .confirm_if_complete(booking),
            None => Reaction::keep(None),
        }
    }

    fn confirm_if_complete(self, booking: &str) -> Reaction<Self> {
        let complete = self.captured_cents >= self.deposit_cents;
        let paid_for = self.last.zip(booking_of(booking)).filter(|_| complete);
        let reply = paid_for.map(|(payment_id, booking_id)| Reply::ConfirmBooking {
            booking_id,
            payment_id,
            captured_cents: self.captured_cents,
        });
        Reaction {
            reply,
            ..Self::goes_on(Some(self))
        }
    }
}

/// The booking that a process is named after.
pub(super) fn booking_of(process: &str) -> Option<BookingId> {
    process.parse().ok()
}
