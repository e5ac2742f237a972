//! Words of the provider that never come, come too early, or are asked for once too often.

use serde_json::{Value, json};
use tests::stripe::{Fault, Refunding};

use super::*;

async fn payment_becomes(server: &Server, admin: &Client, id: &Value, status: &str) {
    let mut admin = admin.clone();
    admin.sign_in_again().await;
    until(status, async || {
        payment(server, &admin, id).await["status"] == status
    })
    .await;
}

#[tokio::test]
async fn a_charge_of_which_nobody_tells_is_found_by_asking() {
    let (server, double, mut admin) = open().await;
    let id = book(&admin, "untold").await;
    let made = intent(&admin, &id, "intent", 10_000, 0).await["payment"]["id"].take();
    let declined = json!({"last_payment_error": {"code": "card_declined"}});
    double.becomes(&double.newest(), &declined);
    server.set_clock("2026-02-10T18:02:00Z");
    payment_becomes(&server, &admin, &made, "FAILED").await;
    double.pay(&double.newest());
    server.set_clock("2026-02-10T18:11:00Z");
    payment_becomes(&server, &admin, &made, "SUCCEEDED").await;
    admin.sign_in_again().await;
    let confirmed = booking_becomes(&server, &admin, &id, "CONFIRMED").await;
    assert_eq!(confirmed["paid"]["minor"], 10_000);
    // The word comes after all, late by an hour: it is known.
    let paid = double.intent(&double.newest());
    double
        .tell(&admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    assert_eq!(booking(&server, &admin, &id).await["paid"]["minor"], 10_000);
    let asked = double.requests();
    server.set_clock("2026-02-12T18:00:00Z");
    server.quiet(&server.company).await;
    assert_eq!(double.requests(), asked, "what came is not asked after");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn an_intent_that_was_called_off_is_not_asked_after_again() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "called-off").await;
    let made = intent(&admin, &id, "intent", 10_000, 0).await["payment"]["id"].take();
    double.becomes(&double.newest(), &json!({"status": "canceled"}));
    server.set_clock("2026-02-10T18:02:00Z");
    payment_becomes(&server, &admin, &made, "FAILED").await;
    server.quiet(&server.company).await;
    let asked = double.requests();
    server.set_clock("2026-02-10T23:00:00Z");
    server.quiet(&server.company).await;
    assert_eq!(double.requests(), asked);
}

/// The program ended between the provider's answer and the log; the customer had paid by then.
#[tokio::test]
async fn a_word_that_comes_before_its_payment_is_made_good_once_it_is_there() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "early").await;
    let input = json!({"idempotencyKey": "i", "bookingId": id, "kind": "DEPOSIT", "amountMinor": 10_000});
    double.fail(&[Fault::DoneAndFailed, Fault::Status(500), Fault::Status(500)]);
    assert_eq!(
        admin.refused("paymentIntentCreate", input.clone()).await,
        "PROVIDER_UNAVAILABLE"
    );
    let paid = double.pay(&double.newest());
    double
        .tell(&admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    work_becomes(&server, &admin, "UNKNOWN_WEBHOOK", "OPEN").await;
    let other = with(input.clone(), json!({"amountMinor": 20_000}));
    assert_eq!(
        admin.refused("paymentIntentCreate", other).await,
        "IDEMPOTENCY_MISMATCH",
        "the provider was asked for another amount under this key"
    );
    let made = admin.done("paymentIntentCreate", PAYMENT, input).await["payment"]["id"].take();
    assert_eq!(double.intents(), 1);
    server.set_clock("2026-02-10T18:02:00Z");
    payment_becomes(&server, &admin, &made, "SUCCEEDED").await;
    let mut admin = admin;
    admin.sign_in_again().await;
    booking_becomes(&server, &admin, &id, "CONFIRMED").await;
}

#[tokio::test]
async fn a_refund_that_is_asked_for_again_days_later_is_given_back_once() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "days-later").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    double.refunding(Refunding::Waits);
    let input =
        json!({"idempotencyKey": "r", "paymentId": charged, "amountMinor": 4_000, "reason": "a kindness"});
    admin.done("paymentRefund", PAYMENT, input.clone()).await;
    double.forget_keys();
    let again = admin.done("paymentRefund", PAYMENT, input).await;
    assert_eq!(again["replayed"], true);
    assert_eq!(
        double.refunds().len(),
        1,
        "the provider forgets keys after a day, and no refund"
    );
}
