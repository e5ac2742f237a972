//! Every row compared, in as many passes over the log as memory asks for: a pass takes the rows whose keys hash to it.

use std::hash::{DefaultHasher, Hasher};

use domain::envelope::Position;
use futures::{TryStreamExt, pin_mut};
use sqlx::AssertSqlSafe;

use super::Subject;
use crate::engine::difference::{Checked, Comparison};
use crate::engine::error::ProjectionError;
use crate::engine::fold::{Fold, Key, Row, Rows};
use crate::engine::history;
use crate::engine::progress::Progress;
use crate::engine::rows::{Halted, Then};
use crate::engine::select_sql::keyed;

/// Events between two calls of who watches.
const TELL_EVERY: u64 = 1_000;

/// One of several passes.
#[derive(Clone, Copy)]
struct Pass {
    number: u64,
    of: u64,
}

impl Pass {
    fn takes(self, key: &impl Key) -> bool {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish() % self.of == self.number
    }
}

/// How a pass over the log went.
enum Folded<F: Fold> {
    Rows(Rows<F>),
    /// There are more rows than the table has led to expect.
    TooMany,
}

pub(super) async fn check<F: Fold>(
    mut subject: Subject<F>,
    rows_at_once: u64,
    progress: &dyn Progress,
) -> Result<Checked, ProjectionError> {
    let mut passes = count(&mut subject).await? / rows_at_once + 1;
    let comparison = loop {
        match in_passes(&mut subject, passes, rows_at_once, progress).await? {
            Some(comparison) => break comparison,
            None => passes *= 2,
        }
    };
    subject.snapshot.commit().await?;
    Ok(comparison.checked(subject.position))
}

/// Compares every row in so many passes; none where they have too many rows each.
async fn in_passes<F: Fold>(
    subject: &mut Subject<F>,
    passes: u64,
    rows_at_once: u64,
    progress: &dyn Progress,
) -> Result<Option<Comparison<F>>, ProjectionError> {
    let mut comparison = Comparison::default();
    for number in 0..passes {
        let pass = Pass { number, of: passes };
        match fold(subject, pass, rows_at_once, progress).await? {
            Folded::Rows(rows) => compare(subject, pass, rows, &mut comparison).await?,
            Folded::TooMany => return Ok(None),
        }
    }
    Ok(Some(comparison))
}

async fn count<F: Fold>(subject: &mut Subject<F>) -> Result<u64, ProjectionError> {
    let table = F::Row::TABLE;
    let sql = format!("select count(*) from {table} where tenant_id = $1 and generation = $2");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(subject.generation.tenant.0)
        .bind(subject.generation.number)
        .fetch_one(&mut *subject.snapshot)
        .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}

async fn fold<F: Fold>(
    subject: &Subject<F>,
    pass: Pass,
    rows_at_once: u64,
    progress: &dyn Progress,
) -> Result<Folded<F>, ProjectionError> {
    let begin = || Rows::<F>::default().with_parked(subject.parked.clone());
    match fold_onto(subject, pass, rows_at_once, progress, begin()).await? {
        Ok(folded) => Ok(folded),
        Err(halted) if halted.then == Then::FoldAgain => {
            let careful = begin().careful();
            let folded = fold_onto(subject, pass, rows_at_once, progress, careful).await?;
            folded.map_err(Halted::error::<F>)
        }
        Err(halted) => Err(halted.error::<F>()),
    }
}

async fn fold_onto<F: Fold>(
    subject: &Subject<F>,
    pass: Pass,
    rows_at_once: u64,
    progress: &dyn Progress,
    mut rows: Rows<F>,
) -> Result<Result<Folded<F>, Halted>, ProjectionError> {
    let place = |position: Position| u64::try_from(position.0).unwrap_or_default();
    let (until, total) = (place(subject.position), place(subject.position) * pass.of);
    let tenant = subject.generation.tenant;
    let events = history::stream::<F>(&subject.models, tenant, Position::START, subject.position).await?;
    pin_mut!(events);
    let mut taken = 0_u64;
    while let Some(read) = events.try_next().await? {
        if let Err(halted) = rows.take_where(&read, |key| pass.takes(key)) {
            return Ok(Err(halted));
        }
        taken += 1;
        if taken.is_multiple_of(TELL_EVERY) {
            if rows.len() > rows_at_once * 2 {
                return Ok(Ok(Folded::TooMany));
            }
            progress.at(until * pass.number + place(read.position), total);
            tokio::task::yield_now().await;
        }
    }
    progress.at(until * (pass.number + 1), total);
    Ok(Ok(Folded::Rows(rows)))
}

async fn compare<F: Fold>(
    subject: &mut Subject<F>,
    pass: Pass,
    mut rows: Rows<F>,
    comparison: &mut Comparison<F>,
) -> Result<(), ProjectionError> {
    let table = F::Row::TABLE;
    let sql =
        format!("select to_jsonb(stored)::text from {table} stored where tenant_id = $1 and generation = $2");
    let stored = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql))
        .bind(subject.generation.tenant.0)
        .bind(subject.generation.number)
        .fetch(&mut *subject.snapshot);
    pin_mut!(stored);
    while let Some(json) = stored.try_next().await? {
        match keyed::<F::Row>(&json)? {
            (Ok(key), row) if pass.takes(&key) => {
                let refolded = rows.remove(&key);
                comparison.compare(key, Some(row), refolded.as_ref());
            }
            (Err(key), row) if pass.number == 0 => comparison.unkeyed(key, row),
            (Ok(_) | Err(_), _) => {}
        }
    }
    for missing in rows.into_rows() {
        comparison.compare(missing.key(), None, Some(&missing));
    }
    Ok(())
}
