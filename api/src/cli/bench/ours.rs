//! Our log, with all that it promises: order, idempotency, chain and row-level security.

use std::collections::BTreeMap;
use std::pin::pin;

use anyhow::anyhow;
use commands::Commands;
use domain::decider::{Decider, Event};
use domain::envelope::{Actor, ActorKind, Channel, Expectation, Meta, NewEvent, Position, StreamId};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, EventLog, Outcome, StreamWrite};
use futures::StreamExt;
use replays::verify;
use uuid::Uuid;

use super::tab::{Charge, Tab, TabEvent};
use super::work::{Done, Miss, Work};
use super::world::{NewIds, Streams};

/// One tenant's log. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ours {
    pub(super) log: EventLog,
    pub(super) commands: Commands,
    pub(super) tenant: TenantId,
    pub(super) ids: NewIds,
}

impl Ours {
    /// Decides on a new tab, and appends what was decided.
    pub(super) async fn charge(&self, id: Uuid, times: u32) -> Result<u64, Miss> {
        let decided = Tab::default().decide(Charge { times })?;
        let command = self.ids.next();
        let new_event = |event: TabEvent| NewEvent {
            event_id: EventId(self.ids.next()),
            event_type: event.name(),
            event_version: event.version(),
            payload: event.payload(),
            claims: event.claims(),
        };
        let append = Append {
            tenant: self.tenant,
            command_id: CommandId(command),
            digest: [7; 32],
            streams: vec![StreamWrite {
                stream: StreamId::new(Tab::STREAM, id.to_string()),
                expected: Expectation::NoStream,
                events: decided.into_iter().map(new_event).collect(),
            }],
            reads: Vec::new(),
            erases: Vec::new(),
            meta: meta(self.tenant, command),
        };
        match self.log.append(append).await? {
            Outcome::Appended(_) => Ok(u64::from(times)),
            Outcome::Conflict { .. } => Err(Miss::Conflict),
            outcome
            @ (Outcome::Replayed(_) | Outcome::ClaimRefused { .. } | Outcome::IdempotencyMismatch) => {
                Err(Miss::Failed(anyhow!("an append came to {outcome:?}")))
            }
        }
    }

    /// Reads a tab and folds it.
    async fn load(&self, id: Uuid) -> Result<Tab, Miss> {
        let stream = StreamId::new(Tab::STREAM, id.to_string());
        let mut tab = Tab::default();
        for event in self.log.read_stream(self.tenant, &stream).await? {
            tab.evolve(&TabEvent::decode(
                &event.event_type,
                event.event_version,
                &event.payload,
            )?);
        }
        Ok(tab)
    }
}

/// The circumstances that are kept beside every event, the rival's too.
pub(super) fn meta(tenant: TenantId, command: Uuid) -> BTreeMap<String, String> {
    let meta = Meta {
        tenant,
        command_id: CommandId(command),
        actor: Actor {
            kind: ActorKind::System,
            id: "bench".to_owned(),
            role: None,
        },
        channel: Channel::Cli,
        correlation_id: command.to_string(),
        causation_id: None,
        request_id: None,
        api_key_id: None,
    };
    meta.to_strings()
}

/// A new tab, with its first charges.
#[derive(Clone)]
pub(super) struct New(pub(super) Ours, pub(super) u32);

impl Work for New {
    async fn once(&self) -> Result<Done, Miss> {
        let events = self.0.charge(self.0.ids.next(), self.1).await?;
        Ok(Done { events, loaded: 0 })
    }
}

/// A tab, loaded.
#[derive(Clone)]
pub(super) struct Load(pub(super) Ours, pub(super) Streams);

impl Work for Load {
    async fn once(&self) -> Result<Done, Miss> {
        let tab = self.0.load(self.1.next()).await?;
        Ok(Done {
            events: tab.charges,
            loaded: tab.charges,
        })
    }
}

/// The whole log, in order.
#[derive(Clone)]
pub(super) struct ReadAll(pub(super) Ours);

impl Work for ReadAll {
    async fn once(&self) -> Result<Done, Miss> {
        let Ours { log, tenant, .. } = &self.0;
        let mut events = pin!(log.stream_all(*tenant, Position::START, None, None));
        let mut loaded = 0;
        while let Some(event) = events.next().await {
            std::hint::black_box(event?);
            loaded += 1;
        }
        Ok(Done {
            events: loaded,
            loaded,
        })
    }
}

/// The whole log, every hash computed anew.
#[derive(Clone)]
pub(super) struct Verify(pub(super) Ours);

impl Work for Verify {
    async fn once(&self) -> Result<Done, Miss> {
        let verified = verify(&self.0.log, self.0.tenant, &()).await?;
        let events = verified.events.unsigned_abs();
        Ok(Done {
            events,
            loaded: events,
        })
    }
}
