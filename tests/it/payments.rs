//! Payments in full: by card through a double of the provider over HTTP, by hand with evidence, given back, disputed.

mod by_hand;
mod cards;
mod escalations;
mod faults;
mod lost_words;
mod queue;
mod webhooks;

use std::time::Duration;

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};
use tests::stripe::StripeDouble;

const PAYMENT: &str =
    "payment { id version status amount { minor } fee { minor } tip { minor } refunded { minor }
    refundable { minor } refunds { id kind status amount { minor } } } clientSecret";
/// How long to wait for what a policy must do.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that charges cards through a double, and somebody who may do everything with money.
async fn open() -> (Server, StripeDouble, Client) {
    let double = StripeDouble::start().await;
    let stripe = double.clone();
    let server = Server::start_as(move |app| stripe.charge(app)).await;
    let admin = server.sign_in(Role::Admin).await;
    (server, double, admin)
}

async fn book(admin: &Client, key: &str) -> Value {
    let party = with(
        party(key),
        json!({"venue": {
        "street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"}}),
    );
    admin.done("bookingRequest", "booking { id number }", party).await["booking"]["id"].take()
}

async fn intent(admin: &Client, booking: &Value, key: &str, amount: i64, tip: i64) -> Value {
    let input = json!({
        "idempotencyKey": key, "bookingId": booking, "kind": "DEPOSIT", "amountMinor": amount, "tipMinor": tip,
    });
    admin.done("paymentIntentCreate", PAYMENT, input).await
}

/// A deposit that was charged to a card, and told of.
async fn charged(
    server: &Server,
    double: &StripeDouble,
    admin: &Client,
    booking: &Value,
    key: &str,
) -> Value {
    let made = intent(admin, booking, key, 10_000, 0).await;
    let paid = double.pay(&double.newest());
    double
        .tell(admin, "payment_intent.succeeded", &paid, server.now())
        .await;
    made["payment"]["id"].clone()
}

async fn payment(server: &Server, admin: &Client, id: &Value) -> Value {
    let head = server.head(&server.company).await;
    let query = format!(
        "query($id: ID!) {{ node(id: $id) {{ ... on Payment {{ {} }} }} }}",
        PAYMENT.replace("payment {", "").replace("} clientSecret", "")
    );
    server.caught_up(&server.company).await;
    assert!(head > 0);
    admin.data(&query, json!({"id": id})).await["node"].take()
}

async fn booking(server: &Server, admin: &Client, id: &Value) -> Value {
    server.caught_up(&server.company).await;
    let query = "query($id: ID!) { booking(id: $id) { status total { minor } paid { minor } tip { minor }
        refunded { minor } balanceDue { minor } } }";
    admin.data(query, json!({"id": id})).await["booking"].take()
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

async fn work(server: &Server, admin: &Client, kind: &str) -> Vec<Value> {
    server.caught_up(&server.company).await;
    let query = "query($kind: WorkKind!) { workItems(first: 100, filter: {kind: $kind}) {
        nodes { id kind status detail note amount { minor } bookingNumber paymentId } } }";
    let mut found = admin.data(query, json!({"kind": kind})).await;
    let Value::Array(items) = found["workItems"]["nodes"].take() else {
        panic!("{found}");
    };
    items
}

async fn work_becomes(server: &Server, admin: &Client, kind: &str, status: &str) -> Value {
    let mut found = Value::Null;
    until(&format!("{kind} {status}"), async || {
        let items = work(server, admin, kind).await;
        found = items.first().cloned().unwrap_or_default();
        found["status"] == status
    })
    .await;
    found
}

async fn booking_becomes(server: &Server, admin: &Client, id: &Value, status: &str) -> Value {
    let mut found = Value::Null;
    until(status, async || {
        found = booking(server, admin, id).await;
        found["status"] == status
    })
    .await;
    found
}
