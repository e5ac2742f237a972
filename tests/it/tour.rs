//! What the project is for, over HTTP: a booking from its request to the county's tax, and what may come between.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, PARTY, PARTY_UTC, PASSWORD, Server, party, with};

const BOOKING: &str =
    "booking { id number version status total { amount } paid { amount } balanceDue { minor }
    customer { id name email bookingCount } depositDueAt tax { taxable { amount } tax { amount } rate }
    refundProposal { rule hoursBefore depositPaid { amount } balancePaid { amount } proposed { amount } } }";
const PAYMENT: &str = "payment { id status version }";

/// Requests a party and says its id and the position.
async fn booked(client: &Client, input: Value) -> (String, i64) {
    let payload = client.done("bookingRequest", BOOKING, input).await;
    (id(&payload["booking"]), position(&payload))
}

fn id(object: &Value) -> String {
    object["id"].as_str().expect("it has an id").to_owned()
}

fn position(payload: &Value) -> i64 {
    payload["position"].as_i64().expect("it was written")
}

fn paid(key: &str, booking: &str, kind: &str, amount: i64) -> Value {
    json!({
        "idempotencyKey": key, "bookingId": booking, "kind": kind, "method": "ZELLE", "amountMinor": amount,
        "reference": key,
    })
}

/// Money that came and was found, or was not; says the payment's id and the position of the verdict.
async fn pay(client: &Client, input: Value, verdict: Verdict) -> (String, i64) {
    let key = input["idempotencyKey"].as_str().expect("a key").to_owned();
    let recorded = client.done("paymentRecord", PAYMENT, input).await;
    assert_eq!(recorded["payment"]["status"], "CLAIMED");
    let payment = id(&recorded["payment"]);
    let verify = json!({
        "idempotencyKey": format!("{key} verdict"), "paymentId": payment, "accept": verdict == Verdict::Found,
        "note": "looked at the account",
    });
    let verified = client.done("paymentVerify", PAYMENT, verify).await;
    (payment, position(&verified))
}

#[derive(PartialEq)]
enum Verdict {
    Found,
    NotFound,
}

/// A booking as it stands once a position is read.
async fn fresh(client: &Client, booking: &str, at_least: i64) -> Value {
    let query = format!(
        "query($id: ID!, $at: LogPosition!) {{
            {} }}",
        BOOKING.replacen(
            "booking",
            "booking(id: $id, fresh: {atLeast: $at, waitMs: 10000})",
            1
        )
    );
    client.data(&query, json!({"id": booking, "at": at_least})).await["booking"].take()
}

#[tokio::test]
async fn a_booking_goes_from_its_request_to_the_tax_of_its_county() {
    let server = Server::start().await;
    let mut admin = signed_in_admin(&server).await;
    quoted(&server, &admin).await;
    let (booking, requested) = requested_once(&admin).await;
    the_last_place_is_gone(&server, &admin).await;
    let before_payment = deposit_confirms(&admin, &booking).await;
    balance_and_completion(&server, &mut admin, &booking).await;
    the_county_gets_its_tax(&admin, &booking).await;
    the_trail_names_every_step(&admin, &booking, requested).await;
    the_past_stays_as_it_was(&server, &mut admin, &booking, before_payment).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn signed_in_admin(server: &Server) -> Client {
    let mut admin = server.sign_in(Role::Admin).await;
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) {
        accessToken expiresAt viewer { email role organisation { name slug } stations { name chefCount } }
        userErrors { code } } }";
    let input =
        json!({"organisation": "our-hibachi", "email": "ADMIN@our-hibachi.test", "password": PASSWORD});
    let signed_in = server.nobody().data(sign_in, json!({"input": input})).await["signIn"].take();
    assert_eq!(
        (&signed_in["viewer"], &signed_in["userErrors"]),
        (
            &json!({
                "email": "admin@our-hibachi.test", "role": "ADMIN",
                "organisation": {"name": "Company our-hibachi", "slug": "our-hibachi"},
                "stations": [{"name": "Sacramento", "chefCount": 3}, {"name": "San Jose", "chefCount": 1}],
            }),
            &json!([])
        )
    );
    for (organisation, email, password) in [
        ("our-hibachi", "admin@our-hibachi.test", "another-pass-phrase"),
        ("our-hibachi", "nobody@our-hibachi.test", PASSWORD),
        ("no-hibachi", "admin@our-hibachi.test", PASSWORD),
    ] {
        let input = json!({"organisation": organisation, "email": email, "password": password});
        let refused = server.nobody().data(sign_in, json!({"input": input})).await["signIn"].take();
        assert_eq!(refused["userErrors"], json!([{"code": "WRONG_CREDENTIALS"}]));
        assert_eq!(
            (&refused["accessToken"], &refused["viewer"]),
            (&Value::Null, &Value::Null)
        );
    }
    let token = signed_in["accessToken"].as_str().expect("a token").to_owned();
    admin.token = Some(token);
    admin
}

async fn quoted(server: &Server, admin: &Client) {
    let before = server.written(&server.company).await;
    let quote = "query($input: QuoteInput!) { quote(input: $input) {
        total { amount minor currency } deposit { amount } balanceDue { amount } discount { minor }
        lines { item quantity unit { amount } total { amount } } station { name } } }";
    let input = json!({"zip": "95112", "start": PARTY, "guests": {"adults": 12, "children": 4}});
    let quoted = admin.data(quote, json!({"input": input})).await;
    assert_eq!(
        quoted["quote"],
        json!({
            "total": {"amount": "839.20", "minor": 83_920, "currency": "USD"},
            "deposit": {"amount": "100.00"}, "balanceDue": {"amount": "739.20"}, "discount": {"minor": 0},
            "lines": [
                {"item": "adult", "quantity": 12, "unit": {"amount": "59.95"}, "total": {"amount": "719.40"}},
                {"item": "child", "quantity": 4, "unit": {"amount": "29.95"}, "total": {"amount": "119.80"}},
            ],
            "station": {"name": "San Jose"},
        })
    );
    assert_eq!(server.written(&server.company).await, before);
}

async fn requested_once(admin: &Client) -> (String, i64) {
    let first = admin.done("bookingRequest", BOOKING, party("first")).await;
    let booking = &first["booking"];
    assert_eq!(
        (
            &booking["status"],
            &booking["version"],
            &booking["total"]["amount"],
            &first["replayed"]
        ),
        (&json!("REQUESTED"), &json!(1), &json!("851.18"), &json!(false))
    );
    assert_eq!(
        (&booking["customer"]["name"], &booking["customer"]["email"]),
        (&json!("Guest first"), &json!("first@example.com"))
    );
    let again = admin.done("bookingRequest", BOOKING, party("first")).await;
    assert_eq!(again["replayed"], true);
    assert_eq!(
        (&again["booking"], &again["position"]),
        (booking, &first["position"])
    );
    (id(booking), position(&first))
}

async fn the_last_place_is_gone(server: &Server, admin: &Client) {
    let code = admin.refused("bookingRequest", party("second")).await;
    assert_eq!(code, "SLOT_UNAVAILABLE");
    server.caught_up(&server.company).await;
    let leads = "{ leads(first: 10) { totalCount { value exact }
        nodes { name email failure wantedStart status } } }";
    let leads = admin.data(leads, json!({})).await["leads"].take();
    assert_eq!(
        leads,
        json!({
            "totalCount": {"value": 1, "exact": true},
            "nodes": [{
                "name": "Guest second", "email": "second@example.com", "failure": "SLOT_UNAVAILABLE",
                "wantedStart": PARTY, "status": "NEW",
            }],
        })
    );
}

async fn deposit_confirms(admin: &Client, booking: &str) -> i64 {
    let recorded = admin
        .done(
            "paymentRecord",
            PAYMENT,
            paid("deposit", booking, "DEPOSIT", 10_000),
        )
        .await;
    assert_eq!(recorded["payment"]["status"], "CLAIMED");
    let still = fresh(admin, booking, position(&recorded)).await;
    assert_eq!(
        (&still["status"], &still["paid"]["amount"]),
        (&json!("REQUESTED"), &json!("0.00"))
    );
    let verify = json!({"idempotencyKey": "verify", "paymentId": recorded["payment"]["id"], "accept": true});
    let verified = admin.done("paymentVerify", PAYMENT, verify).await;
    assert_eq!(verified["payment"]["status"], "VERIFIED");
    let confirmed = fresh(admin, booking, position(&verified) + 1).await;
    assert_eq!(
        (
            &confirmed["status"],
            &confirmed["paid"]["amount"],
            &confirmed["depositDueAt"]
        ),
        (&json!("CONFIRMED"), &json!("100.00"), &Value::Null)
    );
    position(&recorded)
}

async fn balance_and_completion(server: &Server, admin: &mut Client, booking: &str) {
    let (_, position) = pay(admin, paid("balance", booking, "BALANCE", 75_118), Verdict::Found).await;
    let settled = fresh(admin, booking, position).await;
    assert_eq!(settled["balanceDue"]["minor"], 0);
    let complete = |key: &str| json!({"idempotencyKey": key, "bookingId": booking});
    server.set_clock("2026-03-15T00:59:59Z");
    admin.sign_in_again().await;
    assert_eq!(
        admin.refused("bookingComplete", complete("early")).await,
        "NOT_YET_HELD"
    );
    server.set_clock(PARTY_UTC);
    let done = admin.done("bookingComplete", BOOKING, complete("held")).await;
    assert_eq!(done["booking"]["status"], "COMPLETED");
    assert_eq!(
        done["booking"]["tax"],
        json!({"taxable": {"amount": "780.00"}, "tax": {"amount": "71.18"}, "rate": "0.09125"})
    );
}

async fn the_county_gets_its_tax(admin: &Client, booking: &str) {
    let report = "{ taxReport(state: \"CA\", period: \"2026-Q1\") {
        rows { county city rate orders gross { amount } nonTaxable { amount } taxable { amount } tax { amount }
            netTax { amount } variance { amount } }
        total { orders gross { amount } tax { amount } } unresolved unconfirmed } }";
    let report = admin.data(report, json!({})).await["taxReport"].take();
    let money = |amount: &str| json!({"amount": amount});
    assert_eq!(
        report["rows"],
        json!([{
            "county": "Santa Clara", "city": null, "rate": "0.09125", "orders": 1, "gross": money("851.18"),
            "nonTaxable": money("0.00"), "taxable": money("780.00"), "tax": money("71.18"),
            "netTax": money("71.18"), "variance": money("0.00"),
        }])
    );
    assert_eq!(
        report["total"],
        json!({"orders": 1, "gross": money("851.18"), "tax": money("71.18")})
    );
    assert_eq!(
        (&report["unresolved"], &report["unconfirmed"]),
        (&json!(0), &json!(0))
    );
    let lines =
        "{ taxLines(first: 10, state: \"CA\", period: \"2026-03-14..2026-03-14\", county: \"Santa Clara\") {
        nodes { bookingId kind date rate gross { amount } taxable { amount } tax { amount } } } }";
    let lines = admin.data(lines, json!({})).await;
    assert_eq!(
        lines["taxLines"]["nodes"],
        json!([{
            "bookingId": booking, "kind": "sale", "date": "2026-03-14", "rate": "0.09125",
            "gross": money("851.18"), "taxable": money("780.00"), "tax": money("71.18"),
        }])
    );
}

async fn the_trail_names_every_step(admin: &Client, booking: &str, requested: i64) {
    let trail = "query($after: String) { auditLog(first: 100, after: $after) {
        nodes { position recordedAt type summary entityType entityId reason redacted
            actor { kind role channel name } changes { path before after } } } }";
    let trail = admin.data(trail, json!({})).await["auditLog"]["nodes"].take();
    let trail = trail.as_array().expect("a list").clone();
    let steps: Vec<&Value> = trail
        .iter()
        .rev()
        .filter(|entry| {
            entry["position"]
                .as_i64()
                .is_some_and(|position| position >= requested - 1)
        })
        // What the customer is told of it has its own time.
        .filter(|entry| entry["entityType"] != "message")
        .collect();
    let told: Vec<(&str, &str)> = steps
        .iter()
        .map(|entry| {
            (
                entry["type"].as_str().expect("a name"),
                entry["actor"]["kind"].as_str().expect("somebody"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("customer.registered", "user"),
            ("booking.requested", "user"),
            ("lead.captured", "user"),
            ("payment.claimed", "user"),
            ("payment.verified", "user"),
            ("booking.confirmed", "policy"),
            ("payment.claimed", "user"),
            ("payment.verified", "user"),
            ("booking.completed", "user"),
        ]
    );
    for entry in &steps {
        assert!(
            entry["recordedAt"]
                .as_str()
                .is_some_and(|at| at.ends_with('Z') || at.contains('+'))
        );
        assert!(entry["summary"].as_str().is_some_and(|said| !said.is_empty()));
        assert!(!entry.to_string().contains("example.com"), "{entry}");
    }
    let confirmed = steps[5];
    assert_eq!(confirmed["entityId"], booking);
    assert_eq!(
        confirmed["actor"],
        json!({"kind": "policy", "role": null, "channel": "policy", "name": "when_deposit_captured"})
    );
    assert_eq!(
        confirmed["changes"],
        json!([{"path": "status", "before": "requested", "after": "confirmed"}])
    );
    assert_eq!(
        steps[1]["actor"],
        json!({"kind": "user", "role": "ADMIN", "channel": "graphql", "name": null})
    );
}

async fn the_past_stays_as_it_was(server: &Server, admin: &mut Client, booking: &str, before_payment: i64) {
    let query = "query($id: ID!, $asOf: AsOf!) { booking(id: $id, asOf: $asOf) {
        status version paid { amount } customer { name } payments(first: 5) { nodes { status } } } }";
    let asked = json!({"id": booking, "asOf": {"position": before_payment}});
    let first = admin.text(query, &asked).await;
    let then: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(
        then["data"]["booking"],
        json!({
            "status": "REQUESTED", "version": 1, "paid": {"amount": "0.00"}, "customer": {"name": "Guest first"},
            "payments": {"nodes": [{"status": "CLAIMED"}]},
        })
    );
    assert_eq!(admin.text(query, &asked).await, first);
    let entry = "query($at: LogPosition!) { auditLog(first: 1, asOf: {position: $at}) {
        nodes { position recordedAt } readInfo { position lagEvents } } }";
    let entry = admin.data(entry, json!({"at": before_payment})).await["auditLog"].take();
    assert_eq!(
        entry["readInfo"],
        json!({"position": before_payment, "lagEvents": 0})
    );
    // What is recorded is recorded by the database's clock, which is the real one.
    server.set_clock("2199-01-01T00:00:00Z");
    admin.sign_in_again().await;
    let asked = json!({"id": booking, "asOf": {"at": entry["nodes"][0]["recordedAt"]}});
    assert_eq!(admin.text(query, &asked).await, first);
}

#[tokio::test]
async fn a_deposit_that_comes_in_two_parts_confirms_with_the_second() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (booking, _) = booked(&admin, party("a")).await;
    let (_, first) = pay(&admin, paid("half", &booking, "DEPOSIT", 4_000), Verdict::Found).await;
    let (_, second) = pay(&admin, paid("rest", &booking, "DEPOSIT", 6_000), Verdict::Found).await;
    assert_eq!(second, first + 2, "nothing was confirmed in between");
    let confirmed = fresh(&admin, &booking, second + 1).await;
    assert_eq!(
        (&confirmed["status"], &confirmed["paid"]["amount"]),
        (&json!("CONFIRMED"), &json!("100.00"))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_payment_that_was_not_found_does_not_count() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (booking, _) = booked(&admin, party("a")).await;
    let (payment, rejected) = pay(
        &admin,
        paid("lost", &booking, "DEPOSIT", 10_000),
        Verdict::NotFound,
    )
    .await;
    let again = json!({"idempotencyKey": "again", "paymentId": payment, "accept": true});
    assert_eq!(admin.refused("paymentVerify", again).await, "WRONG_STATE");
    let waiting = fresh(&admin, &booking, rejected).await;
    assert_eq!(
        (&waiting["status"], &waiting["paid"]["amount"]),
        (&json!("REQUESTED"), &json!("0.00"))
    );
    let (_, found) = pay(&admin, paid("found", &booking, "DEPOSIT", 10_000), Verdict::Found).await;
    assert_eq!(found, rejected + 2, "nothing was confirmed in between");
    let confirmed = fresh(&admin, &booking, found + 1).await;
    assert_eq!(confirmed["status"], "CONFIRMED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn an_unpaid_booking_expires_when_its_deposit_was_due_and_its_place_is_free_again() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let (booking, requested) = booked(&admin, party("slow")).await;
    server.set_clock("2026-02-11T18:00:00Z");
    admin.sign_in_again().await;
    let expired = fresh(&admin, &booking, requested + 1).await;
    assert_eq!(
        (&expired["status"], &expired["depositDueAt"]),
        (&json!("EXPIRED"), &Value::Null)
    );
    let (_, taken) = booked(&admin, party("quick")).await;
    assert_eq!(
        admin.refused("bookingRequest", party("third")).await,
        "SLOT_UNAVAILABLE"
    );
    let late = paid("late", &booking, "DEPOSIT", 10_000);
    let (_, paid) = pay(&admin, late, Verdict::Found).await;
    assert!(paid > taken);
    server.caught_up(&server.company).await;
    assert_eq!(fresh(&admin, &booking, paid).await["status"], "EXPIRED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_cancelled_booking_proposes_what_its_terms_give_back_and_frees_its_place() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let (booking, _) = booked(&admin, party("off")).await;
    let (_, at) = pay(
        &admin,
        paid("deposit", &booking, "DEPOSIT", 10_000),
        Verdict::Found,
    )
    .await;
    fresh(&admin, &booking, at + 1).await;
    pay(
        &admin,
        paid("balance", &booking, "BALANCE", 75_118),
        Verdict::Found,
    )
    .await;
    // A hundred hours before the start: half of the balance, and nothing of the deposit.
    server.set_clock("2026-03-10T21:00:00Z");
    admin.sign_in_again().await;
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": booking, "reason": "plans changed"});
    let cancelled = admin.done("bookingCancel", BOOKING, cancel.clone()).await;
    let money = |amount: &str| json!({"amount": amount});
    assert_eq!(cancelled["booking"]["status"], "CANCELLED");
    assert_eq!(
        cancelled["booking"]["refundProposal"],
        json!({
            "rule": "TIER", "hoursBefore": 72, "depositPaid": money("100.00"), "balancePaid": money("751.18"),
            "proposed": money("375.59"),
        })
    );
    let again = with(cancel, json!({"idempotencyKey": "once more"}));
    assert_eq!(admin.refused("bookingCancel", again).await, "WRONG_STATE");
    booked(&admin, party("on")).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_company_that_cancels_proposes_everything_back() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (booking, _) = booked(&admin, party("off")).await;
    pay(
        &admin,
        paid("deposit", &booking, "DEPOSIT", 10_000),
        Verdict::Found,
    )
    .await;
    let cancel = json!({
        "idempotencyKey": "cancel", "bookingId": booking, "reason": "the van broke down", "byCompany": true,
    });
    let cancelled = admin.done("bookingCancel", BOOKING, cancel).await;
    let proposal = &cancelled["booking"]["refundProposal"];
    assert_eq!(
        (&proposal["rule"], &proposal["hoursBefore"], &proposal["proposed"]),
        (&json!("EVERYTHING"), &json!(null), &json!({"amount": "100.00"}))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_price_changes_from_its_day_on_and_its_history_tells_why() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let station = tests::http::global_id("Station", server.company.san_jose);
    let change = json!({
        "idempotencyKey": "dearer", "stationId": station, "item": "adult", "priceMinor": 6_500,
        "effectiveFrom": "2026-03-01T08:00:00Z", "reason": "beef is dearer", "expectedVersion": 4,
    });
    let list = "priceList { version items { item price { amount } effectiveFrom } }";
    let changed = admin.done("priceChange", list, change).await;
    assert_eq!(changed["priceList"]["version"], 5);
    assert_eq!(changed["priceList"]["items"][0]["price"]["amount"], "59.95");
    let (old, _) = booked(&admin, party("before")).await;
    server.set_clock("2026-03-01T08:00:00Z");
    admin.sign_in_again().await;
    let query = "query($id: ID!) { priceList(stationId: $id) { items { item price { amount } } } }";
    let now = admin.data(query, json!({"id": station})).await;
    assert_eq!(
        now["priceList"]["items"][0],
        json!({"item": "adult", "price": {"amount": "65.00"}})
    );
    let later = with(party("after"), json!({"start": "2026-03-21T18:00:00"}));
    let dearer = admin.done("bookingRequest", BOOKING, later).await;
    assert_eq!(dearer["booking"]["total"]["amount"], "911.78");
    assert_eq!(fresh(&admin, &old, 0).await["total"]["amount"], "851.18");
    let history = "query($id: ID!) { priceHistory(first: 10, stationId: $id, item: \"adult\") {
        totalCount { value } nodes { item old { amount } new { amount } effectiveFrom reason changedBy position } } }";
    let history = admin.data(history, json!({"id": station})).await["priceHistory"].take();
    assert_eq!(history["totalCount"]["value"], 2);
    let newest = &history["nodes"][0];
    assert_eq!(
        (
            &newest["old"]["amount"],
            &newest["new"]["amount"],
            &newest["reason"],
            &newest["position"]
        ),
        (
            &json!("59.95"),
            &json!("65.00"),
            &json!("beef is dearer"),
            &changed["position"]
        )
    );
    assert!(newest["changedBy"].as_str().is_some_and(|who| !who.is_empty()));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn somebody_who_books_again_with_the_same_address_is_the_same_customer() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = admin.done("bookingRequest", BOOKING, party("a")).await;
    let who = json!({"name": "Somebody Else", "email": " A@Example.com "});
    let input = with(
        party("b"),
        json!({"start": "2026-03-15T18:00:00", "customer": who}),
    );
    let second = admin.done("bookingRequest", BOOKING, input).await;
    let (customer, again) = (&first["booking"]["customer"], &second["booking"]["customer"]);
    assert_eq!(customer["id"], again["id"]);
    assert_eq!(
        (&again["name"], &again["email"], &again["bookingCount"]),
        (&json!("Guest a"), &json!("a@example.com"), &json!(2))
    );
    let known = with(
        party("c"),
        json!({"start": "2026-03-16T18:00:00", "customer": {"id": customer["id"]}}),
    );
    let third = admin.done("bookingRequest", BOOKING, known).await;
    assert_eq!(third["booking"]["customer"]["bookingCount"], 3);
    let found = "{ customers(first: 10, search: \"A@EXAMPLE.COM\") { nodes { id name } } }";
    let found = admin.data(found, json!({})).await;
    assert_eq!(
        found["customers"]["nodes"],
        json!([{"id": customer["id"], "name": "Guest a"}])
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_program_says_that_it_lives_and_is_ready_and_names_each_request() {
    let server = Server::start().await;
    let nobody = server.nobody();
    for (path, says) in [("/health/live", "live\n"), ("/health/ready", "ready\n")] {
        let answer = nobody.get(path).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.text().await.unwrap()),
            (200, says.to_owned())
        );
    }
    let named = nobody
        .get("/health/live")
        .header("x-request-id", "mine")
        .send()
        .await;
    assert_eq!(named.unwrap().headers()["x-request-id"], "mine");
}
