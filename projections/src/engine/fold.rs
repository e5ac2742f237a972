//! What a read model is: a row, and the pure fold that makes it from events.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::LazyLock;

use domain::envelope::{Position, StreamId};
use domain::recorded::Recorded;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::column::{Kind, Value};
pub(crate) use super::rows::Rows;

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
    /// The key that such an object is of; none where it is of no key.
    fn key_from_json(json: &serde_json::Value) -> Option<Self::Key>;
    /// What a column is compared as; none for columns that are only shown, or that it has not.
    fn kind(column: &str) -> Option<Kind>;
    /// The value of a column; none where it is null or only shown.
    fn value(&self, column: &str) -> Option<Value>;
    /// Takes the form that the database would give back.
    fn settle(&mut self);
    /// What it takes in memory, in bytes and roughly.
    fn heap(&self) -> usize;
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

            fn key_from_json(json: &serde_json::Value) -> Option<Self::Key> {
                use serde::Deserialize as _;
                $( let $key = <$key_type>::deserialize(json.get(stringify!($key))?).ok()?; )+
                Some($crate::engine::one_or_tuple!($($key),+))
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

            fn heap(&self) -> usize {
                size_of::<Self>() $( + $crate::engine::Column::heap(&self.$field) )+
            }
        }
    };
}

pub(crate) use row;

/// What becomes of a read model at an event that it knows and cannot apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poison {
    /// The event's row waits, with all that comes for it later; the other rows go on.
    Park,
    /// It goes no further. For tax and money: wrong is worse than late.
    Halt,
}

/// Where in the log the events of a row are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In one stream, all of them.
    Stream(StreamId),
    /// At one position: the row is of one event.
    At(Position),
    /// In streams that the key does not tell.
    Anywhere,
}

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
    /// What becomes of it at an event that it cannot apply.
    const POISON: Poison;

    /// Wire names of the events that it looks at.
    fn event_types() -> &'static [&'static str];
    /// The row that an event touches, if any.
    fn key(event: &Recorded) -> Option<Self::Key>;
    /// The row after an event; none where there is none any more.
    fn apply(row: Option<Self::Row>, event: &Recorded) -> Option<Self::Row>;

    /// The row that any event that it looks at would touch in this stream and at this position, where these alone tell:
    /// so that one that cannot be read holds back its row and not its stream.
    fn key_of(stream: &StreamId, position: Position) -> Option<Self::Key> {
        let (_, _) = (stream, position);
        None
    }

    /// Where the events of a row are, so that it can be folded again without the rest of the log.
    fn source(key: &Self::Key) -> Source {
        let _ = key;
        Source::Anywhere
    }
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
