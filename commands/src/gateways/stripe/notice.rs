//! What an event of Stripe says, in our words.

use chrono::{DateTime, Utc};
use domain::ids::{PaymentId, RefundId, TenantId};
use domain::money::Cents;
use domain::payment::{CANCELED, DisputeOutcome, ProviderFact, ProviderRefund, RefundSeen};
use serde::Deserialize;
use serde_json::Value;

use super::client::{PAYMENT, REFUND, TENANT};

/// The longest id of Stripe's that is kept.
const LONGEST_ID: usize = 200;

/// An event of Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub event_id: String,
    /// Its type: `payment_intent.succeeded`.
    pub kind: String,
    /// When it happened, by Stripe's clock.
    pub at: DateTime<Utc>,
    /// Whom and what it is about.
    pub subject: Subject,
    /// What it says of a payment; none for what this program does not know.
    pub fact: Option<ProviderFact>,
}

/// Whom and what an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The object's id.
    pub object_id: Option<String>,
    /// The intent that it belongs to.
    pub intent_id: Option<String>,
    /// The company that the intent was made for, where the object says so.
    pub tenant: Option<TenantId>,
    /// The payment that it was made for, where the object says so.
    pub payment_id: Option<PaymentId>,
    /// How much money it is about, in cents.
    pub amount_cents: Option<Cents>,
}

/// A body that is no event of Stripe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is no event of the provider")]
pub struct NoticeError;

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: Option<i64>,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

impl Notice {
    /// Reads the body of a webhook. An event without a time happened when it was received.
    ///
    /// # Errors
    /// [`NoticeError`] for what is no event: not JSON, or without id, type or object.
    pub fn read(body: &[u8], received_at: DateTime<Utc>) -> Result<Self, NoticeError> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|_| NoticeError)?;
        let named = |text: &str| !text.is_empty() && text.len() <= LONGEST_ID && !text.contains('\0');
        if !named(&envelope.id) || !named(&envelope.kind) {
            return Err(NoticeError);
        }
        let object = &envelope.data.object;
        let at = envelope
            .created
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        Ok(Self {
            fact: fact(&envelope.kind, object),
            subject: subject(&envelope.kind, object),
            event_id: envelope.id,
            kind: envelope.kind,
            at: at.unwrap_or(received_at),
        })
    }
}

fn text(object: &Value, field: &str) -> Option<String> {
    let text = object.get(field)?.as_str()?;
    (!text.is_empty() && text.len() <= LONGEST_ID && !text.contains('\0')).then(|| text.to_owned())
}

/// The id of what a field refers to, expanded or not.
fn reference(object: &Value, field: &str) -> Option<String> {
    text(object, field).or_else(|| text(object.get(field)?, "id"))
}

/// An amount of cents that money can be.
fn cents(object: &Value, field: &str) -> Option<Cents> {
    let cents = Cents(object.get(field)?.as_i64()?);
    (Cents::ZERO..=Cents::MAX_INPUT).contains(&cents).then_some(cents)
}

fn subject(kind: &str, object: &Value) -> Subject {
    let object_id = text(object, "id");
    let intent_id = if kind.starts_with("payment_intent.") {
        object_id.clone()
    } else {
        reference(object, "payment_intent")
    };
    let said = |name: &str| object.get("metadata").and_then(|metadata| text(metadata, name));
    Subject {
        object_id,
        intent_id,
        tenant: said(TENANT).and_then(|id| id.parse().ok()),
        payment_id: said(PAYMENT).and_then(|id| id.parse().ok()),
        amount_cents: cents(object, "amount"),
    }
}

/// What an event says of a payment; none for a type that nobody here knows, and for money of another currency.
fn fact(kind: &str, object: &Value) -> Option<ProviderFact> {
    if is_foreign(object) {
        return None;
    }
    match kind {
        "payment_intent.created"
        | "payment_intent.requires_action"
        | "payment_intent.amount_capturable_updated"
        | "charge.succeeded"
        | "charge.pending"
        | "charge.captured"
        | "charge.updated"
        | "charge.failed"
        | "charge.dispute.updated"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => Some(ProviderFact::Nothing),
        "payment_intent.processing" => Some(ProviderFact::Processing),
        "payment_intent.succeeded" => succeeded(object),
        "payment_intent.payment_failed" => Some(failed(object)),
        "payment_intent.canceled" => Some(canceled()),
        "charge.refunded" => charge_refunded(object),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            Some(ProviderFact::Refunds(vec![refund(object)?]))
        }
        "charge.dispute.created" => Some(ProviderFact::DisputeOpened {
            dispute_id: text(object, "id")?,
            amount_cents: cents(object, "amount")?,
            reason: text(object, "reason"),
        }),
        "charge.dispute.closed" => Some(ProviderFact::DisputeClosed {
            dispute_id: text(object, "id")?,
            amount_cents: cents(object, "amount")?,
            // A warning that ends takes nothing.
            outcome: match object.get("status")?.as_str()? {
                "lost" => DisputeOutcome::Lost,
                "won" | "warning_closed" => DisputeOutcome::Won,
                _ => return None,
            },
        }),
        _ => None,
    }
}

/// Whether it is about money of another currency.
fn is_foreign(object: &Value) -> bool {
    let currency = object.get("currency").and_then(Value::as_str);
    currency.is_some_and(|currency| currency != "usd")
}

fn succeeded(intent: &Value) -> Option<ProviderFact> {
    Some(ProviderFact::Succeeded {
        received_cents: cents(intent, "amount_received").or_else(|| cents(intent, "amount"))?,
        charge_id: reference(intent, "latest_charge"),
    })
}

fn failed(intent: &Value) -> ProviderFact {
    let error = intent.get("last_payment_error");
    let code = error.and_then(|error| text(error, "decline_code").or_else(|| text(error, "code")));
    ProviderFact::Failed { code }
}

fn canceled() -> ProviderFact {
    ProviderFact::Failed {
        code: Some(CANCELED.to_owned()),
    }
}

/// What has become of an intent, by its status; none for a status that nobody here knows, and for money of another
/// currency.
pub(super) fn became(intent: &Value) -> Option<ProviderFact> {
    if is_foreign(intent) {
        return None;
    }
    match intent.get("status")?.as_str()? {
        "succeeded" => succeeded(intent),
        "processing" => Some(ProviderFact::Processing),
        "canceled" => Some(canceled()),
        "requires_payment_method" if intent.get("last_payment_error").is_some_and(Value::is_object) => {
            Some(failed(intent))
        }
        "requires_payment_method" | "requires_confirmation" | "requires_action" | "requires_capture" => {
            Some(ProviderFact::Nothing)
        }
        _ => None,
    }
}

/// Which refunds a charge lists; newer versions of the API tell only their sum.
fn charge_refunded(charge: &Value) -> Option<ProviderFact> {
    let listed = charge
        .get("refunds")
        .and_then(|refunds| refunds.get("data")?.as_array());
    match listed {
        Some(refunds) if !refunds.is_empty() => Some(ProviderFact::Refunds(
            refunds.iter().map(refund).collect::<Option<_>>()?,
        )),
        Some(_) | None => Some(ProviderFact::RefundedInAll(cents(charge, "amount_refunded")?)),
    }
}

/// A refund as Stripe has it; none for what is not one.
pub(super) fn refund(object: &Value) -> Option<ProviderRefund> {
    let ours = object.get("metadata").and_then(|metadata| text(metadata, REFUND));
    let code = || text(object, "failure_reason");
    Some(ProviderRefund {
        id: text(object, "id")?,
        ours: ours.and_then(|id| id.parse::<RefundId>().ok()),
        amount_cents: cents(object, "amount").filter(|amount| !amount.is_zero())?,
        seen: match object.get("status").and_then(Value::as_str) {
            Some("succeeded") => RefundSeen::Succeeded,
            Some("failed" | "canceled") => RefundSeen::Failed { code: code() },
            Some("pending" | "requires_action") => RefundSeen::Pending,
            // Before refunds had a status, they were done once they were there.
            None => RefundSeen::Succeeded,
            Some(_) => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, object: Value) -> Notice {
        let body = json!({"id": "evt_1", "type": kind, "created": 1_767_225_600, "data": {"object": object}});
        Notice::read(body.to_string().as_bytes(), DateTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_charged_card_says_how_much_came_and_for_what() {
        let payment = PaymentId(uuid::Uuid::from_u128(7));
        let object = json!({
            "id": "pi_1", "amount": 12_360, "amount_received": 12_360, "currency": "usd", "latest_charge": "ch_1",
            "metadata": {PAYMENT: payment.to_string()},
        });
        let notice = read("payment_intent.succeeded", object);
        assert_eq!(notice.at.timestamp(), 1_767_225_600);
        assert_eq!(notice.subject.intent_id.as_deref(), Some("pi_1"));
        assert_eq!(notice.subject.payment_id, Some(payment));
        let came = ProviderFact::Succeeded {
            received_cents: Cents(12_360),
            charge_id: Some("ch_1".to_owned()),
        };
        assert_eq!(notice.fact, Some(came));
    }

    #[test]
    fn refunds_are_read_one_by_one_or_as_a_sum() {
        let of = |status: &str| json!({"id": "re_1", "amount": 500, "status": status, "payment_intent": {"id": "pi_1"}});
        let notice = read("refund.updated", of("failed"));
        assert_eq!(notice.subject.intent_id.as_deref(), Some("pi_1"));
        assert!(matches!(&notice.fact, Some(ProviderFact::Refunds(refunds))
            if matches!(refunds[0].seen, RefundSeen::Failed { .. }) && refunds[0].amount_cents == Cents(500)));
        let charge = json!({"id": "ch_1", "amount_refunded": 500, "payment_intent": "pi_1"});
        assert_eq!(
            read("charge.refunded", charge).fact,
            Some(ProviderFact::RefundedInAll(Cents(500)))
        );
        let charge = json!({"amount_refunded": 500, "refunds": {"data": [of("succeeded")]}});
        assert!(matches!(
            read("charge.refunded", charge).fact,
            Some(ProviderFact::Refunds(_))
        ));
    }

    #[test]
    fn what_nobody_here_knows_says_nothing_and_is_no_error() {
        assert_eq!(read("customer.created", json!({"id": "cus_1"})).fact, None);
        assert_eq!(read("payment_intent.succeeded", json!({"id": "pi_1"})).fact, None);
        let yen = json!({"id": "pi_1", "amount_received": 5, "currency": "jpy"});
        assert_eq!(read("payment_intent.succeeded", yen).fact, None);
        let odd = json!({"id": "dp_1", "amount": 5, "status": "mislaid"});
        assert_eq!(read("charge.dispute.closed", odd).fact, None);
        assert_eq!(
            read("refund.created", json!({"id": "re_1", "amount": -5})).fact,
            None
        );
        assert_eq!(read("ping", json!(null)).fact, None);
    }

    #[test]
    fn an_intent_that_was_asked_after_says_what_the_events_say() {
        let intent = |status: &str, error: Value| {
            became(&json!({
                "id": "pi_1", "amount": 500, "amount_received": 400, "currency": "usd", "status": status,
                "last_payment_error": error, "latest_charge": "ch_1",
            }))
        };
        let came = ProviderFact::Succeeded {
            received_cents: Cents(400),
            charge_id: Some("ch_1".to_owned()),
        };
        let failed = |code: &str| ProviderFact::Failed {
            code: Some(code.to_owned()),
        };
        assert_eq!(intent("succeeded", Value::Null), Some(came));
        assert_eq!(intent("processing", Value::Null), Some(ProviderFact::Processing));
        assert_eq!(intent("canceled", Value::Null), Some(failed(CANCELED)));
        let declined = json!({"code": "card_declined", "decline_code": "stolen_card"});
        assert_eq!(
            intent("requires_payment_method", declined),
            Some(failed("stolen_card"))
        );
        for waits in ["requires_payment_method", "requires_action"] {
            assert_eq!(intent(waits, Value::Null), Some(ProviderFact::Nothing));
        }
        assert_eq!(intent("mislaid", Value::Null), None);
        assert_eq!(
            became(&json!({"status": "succeeded", "amount": 5, "currency": "jpy"})),
            None
        );
    }

    #[test]
    fn what_is_no_event_is_told_apart() {
        for body in [
            "",
            "[]",
            "{}",
            "{\"id\":\"\",\"type\":\"x\",\"data\":{\"object\":{}}}",
            "{\"id\":\"e\",\"type\":\"x\"}",
        ] {
            assert_eq!(
                Notice::read(body.as_bytes(), DateTime::UNIX_EPOCH),
                Err(NoticeError),
                "{body}"
            );
        }
        let long = format!(
            "{{\"id\":\"{}\",\"type\":\"x\",\"data\":{{\"object\":{{}}}}}}",
            "e".repeat(300)
        );
        assert_eq!(
            Notice::read(long.as_bytes(), DateTime::UNIX_EPOCH),
            Err(NoticeError)
        );
    }
}
