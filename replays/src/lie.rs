//! What can be wrong with a log, and how it is said.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::decider::DecodeError;
use domain::envelope::{Position, Version};
use event_log::proof::HeadError;

/// The first lie, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The first position that it concerns.
    pub position: Position,
    /// What is wrong there.
    pub what: Lie,
}

/// What can be wrong with a log.
///
/// An event's hash covers all its columns at once. Which of them was changed, or where an event came from, is only
/// said where something else proves it: the hash fits the event at another position, or with another event's part in
/// place of its own, or a signed head has the digest of the part that is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lie {
    /// The event's columns are not those that were hashed.
    ChangedContent {
        /// What of it was changed.
        part: Part,
    },
    /// There is no event.
    MissingEvent,
    /// There is an event that was not written there.
    InsertedEvent,
    /// Two events stand in each other's place.
    SwappedEvents {
        /// The later one's position.
        with: Position,
    },
    /// The event was written at another position.
    MovedEvent {
        /// That position.
        from: Position,
    },
    /// Nothing is left from here on, though there was.
    CutTail {
        /// The last position that there once was, as far as is known.
        until: Position,
    },
    /// The event does not follow an earlier one in its stream.
    OutOfSequence {
        /// The place in the stream that the next event has to have.
        expected: Version,
        /// The place that this one says it has.
        found: Version,
    },
    /// The event is dated before the one before it.
    TimeGoesBack,
    /// The event has the id of an earlier one.
    RepeatedId,
    /// A command's result says that it wrote here, and it did not.
    MisattributedCommand,
    /// The events are not those that the block was closed over, though each fits its own hash.
    ChangedBlock {
        /// The block's number.
        block: i64,
        /// What was changed.
        part: Part,
    },
    /// There is no such block.
    MissingBlock {
        /// The block's number.
        block: i64,
    },
    /// The block does not continue the chain of those before it.
    BrokenChain {
        /// The block's number.
        block: i64,
    },
    /// The head is not where events and blocks lead.
    WrongHead,
    /// All hashes fit each other, but not the head that was signed: they were computed anew.
    RewrittenChain {
        /// The signed head's position.
        until: Position,
        /// When it was signed.
        signed_at: DateTime<Utc>,
    },
    /// The event says what this program does not understand: its type, its version or its shape.
    UnreadableEvent {
        /// What is unknown or does not fit.
        why: DecodeError,
    },
    /// A claim that the log's events hold is not in its table.
    MissingClaim {
        /// The claim.
        claim: String,
    },
    /// A claim is in its table that none of the log's events holds.
    UnfoundedClaim {
        /// The claim.
        claim: String,
    },
    /// A signed head is none.
    ForgedSignature {
        /// Why.
        why: HeadError,
    },
}

/// A part of an event, where it is known which was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The payload.
    Payload,
    /// The metadata.
    Metadata,
    /// Another column than payload and metadata.
    OtherColumn,
    /// Nothing tells.
    Unknown,
}

impl Lie {
    /// Its name, for programs; never renamed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ChangedContent { part } | Self::ChangedBlock { part, .. } => match part {
                Part::Payload => "changed_payload",
                Part::Metadata => "changed_metadata",
                Part::OtherColumn => "changed_column",
                Part::Unknown => "changed_event",
            },
            Self::MissingEvent => "deleted_event",
            Self::InsertedEvent => "inserted_event",
            Self::SwappedEvents { .. } => "swapped_events",
            Self::MovedEvent { .. } => "moved_event",
            Self::CutTail { .. } => "cut_tail",
            Self::OutOfSequence { .. } => "out_of_sequence",
            Self::TimeGoesBack => "time_goes_back",
            Self::RepeatedId => "repeated_event_id",
            Self::MisattributedCommand => "misattributed_command",
            Self::MissingBlock { .. } => "missing_block",
            Self::BrokenChain { .. } => "broken_chain",
            Self::WrongHead => "wrong_head",
            Self::RewrittenChain { .. } => "rewritten_chain",
            Self::UnreadableEvent { why } => match why {
                DecodeError::Unknown { .. } => "unknown_event",
                DecodeError::Shape { .. } => "unreadable_event",
            },
            Self::MissingClaim { .. } => "missing_claim",
            Self::UnfoundedClaim { .. } => "unfounded_claim",
            Self::ForgedSignature { .. } => "forged_signature",
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "position {}: {}", self.position, self.what)
    }
}

impl std::fmt::Display for Lie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ChangedContent { part } => {
                write!(f, "the stored event does not match its hash: {part}")
            }
            Self::MissingEvent => write!(f, "the event was deleted"),
            Self::InsertedEvent => write!(f, "the event was inserted: the log was written without it"),
            Self::SwappedEvents { with } => write!(f, "the event was swapped with that of position {with}"),
            Self::MovedEvent { from } => write!(f, "the event was written at position {from}"),
            Self::CutTail { until } => write!(f, "the tail was cut: the log went on to position {until}"),
            Self::OutOfSequence { expected, found } => write!(
                f,
                "the event says it is number {} of its stream, which has to go on with number {}",
                found.0, expected.0
            ),
            Self::TimeGoesBack => write!(f, "the event is dated before the one before it"),
            Self::RepeatedId => write!(f, "the event has the id of an earlier one"),
            Self::MisattributedCommand => write!(f, "the result of a command says that it wrote here"),
            Self::ChangedBlock { block, part } => {
                write!(f, "the events from here do not match block {block}: {part}")
            }
            Self::MissingBlock { block } => write!(f, "block {block} is missing"),
            Self::BrokenChain { block } => write!(f, "block {block} does not continue the chain"),
            Self::WrongHead => write!(f, "the head of the log is not where its events lead"),
            Self::RewrittenChain { until, signed_at } => write!(
                f,
                "the chain was rewritten, here or later: it does not lead to the head of position {until} signed at {}",
                signed_at.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            Self::UnreadableEvent { why } => write!(f, "{why}"),
            Self::MissingClaim { claim } => write!(f, "a claim of the log is not held: {claim}"),
            Self::UnfoundedClaim { claim } => write!(f, "a claim is held that is not of the log: {claim}"),
            Self::ForgedSignature { why } => write!(f, "the signature of the head is forged: {why}"),
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Payload => "its payload was changed",
            Self::Metadata => "its metadata was changed",
            Self::OtherColumn => "another column than payload and metadata was changed",
            Self::Unknown => "its payload, its metadata or another column was changed",
        })
    }
}

impl std::error::Error for Finding {}
