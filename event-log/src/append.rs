//! What a command asks of the log, and what becomes of it.

use std::collections::{BTreeMap, HashSet};

use domain::envelope::{Claim, Expectation, NewEvent, Position, StreamId, Version};
use domain::ids::{CommandId, SubjectId, TenantId};

use crate::error::LogError;

/// Everything one command writes: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Whose log.
    pub tenant: TenantId,
    /// Idempotency key: a second append with it writes nothing and hears of the first.
    pub command_id: CommandId,
    /// Keyed digest of the command's body ([`Vault::digest`](crate::Vault::digest)), to tell a retry from another
    /// command under the same id.
    pub digest: [u8; 32],
    /// The streams it writes, each once.
    pub streams: Vec<StreamWrite>,
    /// Streams it decided on without writing them, with the versions it saw; they must not have moved.
    pub reads: Vec<(StreamId, Version)>,
    /// People whose data keys are destroyed with it: whatever was sealed for them is erased.
    pub erases: Vec<SubjectId>,
    /// The circumstances, stored beside every event. Holds no personal data.
    pub meta: BTreeMap<String, String>,
}

/// What an append writes to one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamWrite {
    /// The stream.
    pub stream: StreamId,
    /// What the decision took the stream to hold.
    pub expected: Expectation,
    /// What is added, in order.
    pub events: Vec<NewEvent>,
}

/// What became of an append. Only [`Appended`](Self::Appended) wrote anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, on disk.
    Appended(Receipt),
    /// The command id was seen before with the same digest; this is the first result. A single call may
    /// hear this of its own append, when the connection was lost after the commit and the appender asked
    /// again.
    Replayed(Receipt),
    /// A stream did not hold what was expected.
    Conflict {
        /// The stream; the first of the append that did not.
        stream: StreamId,
        /// What it holds.
        actual: Version,
    },
    /// An event claims what is not free.
    ClaimRefused {
        /// The first claim that was refused.
        claim: Claim,
    },
    /// The command id was seen before with another digest.
    IdempotencyMismatch,
}

/// Where an append is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its first event. A command without events has an empty range: `first` is right after `last`.
    pub first: Position,
    /// Its last event: a reader that has come so far has seen all of it.
    pub last: Position,
    /// The streams it wrote, with their versions after it.
    pub streams: Vec<(StreamId, Version)>,
}

impl Append {
    /// Refuses what no statement could carry out.
    pub(crate) fn check(&self) -> Result<(), LogError> {
        let mut written = HashSet::new();
        for write in &self.streams {
            if !written.insert(&write.stream) {
                return Err(LogError::Malformed("a stream is written twice"));
            }
        }
        let exact = self.streams.iter().filter_map(|write| match write.expected {
            Expectation::Exact(version) => Some(version),
            Expectation::NoStream | Expectation::Exists | Expectation::Any => None,
        });
        let mut versions = exact.chain(self.reads.iter().map(|(_, version)| *version));
        if versions.any(|version| version < Version(0)) {
            return Err(LogError::Malformed("no stream has a version below 0"));
        }
        let claims = self
            .streams
            .iter()
            .flat_map(|write| &write.events)
            .flat_map(|event| &event.claims);
        for claim in claims {
            let empty = match claim {
                Claim::TakeCapacity {
                    from, until, units, ..
                } => from >= until || *units < 1,
                Claim::TakeInterval { from, until, .. } => from >= until,
                Claim::TakeUnique { .. }
                | Claim::ReleaseUnique { .. }
                | Claim::ReleaseCapacity { .. }
                | Claim::ReleaseInterval { .. } => false,
            };
            if empty {
                return Err(LogError::Malformed("a claim is empty"));
            }
        }
        Ok(())
    }
}
