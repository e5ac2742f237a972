//! Where the stored rows of a read model and those that the log gives part.

use std::collections::HashMap;

use domain::envelope::Position;

use super::fold::{Fold, Row, Rows};

/// A row that is not what the log gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which row: its key as JSON.
    pub key: String,
    /// The row as it is stored; none where it is missing.
    pub live: Option<serde_json::Value>,
    /// The row as the log gives it; none where there should be none.
    pub refolded: Option<serde_json::Value>,
}

/// A read model compared with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which read model.
    pub projection: &'static str,
    /// The position that it was compared at.
    pub position: Position,
    /// How many rows it has.
    pub rows: u64,
    /// What differs, by key; empty is well.
    pub differences: Vec<Difference>,
}

fn json<R: Row>(row: &R) -> serde_json::Value {
    serde_json::to_value(row).expect("rows have a JSON form")
}

/// A key, its row as stored, and its row as the log gives it.
type Found<'a, F> = (
    <F as Fold>::Key,
    Option<&'a <F as Fold>::Row>,
    Option<&'a <F as Fold>::Row>,
);

/// What differs, by key.
pub(crate) fn between<F: Fold>(live: Vec<F::Row>, refolded: &Rows<F>) -> Vec<Difference> {
    let live: HashMap<F::Key, F::Row> = live.into_iter().map(|row| (row.key(), row)).collect();
    let changed = live.iter().filter_map(|(key, row)| {
        let expected = refolded.get(key);
        (expected != Some(row)).then(|| (key.clone(), Some(row), expected))
    });
    let missing = refolded.iter().filter_map(|row| {
        let key = row.key();
        (!live.contains_key(&key)).then_some((key, None, Some(row)))
    });
    let mut found: Vec<Found<'_, F>> = changed.chain(missing).collect();
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    found
        .into_iter()
        .map(|(key, live, refolded)| Difference {
            key: F::Row::key_json(&key).to_string(),
            live: live.map(json),
            refolded: refolded.map(json),
        })
        .collect()
}
