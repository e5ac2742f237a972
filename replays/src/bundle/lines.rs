//! The lines of a bundle's files: every value has one spelling, so that a text that was changed without a change of
//! meaning is refused too.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{CommandId, EventId, SubjectId, TenantId};
use event_log::{Block, KeptCommand, KeyId, WrappedState, WrappedSubjectKey, WrappedTenantKeys};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes as lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(text.as_bytes(), &mut bytes)
            .map_err(|_| Error::custom(format!("not {} hexadecimal digits", 2 * N)))?;
        Ok(Self(bytes))
    }
}

impl<const N: usize> std::fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Bytes of any number, likewise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HexBytes(pub(super) Vec<u8>);

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let bytes = hex::decode(text.as_bytes()).map_err(|_| Error::custom("not hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// An instant in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant(pub(super) DateTime<Utc>);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let parsed = DateTime::parse_from_rfc3339(&text).map_err(|_| Error::custom("no instant"))?;
        Ok(Self(parsed.with_timezone(&Utc)))
    }
}

/// A value as it stands on a line, without the line's end.
pub(super) fn written<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers have a JSON form")
}

/// Reads a line that [`written`] has written, and no other.
pub(super) fn read<T: Serialize + DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let value: T = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if written(&value) == line {
        Ok(value)
    } else {
        Err("this is not in the one form that a line has".to_owned())
    }
}

/// An event.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventLine<'a> {
    pub(super) position: i64,
    aggregate_type: Cow<'a, str>,
    aggregate_id: Cow<'a, str>,
    sequence: i64,
    event_type: Cow<'a, str>,
    event_version: Cow<'a, str>,
    payload: Cow<'a, str>,
    metadata: Cow<'a, str>,
    event_id: EventId,
    command_id: CommandId,
    recorded_at: Instant,
    leaf_hash: Hex<32>,
}

impl<'a> From<&'a StoredEvent> for EventLine<'a> {
    fn from(event: &'a StoredEvent) -> Self {
        Self {
            position: event.position.0,
            aggregate_type: Cow::Borrowed(&event.stream.kind),
            aggregate_id: Cow::Borrowed(&event.stream.id),
            sequence: event.sequence.0,
            event_type: Cow::Borrowed(&event.event_type),
            event_version: Cow::Owned(event.event_version.to_string()),
            payload: Cow::Borrowed(&event.payload),
            metadata: Cow::Borrowed(&event.metadata),
            event_id: event.event_id,
            command_id: event.command_id,
            recorded_at: Instant(event.recorded_at),
            leaf_hash: Hex(event.leaf_hash),
        }
    }
}

impl EventLine<'static> {
    pub(super) fn event(self, tenant: TenantId) -> Result<StoredEvent, String> {
        let version: Option<u16> = self.event_version.parse().ok();
        let version = version.filter(|version| version.to_string() == self.event_version);
        Ok(StoredEvent {
            tenant,
            position: Position(self.position),
            stream: StreamId {
                kind: self.aggregate_type,
                id: self.aggregate_id.into_owned(),
            },
            sequence: Version(self.sequence),
            event_type: self.event_type.into_owned(),
            event_version: version
                .ok_or_else(|| format!("the event version {} is no number", self.event_version))?,
            payload: self.payload.into_owned(),
            metadata: self.metadata.into_owned(),
            event_id: self.event_id,
            command_id: self.command_id,
            recorded_at: self.recorded_at.0,
            leaf_hash: self.leaf_hash.0,
        })
    }
}

/// A block.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockLine {
    block: i64,
    first: i64,
    last: i64,
    merkle_root: Hex<32>,
    block_hash: Hex<32>,
    closed_at: Instant,
}

impl From<&Block> for BlockLine {
    fn from(block: &Block) -> Self {
        Self {
            block: block.block,
            first: block.first.0,
            last: block.last.0,
            merkle_root: Hex(block.merkle_root),
            block_hash: Hex(block.block_hash),
            closed_at: Instant(block.closed_at),
        }
    }
}

impl From<BlockLine> for Block {
    fn from(line: BlockLine) -> Self {
        Self {
            block: line.block,
            first: Position(line.first),
            last: Position(line.last),
            merkle_root: line.merkle_root.0,
            block_hash: line.block_hash.0,
            closed_at: line.closed_at.0,
        }
    }
}

/// The result of a command.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandLine {
    command_id: CommandId,
    digest: Hex<32>,
    first: i64,
    last: i64,
    streams: Vec<StreamLine>,
    recorded_at: Instant,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamLine {
    kind: String,
    id: String,
    version: i64,
}

impl From<&KeptCommand> for CommandLine {
    fn from(command: &KeptCommand) -> Self {
        let stream = |(stream, version): &(StreamId, Version)| StreamLine {
            kind: stream.kind.to_string(),
            id: stream.id.clone(),
            version: version.0,
        };
        Self {
            command_id: command.command,
            digest: Hex(command.digest),
            first: command.first.0,
            last: command.last.0,
            streams: command.streams.iter().map(stream).collect(),
            recorded_at: Instant(command.recorded_at),
        }
    }
}

impl From<CommandLine> for KeptCommand {
    fn from(line: CommandLine) -> Self {
        let stream = |stream: StreamLine| {
            let id = StreamId {
                kind: Cow::Owned(stream.kind),
                id: stream.id,
            };
            (id, Version(stream.version))
        };
        Self {
            command: line.command_id,
            digest: line.digest.0,
            first: Position(line.first),
            last: Position(line.last),
            streams: line.streams.into_iter().map(stream).collect(),
            recorded_at: line.recorded_at.0,
        }
    }
}

/// A wrapped key.
#[derive(Serialize, Deserialize)]
#[serde(tag = "key", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum KeyLine {
    /// The company's own.
    Tenant {
        master_key_id: Hex<8>,
        index_key: HexBytes,
        digest_key: HexBytes,
        created_at: Instant,
    },
    /// A person's.
    Subject {
        subject: SubjectId,
        wrapped_key: HexBytes,
        master_key_id: Option<Hex<8>>,
        created_at: Instant,
    },
    /// The mark in the place of a person's that was destroyed.
    Destroyed {
        subject: SubjectId,
        created_at: Instant,
        erased_at: Instant,
    },
}

/// What a line of the keys' file tells of.
pub(super) enum WrappedKey {
    Tenant(WrappedTenantKeys),
    Subject(WrappedSubjectKey),
}

impl From<&WrappedTenantKeys> for KeyLine {
    fn from(keys: &WrappedTenantKeys) -> Self {
        Self::Tenant {
            master_key_id: Hex(keys.master_key_id.0),
            index_key: HexBytes(keys.index_key.clone()),
            digest_key: HexBytes(keys.digest_key.clone()),
            created_at: Instant(keys.created_at),
        }
    }
}

impl From<&WrappedSubjectKey> for KeyLine {
    fn from(key: &WrappedSubjectKey) -> Self {
        match &key.state {
            WrappedState::Living {
                wrapped,
                master_key_id,
            } => Self::Subject {
                subject: key.subject,
                wrapped_key: HexBytes(wrapped.clone()),
                master_key_id: master_key_id.map(|id| Hex(id.0)),
                created_at: Instant(key.created_at),
            },
            WrappedState::Destroyed { at } => Self::Destroyed {
                subject: key.subject,
                created_at: Instant(key.created_at),
                erased_at: Instant(*at),
            },
        }
    }
}

impl From<KeyLine> for WrappedKey {
    fn from(line: KeyLine) -> Self {
        match line {
            KeyLine::Tenant {
                master_key_id,
                index_key,
                digest_key,
                created_at,
            } => Self::Tenant(WrappedTenantKeys {
                master_key_id: KeyId(master_key_id.0),
                index_key: index_key.0,
                digest_key: digest_key.0,
                created_at: created_at.0,
            }),
            KeyLine::Subject {
                subject,
                wrapped_key,
                master_key_id,
                created_at,
            } => Self::Subject(WrappedSubjectKey {
                subject,
                state: WrappedState::Living {
                    wrapped: wrapped_key.0,
                    master_key_id: master_key_id.map(|id| KeyId(id.0)),
                },
                created_at: created_at.0,
            }),
            KeyLine::Destroyed {
                subject,
                created_at,
                erased_at,
            } => Self::Subject(WrappedSubjectKey {
                subject,
                state: WrappedState::Destroyed { at: erased_at.0 },
                created_at: created_at.0,
            }),
        }
    }
}
