//! Rows by COPY: how a rebuild fills a generation.

use sqlx::{AssertSqlSafe, PgConnection};

use super::fold::Row;
use super::table::Generation;

/// How much text is sent at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Fills an empty generation and says how many rows it has.
///
/// Postgres copies into no table that has row-level security, so the rows go through a temporary one,
/// which is not written ahead, and from there in one statement.
pub(crate) async fn fill<R: Row>(
    connection: &mut PgConnection,
    of: Generation,
    rows: impl Iterator<Item = &R>,
) -> Result<u64, sqlx::Error> {
    let table = R::TABLE;
    let columns = R::COLUMNS.join(", ");
    let create = format!(
        "create temporary table filling on commit drop as select {columns} from {table} with no data"
    );
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut *connection)
        .await?;
    let mut copy = connection
        .copy_in_raw(&format!("copy pg_temp.filling ({columns}) from stdin"))
        .await?;
    let mut text = String::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
    for row in rows {
        line(&mut text, row);
        if text.len() >= CHUNK_BYTES {
            copy.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    let insert = format!(
        "insert into {table} (tenant_id, generation, {columns}) select $1, $2, {columns} from pg_temp.filling"
    );
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

/// One row in COPY's text format, by the order of its columns.
fn line<R: Row>(text: &mut String, row: &R) {
    let fields = serde_json::to_value(row).expect("rows have a JSON form");
    for (index, column) in R::COLUMNS.iter().enumerate() {
        if index > 0 {
            text.push('\t');
        }
        match &fields[column] {
            serde_json::Value::Null => text.push_str("\\N"),
            serde_json::Value::String(value) => escape(text, value),
            other @ (serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_)) => escape(text, &other.to_string()),
        }
    }
    text.push('\n');
}

fn escape(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_copy_reads_as_something_else_is_escaped() {
        let mut text = String::new();
        super::escape(&mut text, "a\tb\\N\nc\r\\.");
        assert_eq!(text, "a\\tb\\\\N\\nc\\r\\\\.");
    }
}
