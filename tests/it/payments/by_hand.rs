//! Zelle, Venmo and cash: claimed, found by what shows it, voided by a second person, given back by hand.

use domain::access::StationScope;
use serde_json::{Value, json};

use super::*;

async fn claim(admin: &Client, booking: &Value, key: &str, method: &str, reference: Value) -> Value {
    let input = json!({
        "idempotencyKey": key, "bookingId": booking, "kind": "DEPOSIT", "method": method, "amountMinor": 10_000,
        "reference": reference,
    });
    admin.done("paymentRecord", PAYMENT, input).await["payment"]["id"].take()
}

fn verdict(payment: &Value, key: &str, more: Value) -> Value {
    with(
        json!({"idempotencyKey": key, "paymentId": payment, "accept": true}),
        more,
    )
}

#[tokio::test]
async fn money_is_found_by_what_shows_it_and_a_reference_is_one_payments() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "evidence").await;
    let bare = claim(&admin, &id, "bare", "ZELLE", Value::Null).await;
    assert_eq!(
        admin
            .refused("paymentVerify", verdict(&bare, "v", json!({})))
            .await,
        "EVIDENCE_REQUIRED"
    );
    claim(&admin, &id, "first", "ZELLE", json!("Z-17 4")).await;
    let second = json!({
        "idempotencyKey": "second", "bookingId": id, "kind": "DEPOSIT", "method": "ZELLE", "amountMinor": 1,
        "reference": "z174",
    });
    assert_eq!(
        admin.refused("paymentRecord", second.clone()).await,
        "REFERENCE_USED"
    );
    let by_venmo = with(second, json!({"method": "VENMO"}));
    admin.done("paymentRecord", PAYMENT, by_venmo).await;
    assert_eq!(
        admin
            .refused("paymentVerify", verdict(&bare, "w", json!({"reference": "Z174"})))
            .await,
        "REFERENCE_USED"
    );
    let found = admin
        .done(
            "paymentVerify",
            PAYMENT,
            verdict(&bare, "x", json!({"reference": "Z-18"})),
        )
        .await;
    assert_eq!(found["payment"]["status"], "VERIFIED");
    let cash = claim(&admin, &id, "cash", "CASH", Value::Null).await;
    admin
        .done("paymentVerify", PAYMENT, verdict(&cash, "cash found", json!({})))
        .await;
    booking_becomes(&server, &admin, &id, "CONFIRMED").await;
}

#[tokio::test]
async fn a_second_person_voids_and_the_reference_is_free_again() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "void").await;
    let paid = claim(&admin, &id, "claim", "ZELLE", json!("Z1")).await;
    admin
        .done("paymentVerify", PAYMENT, verdict(&paid, "v", json!({})))
        .await;
    let void =
        |key: &str| json!({"idempotencyKey": key, "paymentId": paid, "reason": "the bank took it back"});
    assert_eq!(
        admin.refused("paymentVoid", void("self")).await,
        "SECOND_PERSON_REQUIRED"
    );
    let other = server
        .sign_in_at(&server.company, Role::SuperAdmin, StationScope::All)
        .await;
    let voided = other.done("paymentVoid", PAYMENT, void("other")).await["payment"].take();
    assert_eq!(
        (&voided["status"], &voided["refundable"]["minor"]),
        (&json!("VOIDED"), &json!(0))
    );
    let row = booking(&server, &admin, &id).await;
    assert_eq!(
        (&row["paid"]["minor"], &row["balanceDue"]),
        (&json!(0), &row["total"])
    );
    claim(&admin, &id, "again", "ZELLE", json!("Z1")).await;
    let ledger = "query($id: ID!) { booking(id: $id) { ledger(first: 10) { nodes { kind moved { minor } balance { minor } } } } }";
    let ledger = admin.data(ledger, json!({"id": id})).await;
    let voided = &ledger["booking"]["ledger"]["nodes"][3];
    assert_eq!(
        (&voided["kind"], &voided["moved"]["minor"]),
        (&json!("PAYMENT_VOIDED"), &json!(10_000))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_came_by_hand_is_given_back_by_hand() {
    let (server, _, admin) = open().await;
    let id = book(&admin, "hand").await;
    let paid = claim(&admin, &id, "claim", "VENMO", json!("V1")).await;
    admin
        .done("paymentVerify", PAYMENT, verdict(&paid, "v", json!({})))
        .await;
    let ask = |key: &str, cents: i64, more: Value| {
        with(
            json!({"idempotencyKey": key, "paymentId": paid, "amountMinor": cents, "reason": "one guest fewer"}),
            more,
        )
    };
    let done = admin
        .done("paymentRefund", PAYMENT, ask("now", 4_000, json!({})))
        .await["payment"]
        .take();
    assert_eq!(
        (&done["status"], &done["refunded"]["minor"]),
        (&json!("PARTIALLY_REFUNDED"), &json!(4_000))
    );
    let later = ask("later", 6_000, json!({"handedOver": false, "kind": "GOODWILL"}));
    let waits = admin.done("paymentRefund", PAYMENT, later).await["payment"].take();
    assert_eq!(
        (&waits["refunded"]["minor"], &waits["refundable"]["minor"]),
        (&json!(4_000), &json!(0))
    );
    let settle = |key: &str, succeeded: bool| {
        json!({
            "idempotencyKey": key, "paymentId": paid, "refundId": waits["refunds"][1]["id"], "succeeded": succeeded,
            "reason": "the account is closed",
        })
    };
    let failed = admin
        .done("paymentRefundSettle", PAYMENT, settle("no", false))
        .await["payment"]
        .take();
    assert_eq!(
        (&failed["refunds"][1]["status"], &failed["refundable"]["minor"]),
        (&json!("FAILED"), &json!(6_000))
    );
    assert_eq!(
        admin.refused("paymentRefundSettle", settle("yes", true)).await,
        "WRONG_STATE"
    );
    let tip = ask("tip", 1, json!({"kind": "TIP_ONLY"}));
    assert_eq!(admin.refused("paymentRefund", tip).await, "EXCEEDS_REFUNDABLE");
    let parts = ask(
        "parts",
        10,
        json!({"kind": "FEE_ONLY", "tipMinor": 1, "feeMinor": 0}),
    );
    assert_eq!(
        admin.refused("paymentRefund", parts).await,
        "INVALID_REFUND_PARTS"
    );
    let short = with(ask("short", 1, json!({})), json!({"reason": "no"}));
    assert_eq!(admin.refused("paymentRefund", short).await, "INVALID_REASON");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

fn mail(cents: &str, memo: &str) -> String {
    format!(
        "From: alerts@bank.example\r\nSubject: You received money with Zelle\r\n\
         Date: Tue, 10 Feb 2026 09:00:00 -0800\r\n\r\nGUEST MAIL-TWO sent you money. Amount: ${cents} \
         Confirmation number: CNF-90210. Memo: {memo}\r\n"
    )
}

#[tokio::test]
async fn a_banks_notification_proposes_claims_and_a_person_books_with_it_once() {
    let (server, _, admin) = open().await;
    let first = book(&admin, "mail-one").await;
    let second = book(&admin, "mail-two").await;
    claim(&admin, &first, "one", "ZELLE", Value::Null).await;
    let two = claim(&admin, &second, "two", "ZELLE", Value::Null).await;
    server.caught_up(&server.company).await;
    let item = "workItem { id kind status detail bankMail { amount { minor } reference proposals } }";
    let submit = |key: &str, text: String| json!({"idempotencyKey": key, "text": text});
    let filed = admin
        .done("bankMailSubmit", item, submit("mail", mail("100.00", "thanks")))
        .await;
    let filed = &filed["workItem"];
    assert_eq!(
        (&filed["kind"], &filed["bankMail"]["amount"]["minor"]),
        (&json!("BANK_MAIL"), &json!(10_000))
    );
    let proposals = filed["bankMail"]["proposals"].as_array().expect("a list");
    assert_eq!(
        (proposals.len(), &proposals[0]),
        (2, &two),
        "the sender's name fits the second"
    );
    assert_eq!(
        admin
            .refused("bankMailSubmit", submit("again", mail("100.00", "thanks")))
            .await,
        "ALREADY_EXISTS"
    );
    let row = booking(&server, &admin, &second).await;
    assert_eq!(row["paid"]["minor"], 0, "it books nothing by itself");
    let none = admin
        .done("bankMailSubmit", item, submit("none", mail("77.00", "who is it")))
        .await;
    assert_eq!(none["workItem"]["bankMail"]["proposals"], json!([]));
    let other = verdict(&two, "other", json!({"bankMail": none["workItem"]["id"]}));
    assert_eq!(admin.refused("paymentVerify", other).await, "BANK_MAIL_MISMATCH");
    let verify = verdict(&two, "verify", json!({"bankMail": filed["id"]}));
    admin.done("paymentVerify", PAYMENT, verify).await;
    booking_becomes(&server, &admin, &second, "CONFIRMED").await;
    let items = work(&server, &admin, "BANK_MAIL").await;
    let settled: Vec<&Value> = items.iter().filter(|item| item["status"] == "SETTLED").collect();
    assert_eq!((items.len(), settled.len()), (2, 1));
    let again = claim(&admin, &second, "again", "ZELLE", Value::Null).await;
    let once_more = verdict(&again, "once more", json!({"bankMail": filed["id"]}));
    assert_eq!(admin.refused("paymentVerify", once_more).await, "WRONG_STATE");
    for (text, code) in [
        ("no mail of a bank", "BANK_MAIL_UNREADABLE"),
        ("You sent $5.00 with Zelle", "BANK_MAIL_NOT_INCOMING"),
    ] {
        assert_eq!(
            admin
                .refused("bankMailSubmit", submit(code, text.to_owned()))
                .await,
            code
        );
    }
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
    assert!(
        events.iter().all(|event| !event.payload.contains("MAIL-TWO")),
        "no name is in the log"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
