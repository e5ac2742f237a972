//! What changed as JSON lines: the first says between which ends, each of the others is a row that differs.

use std::io::Write;

use projections::audit_trail::AuditRow;
use serde_json::{Map, Value, json};

use super::{Cause, Diff, End, Fate, RowChange};
use crate::moment::ReplayError;
use crate::show::columns_json;

pub(super) fn write(diff: &Diff, to: &mut dyn Write) -> Result<(), ReplayError> {
    // A sum of 64-bit amounts may pass 64 bits, which JSON's readers would round: then it is text.
    let sum = |cents: i128| i64::try_from(cents).map_or_else(|_| json!(cents.to_string()), Value::from);
    let sums: Map<String, Value> = diff
        .sums
        .iter()
        .map(|&(column, cents)| (column.to_owned(), sum(cents)))
        .collect();
    let head = json!({
        "view": diff.view,
        "fold_version": diff.fold_version,
        "from": end(&diff.from),
        "to": end(&diff.to),
        "appeared": diff.count(Fate::Appeared),
        "vanished": diff.count(Fate::Vanished),
        "changed": diff.count(Fate::Changed),
        "restored": diff.restored,
        "sums": sums,
        "columns": columns_json(&diff.columns),
    });
    writeln!(to, "{head}")?;
    for change in &diff.changes {
        writeln!(to, "{}", row(change))?;
    }
    Ok(())
}

fn end(end: &End) -> Value {
    json!({
        "position": end.place.position,
        "recorded_at": end.place.recorded_at,
        "rows": end.rows,
        "checksum": hex::encode(end.checksum),
        "incomplete": end.incomplete,
    })
}

fn row(change: &RowChange) -> Value {
    let of = |row: &Option<Value>, column: &str| row.as_ref().map(|row| row[column].clone());
    let fields: Map<String, Value> = change
        .columns
        .iter()
        .map(|&column| {
            let field = json!({"before": of(&change.before, column), "after": of(&change.after, column)});
            (column.to_owned(), field)
        })
        .collect();
    json!({
        "change": change.fate().as_str(),
        "key": change.key,
        "fields": fields,
        "events": change.causes.iter().map(cause).collect::<Vec<_>>(),
    })
}

fn cause(cause: &Cause) -> Value {
    let mut told = entry(&cause.entry);
    told["columns"] = json!(cause.columns);
    told
}

/// An event as the audit trail tells it.
pub(crate) fn entry(entry: &AuditRow) -> Value {
    json!({
        "position": entry.position,
        "recorded_at": entry.recorded_at,
        "type": entry.event_type,
        "stream": format!("{}:{}", entry.entity_type, entry.entity_id),
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "role": entry.actor_role},
        "channel": entry.channel,
        "summary": entry.summary,
        "reason": entry.reason,
    })
}
