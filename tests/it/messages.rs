//! Messages: what customers are told, in the company's words, and when.

mod language;
mod nodes;
mod policies;
mod quiet;

use std::sync::Arc;
use std::time::Duration;

use api::app::App;
use commands::ports::Letter;
use domain::access::Role;
use domain::message::{MessageChannel, MessageKind};
use serde_json::{Value, json};
use tests::carrier::Double;
use tests::http::{Client, Server, global_id, party, with};
use uuid::Uuid;

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A company whose messages a double takes.
async fn open(double: &Arc<Double>) -> (Server, Client) {
    let carrier = double.clone();
    let server = Server::start_as(move |app| App {
        commands: app.commands.sending_through(carrier),
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    (server, admin)
}

fn by_mail() -> Arc<Double> {
    Arc::new(Double::of(&[MessageChannel::Email]))
}

/// A booking of somebody new.
async fn book(admin: &Client, key: &str, more: Value) -> Value {
    let booked = admin
        .done(
            "bookingRequest",
            "booking { id number customer { id } }",
            with(party(key), more),
        )
        .await;
    booked["booking"].clone()
}

/// A booking that is confirmed by a deposit in cash.
async fn confirmed(admin: &Client, key: &str, more: Value) -> Value {
    let booking = book(admin, key, more).await;
    pay(admin, key, &booking, 10_000, "DEPOSIT").await;
    booking
}

/// Cash that was handed over and found.
async fn pay(admin: &Client, key: &str, booking: &Value, cents: i64, kind: &str) -> Value {
    let input = json!({
        "idempotencyKey": format!("pay {key}"), "bookingId": booking["id"], "kind": kind, "method": "CASH",
        "amountMinor": cents,
    });
    let paid = admin.done("paymentRecord", "payment { id }", input).await["payment"]["id"].clone();
    let verify = json!({"idempotencyKey": format!("found {key}"), "paymentId": paid, "accept": true});
    admin.done("paymentVerify", "payment { id }", verify).await;
    paid
}

/// Waits until so many messages of a kind were taken.
async fn taken(double: &Double, kind: MessageKind, count: usize) -> Vec<Letter> {
    let of_kind = || {
        let all = double.taken();
        all.into_iter()
            .filter(|letter| letter.kind == Some(kind))
            .collect::<Vec<_>>()
    };
    let waited = async {
        while of_kind().len() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waited).await;
    assert!(in_time.is_ok(), "{kind:?}: {:?}", of_kind());
    of_kind()
}

const TEMPLATE: &str =
    "messageTemplate { id version number subject text locale retiredAt versions { number text by } }";

fn saving(key: &str, more: Value) -> Value {
    let input = json!({
        "idempotencyKey": key, "kind": "BOOKING_CONFIRMED", "channel": "EMAIL", "subject": "See you {{event_date}}",
        "text": "Dear {{customer_name}},\n{{booking_id}}: {{total_amount}}, {{balance_due}} due, {{chef_name}} cooks.",
    });
    with(input, more)
}

#[tokio::test]
async fn a_template_that_cannot_be_written_by_is_refused_with_the_place() {
    let (_server, admin) = open(&by_mail()).await;
    let refusal = async |more: Value| {
        let done = admin
            .command("messageTemplateSave", TEMPLATE, saving("k", more))
            .await;
        let error = done["userErrors"][0].clone();
        [&error["code"], &error["field"][0], &error["message"]]
            .map(|part| part.as_str().unwrap_or("").to_owned())
    };
    assert_eq!(
        refusal(json!({"text": "Hello\n{{guest}}"})).await,
        [
            "UNKNOWN_VARIABLE",
            "text",
            "there is no variable {{guest}} (line 2, column 1)"
        ]
    );
    assert_eq!(
        refusal(json!({"subject": "{{event_date"})).await,
        [
            "INVALID_TEMPLATE",
            "subject",
            "a variable begins with {{ and ends with }}: this one does not end (line 1, column 1)"
        ]
    );
    assert_eq!(
        refusal(json!({"text": "{{review_link}}"})).await[0],
        "VARIABLE_NOT_AVAILABLE"
    );
    assert_eq!(
        refusal(json!({"text": "{{payment_link}}"})).await[0],
        "NO_PAYMENT_PAGE"
    );
    assert_eq!(refusal(json!({"channel": "SMS"})).await[1], "subject");
    assert_eq!(
        refusal(json!({"channel": "SMS", "subject": null, "text": "x".repeat(1_600)})).await[0],
        "TEMPLATE_TOO_LONG"
    );
    assert_eq!(
        refusal(json!({"locale": "english"})).await[..2],
        ["INVALID_LOCALE", "locale"]
    );
}

#[tokio::test]
async fn customers_are_told_in_the_companys_words_of_the_booking_as_it_stands() {
    let double = by_mail();
    let (server, admin) = open(&double).await;
    let booking = book(&admin, "sam", json!({})).await;
    let saved = admin
        .done(
            "messageTemplateSave",
            TEMPLATE,
            saving("first", json!({"text": "first"})),
        )
        .await["messageTemplate"]
        .clone();
    assert_eq!((&saved["number"], &saved["locale"]), (&json!(1), &json!("en")));
    let stale = saving("stale", json!({"expectedVersion": 7}));
    assert_eq!(
        admin.refused("messageTemplateSave", stale).await,
        "VERSION_CONFLICT"
    );
    let second = saving("second", json!({"expectedVersion": saved["version"]}));
    let second = admin.done("messageTemplateSave", TEMPLATE, second).await["messageTemplate"].clone();
    let texts: Vec<&Value> = second["versions"]
        .as_array()
        .expect("there are")
        .iter()
        .map(|one| &one["text"])
        .collect();
    assert_eq!((texts.len(), texts[0]), (2, &json!("first")));
    assert!(second["versions"][0]["by"].is_string());

    // The party grows before its deposit comes: what is told is what it costs then.
    let grown = json!({
        "idempotencyKey": "grown", "bookingId": booking["id"], "guests": {"adults": 14, "children": 4},
    });
    let grown = admin
        .done("bookingGuestCountChange", "booking { total { minor } }", grown)
        .await;
    let total = grown["booking"]["total"]["minor"].as_i64().expect("an amount");
    pay(&admin, "sam", &booking, 10_000, "DEPOSIT").await;
    let told = taken(&double, MessageKind::BookingConfirmed, 1).await;
    let dollars = |cents: i64| {
        let (whole, part) = (cents / 100, cents % 100);
        if whole >= 1_000 {
            format!("${},{:03}.{part:02}", whole / 1_000, whole % 1_000)
        } else {
            format!("${whole}.{part:02}")
        }
    };
    assert_eq!(
        told[0].subject_line.as_deref(),
        Some("See you Saturday, March 14, 2026")
    );
    let number = booking["number"].as_str().expect("a number");
    assert_eq!(
        told[0].text,
        format!(
            "Dear Guest sam,\n{number}: {}, {} due, your chef cooks.",
            dollars(total),
            dollars(total - 10_000)
        )
    );
    server.caught_up(&server.company).await;
    let listed = listed(&admin, json!({"bookingId": booking["id"]})).await;
    let sent = &listed[0];
    assert_eq!(
        (
            &sent["kind"],
            &sent["status"],
            &sent["templateNumber"],
            &sent["templateLocale"]
        ),
        (
            &json!("BOOKING_CONFIRMED"),
            &json!("SENT"),
            &json!(2),
            &json!("en")
        )
    );
    assert_eq!(sent["text"], told[0].text);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn listed(client: &Client, filter: Value) -> Vec<Value> {
    let query = "query($filter: MessageFilter) { messages(first: 50, filter: $filter) {
        nodes { id kind status customerId bookingId dueAt channel carrier templateNumber templateLocale subject text
            suppressedBecause code settledAt }
        totalCount { value } } }";
    let found = client.data(query, json!({"filter": filter})).await;
    let nodes = found["messages"]["nodes"].as_array().expect("a list").clone();
    assert_eq!(found["messages"]["totalCount"]["value"], nodes.len());
    nodes
}

#[tokio::test]
async fn a_template_is_used_in_its_language_until_it_is_given_up() {
    let double = by_mail();
    let (server, admin) = open(&double).await;
    let settings = json!({
        "idempotencyKey": "settings", "locale": "es-MX", "quietFrom": "21:00", "quietUntil": "08:00",
        "paymentPage": "https://pay.test/?b=",
    });
    let object = "messageSettings { locale quietFrom quietUntil paymentPage }";
    let done = admin
        .done("messageSettingsChange", object, settings.clone())
        .await;
    assert_eq!(done["messageSettings"]["locale"], "es-MX");
    let again = with(settings, json!({"idempotencyKey": "again"}));
    assert_eq!(admin.refused("messageSettingsChange", again).await, "UNCHANGED");
    let shown = admin
        .data("{ messageSettings { locale quietUntil } }", json!({}))
        .await;
    assert_eq!(
        shown["messageSettings"],
        json!({"locale": "es-MX", "quietUntil": "08:00:00"})
    );

    let spanish = json!({
        "locale": "es", "subject": "Hasta {{event_date}}", "text": "A las {{event_time}}. {{payment_link}}",
    });
    let saved = admin
        .done("messageTemplateSave", TEMPLATE, saving("es", spanish))
        .await["messageTemplate"]
        .clone();
    let first = confirmed(&admin, "sam", json!({})).await;
    let told = taken(&double, MessageKind::BookingConfirmed, 1).await;
    assert_eq!(told[0].subject_line.as_deref(), Some("Hasta 2026-03-14"));
    let number = first["number"].as_str().expect("a number");
    assert_eq!(told[0].text, format!("A las 18:00. https://pay.test/?b={number}"));

    let retire =
        |key: &str| json!({"idempotencyKey": key, "messageTemplateId": saved["id"], "reason": "not ours"});
    let retired = admin.done("messageTemplateRetire", TEMPLATE, retire("r")).await["messageTemplate"].clone();
    assert!(retired["retiredAt"].is_string());
    assert_eq!(
        admin.refused("messageTemplateRetire", retire("s")).await,
        "WRONG_STATE"
    );
    confirmed(&admin, "kim", json!({"start": "2026-03-15T18:00:00"})).await;
    let told = taken(&double, MessageKind::BookingConfirmed, 2).await;
    assert_eq!(
        told[1].subject_line.as_deref(),
        Some("Your hibachi party is confirmed")
    );
    let templates =
        "{ messageTemplates(first: 5) { nodes { kind channel locale number reason } totalCount { value } } }";
    let found = admin.data(templates, json!({})).await;
    assert_eq!(found["messageTemplates"]["totalCount"]["value"], 1);
    assert_eq!(found["messageTemplates"]["nodes"][0]["reason"], "not ours");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_preview_shows_what_would_be_said_and_writes_nothing() {
    let double = by_mail();
    let (server, admin) = open(&double).await;
    let booking = book(&admin, "sam", json!({})).await;
    let before = server.quiet(&server.company).await;
    let preview = async |client: &Client, input: Value| {
        let query = "query($input: MessageTemplatePreviewInput!) { messageTemplatePreview(input: $input) {
            subject text missing sms { alphabet length parts } templateText number userErrors { code field } } }";
        client.data(query, json!({"input": input})).await["messageTemplatePreview"].clone()
    };
    let example = preview(&admin, json!({"kind": "REVIEW_REQUEST", "channel": "SMS"})).await;
    assert_eq!(example["number"], 0);
    assert_eq!(
        (&example["sms"]["alphabet"], &example["sms"]["parts"]),
        (&json!("GSM_7"), &json!(2))
    );
    assert!(
        example["text"]
            .as_str()
            .expect("a text")
            .starts_with("Hello Sam Rivera, ")
    );
    let typed = json!({
        "kind": "EVENT_REMINDER", "channel": "SMS", "text": "{{customer_name}}’s day {{event_date}} {{payment_link}}",
        "bookingId": booking["id"],
    });
    let no_page = preview(&admin, typed.clone()).await;
    assert_eq!(no_page["userErrors"][0]["code"], "NO_PAYMENT_PAGE");
    let typed = with(
        typed,
        json!({"kind": "REVIEW_REQUEST", "text": "{{customer_name}}’s day {{event_date}} {{review_link}}"}),
    );
    let seen = preview(&admin, typed.clone()).await;
    assert_eq!(
        seen["text"],
        "Guest sam’s day Saturday, March 14, 2026 {{review_link}}"
    );
    assert_eq!(
        (&seen["missing"], &seen["sms"]["alphabet"], &seen["number"]),
        (&json!(["review_link"]), &json!("UCS_2"), &Value::Null)
    );
    let nobodys = with(
        typed.clone(),
        json!({"bookingId": global_id("Booking", Uuid::nil())}),
    );
    assert_eq!(
        preview(&admin, nobodys).await["userErrors"][0]["code"],
        "NOT_FOUND"
    );
    let unknown = with(typed, json!({"text": "{{nobody}}"}));
    assert_eq!(
        preview(&admin, unknown).await["userErrors"][0]["code"],
        "UNKNOWN_VARIABLE"
    );
    assert_eq!(server.quiet(&server.company).await, before);
    assert_eq!(double.taken().len(), 0);
}

#[tokio::test]
async fn what_a_customer_was_told_is_gone_with_them() {
    let double = by_mail();
    let (server, mut admin) = open(&double).await;
    let booking = confirmed(&admin, "sam", json!({})).await;
    taken(&double, MessageKind::BookingConfirmed, 1).await;
    let cancel = json!({"idempotencyKey": "c", "bookingId": booking["id"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    taken(&double, MessageKind::BookingCancelled, 1).await;
    server.quiet(&server.company).await;
    admin.sign_in_again().await;
    let to_sam = json!({"customerId": booking["customer"]["id"]});
    let told = listed(&admin, to_sam.clone()).await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|one| {
        one["text"]
            .as_str()
            .is_some_and(|text| text.contains("Guest sam"))
    }));
    let erase = json!({
        "idempotencyKey": "e", "customerId": booking["customer"]["id"], "reason": "asked for it",
    });
    admin.done("customerErase", "", erase).await;
    server.caught_up(&server.company).await;
    let gone = listed(&admin, to_sam).await;
    let texts: Vec<&Value> = gone
        .iter()
        .flat_map(|one| [&one["subject"], &one["text"]])
        .collect();
    assert_eq!(texts, [&json!("[erased]"); 4]);
    assert_eq!(listed(&admin, json!({"status": "FAILED"})).await.len(), 0);
    let nobodys = json!({"bookingId": global_id("Booking", Uuid::nil())});
    assert_eq!(listed(&admin, nobodys).await.len(), 0);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
