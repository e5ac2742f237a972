//! Trying again what is held back.
//!
//! The events that wait are folded again in their order, as if they had just come: what can be applied now is, and what
//! still cannot is held back anew. Where an event did not tell its row, events for that row may have been applied past
//! it: those rows are folded from the start of the log.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::Transaction;
use futures::{TryStreamExt, pin_mut};

use super::checkpoint::{self, Lock};
use super::error::ProjectionError;
use super::fold::{Fold, Rows};
use super::held_back::step;
use super::history::{self, Read};
use super::models::ReadModels;
use super::parked_table::{self, Entry};
use super::rows::Halted;
use super::runner::of;
use super::table::{self, Generation};

/// What came of trying again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// Of which read model.
    pub projection: &'static str,
    /// How many events were tried.
    pub tried: u64,
    /// How many of them are applied now.
    pub applied: u64,
    /// What is no longer held back: keys as JSON, streams as `kind:id`.
    pub freed: Vec<String>,
    /// What still is.
    pub held: Vec<String>,
}

/// What is tried again together.
struct Chosen<F: Fold> {
    entries: Vec<Entry>,
    keys: HashSet<F::Key>,
    positions: BTreeSet<Position>,
    /// Rows that events may have been applied to past those that wait.
    refolded: bool,
}

/// Tries what is held back, or of that only what has a text in its name, in one transaction.
pub(crate) async fn retry<F: Fold>(
    models: &ReadModels,
    tenant: TenantId,
    only: Option<&str>,
) -> Result<Retried, ProjectionError> {
    let mut transaction = models.database().begin(tenant).await?;
    let checkpoint = checkpoint::take(&mut transaction, of::<F>(tenant), Lock::Wait).await?;
    let checkpoint = checkpoint.ok_or(sqlx::Error::RowNotFound)?;
    if checkpoint.fold_version != F::VERSION {
        return Err(ProjectionError::NewerFold {
            projection: F::NAME,
            stored: checkpoint.fold_version,
            ours: F::VERSION,
        });
    }
    let generation = Generation {
        tenant,
        number: checkpoint.generation,
    };
    let chosen = choose::<F>(models, &mut transaction, generation, only).await?;
    let names: Vec<String> = chosen.entries.iter().map(|entry| entry.name.clone()).collect();
    parked_table::free::<F>(&mut transaction, generation, &chosen.entries, &chosen.positions).await?;
    let parked = parked_table::load::<F>(&mut transaction, generation).await?;
    let mut rows = if chosen.refolded {
        table::delete::<F::Row>(&mut transaction, generation, &chosen.keys).await?;
        let mut rows = Rows::default().with_parked(parked).careful();
        refold::<F>(
            models,
            &mut transaction,
            generation,
            checkpoint.position,
            &chosen,
            &mut rows,
        )
        .await?;
        rows
    } else {
        let stored = table::load(&mut transaction, generation, &chosen.keys).await?;
        let mut rows = Rows::of(stored).with_parked(parked).careful();
        for position in &chosen.positions {
            let read = event(models, tenant, *position).await?;
            apply::<F>(&mut transaction, generation, &mut rows, &read).await?;
        }
        rows
    };
    let waiting = rows.parked().unwritten_positions();
    parked_table::write(&mut transaction, generation, &mut rows).await?;
    parked_table::count_try::<F>(&mut transaction, generation, &chosen.entries).await?;
    let still: HashSet<String> = parked_table::entries::<F>(&mut transaction, generation)
        .await?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    transaction.commit().await?;
    models.tell_moved(tenant);
    let (held, freed) = names.into_iter().partition(|name| still.contains(name));
    let applied = chosen
        .positions
        .iter()
        .filter(|position| !waiting.contains(position))
        .count();
    Ok(Retried {
        projection: F::NAME,
        tried: count(chosen.positions.len()),
        applied: count(applied),
        freed,
        held,
    })
}

fn count(number: usize) -> u64 {
    u64::try_from(number).expect("a count fits 64 bits")
}

/// One event of the log.
async fn event(models: &ReadModels, tenant: TenantId, position: Position) -> Result<Read, ProjectionError> {
    let read = models
        .log()
        .read(tenant, Position(position.0 - 1), 1, None)
        .await?;
    let stored = read.into_iter().next();
    Ok(Read::of(stored.ok_or(sqlx::Error::RowNotFound)?))
}

async fn apply<F: Fold>(
    transaction: &mut Transaction,
    of: Generation,
    rows: &mut Rows<F>,
    read: &Read,
) -> Result<(), ProjectionError> {
    step(transaction, of, rows, read, |_| true)
        .await?
        .map_err(Halted::error::<F>)
}

/// What belongs together with what was asked for: the events that wait for a row or in a stream, the rows that these are
/// for, and what waits for those.
async fn choose<F: Fold>(
    models: &ReadModels,
    transaction: &mut Transaction,
    of: Generation,
    only: Option<&str>,
) -> Result<Chosen<F>, ProjectionError> {
    let all = parked_table::entries::<F>(transaction, of).await?;
    let mut names: HashSet<String> = all
        .iter()
        .filter(|entry| only.is_none_or(|text| entry.name.contains(text)))
        .map(|entry| entry.name.clone())
        .collect();
    let empty = Rows::<F>::default();
    let mut told: HashMap<Position, Option<F::Key>> = HashMap::new();
    loop {
        let before = names.len();
        let waiting = parked_table::waiting_of::<F>(transaction, of, &names).await?;
        for event_waiting in &waiting {
            let position = event_waiting.position;
            match &event_waiting.key {
                Some(key) => drop(names.insert(key.clone())),
                None if told.contains_key(&position) => {}
                None => {
                    let key = empty.key_of(&event(models, of.tenant, position).await?);
                    names.extend(key.as_ref().map(parked_table::key_text::<F>));
                    told.insert(position, key);
                }
            }
            if all.iter().any(|entry| entry.name == event_waiting.stream) {
                names.insert(event_waiting.stream.clone());
            }
        }
        if names.len() > before {
            continue;
        }
        let entries: Vec<Entry> = all
            .into_iter()
            .filter(|entry| names.contains(&entry.name))
            .collect();
        let mut keys: HashSet<F::Key> = told.values().flatten().cloned().collect();
        for entry in entries.iter().filter(|entry| entry.is_key) {
            keys.insert(parked_table::key_of_text::<F>(&entry.name)?);
        }
        return Ok(Chosen {
            entries,
            keys,
            positions: waiting.into_iter().map(|waiting| waiting.position).collect(),
            refolded: told.values().any(Option::is_some),
        });
    }
}

/// Folds the chosen rows from the start of the log.
async fn refold<F: Fold>(
    models: &ReadModels,
    transaction: &mut Transaction,
    of: Generation,
    until: Position,
    chosen: &Chosen<F>,
    rows: &mut Rows<F>,
) -> Result<(), ProjectionError> {
    let events = history::stream::<F>(models, of.tenant, Position::START, until).await?;
    pin_mut!(events);
    while let Some(read) = events.try_next().await? {
        let is_for_chosen = rows.key_of(&read).is_some_and(|key| chosen.keys.contains(&key));
        if is_for_chosen || chosen.positions.contains(&read.position) {
            apply::<F>(transaction, of, rows, &read).await?;
        }
    }
    Ok(())
}
