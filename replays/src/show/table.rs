//! A read model on a screen: as a table of the columns that fit, or a row at a time with all of them.

use std::io::Write;

use domain::money::Cents;
use projections::{ColumnInfo, Kind};
use serde_json::Value;

use super::{NUMBERS, Shown, Which, is_money, key_text, type_name};
use crate::moment::ReplayError;
use crate::text::{Screen, Side, clean, clip, pad, width, wrap};

/// Columns that a field of a table takes at most, unless it is of the key.
const WIDEST: usize = 32;
/// Of rows that are not all that they should be.
pub(crate) const INCOMPLETE: &str = "incomplete: events are held back that could not be applied";
/// Between two columns.
const GAP: usize = 2;

pub(super) fn write(shown: &Shown, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    let title = format!("{} as of {}", shown.view, shown.place);
    writeln!(to, "{}", screen.strong(title))?;
    let rows = shown.total();
    writeln!(to, "{rows} rows, version {} of the fold", shown.fold_version)?;
    writeln!(to, "checksum {}", hex::encode(shown.checksum))?;
    if shown.is_incomplete() {
        writeln!(to, "{}", screen.removed(INCOMPLETE))?;
    }
    let layout = match shown.which {
        Which::All => Layout::of(shown, screen.width),
        Which::With(_) => None,
    };
    match layout {
        Some(layout) => layout.write(shown, screen, to),
        None => records(shown, screen, to),
    }
}

/// Each row as a list of its columns, under its key.
fn records(shown: &Shown, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    let names = shown.columns.iter().map(|column| width(column.name)).max();
    let names = names.unwrap_or_default();
    let mut any = false;
    for row in shown.rows() {
        any = true;
        let key = clean(&key_text(&shown.columns, &row));
        writeln!(to, "\n{}", screen.strong(key))?;
        for column in &shown.columns {
            let text = detail(column, &row[column.name]);
            let room = screen.width.saturating_sub(names + 2 * GAP);
            for (place, line) in wrap(&text, room).into_iter().enumerate() {
                let name = if place == 0 { column.name } else { "" };
                writeln!(to, "  {}  {line}", screen.faint(pad(name, names, Side::Left)))?;
            }
        }
    }
    if !any {
        writeln!(to, "\nno row of that key")?;
    }
    Ok(())
}

/// The columns of a table, with what they take.
struct Layout<'a>(Vec<(&'a ColumnInfo, usize)>);

impl<'a> Layout<'a> {
    /// The key, and as many others as fit beside it, those that say most first; none where not even the key fits.
    fn of(shown: &'a Shown, room: usize) -> Option<Self> {
        let mut widths: Vec<usize> = shown
            .columns
            .iter()
            .map(|column| width(heading(column)))
            .collect();
        for row in shown.rows() {
            for (column, widest) in shown.columns.iter().zip(&mut widths) {
                let needs = width(&short(column, &row[column.name]));
                *widest = (*widest).max(if column.is_key { needs } else { needs.min(WIDEST) });
            }
        }
        let mut ranked: Vec<usize> = (0..shown.columns.len()).collect();
        ranked.sort_by_key(|&place| rank(&shown.columns[place]));
        let mut taken = Vec::new();
        let mut used = 0;
        for place in ranked {
            let needs = widths[place] + if taken.is_empty() { 0 } else { GAP };
            if used + needs <= room {
                used += needs;
                taken.push(place);
            } else if shown.columns[place].is_key {
                return None;
            }
        }
        taken.sort_unstable();
        let of = |place: usize| (&shown.columns[place], widths[place]);
        Some(Self(taken.into_iter().map(of).collect()))
    }

    fn write(&self, shown: &Shown, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
        let headings = self.line(|column| heading(column).to_owned());
        writeln!(to, "\n{}", screen.faint(headings))?;
        for row in shown.rows() {
            let line = self.line(|column| short(column, &row[column.name]));
            writeln!(to, "{line}")?;
        }
        let shows = |column: &ColumnInfo| self.0.iter().any(|(shown, _)| shown.name == column.name);
        let left_out: Vec<&str> = shown
            .columns
            .iter()
            .filter(|column| !shows(column))
            .map(|column| column.name)
            .collect();
        if left_out.is_empty() {
            return Ok(());
        }
        let footer = format!(
            "No room for {}. --key KEY shows a row whole, --format csv or json all of them.",
            left_out.join(", ")
        );
        writeln!(to)?;
        for line in wrap(&footer, screen.width) {
            writeln!(to, "{}", screen.faint(line))?;
        }
        Ok(())
    }

    fn line(&self, text: impl Fn(&ColumnInfo) -> String) -> String {
        let cells: Vec<String> = self
            .0
            .iter()
            .map(|(column, columns)| pad(&clip(&text(column), *columns), *columns, side(column)))
            .collect();
        cells.join("  ").trim_end().to_owned()
    }
}

/// Amounts stand under their name without its unit: they are in dollars.
fn heading(column: &ColumnInfo) -> &'static str {
    if is_money(column) {
        column.name.trim_end_matches("_cents")
    } else {
        column.name
    }
}

fn side(column: &ColumnInfo) -> Side {
    match column.kind {
        Some(Kind::Int) => Side::Right,
        Some(Kind::Text | Kind::Uuid | Kind::Instant | Kind::Date) | None => Side::Left,
    }
}

/// How early a column is taken into a table that has no room for all.
fn rank(column: &ColumnInfo) -> u8 {
    match type_name(column) {
        _ if column.is_key => 0,
        // What people name it by, and how it stands.
        "text" if NUMBERS.contains(&column.name) || column.name == "status" => 1,
        "cents" => 2,
        // Of a personal value: nobody reads it.
        "text" if column.name.ends_with("_key") => 6,
        "text" | "date" => 3,
        "ppm" | "instant" => 4,
        "integer" => 5,
        _ => 6,
    }
}

/// A value in a field of a table.
fn short(column: &ColumnInfo, value: &Value) -> String {
    match (value, column.kind) {
        (Value::String(text), Some(Kind::Instant)) if !column.is_key => {
            let seconds = text.get(..19).unwrap_or(text);
            format!("{}Z", clean(seconds).replace('T', " "))
        }
        (Value::Number(_), _) if is_money(column) && !column.is_key => {
            money(value).unwrap_or_else(|| value.to_string())
        }
        _ => plain(value),
    }
}

/// A value with room around it: cents beside dollars, millionths beside per cent.
pub(crate) fn detail(column: &ColumnInfo, value: &Value) -> String {
    let said = match type_name(column) {
        "cents" => money(value),
        "ppm" => value.as_i64().map(|ppm| {
            let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
            format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
        }),
        _ => None,
    };
    match said {
        Some(said) => format!("{said} ({value})"),
        None => plain(value),
    }
}

/// Cents as dollars; nothing where there are none.
fn money(value: &Value) -> Option<String> {
    value.as_i64().map(|cents| Cents(cents).to_string())
}

/// A value in words: what is in a list or an object one after the other.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => clean(text),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(plain).collect();
            values.join("; ")
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{} {}", clean(name), plain(value));
            let fields: Vec<String> = fields.iter().map(field).collect();
            fields.join(", ")
        }
        other @ (Value::Bool(_) | Value::Number(_)) => other.to_string(),
    }
}
