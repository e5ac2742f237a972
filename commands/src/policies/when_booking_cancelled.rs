//! When a booking is called off, by whomever, its customer is told so.

use domain::booking::BookingEvent;
use domain::message::MessageKind;
use domain::recorded::{DomainEvent, Recorded};

use super::when_deposit_captured::booking_of;
use super::{News, Reply};
use crate::message::MessageAsk;

/// Tells customers that their party will not be held.
pub struct WhenBookingCancelled;

impl News for WhenBookingCancelled {
    const NAME: &'static str = "when_booking_cancelled";

    fn news(event: &Recorded) -> Option<Reply> {
        let DomainEvent::Booking(BookingEvent::Cancelled(cancelled)) = &event.event else {
            return None;
        };
        Some(Reply::AskMessage(MessageAsk {
            kind: MessageKind::BookingCancelled,
            cause: event.stream.id.clone(),
            booking_id: booking_of(&event.stream.id)?,
            refund_cents: None,
            since: cancelled.cancelled_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::testing::{BOOKING, Story, at};

    #[test]
    fn a_customer_hears_that_the_party_is_off() {
        let mut story = Story::<WhenBookingCancelled>::new();
        assert_eq!(story.tell("booking.expired", json!({})), None);
        let told = story.tell(
            "booking.cancelled",
            json!({"cancelled_at": "2026-03-01T10:00:00Z"}),
        );
        let ask = MessageAsk {
            kind: MessageKind::BookingCancelled,
            cause: BOOKING.to_string(),
            booking_id: domain::ids::BookingId(BOOKING),
            refund_cents: None,
            since: at("2026-03-01T10:00:00Z"),
        };
        assert_eq!(told, Some(Reply::AskMessage(ask)));
        assert!(story.is_over());
    }
}
