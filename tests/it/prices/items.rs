//! Single items, travel and the minimum of a day, as whoever sets the prices of a station sees them.

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, with};

const LIST: &str =
    "priceList { version items { item label kind price { minor } min { minor } max { minor } } }";

async fn quote(admin: &Client, start: &str, more: &str) -> Value {
    let asked = format!(
        "{{ quote(input: {{zip: \"95112\", start: \"{start}\", guests: {{adults: 12}}{more}}}) {{
            total {{ minor }} lines {{ item total {{ minor }} }} }} }}"
    );
    admin.graphql(&asked, json!({})).await
}

fn total(answer: &Value) -> &Value {
    &answer["data"]["quote"]["total"]["minor"]
}

fn code(answer: &Value) -> &Value {
    &answer["errors"][0]["extensions"]["code"]
}

#[tokio::test]
async fn an_item_comes_on_offer_and_goes_off_it_and_bookings_keep_theirs() {
    let server = Server::start().await;
    let mut admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    let tray = |key: &str, fields: Value| {
        let tray = json!({
            "idempotencyKey": key, "stationId": station, "expectedVersion": 4, "item": "tray", "label": " Noodle tray ",
            "kind": "ADD_ON", "priceMinor": 2_500, "minMinor": 1_000, "maxMinor": 5_000,
        });
        with(tray, fields)
    };
    let added = admin.done("priceItemAdd", LIST, tray("tray", json!({}))).await;
    assert_eq!(added["priceList"]["version"], 5);
    assert_eq!(
        added["priceList"]["items"][3],
        json!({
            "item": "tray", "label": "Noodle tray", "kind": "ADD_ON", "price": {"minor": 2_500},
            "min": {"minor": 1_000}, "max": {"minor": 5_000},
        })
    );
    let again = admin.done("priceItemAdd", "", tray("tray", json!({}))).await;
    assert_eq!(
        (&again["replayed"], &again["position"]),
        (&json!(true), &added["position"])
    );
    let before = server.written(&server.company).await;
    for (code, field, fields) in [
        (
            "VERSION_CONFLICT",
            json!(["expectedVersion"]),
            json!({"expectedVersion": 4}),
        ),
        ("ITEM_EXISTS", json!(["item"]), json!({"expectedVersion": null})),
        (
            "INVALID_ITEM",
            json!(["item"]),
            json!({"expectedVersion": 5, "item": "=SUM(A1)"}),
        ),
        (
            "INVALID_ITEM",
            json!(["item"]),
            json!({"expectedVersion": 5, "item": "nul", "label": "a\u{0}b"}),
        ),
        (
            "GUESTS_PRICED",
            json!(["kind"]),
            json!({"expectedVersion": 5, "item": "aa", "kind": "ADULT"}),
        ),
        (
            "INVALID_RANGE",
            json!(["minMinor"]),
            json!({"expectedVersion": 5, "item": "b", "minMinor": 5_001}),
        ),
        (
            "PRICE_OUT_OF_RANGE",
            json!(["priceMinor"]),
            json!({"expectedVersion": 5, "item": "b", "priceMinor": 999}),
        ),
        (
            "EFFECTIVE_IN_PAST",
            json!(["effectiveFrom"]),
            json!({"expectedVersion": 5, "item": "b", "effectiveFrom": "2020-01-01T00:00:00Z"}),
        ),
        (
            "EFFECTIVE_TOO_FAR",
            json!(["effectiveFrom"]),
            json!({"expectedVersion": 5, "item": "b", "effectiveFrom": "+200000-01-01T00:00:00Z"}),
        ),
        ("NOT_FOUND", json!(["stationId"]), json!({"stationId": "x"})),
    ] {
        let refused = admin
            .command("priceItemAdd", "", tray(&format!("{fields}"), fields))
            .await;
        let told = &refused["userErrors"][0];
        assert_eq!((&told["code"], &told["field"]), (&json!(code), &field), "{told}");
    }
    assert_eq!(server.written(&server.company).await, before);
    let party = "2026-03-14T18:00:00";
    let with_tray = ", addOns: [{item: \"tray\", quantity: 2}]";
    assert_eq!(
        total(&quote(&admin, party, with_tray).await),
        &json!(71_940 + 5_000)
    );

    let retire = |key: &str, from: Value, reason: &str| {
        json!({
            "idempotencyKey": key, "stationId": station, "item": "tray", "effectiveFrom": from, "reason": reason,
        })
    };
    for (code, from, reason) in [
        ("EFFECTIVE_IN_PAST", json!("2026-02-10T17:59:59Z"), "off season"),
        ("INVALID_REASON", Value::Null, " x "),
    ] {
        assert_eq!(
            admin.refused("priceItemRetire", retire(code, from, reason)).await,
            code
        );
    }
    // Finer than the database tells instants apart: what is listed is what was recorded.
    let from = json!("2026-02-11T08:00:00.123456789Z");
    admin
        .done("priceItemRetire", "", retire("retire", from, "off season"))
        .await;
    assert_eq!(total(&quote(&admin, party, with_tray).await), &json!(76_940));
    server.set_clock("2026-02-11T08:00:00.123456Z");
    admin.sign_in_again().await;
    assert_eq!(code(&quote(&admin, party, with_tray).await), "ITEM_UNKNOWN");
    assert_eq!(
        admin
            .refused("priceItemRetire", retire("twice", Value::Null, "once more"))
            .await,
        "ITEM_UNKNOWN"
    );
    let change = json!({
        "idempotencyKey": "fine", "stationId": station, "item": "adult", "priceMinor": 6_500, "reason": "season",
        "effectiveFrom": "2026-05-01T07:00:00.000000999Z",
    });
    admin.done("priceChange", "", change).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn travel_and_the_minimum_of_a_day_are_set_and_shown_and_quoted() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let station = global_id("Station", server.company.san_jose);
    const TERMS: &str = "priceList { version travel { freeMiles perMile { minor } maxMiles }
        minimum { weekday { minor } weekend { minor } below } }";
    let minimum = |key: &str, fields: Value| {
        let minimum = json!({
            "idempotencyKey": key, "stationId": station, "weekdayMinor": 80_000, "weekendMinor": 90_000,
            "below": "TOP_UP",
        });
        with(minimum, fields)
    };
    let travel = |key: &str, fields: Value| {
        let travel = json!({
            "idempotencyKey": key, "stationId": station, "freeMiles": 0, "perMileMinor": 150, "maxMiles": 60,
        });
        with(travel, fields)
    };
    let set = admin
        .done("priceMinimumSet", TERMS, minimum("top up", json!({})))
        .await;
    assert_eq!(
        set["priceList"],
        json!({
            "version": 5, "travel": {"freeMiles": 25, "perMile": {"minor": 200}, "maxMiles": 100},
            "minimum": {"weekday": {"minor": 80_000}, "weekend": {"minor": 90_000}, "below": "TOP_UP"},
        })
    );
    // Thursday 12 and Friday 13 March.
    for (day, least) in [(12, 80_000), (13, 90_000), (15, 90_000), (16, 80_000)] {
        let answer = quote(&admin, &format!("2026-03-{day}T18:00:00"), "").await;
        assert_eq!(total(&answer), &json!(least), "{day}");
    }
    admin
        .done(
            "priceMinimumSet",
            "",
            minimum("refuse", json!({"below": "REFUSE"})),
        )
        .await;
    assert_eq!(
        code(&quote(&admin, "2026-03-12T18:00:00", "").await),
        "BELOW_MINIMUM"
    );
    admin
        .done(
            "priceMinimumSet",
            "",
            minimum("none", json!({"weekdayMinor": 0, "weekendMinor": 0})),
        )
        .await;
    assert_eq!(
        total(&quote(&admin, "2026-03-12T18:00:00", "").await),
        &json!(71_940)
    );
    let set = admin
        .done("priceTravelSet", TERMS, travel("near", json!({})))
        .await;
    assert_eq!(
        set["priceList"]["travel"],
        json!({"freeMiles": 0, "perMile": {"minor": 150}, "maxMiles": 60})
    );
    for (command, field, input) in [
        (
            "priceMinimumSet",
            "weekdayMinor",
            minimum("a", json!({"weekdayMinor": -1})),
        ),
        (
            "priceMinimumSet",
            "weekendMinor",
            minimum("b", json!({"weekendMinor": 1_000_000_001_i64})),
        ),
        (
            "priceTravelSet",
            "freeMiles",
            travel("c", json!({"freeMiles": -1})),
        ),
        (
            "priceTravelSet",
            "perMileMinor",
            travel("d", json!({"perMileMinor": -1})),
        ),
        (
            "priceTravelSet",
            "maxMiles",
            travel("e", json!({"freeMiles": 61})),
        ),
        (
            "bookingPolicySet",
            "depositDueHours",
            json!({"idempotencyKey": "f", "stationId": station, "depositDueHours": 0}),
        ),
    ] {
        let told = admin.command(command, "", input).await["userErrors"][0].take();
        assert_eq!(
            (&told["code"], &told["field"]),
            (&json!("INVALID_TERMS"), &json!([field])),
            "{told}"
        );
    }
    // A station of others is none, and whoever only sees prices sets none.
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let there = server.sign_in_at(&server.company, Role::SuperAdmin, scope).await;
    assert_eq!(
        there.refused("priceTravelSet", travel("g", json!({}))).await,
        "NOT_FOUND"
    );
    let support = server.sign_in(Role::CustomerSupport).await;
    // Nor is told of what somebody who may has done under the key.
    let input = json!({"input": travel("near", json!({}))});
    let refused = support
        .graphql(&tests::http::mutation("priceTravelSet", ""), input)
        .await;
    assert_eq!(code(&refused), "FORBIDDEN");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
