//! Tax rates as a file (RFC 4180): the columns, one by one, and what each row may say.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::{CountyRates, Jurisdiction, RateInForce, TaxRateEnded, TaxRateError, TaxRateEvent, TaxRateSet};
use super::{TaxRatesImported, fold};
use crate::decider::{Decider, Refusal};
use crate::money::RatePpm;
use crate::place::ZipCode;

/// Names of the columns, in order. The last two may be missing.
pub const COLUMNS: [&str; 8] = [
    "state",
    "county",
    "city",
    "rate",
    "effective_from",
    "effective_until",
    "source",
    "zips",
];

/// Columns that a file must have.
const REQUIRED: usize = 6;

/// Rows that one file may have.
pub const MAX_ROWS: usize = 10_000;

/// A row that was not taken, and why. Then none was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// Line of the file, counted from 1; the header is the first.
    pub line: u64,
    /// Stable code in capitals.
    pub code: &'static str,
    /// A sentence that a person can act on.
    pub reason: String,
}

/// A row that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRow {
    /// Line of the file.
    pub line: u64,
    /// What it says.
    pub set: TaxRateSet,
}

/// Reads a file of rates.
///
/// # Errors
/// Every row that cannot be read, with its line and why; a file that is none has one, at line 1.
pub fn read(text: &str) -> Result<Vec<RateRow>, Vec<BadRow>> {
    // The reader counts a line from the end of the carriage return on: too early by one.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = header(&mut reader).map_err(|bad| vec![bad])?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for (record, number) in reader.records().zip(2_u64..) {
        if rows.len() + bad.len() == MAX_ROWS {
            bad.push(misfit(number, format!("a file has at most {MAX_ROWS} rows")));
            break;
        }
        let line = |record: &csv::StringRecord| record.position().map_or(number, csv::Position::line);
        match record {
            Err(error) => bad.push(misfit(number, error.to_string())),
            Ok(record) => match row(&record, columns) {
                Ok(set) => rows.push(RateRow {
                    line: line(&record),
                    set,
                }),
                Err(why) => bad.push(BadRow {
                    line: line(&record),
                    ..why
                }),
            },
        }
    }
    if bad.is_empty() && rows.is_empty() {
        bad.push(misfit(1, "the file has no rows".to_owned()));
    }
    if bad.is_empty() { Ok(rows) } else { Err(bad) }
}

fn header(reader: &mut csv::Reader<&[u8]>) -> Result<usize, BadRow> {
    let found = reader.headers().map_err(|error| misfit(1, error.to_string()))?;
    let fits = (REQUIRED..=COLUMNS.len()).contains(&found.len())
        && found.iter().zip(COLUMNS).all(|(found, name)| found == name);
    if fits {
        Ok(found.len())
    } else {
        Err(misfit(1, format!("the first line is {}", COLUMNS.join(","))))
    }
}

fn misfit(line: u64, reason: String) -> BadRow {
    BadRow {
        line,
        code: "INVALID_CSV",
        reason,
    }
}

fn row(record: &csv::StringRecord, columns: usize) -> Result<TaxRateSet, BadRow> {
    let bad = |code, reason: String| BadRow {
        line: 0,
        code,
        reason,
    };
    if record.len() != columns {
        return Err(bad(
            "INVALID_CSV",
            format!("the row has {} fields, the first line {columns}", record.len()),
        ));
    }
    // A file that a spreadsheet had in hand leads names that look like formulas with an apostrophe.
    let field = |index: usize| record.get(index).unwrap_or_default();
    let name = |index: usize| field(index).trim_start_matches('\'').to_owned();
    let date = |index: usize| {
        field(index).parse::<NaiveDate>().map_err(|_| {
            bad(
                "INVALID_DATE",
                format!("{} is a date such as 2026-04-01", COLUMNS[index]),
            )
        })
    };
    let rate_ppm =
        RatePpm::parse(field(3)).map_err(|error| bad(TaxRateError::BadRate.code(), error.to_string()))?;
    let mut set = TaxRateSet {
        jurisdiction: Jurisdiction {
            state: field(0).to_owned(),
            county: name(1),
            city: Some(name(2)).filter(|city| !city.is_empty()),
        },
        rate_ppm,
        effective_from: date(4)?,
        effective_until: if field(5).is_empty() { None } else { Some(date(5)?) },
        source: Some(name(6))
            .filter(|source| !source.is_empty())
            .unwrap_or_else(|| "imported".to_owned()),
        before_ppm: None,
        correction: None,
        zips: zips(field(7)).map_err(|reason| bad("INVALID_ZIP", reason))?,
    };
    super::check(&mut set).map_err(|error| bad(error.code(), error.to_string()))?;
    Ok(set)
}

fn zips(text: &str) -> Result<Vec<ZipCode>, String> {
    let zip = |word: &str| {
        word.parse::<ZipCode>()
            .map_err(|error| format!("{word}: {error}"))
    };
    text.split_whitespace().map(zip).collect()
}

/// Writes rates as such a file, which can be read again.
pub fn write<'a>(rates: impl IntoIterator<Item = &'a TaxRateSet>) -> String {
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let head = file.write_record(COLUMNS);
    let rows = rates.into_iter().map(fields);
    rows.fold(head, |so_far, row| so_far.and_then(|()| file.write_record(row)))
        .expect("memory takes every record, and all have the same fields");
    let bytes = file.into_inner().expect("memory takes every record");
    String::from_utf8(bytes).expect("fields are text")
}

fn fields(set: &TaxRateSet) -> [String; 8] {
    let zips: Vec<&str> = set.zips.iter().map(ZipCode::as_str).collect();
    [
        set.jurisdiction.state.clone(),
        plain(&set.jurisdiction.county),
        plain(set.jurisdiction.city.as_deref().unwrap_or_default()),
        set.rate_ppm.to_string(),
        set.effective_from.to_string(),
        set.effective_until
            .map(|until| until.to_string())
            .unwrap_or_default(),
        plain(&set.source),
        zips.join(" "),
    ]
}

/// Text that no spreadsheet takes for a formula.
fn plain(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The rows of a file by the stream of their county.
pub fn by_county(rows: Vec<RateRow>) -> BTreeMap<String, Vec<RateRow>> {
    let mut counties: BTreeMap<String, Vec<RateRow>> = BTreeMap::new();
    for row in rows {
        let place = &row.set.jurisdiction;
        let key = CountyRates::stream_key(&place.state, &place.county);
        counties.entry(key).or_default().push(row);
    }
    for rows in counties.values_mut() {
        rows.sort_by_key(|row| row.set.effective_from);
    }
    counties
}

impl CountyRates {
    /// What a county's rows of a file come to; nothing where it has them all. A row that only gives an open rate its end
    /// ends it.
    ///
    /// # Errors
    /// Every row that cannot be taken, with its line and why.
    pub fn import(&self, rows: &[RateRow], file: &str) -> Result<Vec<TaxRateEvent>, Vec<BadRow>> {
        let (mut rates, mut events, mut bad) = (self.clone(), Vec::new(), Vec::new());
        for row in rows {
            match rates.take(&row.set) {
                Ok(taken) => {
                    for event in taken {
                        rates.evolve(&event);
                        events.push(event);
                    }
                }
                Err(error) => bad.push(BadRow {
                    line: row.line,
                    code: error.code(),
                    reason: error.to_string(),
                }),
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        if !events.is_empty() {
            events.push(TaxRateEvent::Imported(TaxRatesImported {
                file: file.to_owned(),
                rates: i32::try_from(events.len()).unwrap_or(i32::MAX),
            }));
        }
        Ok(events)
    }

    fn take(&self, set: &TaxRateSet) -> Result<Vec<TaxRateEvent>, TaxRateError> {
        let place = &set.jurisdiction;
        let city = place.city.as_deref().map(fold).unwrap_or_default();
        let known = self
            .rates
            .get(&city)
            .and_then(|rates| rates.get(&set.effective_from));
        match known {
            Some(RateInForce {
                rate_ppm,
                effective_until,
                ..
            }) if *rate_ppm == set.rate_ppm => match (effective_until, set.effective_until) {
                (known, asked) if *known == asked => Ok(Vec::new()),
                // It was given its end by the rate after it.
                (Some(_), None) => Ok(Vec::new()),
                (None, Some(until)) => Ok(vec![TaxRateEvent::Ended(TaxRateEnded {
                    jurisdiction: place.clone(),
                    effective_from: set.effective_from,
                    effective_until: until,
                })]),
                (Some(_) | None, _) => Err(TaxRateError::Overlaps {
                    from: set.effective_from,
                }),
            },
            Some(_) | None => self.set(set.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
