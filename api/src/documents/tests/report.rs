use projections::ReadInfo;
use projections::tax_report::{TaxBasis, TaxReport, TaxReportRow};

use chrono::NaiveDate;

use super::*;
use crate::documents::{Filing, tax_report};

fn row(county: &str, city: Option<&str>, tax: i64) -> TaxReportRow {
    TaxReportRow {
        county: county.to_owned(),
        city: city.map(str::to_owned),
        rate_ppm: Some(RatePpm(91_250)),
        orders: 3,
        gross_cents: Cents(tax * 12),
        taxable_cents: Cents(tax * 11),
        tax_cents: Cents(tax),
        net_tax_cents: Cents(tax),
        ..TaxReportRow::default()
    }
}

fn report(rows: Vec<TaxReportRow>) -> TaxReport {
    let sum = |of: fn(&TaxReportRow) -> Cents| rows.iter().map(of).sum();
    let total = TaxReportRow {
        orders: rows.iter().map(|row| row.orders).sum(),
        gross_cents: sum(|row| row.gross_cents),
        taxable_cents: sum(|row| row.taxable_cents),
        tax_cents: sum(|row| row.tax_cents),
        net_tax_cents: sum(|row| row.net_tax_cents),
        ..TaxReportRow::default()
    };
    TaxReport {
        basis: TaxBasis::EventDate,
        state: "CA".to_owned(),
        period: "2026-Q1".parse().unwrap(),
        rows,
        total,
        unresolved: 2,
        unconfirmed: 1,
        position: Position(4_711),
        checksum: "ab".repeat(32),
        info: ReadInfo {
            position: Position(4_711),
            recorded_at: None,
            lag_events: 0,
            lag_ms: 0,
            stale: false,
            incomplete: false,
        },
    }
}

fn filing() -> Filing {
    Filing {
        organisation: "My Hibachi".to_owned(),
        deposits_held: Cents(1_234_500),
        tips_payable: Cents(6_789),
        head_hash: Some("cd".repeat(32)),
        certificate: Vec::new(),
        on: NaiveDate::from_ymd_opt(2026, 4, 2).unwrap(),
    }
}

#[test]
fn a_report_shows_its_rows_their_sum_and_what_proves_them() {
    let rows = vec![
        row("Santa Clara", None, 123_456),
        row("Santa Clara", Some("Campbell"), 7_118),
    ];
    let report = report(rows);
    let bytes = tax_report(&report, &filing());
    assert_eq!(bytes, tax_report(&report, &filing()));
    assert_shows(
        &bytes,
        &[
            "Sales tax report",
            "CA · 2026-Q1",
            "Basis: date of the event",
            "Santa Clara",
            "Campbell",
            "9.125%",
            "1,234.56",
            "71.18",
            "1,305.74",
            "2 parties have no known rate",
            "1 party has a place that a person must confirm",
            "log position 4711",
            "As of log position 4711, April 2, 2026",
            "OWED ON MARCH 31, 2026",
            "Customer deposits held $12,345.00 and tips payable $67.89",
            &"ab".repeat(32),
            &"cd".repeat(32),
        ],
    );
}

#[test]
fn a_report_by_the_date_of_payment_says_that_no_return_is_made_of_it() {
    let of_event = report(vec![row("Santa Clara", None, 123_456)]);
    let view = TaxReport {
        basis: TaxBasis::PaymentDate,
        ..of_event.clone()
    };
    let bytes = tax_report(&view, &filing());
    assert_ne!(bytes, tax_report(&of_event, &filing()));
    assert_shows(
        &bytes,
        &[
            "Sales tax by date of payment",
            "Basis: date of payment (cash), a view",
            "This is a view and not what a return is made of",
            "periods are closed, by the date of the event",
            "1,234.56",
            "2 parties have no known rate.",
        ],
    );
    let shown = read(&bytes).join("\n");
    assert!(!shown.contains("cannot be closed"), "{shown}");
}

#[test]
fn a_report_of_every_county_goes_over_pages() {
    let rows = (0..160).map(|number| row(&format!("County {number}"), None, 100 + number));
    let bytes = tax_report(&report(rows.collect()), &filing());
    let pages = read(&bytes);
    assert!(pages.len() >= 3);
    assert!(
        pages.iter().all(|page| page.contains(&"ab".repeat(32))),
        "each page proves itself"
    );
    assert!(pages.join("\n").contains("County 159"));
}
