//! When a customer was unhappy, a person of the company is called at once.

use domain::escalation::{EscalationOpen, EscalationSource, EscalationSubject, Severity};
use domain::ids::ReviewId;
use domain::recorded::{DomainEvent, Recorded};
use domain::review::{ReviewEvent, ReviewSubmitted};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};

/// Calls a person.
pub struct WhenReviewSubmitted;

/// It remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

impl Policy for WhenReviewSubmitted {
    type State = Nothing;
    const NAME: &'static str = "when_review_submitted";

    fn process(event: &Recorded) -> Option<String> {
        low(event).map(|_| event.stream.id.clone())
    }

    fn react(_state: Option<Nothing>, event: &Recorded) -> Reaction<Nothing> {
        Reaction {
            state: None,
            wake_at: None,
            reply: low(event).map(|submitted| Reply::OpenEscalation(escalation(submitted, event))),
        }
    }

    fn due(_process: &str, _state: Nothing) -> Option<Reply> {
        None
    }
}

/// A review with a rating that asks for a person.
fn low(event: &Recorded) -> Option<&ReviewSubmitted> {
    if let DomainEvent::Review(ReviewEvent::Submitted(submitted)) = &event.event {
        Some(submitted).filter(|submitted| submitted.rating.is_low())
    } else {
        None
    }
}

fn escalation(submitted: &ReviewSubmitted, event: &Recorded) -> EscalationOpen {
    let party = submitted.party;
    let subject = EscalationSubject {
        booking_id: Some(party.booking_id),
        review_id: Some(ReviewId::of(party.booking_id)),
        ..EscalationSubject::default()
    };
    let rating = submitted.rating.number();
    EscalationOpen {
        id: EscalationSource::Rating.escalation(&subject, &event.event_id.to_string()),
        source: EscalationSource::Rating,
        severity: if rating == 1 {
            Severity::WORST
        } else {
            Severity::MIDDLE
        },
        code: format!("RATING_{rating}"),
        reason: format!("the customer rated booking {} {rating} of 5", submitted.number),
        subject,
        station_id: Some(party.station_id),
        customer_id: Some(party.customer_id),
    }
}
