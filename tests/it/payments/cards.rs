//! Cards, from the intent to the dispute.

use serde_json::{Value, json};
use tests::http::Server;
use tests::stripe::{Refunding, StripeDouble};

use super::*;

#[tokio::test]
async fn a_card_is_refused_where_none_is_charged() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = book(&admin, "no-card").await;
    let input =
        json!({"idempotencyKey": "i", "bookingId": booking, "kind": "DEPOSIT", "amountMinor": 10_000});
    assert_eq!(
        admin.refused("paymentIntentCreate", input).await,
        "CARD_NOT_CONFIGURED"
    );
    let told = admin
        .post("/webhooks/stripe")
        .body("{}")
        .send()
        .await
        .expect("an answer");
    assert_eq!(told.status(), 404);
}

#[tokio::test]
async fn a_deposit_by_card_confirms_once_the_provider_says_that_it_came() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "card").await;
    let made = intent(&admin, &id, "intent", 10_000, 2_000).await;
    let row = &made["payment"];
    assert_eq!(
        (&row["status"], &row["fee"]["minor"]),
        (&json!("CREATED"), &json!(360)),
        "3 % of 120.00"
    );
    assert_eq!(row["refundable"]["minor"], 0);
    let secret = format!("{}_secret_x", double.newest());
    assert_eq!(made["clientSecret"], secret.as_str());
    assert_eq!(double.intent(&double.newest())["amount"], 12_360);

    let again = intent(&admin, &id, "intent", 10_000, 2_000).await;
    assert_eq!(
        (&again["replayed"], &again["payment"]["id"]),
        (&json!(true), &row["id"])
    );
    assert_eq!(
        again["clientSecret"],
        secret.as_str(),
        "the customer may still need it"
    );
    assert_eq!(double.intents(), 1);
    assert_eq!(
        booking(&server, &admin, &id).await["paid"]["minor"],
        0,
        "an intent is no money"
    );

    let paid = double.pay(&double.newest());
    double
        .tell(&admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    let confirmed = booking_becomes(&server, &admin, &id, "CONFIRMED").await;
    assert_eq!(
        (
            &confirmed["paid"]["minor"],
            &confirmed["tip"]["minor"],
            &confirmed["balanceDue"]["minor"]
        ),
        (&json!(10_000), &json!(2_000), &json!(75_118))
    );
    let row = payment(&server, &admin, &row["id"]).await;
    assert_eq!(
        (&row["status"], &row["refundable"]["minor"]),
        (&json!("SUCCEEDED"), &json!(12_360))
    );
    let events = server
        .app
        .log
        .head(server.company.tenant)
        .await
        .expect("the log answers");
    let dumped = tests_log(&server).await;
    assert!(!dumped.contains("_secret_"), "up to {events:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Every payload of the company's log.
async fn tests_log(server: &Server) -> String {
    let log = &server.app.log;
    let events = log
        .read(
            server.company.tenant,
            domain::envelope::Position::START,
            10_000,
            None,
        )
        .await
        .expect("the log answers");
    events.into_iter().map(|event| event.payload).collect()
}

async fn refund(admin: &Client, payment: &Value, key: &str, amount: i64) -> Value {
    let input = json!({
        "idempotencyKey": key, "paymentId": payment, "amountMinor": amount, "reason": "one guest fewer",
    });
    admin.done("paymentRefund", PAYMENT, input).await["payment"].take()
}

fn refund_input(payment: &Value, key: &str, amount: i64) -> Value {
    json!({"idempotencyKey": key, "paymentId": payment, "amountMinor": amount, "reason": "one guest fewer"})
}

#[tokio::test]
async fn money_is_given_back_in_part_then_whole_and_a_double_click_gives_it_back_once() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "refund").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let part = refund(&admin, &charged, "part", 4_000).await;
    assert_eq!(
        (&part["status"], &part["refunded"]["minor"]),
        (&json!("PARTIALLY_REFUNDED"), &json!(4_000))
    );
    let clicks = futures::future::join_all((0..4).map(|_| refund(&admin, &charged, "part", 4_000))).await;
    assert!(clicks.iter().all(|row| row["refunded"]["minor"] == 4_000));
    assert_eq!(double.refunds().len(), 1);
    for code in [
        admin
            .refused("paymentRefund", refund_input(&charged, "much", 6_301))
            .await,
        admin
            .refused("paymentRefund", refund_input(&charged, "nothing", 0))
            .await,
        admin
            .refused("paymentRefund", refund_input(&charged, "negative", -1))
            .await,
    ]
    .iter()
    .zip(["EXCEEDS_REFUNDABLE", "INVALID_AMOUNT", "INVALID_AMOUNT"])
    {
        assert_eq!(code.0, code.1);
    }
    let whole = refund(&admin, &charged, "rest", 6_300).await;
    assert_eq!(
        (&whole["status"], &whole["refundable"]["minor"]),
        (&json!("REFUNDED"), &json!(0))
    );
    let row = booking(&server, &admin, &id).await;
    assert_eq!(
        (&row["paid"]["minor"], &row["refunded"]["minor"]),
        (&json!(10_000), &json!(10_000))
    );
    assert_eq!(
        row["balanceDue"], row["total"],
        "before the party what was given back is owed again"
    );
    // Stripe says so as well, in its own time.
    for refund in double.refunds() {
        double.tell(&admin, "refund.updated", &refund, server.now()).await;
    }
    assert_eq!(
        payment(&server, &admin, &charged).await["refunds"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        work(&server, &admin, "REFUND_AT_PROVIDER").await,
        Vec::<Value>::new()
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_refund_that_fails_is_not_given_back_and_a_person_is_told() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "failing").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    double.refunding(Refunding::Fails);
    let row = refund(&admin, &charged, "fails", 4_000).await;
    assert_eq!(
        (&row["status"], &row["refundable"]["minor"]),
        (&json!("SUCCEEDED"), &json!(10_300))
    );
    assert_eq!(row["refunds"][0]["status"], "FAILED");
    let item = work_becomes(&server, &admin, "REFUND_FAILED", "OPEN").await;
    assert!(
        item["detail"]
            .as_str()
            .is_some_and(|said| said.contains("expired_or_canceled_card"))
    );
    double.refunding(Refunding::Waits);
    let row = refund(&admin, &charged, "waits", 10_300).await;
    assert_eq!(
        (&row["status"], &row["refundable"]["minor"]),
        (&json!("SUCCEEDED"), &json!(0))
    );
    assert_eq!(
        admin
            .refused("paymentRefund", refund_input(&charged, "more", 1))
            .await,
        "EXCEEDS_REFUNDABLE"
    );
    let mut arrived = double.refunds().remove(1);
    arrived["status"] = json!("succeeded");
    double
        .tell(&admin, "refund.updated", &arrived, server.now())
        .await;
    assert_eq!(payment(&server, &admin, &charged).await["status"], "REFUNDED");
    let resolve = json!({"idempotencyKey": "seen", "workItemId": item["id"], "note": "gave it back in cash"});
    let seen = admin
        .done("workItemResolve", "workItem { status note }", resolve.clone())
        .await;
    assert_eq!(
        seen["workItem"],
        json!({"status": "RESOLVED", "note": "gave it back in cash"})
    );
    let again = with(resolve, json!({"idempotencyKey": "again"}));
    assert_eq!(admin.refused("workItemResolve", again).await, "WRONG_STATE");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

fn dispute(intent: &str, status: &str) -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "amount": 10_300, "currency": "usd", "status": status,
        "reason": "fraudulent", "payment_intent": intent, "charge": "ch_1",
    })
}

async fn disputed(outcome: &str) -> (Server, Client, Value, Value) {
    let (server, double, admin) = open().await;
    let id = book(&admin, outcome).await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let (intent, now) = (double.newest(), server.now());
    double
        .tell(
            &admin,
            "charge.dispute.created",
            &dispute(&intent, "needs_response"),
            now,
        )
        .await;
    assert_eq!(payment(&server, &admin, &charged).await["status"], "DISPUTED");
    let disputes = "query($id: ID!) { node(id: $id) { ... on Payment {
        externalRef disputes { externalRef status amount { minor } } } } }";
    let told = admin.data(disputes, json!({"id": charged})).await;
    assert_eq!(
        told["node"],
        json!({
            "externalRef": intent,
            "disputes": [{"externalRef": "dp_1", "status": "OPEN", "amount": {"minor": 10_300}}],
        })
    );
    work_becomes(&server, &admin, "DISPUTE", "OPEN").await;
    assert_eq!(
        booking(&server, &admin, &id).await["paid"]["minor"],
        10_000,
        "the bank has not decided"
    );
    assert_eq!(
        admin
            .refused("paymentRefund", refund_input(&charged, "meanwhile", 1))
            .await,
        "EXCEEDS_REFUNDABLE"
    );
    double
        .tell(&admin, "charge.dispute.closed", &dispute(&intent, outcome), now)
        .await;
    work_becomes(&server, &admin, "DISPUTE", "SETTLED").await;
    (server, admin, id, charged)
}

#[tokio::test]
async fn a_dispute_that_is_lost_takes_the_money_and_one_that_is_won_does_not() {
    let (server, admin, id, charged) = disputed("lost").await;
    let row = booking(&server, &admin, &id).await;
    assert_eq!(
        (&row["paid"]["minor"], &row["balanceDue"]),
        (&json!(0), &row["total"])
    );
    assert_eq!(payment(&server, &admin, &charged).await["status"], "DISPUTED");
    let missing = work_becomes(&server, &admin, "UNDERPAYMENT", "OPEN").await;
    assert_eq!(
        missing["amount"]["minor"], 85_118,
        "all of the price is owed again"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
    let (server, admin, id, charged) = disputed("won").await;
    assert_eq!(work(&server, &admin, "UNDERPAYMENT").await, Vec::<Value>::new());
    assert_eq!(booking(&server, &admin, &id).await["paid"]["minor"], 10_000);
    let row = payment(&server, &admin, &charged).await;
    assert_eq!(
        (&row["status"], &row["refundable"]["minor"]),
        (&json!("SUCCEEDED"), &json!(10_300))
    );
}

#[tokio::test]
async fn support_gives_back_up_to_the_limit_that_the_company_set() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "limit").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let set = json!({"idempotencyKey": "set the limit", "limitMinor": 5_000});
    admin
        .done("refundLimitSet", "refundLimit { limit { minor } }", set)
        .await;
    assert_eq!(
        support
            .refused("paymentRefund", refund_input(&charged, "above", 5_001))
            .await,
        "REFUND_ABOVE_LIMIT"
    );
    refund(&support, &charged, "below", 3_000).await;
    assert_eq!(
        support
            .refused("paymentRefund", refund_input(&charged, "in two", 2_001))
            .await,
        "REFUND_ABOVE_LIMIT"
    );
    refund(&admin, &charged, "admin", 7_000).await;
}

#[tokio::test]
async fn parts_that_no_money_can_have_are_refused_and_break_nothing() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "absurd").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let (least, most) = (i64::MIN.to_string(), i64::MAX.to_string());
    for (number, parts) in [
        json!({"feeMinor": least}),
        json!({"tipMinor": most, "feeMinor": most}),
        json!({"amountMinor": most}),
        json!({"amountMinor": least, "feeMinor": 1}),
        json!({"amountMinor": 1, "tipMinor": 2}),
    ]
    .into_iter()
    .enumerate()
    {
        let ask = with(refund_input(&charged, &format!("absurd {number}"), 100), parts);
        assert_eq!(
            admin.refused("paymentRefund", ask).await,
            "INVALID_AMOUNT",
            "{number}"
        );
    }
    assert!(double.refunds().is_empty());
}

/// What happens to a card payment in the end is the same in every order in which the provider may tell of it.
#[tokio::test]
async fn every_order_of_what_the_provider_says_ends_alike_told_once_or_twice() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "orders").await;
    let mut ends = Vec::new();
    for (number, order) in orders(4).into_iter().enumerate() {
        let row = intent(&admin, &id, &format!("intent {number}"), 10_000, 0).await["payment"]["id"].take();
        ends.push((row, tell_in_order(&server, &double, &admin, &order).await));
    }
    assert_eq!(ends.len(), 24);
    let first = end_of(&server, &admin, &ends[0].0).await;
    assert_eq!(
        (&first["status"], &first["refunded"]["minor"]),
        (&json!("DISPUTED"), &json!(4_000))
    );
    for (row, order) in &ends {
        assert_eq!(end_of(&server, &admin, row).await, first, "{order}");
    }
    let row = booking(&server, &admin, &id).await;
    // Of each payment 100.00 came for the price, 40.00 was given back, and 60.00 of it was lost to a bank.
    assert_eq!(
        (&row["paid"]["minor"], &row["refunded"]["minor"]),
        (&json!(24 * 4_000), &json!(24 * 4_000))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn end_of(server: &Server, admin: &Client, id: &Value) -> Value {
    let mut row = payment(server, admin, id).await;
    for field in ["id", "version", "refunds"] {
        row[field] = Value::Null;
    }
    row
}

async fn tell_in_order(server: &Server, double: &StripeDouble, admin: &Client, order: &[usize]) -> String {
    let (intent, now) = (double.newest(), server.now());
    let created = double.intent(&intent);
    let paid = double.pay(&intent);
    let refund = json!({"id": format!("re_{intent}"), "amount": 4_000, "status": "succeeded"});
    let charge = json!({
        "id": format!("ch_{intent}"), "payment_intent": intent, "amount_refunded": 4_000, "currency": "usd",
        "refunds": {"data": [refund]},
    });
    let lost = json!({
        "id": format!("dp_{intent}"), "payment_intent": intent, "amount": 6_000, "currency": "usd", "status": "lost",
    });
    let said = [
        double.event("payment_intent.created", &created, now),
        double.event("payment_intent.succeeded", &paid, now),
        double.event("charge.refunded", &charge, now),
        double.event("charge.dispute.closed", &lost, now),
    ];
    for index in order.iter().chain(order) {
        let (status, text) = double.send(admin, &said[*index], now).await;
        assert_eq!(status, 200, "{text}");
    }
    format!("{order:?}")
}

fn orders(of: usize) -> Vec<Vec<usize>> {
    fn add(left: &[usize], so_far: &[usize], all: &mut Vec<Vec<usize>>) {
        if left.is_empty() {
            all.push(so_far.to_vec());
        }
        for index in left {
            let rest: Vec<usize> = left.iter().copied().filter(|other| other != index).collect();
            add(&rest, &[so_far, &[*index]].concat(), all);
        }
    }
    let mut all = Vec::new();
    add(&(0..of).collect::<Vec<_>>(), &[], &mut all);
    all
}
