//! What a read model holds back: rows that an event could not be applied to, and the events that wait behind it.
//!
//! A row waits from the first event that cannot be applied to it. Where such an event does not tell its row, its stream
//! waits, and with each later event of that stream the row that it is for. No row looks at another, so that nothing
//! else has to wait.

use std::collections::{HashMap, HashSet};

use domain::envelope::{Position, StreamId};

use super::fold::Key;
use super::history::Read;

/// What is held back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Held<K> {
    /// The row of a key.
    Key(K),
    /// Whatever the events of a stream are for.
    Stream(StreamId),
}

/// Why something is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The event is not as its type promises.
    Unreadable,
    /// The fold panics on it.
    Panic,
    /// The database does not take the row.
    Refused,
    /// Something before it is held back.
    Behind,
}

impl Cause {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Panic => "panic",
            Self::Refused => "refused",
            Self::Behind => "behind",
        }
    }
}

/// A key or a stream from where it began to be held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun<K> {
    /// What is held back.
    pub(crate) held: Held<K>,
    /// The first event that is.
    pub(crate) position: Position,
    /// Its type.
    pub(crate) event_type: String,
    /// Why.
    pub(crate) cause: Cause,
    /// Why, in a sentence.
    pub(crate) reason: String,
}

/// An event that is held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting<K> {
    /// Where it is.
    pub(crate) position: Position,
    /// Its type.
    pub(crate) event_type: String,
    /// Its stream.
    pub(crate) stream: StreamId,
    /// The row that it is for, where it tells.
    pub(crate) key: Option<K>,
}

/// What a read model holds back.
#[derive(Debug, Clone)]
pub(crate) struct Parked<K> {
    keys: HashMap<K, Position>,
    streams: HashMap<StreamId, Position>,
    /// What began since it was last written.
    begun: Vec<Begun<K>>,
    /// What came to wait since it was last written.
    waiting: Vec<Waiting<K>>,
}

impl<K> Default for Parked<K> {
    fn default() -> Self {
        Self {
            keys: HashMap::new(),
            streams: HashMap::new(),
            begun: Vec::new(),
            waiting: Vec::new(),
        }
    }
}

impl<K: Key> Parked<K> {
    /// Goes on from what is written already.
    pub(crate) fn of(held: impl IntoIterator<Item = (Held<K>, Position)>) -> Self {
        let mut parked = Self::default();
        for (held, position) in held {
            parked.hold(held, position);
        }
        parked
    }

    fn hold(&mut self, held: Held<K>, position: Position) {
        match held {
            Held::Key(key) => drop(self.keys.insert(key, position)),
            Held::Stream(stream) => drop(self.streams.insert(stream, position)),
        }
    }

    /// Whether an event waits.
    pub(crate) fn holds(&self, key: &K, stream: &StreamId, position: Position) -> bool {
        let begun = |since: &Position| *since <= position;
        self.keys.get(key).is_some_and(begun) || self.streams.get(stream).is_some_and(begun)
    }

    /// Whether nothing is held back.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.streams.is_empty()
    }

    /// Whether the row of a key may lack an event.
    pub(crate) fn touches(&self, key: &K) -> bool {
        !self.streams.is_empty() || self.keys.contains_key(key)
    }

    /// Holds back an event that cannot be applied, and all that comes behind it.
    pub(crate) fn park(&mut self, read: &Read, key: Option<K>, cause: Cause, reason: &str) {
        let held = match &key {
            Some(key) => Held::Key(key.clone()),
            None => Held::Stream(read.stream().clone()),
        };
        self.begin(held, read, cause, reason.to_owned());
        self.waiting.push(waiting(read, key));
    }

    /// Lets an event wait. The row that it is for waits with it, and its later events, from whatever stream.
    pub(crate) fn wait(&mut self, read: &Read, key: K) {
        if !self.keys.contains_key(&key) {
            let reason = format!(
                "it waits behind what is held back of the stream {}",
                read.stream()
            );
            self.begin(Held::Key(key.clone()), read, Cause::Behind, reason);
        }
        self.waiting.push(waiting(read, Some(key)));
    }

    /// Begins to hold back, unless that has begun before.
    fn begin(&mut self, held: Held<K>, read: &Read, cause: Cause, reason: String) {
        let known = match &held {
            Held::Key(key) => self.keys.contains_key(key),
            Held::Stream(stream) => self.streams.contains_key(stream),
        };
        if known {
            return;
        }
        self.hold(held.clone(), read.position);
        self.begun.push(Begun {
            held,
            position: read.position,
            event_type: read.name().to_owned(),
            cause,
            reason,
        });
    }

    /// The events that came to wait since it was last written.
    pub(crate) fn unwritten_positions(&self) -> HashSet<Position> {
        self.waiting.iter().map(|waiting| waiting.position).collect()
    }

    /// What is not written yet, which is taken for written now.
    pub(crate) fn unwritten(&mut self) -> (Vec<Begun<K>>, Vec<Waiting<K>>) {
        (std::mem::take(&mut self.begun), std::mem::take(&mut self.waiting))
    }
}

fn waiting<K>(read: &Read, key: Option<K>) -> Waiting<K> {
    Waiting {
        position: read.position,
        event_type: read.name().to_owned(),
        stream: read.stream().clone(),
        key,
    }
}
