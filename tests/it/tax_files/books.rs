//! The books over the same company: they balance, and other programs can read them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::{Role, StationScope, Viewer};
use domain::ids::UserId;
use futures::TryStreamExt;
use projections::At;
use projections::books::{BooksFormat, books};
use serde_json::json;
use tests::http::Server;

use super::held;

fn accountant(server: &Server) -> Viewer {
    Viewer {
        tenant: server.company.tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Accountant,
        stations: StationScope::All,
    }
}

async fn written(server: &Server, format: BooksFormat, from: &str, until: &str) -> String {
    let days = (
        from.parse().expect("the test's own world"),
        until.parse().expect("the test's own world"),
    );
    let stream = books(&server.app.views, &accountant(server), format, days, At::NOW)
        .await
        .expect("the test's own world");
    let pieces: Vec<Vec<u8>> = stream.try_collect().await.expect("the test's own world");
    String::from_utf8(pieces.concat()).expect("the test's own world")
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().expect("an amount has two places")
}

/// The rules that bean-check holds a ledger to, as far as ours needs them: accounts have names that it takes, are opened
/// once and before they are used, and every transaction sums to zero.
fn assert_is_a_ledger(text: &str) -> BTreeMap<String, i64> {
    let mut opened: BTreeMap<String, NaiveDate> = BTreeMap::new();
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    let mut transaction: Option<(NaiveDate, i64, usize)> = None;
    let mut transactions = 0;
    for line in text.lines().chain([""]) {
        if line.is_empty() {
            if let Some((on, sum, postings)) = transaction.take() {
                assert!(sum == 0 && postings >= 2, "{on} comes to {sum}");
                transactions += 1;
            }
        } else if line.starts_with("option \"") || line.starts_with("; ") || line.starts_with("  position: ")
        {
            assert!(line.is_ascii());
        } else if let Some(posting) = line.strip_prefix("  ") {
            let words: Vec<&str> = posting.split_whitespace().collect();
            let [account, amount, "USD"] = words.as_slice() else {
                panic!("{line}");
            };
            let (on, sum, postings) = transaction.as_mut().expect("a posting is of a transaction");
            assert!(
                opened.get(*account).is_some_and(|opened| opened <= on),
                "{account} is opened before {on}"
            );
            *sum += cents(amount);
            *postings += 1;
            *balances.entry((*account).to_owned()).or_default() += cents(amount);
        } else if let Some((date, rest)) = line.split_once(" open ") {
            let account = rest.strip_suffix(" USD").expect("an account has a currency");
            let roots = ["Assets", "Liabilities", "Equity", "Income", "Expenses"];
            let parts: Vec<&str> = account.split(':').collect();
            assert!(parts.len() > 1 && roots.contains(&parts[0]), "{account}");
            for part in parts {
                let first = part.chars().next().expect("a part has a letter");
                assert!(first.is_uppercase() || first.is_ascii_digit(), "{account}");
                assert!(
                    part.chars()
                        .all(|letter| letter.is_alphanumeric() || letter == '-'),
                    "{account}"
                );
            }
            assert_eq!(
                opened.insert(account.to_owned(), date.parse().expect("the test's own world")),
                None,
                "{account}"
            );
        } else {
            let (date, rest) = line.split_once(" * ").unwrap_or_else(|| panic!("{line}"));
            assert!(rest.starts_with('"') && rest.ends_with('"'), "{line}");
            transaction = Some((date.parse().expect("the test's own world"), 0, 0));
        }
    }
    assert!(transactions > 5, "{transactions} transactions");
    balances
}

#[tokio::test]
async fn the_trial_balance_sums_to_zero_and_is_that_of_the_ledger_and_the_journal() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let query = "query($asOf: AsOf) { trialBalance(asOf: $asOf) { position sum { amount }
        accounts { account debit { minor } credit { minor } balance { minor } } } }";
    let now = admin.data(query, json!({})).await["trialBalance"].take();
    let position = now["position"].as_i64().unwrap();
    let balances = |trial: &serde_json::Value| -> BTreeMap<String, i64> {
        assert_eq!(trial["sum"]["amount"], "0.00");
        let accounts = trial["accounts"].as_array().unwrap().iter();
        let balance = |account: &serde_json::Value| {
            let minor = |field: &str| account[field]["minor"].as_i64().unwrap();
            assert_eq!(minor("debit") - minor("credit"), minor("balance"));
            (account["account"].as_str().unwrap().to_owned(), minor("balance"))
        };
        accounts.map(balance).collect()
    };
    let trial = balances(&now);
    assert_eq!(trial["Assets:Clearing:Zelle"], 3 * 85_118 + 1_500 + 700);
    assert_eq!(trial["Liabilities:Tips-Payable"], -2_200);
    let report =
        "query($at: LogPosition!) { taxReport(state: \"CA\", period: \"2026\", asOf: {position: $at}) {
        rows { county netTax { minor } } } }";
    let report = admin.data(report, json!({"at": position})).await["taxReport"]["rows"].take();
    let rows = report.as_array().unwrap().iter();
    let reported: i64 = rows
        .filter(|row| row["county"] == "Santa Clara")
        .map(|row| row["netTax"]["minor"].as_i64().unwrap())
        .sum();
    assert!(reported >= 2 * 7_118, "{reported}");
    assert_eq!(trial["Liabilities:Tax-Payable:CA:Santa-Clara"], -reported);
    assert_eq!(trial.get("Assets:Receivable").copied().unwrap_or_default(), 0);

    let ledger = written(&server, BooksFormat::Beancount, "2020-01-01", "2030-01-01").await;
    assert_eq!(assert_is_a_ledger(&ledger), trial);
    let journal = written(&server, BooksFormat::Csv, "2020-01-01", "2030-01-01").await;
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    let mut last = NaiveDate::MIN;
    for record in csv::Reader::from_reader(journal.as_bytes()).records() {
        let record = record.unwrap();
        if ["POSITION", "HEAD"].contains(&&record[0]) {
            continue;
        }
        let on: NaiveDate = record[0].parse().unwrap();
        assert!(last <= on, "days follow each other");
        last = on;
        let side = |field: &str| if field.is_empty() { 0 } else { cents(field) };
        *sums.entry(record[4].to_owned()).or_default() += side(&record[5]) - side(&record[6]);
    }
    assert_eq!(sums, trial);

    // After every event, and the same as of it for ever.
    for at in 0..=position {
        let as_of = admin.data(query, json!({"asOf": {"position": at}})).await["trialBalance"].take();
        assert_eq!(as_of["position"], at);
        balances(&as_of);
    }
    let none = written(&server, BooksFormat::Beancount, "2030-01-01", "2030-01-02").await;
    assert!(!none.contains(" open "), "{none}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
