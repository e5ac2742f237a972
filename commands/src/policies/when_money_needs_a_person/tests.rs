use serde_json::{Value, json};

use super::WhenMoneyNeedsAPerson;
use crate::policies::testing::Story;

/// A booking of 851.18 with a deposit of 100.00.
fn booked() -> Story<WhenMoneyNeedsAPerson> {
    let mut story = Story::new();
    assert_eq!(story.work("booking.requested", price(85_118)), nothing());
    story
}

fn price(total: i64) -> Value {
    json!({"quote": {"lines": [], "total_cents": total, "deposit_cents": 10_000, "price_list_version": 9}})
}

fn nothing() -> Vec<String> {
    Vec::new()
}

fn came(story: &mut Story<WhenMoneyNeedsAPerson>, cents: i64) -> Vec<String> {
    story.work(
        "payment.succeeded",
        json!({"amount_cents": cents, "tip_cents": 0, "fee_cents": 0}),
    )
}

fn given_back(story: &mut Story<WhenMoneyNeedsAPerson>, kind: &str, cents: i64) -> Vec<String> {
    let parts = json!({"kind": kind, "amount_cents": cents, "tip_cents": 0, "fee_cents": 0});
    story.work("payment.refund_succeeded", parts)
}

fn held(story: &mut Story<WhenMoneyNeedsAPerson>) -> Vec<String> {
    story.work("booking.completed", json!({"gross_cents": 85_118}))
}

#[test]
fn what_is_too_much_is_said_anew_when_it_grows_and_is_right_once_it_was_given_back() {
    let mut story = booked();
    assert_eq!(came(&mut story, 85_118), nothing());
    assert_eq!(came(&mut story, 5_000), ["open overpayment 50.00"]);
    assert_eq!(
        came(&mut story, 20_000),
        ["close: more has come since", "open overpayment 250.00"],
        "a person may have seen to the 50.00 by now"
    );
    assert_eq!(given_back(&mut story, "overpayment", 20_000), nothing());
    assert_eq!(
        came(&mut story, 1_000),
        ["close: more has come since", "open overpayment 60.00"]
    );
    assert_eq!(
        given_back(&mut story, "overpayment", 6_000),
        ["close: no more has come than the party costs"]
    );
}

#[test]
fn what_is_missing_after_the_party_is_said_whatever_it_is_missing_by() {
    let mut story = booked();
    came(&mut story, 85_118);
    assert_eq!(held(&mut story), nothing());
    let voided = json!({"amount_cents": 10_000, "tip_cents": 0, "fee_cents": 0});
    assert_eq!(story.work("payment.voided", voided), ["open underpayment 100.00"]);
    assert_eq!(
        given_back(&mut story, "overpayment", 5_000),
        ["close: more is missing since", "open underpayment 150.00"]
    );
    assert_eq!(came(&mut story, 14_999), nothing());
    assert_eq!(came(&mut story, 1), ["close: the rest has come"]);
    assert_eq!(
        given_back(&mut story, "goodwill", 1_000),
        nothing(),
        "nobody owes a kindness"
    );
}

#[test]
fn a_party_that_was_held_for_less_than_it_costs_is_said() {
    let mut story = booked();
    came(&mut story, 10_000);
    assert_eq!(held(&mut story), ["open underpayment 751.18"]);
}

#[test]
fn what_a_bank_took_back_is_missing_also_before_the_party() {
    let parts = json!({"dispute_id": "dp_1", "amount_cents": 10_000, "tip_cents": 0, "fee_cents": 0});
    let closed = |outcome: &str| {
        let mut closed = parts.clone();
        closed["outcome"] = json!(outcome);
        closed
    };
    let mut story = booked();
    came(&mut story, 10_000);
    assert_eq!(
        story.work("payment.dispute_opened", parts.clone()),
        ["open dispute 100.00"]
    );
    assert_eq!(
        story.work("payment.dispute_closed", closed("lost")),
        [
            "close: the bank has decided: it took the money back",
            "open underpayment 851.18"
        ]
    );
    let mut story = booked();
    came(&mut story, 10_000);
    assert_eq!(
        story.work("payment.dispute_closed", closed("won")),
        ["close: the bank has decided: the money stays"]
    );
}

#[test]
fn a_refund_that_the_terms_propose_waits_for_a_person() {
    let half =
        json!({"refund": {"tier": {"hours_before": 72, "refund_ppm": 500_000, "deposit_back": "kept"}}});
    let mut story = booked();
    came(&mut story, 30_000);
    assert_eq!(
        story.work("booking.cancelled", half.clone()),
        ["open refund_proposed 100.00"]
    );
    assert_eq!(
        given_back(&mut story, "cancelled_before_service", 4_000),
        nothing()
    );
    assert_eq!(
        given_back(&mut story, "cancelled_before_service", 6_000),
        ["close: it was given back"]
    );
    assert_eq!(came(&mut story, 500), ["open payment_for_closed_booking 5.00"]);
    let mut unpaid = booked();
    assert_eq!(
        unpaid.work("booking.cancelled", half),
        nothing(),
        "nothing had come"
    );
    let mut kept = booked();
    came(&mut kept, 10_000);
    assert_eq!(
        kept.work("booking.cancelled", json!({"refund": "nothing"})),
        nothing()
    );
}

#[test]
fn money_for_a_booking_that_is_over_is_said_each_time_and_right_once_nothing_is_held() {
    let mut story = booked();
    came(&mut story, 5_000);
    assert_eq!(
        story.work("booking.expired", json!({})),
        ["open payment_for_closed_booking 50.00"]
    );
    assert_eq!(came(&mut story, 2_000), ["open payment_for_closed_booking 20.00"]);
    assert_eq!(
        given_back(&mut story, "cancelled_before_service", 7_000),
        [
            "close: the money was given back",
            "close: the money was given back"
        ]
    );
    let mut unpaid = booked();
    assert_eq!(unpaid.work("booking.expired", json!({})), nothing());
}

#[test]
fn money_of_a_booking_that_was_put_away_is_said_until_it_is_back() {
    let mut story = booked();
    came(&mut story, 10_000);
    assert_eq!(
        story.work("booking.deleted", json!({"status": "confirmed"})),
        ["open payment_for_closed_booking 100.00"]
    );
    assert_eq!(came(&mut story, 2_000), ["open payment_for_closed_booking 20.00"]);
    let back = story.work("booking.restored", json!({"status": "confirmed"}));
    assert_eq!(back, ["close: the booking is not over any more"; 2]);
}

#[test]
fn a_refund_that_failed_is_said() {
    let mut story = booked();
    assert_eq!(
        story.work("payment.refund_failed", json!({})),
        ["open refund_failed 51.50"]
    );
}
