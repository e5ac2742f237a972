//! When money moves that changes the tax of a party, it is put on record: what had moved by then once the party is held,
//! what moves later at once. What is given back before the party is held has no line of its own.

use chrono::{DateTime, Utc};
use domain::booking::{BookingEvent, PaymentFact, PaymentWay};
use domain::ids::PaymentId;
use domain::money::Cents;
use domain::payment::{
    DisputeOutcome, PaymentEvent, PaymentMethod, PaymentParts, RefundKind, RefundWas, TipChoice,
};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::when_deposit_captured::booking_of;
use super::{Answers, MONEY_FOLLOWED, Policy, Reaction, Reply};

/// Puts tips, card fees and refunds on record.
pub struct WhenMoneyChangesTax;

/// What is known of a booking's money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    stage: Stage,
    /// What came in and was given back so far, in the order of the log; none once it is on record.
    waiting: Vec<PaymentFact>,
    /// When the party was held or called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    over_at: Option<DateTime<Utc>>,
}

/// Whether the party was held, or will not be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    #[default]
    ToCome,
    Held,
    /// There was no sale: nothing of its money is taxed.
    Off,
}

impl Policy for WhenMoneyChangesTax {
    type State = Money;
    const NAME: &'static str = "when_money_changes_tax";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(
                BookingEvent::Completed(_) | BookingEvent::Cancelled(_) | BookingEvent::Expired(_),
            ) => Some(event.stream.id.clone()),
            DomainEvent::Payment(payment) => {
                fact(event, payment).map(|_| payment.booking().booking_id.to_string())
            }
            DomainEvent::Booking(
                BookingEvent::Requested(_)
                | BookingEvent::Confirmed(_)
                | BookingEvent::DepositDueExtended(_)
                | BookingEvent::GuestCountChanged(_)
                | BookingEvent::MenuChanged(_)
                | BookingEvent::Rescheduled(_)
                | BookingEvent::ChefAssigned(_)
                | BookingEvent::ChefUnassigned(_)
                | BookingEvent::Deleted(_)
                | BookingEvent::Restored(_)
                | BookingEvent::NoteAdded(_)
                | BookingEvent::TermsAccepted(_)
                | BookingEvent::TaxPlaceSet(_)
                | BookingEvent::TaxAdjusted(_),
            )
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn react(state: Option<Money>, event: &Recorded) -> Reaction<Money> {
        let mut money = state.unwrap_or_default();
        match &event.event {
            DomainEvent::Booking(BookingEvent::Completed(completed)) => {
                let facts = netted(std::mem::take(&mut money.waiting));
                Money::over(Stage::Held, completed.completed_at).and_record(&event.stream.id, facts)
            }
            DomainEvent::Booking(BookingEvent::Cancelled(cancelled)) => {
                Money::over(Stage::Off, cancelled.cancelled_at).goes_on()
            }
            DomainEvent::Booking(BookingEvent::Expired(expired)) => {
                Money::over(Stage::Off, expired.expired_at).goes_on()
            }
            DomainEvent::Payment(payment) => match (fact(event, payment), money.stage) {
                (Some(fact), Stage::Held) => {
                    money.and_record(&payment.booking().booking_id.to_string(), vec![fact])
                }
                (Some(fact), Stage::ToCome) => {
                    money.waiting.push(fact);
                    money.goes_on()
                }
                (Some(_), Stage::Off) | (None, Stage::Held | Stage::ToCome | Stage::Off) => money.goes_on(),
            },
            DomainEvent::Booking(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Lead(_) => money.goes_on(),
        }
    }

    fn due(_process: &str, _state: Money) -> Option<Reply> {
        None
    }
}

impl Money {
    fn and_record(self, booking: &str, facts: Vec<PaymentFact>) -> Reaction<Self> {
        let reply = booking_of(booking)
            .filter(|_| !facts.is_empty())
            .map(|booking_id| Reply::RecordTax { booking_id, facts });
        Reaction {
            reply,
            ..self.goes_on()
        }
    }

    fn over(stage: Stage, over_at: DateTime<Utc>) -> Self {
        Self {
            stage,
            waiting: Vec::new(),
            over_at: Some(over_at),
        }
    }

    /// Money that moves long after the party changes no return that can still be changed.
    fn goes_on(self) -> Reaction<Self> {
        Reaction {
            wake_at: self.over_at.map(|over| over + MONEY_FOLLOWED),
            ..Reaction::keep(Some(self))
        }
    }
}

/// What a payment's event says that tax may look at.
fn fact(event: &Recorded, payment: &PaymentEvent) -> Option<PaymentFact> {
    let id = event.stream.id.parse().ok()?;
    let came_in = |method, parts, at, choice: &Option<TipChoice>| {
        let way = PaymentWay::Captured {
            tip_choice: choice.clone(),
        };
        moved(event, id, method, parts, at, way)
    };
    let fact = match payment {
        PaymentEvent::Succeeded(it) => came_in(it.method, it.parts(), it.succeeded_at, &it.tip_choice),
        PaymentEvent::Verified(it) => came_in(it.method, it.parts(), it.verified_at, &it.tip_choice),
        PaymentEvent::RefundSucceeded(it) => {
            let way = PaymentWay::Refunded {
                refund_id: Some(it.refund_id.to_string()),
                kind: it.kind,
                reason: Some(it.reason.clone()),
            };
            moved(event, id, it.method, it.parts(), it.succeeded_at, way)
        }
        PaymentEvent::RefundFailed(it) if it.was == RefundWas::Succeeded => {
            let way = PaymentWay::RefundFailed {
                refund_id: Some(it.refund_id.to_string()),
                kind: it.kind,
                reason: Some(it.reason.clone()),
            };
            moved(event, id, it.method, it.parts(), it.failed_at, way)
        }
        PaymentEvent::Voided(it) => {
            let way = PaymentWay::Voided {
                reason: Some(it.reason.clone()),
            };
            moved(event, id, it.method, it.parts(), it.voided_at, way)
        }
        // What a bank took of the price is a bad debt (Reg. 1642), which the accountant claims; a tip was no sale.
        PaymentEvent::DisputeClosed(it) if it.outcome == DisputeOutcome::Lost => {
            let parts = PaymentParts {
                tip_cents: it.tip_cents,
                ..PaymentParts::ZERO
            };
            let way = PaymentWay::Refunded {
                refund_id: None,
                kind: RefundKind::TipOnly,
                reason: Some("the customer's bank took it back".to_owned()),
            };
            moved(event, id, PaymentMethod::Card, parts, it.closed_at, way)
        }
        PaymentEvent::RefundFailed(_)
        | PaymentEvent::DisputeClosed(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::Claimed(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Failed(_) => return None,
    };
    changes_tax(&fact).then_some(fact)
}

fn moved(
    event: &Recorded,
    payment_id: PaymentId,
    method: PaymentMethod,
    parts: PaymentParts,
    at: DateTime<Utc>,
    way: PaymentWay,
) -> PaymentFact {
    PaymentFact {
        cause: event.event_id,
        payment_id,
        method,
        amount_cents: parts.amount_cents,
        tip_cents: parts.tip_cents,
        fee_cents: parts.fee_cents,
        at,
        way,
    }
}

/// Whether a movement can have a line: money towards the price is taxed with the party, whenever it comes.
fn changes_tax(fact: &PaymentFact) -> bool {
    let beside = !fact.tip_cents.is_zero() || !fact.fee_cents.is_zero();
    match &fact.way {
        PaymentWay::Captured { .. } | PaymentWay::Voided { .. } => beside,
        PaymentWay::Refunded { kind, .. } | PaymentWay::RefundFailed { kind, .. } => match kind {
            RefundKind::Goodwill => false,
            RefundKind::TipOnly | RefundKind::FeeOnly | RefundKind::Overpayment => beside,
            RefundKind::PriceAdjustment | RefundKind::FullReversal | RefundKind::CancelledBeforeService => {
                beside || !fact.amount_cents.is_zero()
            }
        },
    }
}

/// What is left of what moved before the party was held: tips and fees without what was given back of them, and what the
/// price was lowered by, which the sale comes to less.
fn netted(facts: Vec<PaymentFact>) -> Vec<PaymentFact> {
    let mut left: Vec<PaymentFact> = Vec::new();
    for mut fact in facts {
        let back = match &fact.way {
            PaymentWay::Captured { .. } => {
                left.push(fact);
                continue;
            }
            PaymentWay::Refunded { .. } | PaymentWay::Voided { .. } => 1,
            PaymentWay::RefundFailed { .. } => -1,
        };
        let captured = left
            .iter_mut()
            .find(|other| other.payment_id == fact.payment_id && is_captured(other));
        if let Some(captured) = captured {
            let less = |have: Cents, part: Cents| (have - part.times(back)).max(Cents::ZERO);
            captured.tip_cents = less(captured.tip_cents, fact.tip_cents);
            captured.fee_cents = less(captured.fee_cents, fact.fee_cents);
        }
        fact.tip_cents = Cents::ZERO;
        fact.fee_cents = Cents::ZERO;
        let lowers_the_price = match &fact.way {
            PaymentWay::Refunded { kind, .. } | PaymentWay::RefundFailed { kind, .. } => {
                matches!(kind, RefundKind::PriceAdjustment | RefundKind::FullReversal)
            }
            PaymentWay::Captured { .. } | PaymentWay::Voided { .. } => false,
        };
        if lowers_the_price {
            left.push(fact);
        }
    }
    left.retain(changes_tax);
    left
}

fn is_captured(fact: &PaymentFact) -> bool {
    match fact.way {
        PaymentWay::Captured { .. } => true,
        PaymentWay::Refunded { .. } | PaymentWay::RefundFailed { .. } | PaymentWay::Voided { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::EventId;
    use uuid::Uuid;

    use super::*;

    fn fact(payment: u128, cause: u128, amount: i64, tip: i64, fee: i64, way: PaymentWay) -> PaymentFact {
        PaymentFact {
            cause: EventId(Uuid::from_u128(cause)),
            payment_id: PaymentId(Uuid::from_u128(payment)),
            method: PaymentMethod::Card,
            amount_cents: Cents(amount),
            tip_cents: Cents(tip),
            fee_cents: Cents(fee),
            at: DateTime::UNIX_EPOCH,
            way,
        }
    }

    fn captured() -> PaymentWay {
        PaymentWay::Captured { tip_choice: None }
    }

    fn refunded(kind: RefundKind) -> PaymentWay {
        PaymentWay::Refunded {
            refund_id: None,
            kind,
            reason: None,
        }
    }

    fn left(facts: Vec<PaymentFact>) -> Vec<(u128, i64, i64, i64)> {
        let told = |fact: PaymentFact| {
            let parts = (fact.amount_cents.0, fact.tip_cents.0, fact.fee_cents.0);
            (fact.cause.0.as_u128(), parts.0, parts.1, parts.2)
        };
        netted(facts).into_iter().map(told).collect()
    }

    #[test]
    fn what_was_given_back_before_the_party_leaves_less_to_put_on_record() {
        let facts = vec![
            fact(1, 1, 10_000, 2_000, 360, captured()),
            fact(2, 2, 10_000, 3_000, 390, captured()),
            fact(2, 3, 0, 3_000, 0, refunded(RefundKind::TipOnly)),
            fact(
                1,
                4,
                10_000,
                500,
                360,
                refunded(RefundKind::CancelledBeforeService),
            ),
        ];
        assert_eq!(left(facts), [(1, 10_000, 1_500, 0), (2, 10_000, 0, 390)]);
    }

    #[test]
    fn a_payment_that_came_to_nothing_leaves_nothing() {
        let voided = PaymentWay::Voided { reason: None };
        let facts = vec![
            fact(1, 1, 0, 2_000, 0, captured()),
            fact(1, 2, 0, 2_000, 0, voided),
        ];
        assert_eq!(left(facts), []);
    }

    #[test]
    fn a_price_that_was_lowered_before_the_party_lowers_the_sale() {
        let facts = vec![fact(1, 1, 4_000, 0, 0, refunded(RefundKind::PriceAdjustment))];
        assert_eq!(left(facts), [(1, 4_000, 0, 0)]);
    }

    #[test]
    fn money_towards_the_price_and_kindness_have_no_line() {
        assert!(!changes_tax(&fact(1, 1, 10_000, 0, 0, captured())));
        assert!(!changes_tax(&fact(
            1,
            1,
            10_000,
            500,
            0,
            refunded(RefundKind::Goodwill)
        )));
        assert!(!changes_tax(&fact(
            1,
            1,
            10_000,
            0,
            0,
            refunded(RefundKind::Overpayment)
        )));
        assert!(changes_tax(&fact(
            1,
            1,
            10_000,
            0,
            0,
            refunded(RefundKind::FullReversal)
        )));
    }
}
