//! When the money comes after all that a payment failed to bring, by the same payment or another of the kind, nobody has to see to
//! it any more.

use std::collections::BTreeMap;

use domain::escalation::{EndedBy, EscalationEvent, EscalationSource};
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{PaymentEvent, PaymentKind};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::when_payment_fails::escalation_of;
use super::{Policy, Reaction, Reply};

/// Ends escalations of failed payments.
pub struct WhenFailedPaymentIsMadeGood;

/// Card payments of a booking that have not come, by payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paying(BTreeMap<PaymentId, Awaited>);

/// A card payment that has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Awaited {
    kind: PaymentKind,
    /// Price and tip, in cents; the card's fee is nothing that another way would bring.
    wanted_cents: Cents,
    /// What has come of the kind since it failed, in cents.
    come_cents: Cents,
    failed: bool,
    /// Whether a person was called. It may be heard of after the money.
    called: bool,
}

impl Awaited {
    fn is_made_good(&self) -> bool {
        self.failed && self.called && self.wanted_cents <= self.come_cents
    }
}

impl Policy for WhenFailedPaymentIsMadeGood {
    type State = Paying;
    const NAME: &'static str = "when_failed_payment_is_made_good";

    fn process(event: &Recorded) -> Option<String> {
        if let DomainEvent::Payment(payment) = &event.event {
            let matters = matches!(
                payment,
                PaymentEvent::IntentCreated(_)
                    | PaymentEvent::Failed(_)
                    | PaymentEvent::Succeeded(_)
                    | PaymentEvent::Verified(_)
            );
            return matters.then(|| payment.booking().booking_id.to_string());
        }
        if let DomainEvent::Escalation(EscalationEvent::Opened(opened)) = &event.event
            && opened.source == EscalationSource::Payment
        {
            return opened.subject.booking_id.map(|booking| booking.to_string());
        }
        None
    }

    fn react(state: Option<Paying>, event: &Recorded) -> Reaction<Paying> {
        let mut paying = state.unwrap_or_default();
        if let DomainEvent::Escalation(EscalationEvent::Opened(opened)) = &event.event {
            let about = opened.subject.payment_id;
            if let Some(awaited) = about.and_then(|payment| paying.0.get_mut(&payment)) {
                awaited.called = true;
            }
            return paying.end(opened.subject.booking_id);
        }
        let DomainEvent::Payment(payment) = &event.event else {
            return Reaction::keep(Some(paying));
        };
        let booking = payment.booking().booking_id;
        if let Ok(id) = event.stream.id.parse() {
            paying.hear(id, payment);
        }
        paying.end(Some(booking))
    }

    fn due(_process: &str, _state: Paying) -> Option<Reply> {
        None
    }
}

impl Paying {
    fn hear(&mut self, id: PaymentId, payment: &PaymentEvent) {
        match payment {
            PaymentEvent::IntentCreated(made) => {
                let awaited = Awaited {
                    kind: made.kind,
                    wanted_cents: made.amount_cents + made.tip_cents,
                    come_cents: Cents::ZERO,
                    failed: false,
                    called: false,
                };
                self.0.insert(id, awaited);
            }
            PaymentEvent::Failed(_) => {
                if let Some(awaited) = self.0.get_mut(&id) {
                    awaited.failed = true;
                }
            }
            PaymentEvent::Succeeded(came) => {
                self.come(id, Some(came.kind), came.amount_cents + came.tip_cents);
            }
            PaymentEvent::Verified(came) => self.come(id, came.kind, came.amount_cents + came.tip_cents),
            PaymentEvent::Claimed(_)
            | PaymentEvent::Rejected(_)
            | PaymentEvent::Voided(_)
            | PaymentEvent::Processing(_)
            | PaymentEvent::RefundRequested(_)
            | PaymentEvent::RefundSucceeded(_)
            | PaymentEvent::RefundFailed(_)
            | PaymentEvent::DisputeOpened(_)
            | PaymentEvent::DisputeClosed(_) => {}
        }
    }

    /// Money has come. It makes each failed payment of its kind good that it is enough for: a customer who fails twice and then
    /// pays has paid.
    fn come(&mut self, id: PaymentId, kind: Option<PaymentKind>, cents: Cents) {
        if self.0.get(&id).is_some_and(|awaited| !awaited.failed) {
            self.0.remove(&id);
        }
        let failed = self.0.values_mut().filter(|awaited| awaited.failed);
        for awaited in failed.filter(|awaited| kind == Some(awaited.kind)) {
            awaited.come_cents += cents;
        }
    }

    /// Ends the escalations of what is made good, and forgets it.
    fn end(mut self, booking: Option<BookingId>) -> Reaction<Self> {
        let good = self.0.extract_if(.., |_, awaited| awaited.is_made_good());
        let good: Vec<PaymentId> = good.map(|(payment, _)| payment).collect();
        let escalations = good
            .into_iter()
            .filter_map(|payment| Some(escalation_of(booking?, payment)))
            .collect::<Vec<_>>();
        Reaction {
            state: (!self.0.is_empty()).then_some(self),
            wake_at: None,
            reply: (!escalations.is_empty()).then_some(Reply::EndEscalations {
                escalations,
                by: EndedBy::Payment,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::policies::testing::{BOOKING, PAYMENT, Story};

    fn story() -> Story<WhenFailedPaymentIsMadeGood> {
        let mut story = Story::new();
        story.tell("payment.intent_created", json!({}));
        story
    }

    fn called() -> Value {
        json!({"source": "payment", "subject": {"booking_id": BOOKING, "payment_id": PAYMENT}})
    }

    fn ends(reply: Option<Reply>) -> bool {
        match reply {
            None => false,
            Some(Reply::EndEscalations { escalations, by }) => {
                (escalations.len(), by) == (1, EndedBy::Payment)
            }
            Some(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn money_that_comes_after_all_ends_what_called_a_person() {
        let mut story = story();
        assert!(!ends(story.tell("payment.failed", json!({}))));
        assert!(!ends(story.tell("escalation.opened", called())));
        assert!(!ends(story.tell("payment.failed", json!({}))));
        assert!(ends(story.tell("payment.succeeded", json!({}))));
        assert!(story.is_over());
    }

    #[test]
    fn it_ends_too_where_the_money_is_heard_of_first() {
        let mut story = story();
        story.tell("payment.failed", json!({}));
        assert!(!ends(story.tell("payment.succeeded", json!({}))));
        assert!(ends(story.tell("escalation.opened", called())));
        assert!(story.is_over());
    }

    #[test]
    fn another_way_to_pay_the_same_ends_it_once_it_is_enough() {
        let mut story = story();
        story.tell("payment.failed", json!({}));
        story.tell("escalation.opened", called());
        let part = |kind: &str, cents: i64| json!({"kind": kind, "amount_cents": cents, "tip_cents": 0, "fee_cents": 0});
        assert!(!ends(story.tell("payment.verified", part("balance", 50_000))));
        assert!(!ends(story.tell("payment.verified", part("deposit", 11_999))));
        assert!(ends(story.tell("payment.verified", part("deposit", 1))));
    }

    #[test]
    fn what_never_failed_is_forgotten_and_no_other_call_is_ended() {
        let mut story = story();
        assert!(!ends(story.tell("payment.succeeded", json!({}))));
        assert!(story.is_over());
        assert!(!ends(
            story.tell("escalation.opened", json!({"source": "dispute"}))
        ));
    }
}
