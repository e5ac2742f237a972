//! Rows in memory over rows in a table: those that were changed are written back, those that are needed again are
//! loaded again.

use std::collections::{HashMap, HashSet};

use event_log::Transaction;

use crate::engine::copy::{self, There};
use crate::engine::error::ProjectionError;
use crate::engine::fold::{Fold, Row, Rows};
use crate::engine::history::Read;
use crate::engine::parked_table;
use crate::engine::rows::Halted;
use crate::engine::select_sql;
use crate::engine::table::{self, Generation};

/// From so many rows on they are copied; fewer go in one statement.
const WORTH_COPYING: usize = 2_000;
/// What a row costs in memory beside itself: its key in two maps, and the maps' empty places.
const fn overhead<F: Fold>() -> usize {
    3 * size_of::<F::Key>() + size_of::<F::Row>() / 2 + 48
}

/// Which keys the table may have a row of.
enum Stored<K> {
    /// None.
    Nothing,
    /// None after this one: what comes in the order of its keys is never looked for.
    UpTo(K),
    /// Any.
    Anything,
}

/// A key whose row, or the lack of one, is known here.
struct Known {
    bytes: usize,
    changed: bool,
    /// Whether the table has a row of it.
    stored: bool,
}

/// The rows of a generation as far as they are in memory.
pub(super) struct Kept<F: Fold> {
    rows: Rows<F>,
    known: HashMap<F::Key, Known>,
    bytes: usize,
    stored: Stored<F::Key>,
    /// How many rows the table has.
    count: u64,
}

impl<F: Fold> Kept<F> {
    /// Of a generation without rows.
    pub(super) fn of_nothing() -> Self {
        Self {
            rows: Rows::default(),
            known: HashMap::new(),
            bytes: 0,
            stored: Stored::Nothing,
            count: 0,
        }
    }

    /// Of a generation that somebody has written to, and nothing of it in memory but what is held back.
    pub(super) async fn of_stored(
        transaction: &mut Transaction,
        of: Generation,
    ) -> Result<Self, ProjectionError> {
        let parked = parked_table::load::<F>(transaction, of).await?;
        let count = select_sql::count::<F::Row>(transaction, of.tenant, of.number, &[]).await?;
        Ok(Self {
            rows: Rows::default().with_parked(parked),
            stored: Stored::Anything,
            count,
            ..Self::of_nothing()
        })
    }

    /// Roughly what it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many rows the table has.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The rows that events are for and that may be in the table, but not here.
    pub(super) fn lacking(&self, events: &[Read]) -> HashSet<F::Key> {
        let may_be = |key: &F::Key| match &self.stored {
            Stored::Nothing => false,
            Stored::UpTo(last) => key <= last,
            Stored::Anything => true,
        };
        if matches!(self.stored, Stored::Nothing) {
            return HashSet::new();
        }
        let keys = events.iter().filter_map(|read| self.rows.key_of(read));
        keys.filter(|key| may_be(key) && !self.known.contains_key(key))
            .collect()
    }

    /// Loads rows of the table; there may be none of a key.
    pub(super) async fn load(
        &mut self,
        transaction: &mut Transaction,
        of: Generation,
        keys: HashSet<F::Key>,
    ) -> Result<(), ProjectionError> {
        for row in table::load::<F::Row>(transaction, of, &keys).await? {
            self.rows.insert(row);
        }
        for key in keys {
            let stored = self.rows.get(&key).is_some();
            self.weigh(key, |known| known.stored = stored);
        }
        Ok(())
    }

    /// Takes the next event of the log.
    ///
    /// # Errors
    /// [`Halted`], as [`Rows::take`] has it.
    pub(super) fn take(&mut self, read: &Read) -> Result<(), Halted> {
        if let Some(key) = self.rows.take(read)? {
            self.weigh(key, |known| known.changed = true);
        }
        Ok(())
    }

    fn weigh(&mut self, key: F::Key, note: impl FnOnce(&mut Known)) {
        let bytes = overhead::<F>() + self.rows.get(&key).map_or(0, Row::heap);
        let known = self.known.entry(key).or_insert(Known {
            bytes: 0,
            changed: false,
            stored: false,
        });
        self.bytes = self.bytes + bytes - known.bytes;
        known.bytes = bytes;
        note(known);
    }

    /// Writes what was changed to the table, in the order of the keys, so that the indexes fill well.
    ///
    /// # Errors
    /// [`ProjectionError::Log`], of the classes 22 and 23 where the database does not take a row.
    pub(super) async fn write(
        &mut self,
        transaction: &mut Transaction,
        of: Generation,
    ) -> Result<(), ProjectionError> {
        let changed = self.known.iter().filter(|(_, known)| known.changed);
        let (mut written, mut gone) = (Vec::new(), HashSet::new());
        for (key, _) in changed {
            match self.rows.get(key) {
                Some(row) => written.push((key, row)),
                None => drop(gone.insert(key.clone())),
            }
        }
        written.sort_unstable_by_key(|(key, _)| *key);
        let rows = written.iter().map(|(_, row)| *row);
        if written.len() >= WORTH_COPYING {
            let there = match &self.stored {
                Stored::Nothing => There::None,
                Stored::UpTo(last) if written.first().is_some_and(|(first, _)| *first > last) => There::None,
                Stored::UpTo(_) | Stored::Anything => There::Perhaps,
            };
            copy::fill(transaction, of, rows, there).await?;
        } else {
            table::write(transaction, of, &rows.collect::<Vec<_>>()).await?;
        }
        table::delete::<F::Row>(transaction, of, &gone).await?;
        parked_table::write(transaction, of, &mut self.rows).await
    }

    /// What was changed is written now, and the transaction that wrote it has ended well.
    pub(super) fn written(&mut self) {
        let changed = self.known.iter_mut().filter(|(_, known)| known.changed);
        let mut highest = None;
        for (key, known) in changed {
            let stored = self.rows.get(key).is_some();
            self.count = self.count + u64::from(stored) - u64::from(known.stored);
            (known.changed, known.stored) = (false, stored);
            highest = highest.max(Some(key));
        }
        if let Some(highest) = highest {
            match &mut self.stored {
                Stored::Nothing => self.stored = Stored::UpTo(highest.clone()),
                Stored::UpTo(last) if highest > last => last.clone_from(highest),
                Stored::UpTo(_) | Stored::Anything => {}
            }
        }
    }

    /// Forgets the rows, all of them being written; what is held back stays.
    pub(super) fn forget(&mut self) {
        self.rows.forget();
        self.known = HashMap::new();
        self.bytes = 0;
    }
}
