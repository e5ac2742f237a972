//! A quarter, from its first request to its return.

use serde_json::{Value, json};
use tests::http::{Client, Server};

use super::{close, followed, held, paid, people, report};

async fn refunded(client: &Client, payment: &str, key: &str, fields: Value) {
    let input = tests::http::with(
        json!({"idempotencyKey": key, "paymentId": payment, "reason": "cold rice", "handedOver": true}),
        fields,
    );
    client.done("paymentRefund", "", input).await;
}

async fn kinds(client: &Client, period: &str) -> Vec<(String, String, i64)> {
    let query = "query($period: String!) { taxLines(first: 100, state: \"CA\", period: $period) {
        nodes { kind taxDate tax { minor } refundedTax { minor } } } }";
    let lines = client.data(query, json!({"period": period})).await["taxLines"]["nodes"].take();
    let line = |line: &Value| {
        let cents = |field: &str| line[field]["minor"].as_i64().expect("an amount");
        let text = |field: &str| line[field].as_str().expect("a text").to_owned();
        (text("kind"), text("taxDate"), cents("tax") - cents("refundedTax"))
    };
    lines.as_array().expect("a list").iter().map(line).collect()
}

#[tokio::test]
async fn a_quarter_goes_from_a_request_to_its_closing_and_stays_as_it_was() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let booking = held(&server, &mut admin, "first").await;
    accountant.sign_in_again().await;
    // The balance, with a tip that the customer chose; money towards the price changes no tax.
    let balance = paid(
        &admin,
        &booking,
        json!({
            "idempotencyKey": "balance", "kind": "BALANCE", "amountMinor": 75_118, "tipMinor": 12_000,
            "tipChoice": {"screen": "the paper on the table", "preselected": false},
        }),
    )
    .await;
    followed(&server).await;
    let before = report(&accountant, "2026-Q1").await;
    assert_eq!(
        (
            &before["total"]["tax"]["minor"],
            &before["total"]["nonTaxable"]["minor"]
        ),
        (&json!(7_118), &json!(12_000))
    );
    assert_eq!(
        (&before["status"], &before["tipsPayable"]["minor"]),
        (&json!("OPEN"), &json!(12_000))
    );
    let too_early = close(&accountant, "early", "2026-Q1").await;
    assert_eq!(too_early["userErrors"][0]["code"], "TAX_PERIOD_NOT_OVER");
    // A price that is lowered belongs to the day of the refund.
    server.set_clock("2026-03-20T18:00:00Z");
    admin.sign_in_again().await;
    refunded(
        &admin,
        &balance,
        "in march",
        json!({"amountMinor": 10_000, "kind": "PRICE_ADJUSTMENT"}),
    )
    .await;
    followed(&server).await;
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let closed = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(closed["userErrors"], json!([]), "{closed}");
    assert_eq!(closed["taxReport"]["status"], "CLOSED");
    assert_eq!(closed["taxReport"]["total"]["netTax"]["minor"], 7_118 - 836);
    let again = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(
        (&again["replayed"], &again["position"]),
        (&json!(true), &closed["position"])
    );
    let other = close(&accountant, "another key", "2026-Q1").await;
    assert_eq!(other["userErrors"][0]["code"], "TAX_PERIOD_CLOSED");
    let month = close(&accountant, "a month of it", "2026-02").await;
    assert_eq!(month["userErrors"][0]["code"], "TAX_PERIOD_OVERLAPS");
    // What is given back now, at the rate of then, belongs to April.
    refunded(
        &admin,
        &balance,
        "in april",
        json!({"amountMinor": 20_000, "kind": "PRICE_ADJUSTMENT"}),
    )
    .await;
    refunded(
        &admin,
        &balance,
        "the tip",
        json!({"amountMinor": 12_000, "tipMinor": 12_000, "kind": "TIP_ONLY"}),
    )
    .await;
    refunded(
        &admin,
        &balance,
        "kindly",
        json!({"amountMinor": 5_000, "kind": "GOODWILL"}),
    )
    .await;
    followed(&server).await;
    let mut after = report(&accountant, "2026-Q1").await;
    for moves in ["position", "depositsHeld"] {
        after[moves] = closed["taxReport"][moves].clone();
    }
    assert_eq!(after, closed["taxReport"]);
    assert_eq!(
        kinds(&accountant, "2026").await,
        [
            ("sale".to_owned(), "2026-03-14".to_owned(), 7_118),
            ("tip".to_owned(), "2026-03-14".to_owned(), 0),
            ("refund".to_owned(), "2026-03-20".to_owned(), -836),
            ("refund".to_owned(), "2026-04-02".to_owned(), -1_673),
            ("refund".to_owned(), "2026-04-02".to_owned(), 0),
        ]
    );
    opened_again(&accountant).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn opened_again(accountant: &Client) {
    let input =
        json!({"idempotencyKey": "open", "state": "CA", "period": "2026-01-01..2026-03-31", "reason": "x"});
    assert_eq!(
        accountant.refused("taxPeriodReopen", input).await,
        "INVALID_REASON"
    );
    let input = json!({
        "idempotencyKey": "open", "state": "CA", "period": "2026-01-01..2026-03-31", "reason": "a party is missing",
    });
    let opened = accountant
        .done("taxPeriodReopen", "taxReport { status }", input)
        .await;
    assert_eq!(opened["taxReport"]["status"], "OPEN");
    let periods = accountant
        .data(
            "{ taxPeriods(first: 10) { nodes { state period status reason netTax { minor } } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        periods["taxPeriods"]["nodes"],
        json!([{
            "state": "CA", "period": "2026-Q1", "status": "OPEN", "reason": "a party is missing",
            "netTax": {"minor": 7_118 - 836},
        }])
    );
}

#[tokio::test]
async fn a_tip_that_nobody_is_known_to_have_chosen_is_taxed_and_a_void_takes_it_back() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let booking = held(&server, &mut admin, "first").await;
    accountant.sign_in_again().await;
    let tip = paid(
        &admin,
        &booking,
        json!({"idempotencyKey": "tip", "kind": "TIP", "amountMinor": 10_000, "method": "CASH"}),
    )
    .await;
    followed(&server).await;
    let with_tip = report(&accountant, "2026-Q1").await;
    let taxed = domain::tax::extract(domain::money::Cents(95_118), domain::money::RatePpm(91_250));
    assert_eq!(with_tip["total"]["netTax"]["minor"], taxed.tax_cents.0);
    let other = server.sign_in(domain::access::Role::SuperAdmin).await;
    let void = json!({"idempotencyKey": "void", "paymentId": tip, "reason": "counted twice"});
    other.done("paymentVoid", "", void).await;
    followed(&server).await;
    let without = report(&accountant, "2026-Q1").await;
    assert_eq!(without["total"]["netTax"]["minor"], 7_118);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_moves_before_the_party_is_put_on_record_when_it_is_held() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let booking = super::confirmed(&server, &admin, tests::http::party("first")).await;
    let fields =
        json!({"tipMinor": 9_000, "tipChoice": {"screen": "the booking page", "preselected": false}});
    let kept = json!({"idempotencyKey": "kept", "kind": "BALANCE", "amountMinor": 30_000});
    paid(&admin, &booking, tests::http::with(kept, fields.clone())).await;
    let back = json!({"idempotencyKey": "back", "kind": "BALANCE", "amountMinor": 30_000});
    let back = paid(&admin, &booking, tests::http::with(back, fields)).await;
    refunded(
        &admin,
        &back,
        "the tip",
        json!({"amountMinor": 9_000, "tipMinor": 9_000, "kind": "TIP_ONLY"}),
    )
    .await;
    followed(&server).await;
    assert_eq!(report(&accountant, "2026").await["total"]["gross"]["minor"], 0);
    server.set_clock(tests::http::PARTY_UTC);
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    super::completed(&server, &admin, &booking).await;
    let lines = kinds(&accountant, "2026").await;
    let kinds: Vec<&str> = lines.iter().map(|(kind, _, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["sale", "tip"]);
    assert_eq!(
        report(&accountant, "2026").await["total"]["nonTaxable"]["minor"],
        9_000
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}
