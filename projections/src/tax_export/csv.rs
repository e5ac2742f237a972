//! An export as CSV (RFC 4180): one table, and behind it what it says of itself.
//!
//! The file has a header, the rows, of a summary one record more that begins with `TOTAL`, and as its last eleven records
//! (twelve by the day of payment) the certificate: the field's name in the first column, its value in the second. Every
//! record has all columns.

use super::cell::{Cell, push_record};
use super::certificate::Certificate;
use super::columns::{LINE_COLUMNS, PAYMENT_COLUMNS, SUMMARY_COLUMNS};

/// What leads the sums.
pub(crate) const TOTAL: &str = "TOTAL";

/// The header of a table of these columns.
pub(crate) fn header<'a>(out: &mut Vec<u8>, names: impl Iterator<Item = &'a str>) {
    push_record(out, names.map(Cell::text));
}

/// The certificate behind a table of so many columns.
pub(crate) fn footer(out: &mut Vec<u8>, certificate: &Certificate, columns: usize) {
    for (name, value) in certificate.fields() {
        let named = [Cell::text(name), Cell::text(value)];
        let rest = std::iter::repeat_n(Cell::Empty, columns.saturating_sub(2));
        push_record(out, named.into_iter().chain(rest));
    }
}

const _: () = assert!(
    SUMMARY_COLUMNS.len() >= 2 && LINE_COLUMNS.len() >= 2 && PAYMENT_COLUMNS.len() >= 2,
    "a certificate fits each table"
);
