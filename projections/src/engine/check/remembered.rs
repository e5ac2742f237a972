//! What the last check of a generation has found.

use std::collections::HashMap;

use domain::ids::TenantId;
use sqlx::PgConnection;

use crate::engine::difference::Checked;
use crate::engine::error::ProjectionError;
use crate::engine::fold::Fold;
use crate::engine::models::ReadModels;
use crate::engine::table::Generation;

/// Keys that are remembered, and named in the log of the program, at most.
const NAMED: usize = 20;

/// Remembers what a check has found, and says loudly what differs.
///
/// Rows that differed before and are not among the keys that a sample knows of differ still, as far as that can tell.
pub(super) async fn write<F: Fold>(
    models: &ReadModels,
    of: Generation,
    checked: &Checked,
) -> Result<(), ProjectionError> {
    let keys: Vec<&str> = checked
        .differences
        .iter()
        .take(NAMED)
        .map(|difference| difference.key.as_str())
        .collect();
    for key in &keys {
        tracing::error!(
            tenant = %of.tenant, projection = F::NAME, generation = of.number, key,
            position = checked.position.0, "a stored row is not what the log gives"
        );
    }
    let rows = i64::try_from(checked.rows).unwrap_or(i64::MAX);
    let sampled = checked.is_sample.then_some(rows);
    let mut transaction = models.database().begin(of.tenant).await?;
    // Nothing to remember where the generation is gone meanwhile.
    sqlx::query(
        "insert into projection_checks as known
             (tenant_id, projection, generation, checked_at, position, sampled, differing, keys)
         select $1, $2, $3, clock_timestamp(), $4, $5, $6, $7 from projection_checkpoints
         where tenant_id = $1 and projection = $2 and generation = $3
         on conflict (tenant_id, projection, generation) do update set
             checked_at = excluded.checked_at, position = excluded.position, sampled = excluded.sampled,
             keys = excluded.keys,
             differing = excluded.differing + case
                 when excluded.sampled is null then 0
                 else greatest(0, known.differing - cardinality(known.keys))
             end",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .bind(checked.position.0)
    .bind(sampled)
    .bind(i64::try_from(checked.differing).unwrap_or(i64::MAX))
    .bind(keys)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// The keys of rows that are known to differ.
pub(super) async fn keys<F: Fold>(
    connection: &mut PgConnection,
    of: Generation,
) -> Result<Vec<String>, ProjectionError> {
    let keys: Option<Vec<String>> = sqlx::query_scalar(
        "select keys from projection_checks where tenant_id = $1 and projection = $2 and generation = $3",
    )
    .bind(of.tenant.0)
    .bind(F::NAME)
    .bind(of.number)
    .fetch_optional(connection)
    .await?;
    Ok(keys.unwrap_or_default())
}

/// How many rows of each generation of a tenant are known to differ, where any are.
pub(crate) async fn drift(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<HashMap<(String, i32), i64>, sqlx::Error> {
    let rows: Vec<(String, i32, i64)> = sqlx::query_as(
        "select projection, generation, differing from projection_checks where tenant_id = $1 and differing > 0",
    )
    .bind(tenant.0)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(projection, generation, differing)| ((projection, generation), differing))
        .collect())
}
