//! Tax in full: from a request to a closed quarter, and what comes after it.

mod basis;
mod closing;
mod corrections;
mod kept_deposit;
mod race;
mod rates;
mod story;

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, PARTY_UTC, Server, party, with};

/// What a report shows in these tests.
const REPORT: &str =
    "status checksum position unresolved unconfirmed tipsPayable { minor } depositsHeld { minor }
    total { orders gross { minor } nonTaxable { minor } taxable { minor } tax { minor } refunded { minor }
        refundedTax { minor } netTax { minor } }
    rows { county city rate orders tax { minor } refundedTax { minor } netTax { minor } variance { minor } }";

/// Money of a kind that was verified at once; says the payment's id.
async fn paid(client: &Client, booking: &str, fields: Value) -> String {
    let key = fields["idempotencyKey"].as_str().expect("a key").to_owned();
    let input = with(
        json!({"bookingId": booking, "method": "ZELLE", "tipMinor": 0, "reference": key}),
        fields,
    );
    let recorded = client.done("paymentRecord", "payment { id }", input).await;
    let payment = recorded["payment"]["id"].as_str().expect("an id").to_owned();
    let verify = json!({
        "idempotencyKey": format!("{key} verdict"), "paymentId": payment, "accept": true, "note": "looked",
    });
    client.done("paymentVerify", "", verify).await;
    payment
}

/// A party of 851.18 that is paid for, with the deposit first; says the booking's id.
async fn confirmed(server: &Server, client: &Client, input: Value) -> String {
    let key = input["idempotencyKey"].as_str().expect("a key").to_owned();
    let requested = client.done("bookingRequest", "booking { id }", input).await;
    let booking = requested["booking"]["id"].as_str().expect("an id").to_owned();
    let deposit =
        json!({"idempotencyKey": format!("{key} deposit"), "kind": "DEPOSIT", "amountMinor": 10_000});
    paid(client, &booking, deposit).await;
    followed(server).await;
    booking
}

/// Lets all policies follow the log.
async fn followed(server: &Server) {
    server.quiet(&server.company).await;
    server.caught_up(&server.company).await;
}

async fn completed(server: &Server, client: &Client, booking: &str) {
    let complete = json!({"idempotencyKey": format!("complete {booking}"), "bookingId": booking});
    client.done("bookingComplete", "", complete).await;
    followed(server).await;
}

async fn report(client: &Client, period: &str) -> Value {
    let query =
        format!("query($period: String!) {{ taxReport(state: \"CA\", period: $period) {{ {REPORT} }} }}");
    client.data(&query, json!({"period": period})).await["taxReport"].take()
}

async fn close(client: &Client, key: &str, period: &str) -> Value {
    let input = json!({"idempotencyKey": key, "state": "CA", "period": period});
    client
        .command("taxPeriodClose", &format!("taxReport {{ {REPORT} }}"), input)
        .await
}

/// The accountant, and the admin who books, at a time.
async fn people(server: &Server) -> (Client, Client) {
    (
        server.sign_in(Role::Accountant).await,
        server.sign_in(Role::Admin).await,
    )
}

/// A party that was held on the evening of [`tests::http::PARTY`], its clock an hour after it began.
async fn held(server: &Server, admin: &mut Client, key: &str) -> String {
    let booking = confirmed(server, admin, party(key)).await;
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    completed(server, admin, &booking).await;
    booking
}
