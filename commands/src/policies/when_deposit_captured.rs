//! When the deposit has come, in one payment or in several, the booking is confirmed.

use domain::booking::BookingEvent;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{PaymentEvent, PaymentVerified};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};

/// Confirms bookings.
pub struct WhenDepositCaptured;

/// A booking that waits for its deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The deposit, in cents.
    deposit_cents: Cents,
    /// What has come so far, in cents.
    captured_cents: Cents,
}

impl Policy for WhenDepositCaptured {
    type State = Waiting;
    const NAME: &'static str = "when_deposit_captured";

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(_) => Some(event.stream.id.clone()),
            DomainEvent::Payment(PaymentEvent::Verified(verified)) => {
                Some(verified.booking.booking_id.to_string())
            }
            DomainEvent::Payment(PaymentEvent::Claimed(_) | PaymentEvent::Rejected(_))
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn react(state: Option<Waiting>, event: &Recorded) -> Reaction<Waiting> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::Requested(requested)) => Reaction::keep(Some(Waiting {
                deposit_cents: requested.quote.deposit_cents,
                captured_cents: Cents::ZERO,
            })),
            DomainEvent::Booking(
                BookingEvent::Confirmed(_)
                | BookingEvent::Completed(_)
                | BookingEvent::Cancelled(_)
                | BookingEvent::Expired(_),
            ) => Reaction::keep(None),
            DomainEvent::Payment(PaymentEvent::Verified(verified)) => match state {
                Some(waiting) => waiting.receive(verified, &event.stream.id),
                // Confirmed, or over, before this money came.
                None => Reaction::keep(None),
            },
            DomainEvent::Payment(PaymentEvent::Claimed(_) | PaymentEvent::Rejected(_))
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::Lead(_) => Reaction::keep(state),
        }
    }

    fn due(_process: &str, _state: Waiting) -> Option<Reply> {
        None
    }
}

impl Waiting {
    fn receive(mut self, verified: &PaymentVerified, payment: &str) -> Reaction<Self> {
        self.captured_cents += verified.amount_cents;
        let complete = self.captured_cents >= self.deposit_cents;
        let reply = payment
            .parse::<PaymentId>()
            .ok()
            .filter(|_| complete)
            .map(|payment_id| Reply::ConfirmBooking {
                booking_id: verified.booking.booking_id,
                payment_id,
                captured_cents: self.captured_cents,
            });
        Reaction {
            state: Some(self),
            wake_at: None,
            reply,
        }
    }
}

/// The booking that a process is named after.
pub(super) fn booking_of(process: &str) -> Option<BookingId> {
    process.parse().ok()
}
