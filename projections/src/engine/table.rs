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

/// The rows of these keys, as far as there are any. Each is looked up by its key, once: the limit keeps a
/// plan that was made while the table was small from reading all of it for ever.
pub(crate) async fn load<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    keys: &HashSet<R::Key>,
) -> Result<Vec<R>, ReadError> {
    let table = R::TABLE;
    let sql = format!(
        "select to_jsonb(found)::text from json_populate_recordset(null::{table}, $3::json) k
         cross join lateral (
             select t.* from {table} t where t.tenant_id = $1 and t.generation = $2 and {} limit 1
         ) found",
        same_key::<R>()
    );
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(of.tenant.0)
        .bind(of.number)
        .bind(keys_json::<R>(keys))
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| read_row(row)).collect()
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
    let set: Vec<String> = R::COLUMNS
        .iter()
        .filter(|column| !R::KEY.contains(column))
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let sql = format!(
        "insert into {table} (tenant_id, generation, {columns})
         select $1, $2, {columns} from json_populate_recordset(null::{table}, $3::json)
         on conflict (tenant_id, generation, {}) do update set {}",
        R::KEY.join(", "),
        set.join(", ")
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

/// Deletes every row of a generation.
pub(crate) async fn clear<R: Row>(connection: &mut PgConnection, of: Generation) -> Result<(), sqlx::Error> {
    let sql = format!(
        "delete from {} where tenant_id = $1 and generation = $2",
        R::TABLE
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(of.tenant.0)
        .bind(of.number)
        .execute(connection)
        .await?;
    Ok(())
}
