//! What is kept of a booking that was called off: no sale, unless the company has chosen that it is one.

use std::collections::BTreeMap;

use projections::tax_export::{Checked, check};
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};

use super::{close, confirmed, followed, paid, people, report};

/// The evening before the party, in San Jose: too late for anything to be given back.
const TOO_LATE: &str = "2026-03-14T03:00:00Z";

async fn choose(client: &Client, key: &str, kept_deposit: &str) {
    let input = json!({
        "idempotencyKey": key, "keptDeposit": kept_deposit, "reason": "our accountant says so",
    });
    client.done("keptDepositTaxChoose", "", input).await;
}

async fn called_off(server: &Server, client: &Client, booking: &str) {
    let cancel = json!({
        "idempotencyKey": format!("off {booking}"), "bookingId": booking, "reason": "plans changed",
    });
    client.done("bookingCancel", "", cancel).await;
    followed(server).await;
}

async fn refunded(server: &Server, client: &Client, payment: &str, cents: i64, kind: &str) {
    let input = json!({
        "idempotencyKey": format!("back {payment} {cents}"), "paymentId": payment, "amountMinor": cents, "kind": kind,
        "reason": "be kind", "handedOver": true,
    });
    client.done("paymentRefund", "", input).await;
    followed(server).await;
}

/// A booking with its deposit, and the deposit's payment.
async fn with_deposit(server: &Server, client: &Client, key: &str) -> (String, String) {
    let booking = confirmed(server, client, party(key)).await;
    let query = "query($id: ID!) { booking(id: $id) { payments(first: 1) { nodes { id } } } }";
    let mut found = client.data(query, json!({"id": booking})).await;
    let payment = found["booking"]["payments"]["nodes"][0]["id"].take();
    (booking, payment.as_str().expect("an id").to_owned())
}

/// Parties, what was charged, what was given back and the tax that is left.
async fn total(client: &Client, period: &str) -> [i64; 4] {
    let report = report(client, period).await;
    let total = &report["total"];
    let cents = |field: &str| total[field]["minor"].as_i64().expect("an amount");
    let orders = total["orders"].as_i64().expect("a count");
    [orders, cents("gross"), cents("refunded"), cents("netTax")]
}

async fn lines(client: &Client, period: &str) -> Vec<(String, String, i64)> {
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

/// The accounts that are not even, in books that balance.
async fn books(client: &Client) -> BTreeMap<String, i64> {
    let query = "{ trialBalance { sum { amount } accounts { account balance { minor } } } }";
    let trial = client.data(query, json!({})).await["trialBalance"].take();
    assert_eq!(trial["sum"]["amount"], "0.00");
    let accounts = trial["accounts"].as_array().expect("a list").iter();
    let balance = |account: &Value| {
        let cents = account["balance"]["minor"].as_i64().expect("an amount");
        (account["account"].as_str().expect("a name").to_owned(), cents)
    };
    accounts.map(balance).filter(|(_, cents)| *cents != 0).collect()
}

fn accounts(balances: &[(&str, i64)]) -> BTreeMap<String, i64> {
    let owned = |(name, cents): &(&str, i64)| ((*name).to_owned(), *cents);
    balances.iter().map(owned).collect()
}

/// The same by the day of payment.
async fn by_payment(client: &Client, period: &str) -> [i64; 4] {
    let query = "query($period: String!) { taxReport(state: \"CA\", period: $period, basis: PAYMENT_DATE) {
        total { orders gross { minor } refunded { minor } netTax { minor } } } }";
    let report = client.data(query, json!({"period": period})).await;
    let total = &report["taxReport"]["total"];
    let cents = |field: &str| total[field]["minor"].as_i64().expect("an amount");
    let orders = total["orders"].as_i64().expect("a count");
    [orders, cents("gross"), cents("refunded"), cents("netTax")]
}

/// The lines and the summary as files, which the log says the same as.
async fn assert_files_hold(server: &Server, client: &Client, period: &str) {
    let place = tempfile::tempdir().expect("there is room for files");
    let token = client.token.as_ref().expect("somebody has signed in");
    let files = [
        ("detail", "csv", "event-date"),
        ("summary", "csv", "event-date"),
        ("detail", "xlsx", "event-date"),
        ("detail", "csv", "payment-date"),
    ];
    for (part, format, basis) in files {
        let path = format!("/exports/tax?state=CA&period={period}&format={format}&part={part}&basis={basis}");
        let answer = client.get(&path).bearer_auth(token).send().await;
        let bytes = answer.expect("the program answers").bytes().await;
        let file = place.path().join(format!("{part}.{format}"));
        std::fs::write(&file, bytes.expect("the file comes whole")).expect("the directory is ours");
        let checked = check(&server.app.views, server.company.tenant, &file).await;
        let checked: Checked = checked.expect("the file is an export");
        assert!(
            checked.differences.is_empty(),
            "{part}.{format}: {:?}",
            checked.differences
        );
    }
}

#[tokio::test]
async fn what_is_kept_is_a_sale_where_the_company_has_chosen_so_and_goes_back_in_parts() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    choose(&accountant, "sale", "SALE").await;
    let (booking, deposit) = with_deposit(&server, &admin, "first").await;
    server.set_clock(TOO_LATE);
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    assert_eq!(total(&accountant, "2026").await, [0, 0, 0, 0]);
    called_off(&server, &admin, &booking).await;
    assert_eq!(total(&accountant, "2026-03").await, [0, 10_000, 0, 836]);
    let kept = ("kept_deposit".to_owned(), "2026-03-13".to_owned(), 836);
    assert_eq!(lines(&accountant, "2026").await, [kept]);
    let payable = "Liabilities:Tax-Payable:CA:Santa-Clara";
    assert_eq!(
        books(&accountant).await,
        accounts(&[
            ("Assets:Clearing:Zelle", 10_000),
            ("Income:Sales", -9_164),
            (payable, -836)
        ])
    );
    assert_eq!(by_payment(&accountant, "2026").await, [0, 10_000, 0, 836]);
    assert_eq!(by_payment(&accountant, "2026-03").await, [0, 0, 0, 0]);
    assert_files_hold(&server, &accountant, "2026").await;
    // Another month, in two parts, whatever each is called.
    server.set_clock("2026-04-02T18:00:00Z");
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    let closed = close(&accountant, "close", "2026-Q1").await;
    assert_eq!(closed["userErrors"], json!([]), "{closed}");
    refunded(&server, &admin, &deposit, 4_000, "GOODWILL").await;
    assert_eq!(total(&accountant, "2026-04").await, [0, 0, 4_000, -334]);
    refunded(&server, &admin, &deposit, 6_000, "CANCELLED_BEFORE_SERVICE").await;
    assert_eq!(total(&accountant, "2026-03").await, [0, 10_000, 0, 836]);
    assert_eq!(total(&accountant, "2026-04").await, [0, 0, 10_000, -836]);
    assert_eq!(total(&accountant, "2026").await, [0, 10_000, 10_000, 0]);
    assert_eq!(by_payment(&accountant, "2026-04").await, [0, 0, 10_000, -836]);
    assert_eq!(
        books(&accountant).await,
        accounts(&[("Income:Refunds", 9_164), ("Income:Sales", -9_164)])
    );
    assert_files_hold(&server, &accountant, "2026").await;
    let put_away = json!({"idempotencyKey": "away", "bookingId": booking, "reason": "made by mistake"});
    assert_eq!(admin.refused("bookingDelete", put_away).await, "WRONG_STATE");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_is_kept_is_no_sale_until_the_company_chooses_so_and_the_past_stays() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    let (before, deposit) = with_deposit(&server, &admin, "before").await;
    server.set_clock(TOO_LATE);
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    called_off(&server, &admin, &before).await;
    choose(&accountant, "sale", "SALE").await;
    refunded(&server, &admin, &deposit, 1_000, "GOODWILL").await;
    assert_eq!(total(&accountant, "2026").await, [0, 0, 0, 0]);
    let kept = books(&accountant).await;
    assert_eq!(kept["Income:Kept-Deposits"], -10_000);
    // Asked for before the choice, and called off after it; with what is proposed to be given back.
    let soon = with(party("after"), json!({"start": "2026-03-20T18:00:00"}));
    let after = confirmed(&server, &admin, soon).await;
    let balance = json!({"idempotencyKey": "balance", "kind": "BALANCE", "amountMinor": 10_001});
    let balance = paid(&admin, &after, balance).await;
    followed(&server).await;
    called_off(&server, &admin, &after).await;
    let query = "query($id: ID!) { booking(id: $id) { refundProposal { proposed { minor } } } }";
    let told = admin.data(query, json!({"id": after})).await;
    let proposed = told["booking"]["refundProposal"]["proposed"]["minor"].as_i64();
    let proposed = proposed.expect("an amount");
    let [_, gross, _, tax] = total(&accountant, "2026").await;
    assert_eq!(gross, 20_001 - proposed);
    if proposed > 0 {
        refunded(&server, &admin, &balance, proposed, "CANCELLED_BEFORE_SERVICE").await;
        assert_eq!(
            total(&accountant, "2026").await,
            [0, gross, 0, tax],
            "it was proposed"
        );
    }
    choose(&accountant, "no sale", "NOT_A_SALE").await;
    let again = json!({
        "idempotencyKey": "again", "keptDeposit": "NOT_A_SALE", "reason": "our accountant says so",
    });
    assert_eq!(
        accountant.refused("keptDepositTaxChoose", again).await,
        "UNCHANGED"
    );
    // Found later, and kept: of a booking that was called off while it was a sale.
    let late = json!({"idempotencyKey": "late", "kind": "OTHER", "amountMinor": 5_000});
    let late = paid(&admin, &after, late).await;
    followed(&server).await;
    assert!(total(&accountant, "2026").await[1] > gross);
    refunded(&server, &admin, &late, 5_000, "OVERPAYMENT").await;
    assert_files_hold(&server, &accountant, "2026").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_is_kept_where_no_rate_is_known_waits_for_one_and_refuses_the_closing() {
    let server = Server::start().await;
    let (mut accountant, mut admin) = people(&server).await;
    choose(&accountant, "sale", "SALE").await;
    let venue = json!({"street": "1 Main St", "city": "Hayward", "state": "CA", "zip": "94541"});
    let booking = confirmed(&server, &admin, with(party("first"), json!({"venue": venue}))).await;
    server.set_clock(TOO_LATE);
    admin.sign_in_again().await;
    accountant.sign_in_again().await;
    called_off(&server, &admin, &booking).await;
    assert_eq!(total(&accountant, "2026").await, [0, 10_000, 0, 0]);
    let open = "{ workItems(first: 10, filter: {kind: TAX_UNRESOLVED, status: OPEN}) { nodes { detail } } }";
    let items = admin.data(open, json!({})).await["workItems"]["nodes"].take();
    let detail = items[0]["detail"].as_str().expect("an item is open");
    assert!(detail.contains("Alameda, CA on 2026-03-13"), "{detail}");
    server.set_clock("2026-04-02T18:00:00Z");
    accountant.sign_in_again().await;
    let refused = close(&accountant, "early", "2026-Q1").await;
    assert_eq!(refused["userErrors"][0]["code"], "TAX_PERIOD_UNRESOLVED");
    let rate = json!({
        "idempotencyKey": "rate", "state": "CA", "county": "Alameda", "rate": "0.1025",
        "effectiveFrom": "2021-07-01",
    });
    accountant.done("taxRateSet", "", rate).await;
    followed(&server).await;
    assert_eq!(total(&accountant, "2026-03").await, [0, 10_000, 0, 930]);
    admin.sign_in_again().await;
    let items = admin.data(open, json!({})).await["workItems"]["nodes"].take();
    assert_eq!(items, json!([]));
    server.assert_rebuild_changes_nothing(&server.company).await;
}
