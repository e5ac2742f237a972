//! When money was given back, its customer is told so: each refund once.

use domain::message::MessageKind;
use domain::payment::PaymentEvent;
use domain::recorded::{DomainEvent, Recorded};

use super::{News, Reply};
use crate::message::MessageAsk;

/// Tells customers of refunds.
pub struct WhenRefundSucceeds;

impl News for WhenRefundSucceeds {
    const NAME: &'static str = "when_refund_succeeds";

    fn news(event: &Recorded) -> Option<Reply> {
        let DomainEvent::Payment(PaymentEvent::RefundSucceeded(refund)) = &event.event else {
            return None;
        };
        Some(Reply::AskMessage(MessageAsk {
            kind: MessageKind::RefundGiven,
            cause: refund.refund_id.to_string(),
            booking_id: refund.booking.booking_id,
            refund_cents: Some(refund.parts().total()),
            since: refund.succeeded_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use domain::money::Cents;
    use serde_json::json;

    use super::*;
    use crate::policies::testing::Story;

    #[test]
    fn a_customer_hears_how_much_was_given_back() {
        let mut story = Story::<WhenRefundSucceeds>::new();
        assert_eq!(story.tell("payment.refund_requested", json!({})), None);
        let amounts = json!({"amount_cents": 10_000, "tip_cents": 500, "fee_cents": 300});
        let Some(Reply::AskMessage(ask)) = story.tell("payment.refund_succeeded", amounts.clone()) else {
            panic!("the customer is told");
        };
        assert_eq!(
            (ask.kind, ask.refund_cents),
            (MessageKind::RefundGiven, Some(Cents(10_800)))
        );
        // Heard twice, it is the same message.
        let again = story.tell("payment.refund_succeeded", amounts);
        assert_eq!(again, Some(Reply::AskMessage(ask)));
        assert_eq!(story.tell("payment.refund_failed", json!({})), None);
    }
}
