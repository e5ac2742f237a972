//! As of a position through the API: whatever can be asked is answered as it was, with all that it refers to.

use std::time::Duration;

use chrono::TimeDelta;
use commands::gateways::SystemClock;
use commands::ports::Clock;
use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};

const INFO: &str = "readInfo { position recordedAt stale incomplete }";

/// Every root that can be asked for the past, with everything below it; `$AT` stands for the time.
fn question(at: &str, booking: &str, station: &str, customer: &str) -> String {
    let payment = "id version status amount { minor } booking { id status version paid { minor } }";
    let entry = "position type summary reason changes { path before after } redacted";
    let booking_fields = format!(
        "id version status paid {{ minor }} balanceDue {{ minor }}
         customer {{ id version name bookingCount }} station {{ id name chefCount }}
         payments(first: 10) {{ nodes {{ {payment} }} totalCount {{ value }} pageInfo {{ endCursor hasNextPage }} {INFO} }}
         audit(first: 50) {{ nodes {{ {entry} }} totalCount {{ value }} {INFO} }}
         tax {{ taxable {{ minor }} tax {{ minor }} position }} {INFO}"
    );
    format!(
        "{{ booking(id: \"{booking}\"$AT) {{ {booking_fields} }}
            bookings(first: 10$AT) {{ nodes {{ {booking_fields} }} edges {{ cursor }} totalCount {{ value }} {INFO} }}
            payments(first: 10$AT) {{ nodes {{ {payment} }} totalCount {{ value }} {INFO} }}
            customer(id: \"{customer}\"$NODE) {{ version name email bookingCount }}
            customers(first: 10$AT) {{ nodes {{ name version bookingCount }} totalCount {{ value }} {INFO} }}
            station(id: \"{station}\"$NODE) {{ name chefCount }}
            stations(first: 10$AT) {{ nodes {{ name chefCount }} totalCount {{ value }} {INFO} }}
            priceHistory(first: 10, stationId: \"{station}\"$AT) {{ nodes {{ item new {{ minor }} }} totalCount {{ value }} {INFO} }}
            taxRates(first: 10$AT) {{ nodes {{ county rate effectiveUntil }} totalCount {{ value }} {INFO} }}
            taxReport(state: \"CA\", period: \"2026-03\"$AT) {{ position checksum rows {{ county orders tax {{ minor }} }} {INFO} }}
            taxLines(first: 10, state: \"CA\", period: \"2026-03\"$AT) {{ nodes {{ kind tax {{ minor }} }} totalCount {{ value }} {INFO} }}
            leads(first: 10$AT) {{ nodes {{ failure name }} totalCount {{ value }} {INFO} }}
            auditLog(first: 50$AT) {{ nodes {{ {entry} }} edges {{ cursor }} totalCount {{ value }} {INFO} }} }}"
    )
    .replace("$AT", at)
    .replace("$NODE", at)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A party that was asked for and half paid.
async fn begun(admin: &Client) -> (String, String) {
    let object = "booking { id customer { id } station { id } }";
    let booked = admin.done("bookingRequest", object, party("one")).await;
    let booking = &booked["booking"];
    let claim = json!({
        "idempotencyKey": "claim", "bookingId": booking["id"], "kind": "DEPOSIT", "method": "ZELLE",
        "amountMinor": 10_000, "reference": "R-1",
    });
    let claimed = admin.done("paymentRecord", "payment { id }", claim).await;
    (text(&booking["id"]), text(&claimed["payment"]["id"]))
}

/// Whatever changes something that was asked about.
async fn go_on(server: &Server, admin: &mut Client, booking: &str, payment: &str) {
    let verify = json!({"idempotencyKey": "found", "paymentId": payment, "accept": true, "note": "seen"});
    admin.done("paymentVerify", "", verify).await;
    assert_eq!(
        admin.refused("bookingRequest", party("lost")).await,
        "SLOT_UNAVAILABLE"
    );
    let rest = json!({
        "idempotencyKey": "rest", "bookingId": booking, "kind": "BALANCE", "method": "ZELLE", "amountMinor": 5_000,
        "tipMinor": 700, "reference": "R-2",
    });
    let claimed = admin.done("paymentRecord", "payment { id }", rest).await;
    let verify = json!({
        "idempotencyKey": "rest found", "paymentId": claimed["payment"]["id"], "accept": true, "note": "seen",
    });
    admin.done("paymentVerify", "", verify).await;
    server.set_clock("2026-03-15T05:00:00Z");
    admin.sign_in_again().await;
    let complete = json!({"idempotencyKey": "held", "bookingId": booking});
    admin.done("bookingComplete", "", complete).await;
    let rate = json!({
        "idempotencyKey": "rate", "state": "CA", "county": "Santa Clara", "rate": "0.1", "effectiveFrom": "2026-08-01",
    });
    admin.done("taxRateSet", "", rate).await;
    let again = with(party("again"), json!({"start": "2026-04-18T18:00:00"}));
    admin.done("bookingRequest", "", again).await;
}

#[tokio::test]
async fn every_root_and_all_below_it_is_as_of_the_same_position_for_ever() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::SuperAdmin).await;
    let (booking, payment) = begun(&admin).await;
    let ids = "{ bookings(first: 1) { nodes { station { id } customer { id } } } }";
    let position = server.caught_up(&server.company).await;
    let ids = admin.data(ids, json!({})).await;
    let one = &ids["bookings"]["nodes"][0];
    let ask = |at: &str| {
        question(
            at,
            &booking,
            &text(&one["station"]["id"]),
            &text(&one["customer"]["id"]),
        )
    };
    let live = admin.data(&ask(""), json!({})).await;
    let now = live["bookings"]["readInfo"]["recordedAt"].clone();
    let ways = [
        format!(", asOf: {{position: {position}}}"),
        format!(", asOf: {{at: {now}}}"),
    ];
    for at in &ways {
        assert_eq!(admin.data(&ask(at), json!({})).await, live, "{at}");
    }
    go_on(&server, &mut admin, &booking, &payment).await;
    server.caught_up(&server.company).await;
    let later = admin.data(&ask(""), json!({})).await;
    for root in [
        "booking",
        "bookings",
        "payments",
        "customers",
        "taxReport",
        "taxLines",
        "taxRates",
        "auditLog",
        "leads",
    ] {
        assert_ne!(later[root], live[root], "{root} has changed");
    }
    for at in &ways {
        assert_eq!(admin.data(&ask(at), json!({})).await, live, "{at}");
    }
    let cursor = live["auditLog"]["edges"][4]["cursor"].as_str().expect("a cursor");
    let page = format!(
        "{{ auditLog(first: 3, after: \"{cursor}\", asOf: {{position: {position}}}) {{ edges {{ cursor }} }} }}"
    );
    let page = admin.data(&page, json!({})).await;
    assert_eq!(
        page["auditLog"]["edges"].as_array(),
        live["auditLog"]["edges"]
            .as_array()
            .map(|all| all[5..8].to_vec())
            .as_ref()
    );
    refused_by_name(&admin, position).await;
}

async fn refused_by_name(admin: &Client, position: i64) {
    for (arguments, code) in [
        (
            format!("asOf: {{position: {}}}", position + 1_000),
            "AS_OF_IN_FUTURE",
        ),
        (
            "asOf: {at: \"2999-01-01T00:00:00Z\"}".to_owned(),
            "AS_OF_IN_FUTURE",
        ),
        ("asOf: {position: -1}".to_owned(), "BAD_USER_INPUT"),
        (
            "asOf: {position: 1}, search: \"a@b.example\"".to_owned(),
            "BAD_USER_INPUT",
        ),
    ] {
        let query = format!("{{ customers(first: 5, {arguments}) {{ totalCount {{ value }} }} }}");
        let answer: Value = serde_json::from_str(&admin.text(&query, &json!({})).await).expect("it is JSON");
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], code,
            "{query}: {answer}"
        );
    }
}

#[tokio::test]
async fn prices_as_of_an_instant_are_those_in_force_then() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::SuperAdmin).await;
    let stations = "{ stations(first: 5) { nodes { id name } } }";
    let stations = admin.data(stations, json!({})).await;
    let station = text(&stations["stations"]["nodes"][0]["id"]);
    let prices = |arguments: &str| {
        format!(
            "{{ priceList(stationId: \"{station}\"{arguments}) {{ version items {{ item price {{ minor }} }} }} }}"
        )
    };
    let position = server.caught_up(&server.company).await;
    let live = admin.data(&prices(""), json!({})).await;
    let then = admin
        .data(&prices(&format!(", asOf: {{position: {position}}}")), json!({}))
        .await;
    assert_eq!(then, live);

    let old = live["priceList"]["items"][0]["price"]["minor"]
        .as_i64()
        .expect("cents");
    let item = text(&live["priceList"]["items"][0]["item"]);
    // Known from now on, and in force a little later: nothing is recorded then.
    let soon = SystemClock.now() + TimeDelta::milliseconds(400);
    let change = json!({
        "idempotencyKey": "soon", "stationId": station, "item": item, "priceMinor": old + 100, "effectiveFrom": soon,
        "reason": "beef costs more",
    });
    let changed = admin.done("priceChange", "", change).await;
    let known = changed["position"].as_i64().expect("it was written");
    let price = async |arguments: String| {
        let answer: Value =
            serde_json::from_str(&admin.text(&prices(&arguments), &json!({})).await).expect("it is JSON");
        let items = answer["data"]["priceList"]["items"].as_array();
        let found = items.and_then(|items| items.iter().find(|it| it["item"] == json!(item)));
        found.map(|it| it["price"]["minor"].as_i64().expect("cents"))
    };
    assert_eq!(price(format!(", asOf: {{position: {known}}}")).await, Some(old));
    let at = format!(", asOf: {{at: \"{}\"}}", soon.to_rfc3339());
    while price(at.clone()).await.is_none() {
        assert!(
            SystemClock.now() < soon + TimeDelta::seconds(20),
            "the instant has passed"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(price(at).await, Some(old + 100));
}
