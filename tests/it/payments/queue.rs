//! The work queue: nothing that happens to money is dropped.

use domain::access::StationScope;
use serde_json::{Value, json};
use tests::http::PARTY_UTC;

use super::*;

async fn cash(admin: &Client, booking: &Value, key: &str, cents: i64) {
    let input = json!({
        "idempotencyKey": key, "bookingId": booking, "kind": "BALANCE", "method": "CASH", "amountMinor": cents,
    });
    let paid = admin.done("paymentRecord", PAYMENT, input).await["payment"]["id"].take();
    let verify = json!({"idempotencyKey": format!("{key} found"), "paymentId": paid, "accept": true});
    admin.done("paymentVerify", PAYMENT, verify).await;
}

#[tokio::test]
async fn too_much_money_is_shown_until_it_is_given_back() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "too-much").await;
    cash(&admin, &id, "all", 85_118).await;
    booking_becomes(&server, &admin, &id, "CONFIRMED").await;
    assert_eq!(work(&server, &admin, "OVERPAYMENT").await, Vec::<Value>::new());
    cash(&admin, &id, "more", 5_000).await;
    let item = work_becomes(&server, &admin, "OVERPAYMENT", "OPEN").await;
    assert_eq!(item["amount"]["minor"], 5_000);
    assert_eq!(booking(&server, &admin, &id).await["balanceDue"]["minor"], -5_000);
    let refund = json!({
        "idempotencyKey": "back", "paymentId": item["paymentId"], "amountMinor": 5_000, "reason": "paid twice",
    });
    admin.done("paymentRefund", PAYMENT, refund).await;
    work_becomes(&server, &admin, "OVERPAYMENT", "SETTLED").await;
    assert_eq!(booking(&server, &admin, &id).await["balanceDue"]["minor"], 0);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_party_that_was_held_and_not_paid_is_shown_until_it_is() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "too-little").await;
    cash(&admin, &id, "deposit", 10_000).await;
    booking_becomes(&server, &admin, &id, "CONFIRMED").await;
    server.set_clock(PARTY_UTC);
    let mut admin = admin;
    admin.sign_in_again().await;
    let complete = json!({"idempotencyKey": "held", "bookingId": id});
    admin.done("bookingComplete", "", complete).await;
    let item = work_becomes(&server, &admin, "UNDERPAYMENT", "OPEN").await;
    assert_eq!(item["amount"]["minor"], 75_118);
    cash(&admin, &id, "rest", 75_118).await;
    work_becomes(&server, &admin, "UNDERPAYMENT", "SETTLED").await;
    // A kindness after the party: the customer owes nothing again.
    let paid = "query($id: ID!) { booking(id: $id) { payments(first: 1) { nodes { id } } } }";
    let paid = admin.data(paid, json!({"id": id})).await["booking"]["payments"]["nodes"][0]["id"].take();
    let refund = json!({
        "idempotencyKey": "kind", "paymentId": paid, "amountMinor": 2_000, "reason": "the rice was cold",
        "kind": "GOODWILL",
    });
    admin.done("paymentRefund", PAYMENT, refund).await;
    let row = booking(&server, &admin, &id).await;
    assert_eq!(
        (&row["refunded"]["minor"], &row["balanceDue"]["minor"]),
        (&json!(2_000), &json!(0))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn money_that_comes_for_a_booking_that_is_over_is_not_lost() {
    let (server, double, admin) = open().await;
    let expired = book(&admin, "expired").await;
    let late = intent(&admin, &expired, "late", 10_000, 0).await["payment"]["id"].take();
    let late_intent = double.newest();
    let cancelled = book(&admin, "cancelled").await;
    intent(&admin, &cancelled, "also late", 10_000, 0).await;
    let cancelled_intent = double.newest();
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": cancelled, "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    server.set_clock("2026-02-11T18:30:00Z");
    let mut admin = admin;
    admin.sign_in_again().await;
    booking_becomes(&server, &admin, &expired, "EXPIRED").await;
    for intent in [&late_intent, &cancelled_intent] {
        let paid = double.pay(intent);
        double
            .tell(&admin, "payment_intent.succeeded", &paid, server.now())
            .await;
    }
    until("both are shown", async || {
        work(&server, &admin, "PAYMENT_FOR_CLOSED_BOOKING").await.len() == 2
    })
    .await;
    let row = booking(&server, &admin, &expired).await;
    assert_eq!(
        (&row["status"], &row["paid"]["minor"]),
        (&json!("EXPIRED"), &json!(10_000))
    );
    let again =
        json!({"idempotencyKey": "no", "bookingId": expired, "kind": "DEPOSIT", "amountMinor": 10_000});
    assert_eq!(admin.refused("paymentIntentCreate", again).await, "WRONG_STATE");
    let refund = json!({
        "idempotencyKey": "back", "paymentId": late, "amountMinor": 10_300, "reason": "it came too late",
    });
    let back = admin.done("paymentRefund", PAYMENT, refund).await["payment"].take();
    assert_eq!(back["refunds"][0]["kind"], "CANCELLED_BEFORE_SERVICE");
    until("one is settled", async || {
        let items = work(&server, &admin, "PAYMENT_FOR_CLOSED_BOOKING").await;
        items.iter().filter(|item| item["status"] == "SETTLED").count() == 1
    })
    .await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_refund_that_the_terms_propose_waits_for_a_person() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "proposed").await;
    cash(&admin, &id, "all", 85_118).await;
    booking_becomes(&server, &admin, &id, "CONFIRMED").await;
    let cancel =
        json!({"idempotencyKey": "cancel", "bookingId": id, "reason": "no chef is well", "byCompany": true});
    admin.done("bookingCancel", "", cancel).await;
    let item = work_becomes(&server, &admin, "REFUND_PROPOSED", "OPEN").await;
    assert_eq!(item["amount"]["minor"], 85_118, "the company called it off");
    let paid = "query($id: ID!) { booking(id: $id) { payments(first: 1) { nodes { id } } } }";
    let paid = admin.data(paid, json!({"id": id})).await["booking"]["payments"]["nodes"][0]["id"].take();
    let refund = json!({
        "idempotencyKey": "back", "paymentId": paid, "amountMinor": 85_118, "reason": "no chef is well",
    });
    admin.done("paymentRefund", PAYMENT, refund).await;
    work_becomes(&server, &admin, "REFUND_PROPOSED", "SETTLED").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_booking_without_a_tax_rate_is_shown_until_there_is_one() {
    let (server, _, admin) = open().await;
    let party = with(
        party("rateless"),
        json!({"venue": {"street": "1 Main St", "city": "Hayward", "state": "CA", "zip": "94541"}}),
    );
    let id = admin.done("bookingRequest", "booking { id }", party).await["booking"]["id"].take();
    let item = work_becomes(&server, &admin, "TAX_UNRESOLVED", "OPEN").await;
    assert!(
        item["detail"]
            .as_str()
            .is_some_and(|said| said.contains("Alameda, CA on 2026-03-14"))
    );
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": id, "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    work_becomes(&server, &admin, "TAX_UNRESOLVED", "SETTLED").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn an_item_is_found_by_its_id_by_those_who_may_see_money() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "node").await;
    cash(&admin, &id, "all", 85_118).await;
    cash(&admin, &id, "more", 5_000).await;
    let item = work_becomes(&server, &admin, "OVERPAYMENT", "OPEN").await;
    let query = "query($id: ID!) { node(id: $id) { id ... on WorkItem { kind amount { minor } } } }";
    let found = admin.data(query, json!({"id": item["id"]})).await;
    assert_eq!(
        found["node"],
        json!({"id": item["id"], "kind": "OVERPAYMENT", "amount": {"minor": 5_000}})
    );
    let chef = server.sign_in(Role::Chef).await;
    let refused = chef.graphql(query, json!({"id": item["id"]})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let elsewhere = StationScope::Only(vec![server.company.san_jose]);
    let limited = server
        .sign_in_at(&server.company, Role::StationManager, elsewhere)
        .await;
    let hidden = limited.data(query, json!({"id": item["id"]})).await;
    assert_eq!(hidden["node"], Value::Null, "it is of another station");
}
