use std::fs;

use domain::booking::BookingEvent;
use domain::ids::TenantId;
use domain::money::{Cents, RatePpm};
use uuid::Uuid;

use super::columns::{SUMMARY_COLUMNS, texts, total_texts};
use super::read::{Found, Said, read};
use super::*;
use crate::engine::ReadInfo;
use crate::tax_cash::TaxCash;
use crate::tax_ledger::TaxLedger;
use crate::tax_report::TaxReportRow;
use crate::testing::{booking_event, completed, fold, requested, verified};

mod basis;
mod changed;

/// Three parties, the second at a place whose name is a formula, the third without a rate.
fn lines() -> Vec<TaxLineRow> {
    let events = [
        (1, 85_118, Some(91_250)),
        (2, -500, Some(91_250)),
        (7, 9_000, None),
    ];
    let events: Vec<_> = events
        .into_iter()
        .map(|(position, total, rate)| {
            booking_event(position, 1, BookingEvent::Completed(completed(total, rate)))
        })
        .collect();
    let mut lines: Vec<TaxLineRow> = fold::<TaxLedger>(&events).iter().cloned().collect();
    lines.sort_by_key(|line| line.position);
    lines[1].county = "=HYPERLINK(\"x\"),1".to_owned();
    lines[1].city = "@San, José <&>\n".to_owned();
    lines[1].reason = Some("'tis\r\n+1".to_owned());
    lines
}

/// A party of which the deposit was paid before it was held and the rest, with a tip, after it; at a place whose name is a
/// formula.
fn cash_lines() -> Vec<CashLineRow> {
    let events = [
        booking_event(1, 1, BookingEvent::Requested(requested(85_118))),
        verified(2, 10_000, 0),
        booking_event(3, 2, BookingEvent::Completed(completed(85_118, Some(91_250)))),
        verified(9, 75_118, 0),
    ];
    let mut card = fold::<TaxCash>(&events).iter().next().unwrap().clone();
    card.county = "=HYPERLINK(\"x\"),1".to_owned();
    card.city = "@San, José <&>\n".to_owned();
    card.lines()
}

/// What a report is made of, one row a line.
trait Reported: Line {
    const BASIS: TaxBasis;

    fn row(&self) -> TaxReportRow;
}

impl Reported for TaxLineRow {
    const BASIS: TaxBasis = TaxBasis::EventDate;

    fn row(&self) -> TaxReportRow {
        TaxReportRow {
            county: self.county.clone(),
            city: Some(self.city.clone()).filter(|city| !city.is_empty()),
            rate_ppm: self.rate_ppm,
            orders: self.orders,
            gross_cents: self.gross_cents,
            non_taxable_cents: self.non_taxable_cents,
            taxable_cents: self.taxable_cents,
            tax_cents: self.tax_cents,
            net_tax_cents: self.tax_cents,
            ..TaxReportRow::default()
        }
    }
}

impl Reported for CashLineRow {
    const BASIS: TaxBasis = TaxBasis::PaymentDate;

    fn row(&self) -> TaxReportRow {
        TaxReportRow {
            county: self.county.clone(),
            city: Some(self.city.clone()),
            rate_ppm: self.rate_ppm,
            orders: self.orders,
            gross_cents: self.figures.gross_cents,
            taxable_cents: self.figures.net_cents,
            tax_cents: self.figures.tax_cents,
            net_tax_cents: self.figures.tax_cents,
            ..TaxReportRow::default()
        }
    }
}

fn report<L: Reported>(lines: &[L]) -> TaxReport {
    let rows: Vec<TaxReportRow> = lines.iter().map(Reported::row).collect();
    let sum = |of: fn(&TaxReportRow) -> Cents| rows.iter().map(of).sum();
    TaxReport {
        basis: L::BASIS,
        state: "CA".to_owned(),
        period: "2026-Q4".parse().unwrap(),
        total: TaxReportRow {
            orders: rows.iter().map(|row| row.orders).sum(),
            gross_cents: sum(|row| row.gross_cents),
            non_taxable_cents: sum(|row| row.non_taxable_cents),
            taxable_cents: sum(|row| row.taxable_cents),
            tax_cents: sum(|row| row.tax_cents),
            ..TaxReportRow::default()
        },
        rows,
        unresolved: 0,
        unconfirmed: 0,
        position: Position(42),
        checksum: "c0ffee".to_owned(),
        info: ReadInfo {
            position: Position(42),
            recorded_at: None,
            lag_events: 0,
            lag_ms: 0,
            stale: false,
            incomplete: false,
        },
    }
}

fn encoder(format: ExportFormat, holds: Holds, report: TaxReport) -> Encoder {
    let summary = (format != ExportFormat::Csv || holds == Holds::Summary).then(|| summary_seal(&report));
    let certificate = Certificate {
        basis: report.basis,
        company: TenantId(Uuid::from_u128(5)),
        state: report.state.clone(),
        period: report.period.clone(),
        stations: None,
        position: report.position,
        head: "abcd".to_owned(),
        summary,
        lines: None,
    };
    Encoder::new(format, holds, report, certificate)
}

/// An export whose lines come in pages of one.
fn encoded_of<L: Reported>(lines: &[L], format: ExportFormat, holds: Holds) -> Vec<u8> {
    let mut encoder = encoder(format, holds, report(lines));
    let mut bytes = Vec::new();
    if holds == Holds::Detail {
        for line in lines {
            bytes.extend(encoder.lines(std::slice::from_ref(line)).unwrap());
        }
    }
    bytes.extend(encoder.finish().unwrap());
    bytes
}

fn encoded(format: ExportFormat, holds: Holds) -> Vec<u8> {
    encoded_of(&lines(), format, holds)
}

fn encoded_on(basis: TaxBasis, format: ExportFormat, holds: Holds) -> Vec<u8> {
    match basis {
        TaxBasis::EventDate => encoded(format, holds),
        TaxBasis::PaymentDate => encoded_of(&cash_lines(), format, holds),
    }
}

fn read_back(bytes: &[u8]) -> (Certificate, Vec<Found>) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("export");
    fs::write(&path, bytes).unwrap();
    let mut found = Vec::new();
    let said = read(&path, &mut |row| {
        found.push(row);
        true
    });
    let Said { certificate, strays } = said.unwrap();
    assert_eq!(strays, []);
    (certificate, found)
}

const ALL: [(ExportFormat, Holds); 6] = [
    (ExportFormat::Csv, Holds::Summary),
    (ExportFormat::Csv, Holds::Detail),
    (ExportFormat::Xlsx, Holds::Summary),
    (ExportFormat::Xlsx, Holds::Detail),
    (ExportFormat::Json, Holds::Summary),
    (ExportFormat::Json, Holds::Detail),
];

const BASES: [TaxBasis; 2] = [TaxBasis::EventDate, TaxBasis::PaymentDate];

#[test]
fn every_format_gives_the_same_rows_back_and_the_same_certificate() {
    assert_gives_rows_back(&lines());
    assert_gives_rows_back(&cash_lines());
}

fn assert_gives_rows_back<L: Reported>(lines: &[L]) {
    let report = report(lines);
    for (format, holds) in ALL {
        let (certificate, found) = read_back(&encoded_of(lines, format, holds));
        let has_summary = format != ExportFormat::Csv || holds == Holds::Summary;
        let mut expected = Vec::new();
        if has_summary {
            expected.extend(
                report
                    .rows
                    .iter()
                    .map(|row| Found::Summary(texts(&SUMMARY_COLUMNS, row))),
            );
            expected.push(Found::Total(total_texts(&report.total)));
        }
        if holds == Holds::Detail {
            expected.extend(lines.iter().map(|line| Found::Line(texts(L::COLUMNS, line))));
        }
        assert_eq!(found, expected, "{format} {holds:?}");
        assert_eq!(certificate.basis, L::BASIS);
        assert_eq!(certificate.position, Position(42));
        assert_eq!(certificate.summary.is_some(), has_summary);
        let lines = u64::try_from(lines.len()).unwrap();
        assert_eq!(
            certificate.lines.as_ref().map(|seal| seal.rows),
            (holds == Holds::Detail).then_some(lines)
        );
    }
}

#[test]
fn the_checksum_of_the_lines_is_that_of_the_records_of_the_csv_file_in_every_format() {
    for basis in BASES {
        let checksum = |format| {
            read_back(&encoded_on(basis, format, Holds::Detail))
                .0
                .lines
                .unwrap()
                .checksum
        };
        let csv = String::from_utf8(encoded_on(basis, ExportFormat::Csv, Holds::Detail)).unwrap();
        let records = csv.split_once("\r\n").unwrap().1;
        let records = &records[..records.find("FORMAT,").unwrap()];
        let by_hand = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(records));
        for format in [ExportFormat::Csv, ExportFormat::Xlsx, ExportFormat::Json] {
            assert_eq!(checksum(format), by_hand, "{format}");
        }
    }
}

#[test]
fn an_export_without_lines_is_whole() {
    for format in [ExportFormat::Csv, ExportFormat::Xlsx, ExportFormat::Json] {
        let of_events = encoder(format, Holds::Detail, report::<TaxLineRow>(&[]));
        let of_payments = encoder(format, Holds::Detail, report::<CashLineRow>(&[]));
        for encoder in [of_events, of_payments] {
            let (certificate, found) = read_back(&encoder.finish().unwrap());
            assert_eq!(certificate.lines.unwrap().rows, 0, "{format}");
            assert!(
                found.iter().all(|row| matches!(row, Found::Total(_))),
                "{format}: {found:?}"
            );
        }
    }
}

#[test]
fn lines_that_do_not_come_to_the_report_are_not_certified() {
    let lines = lines();
    let mut encoder = encoder(ExportFormat::Csv, Holds::Detail, report(&lines));
    encoder.lines(&lines[1..]).unwrap();
    let error = encoder.finish().unwrap_err().to_string();
    assert!(error.contains("tax_ledger"), "{error}");
}

/// Each figure that a report sums is held against its lines.
#[test]
fn a_report_that_is_wrong_in_one_column_is_not_certified() {
    let lines = lines();
    let wrong: [fn(&mut TaxReportRow); 9] = [
        |total| total.orders += 1,
        |total| total.gross_cents += Cents(1),
        |total| total.non_taxable_cents += Cents(1),
        |total| total.taxable_cents += Cents(1),
        |total| total.tax_cents += Cents(1),
        |total| total.refunded_cents += Cents(1),
        |total| total.refunded_non_taxable_cents += Cents(1),
        |total| total.refunded_taxable_cents += Cents(1),
        |total| total.refunded_tax_cents += Cents(1),
    ];
    for (place, change) in wrong.into_iter().enumerate() {
        let mut report = report(&lines);
        change(&mut report.total);
        let mut encoder = encoder(ExportFormat::Csv, Holds::Detail, report);
        encoder.lines(&lines).unwrap();
        assert!(encoder.finish().is_err(), "figure {place}");
    }
}

#[test]
fn a_workbook_of_more_lines_than_a_sheet_takes_goes_on_on_the_next() {
    assert_eq!(RatePpm(91_250).to_string(), "0.09125");
    let line = &lines()[0];
    let mut workbook = xlsx::Workbook::of_sheets_of(2);
    for _ in 0..5 {
        workbook.line(line).unwrap();
    }
    let report = report::<TaxLineRow>(&[]);
    let certificate = Certificate {
        lines: Some(Seal {
            rows: 5,
            checksum: String::new(),
        }),
        ..read_back(&encoded(ExportFormat::Csv, Holds::Summary)).0
    };
    let (_, found) = read_back(&workbook.finish(&report, &certificate).unwrap());
    let read: Vec<&Found> = found.iter().filter(|row| matches!(row, Found::Line(_))).collect();
    assert_eq!(read.len(), 5);
}

#[test]
fn a_file_that_is_no_export_is_refused_with_its_reason() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("export");
    let refused = |text: &[u8]| {
        fs::write(&path, text).unwrap();
        read(&path, &mut |_| true).unwrap_err().to_string()
    };
    assert!(refused(b"").contains("column 1"));
    assert!(refused(b"a,b\r\n1,2\r\n").contains("column 1 is \"a\""));
    assert!(refused(b"{\"a\":1}").contains("hibachi-tax-report/1"));
    assert!(refused(b"{\"lines\":[{\"a\":1}]}").contains("booking"));
    assert!(refused(b"PK\x03\x04nothing").contains("cannot be read"));
    let header: Vec<&str> = summary_columns().map(|(name, _)| name).collect();
    let only_header = format!("{}\r\n", header.join(","));
    assert!(refused(only_header.as_bytes()).contains("hibachi-tax-report/1"));
    let missing = read(&place.path().join("nowhere"), &mut |_| true)
        .unwrap_err()
        .to_string();
    assert!(missing.contains("nowhere"), "{missing}");
}
