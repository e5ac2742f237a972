//! Whether an answer may lack what is held back.

use sqlx::PgConnection;

use super::checkpoint::Standing;
use super::column::Value;
use super::error::ReadError;
use super::fold::{Fold, Row};
use super::parked::Parked;
use super::parked_table;
use super::select::Condition;
use super::table::Generation;
use domain::ids::TenantId;

/// Whether an answer from stored rows may lack an event: the read model has stopped, or holds back what the answer could
/// touch.
///
/// # Errors
/// [`ReadError::Log`], [`ReadError::Unreadable`].
pub(crate) async fn stored<F: Fold>(
    snapshot: &mut PgConnection,
    tenant: TenantId,
    standing: &Standing,
    conditions: &[Condition],
) -> Result<bool, ReadError> {
    let stopped = standing
        .checkpoint
        .as_ref()
        .is_some_and(|checkpoint| checkpoint.stopped.is_some());
    if stopped || !standing.has_parked {
        return Ok(stopped);
    }
    let of = Generation {
        tenant,
        number: standing.generation(),
    };
    let parked = parked_table::load::<F>(snapshot, of).await?;
    Ok(folded::<F>(&parked, conditions))
}

/// Whether rows that are asked for by these conditions may lack an event that is held back. Where the conditions are a
/// key's, it is that row's events, and those of streams that do not tell their row; else it is any.
pub(crate) fn folded<F: Fold>(parked: &Parked<F::Key>, conditions: &[Condition]) -> bool {
    match keys::<F::Row>(conditions) {
        Some(keys) => keys.iter().any(|key| parked.touches(key)),
        None => !parked.is_empty(),
    }
}

/// The keys that conditions ask for; none where they ask for more than certain keys.
fn keys<R: Row>(conditions: &[Condition]) -> Option<Vec<R::Key>> {
    let of_column = |column: &&'static str| {
        conditions.iter().find_map(|condition| match condition {
            Condition::Eq(name, value) if name == column => Some(vec![value.clone()]),
            Condition::OneOf(name, values) if name == column => Some(values.clone()),
            Condition::Eq(..)
            | Condition::OneOf(..)
            | Condition::AtLeast(..)
            | Condition::AtLeastOrNull(..)
            | Condition::Below(..)
            | Condition::Contains(..) => None,
        })
    };
    let asked: Option<Vec<Vec<Value>>> = R::KEY.iter().map(of_column).collect();
    let mut objects = vec![serde_json::Map::new()];
    for (column, values) in R::KEY.iter().zip(asked?) {
        objects = objects
            .iter()
            .flat_map(|object| {
                values.iter().map(|value| {
                    let mut object = object.clone();
                    object.insert((*column).to_owned(), json(value));
                    object
                })
            })
            .collect();
    }
    objects
        .into_iter()
        .map(|object| R::key_from_json(&serde_json::Value::Object(object)))
        .collect()
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => serde_json::json!(text),
        Value::Uuid(id) => serde_json::json!(id),
        Value::Int(number) => serde_json::json!(number),
        Value::Instant(at) => serde_json::json!(at),
        Value::Date(date) => serde_json::json!(date),
    }
}
