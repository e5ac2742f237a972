//! A query as SQL: identifiers come from constants, values are bound, pages are keysets.

use chrono::{NaiveDate, NaiveTime};
use domain::ids::TenantId;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::column::{Kind, Value};
use super::decode;
use super::error::ReadError;
use super::fold::Row;
use super::select::{Condition, Direction, Order, Select};

pub(super) type Query = QueryBuilder<Postgres>;

fn bind(query: &mut Query, value: Value) {
    match value {
        Value::Text(text) => query.push_bind(text),
        Value::Uuid(id) => query.push_bind(id),
        Value::Int(number) => query.push_bind(number),
        // No row lies outside these years, and Postgres refuses what lies far outside.
        Value::Instant(at) => {
            let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
            query.push_bind(at.clamp(midnight(day(1)), midnight(day(9_999))))
        }
        Value::Date(date) => query.push_bind(date.clamp(day(1), day(9_999))),
    };
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).expect("every year has a first of January")
}

/// Whether no row can hold the value: Postgres has no NUL in text, and refuses to compare with one.
fn nowhere(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.contains('\0'))
}

fn compare(query: &mut Query, column: &'static str, operator: &'static str, value: Value) {
    query.push(column).push(operator);
    bind(query, value);
}

/// An array of those values that a column can hold; whether there is such a column.
fn array<R: Row>(query: &mut Query, column: &'static str, values: Vec<Value>) -> bool {
    // A value of another kind than the column's equals nothing in it.
    macro_rules! of_kind {
        ($variant:ident) => {
            values
                .into_iter()
                .filter_map(|value| {
                    if let Value::$variant(value) = value {
                        Some(value)
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>()
        };
    }
    let Some(kind) = R::kind(column) else {
        return false;
    };
    match kind {
        Kind::Text => query.push_bind(of_kind!(Text)),
        Kind::Uuid => query.push_bind(of_kind!(Uuid)),
        Kind::Int => query.push_bind(of_kind!(Int)),
        Kind::Instant => query.push_bind(of_kind!(Instant)),
        Kind::Date => query.push_bind(of_kind!(Date)),
    };
    true
}

fn one_of<R: Row>(query: &mut Query, column: &'static str, values: Vec<Value>) {
    if R::kind(column).is_none() {
        query.push("false");
        return;
    }
    query.push(column).push(" = any(");
    array::<R>(query, column, values);
    query.push(")");
}

fn contains(query: &mut Query, columns: &'static [&'static str], text: &str) {
    query.push("(false");
    for column in columns {
        // The C collation folds A to Z and nothing else, as in memory, on every machine.
        query
            .push(" or strpos(lower(")
            .push(column)
            .push(" collate \"C\"), ")
            .push_bind(text.to_ascii_lowercase())
            .push(") > 0");
    }
    query.push(")");
}

fn condition<R: Row>(query: &mut Query, condition: Condition) {
    query.push(" and ");
    match condition {
        Condition::Eq(_, value) if nowhere(&value) => {
            query.push("false");
        }
        Condition::Contains(_, text) if text.contains('\0') => {
            query.push("false");
        }
        Condition::Eq(column, value) => compare(query, column, " = ", value),
        Condition::OneOf(column, mut values) => {
            values.retain(|value| !nowhere(value));
            one_of::<R>(query, column, values);
        }
        Condition::AtLeast(column, value) => compare(query, column, " >= ", value),
        Condition::AtLeastOrNull(column, value) => {
            query.push("(").push(column).push(" is null or ");
            compare(query, column, " >= ", value);
            query.push(")");
        }
        Condition::Below(column, value) => compare(query, column, " < ", value),
        Condition::Contains(columns, text) => contains(query, columns, &text),
    }
}

fn after(query: &mut Query, order: Order, place: Vec<Value>) {
    let operator = match order.direction {
        Direction::Ascending => ") > (",
        Direction::Descending => ") < (",
    };
    query.push(" and (").push(order.columns.join(", ")).push(operator);
    for (index, value) in place.into_iter().enumerate() {
        if index > 0 {
            query.push(", ");
        }
        bind(query, value);
    }
    query.push(")");
}

pub(super) fn from<R: Row>(
    what: impl Into<String>,
    tenant: TenantId,
    generation: i32,
    conditions: &[Condition],
) -> Query {
    let mut query = Query::new(what);
    within::<R>(&mut query, tenant, generation, conditions);
    query
}

/// The table's name and its rows that meet the conditions.
fn within<R: Row>(query: &mut Query, tenant: TenantId, generation: i32, conditions: &[Condition]) {
    query
        .push(R::TABLE)
        .push(" t where tenant_id = ")
        .push_bind(tenant.0);
    query.push(" and generation = ").push_bind(generation);
    for wanted in conditions {
        condition::<R>(query, wanted.clone());
    }
}

/// The order, and one row more than a page has.
fn in_order(query: &mut Query, select: &Select) {
    let direction = match select.order.direction {
        Direction::Ascending => " asc",
        Direction::Descending => " desc",
    };
    let columns = select.order.columns.iter();
    let columns: Vec<String> = columns.map(|column| format!("{column}{direction}")).collect();
    query.push(" order by ").push(columns.join(", "));
    query.push(" limit ").push_bind(i64::from(select.first) + 1);
}

/// The columns of a row, of a table by its alias.
fn columns<R: Row>(alias: &str) -> String {
    let columns: Vec<String> = R::COLUMNS
        .iter()
        .map(|column| format!("{alias}.{column}"))
        .collect();
    columns.join(", ")
}

fn all_of<R: Row>() -> String {
    format!("select {} from ", columns::<R>("t"))
}

/// The page's rows, and one more where there is one.
pub(crate) async fn select<R: Row>(
    connection: &mut PgConnection,
    tenant: TenantId,
    generation: i32,
    select: &Select,
) -> Result<Vec<R>, ReadError> {
    let order = select.order;
    let place = select
        .after
        .as_ref()
        .map(|cursor| cursor.read::<R>(order))
        .transpose()?;
    let mut query = from::<R>(all_of::<R>(), tenant, generation, &select.conditions);
    if let Some(place) = place {
        after(&mut query, order, place);
    }
    in_order(&mut query, select);
    decode::rows(&query.build().fetch_all(connection).await?)
}

/// For each of these values of a column the page's first rows, and one more where there is one; all of them in no order.
pub(crate) async fn first_of_each<R: Row>(
    connection: &mut PgConnection,
    tenant: TenantId,
    generation: i32,
    column: &'static str,
    values: Vec<Value>,
    select: &Select,
) -> Result<Vec<R>, ReadError> {
    let mut query = Query::new(format!("select {} from unnest(", columns::<R>("r")));
    if !array::<R>(&mut query, column, values) {
        return Ok(Vec::new());
    }
    // Each value's rows are read along the index, as those of a page of its own would be.
    query.push(") as each (value) cross join lateral (");
    query.push(all_of::<R>());
    within::<R>(&mut query, tenant, generation, &select.conditions);
    query.push(" and ").push(column).push(" = each.value");
    in_order(&mut query, select);
    query.push(") r");
    decode::rows(&query.build().fetch_all(connection).await?)
}

/// Every row that meets the conditions, in no order.
pub(crate) async fn all<R: Row>(
    connection: &mut PgConnection,
    tenant: TenantId,
    generation: i32,
    conditions: &[Condition],
) -> Result<Vec<R>, ReadError> {
    let mut query = from::<R>(all_of::<R>(), tenant, generation, conditions);
    decode::rows(&query.build().fetch_all(connection).await?)
}

/// How many rows meet the conditions.
pub(crate) async fn count<R: Row>(
    connection: &mut PgConnection,
    tenant: TenantId,
    generation: i32,
    conditions: &[Condition],
) -> Result<u64, ReadError> {
    let mut query = from::<R>("select count(*) from ", tenant, generation, conditions);
    let count: i64 = query.build_query_scalar().fetch_one(connection).await?;
    Ok(u64::try_from(count).expect("a count is never negative"))
}

/// A stored row and its key: the key's text where it is none that this program can read.
pub(crate) fn keyed<R: Row>(json: &str) -> Result<(Result<R::Key, String>, serde_json::Value), ReadError> {
    let mut row: serde_json::Value = serde_json::from_str(json).map_err(|error| ReadError::Unreadable {
        table: R::TABLE,
        reason: error.to_string(),
    })?;
    let key = R::key_from_json(&row).ok_or_else(|| {
        let named = R::KEY.iter().map(|column| {
            let value = row.get(column).cloned().unwrap_or_default();
            ((*column).to_owned(), value)
        });
        serde_json::Value::Object(named.collect()).to_string()
    });
    if let serde_json::Value::Object(columns) = &mut row {
        columns.retain(|name, _| R::COLUMNS.contains(&name.as_str()));
    }
    Ok((key, row))
}

/// Reads a row that the database gave as JSON.
pub(crate) fn read_row<R: Row>(json: &str) -> Result<R, ReadError> {
    serde_json::from_str(json).map_err(|error| ReadError::Unreadable {
        table: R::TABLE,
        reason: error.to_string(),
    })
}
