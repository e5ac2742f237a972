//! A read model as JSON lines: the first says what it is, each of the others is a row.

use std::io::Write;

use projections::ColumnInfo;
use serde_json::{Value, json};

use super::{Shown, Which, type_name};
use crate::moment::ReplayError;

pub(super) fn write(shown: &Shown, to: &mut dyn Write) -> Result<(), ReplayError> {
    let key = match &shown.which {
        Which::All => Value::Null,
        Which::With(values) => Value::Object(values.clone()),
    };
    let head = json!({
        "view": shown.view,
        "fold_version": shown.fold_version,
        "position": shown.place.position,
        "recorded_at": shown.place.recorded_at,
        "rows": shown.total(),
        "incomplete": shown.is_incomplete(),
        "checksum": hex::encode(shown.checksum),
        "key": key,
        "columns": columns(&shown.columns),
    });
    writeln!(to, "{head}")?;
    for row in shown.rows() {
        writeln!(to, "{row}")?;
    }
    Ok(())
}

/// What the columns of a read model are.
pub(crate) fn columns(columns: &[ColumnInfo]) -> Value {
    let column =
        |column: &ColumnInfo| json!({"name": column.name, "type": type_name(column), "key": column.is_key});
    columns.iter().map(column).collect()
}
