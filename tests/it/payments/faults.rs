//! A provider that fails: nothing is lost, and nothing is done twice.

use serde_json::{Value, json};
use tests::stripe::{Fault, Refunding};

use super::*;

#[tokio::test]
async fn an_intent_is_made_once_however_often_the_provider_fails() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "shaky").await;
    let input = json!({"idempotencyKey": "i", "bookingId": id, "kind": "DEPOSIT", "amountMinor": 10_000});
    let head = server.quiet(&server.company).await;
    double.fail(&[Fault::Status(500); 3]);
    assert_eq!(
        admin.refused("paymentIntentCreate", input.clone()).await,
        "PROVIDER_UNAVAILABLE"
    );
    assert_eq!(
        (double.requests(), double.intents()),
        (3, 0),
        "asked three times and no more"
    );
    double.fail(&[Fault::DoneAndLate, Fault::DoneAndFailed, Fault::Status(429)]);
    assert_eq!(
        admin.refused("paymentIntentCreate", input.clone()).await,
        "PROVIDER_UNAVAILABLE"
    );
    assert_eq!((double.intents(), server.head(&server.company).await), (1, head));
    // As after a crash between the provider and the log: the same command finds the same intent.
    let made = admin.done("paymentIntentCreate", PAYMENT, input).await;
    assert_eq!(made["payment"]["status"], "CREATED");
    assert_eq!(double.intents(), 1);
    let small = json!({"idempotencyKey": "s", "bookingId": id, "kind": "OTHER", "amountMinor": 10});
    assert_eq!(
        admin.refused("paymentIntentCreate", small).await,
        "PROVIDER_REFUSED"
    );
    let clicks = (0..6).map(|_| intent(&admin, &id, "clicked", 5_000, 0));
    let clicks = futures::future::join_all(clicks).await;
    assert!(
        clicks
            .windows(2)
            .all(|two| two[0]["payment"]["id"] == two[1]["payment"]["id"])
    );
    assert_eq!(double.intents(), 2);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_taken_up_and_given_back_once() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "lost").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let before = double.requests();
    double.fail(&[Fault::DoneAndFailed, Fault::DoneAndLate, Fault::Status(503)]);
    let input =
        json!({"idempotencyKey": "r", "paymentId": charged, "amountMinor": 4_000, "reason": "a kindness"});
    let asked = admin.done("paymentRefund", PAYMENT, input).await["payment"].take();
    assert_eq!(
        (&asked["refunds"][0]["status"], &asked["refunded"]["minor"]),
        (&json!("PENDING"), &json!(0))
    );
    assert_eq!((double.requests() - before, double.refunds().len()), (3, 1));
    // Another program, with nothing in memory, finds it when its time has come.
    server.set_clock("2026-02-10T18:02:00Z");
    given_back(&server, &admin, &charged, 4_000).await;
    assert_eq!(double.refunds().len(), 1, "it was found, and not asked for again");
}

async fn given_back(server: &Server, admin: &Client, payment_id: &Value, cents: i64) {
    let mut admin = admin.clone();
    admin.sign_in_again().await;
    until("it is given back", async || {
        payment(server, &admin, payment_id).await["refunded"]["minor"] == cents
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_was_never_heard_of_is_asked_for_again() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "unheard").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    double.fail(&[Fault::Status(500), Fault::Status(502), Fault::Status(503)]);
    let input =
        json!({"idempotencyKey": "r", "paymentId": charged, "amountMinor": 4_000, "reason": "a kindness"});
    admin.done("paymentRefund", PAYMENT, input).await;
    assert!(double.refunds().is_empty());
    server.set_clock("2026-02-10T18:02:00Z");
    given_back(&server, &admin, &charged, 4_000).await;
    assert_eq!(double.refunds().len(), 1);
}

#[tokio::test]
async fn a_refund_that_takes_more_than_a_day_is_shown_to_a_person_until_it_is_there() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "slow").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    double.refunding(Refunding::Waits);
    let input =
        json!({"idempotencyKey": "r", "paymentId": charged, "amountMinor": 4_000, "reason": "a kindness"});
    admin.done("paymentRefund", PAYMENT, input).await;
    let mut admin = admin;
    for hours in [
        "10T18:02", "10T18:20", "10T19:20", "11T00:00", "11T12:00", "12T14:00",
    ] {
        let asked = double.requests();
        server.set_clock(&format!("2026-02-{hours}:00Z"));
        admin.sign_in_again().await;
        until("the provider is asked", async || double.requests() > asked).await;
    }
    let item = work_becomes(&server, &admin, "REFUND_PENDING", "OPEN").await;
    assert_eq!(item["amount"]["minor"], 4_000);
    let mut arrived = double.refunds().remove(0);
    arrived["status"] = json!("succeeded");
    double
        .tell(&admin, "refund.updated", &arrived, server.now())
        .await;
    work_becomes(&server, &admin, "REFUND_PENDING", "SETTLED").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}
