//! Rows of one fold in memory, with what is held back of it: what all three runners fold into.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::envelope::Position;
use domain::recorded::Recorded;

use super::error::ProjectionError;
use super::fold::{Fold, Poison, Row};
use super::history::{Read, Seen, reason};
use super::parked::{Cause, Parked};

/// Whether a row that a fold panics on is still there afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// No: nothing is copied, and what is in memory is of no use after a panic.
    Quick,
    /// Yes: each row is copied before an event is applied to it.
    Careful,
}

/// Rows of one fold in memory.
pub(crate) struct Rows<F: Fold> {
    rows: HashMap<F::Key, F::Row>,
    parked: Parked<F::Key>,
    care: Care,
}

/// An event that the rows go no further than.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Halted {
    /// Its position.
    pub(crate) position: Position,
    /// Why, in a sentence.
    pub(crate) reason: String,
    /// What is to be done.
    pub(crate) then: Then,
}

/// What is to be done with rows that go no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// They are right as of the position before.
    Stop,
    /// One of them is lost: fold again from where they came from, [carefully](Rows::careful).
    FoldAgain,
}

impl Halted {
    /// The error of a read model that goes no further.
    pub(crate) fn error<F: Fold>(self) -> ProjectionError {
        ProjectionError::Stopped {
            projection: F::NAME,
            position: Position(self.position.0 - 1),
            reason: self.reason,
        }
    }
}

impl<F: Fold> Default for Rows<F> {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl<F: Fold> Clone for Rows<F> {
    fn clone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            parked: self.parked.clone(),
            care: self.care,
        }
    }
}

/// The panic's own words.
fn words(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|words| (*words).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the fold panicked: {}", words.unwrap_or_default())
}

impl<F: Fold> Rows<F> {
    /// Starts from rows that are there already.
    pub(crate) fn of(rows: Vec<F::Row>) -> Self {
        Self {
            rows: rows.into_iter().map(|row| (row.key(), row)).collect(),
            parked: Parked::default(),
            care: Care::Quick,
        }
    }

    /// The rows with what is held back of them.
    pub(crate) fn with_parked(self, parked: Parked<F::Key>) -> Self {
        Self { parked, ..self }
    }

    /// The rows, so that a panic of the fold parks one and loses none. Slower: each is copied when it is touched.
    pub(crate) fn careful(self) -> Self {
        Self {
            care: Care::Careful,
            ..self
        }
    }

    /// Applies an event to its row and says which that is: for whom nothing is held back, and who catches a panic of the
    /// fold and drops the rows then.
    pub(crate) fn apply(&mut self, event: &Recorded) -> Option<F::Key> {
        let key = F::key(event)?;
        let mut row = F::apply(self.rows.remove(&key), event);
        if let Some(row) = &mut row {
            row.settle();
        }
        self.put(&key, row);
        Some(key)
    }

    /// Takes the next event of the log and says which row it changed.
    ///
    /// # Errors
    /// [`Halted`] at an event of a type that this program does not know; at any that cannot be applied, where the fold
    /// is one that halts; and where the fold panics and the rows are not careful.
    pub(crate) fn take(&mut self, read: &Read) -> Result<Option<F::Key>, Halted> {
        self.take_where(read, |_| true)
    }

    /// As [`take`](Self::take), of the rows with certain keys: the others are as if they were not.
    ///
    /// # Errors
    /// Those of [`take`](Self::take).
    pub(crate) fn take_where(
        &mut self,
        read: &Read,
        wanted: impl Fn(&F::Key) -> bool,
    ) -> Result<Option<F::Key>, Halted> {
        let event = match read.seen_by::<F>() {
            Seen::Ignored => return Ok(None),
            Seen::Unknown(error) => {
                return Err(Halted {
                    position: read.position,
                    reason: reason(read.position, error),
                    then: Then::Stop,
                });
            }
            Seen::Unreadable(error) => {
                return self.unkeyed(read, Cause::Unreadable, &error.to_string(), wanted);
            }
            Seen::Event(event) => event,
        };
        let key = match catch_unwind(|| F::key(event)) {
            Ok(Some(key)) if wanted(&key) => key,
            Ok(_) => return Ok(None),
            Err(panic) => return self.unkeyed(read, Cause::Panic, &words(panic.as_ref()), wanted),
        };
        if self.parked.holds(&key, &event.stream, read.position) {
            self.parked.wait(read, key);
            return Ok(None);
        }
        self.change(read, key, event)
    }

    fn change(&mut self, read: &Read, key: F::Key, event: &Recorded) -> Result<Option<F::Key>, Halted> {
        let before = self.rows.remove(&key);
        let kept = match self.care {
            Care::Careful => before.clone(),
            Care::Quick => None,
        };
        let apply = AssertUnwindSafe(|| {
            let mut row = F::apply(before, event)?;
            row.settle();
            Some(row)
        });
        match (catch_unwind(apply), self.care) {
            (Ok(row), _) => {
                self.put(&key, row);
                Ok(Some(key))
            }
            (Err(panic), Care::Careful) => {
                self.put(&key, kept);
                self.poisoned(read, Some(key), Cause::Panic, &words(panic.as_ref()))
            }
            (Err(panic), Care::Quick) => Err(Halted {
                position: read.position,
                reason: reason(read.position, &words(panic.as_ref())),
                then: Then::FoldAgain,
            }),
        }
    }

    /// An event whose key the fold cannot tell.
    fn unkeyed(
        &mut self,
        read: &Read,
        cause: Cause,
        why: &str,
        wanted: impl Fn(&F::Key) -> bool,
    ) -> Result<Option<F::Key>, Halted> {
        match F::key_of(read.stream(), read.position) {
            Some(key) if !wanted(&key) => Ok(None),
            key => self.poisoned(read, key, cause, why),
        }
    }

    fn poisoned(
        &mut self,
        read: &Read,
        key: Option<F::Key>,
        cause: Cause,
        why: &str,
    ) -> Result<Option<F::Key>, Halted> {
        match F::POISON {
            Poison::Halt => Err(Halted {
                position: read.position,
                reason: reason(read.position, &why),
                then: Then::Stop,
            }),
            Poison::Park => {
                self.parked.park(read, key, cause, why);
                Ok(None)
            }
        }
    }

    /// Holds back an event after all, whose row the database does not take: the row is what it was before.
    ///
    /// # Errors
    /// [`Halted`] where the fold is one that halts.
    pub(crate) fn refuse(
        &mut self,
        read: &Read,
        key: F::Key,
        before: Option<F::Row>,
        why: &str,
    ) -> Result<(), Halted> {
        self.put(&key, before);
        self.poisoned(read, Some(key), Cause::Refused, why).map(drop)
    }

    fn put(&mut self, key: &F::Key, row: Option<F::Row>) {
        match row {
            Some(row) => drop(self.rows.insert(key.clone(), row)),
            None => drop(self.rows.remove(key)),
        }
    }

    /// Takes a row as it is stored.
    pub(crate) fn insert(&mut self, row: F::Row) {
        self.rows.insert(row.key(), row);
    }

    /// Forgets every row; what is held back stays.
    pub(crate) fn forget(&mut self) {
        self.rows = HashMap::new();
    }

    /// What is held back.
    pub(crate) fn parked(&self) -> &Parked<F::Key> {
        &self.parked
    }

    /// What is held back, to be written.
    pub(crate) fn parked_mut(&mut self) -> &mut Parked<F::Key> {
        &mut self.parked
    }

    /// The row that an event is for, where it tells.
    pub(crate) fn key_of(&self, read: &Read) -> Option<F::Key> {
        match read.seen_by::<F>() {
            Seen::Event(event) => catch_unwind(|| F::key(event)).ok()?,
            Seen::Ignored | Seen::Unreadable(_) | Seen::Unknown(_) => None,
        }
    }

    /// The row of a key.
    pub(crate) fn get(&self, key: &F::Key) -> Option<&F::Row> {
        self.rows.get(key)
    }

    /// Takes a row out: for who needs each once, and not all of them.
    pub(crate) fn remove(&mut self, key: &F::Key) -> Option<F::Row> {
        self.rows.remove(key)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.rows.len()).expect("a count of rows fits 64 bits")
    }

    /// Every row, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &F::Row> {
        self.rows.values()
    }

    /// The rows, in no order.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = F::Row> {
        self.rows.into_values()
    }
}

#[cfg(test)]
mod tests {
    use domain::booking::BookingEvent;

    use super::*;
    use crate::booking_list::BookingList;
    use crate::testing::{BOOKING, booking_event, requested, verified};

    fn read(event: Recorded) -> Read {
        Read::from(event)
    }

    fn paid(rows: &Rows<BookingList>) -> i64 {
        rows.get(&BOOKING).expect("it is there").paid_cents.0
    }

    #[test]
    fn after_a_panic_careful_rows_are_as_before_and_quick_ones_must_be_folded_again() {
        let events = || {
            let booked = booking_event(1, 1, BookingEvent::Requested(requested(85_118)));
            [
                booked,
                verified(2, i64::MAX, 0),
                verified(3, 1, 0),
                verified(4, 1, 0),
            ]
            .map(read)
        };
        let [booked, all, more, last] = events();
        let mut quick = Rows::<BookingList>::default();
        assert_eq!(quick.take(&booked), Ok(Some(BOOKING)));
        assert_eq!(quick.take(&all), Ok(Some(BOOKING)));
        let halted = quick.take(&more).unwrap_err();
        assert_eq!((halted.position, halted.then), (Position(3), Then::FoldAgain));
        let mut careful = Rows::<BookingList>::default().careful();
        for read in [&booked, &all, &more, &last] {
            careful.take(read).unwrap();
        }
        assert_eq!(paid(&careful), i64::MAX);
        assert!(careful.parked().touches(&BOOKING));
        let (begun, waiting) = careful.parked_mut().unwritten();
        assert_eq!(
            (begun.len(), begun[0].position, begun[0].cause),
            (1, Position(3), Cause::Panic)
        );
        let waiting: Vec<i64> = waiting.iter().map(|waiting| waiting.position.0).collect();
        assert_eq!(waiting, [3, 4]);
    }

    #[test]
    fn rows_of_certain_keys_alone_are_what_they_are_among_the_others() {
        let booked = read(booking_event(1, 1, BookingEvent::Requested(requested(85_118))));
        let mut none = Rows::<BookingList>::default();
        assert_eq!(none.take_where(&booked, |key| *key != BOOKING), Ok(None));
        assert_eq!(none.len(), 0);
        let mut one = Rows::<BookingList>::default();
        assert_eq!(one.take_where(&booked, |key| *key == BOOKING), Ok(Some(BOOKING)));
    }
}
