//! While a customer has not answered, they are reminded on day 3 and day 7; after thirty days the question is over. Where
//! the booking is called off or put away, so is the question.

use chrono::{DateTime, TimeDelta, Utc};
use domain::booking::BookingEvent;
use domain::ids::ReviewId;
use domain::recorded::{DomainEvent, Recorded};
use domain::review::{REMIND_AFTER_DAYS, ReviewCancelledBecause, ReviewEvent, ReviewLinkIssued};
use serde::{Deserialize, Serialize};

use super::when_deposit_captured::booking_of;
use super::{Answers, Policy, Reaction, Reply, ReviewStep};

/// Reminds, and gives up.
pub struct WhenReviewAwaited;

/// A question that was not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    review_id: ReviewId,
    /// When the customer was asked first.
    issued_at: DateTime<Utc>,
    /// When nobody waits any longer.
    expires_at: DateTime<Utc>,
    next: Next,
}

/// What comes next for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    FirstReminder,
    SecondReminder,
    End,
}

impl From<&ReviewLinkIssued> for Awaited {
    fn from(issued: &ReviewLinkIssued) -> Self {
        Self {
            review_id: ReviewId::of(issued.party.booking_id),
            issued_at: issued.issued_at,
            expires_at: issued.expires_at,
            next: Next::FirstReminder,
        }
    }
}

impl Awaited {
    fn at(&self, next: Next) -> DateTime<Utc> {
        let [first, second] = REMIND_AFTER_DAYS;
        match next {
            Next::FirstReminder => self.issued_at + TimeDelta::days(first),
            Next::SecondReminder => self.issued_at + TimeDelta::days(second),
            Next::End => self.expires_at,
        }
    }

    fn wait(self) -> Reaction<Self> {
        Reaction {
            wake_at: Some(self.at(self.next)),
            state: Some(self),
            reply: None,
        }
    }
}

impl Policy for WhenReviewAwaited {
    type State = Awaited;
    const NAME: &'static str = "when_review_awaited";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        if let DomainEvent::Review(review) = &event.event {
            return changes(review).then(|| event.stream.id.clone());
        }
        let DomainEvent::Booking(booking) = &event.event else {
            return None;
        };
        because(booking)?;
        booking_of(&event.stream.id).map(|booking| ReviewId::of(booking).to_string())
    }

    fn react(state: Option<Awaited>, event: &Recorded) -> Reaction<Awaited> {
        if let DomainEvent::Review(ReviewEvent::LinkIssued(issued)) = &event.event {
            // A further link changes nothing.
            return state.unwrap_or_else(|| Awaited::from(issued)).wait();
        }
        let DomainEvent::Booking(booking) = &event.event else {
            return Reaction::keep(None);
        };
        let cancel = |(awaited, because): (Awaited, _)| {
            Reply::Review(ReviewStep::Cancel {
                review_id: awaited.review_id,
                because,
            })
        };
        Reaction {
            state: None,
            wake_at: None,
            reply: state.zip(because(booking)).map(cancel),
        }
    }

    fn due(_process: &str, state: Awaited) -> Option<Reply> {
        let review_id = state.review_id;
        Some(Reply::Review(match state.next {
            Next::FirstReminder => ReviewStep::Remind { review_id, number: 1 },
            Next::SecondReminder => ReviewStep::Remind { review_id, number: 2 },
            Next::End => ReviewStep::Expire { review_id },
        }))
    }

    fn again(state: &Awaited, now: DateTime<Utc>) -> Option<(Awaited, DateTime<Utc>)> {
        let next = match state.next {
            // Nobody is reminded twice at once where time was lost.
            Next::FirstReminder if now < state.at(Next::SecondReminder) => Next::SecondReminder,
            Next::FirstReminder | Next::SecondReminder => Next::End,
            Next::End => return None,
        };
        Some((Awaited { next, ..*state }, state.at(next)))
    }

    fn cause(process: &str, state: &Awaited) -> String {
        format!("due {process} {}", state.at(state.next).to_rfc3339())
    }
}

fn because(event: &BookingEvent) -> Option<ReviewCancelledBecause> {
    match event {
        BookingEvent::Cancelled(_) => Some(ReviewCancelledBecause::BookingCancelled),
        BookingEvent::Deleted(_) => Some(ReviewCancelledBecause::BookingDeleted),
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Completed(_)
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
        | BookingEvent::TaxAdjusted(_) => None,
    }
}

/// Whether an event says that an answer is awaited, or that none is.
fn changes(event: &ReviewEvent) -> bool {
    match event {
        ReviewEvent::LinkIssued(_)
        | ReviewEvent::Submitted(_)
        | ReviewEvent::Expired(_)
        | ReviewEvent::Cancelled(_) => true,
        ReviewEvent::Reminded(_)
        | ReviewEvent::Opened(_)
        | ReviewEvent::ExternalClicked(_)
        | ReviewEvent::Approved(_)
        | ReviewEvent::Rejected(_)
        | ReviewEvent::Replied(_)
        | ReviewEvent::CouponGranted(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::booking::{BookingDeleted, BookingStatus};
    use domain::envelope::{Position, RecordedMeta, StreamId, Version};
    use domain::ids::{BookingId, CustomerId, EventId, StationId, TenantId};
    use domain::review::{ReviewedParty, SentAs};
    use uuid::Uuid;

    use super::*;

    const BOOKING: BookingId = BookingId(Uuid::from_u128(8));

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn recorded(stream: StreamId, event: DomainEvent) -> Recorded {
        Recorded {
            tenant: TenantId(Uuid::nil()),
            position: Position(1),
            stream,
            sequence: Version(1),
            event_id: EventId(Uuid::nil()),
            recorded_at: at("2026-11-01T00:00:00Z"),
            meta: RecordedMeta {
                actor_kind: "system".to_owned(),
                actor_id: "test".to_owned(),
                actor_role: None,
                channel: "cli".to_owned(),
                correlation_id: "c".to_owned(),
                causation_id: None,
                request_id: None,
            },
            event,
        }
    }

    fn awaited() -> Reaction<Awaited> {
        let issued = ReviewLinkIssued {
            party: ReviewedParty {
                booking_id: BOOKING,
                customer_id: CustomerId(Uuid::nil()),
                station_id: StationId(Uuid::nil()),
            },
            number: "N".to_owned(),
            event_on: "2026-11-01".parse().unwrap(),
            chefs: Vec::new(),
            sent_as: SentAs::Request,
            token_key: "t".to_owned(),
            message_id: None,
            issued_at: at("2026-11-02T00:00:00Z"),
            expires_at: at("2026-12-02T00:00:00Z"),
        };
        let stream = StreamId::new("review", ReviewId::of(BOOKING).to_string());
        let event = recorded(stream, DomainEvent::Review(ReviewEvent::LinkIssued(issued)));
        WhenReviewAwaited::react(None, &event)
    }

    #[test]
    fn reminders_go_out_on_day_three_and_seven_and_after_thirty_days_it_is_over() {
        let first = awaited();
        assert_eq!(first.wake_at, Some(at("2026-11-04T00:00:00Z")));
        let state = first.state.unwrap();
        let (second, wake) = WhenReviewAwaited::again(&state, at("2026-11-04T00:00:01Z")).unwrap();
        assert_eq!(wake, at("2026-11-08T00:00:00Z"));
        assert_ne!(
            WhenReviewAwaited::cause("p", &state),
            WhenReviewAwaited::cause("p", &second)
        );
        let (end, wake) = WhenReviewAwaited::again(&second, wake).unwrap();
        assert_eq!(wake, at("2026-12-02T00:00:00Z"));
        assert_eq!(WhenReviewAwaited::again(&end, wake), None);
        let late = WhenReviewAwaited::again(&state, at("2026-11-09T00:00:00Z"));
        assert_eq!(late.unwrap().1, at("2026-12-02T00:00:00Z"));
    }

    #[test]
    fn a_booking_that_is_put_away_takes_its_question_with_it() {
        let deleted = BookingEvent::Deleted(BookingDeleted {
            station_id: StationId(Uuid::nil()),
            customer_id: CustomerId(Uuid::nil()),
            status: BookingStatus::Completed,
            reason: "entered twice".to_owned(),
            restorable_until: at("2026-12-05T00:00:00Z"),
            gives_back: None,
            deleted_at: at("2026-11-05T00:00:00Z"),
        });
        let event = recorded(
            StreamId::new("booking", BOOKING.to_string()),
            DomainEvent::Booking(deleted),
        );
        let review_id = ReviewId::of(BOOKING);
        assert_eq!(WhenReviewAwaited::process(&event), Some(review_id.to_string()));
        let reaction = WhenReviewAwaited::react(awaited().state, &event);
        let because = ReviewCancelledBecause::BookingDeleted;
        assert_eq!(
            reaction.reply,
            Some(Reply::Review(ReviewStep::Cancel { review_id, because }))
        );
        assert_eq!(WhenReviewAwaited::react(None, &event).reply, None);
    }
}
