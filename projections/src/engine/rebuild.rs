//! The second runner: fold the whole log in memory, copy it into a new generation, compare, swap.

use std::collections::HashSet;

use domain::envelope::Position;
use domain::ids::TenantId;
use futures::{TryStreamExt, pin_mut};

use super::checkpoint::{self, Lock};
use super::copy;
use super::difference::{self, Checked, Difference};
use super::error::ProjectionError;
use super::fold::{Fold, Rows};
use super::history;
use super::models::ReadModels;
use super::progress::Progress;
use super::runner::of;
use super::select_sql;
use super::table::{self, Generation};

/// A read model that was built anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Which read model.
    pub projection: &'static str,
    /// The generation that is live now.
    pub generation: i32,
    /// The position that it was built to.
    pub position: Position,
    /// How many rows it has.
    pub rows: u64,
    /// Where the generation before it differed; none where the two cannot be compared, because that one
    /// was made by another version of the fold or had not come as far.
    pub differences: Option<Vec<Difference>>,
}

/// Events between two calls of who watches.
const TELL_EVERY: u64 = 1_000;

/// Folds `(after, until]` on top of what is there, and says which rows it touched.
async fn fold_on<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    rows: &mut Rows<F>,
    (after, until): (Position, Position),
    progress: &dyn Progress,
) -> Result<HashSet<F::Key>, ProjectionError> {
    let place = |position: Position| u64::try_from(position.0).unwrap_or_default();
    let mut touched = HashSet::new();
    let mut events = 0_u64;
    let stream = history::stream::<F>(models, tenant, after, until).await?;
    pin_mut!(stream);
    while let Some(event) = stream.try_next().await? {
        touched.extend(rows.apply(&event));
        events += 1;
        if events.is_multiple_of(TELL_EVERY) {
            progress.at(place(event.position), place(until));
        }
    }
    progress.at(place(until), place(until));
    Ok(touched)
}

/// Builds a read model anew beside the live one and swaps the two. Readers see the old rows until they see
/// all of the new; the live runner stands still only while the two are compared.
pub(crate) async fn rebuild<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Rebuilt, ProjectionError> {
    let head = models.log().head(tenant).await?.position;
    let mut rows = Rows::<F>::default();
    fold_on(models, tenant, &mut rows, (Position::START, head), progress).await?;

    let of = of::<F>(tenant);
    let mut transaction = models.database().begin(tenant).await?;
    let number = checkpoint::build(&mut transaction, of).await?;
    let new = Generation { tenant, number };
    copy::fill(&mut transaction, new, rows.iter()).await?;

    let live = checkpoint::take(&mut transaction, of, Lock::Wait).await?;
    let live = live.ok_or(sqlx::Error::RowNotFound)?;
    let position = head.max(live.position);
    if position > head {
        let touched = fold_on(models, tenant, &mut rows, (head, position), progress).await?;
        let written: Vec<&F::Row> = touched.iter().filter_map(|key| rows.get(key)).collect();
        table::write(&mut transaction, new, &written).await?;
        let gone = touched
            .into_iter()
            .filter(|key| rows.get(key).is_none())
            .collect();
        table::delete::<F::Row>(&mut transaction, new, &gone).await?;
    }
    let old = Generation {
        tenant,
        number: live.generation,
    };
    let comparable = live.position == position && live.fold_version == F::VERSION;
    let differences = if comparable {
        let live = select_sql::all(&mut transaction, tenant, old.number, &[]).await?;
        Some(difference::between(live, &rows))
    } else {
        None
    };
    checkpoint::swap(&mut transaction, of, number, position).await?;
    table::clear::<F::Row>(&mut transaction, old).await?;
    transaction.commit().await?;
    models.tell_moved();
    Ok(Rebuilt {
        projection: F::NAME,
        generation: number,
        position,
        rows: rows.len(),
        differences,
    })
}

/// Folds the log up to the live checkpoint and compares every row.
pub(crate) async fn check<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<Checked, ProjectionError> {
    let mut snapshot = models.database().begin_read(tenant).await?;
    let standing = checkpoint::standing(&mut snapshot, tenant, F::NAME).await?;
    let live = select_sql::all(&mut snapshot, tenant, standing.generation(), &[]).await?;
    snapshot.commit().await?;
    let position = standing.position();
    let mut rows = Rows::<F>::default();
    fold_on(models, tenant, &mut rows, (Position::START, position), progress).await?;
    Ok(Checked {
        projection: F::NAME,
        position,
        rows: u64::try_from(live.len()).expect("a count of rows fits 64 bits"),
        differences: difference::between(live, &rows),
    })
}
