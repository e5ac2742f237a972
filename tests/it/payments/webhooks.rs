//! Webhooks: whose they are, once each, and what nobody here knows.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use tests::stripe::{SECRET, deliver, signature};

use super::*;

async fn types(server: &Server) -> Vec<String> {
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
    events.into_iter().map(|event| event.event_type).collect()
}

fn count(types: &[String], wanted: &str) -> usize {
    types.iter().filter(|found| *found == wanted).count()
}

/// Known answers, checked against the provider's own software. Those that it takes and should not are turned away.
#[tokio::test]
async fn signatures_with_known_answers_are_answered_so() {
    let server = Server::start_as(|app| api::app::App {
        webhook_secrets: commands::gateways::stripe::WebhookSecrets::parse("whsec_test_hibachi_0001"),
        ..app
    })
    .await;
    let vectors: Value = serde_json::from_str(include_str!("../../golden/webhook_vectors.json"))
        .expect("the vectors are JSON");
    let vectors = vectors["stripe"].as_array().expect("a list");
    assert_eq!(vectors.len(), 7);
    let client = server.nobody();
    for vector in vectors {
        let now = DateTime::from_timestamp(vector["now"].as_i64().expect("seconds"), 0).expect("an instant");
        server.set_clock(&now.to_rfc3339_opts(SecondsFormat::Secs, true));
        let header = vector["header"].as_str().expect("a header");
        let body = vector["payload"].as_str().expect("a body").to_owned();
        let (status, said) = deliver(&client, "/webhooks/stripe", header, body).await;
        let expected = if vector["expect"] == "accept" { 200 } else { 400 };
        assert_eq!(status, expected, "{}: {said}", vector["name"]);
    }
    let types = types(&server).await;
    assert_eq!(count(&types, "work_item.opened"), 2, "two events of nobody here");
    assert!(count(&types, "organisation.webhook_refused") >= 2);
}

#[tokio::test]
async fn what_is_forged_or_stale_is_turned_away_and_noted_once_an_hour() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "forged").await;
    intent(&admin, &id, "intent", 10_000, 0).await;
    let paid = double.pay(&double.newest());
    let (now, event) = (
        server.now(),
        double.event("payment_intent.succeeded", &paid, server.now()),
    );
    let body = event.to_string();
    let good = signature(SECRET, now.timestamp(), body.as_bytes());
    let stale = signature(SECRET, now.timestamp() - 301, body.as_bytes());
    let other = signature("whsec_somebody_elses", now.timestamp(), body.as_bytes());
    for header in ["", &stale, &other, "t=1,v1=00"] {
        for _ in 0..3 {
            assert_eq!(
                deliver(&admin, "/webhooks/stripe", header, body.clone()).await.0,
                400
            );
        }
    }
    let changed = body.replace("10300", "99999");
    assert_eq!(deliver(&admin, "/webhooks/stripe", &good, changed).await.0, 400);
    let found = types(&server).await;
    assert_eq!(
        count(&found, "organisation.webhook_refused"),
        3,
        "unsigned, stale and forged"
    );
    assert_eq!(count(&found, "payment.succeeded"), 0);
    let head = server.quiet(&server.company).await;
    assert_eq!(
        deliver(&admin, "/webhooks/stripe/no-such-company", &good, body.clone())
            .await
            .0,
        404
    );
    for slug in ["no-such-company", &server.company.slug] {
        assert_eq!(
            deliver(&admin, &format!("/webhooks/stripe/{slug}"), &other, body.clone())
                .await
                .0,
            400,
            "who cannot sign is not told who is here"
        );
    }
    assert_eq!(
        deliver(&admin, "/webhooks/stripe", &good, "x".repeat(300_000))
            .await
            .0,
        413
    );
    let nothing = signature(SECRET, now.timestamp(), b"[]");
    assert_eq!(deliver(&admin, "/webhooks/stripe", &nothing, "[]").await.0, 400);
    assert_eq!(server.head(&server.company).await, head);
    let of_company = format!("/webhooks/stripe/{}", server.company.slug);
    assert_eq!(deliver(&admin, &of_company, &good, body.clone()).await.0, 200);
    assert_eq!(
        deliver(&admin, "/webhooks/stripe", &good, body).await.0,
        200,
        "the same once more"
    );
    assert_eq!(count(&types(&server).await, "payment.succeeded"), 1);
}

#[tokio::test]
async fn the_same_event_at_once_from_many_sides_counts_once() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "at-once").await;
    let made = intent(&admin, &id, "intent", 10_000, 0).await["payment"]["id"].take();
    let paid = double.pay(&double.newest());
    let event = double.event("payment_intent.succeeded", &paid, server.now());
    let other = double.event("payment_intent.succeeded", &paid, server.now());
    let sent = (0..8).map(|number| {
        let event = if number % 2 == 0 { &event } else { &other };
        double.send(&admin, event, server.now())
    });
    let answers = futures::future::join_all(sent).await;
    for (status, said) in answers {
        assert!(status == 200 || status == 503, "{said}");
    }
    double.send(&admin, &event, server.now()).await;
    assert_eq!(count(&types(&server).await, "payment.succeeded"), 1);
    assert_eq!(payment(&server, &admin, &made).await["status"], "SUCCEEDED");
    assert_eq!(booking(&server, &admin, &id).await["paid"]["minor"], 10_000);
}

#[tokio::test]
async fn what_nobody_here_knows_is_parked_once_and_seen() {
    let (server, double, admin) = open().await;
    let unknown = json!({"id": "pi_of_nobody", "amount": 700, "amount_received": 700, "currency": "usd"});
    let event = double.event("payment_intent.succeeded", &unknown, server.now());
    for _ in 0..3 {
        assert_eq!(double.send(&admin, &event, server.now()).await.0, 200);
    }
    double
        .tell(&admin, "invoice.finalized", &json!({"id": "in_1"}), server.now())
        .await;
    double
        .tell(
            &admin,
            "charge.updated",
            &json!({"id": "ch_1", "payment_intent": "pi_x"}),
            server.now(),
        )
        .await;
    let items = work(&server, &admin, "UNKNOWN_WEBHOOK").await;
    assert_eq!(items.len(), 2);
    assert!(items.iter().any(|item| {
        item["amount"]["minor"] == 700
            && item["detail"]
                .as_str()
                .is_some_and(|said| said.contains("pi_of_nobody"))
    }));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn an_event_is_kept_in_the_log_of_the_company_that_it_is_about() {
    let (server, double, admin) = open().await;
    let neighbour = server.neighbour().await;
    let id = book(&admin, "ours").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let theirs = server.written(&neighbour).await;
    // A dispute names neither company nor payment: the intent that it is of does.
    let dispute = json!({
        "id": "dp_1", "amount": 10_300, "currency": "usd", "status": "needs_response",
        "payment_intent": double.newest(),
    });
    double
        .tell(&admin, "charge.dispute.created", &dispute, server.now())
        .await;
    assert_eq!(payment(&server, &admin, &charged).await["status"], "DISPUTED");
    let paid = double.intent(&double.newest());
    let event = double
        .event("payment_intent.succeeded", &paid, server.now())
        .to_string();
    let header = signature(SECRET, server.now().timestamp(), event.as_bytes());
    let (status, said) = deliver(
        &admin,
        &format!("/webhooks/stripe/{}", neighbour.slug),
        &header,
        event,
    )
    .await;
    assert_eq!(status, 200, "{said}");
    let nobody = json!({"id": "dp_2", "amount": 5, "currency": "usd", "payment_intent": "pi_of_nobody"});
    let event = double.event("charge.dispute.created", &nobody, server.now());
    assert_eq!(
        double.send(&admin, &event, server.now()).await.0,
        404,
        "it is about no company here, whenever it is told"
    );
    assert_eq!(server.written(&neighbour).await, theirs);
}

#[tokio::test]
async fn a_refund_made_at_the_provider_counts_and_a_person_is_asked_why() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "elsewhere").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    let charge =
        json!({"id": "ch_1", "payment_intent": double.newest(), "amount_refunded": 2_500, "currency": "usd"});
    double
        .tell(&admin, "charge.refunded", &charge, server.now())
        .await;
    assert_eq!(
        work(&server, &admin, "UNKNOWN_WEBHOOK").await.len(),
        1,
        "a sum that nothing explains"
    );
    let refund = json!({
        "id": "re_1", "amount": 2_500, "currency": "usd", "status": "succeeded", "payment_intent": double.newest(),
    });
    double.tell(&admin, "refund.created", &refund, server.now()).await;
    double.tell(&admin, "refund.updated", &refund, server.now()).await;
    let row = payment(&server, &admin, &charged).await;
    assert_eq!(
        (&row["refunded"]["minor"], &row["refunds"][0]["kind"]),
        (&json!(2_500), &json!("GOODWILL"))
    );
    assert_eq!(work(&server, &admin, "REFUND_AT_PROVIDER").await.len(), 1);
}

#[tokio::test]
async fn a_bank_that_decides_otherwise_afterwards_is_not_passed_over() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "anew").await;
    charged(&server, &double, &admin, &id, "intent").await;
    let closed = |status: &str| {
        json!({
            "id": "dp_1", "amount": 10_300, "currency": "usd", "status": status, "payment_intent": double.newest(),
        })
    };
    double
        .tell(&admin, "charge.dispute.closed", &closed("lost"), server.now())
        .await;
    double
        .tell(&admin, "charge.dispute.closed", &closed("lost"), server.now())
        .await;
    assert_eq!(
        work(&server, &admin, "UNKNOWN_WEBHOOK").await,
        Vec::<Value>::new()
    );
    double
        .tell(&admin, "charge.dispute.closed", &closed("won"), server.now())
        .await;
    let item = work_becomes(&server, &admin, "UNKNOWN_WEBHOOK", "OPEN").await;
    assert!(
        item["detail"]
            .as_str()
            .is_some_and(|said| said.contains("decided otherwise"))
    );
}

#[tokio::test]
async fn another_amount_than_was_asked_for_counts_as_it_came_and_is_shown() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "other-amount").await;
    let made = intent(&admin, &id, "intent", 10_000, 0).await["payment"]["id"].take();
    let mut paid = double.pay(&double.newest());
    paid["amount_received"] = json!(6_000);
    double
        .tell(&admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    let item = work_becomes(&server, &admin, "CHARGE_DIFFERS", "OPEN").await;
    assert_eq!(
        (&item["amount"]["minor"], &item["paymentId"]),
        (&json!(6_000), &made)
    );
    let row = payment(&server, &admin, &made).await;
    assert_eq!(row["refundable"]["minor"], 6_000);
    let row = booking(&server, &admin, &id).await;
    assert_eq!(
        (&row["paid"]["minor"], &row["status"]),
        (&json!(6_000), &json!("REQUESTED"))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// A sum does not say which refunds it is of: one that was made elsewhere is not taken for ours.
#[tokio::test]
async fn a_sum_of_refunds_is_not_taken_for_one_that_the_provider_never_heard_of() {
    let (server, double, admin) = open().await;
    let id = book(&admin, "sums").await;
    let charged = charged(&server, &double, &admin, &id, "intent").await;
    double.fail(&[tests::stripe::Fault::Status(500); 3]);
    let ask =
        json!({"idempotencyKey": "r", "paymentId": charged, "amountMinor": 2_000, "reason": "a kindness"});
    admin.done("paymentRefund", PAYMENT, ask).await;
    assert!(double.refunds().is_empty(), "ours was never heard of");
    double.refund_by_hand(&double.newest(), 2_000);
    let charge =
        json!({"id": "ch_1", "payment_intent": double.newest(), "amount_refunded": 2_000, "currency": "usd"});
    double
        .tell(&admin, "charge.refunded", &charge, server.now())
        .await;
    let row = payment(&server, &admin, &charged).await;
    assert_eq!(row["refunds"][0]["status"], "PENDING", "{row}");
    assert_eq!(
        (&row["refunds"][1]["status"], &row["refunded"]["minor"]),
        (&json!("SUCCEEDED"), &json!(2_000))
    );
    assert_eq!(work(&server, &admin, "REFUND_AT_PROVIDER").await.len(), 1);
}
