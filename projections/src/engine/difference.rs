//! Where the stored rows of a read model and those that the log gives part.

use domain::envelope::Position;
use serde_json::Value;

use super::fold::{Fold, Row};

/// A row that is not what the log gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which row: its key as JSON.
    pub key: String,
    /// The row as it is stored; none where it is missing.
    pub live: Option<Value>,
    /// The row as the log gives it; none where there should be none.
    pub refolded: Option<Value>,
}

/// A read model compared with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which read model.
    pub projection: &'static str,
    /// The position that it was compared at.
    pub position: Position,
    /// How many rows were compared: all that there are or should be, or those that were drawn.
    pub rows: u64,
    /// Whether they were drawn.
    pub is_sample: bool,
    /// How many rows differ.
    pub differing: u64,
    /// What differs, by key; of very many, a part. Empty is well.
    pub differences: Vec<Difference>,
}

/// Differences that are shown at most; beyond them they are only counted.
const SHOWN: usize = 1_000;

/// Stored rows held against refolded ones, one by one.
pub(crate) struct Comparison<F: Fold> {
    rows: u64,
    differing: u64,
    /// By key; none of a row whose key is none.
    shown: Vec<(Option<F::Key>, Difference)>,
}

impl<F: Fold> Default for Comparison<F> {
    fn default() -> Self {
        Self {
            rows: 0,
            differing: 0,
            shown: Vec::new(),
        }
    }
}

fn json<R: Row>(row: &R) -> Value {
    serde_json::to_value(row).expect("rows have a JSON form")
}

impl<F: Fold> Comparison<F> {
    /// A key, its row as stored, and its row as the log gives it. A stored row that this program cannot read is none
    /// that the log gives.
    pub(crate) fn compare(&mut self, key: F::Key, live: Option<Value>, refolded: Option<&F::Row>) {
        self.rows += 1;
        let read: Option<F::Row> = live.clone().and_then(|live| serde_json::from_value(live).ok());
        if read.as_ref() == refolded && read.is_some() == live.is_some() {
            return;
        }
        self.differing += 1;
        if self.shown.len() < SHOWN {
            let difference = Difference {
                key: F::Row::key_json(&key).to_string(),
                live: read.as_ref().map(json).or(live),
                refolded: refolded.map(json),
            };
            self.shown.push((Some(key), difference));
        }
    }

    /// A stored row whose key this program cannot read: no event gives it.
    pub(crate) fn unkeyed(&mut self, key: String, live: Value) {
        self.rows += 1;
        self.differing += 1;
        if self.shown.len() < SHOWN {
            let difference = Difference {
                key,
                live: Some(live),
                refolded: None,
            };
            self.shown.push((None, difference));
        }
    }

    /// What came of it, of so many rows.
    pub(crate) fn checked(mut self, position: Position) -> Checked {
        self.shown.sort_by(|(a, _), (b, _)| a.cmp(b));
        Checked {
            projection: F::NAME,
            position,
            rows: self.rows,
            is_sample: false,
            differing: self.differing,
            differences: self.shown.into_iter().map(|(_, difference)| difference).collect(),
        }
    }
}
