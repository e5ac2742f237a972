//! An event that does not fit its hash.

use std::collections::{BTreeMap, BTreeSet};

use domain::envelope::{Position, StoredEvent};
use event_log::LogError;
use event_log::proof::{LeafHasher, leaf_hash};

use super::{Inquiry, at, was_written_at};
use crate::lie::{Finding, Lie, Part};

/// Values that are remembered of each entry of the metadata.
const VALUES: usize = 4096;

impl Inquiry<'_> {
    /// Names what happened to the event of a position, which does not fit its hash.
    pub(super) async fn changed_event(&self, position: Position) -> Result<Finding, LogError> {
        let changed = |part| Finding {
            position,
            what: Lie::ChangedContent { part },
        };
        let Some(event) = self.row(position).await? else {
            // A version that is no number.
            return Ok(changed(Part::OtherColumn));
        };
        if let Some(from) = self.written_at(&event).await? {
            return self.moved(&event, from).await;
        }
        if let Some(next) = self.row(position.next()).await?
            && was_written_at(&next, position)
        {
            return Ok(Finding {
                position,
                what: Lie::InsertedEvent,
            });
        }
        if let Some(what) = self.exchanged(&event).await? {
            return Ok(Finding { position, what });
        }
        let part = match self.changed_part(position).await? {
            Part::Unknown => by_form(&event),
            known @ (Part::Payload | Part::Metadata | Part::OtherColumn) => known,
        };
        Ok(changed(part))
    }

    /// The position that the event's hash was made for; the nearest are tried first.
    async fn written_at(&self, event: &StoredEvent) -> Result<Option<Position>, LogError> {
        let end = self.known_end(event.position).await?.0;
        let here = event.position.0;
        let mut hasher = LeafHasher::default();
        let mut moved = event.clone();
        let distances = 1..=here.max(end - here);
        let around = distances.flat_map(|distance| [here - distance, here + distance]);
        for position in around.filter(|position| (1..=end).contains(position)) {
            moved.position = Position(position);
            if hasher.hash(&moved) == event.leaf_hash {
                return Ok(Some(moved.position));
            }
        }
        Ok(None)
    }

    /// An event that was written elsewhere: swapped, or all after it moved up or down.
    async fn moved(&self, event: &StoredEvent, from: Position) -> Result<Finding, LogError> {
        let position = event.position;
        let there = self.row(from).await?;
        if there.is_some_and(|there| was_written_at(&there, position)) {
            return Ok(Finding {
                position,
                what: Lie::SwappedEvents { with: from },
            });
        }
        if from == position.next() {
            return Ok(Finding {
                position,
                what: Lie::MissingEvent,
            });
        }
        // All before it fit, so that it is the one before it that nobody wrote there.
        if from.next() == position {
            return Ok(Finding {
                position: from,
                what: Lie::InsertedEvent,
            });
        }
        Ok(Finding {
            position,
            what: Lie::MovedEvent { from },
        })
    }

    /// Goes through the log for what makes the event fit its hash again: another event's columns, payload or metadata,
    /// or a value of its metadata.
    async fn exchanged(&self, event: &StoredEvent) -> Result<Option<Lie>, LogError> {
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut after = Position::START;
        loop {
            let page = self.log.inspect(self.tenant, after).await?;
            let Some(last) = page.last() else { break };
            after = last.position;
            for other in page.iter().filter(|other| other.position != event.position) {
                if let Some(lie) = restored_by(event, other) {
                    return Ok(Some(lie));
                }
                remember(&mut values, &other.metadata);
            }
        }
        Ok(metadata_restored(event, &values).then_some(Lie::ChangedContent { part: Part::Metadata }))
    }
}

/// What another event has to do with it, if with something of that one the hash fits.
fn restored_by(event: &StoredEvent, other: &StoredEvent) -> Option<Lie> {
    let fits = |candidate: &StoredEvent| leaf_hash(candidate) == event.leaf_hash;
    let with_payload = |of: &StoredEvent, from: &StoredEvent| StoredEvent {
        payload: from.payload.clone(),
        ..of.clone()
    };
    let with_metadata = |of: &StoredEvent, from: &StoredEvent| StoredEvent {
        metadata: from.metadata.clone(),
        ..of.clone()
    };
    let swapped = Lie::SwappedEvents { with: other.position };
    let in_stream = StoredEvent {
        stream: event.stream.clone(),
        sequence: event.sequence,
        ..at(other, event.position)
    };
    let both = with_metadata(&with_payload(event, other), other);
    if fits(&at(other, event.position)) || fits(&in_stream) || (both != *event && fits(&both)) {
        return Some(swapped);
    }
    if other.payload != event.payload && fits(&with_payload(event, other)) {
        let mutual = leaf_hash(&with_payload(other, event)) == other.leaf_hash;
        let changed = Lie::ChangedContent { part: Part::Payload };
        return Some(if mutual { swapped } else { changed });
    }
    if other.metadata != event.metadata && fits(&with_metadata(event, other)) {
        return Some(Lie::ChangedContent { part: Part::Metadata });
    }
    None
}

fn entries(metadata: &str) -> Option<BTreeMap<String, String>> {
    serde_json::from_str(metadata).ok()
}

fn remember(values: &mut BTreeMap<String, BTreeSet<String>>, metadata: &str) {
    for (key, value) in entries(metadata).into_iter().flatten() {
        let known = values.entry(key).or_default();
        if known.len() < VALUES {
            known.insert(value);
        }
    }
}

/// Whether the hash fits with one entry of the metadata left out, added or given a value that other events have.
fn metadata_restored(event: &StoredEvent, values: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let Some(entries) = entries(&event.metadata) else {
        return false;
    };
    let mut hasher = LeafHasher::default();
    let mut candidate = event.clone();
    let mut fits = |entries: &BTreeMap<String, String>| {
        candidate.metadata = serde_json::to_string(entries).expect("texts are JSON");
        hasher.hash(&candidate) == event.leaf_hash
    };
    let own = [
        ("command_id", event.command_id.to_string()),
        ("correlation_id", event.command_id.to_string()),
    ];
    let of_others = values
        .iter()
        .flat_map(|(key, values)| values.iter().map(move |value| (key.as_str(), value.clone())));
    let with = own.into_iter().chain(of_others).map(|(key, value)| {
        let mut changed = entries.clone();
        changed.insert(key.to_owned(), value);
        changed
    });
    let without = entries.keys().map(|key| {
        let mut changed = entries.clone();
        changed.remove(key);
        changed
    });
    fits(&entries) || without.chain(with).any(|changed| fits(&changed))
}

/// What the text itself gives away: payloads and metadata are written in one form only.
fn by_form(event: &StoredEvent) -> Part {
    let rewritten = |text: &str| canonical(text).is_none_or(|canonical| canonical != text);
    match (rewritten(&event.payload), rewritten(&event.metadata)) {
        (true, false) => Part::Payload,
        (false, true) => Part::Metadata,
        (true, true) | (false, false) => Part::Unknown,
    }
}

fn canonical(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(domain::canonical::json(&value))
}
