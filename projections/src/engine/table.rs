//! Rows of a read model in and out of its table, many at a time.

use std::collections::HashSet;

use domain::ids::TenantId;
use sqlx::{AssertSqlSafe, PgConnection};

use super::error::ReadError;
use super::fold::Row;
use super::select_sql::read_row;

/// Which rows of a table: one tenant's, in one generation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generation {
    pub(crate) tenant: TenantId,
    pub(crate) number: i32,
}

fn keys_json<R: Row>(keys: &HashSet<R::Key>) -> String {
    serde_json::Value::Array(keys.iter().map(R::key_json).collect()).to_string()
}

/// `t.a = k.a and t.b = k.b` over the key's columns.
fn same_key<R: Row>() -> String {
    let columns: Vec<String> = R::KEY
        .iter()
        .map(|column| format!("t.{column} = k.{column}"))
        .collect();
    columns.join(" and ")
}

/// The columns of the key, of a table by its alias.
fn of_key<R: Row>(alias: &str) -> String {
    let columns: Vec<String> = R::KEY.iter().map(|column| format!("{alias}.{column}")).collect();
    columns.join(", ")
}

/// The rows of these keys, as far as there are any.
pub(crate) async fn load<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    keys: &HashSet<R::Key>,
) -> Result<Vec<R>, ReadError> {
    let rows = load_json::<R>(connection, of, keys).await?;
    rows.iter().map(|row| read_row(row)).collect()
}

/// The rows of these keys as JSON, whether this program can read them or not. Each is looked up by its key, as the first
/// from there on: only the index of the key has that order. By equality alone every index that begins with the tenant
/// would seem as good while nothing is known of the table, and the one that is chosen then may be read through for each key.
pub(crate) async fn load_json<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    keys: &HashSet<R::Key>,
) -> Result<Vec<String>, ReadError> {
    let table = R::TABLE;
    let sql = format!(
        "select to_jsonb(found)::text from json_populate_recordset(null::{table}, $3::json) k
         cross join lateral (
             select t.* from {table} t
             where t.tenant_id = $1 and t.generation = $2 and ({columns}) >= ({wanted})
             order by {columns} limit 1
         ) found
         where ({found}) = ({wanted})",
        columns = of_key::<R>("t"),
        wanted = of_key::<R>("k"),
        found = of_key::<R>("found"),
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(of.tenant.0)
        .bind(of.number)
        .bind(keys_json::<R>(keys))
        .fetch_all(connection)
        .await?)
}

/// What an insert does with a row whose key is there: it is written over.
pub(crate) fn over_the_same_key<R: Row>() -> String {
    let set: Vec<String> = R::COLUMNS
        .iter()
        .filter(|column| !R::KEY.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "on conflict (tenant_id, generation, {}) do update set {}",
        R::KEY.join(", "),
        set.join(", ")
    )
}

/// Writes rows over what is there under their keys.
pub(crate) async fn write<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    rows: &[&R],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let table = R::TABLE;
    let columns = R::COLUMNS.join(", ");
    let sql = format!(
        "insert into {table} (tenant_id, generation, {columns})
         select $1, $2, {columns} from json_populate_recordset(null::{table}, $3::json)
         {}",
        over_the_same_key::<R>()
    );
    let json = serde_json::to_string(rows).expect("rows have a JSON form");
    sqlx::query(AssertSqlSafe(sql))
        .bind(of.tenant.0)
        .bind(of.number)
        .bind(json)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the rows of keys that have none any more.
pub(crate) async fn delete<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    keys: &HashSet<R::Key>,
) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let table = R::TABLE;
    let sql = format!(
        "delete from {table} t using json_populate_recordset(null::{table}, $3::json) k
         where t.tenant_id = $1 and t.generation = $2 and {}",
        same_key::<R>()
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(of.tenant.0)
        .bind(of.number)
        .bind(keys_json::<R>(keys))
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes the first rows of a generation by their key, after that of the piece before, and says what the last one's
/// is; none when there was nothing left.
pub(crate) async fn delete_piece<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    after: Option<String>,
    rows: i64,
) -> Result<Option<String>, sqlx::Error> {
    let table = R::TABLE;
    let key = R::KEY.join(", ");
    let descending: Vec<String> = R::KEY.iter().map(|column| format!("{column} desc")).collect();
    // By key, so that no piece looks at what the pieces before it have left dead.
    let sql = format!(
        "with piece as materialized (
             select ctid as place, {key} from {table}
             where tenant_id = $1 and generation = $2
                 and ($3::json is null or ({key}) > (select {key} from json_populate_record(null::{table}, $3::json)))
             order by {key} limit $4
         ), gone as (
             delete from {table} where ctid = any(array(select place from piece))
         )
         select to_json(last)::text from (select {key} from piece order by {} limit 1) last",
        descending.join(", ")
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(of.tenant.0)
        .bind(of.number)
        .bind(after)
        .bind(rows)
        .fetch_optional(connection)
        .await
}
