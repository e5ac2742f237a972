//! The books over the same company: they balance, and other programs can read them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::{Role, StationScope, Viewer};
use domain::ids::UserId;
use futures::TryStreamExt;
use projections::At;
use projections::books::{BooksFormat, books};
use serde_json::json;
use tests::http::{Client, Server, party, with};

use super::{authorised, export, held, pay};

fn accountant(server: &Server) -> Viewer {
    Viewer {
        tenant: server.company.tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Accountant,
        stations: StationScope::All,
        through: None,
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
    let pieces: Vec<Vec<u8>> = stream.bytes().try_collect().await.expect("the test's own world");
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
        let Ok(on) = record[0].parse::<NaiveDate>() else {
            break;
        };
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

/// A file over HTTP, with the position that its head names.
async fn fetched(client: &Client, path: &str) -> (String, String) {
    let answer = authorised(client, path)
        .send()
        .await
        .expect("the program answers");
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let position = answer.headers()["x-log-position"].to_str().expect("digits");
    let position = position.to_owned();
    (answer.text().await.expect("it comes whole"), position)
}

#[tokio::test]
async fn books_over_http_are_those_of_the_position_that_they_name_and_prove_their_postings() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let accountant = server.sign_in(Role::Accountant).await;
    let ask = "/exports/books?from=2020-01-01&to=2030-01-01&format=";
    let (journal, position) = fetched(&accountant, &format!("{ask}csv")).await;
    let (ledger, _) = fetched(&accountant, &format!("{ask}beancount")).await;
    assert_eq!(
        written(&server, BooksFormat::Csv, "2020-01-01", "2030-01-01").await,
        journal
    );
    assert_is_a_ledger(&ledger);

    // By hand, as the documentation has it.
    let lines: Vec<&str> = journal.split_inclusive("\r\n").collect();
    let (postings, said) = lines[1..].split_at(lines.len() - 10);
    let checksum = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(postings.concat()));
    let field = |name: &str| {
        let line = said.iter().find(|line| line.starts_with(&format!("{name},")));
        let line = line.unwrap_or_else(|| panic!("{name} is not in {said:?}"));
        line.split(',').nth(1).expect("a field has a value").to_owned()
    };
    assert_eq!(field("FORMAT"), "hibachi-books/1");
    assert_eq!(field("COMPANY"), server.company.tenant.to_string());
    assert_eq!(
        (field("FROM"), field("TO")),
        ("2020-01-01".to_owned(), "2030-01-01".to_owned())
    );
    assert_eq!(
        (field("STATIONS"), field("POSITION")),
        ("all".to_owned(), position.clone())
    );
    assert_eq!(field("POSTINGS"), postings.len().to_string());
    assert_eq!(field("POSTINGS_CHECKSUM"), checksum);
    assert!(
        ledger.contains(&format!("; POSTINGS_CHECKSUM {checksum}\n")),
        "{ledger}"
    );

    // Whatever comes later, as of the position they are the same bytes.
    let booking = admin
        .done(
            "bookingRequest",
            "booking { id }",
            with(party("later"), json!({"start": "2026-03-28T18:00:00"})),
        )
        .await["booking"]["id"]
        .take();
    pay(&admin, "later", &booking, 0).await;
    server.caught_up(&server.company).await;
    let as_of = format!("{ask}csv&asOf={position}");
    assert_eq!(fetched(&accountant, &as_of).await, (journal.clone(), position));
    assert_ne!(fetched(&accountant, &format!("{ask}csv")).await.0, journal);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_may_not_take_the_books_and_what_cannot_be_taken_is_told_why() {
    let server = Server::start().await;
    held(&server).await;
    let good = "/exports/books?from=2026-01-01&to=2026-03-31&format=csv";
    let said = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("the program answers");
        let status = answer.status().as_u16();
        let body: serde_json::Value = answer.json().await.expect("a refusal is JSON");
        let code = body["errors"][0]["extensions"]["code"].as_str();
        (status, code.unwrap_or_default().to_owned())
    };
    assert_eq!(
        said(server.nobody().get(good)).await,
        (401, "UNAUTHENTICATED".to_owned())
    );
    for role in [Role::Auditor, Role::CustomerSupport, Role::Chef] {
        let client = server.sign_in(role).await;
        assert_eq!(
            said(authorised(&client, good)).await,
            (403, "FORBIDDEN".to_owned()),
            "{role:?}"
        );
    }
    let accountant = server.sign_in(Role::Accountant).await;
    for (query, code) in [
        ("from=2026-01-01&to=2026-03-31&format=xlsx", "BAD_USER_INPUT"),
        ("from=2026-02-30&to=2026-03-31&format=csv", "BAD_USER_INPUT"),
        ("from=2026-03-31&to=2026-01-01&format=csv", "INVALID_PERIOD"),
        ("from=2026-01-01&format=csv", "BAD_USER_INPUT"),
        (
            "from=2026-01-01&to=2026-03-31&format=csv&asOf=99999999",
            "AS_OF_IN_FUTURE",
        ),
        (
            "from=2026-01-01&to=2026-03-31&format=csv&period=2026",
            "BAD_USER_INPUT",
        ),
    ] {
        let path = format!("/exports/books?{query}");
        assert_eq!(
            said(authorised(&accountant, &path)).await,
            (400, code.to_owned()),
            "{query}"
        );
    }
    // Another company's books are its own, and so are a station's.
    let neighbour = server.neighbour().await;
    let stranger = server
        .sign_in_at(&neighbour, Role::Accountant, StationScope::All)
        .await;
    let (theirs, _) = fetched(&stranger, good).await;
    assert!(theirs.contains("POSTINGS,0,"), "{theirs}");
    let scope = StationScope::Only(vec![server.company.sacramento]);
    let local = server.sign_in_at(&server.company, Role::Admin, scope).await;
    let (all, _) = fetched(
        &accountant,
        "/exports/books?from=2020-01-01&to=2030-01-01&format=csv",
    )
    .await;
    let (part, _) = fetched(&local, "/exports/books?from=2020-01-01&to=2030-01-01&format=csv").await;
    assert!(part.lines().count() < all.lines().count());
    assert!(
        part.contains(&format!("STATIONS,{},", server.company.sacramento)),
        "{part}"
    );
}

#[tokio::test]
async fn the_trial_balance_of_a_day_is_without_what_was_booked_later() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let query = "query($until: LocalDate) { trialBalance(until: $until) { sum { amount }
        accounts { account balance { minor } } } }";
    let balance = async |until: Option<&str>, account: &str| {
        let data = admin.data(query, json!({"until": until})).await;
        assert_eq!(data["trialBalance"]["sum"]["amount"], "0.00");
        let accounts = data["trialBalance"]["accounts"].as_array().unwrap().clone();
        let found = accounts.iter().find(|found| found["account"] == account);
        found.map_or(0, |found| found["balance"]["minor"].as_i64().unwrap())
    };
    let held = "Liabilities:Deposits-Held";
    // Paid long before, held in the middle of March.
    assert_eq!(balance(Some("2026-03-01"), held).await, -3 * 85_118);
    assert_eq!(balance(None, held).await, 0);
    assert_eq!(balance(Some("2020-01-01"), held).await, 0);
}

/// A client that hangs up amid its download leaves the program as it was.
#[tokio::test]
async fn whoever_hangs_up_leaves_no_connection_taken() {
    let server = Server::start().await;
    let _admin = held(&server).await;
    let accountant = server.sign_in(Role::Accountant).await;
    for round in 0..60 {
        let path = [
            "/exports/tax?state=CA&period=2026-Q1&format=xlsx&part=detail",
            "/exports/books?from=2020-01-01&to=2030-01-01&format=csv",
        ][round % 2];
        let answer = authorised(&accountant, path).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        drop(answer);
    }
    let (bytes, _) = export(&accountant, "csv", "summary", None).await;
    assert!(!bytes.is_empty());
}
