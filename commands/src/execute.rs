//! From a decision to the log: idempotency, expectations, retries. One place for all commands.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::time::Duration;

use domain::access::Role;
use domain::canonical;
use domain::decider::{Decider, Event};
use domain::envelope::{ActorKind, Claim, Expectation, Meta, NewEvent, Position, StreamId, Version};
use domain::ids::{CommandId, EventId, SubjectId, TenantId};
use domain::promo_code::CustomerHold;
use event_log::{Append, CommandResult, Outcome, Receipt, StreamWrite};
use serde::Serialize;
use tokio::time::Instant;
use tracing::Instrument;

use crate::remembered::{self, Remembered, Source};
use crate::running::{Asked, Turn, Waited};
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// How often a command is decided anew when others changed what it decided on.
const ATTEMPTS: usize = 3;

/// How long a request waits for another under the same key to end, and how much later it should ask again.
const PATIENCE: Duration = Duration::from_secs(1);

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

    /// Id and new version of the stream of a kind that the command wrote to; none where it wrote to none.
    pub(crate) fn stream_of(&self, kind: &str) -> Option<(&str, Version)> {
        let stream = self.streams.iter().find(|(stream, _)| stream.kind == kind);
        stream.map(|(stream, version)| (stream.id.as_str(), *version))
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

/// Code of a word that changes nothing: for commands that hear of the same thing more than once. No client sees it.
pub(crate) const NOTHING_NEW: &str = "NOTHING_NEW";

/// What a command is about to write, all of it or nothing.
#[derive(Default)]
pub(crate) struct Plan {
    streams: Vec<StreamWrite>,
    reads: Vec<(StreamId, Version)>,
    /// Persons whose data keys are destroyed with it: those that an event says were.
    erases: Vec<SubjectId>,
    on_claim: BTreeMap<&'static str, Refused>,
    /// What a refused claim of capacity means where the kind does not say it all.
    on_resource: BTreeMap<String, Refused>,
    /// What is remembered of the streams once they are written.
    afterwards: Vec<Afterwards>,
}

type Afterwards = Box<dyn FnOnce(&Remembered, TenantId) + Send>;

/// Kinds of claims, as a plan names them.
pub(crate) const CAPACITY: &str = "capacity";
pub(crate) const UNIQUE: &str = "unique";
pub(crate) const INTERVAL: &str = "interval";

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
        self.erases.extend(events.iter().flat_map(Event::erases));
        let stream = StreamId::new(D::STREAM, id);
        let (written, written_to) = (events.clone(), stream.clone());
        self.afterwards.push(Box::new(move |remembered, tenant| {
            remembered.advance::<D>(tenant, written_to, version, &written);
        }));
        self.streams.push(StreamWrite {
            stream,
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

    /// What it means to the caller when what a booking holds beside its place is refused.
    pub(crate) fn holds(mut self, hold: Option<&CustomerHold>) -> Self {
        for (resource, refusal) in hold.into_iter().flat_map(CustomerHold::refusals) {
            self.on_resource.insert(resource, refusal.into());
        }
        self
    }

    /// Guards what was remembered for the decision; what is written is guarded by the version it was decided on.
    fn guard(&mut self, remembered: &[(StreamId, Version)]) {
        for (stream, version) in remembered {
            let written = self.streams.iter().any(|write| write.stream == *stream);
            let guarded = self.reads.iter().any(|(guarded, _)| guarded == stream);
            if !written && !guarded {
                self.reads.push((stream.clone(), *version));
            }
        }
    }

    /// The streams, and the persons whose keys go with them, for a writer that keeps its own expectations.
    pub(crate) fn into_parts(self) -> (Vec<StreamWrite>, Vec<SubjectId>) {
        (self.streams, self.erases)
    }

    fn refusal(&self, claim: &Claim) -> Option<CommandError> {
        if let Claim::TakeCapacity { resource, .. } = claim
            && let Some(refused) = self.on_resource.get(resource)
        {
            return Some(CommandError::Refused(refused.clone()));
        }
        let kind = match claim {
            Claim::TakeCapacity { .. } | Claim::ReleaseCapacity { .. } => CAPACITY,
            Claim::TakeUnique { .. } | Claim::ReleaseUnique { .. } => UNIQUE,
            Claim::TakeInterval { .. } | Claim::ReleaseInterval { .. } => INTERVAL,
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
    /// Runs one command: decides and appends, deciding anew when others were faster or what was remembered is behind; a
    /// repeat hears of the first, from the append or when it is refused.
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
        let span = tracing::info_span!(
            "command",
            operation,
            tenant = %caller.tenant,
            actor = caller.actor.kind.as_str(),
            role = caller.actor.role.map(Role::as_str),
            request = caller.request_id,
            position = tracing::field::Empty,
        );
        self.decide_and_append(caller, key, operation, body, decide)
            .instrument(span)
            .await
    }

    async fn decide_and_append<B, F, Fut>(
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
        let digest = self.digest(caller, operation, body).await?;
        let _turn = self.turn(caller, key, digest).await?;
        for attempt in 0..ATTEMPTS {
            let source = if attempt == 0 { Source::Memory } else { Source::Log };
            let (decided, remembered) = remembered::deciding(source, decide()).await;
            let mut plan = match decided {
                Ok(plan) => plan,
                // What is remembered may be behind the log.
                Err(_) if !remembered.is_empty() => {
                    self.remembered.forget(caller.tenant, remembered);
                    continue;
                }
                Err(error @ CommandError::Forbidden(_)) => return Err(error),
                Err(refused) => {
                    // Decided on what the first command under the key left, where it was given before.
                    let first = self.first_result(caller, key, digest).await?;
                    return first.ok_or(refused);
                }
            };
            plan.guard(&remembered);
            let afterwards = std::mem::take(&mut plan.afterwards);
            let outcome = self
                .log
                .append(Append {
                    tenant: caller.tenant,
                    command_id: key.0,
                    digest,
                    streams: plan.streams.clone(),
                    reads: plan.reads.clone(),
                    erases: plan.erases.clone(),
                    meta: self.meta(caller, key.0).to_strings(),
                })
                .await?;
            match outcome {
                Outcome::Appended(Receipt { last, streams, .. }) => {
                    for remember in afterwards {
                        remember(&self.remembered, caller.tenant);
                    }
                    tracing::Span::current().record("position", last.0);
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
            self.remembered.forget(caller.tenant, remembered);
        }
        Err(CommandError::Conflict)
    }

    /// What tells a command from another under the same key: what was asked, and by whom, if it was a person. A result
    /// is for whoever asked.
    async fn digest<B: Serialize + Sync>(
        &self,
        caller: &Caller,
        operation: &'static str,
        body: &B,
    ) -> Result<[u8; 32], CommandError> {
        let asked = match caller.actor.kind {
            ActorKind::User | ActorKind::Customer => canonical::json(&(operation, body, &caller.actor.id)),
            ActorKind::Policy | ActorKind::System => canonical::json(&(operation, body)),
        };
        Ok(self.vault.digest(caller.tenant, &asked).await?)
    }

    /// The right to be at a command, once nobody else of this program is.
    async fn turn(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        digest: [u8; 32],
    ) -> Result<Turn, CommandError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let other = match self.running.ask(caller.tenant, key.0, digest) {
                Asked::Turn(turn) => return Ok(turn),
                Asked::Other(other) => other,
            };
            if other.digest != digest {
                return Err(CommandError::IdempotencyMismatch);
            }
            if other.ended(deadline).await == Waited::StillRuns {
                return Err(CommandError::InProgress {
                    retry_after: PATIENCE,
                });
            }
        }
    }

    /// What a command with the key came to before, if it wrote anything: for one that asks the world before it decides.
    pub(crate) async fn written_before<B: Serialize + Sync>(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        operation: &'static str,
        body: &B,
    ) -> Result<Option<Written>, CommandError> {
        let digest = self.digest(caller, operation, body).await?;
        self.first_result(caller, key, digest).await
    }

    /// What commands wrote under keys, in the order of the keys; none where one wrote nothing. One question for all.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn done_before(
        &self,
        caller: &Caller,
        keys: &[IdempotencyKey],
    ) -> Result<Vec<Option<Written>>, CommandError> {
        let ids: Vec<CommandId> = keys.iter().map(IdempotencyKey::command_id).collect();
        let found = self.log.commands(caller.tenant, &ids).await?;
        let mut found: HashMap<CommandId, CommandResult> = found.into_iter().collect();
        let written = |id: &CommandId| {
            let result = found.remove(id)?;
            Some(Written::new(result.last, result.streams, Replayed::Yes))
        };
        Ok(ids.iter().map(written).collect())
    }

    /// What the first command with the key came to, if it wrote anything.
    async fn first_result(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        digest: [u8; 32],
    ) -> Result<Option<Written>, CommandError> {
        let Some(CommandResult {
            digest: stored,
            last,
            streams,
            ..
        }) = self.log.command(caller.tenant, key.0).await?
        else {
            return Ok(None);
        };
        if stored == digest {
            Ok(Some(Written::new(last, streams, Replayed::Yes)))
        } else {
            Err(CommandError::IdempotencyMismatch)
        }
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
            api_key_id: caller.through.as_ref().map(|key| key.key_id),
        }
    }
}
