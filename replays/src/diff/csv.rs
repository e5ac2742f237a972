//! What changed as CSV (RFC 4180): a record for each field that differs.

use std::io::Write;

use serde_json::Value;

use super::Diff;
use crate::moment::ReplayError;
use crate::show::{csv_cell, key_text};
use crate::text::field;

const HEADER: [&str; 6] = ["change", "key", "column", "before", "after", "events"];

/// Writes the header, a record for each field that differs, with the positions of the events that changed the row; then
/// a record `SUM` for each column of money, with the difference in cents under `after`; and the two ends, the earlier
/// under `before` and the later under `after`, as `POSITION`, `RECORDED_AT`, `ROWS`, `INCOMPLETE` and
/// `CHECKSUM`.
pub(super) fn write(diff: &Diff, to: &mut dyn Write) -> Result<(), ReplayError> {
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(to);
    file.write_record(HEADER)?;
    for change in &diff.changes {
        let of = |row: &Option<Value>, column: &str| row.as_ref().map(|row| csv_cell(&row[column]));
        for &column in &change.columns {
            let positions: Vec<String> = change
                .causes
                .iter()
                .filter(|cause| cause.columns.contains(&column))
                .map(|cause| cause.entry.position.to_string())
                .collect();
            file.write_record([
                change.fate().as_str(),
                &field(&key_text(&diff.columns, &change.key)),
                column,
                &of(&change.before, column).unwrap_or_default(),
                &of(&change.after, column).unwrap_or_default(),
                &positions.join(" "),
            ])?;
        }
    }
    for (column, cents) in &diff.sums {
        file.write_record(["SUM", "", column, "", &cents.to_string(), ""])?;
    }
    let (from, to) = (&diff.from, &diff.to);
    let recorded = |place: &crate::moment::Place| {
        let at = place.recorded_at.as_ref();
        at.map(crate::moment::instant).unwrap_or_default()
    };
    for (name, before, after) in [
        (
            "POSITION",
            from.place.position.to_string(),
            to.place.position.to_string(),
        ),
        ("RECORDED_AT", recorded(&from.place), recorded(&to.place)),
        ("ROWS", from.rows.to_string(), to.rows.to_string()),
        (
            "INCOMPLETE",
            from.incomplete.to_string(),
            to.incomplete.to_string(),
        ),
        ("CHECKSUM", hex::encode(from.checksum), hex::encode(to.checksum)),
    ] {
        file.write_record([name, "", "", &before, &after, ""])?;
    }
    file.flush()?;
    Ok(())
}
