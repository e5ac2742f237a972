//! A day before a party that will be held, its customer is reminded of it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::{BookingEvent, BookingStatus};
use domain::message::MessageKind;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::when_deposit_captured::booking_of;
use super::{Answers, Policy, Reaction, Reply};
use crate::message::MessageAsk;

/// Reminds of parties.
pub struct WhenEventIsNear;

/// How long before it begins.
const BEFORE: TimeDelta = TimeDelta::hours(24);
/// A restoration of the last moment may be heard of some time after it.
const A_DAY: TimeDelta = TimeDelta::days(1);

/// A party that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    starts_at: DateTime<Utc>,
    stands: Stands,
}

/// Where its booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stands {
    /// It waits for its deposit.
    Requested,
    /// It will be held.
    Confirmed,
    /// It was put away, and can be taken out again until then.
    Away { restorable_until: DateTime<Utc> },
}

impl Ahead {
    fn wait(self) -> Reaction<Self> {
        Reaction {
            wake_at: match self.stands {
                Stands::Requested => None,
                Stands::Confirmed => Some(self.starts_at - BEFORE),
                Stands::Away { restorable_until } => Some(restorable_until + A_DAY),
            },
            state: Some(self),
            reply: None,
        }
    }
}

impl Policy for WhenEventIsNear {
    type State = Ahead;
    const NAME: &'static str = "when_event_is_near";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Booking(booking) = &event.event else {
            return None;
        };
        concerns(booking).then(|| event.stream.id.clone())
    }

    fn react(state: Option<Ahead>, event: &Recorded) -> Reaction<Ahead> {
        let DomainEvent::Booking(booking) = &event.event else {
            return Reaction::keep(state);
        };
        if let BookingEvent::Requested(requested) = booking {
            let starts_at = requested.start.utc;
            let stands = Stands::Requested;
            return Ahead { starts_at, stands }.wait();
        }
        let Some(ahead) = state else {
            return Reaction::keep(None);
        };
        let changed = if let BookingEvent::Rescheduled(moved) = booking {
            Some(Ahead {
                starts_at: moved.start.utc,
                ..ahead
            })
        } else {
            stands(booking).map(|stands| Ahead { stands, ..ahead })
        };
        match changed {
            // Confirmed within the last day, a party needs no reminder.
            Some(ahead) if is_past(&ahead, booking) => Reaction::keep(None),
            Some(ahead) => ahead.wait(),
            None => Reaction::keep(None),
        }
    }

    fn due(process: &str, state: Ahead) -> Option<Reply> {
        match state.stands {
            Stands::Requested | Stands::Away { .. } => None,
            Stands::Confirmed => Some(Reply::AskMessage(MessageAsk {
                kind: MessageKind::EventReminder,
                cause: Self::cause(process, &state),
                booking_id: booking_of(process)?,
                refund_cents: None,
                since: state.starts_at - BEFORE,
            })),
        }
    }

    fn cause(process: &str, state: &Ahead) -> String {
        format!("due {process} {}", state.starts_at.to_rfc3339())
    }
}

/// Where a booking stands by an event; none where it is over.
fn stands(event: &BookingEvent) -> Option<Stands> {
    if let BookingEvent::Confirmed(_) = event {
        return Some(Stands::Confirmed);
    }
    if let BookingEvent::Deleted(deleted) = event {
        return Some(Stands::Away {
            restorable_until: deleted.restorable_until,
        });
    }
    let BookingEvent::Restored(restored) = event else {
        return None;
    };
    match restored.status {
        BookingStatus::Requested => Some(Stands::Requested),
        BookingStatus::Confirmed => Some(Stands::Confirmed),
        BookingStatus::Completed | BookingStatus::Cancelled | BookingStatus::Expired => None,
    }
}

/// Whether the reminder's time was over when a booking was confirmed.
fn is_past(ahead: &Ahead, event: &BookingEvent) -> bool {
    let BookingEvent::Confirmed(confirmed) = event else {
        return false;
    };
    ahead.starts_at - BEFORE <= confirmed.confirmed_at
}

/// Whether an event says that a party is to come, or when, or that it is not.
fn concerns(event: &BookingEvent) -> bool {
    match event {
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Rescheduled(_)
        | BookingEvent::Completed(_)
        | BookingEvent::Cancelled(_)
        | BookingEvent::Expired(_)
        | BookingEvent::Deleted(_)
        | BookingEvent::Restored(_) => true,
        BookingEvent::DepositDueExtended(_)
        | BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policies::testing::{BOOKING, Story, at};

    fn start(utc: &str, local: &str) -> Value {
        json!({"start": {
            "utc": utc, "local": local, "zone": "America/Los_Angeles", "offset_secs": -25_200,
            "moved_forward_secs": 0,
        }})
    }

    fn confirmed() -> Story<WhenEventIsNear> {
        let mut story = Story::new();
        story.tell(
            "booking.requested",
            start("2026-03-15T01:00:00Z", "2026-03-14T18:00:00"),
        );
        assert_eq!(story.wake_at(), None);
        story.tell(
            "booking.confirmed",
            json!({"confirmed_at": "2026-03-02T00:00:00Z"}),
        );
        assert_eq!(story.wake_at(), Some(at("2026-03-14T01:00:00Z")));
        story
    }

    #[test]
    fn a_customer_is_reminded_a_day_before_and_anew_where_the_party_is_moved() {
        let mut story = confirmed();
        story.tell(
            "booking.rescheduled",
            start("2026-03-22T01:00:00Z", "2026-03-21T18:00:00"),
        );
        assert_eq!(story.wake_at(), Some(at("2026-03-21T01:00:00Z")));
        let state = |starts_at: &str| Ahead {
            starts_at: at(starts_at),
            stands: Stands::Confirmed,
        };
        let ask = |starts_at| match WhenEventIsNear::due(&BOOKING.to_string(), state(starts_at)) {
            Some(Reply::AskMessage(ask)) => ask,
            other => panic!("the customer is reminded: {other:?}"),
        };
        let (first, second) = (ask("2026-03-15T01:00:00Z"), ask("2026-03-22T01:00:00Z"));
        assert_eq!(first.kind, MessageKind::EventReminder);
        assert_eq!(first.since, at("2026-03-14T01:00:00Z"));
        assert_ne!(first.cause, second.cause);
    }

    #[test]
    fn nobody_is_reminded_of_a_party_that_is_off_or_put_away() {
        for over in ["booking.completed", "booking.cancelled"] {
            let mut story = confirmed();
            story.tell(over, json!({}));
            assert!(story.is_over(), "{over}");
        }
        let mut story = confirmed();
        story.tell(
            "booking.deleted",
            json!({"restorable_until": "2026-04-01T00:00:00Z"}),
        );
        assert_eq!(story.wake_at(), Some(at("2026-04-02T00:00:00Z")));
        let mut taken_out = confirmed();
        taken_out.tell(
            "booking.deleted",
            json!({"restorable_until": "2026-04-01T00:00:00Z"}),
        );
        taken_out.tell("booking.restored", json!({"status": "confirmed"}));
        assert_eq!(taken_out.wake_at(), Some(at("2026-03-14T01:00:00Z")));
        assert_eq!(story.wake(), None);
    }

    #[test]
    fn a_party_that_is_confirmed_on_its_last_day_needs_no_reminder() {
        let mut story = Story::<WhenEventIsNear>::new();
        story.tell(
            "booking.requested",
            start("2026-03-15T01:00:00Z", "2026-03-14T18:00:00"),
        );
        story.tell(
            "booking.confirmed",
            json!({"confirmed_at": "2026-03-14T02:00:00Z"}),
        );
        assert!(story.is_over());
    }
}
