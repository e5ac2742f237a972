//! The envelope: what the log knows of an event without knowing what it means.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{ApiKeyId, CommandId, EventId, SubjectId, TenantId};

/// Place in one tenant's log, counted from 1 without gaps; 0 is before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The place right after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of events in one stream: the version that optimistic concurrency compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    /// The version after one more event.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// One aggregate's stream: its kind and its id within the tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The aggregate's kind, `booking`.
    pub kind: Cow<'static, str>,
    /// The aggregate's id; unique within tenant and kind.
    pub id: String,
}

impl StreamId {
    /// A stream of a kind that the code knows.
    pub fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self {
            kind: Cow::Borrowed(kind),
            id: id.into(),
        }
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

/// What an append expects of a stream; anything else is a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The stream has no event yet.
    NoStream,
    /// The stream has exactly this many events.
    Exact(Version),
    /// The stream has at least one event.
    Exists,
    /// Whatever the stream holds.
    Any,
}

/// What an event takes from, or gives back to, the tenant's shared resources, in one transaction with it.
///
/// A stream holds what it has taken until one of its later events releases it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Claim {
    /// Takes a key that only one stream may hold: a customer's contact, a provider's event id.
    TakeUnique {
        /// What the key is of, `customer.email`.
        scope: Cow<'static, str>,
        /// The key itself; a keyed hash where it is personal.
        key: String,
    },
    /// Takes units of a resource over `[from, until)`; refused when the sum at any instant would pass the limit.
    TakeCapacity {
        /// What is limited, `station:<id>`.
        resource: String,
        /// First instant taken, inclusive.
        from: DateTime<Utc>,
        /// First instant free again, exclusive.
        until: DateTime<Utc>,
        /// How many units are taken.
        units: i32,
        /// How many units there are.
        limit: i32,
    },
    /// Takes a resource alone over `[from, until)`; refused when it is taken at any instant in between, by another
    /// stream or by an earlier taking of this one that started elsewhere: what is moved is given back first.
    TakeInterval {
        /// What is taken, `chef:<id>`.
        resource: String,
        /// First instant taken, inclusive.
        from: DateTime<Utc>,
        /// First instant free again, exclusive.
        until: DateTime<Utc>,
    },
    /// Gives back a unique key that the stream holds.
    ReleaseUnique {
        /// What the key is of.
        scope: Cow<'static, str>,
        /// The key itself.
        key: String,
    },
    /// Gives back all capacity of the resource that the stream holds.
    ReleaseCapacity {
        /// What is limited.
        resource: String,
    },
    /// Gives back every interval of the resource that the stream holds.
    ReleaseInterval {
        /// What was taken.
        resource: String,
    },
}

/// An event on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its identity, made outside.
    pub event_id: EventId,
    /// Wire name.
    pub event_type: &'static str,
    /// Version of the payload's shape.
    pub event_version: u16,
    /// Canonical JSON.
    pub payload: String,
    /// What it takes and releases.
    pub claims: Vec<Claim>,
}

/// An event as the log holds it, its payload still text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Whose log.
    pub tenant: TenantId,
    /// Place in that log.
    pub position: Position,
    /// Stream it belongs to.
    pub stream: StreamId,
    /// Place in the stream, from 1.
    pub sequence: Version,
    /// Wire name.
    pub event_type: String,
    /// Version of the payload's shape.
    pub event_version: u16,
    /// Stored JSON text, exactly as hashed.
    pub payload: String,
    /// Stored JSON text of the metadata, exactly as hashed.
    pub metadata: String,
    /// Its identity.
    pub event_id: EventId,
    /// The command that wrote it.
    pub command_id: CommandId,
    /// When the database recorded it; never goes back within a tenant.
    pub recorded_at: DateTime<Utc>,
    /// SHA-256 over all of the above.
    pub leaf_hash: [u8; 32],
}

/// Who or what gave a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What sort of actor.
    pub kind: ActorKind,
    /// Id of the user or customer, or name of the policy or program.
    pub id: String,
    /// The role it acted under, for users.
    pub role: Option<crate::access::Role>,
}

/// What sort of actor gave a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person of the company, signed in.
    User,
    /// A customer on the public pages.
    Customer,
    /// A policy reacting to an event.
    Policy,
    /// The program itself: set-up, demo, operator's command line.
    System,
}

impl ActorKind {
    /// The word in the metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Customer => "customer",
            Self::Policy => "policy",
            Self::System => "system",
        }
    }
}

/// The way a command came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The admin API.
    Graphql,
    /// The public pages' API.
    Rest,
    /// A provider's call.
    Webhook,
    /// A reaction to an event.
    Policy,
    /// The command line.
    Cli,
}

impl Channel {
    /// The word in the metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graphql => "graphql",
            Self::Rest => "rest",
            Self::Webhook => "webhook",
            Self::Policy => "policy",
            Self::Cli => "cli",
        }
    }
}

/// The circumstances of a command, kept beside every event it writes. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Whose log it writes to.
    pub tenant: TenantId,
    /// Idempotency key.
    pub command_id: CommandId,
    /// Who gave it.
    pub actor: Actor,
    /// Where it came in.
    pub channel: Channel,
    /// The business process it belongs to; the first command's id where nothing came before.
    pub correlation_id: String,
    /// The event that caused it, for reactions.
    pub causation_id: Option<EventId>,
    /// The request it came with, to find it in the logs.
    pub request_id: Option<String>,
    /// The key that a program gave it through, for the actor.
    pub api_key_id: Option<ApiKeyId>,
}

impl Meta {
    /// The metadata as stored: text to text, as cqrs-es has it.
    pub fn to_strings(&self) -> BTreeMap<String, String> {
        let mut strings = BTreeMap::from([
            ("actor_kind".to_owned(), self.actor.kind.as_str().to_owned()),
            ("actor_id".to_owned(), self.actor.id.clone()),
            ("channel".to_owned(), self.channel.as_str().to_owned()),
            ("command_id".to_owned(), self.command_id.to_string()),
            ("correlation_id".to_owned(), self.correlation_id.clone()),
        ]);
        if let Some(role) = self.actor.role {
            strings.insert("actor_role".to_owned(), role.as_str().to_owned());
        }
        if let Some(causation) = self.causation_id {
            strings.insert("causation_id".to_owned(), causation.to_string());
        }
        if let Some(request) = &self.request_id {
            strings.insert("request_id".to_owned(), request.clone());
        }
        if let Some(key) = self.api_key_id {
            strings.insert("api_key_id".to_owned(), key.to_string());
        }
        strings
    }
}

/// The metadata of a recorded event, read back. Unknown keys are left where they are: in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedMeta {
    /// What sort of actor.
    pub actor_kind: String,
    /// The actor's id or name.
    pub actor_id: String,
    /// The role it acted under.
    pub actor_role: Option<String>,
    /// Where the command came in.
    pub channel: String,
    /// The business process.
    pub correlation_id: String,
    /// The event that caused the command.
    pub causation_id: Option<String>,
    /// The request it came with.
    pub request_id: Option<String>,
}

/// A value that only the holder of its subject's key can read. Its text never enters the log in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose data it is.
    pub subject: SubjectId,
    /// Key id, nonce and ciphertext, base64 without padding.
    pub sealed: String,
}
