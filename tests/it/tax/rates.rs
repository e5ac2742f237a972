//! Rates and places: a file of rates, a place that a person sets, a rate that is loaded late.

use serde_json::{Value, json};
use tests::http::{PARTY_UTC, Server, party, with};

use super::{close, completed, confirmed, followed, held, people, report};

#[tokio::test]
async fn a_file_of_rates_is_taken_whole_or_not_at_all_and_comes_out_again_as_it_went_in() {
    let server = Server::start().await;
    let (accountant, _) = people(&server).await;
    let head = "state,county,city,rate,effective_from,effective_until,source,zips\r\n";
    let good = format!(
        "{head}CA,Alameda,,0.1025,2021-07-01,,county,\r\nCA,Alameda,Hayward,0.1075,2021-07-01,,\"City, of Hayward\",94541 94544\r\n"
    );
    let bad = format!("{good}CA,Alameda,,0.11,2021-07-01,,again,\r\nCA,Yolo,,9,2021-07-01,,in per cent,\r\n");
    let import = |key: &str, csv: &str| json!({"idempotencyKey": key, "csv": csv});
    let before = server.written(&server.company).await;
    let refused = accountant
        .command("taxRatesImport", "badRows { line code }", import("bad", &bad))
        .await;
    assert_eq!(refused["badRows"], json!([{"line": 5, "code": "INVALID_RATE"}]));
    let overlapping = bad.replace(",9,", ",0.09,");
    let refused = accountant
        .command(
            "taxRatesImport",
            "badRows { line code }",
            import("bad", &overlapping),
        )
        .await;
    assert_eq!(refused["badRows"], json!([{"line": 4, "code": "RATE_OVERLAPS"}]));
    assert_eq!(server.written(&server.company).await, before);
    let taken = accountant.done("taxRatesImport", "", import("good", &good)).await;
    let again = accountant.done("taxRatesImport", "", import("good", &good)).await;
    assert_eq!(
        (&again["replayed"], &again["position"]),
        (&json!(true), &taken["position"])
    );
    assert_eq!(
        accountant.refused("taxRatesImport", import("twice", &good)).await,
        "UNCHANGED"
    );
    server.caught_up(&server.company).await;
    let out = accountant.data("{ taxRatesCsv }", json!({})).await["taxRatesCsv"].take();
    let out = out.as_str().expect("a text").to_owned();
    assert!(
        out.contains("CA,Alameda,Hayward,0.1075,2021-07-01,,\"City, of Hayward\",94541 94544\r\n"),
        "{out}"
    );
    assert_eq!(
        accountant.refused("taxRatesImport", import("out", &out)).await,
        "UNCHANGED"
    );
    let rates = "{ taxRates(first: 10, on: \"2026-03-01\") { nodes { county city rate zips } } }";
    let rates = accountant.data(rates, json!({})).await;
    assert_eq!(
        rates["taxRates"]["nodes"][1],
        json!({"county": "Alameda", "city": "Hayward", "rate": "0.1075", "zips": ["94541", "94544"]})
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// A party in a county without a rate.
fn without_rate(key: &str) -> Value {
    with(
        party(key),
        json!({"venue": {"street": "1 Main St", "city": "Hayward", "state": "CA", "zip": "94541"}}),
    )
}

#[tokio::test]
async fn a_party_without_a_rate_keeps_its_period_open_until_one_is_loaded() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let booking = confirmed(&server, &admin, without_rate("first")).await;
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    completed(&server, &admin, &booking).await;
    server.set_clock("2026-04-02T18:00:00Z");
    accountant.sign_in_again().await;
    let open = report(&accountant, "2026-Q1").await;
    assert_eq!(
        (&open["unresolved"], &open["rows"][0]["rate"]),
        (&json!(1), &Value::Null)
    );
    let refused = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(refused["userErrors"][0]["code"], "TAX_PERIOD_UNRESOLVED");
    let resolve = |key: &str| json!({"idempotencyKey": key, "bookingId": booking});
    assert_eq!(
        accountant
            .refused("bookingTaxResolve", resolve("too early"))
            .await,
        "UNCHANGED"
    );
    let rate = json!({
        "idempotencyKey": "rate", "state": "CA", "county": "Alameda", "rate": "0.1025",
        "effectiveFrom": "2021-07-01",
    });
    accountant.done("taxRateSet", "", rate).await;
    followed(&server).await;
    assert_eq!(
        accountant.refused("bookingTaxResolve", resolve("too late")).await,
        "UNCHANGED"
    );
    let resolved = report(&accountant, "2026-Q1").await;
    // The way to Hayward is paid for, and taxed with the party.
    let gross = resolved["total"]["gross"]["minor"].as_i64().expect("an amount");
    let tax = domain::tax::extract(domain::money::Cents(gross), domain::money::RatePpm(102_500)).tax_cents;
    assert!(gross > 85_118);
    assert_eq!(
        (
            &resolved["unresolved"],
            &resolved["total"]["orders"],
            &resolved["total"]["netTax"]["minor"]
        ),
        (&json!(0), &json!(1), &json!(tax.0))
    );
    let closed = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(closed["userErrors"], json!([]), "{closed}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_place_set_by_hand_after_the_party_moves_its_tax_to_the_day_that_is_open() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let rate = json!({
        "idempotencyKey": "rate", "state": "CA", "county": "Santa Clara", "city": "San Jose", "rate": "0.09375",
        "effectiveFrom": "2021-07-01",
    });
    let booking = held(&server, &mut admin, "first").await;
    server.set_clock("2026-04-02T18:00:00Z");
    accountant.sign_in_again().await;
    let closed = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(closed["userErrors"], json!([]), "{closed}");
    accountant.done("taxRateSet", "", rate).await;
    let place = |fields| {
        with(
            json!({
                "idempotencyKey": "place", "bookingId": booking, "state": "CA", "county": "Santa Clara",
                "city": "san jose", "reason": "looked at the map",
            }),
            fields,
        )
    };
    assert_eq!(
        accountant
            .refused("bookingTaxPlaceSet", place(json!({"reason": ""})))
            .await,
        "INVALID_REASON"
    );
    assert_eq!(
        accountant
            .refused("bookingTaxPlaceSet", place(json!({"state": "California"})))
            .await,
        "INVALID_STATE"
    );
    accountant.done("bookingTaxPlaceSet", "", place(json!({}))).await;
    assert_eq!(
        accountant
            .refused("bookingTaxPlaceSet", place(json!({"idempotencyKey": "again"})))
            .await,
        "UNCHANGED"
    );
    server.caught_up(&server.company).await;
    let before = report(&accountant, "2026-Q1").await;
    assert_eq!(before["checksum"], closed["taxReport"]["checksum"]);
    let after = report(&accountant, "2026-Q2").await;
    let tax = domain::tax::extract(domain::money::Cents(85_118), domain::money::RatePpm(93_750))
        .tax_cents
        .0;
    let row = |city: Value, rate: &str, orders: i32, tax: i64| {
        json!({
            "county": "Santa Clara", "city": city, "rate": rate, "orders": orders, "tax": {"minor": tax},
            "refundedTax": {"minor": 0}, "netTax": {"minor": tax}, "variance": {"minor": 0},
        })
    };
    assert_eq!(
        after["rows"],
        json!([
            row(Value::Null, "0.09125", -1, -7_118),
            row(json!("San Jose"), "0.09375", 1, tax),
        ])
    );
    let year = "{ taxReport(state: \"CA\", period: \"2026\") { counties { county total { netTax { minor } }
        districts { city netTax { minor } } } } }";
    let year = accountant.data(year, json!({})).await;
    assert_eq!(
        year["taxReport"]["counties"],
        json!([{
            "county": "Santa Clara", "total": {"netTax": {"minor": tax}},
            "districts": [{"city": null, "netTax": {"minor": 0}}, {"city": "San Jose", "netTax": {"minor": tax}}],
        }])
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_rate_that_was_set_after_the_request_is_taken_when_the_party_is_held() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let booking = confirmed(&server, &admin, without_rate("first")).await;
    let rate = json!({
        "idempotencyKey": "rate", "state": "CA", "county": "Alameda", "rate": "0.1025",
        "effectiveFrom": "2021-07-01",
    });
    accountant.done("taxRateSet", "", rate).await;
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    completed(&server, &admin, &booking).await;
    let now = report(&accountant, "2026-Q1").await;
    assert_eq!(
        (&now["unresolved"], &now["rows"][0]["rate"]),
        (&json!(0), &json!("0.1025"))
    );
    let told = "query($id: ID!) { booking(id: $id) { audit(first: 10) { nodes { type } } } }";
    let told = admin.data(told, json!({"id": booking})).await;
    let types = told["booking"]["audit"]["nodes"].to_string();
    assert!(types.contains("booking.tax_place_set"), "{types}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
