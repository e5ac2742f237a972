//! An export as JSON: what it is of, the summary, the lines, and what it says of itself, each row on a line of its own.
//!
//! Amounts and rates are texts, so that no reader makes floating point of them.

use super::cell::{Cell, CellKind, ColumnOf};
use super::certificate::Certificate;

/// Appends a row as an object.
pub(crate) fn push_object<R>(out: &mut Vec<u8>, columns: &[ColumnOf<R>], row: &R) {
    for (place, column) in columns.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{" } else { b"," });
        push_string(out, column.name);
        out.push(b':');
        push_value(out, &(column.cell)(row), column.kind);
    }
    out.push(b'}');
}

fn push_value(out: &mut Vec<u8>, cell: &Cell<'_>, kind: CellKind) {
    match cell {
        Cell::Empty => out.extend_from_slice(b"null"),
        Cell::Count(_) if kind == CellKind::Count => cell.push(out),
        Cell::Text(text) => push_string(out, &super::cell::legible(text)),
        // Digits, points and dashes need no escape.
        Cell::Date(_) | Cell::Money(_) | Cell::Rate(_) | Cell::Count(_) => {
            out.push(b'"');
            cell.push(out);
            out.push(b'"');
        }
    }
}

pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("text has a JSON form, and memory takes it");
}

/// Appends what the export says of itself, as an object of texts.
pub(crate) fn push_certificate(out: &mut Vec<u8>, certificate: &Certificate) {
    for (place, (name, value)) in certificate.fields().into_iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{" } else { b"," });
        push_string(out, name);
        out.push(b':');
        push_string(out, &value);
    }
    out.push(b'}');
}
