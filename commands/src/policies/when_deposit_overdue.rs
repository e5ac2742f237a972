//! When the deposit has not come by the time it was due, the booking is given up and its place is free.

use domain::booking::BookingEvent;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply, when_deposit_captured::booking_of};

/// Gives up bookings.
pub struct WhenDepositOverdue;

/// A booking whose deposit is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {}

impl Policy for WhenDepositOverdue {
    type State = Awaited;
    const NAME: &'static str = "when_deposit_overdue";

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(_) => Some(event.stream.id.clone()),
            DomainEvent::Payment(_)
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

    fn react(_state: Option<Awaited>, event: &Recorded) -> Reaction<Awaited> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::Requested(requested)) => Reaction {
                state: Some(Awaited {}),
                wake_at: Some(requested.deposit_due_at),
                reply: None,
            },
            DomainEvent::Booking(
                BookingEvent::Confirmed(_)
                | BookingEvent::Completed(_)
                | BookingEvent::Cancelled(_)
                | BookingEvent::Expired(_),
            )
            | DomainEvent::Payment(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::Lead(_) => Reaction::keep(None),
        }
    }

    fn due(process: &str, _state: Awaited) -> Option<Reply> {
        booking_of(process).map(|booking_id| Reply::ExpireBooking { booking_id })
    }
}
