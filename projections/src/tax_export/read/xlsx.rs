//! An export as a workbook, whether this program or a spreadsheet has saved it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use calamine::{DataRef, Reader, Xlsx, open_workbook};

use super::{Found, Parts, Stray, Unreadable, damaged, expect_columns};
use crate::tax_export::cell::{CellKind, legible};
use crate::tax_export::columns::{basis_of, line_columns, summary_columns};
use crate::tax_export::csv::TOTAL;
use crate::tax_export::xlsx::{LINES_SHEET, SUMMARY_SHEET, day};
use domain::money::RatePpm;

type Workbook = Xlsx<BufReader<File>>;

pub(super) fn read(path: &Path, row: &mut dyn FnMut(Found) -> bool) -> Result<Parts, Unreadable> {
    let mut workbook: Workbook = open_workbook(path).map_err(|error: calamine::XlsxError| damaged(error))?;
    let mut parts = summary(&mut workbook, row)?;
    let of_lines = |name: &String| name.starts_with(LINES_SHEET);
    let sheets: Vec<String> = workbook.sheet_names().into_iter().filter(of_lines).collect();
    for sheet in sheets {
        let mut kinds: Option<Vec<CellKind>> = None;
        each_row(&mut workbook, &sheet, |cells| {
            if let Some(kinds) = &kinds {
                return Ok(row(Found::Line(texts(cells, kinds))));
            }
            let found: Vec<String> = cells.iter().map(|cell| text(cell, CellKind::Text)).collect();
            let found = || found.iter().map(String::as_str);
            let basis = *parts.lines.get_or_insert_with(|| basis_of(found()));
            expect_columns(found(), line_columns(basis).map(|(name, _)| name))?;
            kinds = Some(line_columns(basis).map(|(_, kind)| kind).collect());
            Ok(true)
        })?;
        formulas(&mut workbook, &sheet, &mut parts)?;
    }
    formulas(&mut workbook, SUMMARY_SHEET, &mut parts)?;
    Ok(parts)
}

/// Names the cells of a sheet that are computed: what they show is not what they say when a spreadsheet opens them.
fn formulas(workbook: &mut Workbook, sheet: &str, parts: &mut Parts) -> Result<(), Unreadable> {
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
    while let Some(cell) = cells.next_formula().map_err(damaged)? {
        let (row, column) = cell.get_position();
        if !cell.get_value().is_empty() && parts.strays.len() < MOST_STRAYS {
            let name = format!("{sheet}, row {}, column {}", row + 1, column + 1);
            parts
                .strays
                .push(Stray::beside(name, format!("={}", cell.get_value())));
        }
    }
    Ok(())
}

/// Strays that are named at most.
const MOST_STRAYS: usize = 100;

/// The first sheet: the certificate, its columns, its rows, and their sums.
fn summary(workbook: &mut Workbook, row: &mut dyn FnMut(Found) -> bool) -> Result<Parts, Unreadable> {
    let (names, kinds): (Vec<&str>, Vec<CellKind>) = summary_columns().unzip();
    let mut parts = Parts::default();
    let mut in_table = false;
    let mut before: Option<Vec<String>> = None;
    each_row(workbook, SUMMARY_SHEET, |cells| {
        if in_table {
            // The last row are the sums.
            if let Some(before) = before.replace(texts(cells, &kinds)) {
                return Ok(row(Found::Summary(before)));
            }
            return Ok(true);
        }
        let found: Vec<String> = cells.iter().map(|cell| text(cell, CellKind::Text)).collect();
        if found.first().map(String::as_str) == names.first().copied() {
            expect_columns(found.iter().map(String::as_str), names.iter().copied())?;
            in_table = true;
            return Ok(true);
        }
        let mut found = found.into_iter();
        let (name, value) = (found.next().unwrap_or_default(), found.next().unwrap_or_default());
        for more in found.filter(|cell| !cell.is_empty()) {
            parts.strays.push(Stray::beside(format!("beside {name}"), more));
        }
        if !name.is_empty() || !value.is_empty() {
            parts.fields.push((name, value));
        }
        Ok(true)
    })?;
    if let Some(total) = before {
        let is_total = total.first().is_some_and(|first| first == TOTAL);
        row(if is_total {
            Found::Total(total)
        } else {
            Found::Summary(total)
        });
    }
    Ok(parts)
}

/// Gives the rows of a sheet that are not empty, each with as many cells as it has.
fn each_row(
    workbook: &mut Workbook,
    sheet: &str,
    mut row: impl FnMut(&[DataRef<'_>]) -> Result<bool, Unreadable>,
) -> Result<(), Unreadable> {
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
    let mut at = 0;
    let mut held: Vec<DataRef<'_>> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        let (line, column) = cell.get_position();
        if line != at && !held.is_empty() {
            if !row(&held)? {
                return Ok(());
            }
            held.clear();
        }
        at = line;
        let column = usize::try_from(column).map_err(damaged)?;
        if column > MOST_COLUMNS {
            return Err(damaged("a row has more columns than an export"));
        }
        held.resize(held.len().max(column + 1), DataRef::Empty);
        held[column] = cell.get_value().clone();
    }
    if !held.is_empty() {
        row(&held)?;
    }
    Ok(())
}

/// No sheet of ours has more.
const MOST_COLUMNS: usize = 255;

fn texts(cells: &[DataRef<'_>], kinds: &[CellKind]) -> Vec<String> {
    let all = cells.iter().chain(std::iter::repeat(&DataRef::Empty));
    let mut texts: Vec<String> = all.zip(kinds).map(|(cell, kind)| text(cell, *kind)).collect();
    // What stands beside the table is part of no row, and must not be.
    texts.extend(
        cells
            .iter()
            .skip(kinds.len())
            .map(|cell| text(cell, CellKind::Text)),
    );
    texts
}

/// The canonical text of a cell in a column of a kind.
fn text(cell: &DataRef<'_>, kind: CellKind) -> String {
    match cell {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            legible(text).into_owned()
        }
        DataRef::SharedString(text) => legible(text).into_owned(),
        DataRef::Int(number) => number_text(&number.to_string(), kind),
        DataRef::Float(number) => number_text(&format!("{number:.6}"), kind),
        DataRef::DateTime(date) => number_text(&format!("{:.6}", date.as_f64()), kind),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::Error(error) => error.to_string(),
    }
}

/// A number with up to six places as its column has it; with more places than that, as it is.
fn number_text(number: &str, kind: CellKind) -> String {
    let (whole, places) = number.split_once('.').unwrap_or((number, "000000"));
    let is_whole = places.bytes().all(|digit| digit == b'0');
    let canonical = match kind {
        CellKind::Money
            if places
                .get(2..)
                .is_some_and(|rest| rest.bytes().all(|digit| digit == b'0')) =>
        {
            Some(format!("{whole}.{}", &places[..2]))
        }
        CellKind::Count if is_whole => Some(whole.to_owned()),
        CellKind::Date if is_whole => whole.parse().ok().and_then(day).map(|day| day.to_string()),
        CellKind::Rate => format!("{whole}{places:0<6}")
            .parse()
            .ok()
            .map(|ppm| RatePpm(ppm).to_string()),
        CellKind::Text if is_whole => Some(whole.to_owned()),
        CellKind::Money | CellKind::Count | CellKind::Date | CellKind::Text => None,
    };
    canonical.unwrap_or_else(|| number.to_owned())
}
