//! What must a person of the company take over, and by when?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, StreamId};
use domain::escalation::{
    EscalationEvent, EscalationOpened, EscalationSource, EscalationStatus, EscalationSubject,
};
use domain::ids::{ConversationId, CustomerId, EscalationId, StationId, UserId};
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, shown_only, station_scope,
};

impl Column for EscalationSource {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for EscalationStatus {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for EscalationId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

impl Column for ConversationId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

shown_only! {
    EscalationSubject = |_| 0;
}

/// Behind every severity: where what was seen to stands in the queue.
const SEEN_TO: i32 = 9;

row! {
    /// An escalation.
    pub struct EscalationRow in "escalation_list", key (escalation_id: EscalationId) {
        /// The escalation.
        pub escalation_id: EscalationId,
        /// Events of the escalation so far: what a command expects of it.
        pub version: i64,
        /// What a person is called for.
        pub source: EscalationSource,
        /// Where it stands.
        pub status: EscalationStatus,
        /// Its place in the queue before its age: its severity while it waits, behind all of them once it was seen to.
        pub queue_rank: i32,
        /// How bad it is: from 1, the worst, to 3.
        pub severity: i32,
        /// A word for why.
        pub code: String,
        /// Why, in a sentence.
        pub reason: String,
        /// What it is about.
        pub subject: EscalationSubject,
        /// The conversation that it is about.
        pub conversation_id: Option<ConversationId>,
        /// The station that it is about; none where it concerns the whole company.
        pub station_id: Option<StationId>,
        /// The customer.
        pub customer_id: Option<CustomerId>,
        /// Who is to see to it, or does.
        pub assignee: Option<UserId>,
        /// By when a person should have seen to it.
        pub target_at: DateTime<Utc>,
        /// When it was opened.
        pub opened_at: DateTime<Utc>,
        /// When somebody took it over first.
        pub joined_at: Option<DateTime<Utc>>,
        /// When it was seen to.
        pub resolved_at: Option<DateTime<Utc>>,
        /// How long it was open, in whole minutes, once it was seen to.
        pub minutes_open: Option<i64>,
        /// What was done.
        pub note: Option<String>,
        /// How well it was seen to, as the customer says: from 1 to 5.
        pub score: Option<i32>,
    }
}

/// The fold behind the queue of escalations.
pub struct EscalationList;

impl Fold for EscalationList {
    type Key = EscalationId;
    type Row = EscalationRow;
    const NAME: &'static str = "escalation_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "escalation.opened",
            "escalation.assigned",
            "escalation.joined",
            "escalation.resolved",
            "escalation.assistant_resumed",
            "escalation.surveyed",
        ]
    }

    fn key(event: &Recorded) -> Option<EscalationId> {
        escalation(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<EscalationRow>, event: &Recorded) -> Option<EscalationRow> {
        let Some(happened) = escalation(event) else {
            return row;
        };
        if let EscalationEvent::Opened(opened) = happened {
            return Some(waiting(Self::key(event)?, event.sequence.0, opened));
        }
        let mut row = row?;
        row.version = event.sequence.0;
        match happened {
            EscalationEvent::Opened(_) => {}
            EscalationEvent::Assigned(assigned) => {
                row.assignee = Some(assigned.assignee);
                if row.status == EscalationStatus::Open {
                    row.status = EscalationStatus::Assigned;
                }
            }
            EscalationEvent::Joined(joined) => {
                row.assignee = Some(joined.by);
                row.status = EscalationStatus::Joined;
                row.joined_at = row.joined_at.or(Some(joined.joined_at));
            }
            EscalationEvent::Resolved(resolved) => {
                row.status = EscalationStatus::Resolved;
                row.queue_rank = SEEN_TO;
                row.resolved_at = Some(resolved.resolved_at);
                row.minutes_open = Some(resolved.minutes_open);
                row.note = Some(resolved.note.clone());
            }
            EscalationEvent::AssistantResumed(resumed) => row.status = resumed.status,
            EscalationEvent::Surveyed(surveyed) => row.score = Some(i32::from(surveyed.score)),
        }
        Some(row)
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<EscalationId> {
        (stream.kind == "escalation").then(|| stream.id.parse().ok())?
    }

    fn source(escalation: &EscalationId) -> Source {
        Source::Stream(StreamId::new("escalation", escalation.to_string()))
    }
}

fn waiting(escalation_id: EscalationId, version: i64, opened: &EscalationOpened) -> EscalationRow {
    let severity = i32::from(opened.severity.number());
    EscalationRow {
        escalation_id,
        version,
        source: opened.source,
        status: EscalationStatus::Open,
        queue_rank: severity,
        severity,
        code: opened.code.clone(),
        reason: opened.reason.clone(),
        subject: opened.subject,
        conversation_id: opened.subject.conversation_id,
        station_id: opened.station_id,
        customer_id: opened.customer_id,
        assignee: None,
        target_at: opened.target_at,
        opened_at: opened.opened_at,
        joined_at: None,
        resolved_at: None,
        minutes_open: None,
        note: None,
        score: None,
    }
}

fn escalation(event: &Recorded) -> Option<&EscalationEvent> {
    if let DomainEvent::Escalation(escalation) = &event.event {
        Some(escalation)
    } else {
        None
    }
}

/// Which escalations to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EscalationFilter {
    /// That stand at any of these; empty is all.
    pub status: Vec<EscalationStatus>,
    /// For which this called a person.
    pub source: Option<EscalationSource>,
    /// About this conversation.
    pub conversation_id: Option<ConversationId>,
    /// About this station.
    pub station_id: Option<StationId>,
}

impl EscalationFilter {
    /// What waits for a person, of a station or of all.
    pub fn waiting(station_id: Option<StationId>) -> Self {
        Self {
            status: vec![
                EscalationStatus::Open,
                EscalationStatus::Assigned,
                EscalationStatus::Joined,
            ],
            station_id,
            ..Self::default()
        }
    }

    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let status = (!self.status.is_empty()).then(|| {
            let words = self.status.iter().map(|status| status.as_str().to_owned());
            Condition::one_of("status", words.map(Value::Text).collect())
        });
        let source = self
            .source
            .map(|source| Condition::Eq("source", Value::Text(source.as_str().to_owned())));
        let conversation = self
            .conversation_id
            .map(|id| Condition::Eq("conversation_id", Value::Uuid(id.0)));
        let station = self
            .station_id
            .map(|id| Condition::Eq("station_id", Value::Uuid(id.0)));
        conditions.extend([status, source, conversation, station].into_iter().flatten());
        conditions
    }
}

/// A page of escalations: what waits before what was seen to, the worst first, and of the same severity the oldest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see escalations, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: EscalationFilter,
    slice: Slice,
    at: At,
) -> Result<Page<EscalationRow>, ReadError> {
    viewer.require(Permission::EscalationRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::ascending(&["queue_rank", "opened_at", "escalation_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<EscalationList>(viewer.tenant, select, at).await
}

/// How many escalations there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: EscalationFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::EscalationRead)?;
    models
        .count::<EscalationList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One escalation, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: EscalationId,
    at: At,
) -> Result<Answer<Option<EscalationRow>>, ReadError> {
    viewer.require(Permission::EscalationRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("escalation_id", Value::Uuid(id.0)));
    let found = models
        .all::<EscalationList>(viewer.tenant, conditions, at)
        .await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::escalation::{
        EscalationAssigned, EscalationAssistantResumed, EscalationJoined, EscalationResolved,
        EscalationSurveyed, ResumedBy, Severity,
    };
    use uuid::Uuid;

    use super::*;
    use crate::testing::{STATION, at, fold, recorded};

    #[test]
    fn an_escalation_is_followed_to_what_the_customer_says_of_it() {
        let id = EscalationId(Uuid::from_u128(5));
        let (support, now) = (UserId(Uuid::from_u128(6)), at("2026-11-01T00:00:00Z"));
        let happened = [
            EscalationEvent::Opened(EscalationOpened {
                source: EscalationSource::Dispute,
                severity: Severity::WORST,
                code: "fraudulent".to_owned(),
                reason: "a bank wants money back".to_owned(),
                subject: EscalationSubject::default(),
                station_id: Some(STATION),
                customer_id: None,
                target_at: now,
                opened_at: now,
            }),
            EscalationEvent::Assigned(EscalationAssigned {
                assignee: support,
                before: None,
                station_id: Some(STATION),
                assigned_at: now,
            }),
            EscalationEvent::Joined(EscalationJoined {
                by: support,
                was: EscalationStatus::Assigned,
                station_id: Some(STATION),
                joined_at: now,
            }),
            EscalationEvent::AssistantResumed(EscalationAssistantResumed {
                by: ResumedBy::Staff,
                was: EscalationStatus::Joined,
                status: EscalationStatus::Assigned,
                station_id: Some(STATION),
                resumed_at: now,
            }),
            EscalationEvent::Resolved(EscalationResolved {
                note: "the bank was answered".to_owned(),
                was: EscalationStatus::Joined,
                ended_by: None,
                minutes_open: 12,
                station_id: Some(STATION),
                resolved_at: now,
            }),
            EscalationEvent::Surveyed(EscalationSurveyed {
                score: 4,
                station_id: Some(STATION),
                surveyed_at: now,
            }),
        ];
        let events: Vec<Recorded> = (1..)
            .zip(happened)
            .map(|(place, event)| recorded(place, &id.to_string(), place, DomainEvent::Escalation(event)))
            .collect();
        let row = |events: &[Recorded]| fold::<EscalationList>(events).get(&id).cloned().unwrap();
        let stood: Vec<EscalationStatus> = (1..=6).map(|count| row(&events[..count]).status).collect();
        assert_eq!(
            stood,
            [
                EscalationStatus::Open,
                EscalationStatus::Assigned,
                EscalationStatus::Joined,
                EscalationStatus::Assigned,
                EscalationStatus::Resolved,
                EscalationStatus::Resolved
            ]
        );
        let (before, after) = (row(&events[..4]), row(&events));
        assert_eq!((before.queue_rank, after.queue_rank), (1, SEEN_TO));
        assert_eq!(
            (after.score, after.minutes_open, after.version),
            (Some(4), Some(12), 6)
        );
    }
}
