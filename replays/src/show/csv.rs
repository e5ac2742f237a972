//! A read model as CSV (RFC 4180).

use std::io::Write;

use serde_json::Value;

use super::Shown;
use crate::moment::{ReplayError, instant};
use crate::text::field;

/// Writes the header, a record for each row, and seven that say in their first field what they are: `VIEW`,
/// `FOLD_VERSION`, `POSITION`, `RECORDED_AT`, `ROWS`, `INCOMPLETE` and `CHECKSUM`, with the value in the second. Every
/// record has all fields.
///
/// Amounts are whole cents, as in JSON; what is null is empty, and what is neither text nor number is JSON.
pub(super) fn write(shown: &Shown, to: &mut dyn Write) -> Result<(), ReplayError> {
    let mut file = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(to);
    file.write_record(shown.columns.iter().map(|column| column.name))?;
    for row in shown.rows() {
        file.write_record(shown.columns.iter().map(|column| cell(&row[column.name])))?;
    }
    let trailers = [
        ("VIEW", shown.view.to_owned()),
        ("FOLD_VERSION", shown.fold_version.to_string()),
        ("POSITION", shown.place.position.to_string()),
        (
            "RECORDED_AT",
            shown.place.recorded_at.as_ref().map(instant).unwrap_or_default(),
        ),
        ("ROWS", shown.total().to_string()),
        ("INCOMPLETE", shown.is_incomplete().to_string()),
        ("CHECKSUM", hex::encode(shown.checksum)),
    ];
    for (name, value) in trailers {
        let mut record = vec![String::new(); shown.columns.len().max(2)];
        name.clone_into(&mut record[0]);
        record[1] = value;
        file.write_record(record)?;
    }
    file.flush()?;
    Ok(())
}

/// A value as a field.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => field(text),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    }
}
