//! What changed, for people: row by row, field by field, and the events behind each.

use std::io::Write;

use domain::money::Cents;
use projections::ColumnInfo;
use projections::audit_trail::AuditRow;

use super::{Diff, Fate, RowChange};
use crate::moment::{ReplayError, instant};
use crate::show::{INCOMPLETE, detail, is_money, key_text};
use crate::text::{Screen, Side, clean, pad, width, wrap};

pub(super) fn write(diff: &Diff, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    let title = format!("{}, version {} of the fold", diff.view, diff.fold_version);
    writeln!(to, "{}", screen.strong(title))?;
    for (name, end) in [("from", &diff.from), ("to", &diff.to)] {
        writeln!(to, "{name:<4} {}: {} rows", end.place, end.rows)?;
        writeln!(to, "     checksum {}", hex::encode(end.checksum))?;
    }
    if diff.is_incomplete() {
        writeln!(to, "{}", screen.removed(INCOMPLETE))?;
    }
    let count = |fate| diff.count(fate);
    let restored = match diff.restored {
        0 => String::new(),
        some => format!(", {some} changed and changed back"),
    };
    writeln!(
        to,
        "{} rows appeared, {} vanished, {} changed{restored}",
        count(Fate::Appeared),
        count(Fate::Vanished),
        count(Fate::Changed)
    )?;
    for change in &diff.changes {
        write_change(diff, change, screen, to)?;
    }
    write_sums(diff, screen, to)
}

fn write_change(
    diff: &Diff,
    change: &RowChange,
    screen: Screen,
    to: &mut dyn Write,
) -> Result<(), ReplayError> {
    let key = clean(&key_text(&diff.columns, &change.key));
    let key = match change.fate() {
        Fate::Appeared => screen.added(format!("+ {key}")),
        Fate::Vanished => screen.removed(format!("- {key}")),
        Fate::Changed => screen.changed(format!("~ {key}")),
    };
    writeln!(to, "\n{key}")?;
    let columns: Vec<&ColumnInfo> = diff
        .columns
        .iter()
        .filter(|column| !column.is_key && change.columns.contains(&column.name))
        .collect();
    let names = columns.iter().map(|column| width(column.name)).max();
    let names = names.unwrap_or_default();
    for column in columns {
        let text = field(column, change);
        let room = screen.width.saturating_sub(names + 4);
        for (place, line) in wrap(&text, room).into_iter().enumerate() {
            let name = if place == 0 { column.name } else { "" };
            writeln!(to, "  {}  {line}", screen.faint(pad(name, names, Side::Left)))?;
        }
    }
    for cause in &change.causes {
        write_event(&cause.entry, screen, to)?;
    }
    Ok(())
}

/// A field before → after; of a row that is there at one end only, as it is there.
fn field(column: &ColumnInfo, change: &RowChange) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let (before, after) = (&before[column.name], &after[column.name]);
            let more = match (before.as_i64(), after.as_i64()) {
                (Some(before), Some(after)) if is_money(column) => {
                    format!(": {}", signed(i128::from(after) - i128::from(before)))
                }
                _ => String::new(),
            };
            format!("{} → {}{more}", detail(column, before), detail(column, after))
        }
        (Some(row), None) | (None, Some(row)) => detail(column, &row[column.name]),
        (None, None) => String::new(),
    }
}

/// An amount with its sign, in dollars.
fn signed(cents: i128) -> String {
    let sign = if cents > 0 { "+" } else { "" };
    match i64::try_from(cents) {
        Ok(cents) => format!("{sign}{}", Cents(cents)),
        Err(_) => format!("{sign}{cents} cents"),
    }
}

/// Position, time and name in a line, and who and what in those below.
fn write_event(entry: &AuditRow, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    let (at, name) = (instant(&entry.recorded_at), &entry.event_type);
    writeln!(to, "  by {}  {at}  {}", entry.position, clean(name))?;
    for text in [actor(entry), clean(&entry.summary)] {
        for line in wrap(&text, screen.width.saturating_sub(5)) {
            writeln!(to, "     {}", screen.faint(line))?;
        }
    }
    Ok(())
}

/// Who did it, through what.
pub(crate) fn actor(entry: &AuditRow) -> String {
    let role = entry.actor_role.as_ref().map(|role| format!(" as {role}"));
    clean(&format!(
        "{} {}{} by {}",
        entry.actor_kind,
        entry.actor_id,
        role.unwrap_or_default(),
        entry.channel
    ))
}

fn write_sums(diff: &Diff, screen: Screen, to: &mut dyn Write) -> Result<(), ReplayError> {
    if diff.sums.is_empty() || diff.changes.is_empty() {
        return Ok(());
    }
    writeln!(
        to,
        "\n{}",
        screen.strong("differences of all these rows together")
    )?;
    let names = diff.sums.iter().map(|(column, _)| width(column)).max();
    let names = names.unwrap_or_default();
    for (column, cents) in &diff.sums {
        let dollars = signed(*cents);
        let plus = if *cents > 0 { "+" } else { "" };
        writeln!(
            to,
            "  {}  {dollars:>14} ({plus}{cents})",
            pad(column, names, Side::Left)
        )?;
    }
    Ok(())
}
