//! An append as far as it can be made ready before its turn, by whoever asks for it.

use domain::canonical;
use domain::envelope::StreamId;
use domain::ids::{CommandId, EventId, TenantId};

use crate::append::Append;
use crate::proof::EVENT_TAG;

/// About how much an event, a stream or a claim takes beside its texts.
const PART: usize = 512;

/// An append with what does not depend on its place in the log.
pub(crate) struct Prepared {
    pub(crate) append: Append,
    /// Its metadata, as stored.
    pub(crate) metadata: String,
    /// Per stream, the part of its events' canonical form that names it.
    pub(crate) of_stream: Vec<Vec<u8>>,
    /// Per event, over all streams, the parts that name its type and its ids.
    pub(crate) of_event: Vec<OfEvent>,
}

/// The parts of an event's canonical form that are its own.
pub(crate) struct OfEvent {
    pub(crate) version: String,
    pub(crate) of_type: Vec<u8>,
    pub(crate) of_ids: Vec<u8>,
}

impl From<Append> for Prepared {
    fn from(append: Append) -> Self {
        let of_event = append
            .streams
            .iter()
            .flat_map(|write| &write.events)
            .map(|event| {
                let version = event.event_version.to_string();
                OfEvent {
                    of_type: of_type(event.event_type, &version),
                    of_ids: of_ids(event.event_id, append.command_id),
                    version,
                }
            });
        Self {
            metadata: canonical::json(&append.meta),
            of_stream: append
                .streams
                .iter()
                .map(|write| of_stream(&write.stream))
                .collect(),
            of_event: of_event.collect(),
            append,
        }
    }
}

impl Prepared {
    /// About how much memory it takes while it waits.
    pub(crate) fn bytes(&self) -> usize {
        let events = || self.append.streams.iter().flat_map(|write| &write.events);
        let payloads: usize = events().map(|event| event.payload.len()).sum();
        let claims: usize = events().map(|event| event.claims.len()).sum();
        let streams = self.append.streams.len() + self.append.reads.len();
        let parts = 1 + self.of_event.len() + claims + streams + self.append.erases.len();
        payloads + self.of_event.len() * self.metadata.len() + parts * PART
    }
}

/// The canonical form up to the position's bytes.
pub(crate) fn lead(tenant: TenantId) -> Vec<u8> {
    let mut bytes = vec![0x00];
    field(&mut bytes, EVENT_TAG);
    field(&mut bytes, tenant.0.as_bytes());
    number(&mut bytes);
    bytes
}

/// The canonical form from the position to the sequence's bytes.
fn of_stream(stream: &StreamId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 + stream.kind.len() + stream.id.len());
    field(&mut bytes, stream.kind.as_bytes());
    field(&mut bytes, stream.id.as_bytes());
    number(&mut bytes);
    bytes
}

/// The canonical form from the sequence to the payload.
fn of_type(event_type: &str, version: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 + event_type.len());
    field(&mut bytes, event_type.as_bytes());
    field(&mut bytes, version.as_bytes());
    bytes
}

/// The canonical form from the metadata to the instant's bytes.
fn of_ids(event: EventId, command: CommandId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(44);
    field(&mut bytes, event.0.as_bytes());
    field(&mut bytes, command.0.as_bytes());
    number(&mut bytes);
    bytes
}

fn field(bytes: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).expect("Postgres stores no field of 4 GiB");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(field);
}

/// The length of a number, whose bytes follow.
fn number(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&8_u32.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::envelope::{Expectation, NewEvent, Position, StoredEvent, Version};
    use uuid::Uuid;

    use super::*;
    use crate::append::StreamWrite;
    use crate::proof::leaf_form;

    #[test]
    fn the_parts_are_those_of_the_canonical_form() {
        let tenant = TenantId(Uuid::from_u128(1));
        let stream = StreamId::new("booking", "b-1");
        let prepared = Prepared::from(Append {
            tenant,
            command_id: CommandId(Uuid::from_u128(2)),
            digest: [0; 32],
            streams: vec![StreamWrite {
                stream: stream.clone(),
                expected: Expectation::Any,
                events: vec![NewEvent {
                    event_id: EventId(Uuid::from_u128(3)),
                    event_type: "booking.requested",
                    event_version: 12,
                    payload: "{\"naïve\":1}".to_owned(),
                    claims: Vec::new(),
                }],
            }],
            reads: Vec::new(),
            erases: Vec::new(),
            meta: BTreeMap::from([("channel".to_owned(), "cli".to_owned())]),
        });
        let event = &prepared.append.streams[0].events[0];
        let stored = StoredEvent {
            tenant,
            position: Position(7),
            stream,
            sequence: Version(5),
            event_type: event.event_type.to_owned(),
            event_version: event.event_version,
            payload: event.payload.clone(),
            metadata: prepared.metadata.clone(),
            event_id: event.event_id,
            command_id: prepared.append.command_id,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
            leaf_hash: [0; 32],
        };
        let mut texts = Vec::new();
        field(&mut texts, stored.payload.as_bytes());
        field(&mut texts, stored.metadata.as_bytes());
        let parts: [&[u8]; 8] = [
            &lead(tenant),
            &7_i64.to_be_bytes(),
            &prepared.of_stream[0],
            &5_i64.to_be_bytes(),
            &prepared.of_event[0].of_type,
            &texts,
            &prepared.of_event[0].of_ids,
            &0_i64.to_be_bytes(),
        ];
        // The lead begins with the byte that marks a leaf.
        assert_eq!(parts.concat()[1..], leaf_form(&stored));
    }
}
