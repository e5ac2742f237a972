//! Stories for the tests of policies: events as they are stored, told to a policy one after another.

use chrono::{DateTime, Utc};
use domain::envelope::{Position, RecordedMeta, StreamId, Version};
use domain::ids::{EventId, TenantId};
use domain::recorded::{DomainEvent, Recorded};
use serde_json::Value;
use uuid::Uuid;

use super::{Policy, Reaction, Reply, WorkStep};

/// One stored example of each version of every event.
const GOLDEN: &str = include_str!("../../../tests/golden/events.ndjson");

pub(super) const BOOKING: Uuid = Uuid::from_u128(8);
pub(super) const PAYMENT: Uuid = Uuid::from_u128(9);

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The newest stored example of an event, with other fields.
pub(super) fn stored(kind: &str, with: Value) -> DomainEvent {
    let lines = GOLDEN
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let newest = lines
        .filter(|line| line["type"] == kind)
        .max_by_key(|line| line["version"].as_u64());
    let mut line = newest.unwrap_or_else(|| panic!("an example of {kind}"));
    let version = u16::try_from(line["version"].as_u64().unwrap()).unwrap();
    let Value::Object(with) = with else {
        panic!("fields of {kind}");
    };
    for (field, value) in with {
        line["payload"][field] = value;
    }
    DomainEvent::decode(kind, version, &line["payload"].to_string()).unwrap()
}

/// A policy and what it remembers of one process.
pub(super) struct Story<P: Policy> {
    state: Option<P::State>,
    events: u32,
    wake_at: Option<DateTime<Utc>>,
}

impl<P: Policy> Story<P>
where
    P::State: Clone,
{
    pub(super) fn new() -> Self {
        Self {
            state: None,
            events: 0,
            wake_at: None,
        }
    }

    /// Tells an event of the stream that it belongs to, with other fields; what the policy answers.
    pub(super) fn tell(&mut self, kind: &str, with: Value) -> Option<Reply> {
        self.events += 1;
        let stream = if kind.starts_with("payment.") {
            PAYMENT
        } else {
            BOOKING
        };
        let event = Recorded {
            tenant: TenantId(Uuid::nil()),
            position: Position(i64::from(self.events)),
            stream: StreamId {
                kind: kind.split_once('.').unwrap().0.to_owned().into(),
                id: stream.to_string(),
            },
            sequence: Version(1),
            event_id: EventId(Uuid::from_u128(u128::from(self.events))),
            recorded_at: at("2026-03-01T00:00:00Z"),
            meta: RecordedMeta {
                actor_kind: "user".to_owned(),
                actor_id: "u1".to_owned(),
                actor_role: None,
                channel: "graphql".to_owned(),
                correlation_id: "c1".to_owned(),
                causation_id: None,
                request_id: None,
            },
            event: stored(kind, with),
        };
        P::process(&event)?;
        let Reaction {
            state,
            wake_at,
            reply,
        } = P::react(self.state.take(), &event);
        (self.state, self.wake_at) = (state, wake_at);
        reply
    }

    /// Which items are opened and closed by an answer: kind, amount in cents, or why it is closed.
    pub(super) fn work(&mut self, kind: &str, with: Value) -> Vec<String> {
        let Some(Reply::Work(steps)) = self.tell(kind, with) else {
            return Vec::new();
        };
        let said = |step| match step {
            WorkStep::Open { opened, .. } => {
                let amount = opened
                    .amount_cents
                    .map_or_else(|| "nothing".to_owned(), |cents| cents.to_string());
                format!("open {} {amount}", opened.kind.as_str())
            }
            WorkStep::Close { because, .. } => format!("close: {because}"),
        };
        steps.into_iter().map(said).collect()
    }

    /// When the policy wants to look again; none where nothing is remembered, or no time is waited for.
    pub(super) fn wake_at(&self) -> Option<DateTime<Utc>> {
        self.state.as_ref().and(self.wake_at)
    }

    /// Lets the time come that it waits for; what it answers.
    pub(super) fn wake(&mut self) -> Option<Reply> {
        let (state, now) = (self.state.take()?, self.wake_at?);
        let again = P::again(&state, now);
        let reply = P::due("", state);
        (self.state, self.wake_at) = match again {
            Some((state, next)) => (Some(state), Some(next)),
            None => (None, None),
        };
        reply
    }

    /// Whether it remembers nothing.
    pub(super) fn is_over(&self) -> bool {
        self.state.is_none()
    }
}
