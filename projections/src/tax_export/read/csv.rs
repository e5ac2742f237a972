//! An export in CSV: which of the two tables it has, its header says; its last records are the certificate.

use std::collections::VecDeque;
use std::path::Path;

use super::{Found, Parts, Stray, Unreadable, damaged, expect_columns};
use crate::tax_export::cell::{CellKind, field_text};
use crate::tax_export::certificate::FIELDS;
use crate::tax_export::columns::{basis_of, line_columns, summary_columns};

pub(super) fn read(path: &Path, row: &mut dyn FnMut(Found) -> bool) -> Result<Parts, Unreadable> {
    let mut reader = ::csv::ReaderBuilder::new().from_path(path).map_err(damaged)?;
    let header = reader.headers().map_err(damaged)?.clone();
    let basis = basis_of(header.iter());
    let of_lines = header.iter().next() == line_columns(basis).next().map(|(name, _)| name);
    let kinds: Vec<CellKind> = if of_lines {
        expect_columns(header.iter(), line_columns(basis).map(|(name, _)| name))?;
        line_columns(basis).map(|(_, kind)| kind).collect()
    } else {
        expect_columns(header.iter(), summary_columns().map(|(name, _)| name))?;
        summary_columns().map(|(_, kind)| kind).collect()
    };
    // The last records are what it says of itself, and before these are the sums of a summary.
    let behind = FIELDS.len() + usize::from(!of_lines);
    let found = |cells| {
        if of_lines {
            Found::Line(cells)
        } else {
            Found::Summary(cells)
        }
    };
    let mut held: VecDeque<Vec<String>> = VecDeque::with_capacity(behind + 1);
    for record in reader.records() {
        let record = record.map_err(damaged)?;
        let fields = record.iter().zip(&kinds);
        held.push_back(
            fields
                .map(|(field, kind)| field_text(field, *kind).into_owned())
                .collect(),
        );
        if held.len() > behind
            && let Some(cells) = held.pop_front()
            && !row(found(cells))
        {
            break;
        }
    }
    // A certificate by the day of the event has a field less.
    let begins = |place: usize| {
        held.get(place)
            .and_then(|cells| cells.first())
            .map(String::as_str)
    };
    let of_payment = held.len().checked_sub(FIELDS.len()).and_then(begins) == Some(FIELDS[0]);
    if !of_payment
        && held.len() == behind
        && let Some(cells) = held.pop_front()
    {
        row(found(cells));
    }
    let said = FIELDS.len() - usize::from(!of_payment);
    if !of_lines
        && held.len() == said + 1
        && let Some(total) = held.pop_front()
    {
        row(Found::Total(total));
    }
    let mut parts = Parts {
        lines: of_lines.then_some(basis),
        ..Parts::default()
    };
    for cells in held {
        let mut cells = cells.into_iter();
        let (name, value) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        for more in cells.filter(|cell| !cell.is_empty()) {
            parts.strays.push(Stray::beside(format!("beside {name}"), more));
        }
        parts.fields.push((name, value));
    }
    Ok(parts)
}
