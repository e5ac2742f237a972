//! A payment that fails and a bank that wants money back call a person, once each.

use serde_json::{Value, json};

use super::*;

async fn calls(server: &Server, admin: &Client) -> Vec<Value> {
    server.caught_up(&server.company).await;
    let query = "{ escalations(first: 50) { nodes { id source severity code reason status booking: bookingId
        subject { __typename id } openedAt targetAt } } }";
    let mut found = admin.data(query, json!({})).await;
    let Value::Array(calls) = found["escalations"]["nodes"].take() else {
        panic!("{found}");
    };
    calls
}

#[tokio::test]
async fn a_declined_card_and_a_dispute_call_a_person_once_each() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "declined").await;
    let made = intent(&admin, &id, "intent", 10_000, 0).await["payment"]["id"].take();
    let card = double.newest();
    let declined = json!({
        "id": card, "object": "payment_intent", "amount": 10_300, "currency": "usd", "status": "requires_payment_method",
        "last_payment_error": {"code": "card_declined"},
    });
    // The provider tells of each attempt.
    for _ in 0..2 {
        double
            .tell(&admin, "payment_intent.payment_failed", &declined, server.now())
            .await;
    }
    until("the declined card", async || {
        calls(&server, &admin).await.len() == 1
    })
    .await;
    let call = calls(&server, &admin).await.remove(0);
    assert_eq!(
        (
            &call["source"],
            &call["severity"],
            &call["code"],
            &call["booking"]
        ),
        (&json!("PAYMENT"), &json!(2), &json!("card_declined"), &id)
    );
    assert_eq!(
        (&call["subject"]["__typename"], &call["subject"]["id"]),
        (&json!("Payment"), &made)
    );
    let paid = double.pay(&card);
    double
        .tell(&admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    let dispute = json!({
        "id": "dp_1", "object": "dispute", "amount": 10_300, "currency": "usd", "status": "needs_response",
        "reason": "fraudulent", "payment_intent": card, "charge": "ch_1",
    });
    double
        .tell(&admin, "charge.dispute.created", &dispute, server.now())
        .await;
    until("the dispute", async || calls(&server, &admin).await.len() == 2).await;
    let worst = calls(&server, &admin).await.remove(0);
    assert_eq!(
        (&worst["source"], &worst["severity"]),
        (&json!("DISPUTE"), &json!(1)),
        "the worst is first"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// The card of a deposit is declined, and a person is called.
async fn declined(server: &Server, double: &StripeDouble, admin: &Client, id: &Value, key: &str) -> String {
    let before = calls(server, admin).await.len();
    intent(admin, id, key, 10_000, 0).await;
    let card = double.newest();
    let declined = json!({
        "id": card, "object": "payment_intent", "amount": 10_300, "currency": "usd", "status": "requires_payment_method",
        "last_payment_error": {"code": "card_declined"},
    });
    double
        .tell(admin, "payment_intent.payment_failed", &declined, server.now())
        .await;
    until("the declined card", async || {
        calls(server, admin).await.len() == before + 1
    })
    .await;
    card
}

async fn statuses(server: &Server, admin: &Client) -> Vec<Value> {
    let calls = calls(server, admin).await;
    calls.iter().map(|call| call["status"].clone()).collect()
}

#[tokio::test]
async fn a_call_for_a_payment_ends_by_itself_when_the_money_comes_unless_somebody_has_joined() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "declined").await;
    let card = declined(&server, &double, &admin, &id, "first").await;
    let paid = double.pay(&card);
    double
        .tell(&admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    until("the end", async || {
        statuses(&server, &admin).await == ["RESOLVED"]
    })
    .await;
    let trail = admin
        .data("{ auditLog(first: 20) { nodes { summary reason } } }", json!({}))
        .await;
    let told = trail["auditLog"]["nodes"]
        .as_array()
        .expect("the trail")
        .iter()
        .any(|entry| {
            let summary = entry["summary"].as_str().unwrap_or_default();
            summary.starts_with("The escalation ended by itself")
                && entry["reason"] == "the money has come since"
        });
    assert!(told, "{trail}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn cash_for_the_same_ends_the_call_too_and_whoever_has_joined_says_the_end() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "declined").await;
    declined(&server, &double, &admin, &id, "first").await;
    declined(&server, &double, &admin, &id, "second").await;
    let joined = calls(&server, &admin).await[0]["id"].clone();
    let join = json!({"idempotencyKey": "join", "escalationId": joined});
    admin.done("escalationJoin", "escalation { status }", join).await;
    let cash = json!({
        "idempotencyKey": "cash", "bookingId": id, "kind": "DEPOSIT", "method": "CASH", "amountMinor": 10_000,
    });
    let paid = admin.done("paymentRecord", "payment { id }", cash).await["payment"]["id"].take();
    let verify = json!({"idempotencyKey": "found", "paymentId": paid, "accept": true});
    admin.done("paymentVerify", "", verify).await;
    until("the end of the one that nobody has joined", async || {
        let calls = calls(&server, &admin).await;
        let of = |mine: bool| {
            let found = calls.iter().find(|call| (call["id"] == joined) == mine);
            found.map(|call| call["status"].clone())
        };
        of(false) == Some(json!("RESOLVED")) && of(true) == Some(json!("JOINED"))
    })
    .await;
}
