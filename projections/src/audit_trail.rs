//! Who did what, when, through what and why? One entry for every event there is.

mod describe;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::ids::EventId;
use domain::recorded::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Condition, Fold, Order, Page, ReadError, ReadModels, Select, Slice, Value, row, shown_only,
};

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
    }
}

/// A field that an event changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Name of the field, with dots where it is inside another.
    pub path: String,
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
    const VERSION: i32 = 2;

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
        })
    }
}

/// Which entries to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this aggregate.
    pub entity_id: Option<String>,
    /// Of this kind of aggregate.
    pub entity_type: Option<String>,
    /// By this actor.
    pub actor_id: Option<String>,
    /// Of any of these wire names; empty is all.
    pub types: Vec<String>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub to: Option<DateTime<Utc>>,
    /// Part of the sentence.
    pub search: Option<String>,
}

/// In which order to list entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditSort {
    /// The latest first.
    NewestFirst,
    /// As it happened.
    OldestFirst,
}

impl AuditSort {
    fn order(self) -> Order {
        match self {
            Self::NewestFirst => Order::descending(&["position"]),
            Self::OldestFirst => Order::ascending(&["position"]),
        }
    }
}

impl AuditFilter {
    fn conditions(self) -> Vec<Condition> {
        let text = |column: &'static str, text: String| Condition::Eq(column, Value::Text(text));
        let entity = self.entity_id.map(|id| text("entity_id", id));
        let entity_type = self.entity_type.map(|kind| text("entity_type", kind));
        let actor = self.actor_id.map(|id| text("actor_id", id));
        let types = (!self.types.is_empty())
            .then(|| Condition::OneOf("event_type", self.types.into_iter().map(Value::Text).collect()));
        let from = self
            .from
            .map(|at| Condition::AtLeast("recorded_at", Value::Instant(at)));
        let to = self
            .to
            .map(|at| Condition::Below("recorded_at", Value::Instant(at)));
        let search = self.search.map(|text| Condition::Contains(&["summary"], text));
        [entity, entity_type, actor, types, from, to, search]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// A page of the trail.
///
/// # Errors
/// [`ReadError`] when the viewer may not see the trail, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: AuditFilter,
    sort: AuditSort,
    slice: Slice,
    at: At,
) -> Result<Page<AuditRow>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    let select = Select {
        conditions: filter.conditions(),
        order: sort.order(),
        after: slice.after,
        first: slice.first,
    };
    models.page::<AuditTrail>(viewer.tenant, select, at).await
}

/// How many entries there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: AuditFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    models
        .count::<AuditTrail>(viewer.tenant, filter.conditions(), at)
        .await
}

/// The entry of one position, where there is one.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    position: Position,
    at: At,
) -> Result<Answer<Option<AuditRow>>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    let conditions = vec![Condition::Eq("position", Value::Int(position.0))];
    let found = models.all::<AuditTrail>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}
