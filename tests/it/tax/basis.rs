//! The same quarter by the day of the event and by the day of payment.

use serde_json::{Value, json};
use tests::http::{Client, Server};

use super::{followed, held, paid, people};

/// Parties, gross, tips and tax that is left, on a basis.
async fn by(client: &Client, basis: &str, period: &str) -> [i64; 4] {
    let query = "query($period: String!, $basis: TaxBasis!) {
        taxReport(state: \"CA\", period: $period, basis: $basis) { basis status total {
            orders gross { minor } nonTaxable { minor } netTax { minor } } } }";
    let report = client
        .data(query, json!({"period": period, "basis": basis}))
        .await["taxReport"]
        .take();
    assert_eq!(
        (&report["basis"], &report["status"]),
        (&json!(basis), &json!("OPEN"))
    );
    let total = &report["total"];
    let cents = |field: &str| total[field]["minor"].as_i64().expect("an amount");
    let orders = total["orders"].as_i64().expect("a count");
    [orders, cents("gross"), cents("nonTaxable"), cents("netTax")]
}

fn of_payment(key: &str, cents: i64) -> Value {
    json!({"idempotencyKey": key, "kind": "BALANCE", "amountMinor": cents})
}

#[tokio::test]
async fn what_was_paid_is_taxed_on_its_own_day_and_all_of_it_comes_to_the_same() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    // The deposit comes when the party is asked for.
    let asked_on = server
        .now()
        .with_timezone(&chrono_tz::America::Los_Angeles)
        .date_naive();
    let deposited = format!("{asked_on}..{asked_on}");
    let booking = held(&server, &mut admin, "first").await;
    accountant.sign_in_again().await;
    let (accrual, cash) = ("EVENT_DATE", "PAYMENT_DATE");
    assert_eq!(by(&accountant, cash, &deposited).await, [1, 10_000, 0, 836]);
    assert_eq!(by(&accountant, accrual, &deposited).await, [0, 0, 0, 0]);
    assert_eq!(by(&accountant, cash, "2026").await, [1, 10_000, 0, 836]);
    assert_eq!(by(&accountant, accrual, "2026").await, [1, 85_118, 0, 7_118]);
    // Eleven in the evening of the last day of March in San Jose.
    server.set_clock("2026-04-01T06:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let chosen = json!({"tipMinor": 12_000, "tipChoice": {"screen": "the page", "preselected": false}});
    let balance = paid(
        &admin,
        &booking,
        tests::http::with(of_payment("balance", 75_118), chosen),
    )
    .await;
    followed(&server).await;
    assert_eq!(
        by(&accountant, cash, "2026-03-31..2026-03-31").await,
        [0, 87_118, 12_000, 6_282]
    );
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let back = json!({
        "idempotencyKey": "back", "paymentId": balance, "amountMinor": 10_000, "kind": "PRICE_ADJUSTMENT",
        "reason": "cold rice", "handedOver": true,
    });
    admin.done("paymentRefund", "", back).await;
    // Paid twice by mistake, and given back: neither is taxed.
    let twice = paid(&admin, &booking, of_payment("twice", 20_000)).await;
    let too_much = json!({
        "idempotencyKey": "too much", "paymentId": twice, "amountMinor": 20_000, "kind": "OVERPAYMENT",
        "reason": "paid twice", "handedOver": true,
    });
    admin.done("paymentRefund", "", too_much).await;
    followed(&server).await;
    assert_eq!(by(&accountant, cash, "2026-Q2").await, [0, 0, 0, -836]);
    let year = by(&accountant, accrual, "2026").await;
    assert_eq!(by(&accountant, cash, "2026").await, year);
    assert_eq!(year, [1, 97_118, 12_000, 7_118 - 836]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
