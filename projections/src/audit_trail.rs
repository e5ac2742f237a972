//! Who did what, when, through what and why? One entry for every event there is.

mod describe;
mod description;
mod prices;
mod promo;
mod query;
pub(crate) mod station;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StreamId};
use domain::ids::{EventId, StationId};
use domain::recorded::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{Fold, Poison, Source, row, shown_only};

pub use query::{AuditFilter, AuditSort, SEARCH_REACH, count, first_of_each, one, page};

row! {
    /// An entry of the trail. Holds no personal data.
    pub struct AuditRow in "audit_trail", key (position: Position) {
        /// Place in the log.
        pub position: Position,
        /// When it was recorded.
        pub recorded_at: DateTime<Utc>,
        /// Wire name of the event.
        pub event_type: String,
        /// What happened, in a sentence.
        pub summary: String,
        /// Kind of the aggregate it happened to.
        pub entity_type: String,
        /// Id of that aggregate.
        pub entity_id: String,
        /// What sort of actor.
        pub actor_kind: String,
        /// The actor's id or name.
        pub actor_id: String,
        /// The role it acted under.
        pub actor_role: Option<String>,
        /// Where the command came in.
        pub channel: String,
        /// Why, in the words of whoever did it.
        pub reason: Option<String>,
        /// Fields that changed.
        pub changes: Vec<FieldChange>,
        /// The business process.
        pub correlation_id: String,
        /// The event that caused it.
        pub causation_id: Option<String>,
        /// The event's identity.
        pub event_id: EventId,
        /// Whether personal fields of the event are left out here.
        pub redacted: bool,
        /// The station that it is about; none where it concerns the whole company, or its event does not say.
        pub station_id: Option<StationId>,
    }
}

/// What the values of a field are, all of them as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Words.
    Text,
    /// An amount with two decimals, `851.18`.
    Money,
    /// A fraction, `0.09125`.
    Rate,
    /// A whole number.
    Count,
    /// An instant, RFC 3339.
    Instant,
    /// A civil date, `2026-03-14`.
    Date,
    /// An identifier.
    Id,
    /// A word for where something stands.
    Status,
    /// `true` or `false`.
    Flag,
}

/// A field that an event changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Name of the field, with dots where it is inside another.
    pub path: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// What it was; none where it was not there, or the event does not say.
    pub before: Option<String>,
    /// What it is; none where it is not there any more.
    pub after: Option<String>,
}

shown_only! {
    Vec<FieldChange>;
}

/// The fold behind the audit trail.
pub struct AuditTrail;

static EVERYTHING: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    domain::recorded::catalogue()
        .into_iter()
        .map(|kind| kind.name)
        .collect()
});

impl Fold for AuditTrail {
    type Key = Position;
    type Row = AuditRow;
    const NAME: &'static str = "audit_trail";
    const VERSION: i32 = 5;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &EVERYTHING
    }

    fn key(event: &Recorded) -> Option<Position> {
        Some(event.position)
    }

    fn apply(_: Option<AuditRow>, event: &Recorded) -> Option<AuditRow> {
        let described = describe::describe(&event.event);
        let meta = event.meta.clone();
        Some(AuditRow {
            position: event.position,
            recorded_at: event.recorded_at,
            event_type: event.event.name().to_owned(),
            summary: described.summary,
            entity_type: event.stream.kind.clone().into_owned(),
            entity_id: event.stream.id.clone(),
            actor_kind: meta.actor_kind,
            actor_id: meta.actor_id,
            actor_role: meta.actor_role,
            channel: meta.channel,
            reason: described.reason,
            changes: described.changes,
            correlation_id: meta.correlation_id,
            causation_id: meta.causation_id,
            event_id: event.event_id,
            redacted: described.redacted,
            station_id: station::of(event),
        })
    }

    fn key_of(_: &StreamId, position: Position) -> Option<Position> {
        Some(position)
    }

    fn source(position: &Position) -> Source {
        Source::At(*position)
    }
}
