//! While a card payment waits for its customer, the provider is asked after it now and then: its word may have been lost, or
//! have come before the payment was in the log.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::PaymentId;
use domain::payment::{CANCELED, PaymentEvent};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply};

/// Asks after card payments.
pub struct WhenCardIsAwaited;

/// A card payment of which nobody has said yet that it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Awaited {
    payment_id: PaymentId,
    /// How often it was asked after.
    asked: u32,
}

/// Minutes until it is asked after, and asked after again; then daily, for a week. The first five are over before a deposit
/// is due.
const MINUTES: [i64; 12] = [
    2, 8, 30, 120, 480, 1_440, 1_440, 1_440, 1_440, 1_440, 1_440, 1_440,
];

impl Awaited {
    /// When to ask next; none once it was asked after often enough.
    fn next(self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let asked = usize::try_from(self.asked).unwrap_or(usize::MAX);
        MINUTES
            .get(asked)
            .map(|minutes| from + TimeDelta::minutes(*minutes))
    }
}

impl Policy for WhenCardIsAwaited {
    type State = Awaited;
    const NAME: &'static str = "when_card_is_awaited";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Payment(payment) = &event.event else {
            return None;
        };
        let looked_at = match payment {
            PaymentEvent::IntentCreated(_) | PaymentEvent::Succeeded(_) => true,
            // Any other failure the customer may make good.
            PaymentEvent::Failed(failed) => failed.code.as_deref() == Some(CANCELED),
            PaymentEvent::Claimed(_)
            | PaymentEvent::Verified(_)
            | PaymentEvent::Rejected(_)
            | PaymentEvent::Voided(_)
            | PaymentEvent::Processing(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundSucceeded(_)
            | PaymentEvent::RefundFailed(_)
            | PaymentEvent::DisputeOpened(_)
            | PaymentEvent::DisputeClosed(_) => false,
        };
        looked_at.then(|| event.stream.id.clone())
    }

    fn react(_state: Option<Awaited>, event: &Recorded) -> Reaction<Awaited> {
        // Whatever else is looked at says that it is awaited no more.
        let awaited = if let DomainEvent::Payment(PaymentEvent::IntentCreated(created)) = &event.event {
            let payment_id = event.stream.id.parse().ok();
            payment_id.map(|payment_id| (Awaited { payment_id, asked: 0 }, created.created_at))
        } else {
            None
        };
        Reaction {
            wake_at: awaited.and_then(|(awaited, since)| awaited.next(since)),
            state: awaited.map(|(awaited, _)| awaited),
            reply: None,
        }
    }

    fn due(_process: &str, state: Awaited) -> Option<Reply> {
        Some(Reply::TakeUpCard {
            payment_id: state.payment_id,
        })
    }

    fn again(state: &Awaited, now: DateTime<Utc>) -> Option<(Awaited, DateTime<Utc>)> {
        let next = Awaited {
            asked: state.asked.saturating_add(1),
            ..*state
        };
        next.next(now).map(|at| (next, at))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::testing::{Story, at};

    fn waiting() -> Story<WhenCardIsAwaited> {
        let mut story = Story::new();
        let created = json!({"created_at": "2026-03-01T12:00:00Z"});
        assert_eq!(story.tell("payment.intent_created", created), None);
        story
    }

    #[test]
    fn a_card_is_asked_after_for_a_week_and_no_longer() {
        let mut story = waiting();
        assert_eq!(story.wake_at(), Some(at("2026-03-01T12:02:00Z")));
        let mut asked = 0;
        while let Some(reply) = story.wake() {
            assert!(matches!(reply, Reply::TakeUpCard { .. }));
            asked += 1;
            assert!(asked <= MINUTES.len(), "it is asked after for ever");
        }
        assert_eq!(asked, MINUTES.len());
        assert!(story.is_over());
    }

    #[test]
    fn one_that_came_or_was_called_off_is_not_asked_after_and_one_that_failed_is() {
        let mut story = waiting();
        let before = story.wake_at();
        story.tell("payment.processing", json!({}));
        story.tell("payment.failed", json!({"code": "card_declined"}));
        assert_eq!(story.wake_at(), before, "the customer may try again");
        story.tell("payment.failed", json!({"code": "canceled"}));
        assert!(story.is_over());
        let mut story = waiting();
        story.tell("payment.succeeded", json!({}));
        assert!(story.is_over());
    }
}
