//! Rows by COPY: how a rebuild fills a generation.

mod line;
pub(super) mod read_line;

use sqlx::{AssertSqlSafe, PgConnection};

use super::fold::Row;
use super::table::{Generation, over_the_same_key};

/// How much text is sent at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Whether rows of the same keys may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    /// The generation is empty, or has none of these keys.
    None,
    /// Those that are there are written over.
    Perhaps,
}

/// Writes rows to a generation, in the order that they come in, and says how many there were.
///
/// Postgres copies into no table that has row-level security, so the rows go through a temporary one,
/// which is not written ahead, and from there in one statement.
pub(crate) async fn fill<'a, R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    rows: impl Iterator<Item = &'a R>,
    there: There,
) -> Result<u64, sqlx::Error> {
    let table = R::TABLE;
    let columns = R::COLUMNS.join(", ");
    let create = format!(
        "create temporary table filling on commit drop as select {columns} from {table} with no data"
    );
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut *connection)
        .await?;
    send::<R>(connection, &columns, rows).await?;
    let mut insert = format!(
        "insert into {table} (tenant_id, generation, {columns}) select $1, $2, {columns} from pg_temp.filling"
    );
    if there == There::Perhaps {
        insert.push(' ');
        insert.push_str(&over_the_same_key::<R>());
    }
    let done = sqlx::query(AssertSqlSafe(insert))
        .bind(of.tenant.0)
        .bind(of.number)
        .execute(&mut *connection)
        .await?;
    sqlx::query("drop table pg_temp.filling")
        .execute(&mut *connection)
        .await?;
    Ok(done.rows_affected())
}

async fn send<'a, R: Row>(
    connection: &mut PgConnection,
    columns: &str,
    rows: impl Iterator<Item = &'a R>,
) -> Result<(), sqlx::Error> {
    let mut copy = connection
        .copy_in_raw(&format!("copy pg_temp.filling ({columns}) from stdin"))
        .await?;
    let mut text = String::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
    for row in rows {
        line::write(&mut text, row);
        if text.len() >= CHUNK_BYTES {
            copy.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}
