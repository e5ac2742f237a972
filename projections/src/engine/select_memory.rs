//! A query over rows in memory, with the meaning that it has in SQL.

use std::cmp::Ordering;

use super::column::Value;
use super::fold::Row;
use super::select::{BadCursor, Condition, Direction, Order, Select};

/// Whether a row meets a condition.
pub(crate) fn meets<R: Row>(row: &R, condition: &Condition) -> bool {
    let is = |column: &'static str, wanted: fn(Ordering) -> bool, value: &Value| {
        row.value(column).is_some_and(|have| wanted(have.cmp(value)))
    };
    match condition {
        Condition::Eq(column, value) => is(column, Ordering::is_eq, value),
        Condition::OneOf(column, values) => values.iter().any(|value| is(column, Ordering::is_eq, value)),
        Condition::AtLeast(column, value) => is(column, Ordering::is_ge, value),
        Condition::AtLeastOrNull(column, value) => {
            row.value(column).is_none() || is(column, Ordering::is_ge, value)
        }
        Condition::Below(column, value) => is(column, Ordering::is_lt, value),
        Condition::Contains(columns, text) => {
            let wanted = text.to_ascii_lowercase();
            columns.iter().any(|column| match row.value(column) {
                Some(Value::Text(have)) => have.to_ascii_lowercase().contains(&wanted),
                Some(Value::Uuid(_) | Value::Int(_) | Value::Instant(_) | Value::Date(_)) | None => false,
            })
        }
    }
}

fn compare(order: Order, a: &[Value], b: &[Value]) -> Ordering {
    match order.direction {
        Direction::Ascending => a.cmp(b),
        Direction::Descending => b.cmp(a),
    }
}

/// The page's rows, and one more where there is one.
pub(crate) fn select<R: Row>(rows: impl Iterator<Item = R>, select: &Select) -> Result<Vec<R>, BadCursor> {
    let order = select.order;
    let after = select
        .after
        .as_ref()
        .map(|cursor| cursor.read::<R>(order))
        .transpose()?;
    let mut found: Vec<(Vec<Value>, R)> = rows
        .filter(|row| select.conditions.iter().all(|condition| meets(row, condition)))
        .map(|row| (order.place(&row), row))
        .filter(|(place, _)| {
            after
                .as_ref()
                .is_none_or(|after| compare(order, place, after).is_gt())
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| compare(order, a, b));
    found.truncate(usize::from(select.first) + 1);
    Ok(found.into_iter().map(|(_, row)| row).collect())
}
