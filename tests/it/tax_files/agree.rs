//! One report, on screen and in every format, on either basis: to the cent.

use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};
use lopdf::Document;
use projections::tax_export::{CellKind, line_columns, summary_columns};
use projections::tax_report::TaxBasis;
use serde_json::{Value, json};
use tests::http::{Client, Server};

use super::{checked, export_on, held, save};

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

fn column(names: impl Iterator<Item = &'static str>, name: &str) -> usize {
    names
        .into_iter()
        .position(|known| known == name)
        .expect("there is such a column")
}

/// Gives part of the price of the first party back, and takes a payment too much and gives it back.
async fn given_back(server: &Server, admin: &Client) {
    let query = "{ payments(first: 10) { nodes { id tip { minor } } } }";
    let payments = admin.data(query, json!({})).await["payments"]["nodes"].take();
    let tipped = payments.as_array().expect("a list").iter();
    let payment = tipped
        .filter(|payment| payment["tip"]["minor"] == 1_500)
        .map(|payment| payment["id"].clone())
        .next()
        .expect("the first party had a tip");
    let back = json!({
        "idempotencyKey": "back", "paymentId": payment, "amountMinor": 10_000, "tipMinor": 500,
        "kind": "PRICE_ADJUSTMENT", "reason": "cold rice", "handedOver": true,
    });
    admin.done("paymentRefund", "", back).await;
    server.quiet(&server.company).await;
    server.caught_up(&server.company).await;
}

#[tokio::test]
async fn the_report_on_screen_and_in_every_format_agree_to_the_cent() {
    let server = Server::start().await;
    let admin = held(&server).await;
    given_back(&server, &admin).await;
    for basis in [TaxBasis::EventDate, TaxBasis::PaymentDate] {
        assert_agree(&server, &admin, basis).await;
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

async fn assert_agree(server: &Server, admin: &Client, basis: TaxBasis) {
    let place = tempfile::tempdir().expect("the test's own world");
    let (summary, position) = export_on(admin, basis, ["csv", "summary"], None).await;
    let as_of = Some(position);
    let (detail, _) = export_on(admin, basis, ["csv", "detail"], as_of).await;
    let (xlsx, _) = export_on(admin, basis, ["xlsx", "detail"], as_of).await;
    let (json, _) = export_on(admin, basis, ["json", "detail"], as_of).await;
    let (pdf, _) = export_on(admin, basis, ["pdf", "summary"], as_of).await;
    let query = "query($at: LogPosition!, $basis: TaxBasis!) {
        taxReport(state: \"CA\", period: \"2026-Q1\", basis: $basis, asOf: {position: $at}) { checksum
            rows { ...figures } total { ...figures } } }
        fragment figures on TaxReportRow { county city rate orders gross { amount } nonTaxable { amount }
            taxable { amount } tax { amount } refundedTax { amount } netTax { amount } variance { amount } }";
    let named = match basis {
        TaxBasis::EventDate => "EVENT_DATE",
        TaxBasis::PaymentDate => "PAYMENT_DATE",
    };
    let screen = admin.data(query, json!({"at": position, "basis": named})).await["taxReport"].take();
    let json: Value = serde_json::from_slice(&json).expect("it is JSON");
    let workbook = save(&place, "tax.xlsx", &xlsx);
    let certified = 11 + usize::from(basis == TaxBasis::PaymentDate);

    let from_csv = rows(&summary, certified + 1);
    assert!(from_csv.len() >= 2, "{from_csv:?}");
    assert_screen_shows(&screen["rows"], &from_csv);
    let total = &records(&summary)[from_csv.len() + 1];
    let in_workbook = sheet(&workbook, "Summary", "county");
    let with_total: Vec<Vec<String>> = from_csv.iter().chain([total]).cloned().collect();
    assert_sheet_holds(&in_workbook, &with_total, summary_columns());
    assert_json_holds(&json["summary"], &from_csv, summary_columns());
    assert_document_shows(&pdf, &with_total);
    assert_eq!(json["certificate"]["SUMMARY_CHECKSUM"], screen["checksum"]);

    let lines = rows(&detail, certified);
    assert!(lines.len() >= 4, "{} lines", lines.len());
    let in_workbook = sheet(&workbook, "Lines", "booking");
    assert_sheet_holds(&in_workbook, &lines, line_columns(basis));
    assert_json_holds(&json["lines"], &lines, line_columns(basis));
    assert_lines_come_to(&lines, total, basis);
    if basis == TaxBasis::EventDate {
        assert_screen_lists(admin, position, &lines).await;
    }
    for (name, bytes) in [("s.csv", &summary), ("d.csv", &detail), ("d.xlsx", &xlsx)] {
        let checked = checked(server, &save(&place, name, bytes)).await;
        assert_eq!((checked.count, checked.differences), (0, Vec::new()), "{name}");
        assert_eq!(checked.certificate.basis, basis);
    }
}

/// The report over the API has the rows of the file.
fn assert_screen_shows(shown: &Value, rows: &[Vec<String>]) {
    let shown = shown.as_array().expect("a list");
    assert_eq!(rows.len(), shown.len());
    for (row, shown) in rows.iter().zip(shown) {
        let at = |name: &str| row[column(summary_columns().map(|(name, _)| name), name)].as_str();
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
}

/// A table of the workbook has the rows of the file.
fn assert_sheet_holds(
    sheet: &[Vec<String>],
    rows: &[Vec<String>],
    columns: impl Iterator<Item = (&'static str, CellKind)>,
) {
    assert_eq!(sheet.len(), rows.len());
    for (place, (name, kind)) in columns.enumerate() {
        for (row, (csv, sheet)) in rows.iter().zip(sheet).enumerate() {
            let (csv, sheet) = (&csv[place], &sheet[place]);
            let same = match kind {
                // Another library reads a day as its number.
                CellKind::Date => csv.is_empty() == sheet.is_empty(),
                CellKind::Text => csv == sheet,
                CellKind::Money | CellKind::Rate | CellKind::Count => {
                    csv == sheet || !csv.is_empty() && cents(csv) == cents(sheet)
                }
            };
            assert!(same, "row {row}, {name}: {csv} and {sheet}");
        }
    }
}

/// A table of the JSON has the rows of the file.
fn assert_json_holds(
    table: &Value,
    rows: &[Vec<String>],
    columns: impl Iterator<Item = (&'static str, CellKind)>,
) {
    assert_eq!(table.as_array().map(Vec::len), Some(rows.len()));
    for (place, (name, _)) in columns.enumerate() {
        for (row, csv) in rows.iter().enumerate() {
            let text = table[row][name].as_str().map(str::to_owned);
            let text = text.or_else(|| table[row][name].as_i64().map(|count| count.to_string()));
            assert_eq!(text.unwrap_or_default(), csv[place], "row {row}, {name}");
        }
    }
}

/// The document shows the figures of the rows, one row after the other.
fn assert_document_shows(pdf: &[u8], rows: &[Vec<String>]) {
    let document = Document::load_mem(pdf).expect("it is a document");
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    let text = document.extract_text(&pages).expect("it has text");
    let words: Vec<&str> = text.split_whitespace().collect();
    let shown = words.join(" ");
    let figures = [
        "gross",
        "non_taxable",
        "taxable",
        "net_taxable",
        "tax",
        "refunded_tax",
        "net_tax",
        "variance",
    ];
    for row in rows {
        let figure = |name: &&str| {
            let figure = &row[column(summary_columns().map(|(name, _)| name), name)];
            let (whole, cents) = figure.split_once('.').expect("an amount has cents");
            let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
            let at = whole.len().saturating_sub(3);
            let (thousands, rest) = whole.split_at(at);
            let comma = if thousands.is_empty() { "" } else { "," };
            format!("{sign}{thousands}{comma}{rest}.{cents}")
        };
        let figures: Vec<String> = figures.iter().map(figure).collect();
        assert!(shown.contains(&figures.join(" ")), "{figures:?} in {shown}");
    }
}

/// The lines come to the total, figure by figure.
fn assert_lines_come_to(lines: &[Vec<String>], total: &[String], basis: TaxBasis) {
    let figures = [
        ("gross", "gross"),
        ("non_taxable", "non_taxable"),
        ("taxable", "taxable"),
        ("tax", "tax"),
        ("refund", "refunded"),
        ("refunded_tax", "refunded_tax"),
    ];
    for (of_line, of_total) in figures {
        let at = column(line_columns(basis).map(|(name, _)| name), of_line);
        let sum: i64 = lines.iter().map(|line| cents(&line[at])).sum();
        let total = &total[column(summary_columns().map(|(name, _)| name), of_total)];
        assert_eq!(sum, cents(total), "{of_line}");
    }
}

/// The lines over the API are those of the file.
async fn assert_screen_lists(admin: &Client, position: i64, lines: &[Vec<String>]) {
    let query = "query($at: LogPosition!) {
        taxLines(first: 100, state: \"CA\", period: \"2026-Q1\", asOf: {position: $at}) {
            nodes { position kind gross { amount } taxable { amount } tax { amount } } } }";
    let shown = admin.data(query, json!({"at": position})).await["taxLines"]["nodes"].take();
    let shown = shown.as_array().expect("a list");
    assert_eq!(lines.len(), shown.len());
    for line in lines {
        let names = line_columns(TaxBasis::EventDate).map(|(name, _)| name);
        let names: Vec<&str> = names.collect();
        let at = |name: &str| line[column(names.iter().copied(), name)].as_str();
        let shown = shown
            .iter()
            .find(|shown| shown["position"].as_i64() == at("position").parse().ok())
            .expect("the line is on screen");
        let on_screen = [
            &shown["kind"],
            &shown["gross"]["amount"],
            &shown["taxable"]["amount"],
            &shown["tax"]["amount"],
        ];
        let in_file = ["kind", "gross", "taxable", "tax"].map(at);
        assert_eq!(on_screen.map(|value| value.as_str().expect("a text")), in_file);
    }
}
