//! What whoever looks after the program sees of it: figures, logs, traces, and what the doctor says.

mod doctor;
mod figures;
mod logs;
mod slow;
mod traces;

use serde_json::{Value, json};
use tests::process::Client;

/// Somebody who asks the demo company for a party.
struct Guest {
    name: &'static str,
    email: &'static str,
    phone: &'static str,
    street: &'static str,
    note: &'static str,
}

/// Asks for a party on the first free evening, and gives the command's payload.
async fn book(admin: &Client, guest: &Guest) -> Value {
    let stations = admin
        .data("{ stations(first: 5) { nodes { id } } }", json!({}))
        .await;
    let station = &stations["stations"]["nodes"][0]["id"];
    let first = chrono::NaiveDate::from_ymd_opt(2026, 12, 20).expect("a day");
    let mut seen = Value::Null;
    for days in 0..40 {
        let day = first + chrono::TimeDelta::days(days);
        let input = json!({
            "idempotencyKey": format!("book-{days}"),
            "stationId": station,
            "customer": {"name": guest.name, "email": guest.email, "phone": guest.phone},
            "venue": {"street": guest.street, "city": "San Jose", "state": "CA", "zip": "95112"},
            "start": format!("{day}T18:00:00"),
            "guests": {"adults": 20, "children": 0},
            "note": guest.note,
        });
        let document = "mutation($input: BookingRequestInput!) { bookingRequest(input: $input) {
            booking { id customer { id name email phone } venue { street } } userErrors { code message } position } }";
        let done = admin.data(document, json!({ "input": input })).await;
        if done["bookingRequest"]["position"].is_i64() {
            return done["bookingRequest"].clone();
        }
        seen = done;
    }
    panic!("no evening is free: {seen}");
}
