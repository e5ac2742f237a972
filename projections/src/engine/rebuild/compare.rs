//! Two generations of a read model held against each other, in the database.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::engine::difference::Difference;
use crate::engine::error::ReadError;
use crate::engine::fold::Row;
use crate::engine::select_sql::{keyed, read_row};
use crate::engine::table::Generation;

/// Differences that are told one by one, at most.
const TOLD: i64 = 1_000;

/// What two generations differ in.
pub(super) struct Compared {
    /// How many rows.
    pub(super) count: u64,
    /// The first of them, by key.
    pub(super) first: Vec<Difference>,
}

/// Compares every row of two generations of one company.
///
/// # Errors
/// [`ReadError`].
pub(super) async fn compare<R: Row>(
    connection: &mut PgConnection,
    live: Generation,
    built: Generation,
) -> Result<Compared, ReadError> {
    let table = R::TABLE;
    let key = R::KEY.join(", ");
    let of = |alias: &str| {
        let columns: Vec<String> = R::COLUMNS
            .iter()
            .map(|column| format!("{alias}.{column}"))
            .collect();
        columns.join(", ")
    };
    let sql = format!(
        "select to_jsonb(live)::text, to_jsonb(built)::text, count(*) over ()
         from (select * from {table} where tenant_id = $1 and generation = $2) live
         full join (select * from {table} where tenant_id = $1 and generation = $3) built using ({key})
         where row({}) is distinct from row({})
         order by {key} limit $4",
        of("live"),
        of("built"),
    );
    let rows: Vec<(Option<String>, Option<String>, i64)> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(live.tenant.0)
        .bind(live.number)
        .bind(built.number)
        .bind(TOLD)
        .fetch_all(connection)
        .await?;
    let count = rows.first().map_or(0, |(_, _, count)| *count);
    let first: Result<Vec<Difference>, ReadError> = rows
        .iter()
        .map(|(live, built, _)| difference::<R>(live.as_deref(), built.as_deref()))
        .collect();
    Ok(Compared {
        count: u64::try_from(count).expect("a count is never negative"),
        first: first?,
    })
}

/// A row that this program cannot read is told as it is stored: to be rid of it is what one rebuilds for.
fn difference<R: Row>(live: Option<&str>, built: Option<&str>) -> Result<Difference, ReadError> {
    let live = live.map(told::<R>).transpose()?;
    let built = built.map(told::<R>).transpose()?;
    let key = live.as_ref().or(built.as_ref()).map(|(key, _)| key.clone());
    Ok(Difference {
        key: key.unwrap_or_default(),
        live: live.map(|(_, row)| row),
        refolded: built.map(|(_, row)| row),
    })
}

/// The text of a row's key, and the row.
fn told<R: Row>(json: &str) -> Result<(String, Value), ReadError> {
    let (key, stored) = keyed::<R>(json)?;
    let key = key.map_or_else(|text| text, |key| R::key_json(&key).to_string());
    let row = read_row::<R>(json).ok();
    let row = row.map(|row| serde_json::to_value(row).expect("rows have a JSON form"));
    Ok((key, row.unwrap_or(stored)))
}
