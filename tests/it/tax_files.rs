//! What accountants take away: the report on screen and in every format says the same, a file proves itself, and one that
//! was changed is found out.

mod books;
mod changed;

use std::path::{Path, PathBuf};

use calamine::{Data, Reader, Xlsx, open_workbook};
use domain::access::{Role, StationScope};
use projections::tax_export::{Checked, check, line_columns, summary_columns};
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};

/// A company with two parties held in one county, a tip and a balance paid, and one party where no rate is known.
async fn held(server: &Server) -> Client {
    let mut admin = server.sign_in(Role::SuperAdmin).await;
    let sacramento = json!({
        "stationId": tests::http::global_id("Station", server.company.sacramento),
        "venue": {"street": "2 J St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let parties = [
        party("one"),
        with(party("two"), json!({"start": "2026-03-15T18:00:00"})),
        with(party("three"), sacramento),
    ];
    let mut bookings = Vec::new();
    for input in parties {
        let booked = admin.done("bookingRequest", "booking { id }", input).await;
        bookings.push(booked["booking"]["id"].clone());
    }
    for (place, (booking, tip)) in bookings.iter().zip([1_500, 0, 700]).enumerate() {
        pay(&admin, &place.to_string(), booking, tip).await;
    }
    server.caught_up(&server.company).await;
    server.set_clock("2026-03-16T05:00:00Z");
    admin.sign_in_again().await;
    for (place, booking) in bookings.iter().enumerate() {
        let complete = json!({"idempotencyKey": format!("held {place}"), "bookingId": booking});
        admin.done("bookingComplete", "", complete).await;
    }
    server.caught_up(&server.company).await;
    admin
}

/// Pays a booking in full, and a tip of which nobody wrote down how it was chosen.
async fn pay(admin: &Client, key: &str, booking: &Value, tip: i64) {
    let paid = json!({
        "idempotencyKey": format!("pay {key}"), "bookingId": booking, "kind": "BALANCE", "method": "ZELLE",
        "amountMinor": 85_118, "tipMinor": tip, "reference": format!("R-{key}"),
    });
    let recorded = admin.done("paymentRecord", "payment { id }", paid).await;
    let verify = json!({
        "idempotencyKey": format!("verify {key}"), "paymentId": recorded["payment"]["id"], "accept": true,
        "note": "seen on the account",
    });
    admin.done("paymentVerify", "", verify).await;
}

const PERIOD: &str = "2026-Q1";

/// A file as the program sends it, and the position that it names.
async fn export(client: &Client, format: &str, part: &str, as_of: Option<i64>) -> (Vec<u8>, i64) {
    let mut path = format!("/exports/tax?state=CA&period={PERIOD}&format={format}&part={part}");
    if let Some(position) = as_of {
        path += &format!("&asOf={position}");
    }
    let answer = authorised(client, &path)
        .send()
        .await
        .expect("the program answers");
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let position = answer.headers()["x-log-position"]
        .to_str()
        .expect("the test's own world")
        .parse()
        .expect("the test's own world");
    let name = answer.headers()["content-disposition"]
        .to_str()
        .expect("the test's own world")
        .to_owned();
    assert!(name.contains("tax-CA-2026-Q1") && name.contains(format), "{name}");
    (
        answer.bytes().await.expect("the file comes whole").to_vec(),
        position,
    )
}

fn authorised(client: &Client, path: &str) -> reqwest::RequestBuilder {
    let token = client.token.as_ref().expect("somebody has signed in");
    client.get(path).bearer_auth(token)
}

fn records(bytes: &[u8]) -> Vec<Vec<String>> {
    let reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let records = reader.into_records().map(|record| record.expect("it is CSV"));
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

/// The rows of a table in CSV without its header and what stands behind them.
fn rows(bytes: &[u8], behind: usize) -> Vec<Vec<String>> {
    let mut records = records(bytes);
    records.truncate(records.len() - behind);
    records.remove(0);
    records
}

/// The rows of a sheet below its header, as another library reads them.
fn sheet(path: &Path, name: &str, header: &str) -> Vec<Vec<String>> {
    let mut workbook: Xlsx<_> = open_workbook(path).expect("it is a workbook");
    let range = workbook.worksheet_range(name).expect("it has the sheet");
    let text = |cell: &Data| match cell {
        Data::Float(number) => format!("{number}"),
        Data::DateTime(date) => date.as_f64().to_string(),
        Data::Int(_)
        | Data::String(_)
        | Data::Bool(_)
        | Data::DateTimeIso(_)
        | Data::DurationIso(_)
        | Data::Error(_)
        | Data::Empty => cell.to_string(),
    };
    let rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(text).collect()).collect();
    let at = rows
        .iter()
        .position(|row| row[0] == header)
        .expect("the table has a header");
    rows[at + 1..].to_vec()
}

/// An amount or another number, as cents or as it is.
fn cents(text: &str) -> i64 {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let places: i64 = format!("{places:0<2}").parse().expect("amounts have two places");
    whole.parse::<i64>().expect("an amount is a number") * 100 + sign * places
}

fn save(place: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = place.path().join(name);
    std::fs::write(&path, bytes).expect("the directory is ours");
    path
}

async fn checked(server: &Server, path: &Path) -> Checked {
    check(&server.app.views, server.company.tenant, path)
        .await
        .expect("the file is an export")
}

fn column(names: impl Iterator<Item = &'static str>, name: &str) -> usize {
    names
        .into_iter()
        .position(|known| known == name)
        .expect("there is such a column")
}

#[tokio::test]
async fn the_report_on_screen_and_in_every_format_agree_to_the_cent() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let place = tempfile::tempdir().unwrap();
    let (summary, position) = export(&admin, "csv", "summary", None).await;
    let as_of = Some(position);
    let (detail, _) = export(&admin, "csv", "detail", as_of).await;
    let (xlsx, _) = export(&admin, "xlsx", "detail", as_of).await;
    let (json, _) = export(&admin, "json", "detail", as_of).await;
    let query = "query($at: LogPosition!) {
        taxReport(state: \"CA\", period: \"2026-Q1\", asOf: {position: $at}) { checksum
            rows { ...figures } total { ...figures } }
        taxLines(first: 100, state: \"CA\", period: \"2026-Q1\", asOf: {position: $at}) {
            nodes { position kind gross { amount } taxable { amount } tax { amount } } } }
        fragment figures on TaxReportRow { county city rate orders gross { amount } nonTaxable { amount }
            taxable { amount } tax { amount } refundedTax { amount } netTax { amount } variance { amount } }";
    let screen = admin.data(query, json!({"at": position})).await;

    let names: Vec<&str> = summary_columns().map(|(name, _)| name).collect();
    let from_csv = rows(&summary, 12);
    assert!(from_csv.len() >= 2, "{from_csv:?}");
    let on_screen = screen["taxReport"]["rows"].as_array().unwrap();
    assert_eq!(from_csv.len(), on_screen.len());
    let json: Value = serde_json::from_slice(&json).unwrap();
    let workbook = save(&place, "tax.xlsx", &xlsx);
    let in_workbook = sheet(&workbook, "Summary", "county");
    for (row, shown) in from_csv.iter().zip(on_screen) {
        let at = |name: &str| row[column(names.iter().copied(), name)].as_str();
        assert_eq!(at("county"), shown["county"]);
        assert_eq!(at("rate"), shown["rate"].as_str().unwrap_or_default());
        assert_eq!(at("orders"), shown["orders"].to_string());
        let amounts = [
            ("gross", "gross"),
            ("non_taxable", "nonTaxable"),
            ("taxable", "taxable"),
            ("tax", "tax"),
            ("refunded_tax", "refundedTax"),
            ("net_tax", "netTax"),
            ("variance", "variance"),
        ];
        for (ours, theirs) in amounts {
            assert_eq!(at(ours), shown[theirs]["amount"], "{ours}");
        }
    }
    let all = records(&summary);
    let total = &all[from_csv.len() + 1];
    for (place, (name, _)) in summary_columns().enumerate() {
        for (row, (csv, sheet)) in from_csv.iter().chain([total]).zip(&in_workbook).enumerate() {
            let (csv, sheet) = (&csv[place], &sheet[place]);
            let same = csv == sheet || !csv.is_empty() && cents(csv) == cents(sheet);
            assert!(same, "row {row}, {name}: {csv} and {sheet}");
        }
        for (row, csv) in from_csv.iter().enumerate() {
            let text = json["summary"][row][name].as_str().map(str::to_owned);
            let text = text.or_else(|| json["summary"][row][name].as_i64().map(|count| count.to_string()));
            assert_eq!(text.unwrap_or_default(), csv[place], "row {row}, {name}");
        }
    }
    assert_eq!(
        json["certificate"]["SUMMARY_CHECKSUM"],
        screen["taxReport"]["checksum"]
    );

    let lines = rows(&detail, 11);
    let shown = screen["taxLines"]["nodes"].as_array().unwrap();
    assert!(
        lines.len() >= 3 && lines.len() == shown.len(),
        "{} lines",
        lines.len()
    );
    let in_workbook = sheet(&workbook, "Lines", "booking");
    for (row, line) in lines.iter().enumerate() {
        let at = |name: &str| line[column(line_columns().map(|(name, _)| name), name)].as_str();
        let shown = shown
            .iter()
            .find(|shown| {
                shown["position"]
                    .as_i64()
                    .map(|place| place.to_string())
                    .as_deref()
                    == Some(at("position"))
            })
            .unwrap();
        assert_eq!(
            (at("kind"), at("gross")),
            (
                shown["kind"].as_str().unwrap(),
                shown["gross"]["amount"].as_str().unwrap()
            )
        );
        assert_eq!(
            (at("taxable"), at("tax")),
            (
                shown["taxable"]["amount"].as_str().unwrap(),
                shown["tax"]["amount"].as_str().unwrap()
            )
        );
        for (place, (name, kind)) in line_columns().enumerate() {
            let text = json["lines"][row][name].as_str().map(str::to_owned);
            let text = text.or_else(|| json["lines"][row][name].as_i64().map(|count| count.to_string()));
            assert_eq!(text.unwrap_or_default(), line[place], "line {row}, {name}");
            if kind == projections::tax_export::CellKind::Money {
                assert_eq!(
                    cents(&in_workbook[row][place]),
                    cents(&line[place]),
                    "line {row}, {name}"
                );
            }
        }
    }
    for (name, bytes) in [("s.csv", &summary), ("d.csv", &detail), ("d.xlsx", &xlsx)] {
        let checked = checked(&server, &save(&place, name, bytes)).await;
        assert_eq!((checked.count, checked.differences), (0, Vec::new()), "{name}");
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_report_as_of_a_position_is_the_same_file_for_ever() {
    let server = Server::start().await;
    let mut admin = held(&server).await;
    let mut before = Vec::new();
    for (format, part) in [
        ("csv", "summary"),
        ("csv", "detail"),
        ("json", "detail"),
        ("xlsx", "detail"),
    ] {
        let (bytes, position) = export(&admin, format, part, None).await;
        before.push((format, part, bytes, position));
    }
    server.set_clock("2026-03-20T05:00:00Z");
    admin.sign_in_again().await;
    let later = with(party("later"), json!({"start": "2026-03-28T18:00:00"}));
    let booked = admin.done("bookingRequest", "booking { id }", later).await;
    pay(&admin, "later", &booked["booking"]["id"], 0).await;
    server.set_clock("2026-03-30T05:00:00Z");
    admin.sign_in_again().await;
    let complete = json!({"idempotencyKey": "later held", "bookingId": booked["booking"]["id"]});
    admin.done("bookingComplete", "", complete).await;
    server.caught_up(&server.company).await;
    for (format, part, bytes, position) in before {
        assert_eq!(
            export(&admin, format, part, Some(position)).await,
            (bytes.clone(), position),
            "{format} {part}"
        );
        let (now, _) = export(&admin, format, part, None).await;
        assert_ne!(now, bytes, "{format} {part}");
    }
}

#[tokio::test]
async fn who_may_not_export_and_what_cannot_be_exported_is_told_why() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let auditor = server.sign_in(Role::Auditor).await;
    let accountant = server.sign_in(Role::Accountant).await;
    let nobody = server.nobody();
    let good = "/exports/tax?state=CA&period=2026-Q1&format=csv";
    let said = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("the program answers");
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.expect("a refusal is JSON");
        (
            status,
            body["errors"][0]["extensions"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    assert_eq!(said(nobody.get(good)).await, (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(
        said(nobody.get(good).bearer_auth("x")).await,
        (401, "UNAUTHENTICATED".to_owned())
    );
    for client in [&support, &auditor] {
        assert_eq!(
            said(authorised(client, good)).await,
            (403, "FORBIDDEN".to_owned())
        );
    }
    let refused = [
        (
            "/exports/tax?state=CA&period=2026-Q5&format=csv",
            "INVALID_PERIOD",
        ),
        (
            "/exports/tax?state=cal&period=2026-Q1&format=csv",
            "INVALID_STATE",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=doc",
            "BAD_USER_INPUT",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&part=some",
            "BAD_USER_INPUT",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&asOf=yesterday",
            "BAD_USER_INPUT",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&asOf=99999999",
            "AS_OF_IN_FUTURE",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=pdf&part=detail",
            "BAD_USER_INPUT",
        ),
        ("/exports/tax?state=CA&format=csv", "BAD_USER_INPUT"),
    ];
    for (path, code) in refused {
        assert_eq!(
            said(authorised(&accountant, path)).await,
            (400, code.to_owned()),
            "{path}"
        );
    }
    let answer = authorised(&accountant, good).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
    let elsewhere = server.neighbour().await;
    let stranger = server
        .sign_in_at(&elsewhere, Role::Accountant, StationScope::All)
        .await;
    let (file, _) = export(&stranger, "csv", "summary", None).await;
    let place = tempfile::tempdir().unwrap();
    let foreign = checked(&server, &save(&place, "foreign.csv", &file)).await;
    assert_eq!(foreign.differences[0].column, "COMPANY", "{foreign:?}");
}
