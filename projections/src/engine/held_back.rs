//! Events onto stored rows: the touched rows are loaded, folded and written, and what cannot be applied is held back.

use std::collections::HashSet;

use event_log::Transaction;
use sqlx::Executor;

use super::error::ProjectionError;
use super::fold::{Fold, Rows};
use super::history::Read;
use super::parked_table;
use super::rows::{Halted, Then};
use super::runner::refusal;
use super::table::{self, Generation};

/// Folds events onto the rows of a generation, all at once. Where it goes no further, says why; what is before that is
/// written.
///
/// # Errors
/// [`ProjectionError::Log`], of the classes 22 and 23 where the database does not take a row.
pub(crate) async fn fold<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    events: &[Read],
) -> Result<Option<Halted>, ProjectionError> {
    let Some(mut rows) = load::<F>(transaction, of, events).await? else {
        return Ok(first_unknown::<F>(events));
    };
    let mut touched = HashSet::new();
    let mut halted = None;
    for read in events {
        match rows.take(read) {
            Ok(key) => touched.extend(key),
            Err(why) if why.then == Then::FoldAgain => return Ok(Some(why)),
            Err(why) => {
                halted = Some(why);
                break;
            }
        }
    }
    write(transaction, of, &rows, touched).await?;
    parked_table::write(transaction, of, &mut rows).await?;
    Ok(halted)
}

/// As [`fold`], event by event: what the fold panics on and what the database does not take is found and held back.
///
/// # Errors
/// [`ProjectionError::Log`] when the database is out of reach.
pub(crate) async fn fold_carefully<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    events: &[Read],
) -> Result<Option<Halted>, ProjectionError> {
    let Some(rows) = load::<F>(transaction, of, events).await? else {
        return Ok(first_unknown::<F>(events));
    };
    let mut rows = rows.careful();
    let mut halted = None;
    for read in events {
        if let Err(why) = step(transaction, of, &mut rows, read, |_| true).await? {
            halted = Some(why);
            break;
        }
    }
    parked_table::write(transaction, of, &mut rows).await?;
    Ok(halted)
}

/// One event onto careful rows, which are written at once, if the database takes them.
///
/// # Errors
/// [`ProjectionError::Log`] when the database is out of reach.
pub(crate) async fn step<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    rows: &mut Rows<F>,
    read: &Read,
    wanted: impl Fn(&F::Key) -> bool,
) -> Result<Result<(), Halted>, ProjectionError> {
    let before = rows.key_of(read).and_then(|key| rows.get(&key).cloned());
    let key = match rows.take_where(read, wanted) {
        Ok(Some(key)) => key,
        Ok(None) => return Ok(Ok(())),
        Err(halted) => return Ok(Err(halted)),
    };
    transaction.execute("savepoint row").await?;
    match write(transaction, of, rows, HashSet::from([key.clone()])).await {
        Ok(()) => {
            transaction.execute("release savepoint row").await?;
            Ok(Ok(()))
        }
        Err(error) => match refusal(&error) {
            Some(why) => {
                transaction
                    .execute("rollback to savepoint row; release savepoint row")
                    .await?;
                Ok(rows.refuse(read, key, before, &why))
            }
            None => Err(error),
        },
    }
}

/// The rows that events are for, with what is held back; none where they are for no row at all.
async fn load<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    events: &[Read],
) -> Result<Option<Rows<F>>, ProjectionError> {
    let empty = Rows::<F>::default();
    let keys: HashSet<F::Key> = events.iter().filter_map(|read| empty.key_of(read)).collect();
    if keys.is_empty() && !events.iter().any(Read::is_unreadable) {
        return Ok(None);
    }
    let parked = parked_table::load::<F>(transaction, of).await?;
    let stored = table::load(transaction, of, &keys).await?;
    Ok(Some(Rows::of(stored).with_parked(parked)))
}

/// Where events that are for no row stop a read model all the same.
fn first_unknown<F: Fold>(events: &[Read]) -> Option<Halted> {
    let mut none = Rows::<F>::default();
    events.iter().find_map(|read| none.take(read).err())
}

/// Writes the touched rows, and deletes those that are no more.
pub(crate) async fn write<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    rows: &Rows<F>,
    touched: HashSet<F::Key>,
) -> Result<(), ProjectionError> {
    let written: Vec<&F::Row> = touched.iter().filter_map(|key| rows.get(key)).collect();
    table::write(transaction, of, &written).await?;
    let gone = touched
        .into_iter()
        .filter(|key| rows.get(key).is_none())
        .collect();
    table::delete::<F::Row>(transaction, of, &gone).await?;
    Ok(())
}
