//! The columns of the tables, in order. A file names them, and so does `docs/tax-export.md`.

use std::borrow::Cow;

use domain::tax_rate::PlaceConfirmation;

use super::cell::{Cell, CellKind, ColumnOf};
use crate::tax_cash::CashLineRow;
use crate::tax_ledger::TaxLineRow;
use crate::tax_report::{TaxBasis, TaxReport, TaxReportRow};

macro_rules! column {
    ($name:literal, $kind:ident, $row:ident => $cell:expr) => {
        ColumnOf {
            name: $name,
            kind: CellKind::$kind,
            cell: |$row| $cell,
        }
    };
}

/// A text that is always there.
fn word(word: &'static str) -> Cell<'static> {
    Cell::Text(Cow::Borrowed(word))
}

/// Of the lines: one for each fact, in the order of the log.
pub(crate) const LINE_COLUMNS: [ColumnOf<TaxLineRow>; 32] = [
    column!("booking", Text, line => Cell::text(line.booking_number.as_str())),
    column!("kind", Text, line => word(line.kind.as_str())),
    column!("orders", Count, line => Cell::Count(line.orders)),
    column!("event_date", Date, line => Cell::Date(line.event_on)),
    column!("tax_date", Date, line => Cell::Date(line.tax_on)),
    column!("venue_zip", Text, line => Cell::text(line.venue_zip.as_str())),
    column!("venue_city", Text, line => Cell::text(line.venue_city.as_str())),
    column!("venue_county", Text, line => Cell::text(line.venue_county.as_deref().unwrap_or_default())),
    column!("county", Text, line => Cell::text(line.county.as_str())),
    column!("city", Text, line => Cell::text(line.city.as_str())),
    column!("method", Text, line => word(line.method.as_str())),
    column!("confirm", Text, line => match line.confirmation {
        PlaceConfirmation::Needed => word("needed"),
        PlaceConfirmation::NotNeeded => Cell::Empty,
    }),
    column!("rate", Rate, line => Cell::of(line.rate_ppm, Cell::Rate)),
    column!("rate_effective", Date, line => Cell::of(line.rate_effective_from, Cell::Date)),
    column!("gross", Money, line => Cell::Money(line.gross_cents)),
    column!("discount", Money, line => Cell::Money(line.discount_cents)),
    column!("travel", Money, line => Cell::Money(line.travel_cents)),
    column!("mandatory_gratuity", Money, line => Cell::Money(line.gratuity_cents)),
    column!("card_fee", Money, line => Cell::Money(line.card_fee_cents)),
    column!("tip", Money, line => Cell::Money(line.tip_cents)),
    column!("non_taxable", Money, line => Cell::Money(line.non_taxable_cents)),
    column!("taxable", Money, line => Cell::Money(line.taxable_cents)),
    column!("net", Money, line => Cell::Money(line.net_cents)),
    column!("tax", Money, line => Cell::Money(line.tax_cents)),
    column!("refund", Money, line => Cell::Money(line.refund_cents)),
    column!("refunded_non_taxable", Money, line => Cell::Money(line.refunded_non_taxable_cents)),
    column!("refunded_taxable", Money, line => Cell::Money(line.refunded_net_cents)),
    column!("refunded_tax", Money, line => Cell::Money(line.refunded_tax_cents)),
    column!("refund_kind", Text, line => Cell::of(line.refund_kind, |kind| word(kind.as_str()))),
    column!("reason", Text, line => Cell::text(line.reason.as_deref().unwrap_or_default())),
    column!("payment_method", Text, line => Cell::of(line.payment_method, |method| word(method.as_str()))),
    column!("position", Count, line => Cell::Count(line.position.0)),
];

/// Of the lines by the day of payment: one for each event of a payment that adds something, by booking in the order of their
/// requests, then by day and place in the log.
pub(crate) const PAYMENT_COLUMNS: [ColumnOf<CashLineRow>; 22] = [
    column!("booking", Text, line => Cell::text(line.booking_number.as_str())),
    column!("kind", Text, line => word(line.kind.as_str())),
    column!("orders", Count, line => Cell::Count(line.orders)),
    column!("paid_date", Date, line => Cell::Date(line.paid_on)),
    column!("payment", Text, line => Cell::text(line.payment_id.to_string())),
    column!("county", Text, line => Cell::text(line.county.as_str())),
    column!("city", Text, line => Cell::text(line.city.as_str())),
    column!("confirm", Text, line => match line.confirmation {
        PlaceConfirmation::Needed => word("needed"),
        PlaceConfirmation::NotNeeded => Cell::Empty,
    }),
    column!("rate", Rate, line => Cell::of(line.rate_ppm, Cell::Rate)),
    column!("gross", Money, line => Cell::Money(line.figures.gross_cents)),
    column!("card_fee", Money, line => Cell::Money(line.figures.card_fee_cents)),
    column!("tip", Money, line => Cell::Money(line.figures.tip_cents)),
    column!("non_taxable", Money, line => Cell::Money(line.figures.non_taxable_cents)),
    column!("taxable", Money, line => Cell::Money(line.figures.net_cents)),
    column!("tax", Money, line => Cell::Money(line.figures.tax_cents)),
    column!("refund", Money, line => Cell::Money(line.figures.refund_cents)),
    column!("refunded_non_taxable", Money, line => Cell::Money(line.figures.refunded_non_taxable_cents)),
    column!("refunded_taxable", Money, line => Cell::Money(line.figures.refunded_net_cents)),
    column!("refunded_tax", Money, line => Cell::Money(line.figures.refunded_tax_cents)),
    column!("net_tax", Money, line => Cell::Money(line.figures.net_tax())),
    column!("booking_position", Count, line => Cell::Count(line.booking_position.0)),
    column!("position", Count, line => Cell::Count(line.position.0)),
];

/// Of the summary: a row for each jurisdiction and rate, and one with their sums.
pub(crate) const SUMMARY_COLUMNS: [ColumnOf<TaxReportRow>; 15] = [
    column!("county", Text, row => Cell::text(row.county.as_str())),
    column!("city", Text, row => Cell::text(row.city.as_deref().unwrap_or_default())),
    column!("rate", Rate, row => Cell::of(row.rate_ppm, Cell::Rate)),
    column!("orders", Count, row => Cell::Count(row.orders)),
    column!("gross", Money, row => Cell::Money(row.gross_cents)),
    column!("non_taxable", Money, row => Cell::Money(row.non_taxable_cents)),
    column!("taxable", Money, row => Cell::Money(row.taxable_cents)),
    column!("tax", Money, row => Cell::Money(row.tax_cents)),
    column!("refunded", Money, row => Cell::Money(row.refunded_cents)),
    column!("refunded_non_taxable", Money, row => Cell::Money(row.refunded_non_taxable_cents)),
    column!("refunded_taxable", Money, row => Cell::Money(row.refunded_taxable_cents)),
    column!("refunded_tax", Money, row => Cell::Money(row.refunded_tax_cents)),
    column!("net_taxable", Money, row => Cell::Money(row.net_taxable_cents())),
    column!("net_tax", Money, row => Cell::Money(row.net_tax_cents)),
    column!("variance", Money, row => Cell::Money(row.variance_cents)),
];

/// Names of the columns of the lines on a basis, and what they hold.
pub fn line_columns(basis: TaxBasis) -> impl Iterator<Item = (&'static str, CellKind)> {
    let named: Vec<_> = match basis {
        TaxBasis::EventDate => LINE_COLUMNS.iter().map(ColumnOf::named).collect(),
        TaxBasis::PaymentDate => PAYMENT_COLUMNS.iter().map(ColumnOf::named).collect(),
    };
    named.into_iter()
}

/// The basis whose lines have a column of this name, where the other's have not: the day that money moved, and nothing else,
/// tells a file by the day of payment before its certificate is read.
pub(crate) fn basis_of<'a>(mut names: impl Iterator<Item = &'a str>) -> TaxBasis {
    if names.any(|name| name == "paid_date") {
        TaxBasis::PaymentDate
    } else {
        TaxBasis::EventDate
    }
}

/// Names of the columns of the summary, and what they hold.
pub fn summary_columns() -> impl Iterator<Item = (&'static str, CellKind)> {
    SUMMARY_COLUMNS.iter().map(ColumnOf::named)
}

/// The canonical texts of a row.
pub(crate) fn texts<R>(columns: &[ColumnOf<R>], row: &R) -> Vec<String> {
    columns
        .iter()
        .map(|column| (column.cell)(row).to_text())
        .collect()
}

/// The sums of a summary, whose first column says what they are.
pub(crate) fn total_texts(total: &TaxReportRow) -> Vec<String> {
    let mut texts = texts(&SUMMARY_COLUMNS, total);
    super::csv::TOTAL.clone_into(&mut texts[0]);
    texts
}

/// The canonical texts of a summary: of its rows, and of their sums, which the first column says.
pub fn summary_texts(report: &TaxReport) -> Vec<Vec<String>> {
    let rows = report.rows.iter().map(|row| texts(&SUMMARY_COLUMNS, row));
    rows.chain([total_texts(&report.total)]).collect()
}
