//! When a booking is confirmed, its customer is told so.

use domain::booking::BookingEvent;
use domain::message::MessageKind;
use domain::recorded::{DomainEvent, Recorded};

use super::when_deposit_captured::booking_of;
use super::{News, Reply};
use crate::message::MessageAsk;

/// Tells customers that their party will be held.
pub struct WhenBookingConfirmed;

impl News for WhenBookingConfirmed {
    const NAME: &'static str = "when_booking_confirmed";

    fn news(event: &Recorded) -> Option<Reply> {
        let DomainEvent::Booking(BookingEvent::Confirmed(confirmed)) = &event.event else {
            return None;
        };
        Some(Reply::AskMessage(MessageAsk {
            kind: MessageKind::BookingConfirmed,
            cause: event.stream.id.clone(),
            booking_id: booking_of(&event.stream.id)?,
            refund_cents: None,
            since: confirmed.confirmed_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::testing::{BOOKING, Story, at};

    #[test]
    fn a_customer_hears_that_the_party_will_be_held() {
        let mut story = Story::<WhenBookingConfirmed>::new();
        assert_eq!(story.tell("booking.requested", json!({})), None);
        let told = story.tell(
            "booking.confirmed",
            json!({"confirmed_at": "2026-03-01T10:00:00Z"}),
        );
        let ask = MessageAsk {
            kind: MessageKind::BookingConfirmed,
            cause: BOOKING.to_string(),
            booking_id: domain::ids::BookingId(BOOKING),
            refund_cents: None,
            since: at("2026-03-01T10:00:00Z"),
        };
        assert_eq!(told, Some(Reply::AskMessage(ask)));
        assert!(story.is_over());
    }
}
