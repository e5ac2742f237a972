//! Cells of an export: typed, each with one canonical text.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate};
use domain::money::{Cents, RatePpm};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Text.
    Text,
    /// A civil date, `2026-08-14`.
    Date,
    /// Dollars with two places, `-12.50`.
    Money,
    /// A rate as a fraction, `0.09125`.
    Rate,
    /// A whole number.
    Count,
}

/// A cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Empty,
    /// Text.
    Text(Cow<'a, str>),
    /// A civil date.
    Date(NaiveDate),
    /// Dollars.
    Money(Cents),
    /// A rate.
    Rate(RatePpm),
    /// A whole number.
    Count(i64),
}

/// A column: its name, what it holds, and how a row fills it.
pub(crate) struct ColumnOf<R> {
    pub(crate) name: &'static str,
    pub(crate) kind: CellKind,
    pub(crate) cell: for<'a> fn(&'a R) -> Cell<'a>,
}

impl<R> ColumnOf<R> {
    /// Its name, and what it holds.
    pub(crate) fn named(&self) -> (&'static str, CellKind) {
        (self.name, self.kind)
    }
}

impl<'a> Cell<'a> {
    /// Text, or nothing where it is empty.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }

    /// What there is, or nothing.
    pub(crate) fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Empty, cell)
    }

    /// Appends the canonical text.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => {}
            Self::Text(text) => out.extend_from_slice(legible(text).as_bytes()),
            Self::Date(date) => push_date(out, *date),
            Self::Money(cents) => push_money(out, *cents),
            Self::Rate(rate) => out.extend_from_slice(rate.to_string().as_bytes()),
            Self::Count(count) => push_integer(out, *count),
        }
    }

    /// The canonical text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = Vec::new();
        self.push(&mut text);
        String::from_utf8(text).expect("cells are text")
    }
}

/// Text without control characters that some format has no form for.
pub(crate) fn legible(text: &str) -> Cow<'_, str> {
    let has_none = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r');
    // XML has no form for these two either.
    let odd = |letter: char| has_none(letter) || matches!(letter, '\u{fffe}' | '\u{ffff}');
    if text.contains(odd) {
        Cow::Owned(text.replace(odd, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn push_integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_digits(out, number.unsigned_abs(), 1);
}

/// Decimal digits, at least so many.
fn push_digits(out: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 || digits.len() - start < least {
        start -= 1;
        let [digit, ..] = (number % 10).to_le_bytes();
        digits[start] = b'0' + digit;
        number /= 10;
    }
    out.extend_from_slice(&digits[start..]);
}

fn push_money(out: &mut Vec<u8>, cents: Cents) {
    if cents.0 < 0 {
        out.push(b'-');
    }
    let magnitude = cents.0.unsigned_abs();
    push_digits(out, magnitude / 100, 1);
    out.push(b'.');
    push_digits(out, magnitude % 100, 2);
}

fn push_date(out: &mut Vec<u8>, date: NaiveDate) {
    match u64::try_from(date.year()) {
        Ok(year) if year <= 9_999 => {
            push_digits(out, year, 4);
            out.push(b'-');
            push_digits(out, u64::from(date.month()), 2);
            out.push(b'-');
            push_digits(out, u64::from(date.day()), 2);
        }
        _ => out.extend_from_slice(date.to_string().as_bytes()),
    }
}

/// Appends a record as RFC 4180 has it, its end included. Text that a spreadsheet would take for a formula is led by an
/// apostrophe, and so is text that begins with one: what stands in the file is never two texts.
pub(crate) fn push_record<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = Cell<'a>>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        match &cell {
            Cell::Text(text) => push_field(out, &legible(text)),
            Cell::Empty | Cell::Date(_) | Cell::Money(_) | Cell::Rate(_) | Cell::Count(_) => cell.push(out),
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn push_field(out: &mut Vec<u8>, text: &str) {
    let lead = if text.starts_with(FORMULA) { "'" } else { "" };
    let quoted = text.contains([',', '"', '\r', '\n']);
    if quoted {
        out.push(b'"');
    }
    out.extend_from_slice(lead.as_bytes());
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    if quoted {
        out.push(b'"');
    }
}

/// What text must not begin with in a CSV file.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

/// The text of a field of a CSV file, without the apostrophe that leads it. A formula that none leads is named as one: it
/// is not what was written.
pub(crate) fn field_text(field: &str, kind: CellKind) -> Cow<'_, str> {
    if kind != CellKind::Text {
        return Cow::Borrowed(field);
    }
    match field.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) => Cow::Borrowed(rest),
        None if field.starts_with(FORMULA) => Cow::Owned(format!("{field} (a formula)")),
        Some(_) | None => Cow::Borrowed(field),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(cells: Vec<Cell<'_>>) -> String {
        let mut out = Vec::new();
        push_record(&mut out, cells.into_iter());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn amounts_are_numbers_and_formulas_are_text() {
        let cells = vec![
            Cell::text("=1+1"),
            Cell::text("@x, \"y\""),
            Cell::text(""),
            Cell::Money(Cents(-5)),
            Cell::Rate(RatePpm(91_250)),
            Cell::Date("2026-08-04".parse().unwrap()),
            Cell::Count(-17),
            Cell::text("a\nb\u{1}"),
        ];
        assert_eq!(
            record(cells),
            "'=1+1,\"'@x, \"\"y\"\"\",,-0.05,0.09125,2026-08-04,-17,\"a\nb\u{fffd}\"\r\n"
        );
    }

    proptest! {
        #[test]
        fn a_record_is_read_back_as_it_was(texts in prop::collection::vec("[ -~\t\r\n'é=]{0,12}", 2..5), cents in any::<i64>()) {
            let mut cells: Vec<Cell<'_>> = texts.iter().map(|text| Cell::text(text.as_str())).collect();
            cells.push(Cell::Money(Cents(cents)));
            let text = record(cells);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
            prop_assert_eq!(rows.len(), 1);
            for (field, text) in rows[0].iter().zip(&texts) {
                let read = field_text(field, CellKind::Text);
                prop_assert_eq!(read.as_ref(), text.as_str());
                prop_assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r']));
                let unled = field_text(text, CellKind::Text);
                prop_assert!(field == text || text.starts_with('\'') || unled != text.as_str(), "{text:?} is a formula");
            }
            prop_assert_eq!(&rows[0][texts.len()], Cents(cents).to_string());
        }

        #[test]
        fn numbers_are_as_they_print(number in any::<i64>()) {
            prop_assert_eq!(Cell::Money(Cents(number)).to_text(), Cents(number).to_string());
            prop_assert_eq!(Cell::Count(number).to_text(), number.to_string());
        }
    }
}
