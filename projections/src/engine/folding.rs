//! A fold over any events that somebody has: read from a log, from a file, or made by a test.
//!
//! The three runners read the log in a database and know what their rows are. A [`Folding`] does neither: it is given
//! stored events, one after the other, and gives its rows as JSON. Auditors' tools are built on it: a read model as of
//! a position, what changed between two, and a file of events that is folded again where there is no database.
//!
//! ```text
//! let mut folding = projection("tax_ledger")?.folding();
//! for event in events { folding.apply(&event)?; }
//! folding.rows()      // JSON objects, in key order; `columns` says what their fields are
//! folding.checksum()  // one number for all of them
//! ```
//!
//! The rows are those that the live runner would have stored after the same events, field by field. Personal fields are
//! in them as the log has them, sealed; whoever shows a row leaves them out.

use domain::envelope::StoredEvent;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::column::Kind;
use super::error::ProjectionError;
use super::fold::{Fold, Row, Rows};
use super::history::Read;
use super::rows::Halted;

/// A column of a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its name; ends in the unit where it has one, `_cents`, `_ppm`.
    pub name: &'static str,
    /// What sort of value it is compared as; none for columns that are only shown.
    pub kind: Option<Kind>,
    /// Whether it is part of the key.
    pub is_key: bool,
}

/// A row that an event changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Which row: an object of the key's columns.
    pub key: Value,
    /// The row before the event; none where there was none.
    pub before: Option<Value>,
    /// The row after it; none where there is none any more.
    pub after: Option<Value>,
}

/// The rows of one read model, as far as it was given events.
pub trait Folding: Send {
    /// Applies the next event. Events come in the order of the log; those that the fold does not look at may be left
    /// out.
    ///
    /// # Errors
    /// [`ProjectionError::Stopped`] when the event is of a type that this program does not know, or cannot be applied
    /// and the read model is one that halts then; the rows are as they were. Others hold it back, as the runners do.
    fn apply(&mut self, event: &StoredEvent) -> Result<(), ProjectionError>;

    /// As [`apply`](Self::apply), and says which row the event changed, if any.
    ///
    /// # Errors
    /// Those of [`apply`](Self::apply).
    fn follow(&mut self, event: &StoredEvent) -> Result<Option<Touched>, ProjectionError>;

    /// The rows in key order, each an object whose fields are the read model's columns.
    fn rows(&self) -> Box<dyn Iterator<Item = Value> + '_>;

    /// How many rows there are.
    fn len(&self) -> u64;

    /// Whether events are held back that could not be applied: the rows are not all that they should be.
    fn is_incomplete(&self) -> bool;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SHA-256 of the rows: of the canonical JSON (RFC 8785) of the array of them in key order, sealed values as the
    /// log has them. The same for the same rows, on every machine, whenever it is asked for.
    fn checksum(&self) -> [u8; 32] {
        checksum(self.rows())
    }
}

/// The checksum of rows that are in key order.
fn checksum(rows: impl Iterator<Item = Value>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut before = "[";
    for row in rows {
        hash.update(before);
        hash.update(domain::canonical::json(&row));
        before = ",";
    }
    // The bracket that opens is there without a row, too.
    hash.update(if before == "[" { "[]" } else { "]" });
    hash.finalize().into()
}

/// The columns of a row, in its order.
pub(crate) fn columns<R: Row>() -> Vec<ColumnInfo> {
    let column = |name: &&'static str| ColumnInfo {
        name,
        kind: R::kind(name),
        is_key: R::KEY.contains(name),
    };
    R::COLUMNS.iter().map(column).collect()
}

/// The rows of one fold.
pub(crate) struct Folded<F: Fold>(Rows<F>);

impl<F: Fold> Default for Folded<F> {
    fn default() -> Self {
        // A panic of the fold parks a row and loses none: there is nothing to fold again from.
        Self(Rows::default().careful())
    }
}

fn json<R: Row>(row: &R) -> Value {
    serde_json::to_value(row).expect("rows have a JSON form")
}

impl<F: Fold> Folding for Folded<F> {
    fn apply(&mut self, event: &StoredEvent) -> Result<(), ProjectionError> {
        self.0
            .take(&Read::of(event.clone()))
            .map_err(Halted::error::<F>)?;
        Ok(())
    }

    fn follow(&mut self, event: &StoredEvent) -> Result<Option<Touched>, ProjectionError> {
        let read = Read::of(event.clone());
        let before = self.0.key_of(&read).and_then(|key| self.0.get(&key).cloned());
        let Some(key) = self.0.take(&read).map_err(Halted::error::<F>)? else {
            return Ok(None);
        };
        let after = self.0.get(&key);
        if before.as_ref() == after {
            return Ok(None);
        }
        Ok(Some(Touched {
            key: F::Row::key_json(&key),
            before: before.as_ref().map(json),
            after: after.map(json),
        }))
    }

    fn rows(&self) -> Box<dyn Iterator<Item = Value> + '_> {
        let mut rows: Vec<(F::Key, &F::Row)> = self.0.iter().map(|row| (row.key(), row)).collect();
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        Box::new(rows.into_iter().map(|(_, row)| json(row)))
    }

    fn len(&self) -> u64 {
        self.0.len()
    }

    fn is_incomplete(&self) -> bool {
        !self.0.parked().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use domain::envelope::{Position, StreamId, Version};
    use domain::ids::{CommandId, EventId, TenantId};
    use uuid::Uuid;

    use super::*;
    use crate::engine::registry;

    fn stored(position: i64, name: &str, payload: &str) -> StoredEvent {
        let metadata = r#"{"actor_id":"t","actor_kind":"system","channel":"cli","correlation_id":"c"}"#;
        StoredEvent {
            tenant: TenantId(Uuid::nil()),
            position: Position(position),
            stream: StreamId::new("organisation", "ours"),
            sequence: Version(position),
            event_type: name.to_owned(),
            event_version: 1,
            payload: payload.to_owned(),
            metadata: metadata.to_owned(),
            event_id: EventId(Uuid::nil()),
            command_id: CommandId(Uuid::nil()),
            recorded_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            leaf_hash: [0; 32],
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_canonical_array_of_the_rows() {
        let rows = [
            serde_json::json!({"b": 1, "a": 2}),
            serde_json::json!({"c": null}),
        ];
        let text = domain::canonical::json(&rows);
        assert_eq!(checksum(rows.into_iter()), <[u8; 32]>::from(Sha256::digest(text)));
        for projection in registry() {
            let folding = projection.folding();
            assert_eq!(folding.checksum(), <[u8; 32]>::from(Sha256::digest("[]")));
            assert!(folding.is_empty() && !folding.is_incomplete());
        }
    }

    #[test]
    fn an_event_is_followed_by_the_row_that_it_changed_and_one_that_nobody_knows_ends_it() {
        let trail = crate::engine::projection("audit_trail").unwrap();
        let mut folding = trail.folding();
        let created = stored(1, "organisation.created", r#"{"name":"Ours","slug":"ours"}"#);
        let touched = folding.follow(&created).unwrap().unwrap();
        assert_eq!(
            (touched.key["position"].as_i64(), touched.before),
            (Some(1), None)
        );
        assert_eq!(folding.rows().next(), touched.after);
        let before = folding.checksum();
        let unknown = folding.apply(&stored(2, "booking.teleported", "{}"));
        assert!(matches!(
            unknown,
            Err(ProjectionError::Stopped {
                position: Position(1),
                ..
            })
        ));
        assert_eq!(folding.checksum(), before);
        let keys = trail.columns().into_iter().filter(|column| column.is_key);
        assert_eq!(keys.map(|column| column.name).collect::<Vec<_>>(), ["position"]);
    }
}
