//! Reviews: from a party that was held, with no hand on it, to the link, the answer and whoever puts it right.

mod answers;
mod flow;
mod media;
mod routing;
mod staff;
mod stores;

use std::time::Duration;

use api::app::App;
use domain::access::Role;
use domain::envelope::Position;
use domain::message::{MessageEvent, MessageKind};
use domain::recorded::{DomainEvent, Recorded};
use event_log::Opened;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::http::{Client, PARTY_UTC, Server, party, with};

/// A day after the party is over: its chefs are taken until half past eight.
const ASKED: &str = "2026-03-16T03:31:00Z";
/// How long to wait for what a policy must do.
const PATIENCE: Duration = Duration::from_secs(20);

/// A party in Sacramento whose deposit has come, by its booking's id.
async fn booked(server: &Server, admin: &Client, key: &str) -> Value {
    let asked = with(
        party(key),
        json!({"venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"}}),
    );
    let id = admin.done("bookingRequest", "booking { id }", asked).await["booking"]["id"].take();
    let cash = json!({
        "idempotencyKey": format!("{key} cash"), "bookingId": id, "kind": "DEPOSIT", "method": "CASH",
        "amountMinor": 10_000,
    });
    let paid = admin.done("paymentRecord", "payment { id }", cash).await["payment"]["id"].take();
    let verify = json!({"idempotencyKey": format!("{key} found"), "paymentId": paid, "accept": true});
    admin.done("paymentVerify", "", verify).await;
    react(server).await;
    id
}

/// Lets the policies do what is due by the clock. Another worker may be at it: it is waited for.
async fn react(server: &Server) {
    for _ in 0..3 {
        let reacted = server.app.commands.react(server.company.tenant).await;
        reacted.expect("the policies go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.caught_up(&server.company).await;
}

/// Lets time pass, and the policies do what is due then.
async fn later(server: &Server, admin: &mut Client, to: &str) {
    server.set_clock(to);
    react(server).await;
    admin.sign_in_again().await;
}

/// Asks until the answer is as it must become.
async fn until<F>(what: &str, mut ask: F)
where
    F: AsyncFnMut() -> bool,
{
    let waited = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}");
}

/// All that has happened in the company.
async fn events(server: &Server) -> Vec<Recorded> {
    let mut events = Vec::new();
    let mut after = Position::START;
    loop {
        let page = server.app.log.read(server.company.tenant, after, 500, None).await;
        let page = page.expect("the log answers");
        let Some(last) = page.last() else { return events };
        after = last.position;
        events.extend(
            page.into_iter()
                .map(|event| Recorded::try_from(event).expect("it can be read")),
        );
    }
}

/// Tokens of the links that customers were sent, the first first.
async fn sent(server: &Server) -> Vec<(MessageKind, String)> {
    let mut sent = Vec::new();
    for event in events(server).await {
        let DomainEvent::Message(MessageEvent::Requested(message)) = &event.event else {
            continue;
        };
        let Some(variables) = &message.variables else {
            continue;
        };
        let opened = server
            .app
            .vault
            .open(server.company.tenant, &event.stream, "variables", variables)
            .await;
        if let Ok(Opened::Text(text)) = opened {
            let variables: Value = serde_json::from_str(&text).expect("variables are JSON");
            let link = variables["review_link"].as_str().expect("a link is a text");
            assert!(link.starts_with("http://127.0.0.1:8080/review/"), "{link}");
            sent.push((message.kind, token_of(link)));
        }
    }
    sent
}

fn token_of(link: &str) -> String {
    link.rsplit('/').next().expect("a link has parts").to_owned()
}

/// A link that staff hand over, by its token.
async fn issued(admin: &Client, key: &str, booking: &Value) -> String {
    let input = json!({"idempotencyKey": key, "bookingId": booking, "notify": false});
    let mutation = "mutation($input: ReviewLinkIssueInput!) { reviewLinkIssue(input: $input) {
        link userErrors { code } } }";
    let done = admin.data(mutation, json!({"input": input})).await;
    token_of(
        done["reviewLinkIssue"]["link"]
            .as_str()
            .unwrap_or_else(|| panic!("{done}")),
    )
}

/// Status and body of an answer.
async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("the program answers");
    let status = answer.status();
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let text = answer.text().await.expect("the answer is text");
    (
        status.as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

async fn validate(client: &Client, token: &str) -> (u16, Value) {
    answer(client.get(&format!("/api/v1/reviews/validate/{token}"))).await
}

async fn submit(client: &Client, token: &str, body: Value) -> (u16, Value) {
    let request = client.post(&format!("/api/v1/reviews/submit/{token}"));
    answer(request.json(&body)).await
}

/// The code of a refusal, with its status.
fn code((status, body): (u16, Value)) -> (u16, String) {
    let code = body["error"]["code"].as_str().unwrap_or_else(|| panic!("{body}"));
    (status, code.to_owned())
}

const REVIEW: &str = "id version status rating text publicName moderation moderationReason shownExternalLinks
    clickedExternalSites routingMode riskVersion reminders answeredThrough escalated reply coupon bookingNumber
    media { path mediaType } booking { id } chefs { name }";

/// The review of a booking.
async fn review(server: &Server, admin: &Client, booking: &Value) -> Value {
    server.caught_up(&server.company).await;
    let query = format!(
        "query($id: ID!) {{ reviews(first: 1, filter: {{bookingId: $id}}) {{ nodes {{ {REVIEW} }} }} }}"
    );
    let found = admin.data(&query, json!({"id": booking})).await;
    let found = found["reviews"]["nodes"].as_array();
    found.and_then(|nodes| nodes.first().cloned()).unwrap_or_default()
}

/// A company with one party that was held, and its booking.
async fn open() -> (Server, Client, Value) {
    let (server, admin, [booking]) = open_with(["first"]).await;
    (server, admin, booking)
}

/// A company with parties that were held, and their bookings.
async fn open_with<const N: usize>(keys: [&str; N]) -> (Server, Client, [Value; N]) {
    open_as(|app| app, keys).await
}

/// The same, by a program that was changed before it serves.
async fn open_as<const N: usize>(
    change: impl FnOnce(App) -> App + Send + 'static,
    keys: [&str; N],
) -> (Server, Client, [Value; N]) {
    let server = Server::start_as(change).await;
    let mut admin = server.sign_in(Role::Admin).await;
    let mut bookings = Vec::new();
    for key in keys {
        bookings.push(booked(&server, &admin, key).await);
    }
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    for (key, booking) in keys.iter().zip(&bookings) {
        let complete = json!({"idempotencyKey": format!("{key} held"), "bookingId": booking});
        admin.done("bookingComplete", "", complete).await;
    }
    react(&server).await;
    (server, admin, bookings.try_into().expect("one for each key"))
}
