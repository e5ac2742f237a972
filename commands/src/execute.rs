//! From a decision to the log: idempotency, expectations, retries. One place for all commands.

use std::collections::BTreeMap;
use std::future::Future;

use domain::canonical;
use domain::decider::{Decider, Event};
use domain::envelope::{Claim, Expectation, Meta, NewEvent, Position, StreamId, Version};
use domain::ids::{CommandId, EventId};
use event_log::{Append, CommandResult, Outcome, Receipt, StreamWrite};
use serde::Serialize;
use tracing::Instrument;

use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// How often a command is decided anew when others changed what it decided on.
const ATTEMPTS: usize = 3;

/// What a command wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Place of its last event in the tenant's log.
    pub position: Position,
    /// Whether this is the result of an earlier command with the same key.
    pub replayed: bool,
    streams: Vec<(StreamId, Version)>,
}

impl Written {
    /// Id of the stream of a kind that the command wrote to.
    ///
    /// # Panics
    /// When the command writes no such stream: a mistake in the code, not in the input.
    pub fn id_of(&self, kind: &str) -> &str {
        let stream = self.streams.iter().find(|(stream, _)| stream.kind == kind);
        &stream.expect("the command writes this kind of stream").0.id
    }

    fn new(position: Position, streams: Vec<(StreamId, Version)>, replayed: Replayed) -> Self {
        Self {
            position,
            replayed: replayed == Replayed::Yes,
            streams,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Replayed {
    Yes,
    No,
}

/// An aggregate as loaded: its state and the version that was read.
pub(crate) struct Loaded<D> {
    pub(crate) state: D,
    pub(crate) version: Version,
}

impl<D> Loaded<D> {
    /// Refuses when the client saw another version.
    pub(crate) fn expect(&self, seen: Option<i64>) -> Result<(), CommandError> {
        match seen {
            Some(seen) if seen != self.version.0 => {
                Err(CommandError::VersionConflict { actual: self.version })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What a command is about to write, all of it or nothing.
#[derive(Default)]
pub(crate) struct Plan {
    streams: Vec<StreamWrite>,
    reads: Vec<(StreamId, Version)>,
    on_claim: BTreeMap<&'static str, Refused>,
}

/// Kinds of claims, as a plan names them.
pub(crate) const CAPACITY: &str = "capacity";
pub(crate) const UNIQUE: &str = "unique";

impl Plan {
    /// Writes what an aggregate decided, at the version it was decided on.
    pub(crate) fn write<D: Decider>(
        mut self,
        commands: &Commands,
        id: impl Into<String>,
        version: Version,
        events: Vec<D::Event>,
    ) -> Self {
        let new_event = |event: D::Event| NewEvent {
            event_id: EventId(commands.ports.id()),
            event_type: event.name(),
            event_version: event.version(),
            payload: event.payload(),
            claims: event.claims(),
        };
        self.streams.push(StreamWrite {
            stream: StreamId::new(D::STREAM, id),
            expected: if version == Version(0) {
                Expectation::NoStream
            } else {
                Expectation::Exact(version)
            },
            events: events.into_iter().map(new_event).collect(),
        });
        self
    }

    /// Refuses if a stream that was read has moved by the time of writing.
    pub(crate) fn reads<D: Decider>(mut self, id: impl Into<String>, version: Version) -> Self {
        self.reads.push((StreamId::new(D::STREAM, id), version));
        self
    }

    /// What a refused claim of a kind means to the caller. A kind without a meaning is decided anew.
    pub(crate) fn on_refused_claim(mut self, kind: &'static str, refused: impl Into<Refused>) -> Self {
        self.on_claim.insert(kind, refused.into());
        self
    }

    /// The streams alone, for a writer that keeps its own expectations.
    pub(crate) fn into_streams(self) -> Vec<StreamWrite> {
        self.streams
    }

    fn refusal(&self, claim: &Claim) -> Option<CommandError> {
        let kind = match claim {
            Claim::TakeCapacity { .. } | Claim::ReleaseCapacity { .. } => CAPACITY,
            Claim::TakeUnique { .. } | Claim::ReleaseUnique { .. } => UNIQUE,
        };
        self.on_claim.get(kind).cloned().map(CommandError::Refused)
    }
}

/// Runs work to its end even if whoever asked for it goes away.
pub(crate) async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

impl Commands {
    /// Loads an aggregate from its stream.
    pub(crate) async fn load<D: Decider>(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Loaded<D>, CommandError> {
        let stored = self
            .log
            .read_stream(caller.tenant, &StreamId::new(D::STREAM, id))
            .await?;
        let mut state = D::default();
        let mut version = Version(0);
        for event in stored {
            state.evolve(&D::Event::decode(
                &event.event_type,
                event.event_version,
                &event.payload,
            )?);
            version = event.sequence;
        }
        Ok(Loaded { state, version })
    }

    /// Runs one command: answers a repeat, else decides and appends, deciding anew when others were faster.
    pub(crate) async fn run<B, F, Fut>(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        operation: &'static str,
        body: &B,
        decide: F,
    ) -> Result<Written, CommandError>
    where
        B: Serialize + Sync,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Plan, CommandError>>,
    {
        let digest = self
            .vault
            .digest(caller.tenant, &canonical::json(&(operation, body)));
        if let Some(CommandResult {
            digest: stored,
            last,
            streams,
            ..
        }) = self.log.command(caller.tenant, key.0).await?
        {
            return if stored == digest {
                Ok(Written::new(last, streams, Replayed::Yes))
            } else {
                Err(CommandError::IdempotencyMismatch)
            };
        }
        for _ in 0..ATTEMPTS {
            let plan = decide().await?;
            let outcome = self
                .log
                .append(Append {
                    tenant: caller.tenant,
                    command_id: key.0,
                    digest,
                    streams: plan.streams.clone(),
                    reads: plan.reads.clone(),
                    meta: self.meta(caller, key.0).to_strings(),
                })
                .await?;
            match outcome {
                Outcome::Appended(Receipt { last, streams, .. }) => {
                    tracing::info!(operation, tenant = %caller.tenant, position = last.0, "command done");
                    return Ok(Written::new(last, streams, Replayed::No));
                }
                Outcome::Replayed(Receipt { last, streams, .. }) => {
                    return Ok(Written::new(last, streams, Replayed::Yes));
                }
                Outcome::IdempotencyMismatch => return Err(CommandError::IdempotencyMismatch),
                Outcome::ClaimRefused { claim } => {
                    if let Some(refused) = plan.refusal(&claim) {
                        return Err(refused);
                    }
                }
                Outcome::Conflict { .. } => {}
            }
        }
        Err(CommandError::Conflict)
    }

    pub(crate) fn meta(&self, caller: &Caller, command_id: CommandId) -> Meta {
        Meta {
            tenant: caller.tenant,
            command_id,
            actor: caller.actor.clone(),
            channel: caller.channel,
            correlation_id: caller
                .correlation
                .clone()
                .unwrap_or_else(|| command_id.to_string()),
            causation_id: caller.causation,
            request_id: caller.request_id.clone(),
        }
    }
}
