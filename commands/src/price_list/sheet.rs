//! A price list as a file (RFC 4180), written and read back.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::money::Cents;
use domain::price_list::{ItemKind, PriceListError, SheetRow};

use crate::Refused;

/// Names of the columns, in order.
pub const HEADER: [&str; 7] = ["item", "label", "kind", "price", "min", "max", "effective_from"];

/// The longest sheet, in rows without the header.
const MAX_ROWS: usize = 2_000;

/// A row of a sheet that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Line that it begins on, counted from 1, the header being the first.
    pub line: u64,
    /// Stable code in capitals.
    pub code: &'static str,
    /// A sentence that a person can act on.
    pub message: String,
}

/// A sheet as it was read: what it says, and the rows that say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) rows: Vec<SheetRow>,
    pub(super) bad: Vec<BadLine>,
}

/// Writes a price list: amounts as plain decimals in dollars, instants as RFC 3339 has them. Text that a spreadsheet would
/// take for a formula is led by an apostrophe, which reading takes away again.
pub fn write_sheet(rows: &[SheetRow]) -> String {
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let in_memory = "memory takes what is written";
    file.write_record(HEADER).expect(in_memory);
    for row in rows {
        let from = row.effective_from;
        let fields = [
            escape(&row.item),
            escape(&row.label),
            kind_word(row.kind).to_owned(),
            row.price_cents.to_string(),
            row.min_cents.to_string(),
            row.max_cents.to_string(),
            from.map(|from| from.to_rfc3339_opts(SecondsFormat::AutoSi, true))
                .unwrap_or_default(),
        ];
        file.write_record(fields).expect(in_memory);
    }
    let bytes = file.into_inner().expect(in_memory);
    String::from_utf8(bytes).expect("what was text is text")
}

/// Reads a price list.
pub(super) fn read_sheet(text: &str) -> Result<Sheet, Refused> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = records.next().and_then(Result::ok).unwrap_or_default();
    if !header.iter().eq(HEADER) {
        return Err(refused(
            "INVALID_HEADER",
            format!("the first line names the columns: {}", HEADER.join(",")),
        ));
    }
    let mut sheet = Sheet::default();
    let mut lines = Lines::of(text);
    for (number, record) in records.enumerate() {
        if number == MAX_ROWS {
            return Err(refused(
                "TOO_MANY_ROWS",
                format!("a sheet has at most {MAX_ROWS} rows"),
            ));
        }
        let bad = |line, message: String| BadLine {
            line,
            code: "INVALID_ROW",
            message,
        };
        match record {
            // Text is UTF-8 and rows may have any length: there is nothing else that the reader refuses.
            Err(error) => sheet.bad.push(bad(0, error.to_string())),
            Ok(record) => {
                let line = lines.at(record.position());
                match row(&record, line) {
                    Ok(row) => sheet.rows.push(row),
                    Err(message) => sheet.bad.push(bad(line, message)),
                }
            }
        }
    }
    Ok(sheet)
}

/// Counts lines up to where records begin. The reader's own count is one behind after a carriage return.
struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            counted: 0,
            line: 1,
        }
    }

    /// The line that a record begins on; records are asked for in their order.
    fn at(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok());
        let rest = byte.and_then(|byte| self.text.get(byte..)).unwrap_or_default();
        let begins = self.text.len() - rest.trim_start_matches(['\r', '\n']).len();
        let passed = self.text.get(self.counted..begins).unwrap_or_default();
        let feeds = passed.matches('\n').count();
        // Old files end lines with a carriage return alone.
        let returns = passed.matches('\r').count() - passed.matches("\r\n").count();
        self.line += u64::try_from(feeds + returns).unwrap_or(u64::MAX);
        self.counted = begins;
        self.line
    }
}

impl BadLine {
    /// A row that can be read, and breaks a rule of price lists.
    pub(super) fn of(line: u64, error: &PriceListError) -> Self {
        let Refused { code, message, .. } = Refused::from(error.clone());
        Self { line, code, message }
    }
}

/// All rows at fault in one refusal.
pub(super) fn refused_rows(bad: &[BadLine]) -> Refused {
    let told = bad
        .iter()
        .take(5)
        .map(|line| format!("line {}: {}", line.line, line.message));
    let told = told.collect::<Vec<_>>().join("; ");
    let more = match bad.len() {
        0..=5 => String::new(),
        more => format!("; and {} more", more - 5),
    };
    refused("INVALID_ROWS", format!("{told}{more}"))
}

fn refused(code: &'static str, message: String) -> Refused {
    Refused {
        code,
        field: vec!["csv"],
        message,
    }
}

fn row(record: &csv::StringRecord, line: u64) -> Result<SheetRow, String> {
    let fields: Vec<&str> = record.iter().collect();
    let [item, label, kind, price, min, max, from] = fields[..] else {
        return Err(format!(
            "a row has {} fields, and this one {}",
            HEADER.len(),
            fields.len()
        ));
    };
    Ok(SheetRow {
        line,
        item: unescape(item),
        label: unescape(label),
        kind: kind_of(kind)?,
        price_cents: amount("price", price)?,
        min_cents: amount("min", min)?,
        max_cents: amount("max", max)?,
        effective_from: instant(from)?,
    })
}

fn kind_word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Adult => "adult",
        ItemKind::Child => "child",
        ItemKind::AddOn => "add_on",
    }
}

fn kind_of(text: &str) -> Result<ItemKind, String> {
    let kinds = [ItemKind::Adult, ItemKind::Child, ItemKind::AddOn];
    let found = kinds.into_iter().find(|kind| kind_word(*kind) == text.trim());
    found.ok_or_else(|| format!("{:?} is no kind: adult, child or add_on", shortened(text)))
}

/// Dollars as a plain decimal with at most two places.
fn amount(column: &str, text: &str) -> Result<Cents, String> {
    let bad = || {
        let text = shortened(text);
        format!("{column} is {text:?}: write dollars as a plain decimal such as 59.95")
    };
    let (dollars, cents) = text.trim().split_once('.').unwrap_or((text.trim(), "00"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=9).contains(&dollars.len())
        || !(1..=2).contains(&cents.len())
        || !digits(dollars)
        || !digits(cents)
    {
        return Err(bad());
    }
    let whole: i64 = format!("{dollars}{cents:0<2}").parse().map_err(|_| bad())?;
    Ok(Cents(whole))
}

fn instant(text: &str) -> Result<Option<DateTime<Utc>>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let at = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| {
        let text = shortened(text);
        format!(
            "effective_from is {text:?}: write an instant such as 2026-05-01T07:00:00Z, or nothing for now"
        )
    })?;
    Ok(Some(super::whole_micros(at.with_timezone(&Utc))))
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Text that no spreadsheet takes for a formula; an apostrophe that was there is led by another.
fn escape(text: &str) -> String {
    if text.starts_with(FORMULA) || text.starts_with('\'') {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The text before it was escaped. What a person wrote without escaping it stays as it is.
fn unescape(text: &str) -> String {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(FORMULA) || rest.starts_with('\'') => rest.to_owned(),
        Some(_) | None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
