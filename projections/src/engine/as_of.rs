//! The third runner: fold up to a position in memory, answer, and keep the state for a question near by, as long as
//! there is room.

mod instant;
mod log_walk;
mod parts;
mod state;
mod states;
mod written_once;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;

use super::error::ReadError;
use super::fold::{Fold, Row, Rows};
use super::history::reason;
use super::incomplete;
use super::models::ReadModels;
use super::read::{Answer, ReadInfo};
use super::select_memory::Sieve;

pub(crate) use self::log_walk::unanswered;
pub use self::states::AsOfMemory;
pub(crate) use self::states::{DEFAULT_LARGEST, DEFAULT_LIMIT, States};
use super::history::beside;

/// Fewer rows than these are looked at where the question was asked: to hand them over would take longer.
const FEW: u64 = 512;

/// What is asked of the rows as they were right after a position.
pub(crate) async fn answer<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
    sieve: Sieve<F::Row>,
) -> Result<Answer<Sieve<F::Row>>, ReadError> {
    let _asking = models.database().asking(F::NAME, "as_of");
    let recorded_at = recorded_at(models, tenant, position).await?;
    // Boxed, for what asks is deep already.
    let (value, incomplete) = if written_once::is_written_once::<F>() {
        let sifted = Box::pin(written_once::sift::<F>(models, tenant, position, sieve));
        let (sieve, parked) = sifted.await?;
        let incomplete = incomplete::folded::<F>(&parked, sieve.conditions());
        (sieve, incomplete)
    } else {
        match Box::pin(state::state::<F>(models, tenant, position)).await? {
            Some(rows) => {
                let incomplete = incomplete::folded::<F>(rows.parked(), sieve.conditions());
                (sift::<F>(rows, sieve).await, incomplete)
            }
            None => Box::pin(parts::sift::<F>(models, tenant, position, sieve)).await?,
        }
    };
    Ok(Answer {
        value,
        info: ReadInfo {
            position,
            recorded_at,
            lag_events: 0,
            lag_ms: 0,
            stale: false,
            incomplete,
        },
    })
}

async fn sift<F: Fold>(rows: Arc<Rows<F>>, mut sieve: Sieve<F::Row>) -> Sieve<F::Row> {
    let few = rows.len() < FEW;
    let sift = move || {
        rows.iter().for_each(|row| sieve.offer(row));
        sieve
    };
    if few { sift() } else { beside(sift).await }
}

/// Every row as it was right after a position, as JSON in key order.
pub(crate) async fn rows<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
) -> Result<Answer<Vec<serde_json::Value>>, ReadError> {
    let sifted = answer::<F>(models, tenant, position, Sieve::all(Vec::new())).await?;
    let Answer { value, info } = sifted;
    let sort = move || {
        let mut rows: Vec<(F::Key, F::Row)> = value
            .into_rows()
            .into_iter()
            .map(|row| (row.key(), row))
            .collect();
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let json = |(_, row)| serde_json::to_value(row).expect("rows have a JSON form");
        rows.into_iter().map(json).collect()
    };
    let value = beside(sort).await;
    Ok(Answer { value, info })
}

/// When the event at a position was recorded: nothing is answered as of one that has not come.
pub(crate) async fn recorded_at(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
) -> Result<Option<DateTime<Utc>>, ReadError> {
    if position <= Position::START {
        return Ok(None);
    }
    let before = Position(position.0 - 1);
    let missing = || ReadError::Unreadable {
        table: "events",
        reason: reason(position, &"it is missing"),
    };
    match models.log().read(tenant, before, 1, None).await {
        Ok(last) => match last.first() {
            Some(event) => Ok(Some(event.recorded_at)),
            None => {
                let head = models.log().head(tenant).await?.position;
                let asked = position;
                Err(if asked > head {
                    ReadError::AsOfInFuture { asked, head }
                } else {
                    missing()
                })
            }
        },
        Err(LogError::Gap { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
}
