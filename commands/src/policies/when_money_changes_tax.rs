//! When money moves that changes the tax of a party, it is put on record: what had moved by then once the party is held,
//! what moves later at once. What is given back before the party is held has no line of its own. Of a party that was called
//! off nothing is, unless the company had chosen that what is kept is a sale.

use chrono::{DateTime, Utc};
use domain::booking::{BookingEvent, PaymentFact, PaymentWay};
use domain::ids::PaymentId;
use domain::money::Cents;
use domain::payment::{
    DisputeOutcome, PaymentEvent, PaymentMethod, PaymentParts, RefundKind, RefundWas, TipChoice,
};
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_account::KeptDepositTax;
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
    /// It was called off, and what is kept of its money is a sale.
    Kept,
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
                fact(event, payment, Stage::Kept).map(|_| payment.booking().booking_id.to_string())
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
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn react(state: Option<Money>, event: &Recorded) -> Reaction<Money> {
        let is_new = state.is_none();
        let mut money = state.unwrap_or_default();
        match &event.event {
            DomainEvent::Booking(BookingEvent::Completed(completed)) => {
                let facts = netted(std::mem::take(&mut money.waiting));
                Money::over(Stage::Held, completed.completed_at).and_record(&event.stream.id, facts)
            }
            DomainEvent::Booking(BookingEvent::Cancelled(cancelled)) => {
                let at = cancelled.cancelled_at;
                match cancelled.kept {
                    KeptDepositTax::NotASale => Money::over(Stage::Off, at).goes_on(),
                    KeptDepositTax::Sale => {
                        let mut beside = netted(money.waiting);
                        beside.retain(is_captured);
                        Money::over(Stage::Kept, at).and_keep(&event.stream.id, beside)
                    }
                }
            }
            DomainEvent::Booking(BookingEvent::Expired(expired)) => {
                Money::over(Stage::Off, expired.expired_at).goes_on()
            }
            DomainEvent::Payment(payment) => match (fact(event, payment, money.stage), money.stage) {
                (Some(fact), Stage::Held | Stage::Kept) => {
                    money.and_record(&payment.booking().booking_id.to_string(), vec![fact])
                }
                (Some(fact), Stage::ToCome) => {
                    money.waiting.push(fact);
                    money.goes_on()
                }
                // Nothing is remembered of money that has no line.
                (None, Stage::ToCome) if is_new => Reaction::keep(None),
                (Some(_), Stage::Off) | (None, Stage::Held | Stage::Kept | Stage::ToCome | Stage::Off) => {
                    money.goes_on()
                }
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
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
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

    fn and_keep(self, booking: &str, beside: Vec<PaymentFact>) -> Reaction<Self> {
        Reaction {
            reply: booking_of(booking).map(|booking_id| Reply::RecordKept { booking_id, beside }),
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

/// What a payment's event says that tax may look at where the party has come so far.
fn fact(event: &Recorded, payment: &PaymentEvent, stage: Stage) -> Option<PaymentFact> {
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
            let (parts, kind) = match stage {
                // Of a party that was not held nothing is owed: what the bank took is not kept.
                Stage::Kept => (it.parts(), RefundKind::FullReversal),
                Stage::ToCome | Stage::Held | Stage::Off => {
                    let parts = PaymentParts {
                        tip_cents: it.tip_cents,
                        ..PaymentParts::ZERO
                    };
                    (parts, RefundKind::TipOnly)
                }
            };
            let way = PaymentWay::Refunded {
                refund_id: None,
                kind,
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
    (stage == Stage::Kept || changes_tax(&fact)).then_some(fact)
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
mod tests;
