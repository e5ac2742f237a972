//! While money is on its way back, somebody asks after it: the provider, again and again, and after a day a person.

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{PaymentId, RefundId};
use domain::payment::PaymentEvent;
use domain::recorded::{DomainEvent, Recorded};
use domain::work_item::WorkKind;
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply, WorkStep};

/// Asks after refunds.
pub struct WhenRefundIsPending;

/// A refund that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    payment_id: PaymentId,
    refund_id: RefundId,
    /// How often it was asked after.
    asked: u32,
}

/// Minutes until it is asked after, and asked after again; then once a day.
const MINUTES: [i64; 5] = [1, 5, 30, 120, 480];
const A_DAY: i64 = 1_440;

impl Pending {
    fn next(self, from: DateTime<Utc>) -> DateTime<Utc> {
        let asked = usize::try_from(self.asked).unwrap_or(usize::MAX);
        from + TimeDelta::minutes(MINUTES.get(asked).copied().unwrap_or(A_DAY))
    }
}

impl Policy for WhenRefundIsPending {
    type State = Pending;
    const NAME: &'static str = "when_refund_is_pending";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        let DomainEvent::Payment(payment) = &event.event else {
            return None;
        };
        refund_of(payment).map(|refund| format!("{}/{refund}", event.stream.id))
    }

    fn react(state: Option<Pending>, event: &Recorded) -> Reaction<Pending> {
        let DomainEvent::Payment(payment) = &event.event else {
            return Reaction::keep(state);
        };
        if let PaymentEvent::RefundRequested(asked) = payment {
            let pending = event.stream.id.parse().ok().map(|payment_id| Pending {
                payment_id,
                refund_id: asked.refund_id,
                asked: 0,
            });
            return Reaction {
                wake_at: pending.map(|pending| pending.next(asked.requested_at)),
                state: pending,
                reply: None,
            };
        }
        // A person was told after a day: that is settled with it.
        let told =
            state.filter(|pending| usize::try_from(pending.asked).is_ok_and(|asked| asked > MINUTES.len()));
        let reply = told.map(|pending| {
            Reply::Work(vec![WorkStep::Close {
                id: WorkKind::RefundPending.item(&pending.refund_id.to_string()),
                because: "it is known what became of the refund",
            }])
        });
        Reaction {
            state: None,
            wake_at: None,
            reply,
        }
    }

    fn due(_process: &str, state: Pending) -> Option<Reply> {
        Some(Reply::TakeUpRefund {
            payment_id: state.payment_id,
            refund_id: state.refund_id,
        })
    }

    fn again(state: &Pending, now: DateTime<Utc>) -> Option<(Pending, DateTime<Utc>)> {
        let next = Pending {
            asked: state.asked.saturating_add(1),
            ..*state
        };
        Some((next, next.next(now)))
    }
}

fn refund_of(event: &PaymentEvent) -> Option<RefundId> {
    match event {
        PaymentEvent::RefundRequested(asked) => Some(asked.refund_id),
        PaymentEvent::RefundSucceeded(done) => Some(done.refund_id),
        PaymentEvent::RefundFailed(failed) => Some(failed.refund_id),
        PaymentEvent::Claimed(_)
        | PaymentEvent::Verified(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::Voided(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Succeeded(_)
        | PaymentEvent::Failed(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::DisputeClosed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policies::testing::{Story, at};

    fn asked() -> Story<WhenRefundIsPending> {
        let mut story = Story::new();
        let requested = json!({"requested_at": "2026-03-01T12:00:00Z"});
        assert_eq!(story.tell("payment.refund_requested", requested), None);
        story
    }

    #[test]
    fn a_refund_is_asked_after_ever_less_often_and_then_daily() {
        let mut story = asked();
        for wanted in [
            "01T12:01", "01T12:06", "01T12:36", "01T14:36", "01T22:36", "02T22:36", "03T22:36",
        ] {
            let wanted = at(&format!("2026-03-{wanted}:00Z"));
            assert_eq!(story.wake_at(), Some(wanted));
            assert!(matches!(story.wake(), Some(Reply::TakeUpRefund { .. })));
        }
    }

    #[test]
    fn one_whose_end_is_known_is_not_asked_after() {
        for end in ["payment.refund_succeeded", "payment.refund_failed"] {
            let mut story = asked();
            assert_eq!(story.tell(end, json!({})), None, "{end}");
            assert!(story.is_over());
        }
    }

    #[test]
    fn what_a_person_was_told_after_a_day_is_settled_with_it() {
        let mut story = asked();
        for _ in 0..=MINUTES.len() {
            story.wake();
        }
        let settled = story.work("payment.refund_succeeded", json!({}));
        assert_eq!(settled, ["close: it is known what became of the refund"]);
    }
}
