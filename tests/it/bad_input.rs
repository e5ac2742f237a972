//! What cannot be is refused with a stable code and a sentence, and nothing is written.

use domain::access::{Role, StationScope};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, mutation, party, with};

/// A refusal worth a call leaves a lead; any other leaves nothing.
#[derive(Clone, Copy, PartialEq)]
enum Leaves {
    Nothing,
    Lead,
}

/// A command that must be refused: what is said of it, the code, the field at fault, and its input.
struct Refused {
    about: &'static str,
    code: &'static str,
    field: &'static [&'static str],
    command: &'static str,
    input: Value,
    leaves: Leaves,
}

fn refused(
    about: &'static str,
    code: &'static str,
    field: &'static [&'static str],
    command: &'static str,
    input: Value,
) -> Refused {
    Refused {
        about,
        code,
        field,
        command,
        input,
        leaves: Leaves::Nothing,
    }
}

/// A party with some fields set anew; each has a key of its own.
fn ask(about: &'static str, code: &'static str, field: &'static [&'static str], fields: Value) -> Refused {
    let key = about.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    refused(about, code, field, "bookingRequest", with(party(&key), fields))
}

fn venue(city: &str, state: &str, zip: &str) -> Value {
    json!({"venue": {"street": "1 Main St", "city": city, "state": state, "zip": zip}})
}

fn customer(name: &str, email: Option<&str>, phone: Option<&str>) -> Value {
    json!({"customer": {"name": name, "email": email, "phone": phone}})
}

async fn assert_refused(server: &Server, client: &Client, case: &Refused) {
    let about = case.about;
    let before = server.written(&server.company).await;
    let payload = client.command(case.command, "", case.input.clone()).await;
    let told = &payload["userErrors"][0];
    assert_eq!(told["code"], case.code, "{about}: {payload}");
    assert_eq!(told["field"], json!(case.field), "{about}");
    assert_sentence(about, told);
    assert_eq!(
        (&payload["position"], &payload["replayed"]),
        (&Value::Null, &json!(false)),
        "{about}"
    );
    let leaves = i64::from(case.leaves == Leaves::Lead);
    assert_eq!(server.written(&server.company).await, before + leaves, "{about}");
}

fn assert_sentence(about: &str, told: &Value) {
    let message = told["message"].as_str().unwrap_or_default();
    assert!(
        message.len() > 10 && message.contains(' '),
        "{about}: {message:?}"
    );
    for internal in ["sqlx", "postgres", "panicked", "src/", "Error("] {
        assert!(!message.contains(internal), "{about}: {message:?}");
    }
}

#[tokio::test]
async fn a_party_that_cannot_be_is_refused_with_its_field() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let cases = [
        ask(
            "a ZIP code that nobody has",
            "UNKNOWN_ZIP",
            &["venue", "zip"],
            venue("San Jose", "CA", "00000"),
        ),
        ask(
            "a ZIP code of four digits",
            "INVALID_ZIP",
            &["venue", "zip"],
            venue("San Jose", "CA", "9511"),
        ),
        ask(
            "a ZIP code of letters",
            "INVALID_ZIP",
            &["venue", "zip"],
            venue("San Jose", "CA", "ninety"),
        ),
        ask(
            "a ZIP code of other digits",
            "INVALID_ZIP",
            &["venue", "zip"],
            venue("San Jose", "CA", "９５１１２"),
        ),
        ask(
            "a ZIP code of another state",
            "ZIP_STATE_MISMATCH",
            &["venue", "state"],
            venue("San Jose", "NV", "95112"),
        ),
        ask(
            "no city",
            "INVALID_VENUE",
            &["venue", "city"],
            venue(" ", "CA", "95112"),
        ),
        ask(
            "a city of two lines",
            "INVALID_VENUE",
            &["venue", "city"],
            venue("San\nJose", "CA", "95112"),
        ),
        ask(
            "no street",
            "INVALID_VENUE",
            &["venue", "street"],
            json!({"venue": {"street": "", "city": "San Jose", "state": "CA", "zip": "95112"}}),
        ),
        ask(
            "a long street",
            "INVALID_VENUE",
            &["venue", "street"],
            json!({"venue": {"street": "x".repeat(301), "city": "San Jose", "state": "CA", "zip": "95112"}}),
        ),
        ask(
            "nobody comes",
            "GUESTS_REQUIRED",
            &["guests"],
            json!({"guests": {"adults": 0}}),
        ),
        ask(
            "fewer than nobody",
            "INVALID_GUESTS",
            &["guests"],
            json!({"guests": {"adults": -1}}),
        ),
        ask(
            "fewer than no children",
            "INVALID_GUESTS",
            &["guests"],
            json!({"guests": {"adults": 12, "children": -4}}),
        ),
        ask(
            "no such slot",
            "NOT_A_SLOT",
            &["start"],
            json!({"start": "2026-03-14T18:30:00"}),
        ),
        ask(
            "an hour that the clock skips",
            "NOT_A_SLOT",
            &["start"],
            json!({"start": "2026-03-08T02:30:00"}),
        ),
        ask(
            "too soon",
            "TOO_SOON",
            &["start"],
            json!({"start": "2026-02-11T18:00:00"}),
        ),
        ask(
            "long ago",
            "TOO_SOON",
            &["start"],
            json!({"start": "1815-06-18T12:00:00"}),
        ),
        ask(
            "too far ahead",
            "TOO_FAR_AHEAD",
            &["start"],
            json!({"start": "2027-03-14T18:00:00"}),
        ),
        ask(
            "an age ahead",
            "TOO_FAR_AHEAD",
            &["start"],
            json!({"start": "9999-12-31T21:00:00"}),
        ),
        ask(
            "an add-on that is not on offer",
            "ITEM_UNKNOWN",
            &["addOns", "item"],
            json!({"addOns": [{"item": "unicorn", "quantity": 1}]}),
        ),
        ask(
            "an adult as an add-on",
            "ITEM_UNKNOWN",
            &["addOns", "item"],
            json!({"addOns": [{"item": "adult", "quantity": 1}]}),
        ),
        ask(
            "none of an add-on",
            "INVALID_QUANTITY",
            &["addOns", "quantity"],
            json!({"addOns": [{"item": "sauce", "quantity": 0}]}),
        ),
        ask(
            "too much of an add-on",
            "INVALID_QUANTITY",
            &["addOns", "quantity"],
            json!({"addOns": [{"item": "sauce", "quantity": 1_001}]}),
        ),
        ask(
            "an add-on twice",
            "INVALID_QUANTITY",
            &["addOns", "quantity"],
            json!({"addOns": [{"item": "sauce", "quantity": 1}, {"item": "sauce", "quantity": 1}]}),
        ),
        ask(
            "a promo code",
            "PROMO_UNKNOWN",
            &["promoCode"],
            json!({"promoCode": "FREE"}),
        ),
        ask(
            "a long note",
            "TOO_LONG",
            &["note"],
            json!({"note": "x".repeat(5_000)}),
        ),
        ask(
            "a long source",
            "TOO_LONG",
            &["source"],
            json!({"source": "x".repeat(201)}),
        ),
        ask(
            "a long version of the terms",
            "TOO_LONG",
            &["termsVersion"],
            json!({"termsVersion": "x".repeat(61)}),
        ),
        ask(
            "no name",
            "INVALID_NAME",
            &["customer", "name"],
            customer("  ", Some("a@example.com"), None),
        ),
        ask(
            "a long name",
            "INVALID_NAME",
            &["customer", "name"],
            customer(&"x".repeat(201), Some("a@example.com"), None),
        ),
        ask(
            "no way to answer",
            "CONTACT_REQUIRED",
            &["customer"],
            customer("Guest", None, None),
        ),
        ask(
            "an empty way to answer",
            "CONTACT_REQUIRED",
            &["customer"],
            customer("Guest", Some(" "), Some("")),
        ),
        ask(
            "an address without host",
            "INVALID_EMAIL",
            &["customer", "email"],
            customer("Guest", Some("guest@"), None),
        ),
        ask(
            "an address of two lines",
            "INVALID_EMAIL",
            &["customer", "email"],
            customer("Guest", Some("a@example.com\nbcc: b@example.com"), None),
        ),
        ask(
            "a phone of words",
            "INVALID_PHONE",
            &["customer", "phone"],
            customer("Guest", None, Some("call me")),
        ),
        ask(
            "a phone of three digits",
            "INVALID_PHONE",
            &["customer", "phone"],
            customer("Guest", None, Some("408")),
        ),
        ask(
            "no key",
            "INVALID_IDEMPOTENCY_KEY",
            &["idempotencyKey"],
            json!({"idempotencyKey": ""}),
        ),
        ask(
            "a long key",
            "INVALID_IDEMPOTENCY_KEY",
            &["idempotencyKey"],
            json!({"idempotencyKey": "k".repeat(256)}),
        ),
    ];
    for case in cases {
        assert_refused(&server, &admin, &case).await;
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_refusal_that_is_worth_a_call_leaves_a_lead_and_nothing_else() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let cases = [
        ask(
            "ten thousand guests",
            "TOO_MANY_GUESTS",
            &["guests"],
            json!({"guests": {"adults": 10_000}}),
        ),
        ask(
            "all the guests there can be",
            "TOO_MANY_GUESTS",
            &["guests"],
            json!({"guests": {"adults": i32::MAX, "children": i32::MAX, "under6": i32::MAX}}),
        ),
        ask(
            "more chefs than there are",
            "TOO_MANY_GUESTS",
            &["guests"],
            json!({"guests": {"adults": 26}}),
        ),
        ask(
            "too far away",
            "OUT_OF_AREA",
            &["venue", "zip"],
            venue("Los Angeles", "CA", "90012"),
        ),
    ];
    for mut case in cases {
        case.leaves = Leaves::Lead;
        assert_refused(&server, &admin, &case).await;
        // Asked again with the same key, it is refused again, and kept once.
        case.leaves = Leaves::Nothing;
        assert_refused(&server, &admin, &case).await;
    }
    server.caught_up(&server.company).await;
    let leads = "{ leads(first: 10) { totalCount { value } nodes { failure } } }";
    let leads = admin.data(leads, json!({})).await;
    assert_eq!(leads["leads"]["totalCount"]["value"], 4);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn money_that_cannot_be_is_refused() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", "booking { id }", party("a")).await["booking"]["id"].take();
    let record = json!({
        "idempotencyKey": "money", "bookingId": booking, "kind": "DEPOSIT", "method": "ZELLE",
        "amountMinor": 10_000,
    });
    let money = |about, code, field, fields| {
        refused(about, code, field, "paymentRecord", with(record.clone(), fields))
    };
    let cases = [
        money(
            "a negative amount",
            "INVALID_AMOUNT",
            &["amountMinor"],
            json!({"amountMinor": -1}),
        ),
        money(
            "nothing",
            "INVALID_AMOUNT",
            &["amountMinor"],
            json!({"amountMinor": 0}),
        ),
        money(
            "an absurd amount",
            "INVALID_AMOUNT",
            &["amountMinor"],
            json!({"amountMinor": i64::MAX.to_string()}),
        ),
        money(
            "the most negative amount",
            "INVALID_AMOUNT",
            &["amountMinor"],
            json!({"amountMinor": i64::MIN.to_string()}),
        ),
        money(
            "a negative tip",
            "INVALID_AMOUNT",
            &["tipMinor"],
            json!({"tipMinor": -1}),
        ),
        money(
            "a tip on a tip",
            "INVALID_AMOUNT",
            &["tipMinor"],
            json!({"kind": "TIP", "tipMinor": 1}),
        ),
        money(
            "a card by hand",
            "CARD_NOT_BY_HAND",
            &["method"],
            json!({"method": "CARD"}),
        ),
        money(
            "no key",
            "INVALID_IDEMPOTENCY_KEY",
            &["idempotencyKey"],
            json!({"idempotencyKey": ""}),
        ),
    ];
    for case in cases {
        assert_refused(&server, &admin, &case).await;
    }
    let price = json!({
        "idempotencyKey": "price", "stationId": global_id("Station", server.company.san_jose),
        "item": "adult", "priceMinor": 6_000, "reason": "dearer",
    });
    let price =
        |about, code, field, fields| refused(about, code, field, "priceChange", with(price.clone(), fields));
    let cases = [
        price(
            "a negative price",
            "INVALID_AMOUNT",
            &["priceMinor"],
            json!({"priceMinor": -1}),
        ),
        price(
            "a price out of its range",
            "PRICE_OUT_OF_RANGE",
            &["priceMinor"],
            json!({"priceMinor": 99_999}),
        ),
        price(
            "more than half, unconfirmed",
            "CONFIRMATION_REQUIRED",
            &["confirm"],
            json!({"priceMinor": 9_500}),
        ),
        price(
            "the same price",
            "PRICE_UNCHANGED",
            &["priceMinor"],
            json!({"priceMinor": 5_995}),
        ),
        price(
            "no such item",
            "ITEM_UNKNOWN",
            &["item"],
            json!({"item": "unicorn"}),
        ),
        price(
            "in the past",
            "EFFECTIVE_IN_PAST",
            &["effectiveFrom"],
            json!({"effectiveFrom": "2026-01-01T00:00:00Z"}),
        ),
        price("no reason", "INVALID_REASON", &["reason"], json!({"reason": " "})),
    ];
    for case in cases {
        assert_refused(&server, &admin, &case).await;
    }
    let import = |about, code, csv: &str| {
        let input = json!({"idempotencyKey": "import", "csv": csv});
        refused(about, code, &["csv"], "taxRatesImport", input)
    };
    let cases = [
        import("a file without rows", "INVALID_CSV", ""),
        import(
            "a file with one bad row",
            "INVALID_CSV",
            "state,county,city,rate,effective_from,effective_until\nCA,Yolo,,0.08,2026-01-01,\nCA,Yolo,,8,2027-01-01,\n",
        ),
        import(
            "a file that says what is known",
            "UNCHANGED",
            "state,county,city,rate,effective_from,effective_until\nCA,Santa Clara,,0.09125,2021-07-01,2026-03-31\n",
        ),
    ];
    for case in cases {
        assert_refused(&server, &admin, &case).await;
    }
    let rate = json!({
        "idempotencyKey": "rate", "state": "CA", "county": "Yolo", "rate": "0.08",
        "effectiveFrom": "2026-01-01",
    });
    let rate =
        |about, code, field, fields| refused(about, code, field, "taxRateSet", with(rate.clone(), fields));
    let cases = [
        rate(
            "a negative rate",
            "INVALID_RATE",
            &["rate"],
            json!({"rate": "-0.01"}),
        ),
        rate(
            "a rate in per cent",
            "INVALID_RATE",
            &["rate"],
            json!({"rate": "9.125"}),
        ),
        rate(
            "a rate of words",
            "INVALID_RATE",
            &["rate"],
            json!({"rate": "a tenth"}),
        ),
        rate(
            "a long state",
            "INVALID_STATE",
            &["state"],
            json!({"state": "California"}),
        ),
        rate("no county", "INVALID_NAME", &["county"], json!({"county": ""})),
        rate(
            "an end before the beginning",
            "INVALID_PERIOD",
            &["effectiveUntil"],
            json!({"effectiveUntil": "2025-12-31"}),
        ),
        rate(
            "two rates on one day",
            "RATE_OVERLAPS",
            &["effectiveFrom"],
            json!({"county": "Santa Clara", "effectiveFrom": "2022-01-01"}),
        ),
    ];
    for case in cases {
        assert_refused(&server, &admin, &case).await;
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn an_id_of_another_company_or_another_kind_or_none_at_all_is_not_found() {
    let server = Server::start().await;
    let neighbour = server.neighbour().await;
    let other = server
        .sign_in_at(&neighbour, Role::SuperAdmin, StationScope::All)
        .await;
    let theirs = other
        .done(
            "bookingRequest",
            "booking { id customer { id } }",
            party("theirs"),
        )
        .await;
    let their_payment = other
        .done(
            "paymentRecord",
            "payment { id }",
            json!({
                "idempotencyKey": "p", "bookingId": theirs["booking"]["id"], "kind": "DEPOSIT",
                "method": "ZELLE", "amountMinor": 10_000,
            }),
        )
        .await;
    let admin = server.sign_in(Role::SuperAdmin).await;
    let before = server.written(&neighbour).await;
    let station = global_id("Station", server.company.san_jose);
    let unknown = global_id("Booking", "01930000-0000-7000-8000-000000000001");
    let bookings = [
        theirs["booking"]["id"].as_str().unwrap(),
        &unknown,
        &station,
        "",
        "%%%",
        "Booking:1",
        &"x".repeat(10_000),
        "' or 1=1 --",
    ];
    for id in bookings {
        let action = json!({"idempotencyKey": "k", "bookingId": id});
        let cancel = with(action.clone(), json!({"reason": "because"}));
        let money = json!({"kind": "DEPOSIT", "method": "ZELLE", "amountMinor": 10_000});
        for (command, input) in [
            ("bookingComplete", action.clone()),
            ("bookingCancel", cancel),
            ("paymentRecord", with(action, money)),
        ] {
            assert_refused(
                &server,
                &admin,
                &refused("a booking", "NOT_FOUND", &["bookingId"], command, input),
            )
            .await;
        }
        let nothing =
            "query($id: ID!) { booking(id: $id) { id } node(id: $id) { id } customer(id: $id) { id } }";
        let nothing = admin.data(nothing, json!({"id": id})).await;
        let found = if id == station {
            json!({"id": station})
        } else {
            Value::Null
        };
        assert_eq!(nothing, json!({"booking": null, "node": found, "customer": null}));
    }
    let payment = their_payment["payment"]["id"].as_str().unwrap();
    for id in [payment, &station, "x"] {
        let verify = json!({"idempotencyKey": "k", "paymentId": id, "accept": true});
        let case = refused("a payment", "NOT_FOUND", &["paymentId"], "paymentVerify", verify);
        assert_refused(&server, &admin, &case).await;
    }
    let their_station = global_id("Station", neighbour.san_jose);
    let their_customer = theirs["booking"]["customer"]["id"].as_str().unwrap();
    for id in [their_station.as_str(), &unknown, "x"] {
        let case = ask("a station", "NOT_FOUND", &["stationId"], json!({"stationId": id}));
        assert_refused(&server, &admin, &case).await;
        let price = json!({
            "idempotencyKey": "k", "stationId": id, "item": "adult", "priceMinor": 6_000, "reason": "dearer",
        });
        let case = refused("a price", "NOT_FOUND", &["stationId"], "priceChange", price);
        assert_refused(&server, &admin, &case).await;
    }
    for id in [their_customer, &station, "x"] {
        let case = ask(
            "a customer",
            "NOT_FOUND",
            &["customer", "id"],
            json!({"customer": {"id": id}}),
        );
        assert_refused(&server, &admin, &case).await;
    }
    assert_eq!(server.written(&neighbour).await, before);
    server.assert_rebuild_changes_nothing(&server.company).await;
    server.assert_rebuild_changes_nothing(&neighbour).await;
}

/// A question that is not answered: its code among the errors, with a sentence and the request's id.
async fn assert_unanswered(client: &Client, query: &str, variables: Value, code: &str) {
    let answer = client.graphql(query, variables).await;
    let error = &answer["errors"][0];
    let about: String = query.chars().take(200).collect();
    assert_eq!(error["extensions"]["code"], code, "{about}: {answer}");
    assert!(
        error["extensions"]["requestId"]
            .as_str()
            .is_some_and(|id| id.len() == 36),
        "{about}"
    );
    assert_sentence(&about, error);
}

#[tokio::test]
async fn a_question_that_cannot_be_is_answered_with_a_code() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    for key in ["a", "b"] {
        let start = if key == "a" {
            "2026-03-14T18:00:00"
        } else {
            "2026-03-15T18:00:00"
        };
        admin
            .done("bookingRequest", "", with(party(key), json!({"start": start})))
            .await;
    }
    server.caught_up(&server.company).await;
    let before = server.written(&server.company).await;
    let page = "{ bookings(first: 1) { pageInfo { endCursor } } }";
    let cursor = admin.data(page, json!({})).await["bookings"]["pageInfo"]["endCursor"].take();
    let station = global_id("Station", server.company.san_jose);
    let quote = |fields: Value| {
        let input = json!({"zip": "95112", "start": "2026-03-14T18:00:00", "guests": {"adults": 12}});
        json!({"input": with(input, fields)})
    };
    let quoted = "query($input: QuoteInput!) { quote(input: $input) { total { amount } } }";
    for (query, variables, code) in [
        (
            "{ taxReport(state: \"XX\", period: \"2026-Q1\") { position } }",
            json!({}),
            "INVALID_STATE",
        ),
        (
            "{ taxReport(state: \"CA\", period: \"last year\") { position } }",
            json!({}),
            "INVALID_PERIOD",
        ),
        (
            "{ taxReport(state: \"CA\", period: \"2026-Q5\") { position } }",
            json!({}),
            "INVALID_PERIOD",
        ),
        (
            "{ taxReport(state: \"CA\", period: \"2026-02-30..2026-03-01\") { position } }",
            json!({}),
            "INVALID_PERIOD",
        ),
        (
            "{ taxLines(first: 1, state: \"CA\", period: \"2026-02-02..2026-02-01\") { nodes { kind } } }",
            json!({}),
            "INVALID_PERIOD",
        ),
        (
            "query($p: LogPosition!) { bookings(first: 1, asOf: {position: $p}) { nodes { id } } }",
            json!({"p": before + 1}),
            "AS_OF_IN_FUTURE",
        ),
        (
            "{ bookings(first: 1, asOf: {at: \"2999-02-10T18:00:01Z\"}) { nodes { id } } }",
            json!({}),
            "AS_OF_IN_FUTURE",
        ),
        (
            "query($p: LogPosition!) { bookings(first: 1, fresh: {atLeast: $p, waitMs: 10}) { nodes { id } } }",
            json!({"p": before + 1}),
            "STALE_READ",
        ),
        (
            "{ bookings(first: 1, asOf: {position: 1}, fresh: {atLeast: 1}) { nodes { id } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ bookings(first: 0) { nodes { id } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ bookings(first: 101) { nodes { id } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ auditLog(first: -1) { nodes { id } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ bookings(first: 1, after: \"nonsense\") { nodes { id } } }",
            json!({}),
            "INVALID_CURSOR",
        ),
        (
            "query($c: String) { customers(first: 1, after: $c) { nodes { id } } }",
            json!({"c": cursor}),
            "INVALID_CURSOR",
        ),
        (
            "query($c: String) { bookings(first: 1, after: $c, sort: CREATED_DESC) { nodes { id } } }",
            json!({"c": cursor}),
            "INVALID_CURSOR",
        ),
        (
            "{ customers(first: 1, search: \"not an address\") { nodes { id } } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (
            "{ bookings(first: 1, filter: {stationId: \"x\"}) { nodes { id } } }",
            json!({}),
            "NOT_FOUND",
        ),
        (
            "{ payments(first: 1, filter: {bookingId: \"x\"}) { nodes { id } } }",
            json!({}),
            "NOT_FOUND",
        ),
        (
            "{ priceList(stationId: \"x\") { version } }",
            json!({}),
            "NOT_FOUND",
        ),
        (quoted, quote(json!({"zip": "00000"})), "UNKNOWN_ZIP"),
        (quoted, quote(json!({"guests": {"adults": 0}})), "GUESTS_REQUIRED"),
        (
            quoted,
            quote(json!({"guests": {"adults": 10_000}})),
            "TOO_MANY_GUESTS",
        ),
        (quoted, quote(json!({"promoCode": "FREE"})), "PROMO_UNKNOWN"),
        (quoted, quote(json!({"customerEmail": "nobody"})), "INVALID_EMAIL"),
        (
            quoted,
            quote(json!({"stationId": station.replace('U', "V")})),
            "NOT_FOUND",
        ),
    ] {
        assert_unanswered(&admin, query, variables, code).await;
    }
    assert_eq!(server.written(&server.company).await, before);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_value_of_the_wrong_shape_never_reaches_a_command() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let request = mutation("bookingRequest", "");
    for fields in [
        json!({"start": "tomorrow"}),
        json!({"start": "2026-13-45T18:00:00"}),
        json!({"start": "2026-02-30T18:00:00"}),
        json!({"start": "2026-03-14"}),
        json!({"start": "2026-03-14T18:00:00Z"}),
        json!({"start": 1_773_500_000}),
        json!({"start": null}),
        json!({"guests": {"adults": 1.5}}),
        json!({"guests": {"adults": "twelve"}}),
        json!({"guests": {"adults": 99_999_999_999_i64}}),
        json!({"guests": {}}),
        json!({"addOns": [null]}),
        json!({"idempotencyKey": {"a": 1}}),
        json!({"unheardOf": 1}),
    ] {
        let input = with(party("shape"), fields);
        assert_shapeless(&admin, &request, json!({"input": input})).await;
    }
    let money = mutation("paymentRecord", "");
    for amount in [
        json!(10.5),
        json!("ten"),
        json!("99999999999999999999"),
        json!(null),
        json!(true),
    ] {
        let input = json!({
            "idempotencyKey": "shape", "bookingId": "x", "kind": "DEPOSIT", "method": "ZELLE",
            "amountMinor": amount,
        });
        assert_shapeless(&admin, &money, json!({"input": input})).await;
    }
    for query in [
        "{ nope }",
        "{ bookings(first: 1) { nodes { secret } } }",
        "{ bookings { nodes { id } } }",
        "{ booking }",
        "{",
        "",
        "query A { log { position } } query B { log { position } }",
        "{ bookings(first: 1, asOf: {position: 1, at: \"2026-02-10T00:00:00Z\"}) { nodes { id } } }",
        "{ bookings(first: 1, asOf: {position: -1}) { nodes { id } } }",
        "{ taxRates(first: 1, on: \"2026-02-30\") { nodes { id } } }",
        "{ bookings(first: 1, filter: {from: \"yesterday\"}) { nodes { id } } }",
    ] {
        assert_shapeless(&admin, query, json!({})).await;
    }
    assert_eq!(server.written(&server.company).await, before);
}

/// Refused for its shape, before or at the field that it was for.
async fn assert_shapeless(client: &Client, query: &str, variables: Value) {
    let about = format!("{query} {variables}");
    let answer = client.graphql(query, variables).await;
    let error = &answer["errors"][0];
    let code = error["extensions"]["code"].as_str().unwrap_or_default();
    assert!(
        ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&code),
        "{about}: {answer}"
    );
    assert!(error["extensions"]["requestId"].is_string(), "{about}");
    assert!(
        error["message"].as_str().is_some_and(|said| said.len() > 10),
        "{about}"
    );
}

#[tokio::test]
async fn a_query_without_measure_is_not_begun() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", "", party("a")).await;
    server.caught_up(&server.company).await;
    let deep = |times: usize| {
        let nested = "payments(first: 1) { nodes { booking { ".repeat(times);
        format!(
            "{{ bookings(first: 1) {{ nodes {{ {nested} id {} }} }} }}",
            " } } }".repeat(times)
        )
    };
    assert_unanswered(&admin, &deep(5), json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    assert_unanswered(&admin, &deep(200), json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    let wide = "{ bookings(first: 100) { nodes { payments(first: 100) { nodes { id status kind } } } } }";
    assert_unanswered(&admin, wide, json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    let aliases: String = (0..250)
        .map(|number| format!("a{number}: bookings(first: 100) {{ nodes {{ id }} }} "))
        .collect();
    assert_unanswered(
        &admin,
        &format!("{{ {aliases} }}"),
        json!({}),
        "GRAPHQL_VALIDATION_FAILED",
    )
    .await;
    // A length whose product with another is more than any number holds.
    let vast = "{ bookings(first: 2147483647) { nodes { payments(first: 2147483647) {
        nodes { id version kind method status externalRef } } } } }";
    assert_unanswered(&admin, vast, json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    let nested = "payments(first: 100) { nodes { booking { ".repeat(5);
    let nested = format!(
        "{{ bookings(first: 100) {{ nodes {{ {nested} id {} }} }} }}",
        " } } }".repeat(5)
    );
    assert_unanswered(&admin, &nested, json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    // Thirty short fragments, each of which spreads the next three times.
    let spread = |number: u32| {
        format!(
            "fragment F{number} on Query {{ ...F{0} ...F{0} ...F{0} }} ",
            number + 1
        )
    };
    let spreads: String = (0..30).map(spread).collect();
    let bomb = format!("{{ ...F0 }} {spreads} fragment F30 on Query {{ log {{ position }} }}");
    for client in [&admin, &server.nobody()] {
        assert_unanswered(client, &bomb, json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    }
    // A hundred guesses at a password in one request.
    let guess = |number: u32| {
        format!(
            "g{number}: signIn(input: {{ organisation: \"o\", email: \"e@x.test\", password: \"p\" }}) {{ accessToken }} "
        )
    };
    let guesses: String = (0..100).map(guess).collect();
    let guesses = format!("mutation {{ {guesses} }}");
    assert_unanswered(&server.nobody(), &guesses, json!({}), "GRAPHQL_VALIDATION_FAILED").await;
    let fragments = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    assert_unanswered(&admin, fragments, json!({}), "GRAPHQL_VALIDATION_FAILED").await;
}

/// An answer that HTTP itself carries the refusal of.
async fn assert_status(about: &str, request: reqwest::RequestBuilder, status: u16, code: &str) {
    let answer = request.send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{about}: {error:?}"));
    let seen = answer.status().as_u16();
    let by_what = answer.headers().get("www-authenticate");
    assert_eq!(by_what.is_some_and(|by| by == "Bearer"), status == 401, "{about}");
    let named = answer.headers().contains_key("x-request-id");
    let body: Value = answer.json().await.unwrap_or_default();
    let error = &body["errors"][0];
    assert_eq!(
        (seen, error["extensions"]["code"].as_str()),
        (status, Some(code)),
        "{about}: {body}"
    );
    let id = error["extensions"]["requestId"].as_str();
    assert!(named && id.is_some_and(|id| id.len() == 36), "{about}: {body}");
    assert_sentence(about, error);
}

#[tokio::test]
async fn a_request_that_is_not_graphql_is_refused_by_its_status() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let json_type = "application/json";
    let body = |bytes: &'static [u8]| admin.raw().header(CONTENT_TYPE, json_type).body(bytes);
    let long_note = with(party("long"), json!({"note": "x".repeat(1_024 * 1_024)}));
    let request = json!({"query": mutation("bookingRequest", ""), "variables": {"input": long_note}});
    for _ in 0..5 {
        assert_status(
            "a note of 1 MB",
            admin.raw().json(&request),
            413,
            "PAYLOAD_TOO_LARGE",
        )
        .await;
    }
    for (about, bytes) in [
        (
            "a body that is not UTF-8",
            &b"{\"query\": \"{ log { position } }\xff\xfe\"}"[..],
        ),
        ("no body", b""),
        ("no JSON", b"query { log { position } }"),
        ("half of it", b"{\"query\": \"{ log"),
        ("a batch", b"[{\"query\": \"{ log { position } }\"}]"),
        (
            "a batch of two",
            b"[{\"query\": \"{ log { position } }\"}, {\"query\": \"{ log { position } }\"}]",
        ),
        ("a number", b"7"),
        ("nothing", b"null"),
        ("a query that is a number", b"{\"query\": 7}"),
    ] {
        assert_status(about, body(bytes), 400, "BAD_REQUEST").await;
    }
    let deep = format!(
        "{{\"query\": \"{{ log {{ position }} }}\", \"variables\": {}1{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let deep = admin.raw().header(CONTENT_TYPE, json_type).body(deep);
    assert_status("a deep body", deep, 400, "BAD_REQUEST").await;
    let text = "{\"query\": \"{ log { position } }\"}";
    for kind in [
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ] {
        let request = admin.raw().header(CONTENT_TYPE, kind).body(text);
        assert_status(kind, request, 415, "UNSUPPORTED_MEDIA_TYPE").await;
    }
    assert_status(
        "no content type",
        admin.raw().body(text),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )
    .await;
    let got = admin.get("/graphql?query={log{position}}");
    assert_status("a GET", got, 405, "METHOD_NOT_ALLOWED").await;
    let nowhere = admin.get("/nowhere");
    assert_status("a path that there is not", nowhere, 404, "NOT_FOUND").await;
    assert_eq!(server.written(&server.company).await, before);
}

#[tokio::test]
async fn nobody_is_answered_without_a_good_token() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.written(&server.company).await;
    let query = json!({"query": "{ log { position } }"});
    let good = admin.token.clone().unwrap();
    let (rest, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{rest}.{other}{}", &signature[1..]);
    for token in ["x", "", "a.b.c", rest, &changed, &"x".repeat(4_000)] {
        let request = admin.with_token(token).raw().json(&query);
        assert_status("a wrong token", request, 401, "UNAUTHENTICATED").await;
    }
    for header in ["Basic YWRtaW46YWRtaW4=", "Bearer", &good] {
        let request = server.nobody().raw().header("authorization", header).json(&query);
        assert_status("another header", request, 401, "UNAUTHENTICATED").await;
    }
    for query in [
        "{ log { position } }",
        "{ viewer { email } }",
        "{ bookings(first: 1) { nodes { id } } }",
    ] {
        assert_unanswered(&server.nobody(), query, json!({}), "UNAUTHENTICATED").await;
    }
    let request = json!({"input": party("nobody")});
    assert_unanswered(
        &server.nobody(),
        &mutation("bookingRequest", ""),
        request,
        "UNAUTHENTICATED",
    )
    .await;
    let schema = server
        .nobody()
        .graphql("{ __schema { types { name } } }", json!({}))
        .await;
    assert!(!schema.to_string().contains("BookingRequestInput"), "{schema}");
    server.set_clock("2026-02-10T18:09:59Z");
    admin.data("{ log { position } }", json!({})).await;
    server.set_clock("2026-02-10T18:10:00Z");
    assert_status(
        "a token of ten minutes ago",
        admin.raw().json(&query),
        401,
        "UNAUTHENTICATED",
    )
    .await;
    assert_eq!(server.written(&server.company).await, before);
}
