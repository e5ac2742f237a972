//! What proves wrong later: a rate that is loaded late or was typed wrong, a place, a county; and what keeps a place as a
//! person found it.

use domain::access::{Role, StationScope};
use domain::money::{Cents, RatePpm};
use domain::tax::extract;
use serde_json::{Value, json};
use tests::http::{Client, PARTY_UTC, Server, party, with};

use super::{close, completed, confirmed, followed, held, paid, people, report};

fn rate(key: &str, ppm: &str, from: &str) -> Value {
    json!({
        "idempotencyKey": key, "state": "CA", "county": "Santa Clara", "rate": ppm, "effectiveFrom": from,
    })
}

fn tax_of(gross: i64, ppm: i64) -> i64 {
    extract(Cents(gross), RatePpm(ppm)).tax_cents.0
}

/// The rows of a report as county, city, rate, parties and tax that is left.
async fn rows(client: &Client, period: &str) -> Vec<(String, Value, String, i64, i64)> {
    let report = report(client, period).await;
    let row = |row: &Value| {
        let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
        let orders = row["orders"].as_i64().expect("a count");
        let tax = row["netTax"]["minor"].as_i64().expect("an amount");
        (text("county"), row["city"].clone(), text("rate"), orders, tax)
    };
    report["rows"]
        .as_array()
        .expect("a list")
        .iter()
        .map(row)
        .collect()
}

async fn place_by_hand(client: &Client, key: &str, booking: &str, city: &str) {
    let input = json!({
        "idempotencyKey": key, "bookingId": booking, "state": "CA", "county": "Santa Clara", "city": city,
        "reason": "looked at the map",
    });
    client.done("bookingTaxPlaceSet", "", input).await;
}

async fn given_back(client: &Client, key: &str, payment: &str, cents: i64) {
    let input = json!({
        "idempotencyKey": key, "paymentId": payment, "amountMinor": cents, "kind": "PRICE_ADJUSTMENT",
        "reason": "cold rice", "handedOver": true,
    });
    client.done("paymentRefund", "", input).await;
}

fn county(tax: i64, orders: i64, rate: &str) -> (String, Value, String, i64, i64) {
    (
        "Santa Clara".to_owned(),
        Value::Null,
        rate.to_owned(),
        orders,
        tax,
    )
}

#[tokio::test]
async fn a_rate_that_is_loaded_after_the_party_and_was_in_force_on_its_day_is_taken() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let city = |key: &str, ppm: &str| with(rate(key, ppm, "2021-07-01"), json!({"city": "San Jose"}));
    held(&server, &mut admin, "first").await;
    accountant.sign_in_again().await;
    assert_eq!(rows(&accountant, "2026-Q1").await, [county(7_118, 1, "0.09125")]);
    // Of another city: nothing of the party's.
    let elsewhere = with(city("elsewhere", "0.095"), json!({"city": "Campbell"}));
    accountant.done("taxRateSet", "", elsewhere).await;
    followed(&server).await;
    assert_eq!(rows(&accountant, "2026-Q1").await, [county(7_118, 1, "0.09125")]);
    accountant.done("taxRateSet", "", city("late", "0.09375")).await;
    followed(&server).await;
    assert_eq!(
        rows(&accountant, "2026-Q1").await,
        [
            county(0, 0, "0.09125"),
            (
                "Santa Clara".to_owned(),
                json!("San Jose"),
                "0.09375".to_owned(),
                1,
                tax_of(85_118, 93_750)
            ),
        ]
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_rate_that_was_typed_wrong_is_corrected_and_so_are_the_parties_held_under_it() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    held(&server, &mut admin, "first").await;
    accountant.sign_in_again().await;
    let wrong = rate("right", "0.0925", "2021-07-01");
    assert_eq!(
        accountant.refused("taxRateSet", wrong.clone()).await,
        "RATE_OVERLAPS"
    );
    let say = |correction: &str| with(wrong.clone(), json!({"correction": correction}));
    assert_eq!(accountant.refused("taxRateSet", say("x")).await, "INVALID_REASON");
    let nothing = with(say("a typing error"), json!({"effectiveFrom": "2021-07-02"}));
    assert_eq!(accountant.refused("taxRateSet", nothing).await, "RATE_NOT_FOUND");
    let set = accountant
        .done(
            "taxRateSet",
            "taxRate { rate effectiveUntil }",
            say("a typing error"),
        )
        .await;
    assert_eq!(
        set["taxRate"],
        json!({"rate": "0.0925", "effectiveUntil": "2026-03-31"})
    );
    followed(&server).await;
    assert_eq!(
        rows(&accountant, "2026-Q1").await,
        [
            county(0, 0, "0.09125"),
            county(tax_of(85_118, 92_500), 1, "0.0925")
        ]
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// A refund has a day of its own: the correction has lines on two days, and moves one party.
#[tokio::test]
async fn a_party_with_a_refund_in_another_month_is_counted_once_where_its_tax_belongs() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let booking = held(&server, &mut admin, "first").await;
    let balance = json!({"idempotencyKey": "balance", "kind": "BALANCE", "amountMinor": 75_118});
    let balance = paid(&admin, &booking, balance).await;
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    given_back(&admin, "back", &balance, 10_000).await;
    followed(&server).await;
    let city = with(rate("city", "0.09375", "2021-07-01"), json!({"city": "Campbell"}));
    accountant.done("taxRateSet", "", city).await;
    place_by_hand(&accountant, "place", &booking, "Campbell").await;
    server.caught_up(&server.company).await;
    let there = |tax: i64, orders: i64| {
        (
            "Santa Clara".to_owned(),
            json!("Campbell"),
            "0.09375".to_owned(),
            orders,
            tax,
        )
    };
    let (tax, back) = (tax_of(85_118, 93_750), 857);
    assert_eq!(
        rows(&accountant, "2026-Q1").await,
        [county(0, 0, "0.09125"), there(tax, 1)]
    );
    assert_eq!(
        rows(&accountant, "2026-Q2").await,
        [county(0, 0, "0.09125"), there(-back, 0)]
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_move_takes_the_rate_of_the_new_day_and_place_and_the_same_venue_stays_where_a_person_put_it() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    for (key, city) in [("one", "San Jose"), ("two", "Campbell")] {
        let until = json!({"city": city, "effectiveUntil": "2026-03-31"});
        let ppm = if city == "San Jose" { "0.09375" } else { "0.095" };
        accountant
            .done("taxRateSet", "", with(rate(key, ppm, "2021-07-01"), until))
            .await;
    }
    let booking = confirmed(&server, &admin, party("first")).await;
    place_by_hand(&accountant, "place", &booking, "Campbell").await;
    let moved = async |key: &str, fields: Value| {
        let input = json!({
            "idempotencyKey": key, "bookingId": booking, "byCompany": true, "reason": "the kitchen is being painted",
        });
        admin.done("bookingReschedule", "", with(input, fields)).await;
    };
    let venue = |street: &str, city: &str, zip: &str| json!({"street": street, "city": city, "state": "CA", "zip": zip});
    // The same address, written once more; a day later.
    let same = venue(" 1 Main St", "San Jose", "95112");
    moved("same", json!({"start": "2026-03-15T18:00:00", "venue": same})).await;
    server.set_clock("2026-03-16T02:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    completed(&server, &admin, &booking).await;
    assert_eq!(
        rows(&accountant, "2026-Q1").await,
        [(
            "Santa Clara".to_owned(),
            json!("Campbell"),
            "0.095".to_owned(),
            1,
            tax_of(85_118, 95_000)
        )]
    );
    // Another party moves over the quarter's start, and then to another place.
    let second = with(party("second"), json!({"start": "2026-03-28T18:00:00"}));
    let second = confirmed(&server, &admin, second).await;
    let input = json!({
        "idempotencyKey": "over", "bookingId": second, "byCompany": true, "reason": "a burst pipe",
        "start": "2026-04-04T18:00:00", "venue": venue("9 Oak St", "Milpitas", "95136"),
    });
    admin.done("bookingReschedule", "", input).await;
    let told = "query($id: ID!) { booking(id: $id) { total { minor } } }";
    let gross = admin.data(told, json!({"id": second})).await["booking"]["total"]["minor"].as_i64();
    server.set_clock("2026-04-05T02:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    completed(&server, &admin, &second).await;
    let gross = gross.expect("an amount");
    assert_eq!(
        rows(&accountant, "2026-Q2").await,
        [county(tax_of(gross, 97_500), 1, "0.0975")]
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// The county that was named with the address is not the one that most of the ZIP lies in, and its city is not certain.
#[tokio::test]
async fn a_county_that_was_named_stays_the_one_that_is_owed_the_tax() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let city = with(rate("city", "0.09375", "2021-07-01"), json!({"city": "San Jose"}));
    accountant.done("taxRateSet", "", city).await;
    let at = |county: &str| {
        let venue = json!({
            "street": "1 Main St", "city": "Stanford", "state": "CA", "zip": "94303", "county": county,
        });
        with(party("first"), json!({"venue": venue}))
    };
    assert_eq!(
        admin.refused("bookingRequest", at("Alameda")).await,
        "COUNTY_NOT_OF_ZIP"
    );
    let booking = confirmed(&server, &admin, at("Santa Clara")).await;
    server.set_clock(PARTY_UTC);
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    completed(&server, &admin, &booking).await;
    let found = rows(&accountant, "2026-Q1").await;
    let told: Vec<_> = found
        .iter()
        .map(|row| (row.0.as_str(), row.2.as_str(), row.3))
        .collect();
    assert_eq!(told, [("Santa Clara", "0.09125", 1)]);
    server.set_clock("2026-04-02T18:00:00Z");
    accountant.sign_in_again().await;
    let refused = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(refused["userErrors"][0]["code"], "TAX_PERIOD_UNRESOLVED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_is_kept_to_a_station_closes_nothing_and_chooses_nothing() {
    let server = Server::start().await;
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let kept = server.sign_in_at(&server.company, Role::Accountant, scope).await;
    let period = json!({"idempotencyKey": "close", "state": "CA", "period": "2025-Q4"});
    assert_eq!(
        kept.refused("taxPeriodClose", period.clone()).await,
        "NEEDS_ALL_STATIONS"
    );
    let reopen = with(period, json!({"reason": "a mistake"}));
    assert_eq!(
        kept.refused("taxPeriodReopen", reopen).await,
        "NEEDS_ALL_STATIONS"
    );
    let fee =
        json!({"idempotencyKey": "fee", "cardFee": "ON_TAXED_CHARGES", "reason": "our adviser says so"});
    assert_eq!(kept.refused("cardFeeTaxChoose", fee).await, "NEEDS_ALL_STATIONS");
}

#[tokio::test]
async fn how_card_fees_are_taxed_is_chosen_with_a_reason_and_changes_once() {
    let server = Server::start().await;
    let accountant = server.sign_in(Role::Accountant).await;
    let choose =
        |key: &str, how: &str, reason: &str| json!({"idempotencyKey": key, "cardFee": how, "reason": reason});
    let input = choose("short", "ON_TAXED_CHARGES", "x");
    assert_eq!(
        accountant.refused("cardFeeTaxChoose", input).await,
        "INVALID_REASON"
    );
    let input = choose("whole", "WHOLE", "as it is already");
    assert_eq!(accountant.refused("cardFeeTaxChoose", input).await, "UNCHANGED");
    let input = choose("part", "ON_TAXED_CHARGES", "our adviser says so");
    let chosen = accountant.done("cardFeeTaxChoose", "", input.clone()).await;
    let again = accountant.done("cardFeeTaxChoose", "", input).await;
    assert_eq!(
        (&again["replayed"], &again["position"]),
        (&json!(true), &chosen["position"])
    );
}

#[tokio::test]
async fn a_file_with_rates_of_too_many_counties_is_refused_whole() {
    let server = Server::start().await;
    let accountant = server.sign_in(Role::Accountant).await;
    let before = server.written(&server.company).await;
    let mut csv = "state,county,city,rate,effective_from,effective_until\n".to_owned();
    for number in 0..=200 {
        csv.push_str(&format!("CA,County {number},,0.09,2021-07-01,\n"));
    }
    let import = json!({"idempotencyKey": "many", "csv": csv});
    assert_eq!(
        accountant.refused("taxRatesImport", import).await,
        "TOO_MANY_COUNTIES"
    );
    assert_eq!(server.written(&server.company).await, before);
}
