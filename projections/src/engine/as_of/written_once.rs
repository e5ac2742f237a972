//! Read models whose rows are of one event each, under its position: they never change once they are there.
//!
//! So the stored rows up to a position are what a fold up to it gives, and what the live runner has not come to yet is
//! folded on top. Where the stored rows are not those of this program's fold, or lack what is held back, the log is
//! folded from its start, and of its rows no more is kept than the answer needs.

use domain::envelope::Position;
use domain::ids::TenantId;

use super::log_walk::{Walked, each_event};
use crate::engine::checkpoint;
use crate::engine::column::Value;
use crate::engine::error::ReadError;
use crate::engine::fold::{Fold, Row, Rows};
use crate::engine::history::Read;
use crate::engine::models::ReadModels;
use crate::engine::parked::Parked;
use crate::engine::runner::of;
use crate::engine::select::{Condition, Select};
use crate::engine::select_memory::Sieve;
use crate::engine::select_sql;

/// The column that holds the position.
const PLACE: &str = "position";
/// Events that are folded on top of stored rows at most; beyond them, all are folded.
const TAIL: i64 = 1 << 14;

/// Whether each row of a fold is of one event, under its position.
pub(crate) fn is_written_once<F: Fold>() -> bool {
    F::Row::KEY == [PLACE]
}

/// Offers the rows up to a position to a sieve, and says what is held back of them.
pub(crate) async fn sift<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
    mut sieve: Sieve<F::Row>,
) -> Result<(Sieve<F::Row>, Parked<F::Key>), ReadError> {
    let stored = stored::<F>(models, tenant, position, &mut sieve).await?;
    let after = stored.unwrap_or(Position::START);
    let begin = |careful, sieve| {
        let rows = Rows::<F>::default();
        let rows = if careful { rows.careful() } else { rows };
        (rows, sieve)
    };
    let step = |(rows, sieve): &mut (Rows<F>, Sieve<F::Row>), read: Read| {
        if let Some(key) = rows.take(&read)?
            && let Some(row) = rows.remove(&key)
        {
            sieve.offer(&row);
        }
        Ok(())
    };
    let span = (after, position);
    let again = sieve.clone();
    let mut walked = each_event::<F, _>(models, tenant, span, begin(false, sieve), step).await?;
    if let Walked::Panicked = walked {
        walked = each_event::<F, _>(models, tenant, span, begin(true, again), step).await?;
    }
    match walked {
        Walked::ToTheEnd((rows, sieve)) => Ok((sieve, rows.parked().clone())),
        Walked::Panicked | Walked::TooLarge => {
            unreachable!("careful rows outlive a panic, and none are kept")
        }
    }
}

/// Offers the stored rows up to a position, or as far as there are any, and says how far that is; none where there are
/// none that can be used.
async fn stored<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    position: Position,
    sieve: &mut Sieve<F::Row>,
) -> Result<Option<Position>, ReadError> {
    let mut snapshot = models.database().begin_read(tenant).await?;
    let standing = checkpoint::standing(&mut snapshot, of::<F>(tenant)).await?;
    let reached = position.min(standing.position_of(F::VERSION));

    // What is held back may be so because the database refused a row, of which a fold knows nothing.
    if standing.has_parked || position.0 - reached.0 > TAIL {
        snapshot.rollback().await?;
        return Ok(None);
    }
    let generation = standing.generation();
    let mut conditions = sieve.conditions().to_vec();
    conditions.push(Condition::Below(PLACE, Value::Int(reached.next().0)));
    if sieve.counts() {
        let count = select_sql::count::<F::Row>(&mut snapshot, tenant, generation, &conditions).await?;
        sieve.add(count);
    } else {
        let rows: Vec<F::Row> = match sieve.select().cloned() {
            Some(select) => {
                let select = Select { conditions, ..select };
                select_sql::select(&mut snapshot, tenant, generation, &select).await?
            }
            None => select_sql::all(&mut snapshot, tenant, generation, &conditions).await?,
        };
        rows.iter().for_each(|row| sieve.offer(row));
    }
    snapshot.commit().await?;
    Ok(Some(reached))
}
