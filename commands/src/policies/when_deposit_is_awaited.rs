//! While a deposit is awaited, its customer is reminded of it six hours before it is too late. Whoever says that it was sent
//! is not.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::{BookingEvent, BookingStatus};
use domain::message::MessageKind;
use domain::payment::PaymentEvent;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::when_deposit_captured::booking_of;
use super::{Answers, Policy, Reaction, Reply};
use crate::message::MessageAsk;

/// Reminds of deposits.
pub struct WhenDepositIsAwaited;

/// How long before it is too late.
const BEFORE: TimeDelta = TimeDelta::hours(6);

/// A deposit that is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    due_at: DateTime<Utc>,
}

/// What an event says of a deposit.
enum Said {
    /// It is awaited until then, from the second instant on.
    Awaited(DateTime<Utc>, DateTime<Utc>),
    /// It is not, or somebody says that it was sent.
    NotAwaited,
}

impl Policy for WhenDepositIsAwaited {
    type State = Awaited;
    const NAME: &'static str = "when_deposit_is_awaited";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        if let DomainEvent::Payment(payment) = &event.event {
            let is_claimed = matches!(payment, PaymentEvent::Claimed(_));
            return is_claimed.then(|| payment.booking().booking_id.to_string());
        }
        said(event).map(|_| event.stream.id.clone())
    }

    fn react(_state: Option<Awaited>, event: &Recorded) -> Reaction<Awaited> {
        let Some(Said::Awaited(due_at, from)) = said(event) else {
            return Reaction::keep(None);
        };
        // One that has to come at once is asked for when it is requested.
        if due_at - BEFORE <= from {
            return Reaction::keep(None);
        }
        Reaction {
            state: Some(Awaited { due_at }),
            wake_at: Some(due_at - BEFORE),
            reply: None,
        }
    }

    fn due(process: &str, state: Awaited) -> Option<Reply> {
        Some(Reply::AskMessage(MessageAsk {
            kind: MessageKind::DepositReminder,
            cause: Self::cause(process, &state),
            booking_id: booking_of(process)?,
            refund_cents: None,
            since: state.due_at - BEFORE,
        }))
    }

    fn cause(process: &str, state: &Awaited) -> String {
        format!("due {process} {}", state.due_at.to_rfc3339())
    }
}

fn said(event: &Recorded) -> Option<Said> {
    let DomainEvent::Booking(booking) = &event.event else {
        return None;
    };
    match booking {
        BookingEvent::Requested(requested) => {
            Some(Said::Awaited(requested.deposit_due_at, requested.requested_at))
        }
        BookingEvent::DepositDueExtended(extended) => Some(Said::Awaited(extended.due_at, event.recorded_at)),
        BookingEvent::Rescheduled(moved) => {
            let due_at = moved.deposit_due_at?;
            Some(Said::Awaited(due_at, moved.rescheduled_at))
        }
        BookingEvent::Restored(restored) if restored.status == BookingStatus::Requested => {
            Some(Said::Awaited(restored.deposit_due_at, restored.restored_at))
        }
        BookingEvent::Confirmed(_)
        | BookingEvent::Completed(_)
        | BookingEvent::Cancelled(_)
        | BookingEvent::Expired(_)
        | BookingEvent::Deleted(_) => Some(Said::NotAwaited),
        BookingEvent::Restored(_)
        | BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policies::testing::{BOOKING, Story, at};

    fn requested() -> Value {
        json!({"requested_at": "2026-03-01T00:00:00Z", "deposit_due_at": "2026-03-02T00:00:00Z"})
    }

    fn awaited() -> Story<WhenDepositIsAwaited> {
        let mut story = Story::new();
        assert_eq!(story.tell("booking.requested", requested()), None);
        assert_eq!(story.wake_at(), Some(at("2026-03-01T18:00:00Z")));
        story
    }

    #[test]
    fn a_customer_is_reminded_before_it_is_too_late() {
        let state = Awaited {
            due_at: at("2026-03-02T00:00:00Z"),
        };
        let due = WhenDepositIsAwaited::due(&BOOKING.to_string(), state);
        let Some(Reply::AskMessage(ask)) = due else {
            panic!("the customer is reminded");
        };
        assert_eq!(
            (ask.kind, ask.since),
            (MessageKind::DepositReminder, at("2026-03-01T18:00:00Z"))
        );
        let mut story = awaited();
        story.tell(
            "booking.deposit_due_extended",
            json!({"due_at": "2026-03-05T00:00:00Z"}),
        );
        assert_eq!(story.wake_at(), Some(at("2026-03-04T18:00:00Z")));
    }

    #[test]
    fn whoever_has_paid_or_says_so_is_not_reminded() {
        for over in ["booking.confirmed", "booking.cancelled", "booking.deleted"] {
            let mut story = awaited();
            story.tell(over, json!({}));
            assert!(story.is_over(), "{over}");
        }
        let mut story = awaited();
        story.tell("payment.claimed", json!({}));
        assert!(story.is_over());
        let mut story = awaited();
        story.tell("booking.note_added", json!({}));
        assert!(!story.is_over());
    }

    #[test]
    fn nobody_is_reminded_of_what_has_to_come_at_once() {
        let mut story = Story::<WhenDepositIsAwaited>::new();
        let at_once =
            json!({"requested_at": "2026-03-01T20:00:00Z", "deposit_due_at": "2026-03-02T00:00:00Z"});
        story.tell("booking.requested", at_once);
        assert!(story.is_over());
    }
}
