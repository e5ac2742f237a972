use domain::ids::EventId;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::policies::testing::Story;

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

/// The facts that a reply puts on record.
fn recorded(reply: Option<Reply>) -> Vec<PaymentFact> {
    match reply {
        Some(Reply::RecordTax { facts, .. }) => facts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_kept_of_a_party_is_put_on_record_where_the_company_had_chosen_that_it_is_a_sale() {
    let mut story = Story::<WhenMoneyChangesTax>::new();
    let deposit = json!({"amount_cents": 10_000, "tip_cents": 0, "fee_cents": 0});
    assert_eq!(story.tell("payment.verified", deposit), None);
    assert!(story.is_over(), "nothing is remembered of it");
    let with_tip = json!({"amount_cents": 10_000, "tip_cents": 500, "fee_cents": 0});
    assert_eq!(story.tell("payment.verified", with_tip), None);
    match story.tell("booking.cancelled", json!({"kept": "sale"})) {
        Some(Reply::RecordKept { beside, .. }) => assert_eq!(beside[0].tip_cents, Cents(500)),
        other => panic!("{other:?}"),
    }
    let kindness = json!({"amount_cents": 1_000, "tip_cents": 0, "fee_cents": 0, "kind": "goodwill"});
    assert_eq!(
        recorded(story.tell("payment.refund_succeeded", kindness))[0].amount_cents,
        Cents(1_000)
    );
    let found = json!({"amount_cents": 2_000, "tip_cents": 0, "fee_cents": 0});
    assert_eq!(
        recorded(story.tell("payment.verified", found))[0].amount_cents,
        Cents(2_000)
    );
    let lost = json!({"amount_cents": 3_000, "tip_cents": 100, "fee_cents": 0, "outcome": "lost"});
    let lost = recorded(story.tell("payment.dispute_closed", lost));
    assert_eq!(
        (lost[0].amount_cents, lost[0].tip_cents),
        (Cents(3_000), Cents(100))
    );
}

#[test]
fn what_is_kept_of_a_party_is_nobodys_sale_otherwise() {
    let mut story = Story::<WhenMoneyChangesTax>::new();
    assert_eq!(
        story.tell("booking.cancelled", json!({"kept": "not_a_sale"})),
        None
    );
    let refund = json!({"amount_cents": 1_000, "tip_cents": 0, "fee_cents": 0, "kind": "full_reversal"});
    assert_eq!(story.tell("payment.refund_succeeded", refund), None);
}
