//! What a read model is: a row, and the pure fold that makes it from events.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::LazyLock;

use domain::recorded::Recorded;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::column::{Kind, Value};

/// What tells one row of a read model from another.
pub trait Key: Eq + Hash + Ord + Clone + Debug + Send + Sync + 'static {}

impl<T: Eq + Hash + Ord + Clone + Debug + Send + Sync + 'static> Key for T {}

/// A row: its fields are the columns of its table, under the same names.
pub trait Row: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// What tells it from the other rows.
    type Key: Key;
    /// Its table.
    const TABLE: &'static str;
    /// Its columns, without tenant and generation.
    const COLUMNS: &'static [&'static str];
    /// Those of them that make the key.
    const KEY: &'static [&'static str];

    /// Its key.
    fn key(&self) -> Self::Key;
    /// A key as an object of the key's columns.
    fn key_json(key: &Self::Key) -> serde_json::Value;
    /// What a column is compared as; none for columns that are only shown, or that it has not.
    fn kind(column: &str) -> Option<Kind>;
    /// The value of a column; none where it is null or only shown.
    fn value(&self, column: &str) -> Option<Value>;
    /// Takes the form that the database would give back.
    fn settle(&mut self);
}

/// One thing as it is, several as a tuple: the key of a row.
macro_rules! one_or_tuple {
    ($only:tt) => { $only };
    ($($part:tt),+) => { ($($part),+) };
}

pub(crate) use one_or_tuple;

/// Writes a row and what the engine must know of it from one list of columns.
macro_rules! row {
    (
        $(#[$meta:meta])*
        pub struct $row:ident in $table:literal, key ($($key:ident: $key_type:ty),+) {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $row { $( $(#[$field_meta])* pub $field: $type, )+ }

        impl $crate::engine::Row for $row {
            type Key = $crate::engine::one_or_tuple!($($key_type),+);
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            const KEY: &'static [&'static str] = &[$(stringify!($key)),+];

            fn key(&self) -> Self::Key {
                $( let $key = Clone::clone(&self.$key); )+
                $crate::engine::one_or_tuple!($($key),+)
            }

            fn key_json(key: &Self::Key) -> serde_json::Value {
                let $crate::engine::one_or_tuple!($($key),+) = key;
                serde_json::json!({ $(stringify!($key): $key),+ })
            }

            fn kind(column: &str) -> Option<$crate::engine::Kind> {
                match column {
                    $( stringify!($field) => <$type as $crate::engine::Column>::KIND, )+
                    _ => None,
                }
            }

            fn value(&self, column: &str) -> Option<$crate::engine::Value> {
                match column {
                    $( stringify!($field) => $crate::engine::Column::value(&self.$field), )+
                    _ => None,
                }
            }

            fn settle(&mut self) {
                $( $crate::engine::Column::settle(&mut self.$field); )+
            }
        }
    };
}

pub(crate) use row;

/// A read model, written once and run live, as a rebuild and as of a position.
///
/// Pure: no IO, no clock, no other row. What it cannot know from the event must be in the event.
pub trait Fold: Send + Sync + 'static {
    /// What tells its rows apart.
    type Key: Key;
    /// Its rows.
    type Row: Row<Key = Self::Key>;
    /// Name in checkpoints and on the command line.
    const NAME: &'static str;
    /// Version of this code: raised when the same events give other rows, which has them rebuilt.
    const VERSION: i32;

    /// Wire names of the events that it looks at.
    fn event_types() -> &'static [&'static str];
    /// The row that an event touches, if any.
    fn key(event: &Recorded) -> Option<Self::Key>;
    /// The row after an event; none where there is none any more.
    fn apply(row: Option<Self::Row>, event: &Recorded) -> Option<Self::Row>;
}

static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    domain::recorded::catalogue()
        .into_iter()
        .map(|kind| kind.name)
        .collect()
});

/// Whether this program knows events of a wire name.
pub(crate) fn is_known(name: &str) -> bool {
    KNOWN.contains(name)
}

/// The wire names that this program knows and a fold does not look at.
pub(crate) fn ignored<F: Fold>() -> impl Iterator<Item = &'static str> {
    let ignored = |name: &&'static str| !F::event_types().contains(name);
    KNOWN.iter().copied().filter(ignored)
}

/// Rows of one fold in memory.
pub(crate) struct Rows<F: Fold> {
    rows: HashMap<F::Key, F::Row>,
}

impl<F: Fold> Default for Rows<F> {
    fn default() -> Self {
        Self { rows: HashMap::new() }
    }
}

impl<F: Fold> Rows<F> {
    /// Starts from rows that are there already.
    pub(crate) fn of(rows: Vec<F::Row>) -> Self {
        Self {
            rows: rows.into_iter().map(|row| (row.key(), row)).collect(),
        }
    }

    /// Applies an event and says which row it touched.
    pub(crate) fn apply(&mut self, event: &Recorded) -> Option<F::Key> {
        let key = F::key(event)?;
        let row = F::apply(self.rows.remove(&key), event);
        if let Some(mut row) = row {
            row.settle();
            self.rows.insert(key.clone(), row);
        }
        Some(key)
    }

    /// The row of a key.
    pub(crate) fn get(&self, key: &F::Key) -> Option<&F::Row> {
        self.rows.get(key)
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
