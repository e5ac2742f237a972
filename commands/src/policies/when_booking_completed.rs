//! A day after a party was held, its customer is asked how it was.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::BookingEvent;
use domain::recorded::{DomainEvent, Recorded};
use domain::review::ASK_AFTER_HOURS;
use serde::{Deserialize, Serialize};

use super::when_deposit_captured::booking_of;
use super::{Answers, Policy, Reaction, Reply, ReviewStep};

/// Asks for reviews.
pub struct WhenBookingCompleted;

/// A party that was held, whose customer is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When.
    ask_at: DateTime<Utc>,
}

impl Policy for WhenBookingCompleted {
    type State = Held;
    const NAME: &'static str = "when_booking_completed";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Booking(booking) = &event.event else {
            return None;
        };
        concerns(booking).then(|| event.stream.id.clone())
    }

    fn react(state: Option<Held>, event: &Recorded) -> Reaction<Held> {
        let DomainEvent::Booking(booking) = &event.event else {
            return Reaction::keep(state);
        };
        let BookingEvent::Completed(held) = booking else {
            return Reaction::keep(None);
        };
        // Marked as held while it goes on, it is over later.
        let over = held
            .taken_until
            .map_or(held.completed_at, |until| until.max(held.completed_at));
        let ask_at = over + TimeDelta::hours(ASK_AFTER_HOURS);
        Reaction {
            state: Some(Held { ask_at }),
            wake_at: Some(ask_at),
            reply: None,
        }
    }

    fn due(process: &str, _state: Held) -> Option<Reply> {
        booking_of(process).map(|booking_id| Reply::Review(ReviewStep::Ask { booking_id }))
    }
}

/// Whether an event says that a party was held, or that its booking is not wanted.
fn concerns(event: &BookingEvent) -> bool {
    match event {
        BookingEvent::Completed(_) | BookingEvent::Cancelled(_) | BookingEvent::Deleted(_) => true,
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Expired(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::Rescheduled(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::Restored(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => false,
    }
}
