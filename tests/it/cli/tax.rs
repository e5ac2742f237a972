//! `hibachi tax`: the same figures as over the API, as files that prove themselves.

mod commands;

use std::fs;

use ::commands::gateways::SystemClock;
use ::commands::ports::Clock;
use chrono::Days;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::process::{Installation, SLUG};

use super::assert_cannot_run;

const REPORT: &str = "query($period: String!) { taxReport(state: \"CA\", period: $period) {
    position checksum
    rows { ...figures } total { ...figures } } }
    fragment figures on TaxReportRow { county city rate orders gross { amount } nonTaxable { amount }
        taxable { amount } tax { amount } refundedTax { amount } netTax { amount } variance { amount } }";
const AMOUNTS: [&str; 7] = [
    "gross",
    "nonTaxable",
    "taxable",
    "tax",
    "refundedTax",
    "netTax",
    "variance",
];
/// Records of a certificate.
const CERTIFICATE: usize = 11;
/// Columns before the amounts: county, city, rate, orders.
const NAMES: usize = 4;

/// A row of the API as the file has it.
fn record(row: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut record = vec![
        text(&row["county"]),
        text(&row["city"]),
        text(&row["rate"]),
        row["orders"].to_string(),
    ];
    record.extend(AMOUNTS.iter().map(|amount| text(&row[*amount]["amount"])));
    record
}

fn cents(amount: &str) -> i64 {
    let (_, fraction) = amount.split_once('.').expect("amounts have cents");
    assert_eq!(fraction.len(), 2, "{amount}");
    amount.replace('.', "").parse().expect("an amount is digits")
}

fn records(csv: &str) -> Vec<Vec<String>> {
    let reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader
        .into_records()
        .map(|record| fields(record.expect("the report is CSV")))
        .collect()
}

#[tokio::test]
async fn the_file_has_the_figures_of_the_api_and_they_add_up() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let today = SystemClock.now().date_naive();
    let period = format!("{}..{today}", today - Days::new(340));
    let accountant = running.sign_in("accountant").await;
    let mut answer = accountant.data(REPORT, json!({ "period": period })).await;
    let report = answer["taxReport"].take();

    let ask = [
        "tax", "report", "--org", SLUG, "--state", "CA", "--period", &period, "--format", "csv",
    ];
    let file = installation.place().join("tax.csv");
    let out = [ask.as_slice(), &["--out", file.to_str().unwrap()]].concat();
    assert_eq!(installation.well(&out), "");
    let csv = fs::read_to_string(&file).unwrap();
    assert_eq!(installation.well(&ask).trim_end(), csv.trim_end());

    let mut records = records(&csv);
    let certificate = records.split_off(records.len() - CERTIFICATE);
    let total = records.pop().unwrap();
    let certified = |name: &str| {
        let named = certificate.iter().find(|record| record[0] == name);
        named.unwrap_or_else(|| panic!("there is a {name}"))[1].clone()
    };
    assert_eq!(
        certified("SUMMARY_CHECKSUM"),
        report["checksum"].as_str().unwrap()
    );
    assert_eq!(certified("POSITION"), report["position"].to_string());
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.len() > 5, "{report}");
    // The amounts that the API shows in this question, by their columns.
    let shown = |record: &Vec<String>| -> Vec<String> {
        let columns = [0, 1, 2, 3, 4, 5, 6, 7, 11, 13, 14];
        columns.iter().map(|column| record[*column].clone()).collect()
    };
    assert_eq!(
        records.iter().map(shown).collect::<Vec<_>>(),
        rows.iter().map(record).collect::<Vec<_>>()
    );
    assert_eq!(shown(&total)[NAMES - 1..], record(&report["total"])[NAMES - 1..]);

    for column in NAMES..records[0].len() {
        let sum: i64 = records.iter().map(|record| cents(&record[column])).sum();
        assert_eq!(sum, cents(&total[column]), "column {column}");
    }
    let orders = |record: &[String]| record[NAMES - 1].parse::<i64>().unwrap();
    assert_eq!(
        records.iter().map(|record| orders(record)).sum::<i64>(),
        orders(&total)
    );
    for record in &records {
        let amount = |column: usize| cents(&record[NAMES + column]);
        assert_eq!(amount(0), amount(1) + amount(2) + amount(3), "{record:?}");
    }
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}

#[test]
fn what_cannot_be_reported_is_said_and_leaves_no_file() {
    let installation = Installation::demo();
    let report = |org: &str, period: &str, out: &str| {
        installation.run(&[
            "tax", "report", "--org", org, "--state", "CA", "--period", period, "--out", out,
        ])
    };
    let file = installation.place().join("tax.csv");
    let unknown = report("no-such-company", "2025-Q4", file.to_str().unwrap());
    assert_cannot_run(&unknown, "no-such-company");
    let period = report(SLUG, "2025-Q5", file.to_str().unwrap());
    assert_eq!((period.code, period.out.as_str()), (Some(2), ""));
    assert!(
        period.err.contains("2025-Q5") && period.err.contains("2025-Q4"),
        "{period:?}"
    );
    let nowhere = installation.place().join("nowhere/tax.csv");
    let unwritten = report(SLUG, "2025-Q4", nowhere.to_str().unwrap());
    assert_cannot_run(&unwritten, "nowhere/tax.csv");
    assert!(!file.exists());
    assert_eq!(
        installation.postmaster(),
        None,
        "what was started for a report is stopped"
    );
}
