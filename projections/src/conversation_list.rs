//! Where does each conversation stand?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::conversation::{ConversationChannel, ConversationEvent, UndeliveredBecause};
use domain::envelope::{Position, StreamId};
use domain::ids::{ConversationId, CustomerId, EscalationId, StationId};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, shown_only,
};

impl Column for ConversationChannel {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

/// Versions of a conversation with an answer that has not gone out yet, the first first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersWaiting(pub Vec<i64>);

/// Answers of a conversation that did not reach its customer, the first first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswersLost(pub Vec<AnswerLost>);

/// An answer that did not reach its customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLost {
    /// The conversation's version with it.
    pub message: i64,
    /// Why.
    pub because: UndeliveredBecause,
    /// Why the last attempt failed, where it did.
    pub code: Option<String>,
}

shown_only! {
    AnswersWaiting;
    AnswersLost;
}

row! {
    /// A conversation.
    pub struct ConversationRow in "conversation_list", key (conversation_id: ConversationId) {
        /// The conversation.
        pub conversation_id: ConversationId,
        /// Events of the conversation so far: what a command expects of it.
        pub version: i64,
        /// Where it is held.
        pub channel: ConversationChannel,
        /// The customer, where it is known who it is.
        pub customer_id: Option<CustomerId>,
        /// The station that was written to, where it is known.
        pub station_id: Option<StationId>,
        /// Whether the assistant answers.
        pub assistant_active: bool,
        /// The escalation that keeps the assistant silent.
        pub escalation_id: Option<EscalationId>,
        /// How many messages there are.
        pub messages: i64,
        /// Versions with an answer that has not gone out yet.
        pub waiting: AnswersWaiting,
        /// Answers that did not reach the customer.
        pub undelivered: AnswersLost,
        /// When it began.
        pub started_at: DateTime<Utc>,
        /// When the last message was posted, or it began.
        pub last_at: DateTime<Utc>,
    }
}

impl ConversationRow {
    fn settle(&mut self, message: i64, lost: Option<(UndeliveredBecause, Option<String>)>) {
        self.waiting.0.retain(|waiting| *waiting != message);
        self.undelivered.0.retain(|lost| lost.message != message);
        self.undelivered.0.extend(lost.map(|(because, code)| AnswerLost {
            message,
            because,
            code,
        }));
    }
}

/// The fold behind the list of conversations.
pub struct ConversationList;

impl Fold for ConversationList {
    type Key = ConversationId;
    type Row = ConversationRow;
    const NAME: &'static str = "conversation_list";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "conversation.started",
            "conversation.message_posted",
            "conversation.assistant_silenced",
            "conversation.assistant_resumed",
            "conversation.answer_sent",
            "conversation.answer_undelivered",
        ]
    }

    fn key(event: &Recorded) -> Option<ConversationId> {
        conversation(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<ConversationRow>, event: &Recorded) -> Option<ConversationRow> {
        let Some(happened) = conversation(event) else {
            return row;
        };
        if let ConversationEvent::Started(started) = happened {
            return Some(ConversationRow {
                conversation_id: Self::key(event)?,
                version: event.sequence.0,
                channel: started.channel,
                customer_id: started.customer_id,
                station_id: started.station_id,
                assistant_active: true,
                escalation_id: None,
                messages: 0,
                waiting: AnswersWaiting::default(),
                undelivered: AnswersLost::default(),
                started_at: started.started_at,
                last_at: started.started_at,
            });
        }
        let mut row = row?;
        row.version = event.sequence.0;
        match happened {
            ConversationEvent::Started(_) => {}
            ConversationEvent::MessagePosted(posted) => {
                row.messages += 1;
                row.last_at = posted.posted_at;
                if posted.goes_out {
                    row.waiting.0.push(event.sequence.0);
                }
            }
            ConversationEvent::AssistantSilenced(silenced) => {
                row.assistant_active = false;
                row.escalation_id = Some(silenced.escalation_id);
            }
            ConversationEvent::AssistantResumed(_) => {
                row.assistant_active = true;
                row.escalation_id = None;
            }
            ConversationEvent::AnswerSent(sent) => row.settle(sent.message, None),
            ConversationEvent::AnswerUndelivered(lost) => {
                let code = lost.code.clone();
                row.settle(lost.message, Some((lost.because, code)));
            }
        }
        Some(row)
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<ConversationId> {
        (stream.kind == "conversation").then(|| stream.id.parse().ok())?
    }

    fn source(conversation: &ConversationId) -> Source {
        Source::Stream(StreamId::new("conversation", conversation.to_string()))
    }
}

/// The event of a conversation that it is.
pub(crate) fn conversation(event: &Recorded) -> Option<&ConversationEvent> {
    if let DomainEvent::Conversation(conversation) = &event.event {
        Some(conversation)
    } else {
        None
    }
}

/// Those of no station, and those of a station within reach.
fn within_reach(viewer: &Viewer, row: &ConversationRow) -> bool {
    row.station_id
        .is_none_or(|station| viewer.stations.covers(station))
}

/// A page of conversations, the one with the latest message first. Somebody who is kept to some stations sees those alone.
///
/// # Errors
/// [`ReadError`] when the viewer may not see conversations, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    slice: Slice,
    at: At,
) -> Result<Page<ConversationRow>, ReadError> {
    viewer.require(Permission::ConversationRead)?;
    let select = Select {
        conditions: crate::engine::station_scope(viewer),
        order: Order::descending(&["last_at", "conversation_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<ConversationList>(viewer.tenant, select, at).await
}

/// How many conversations there are.
///
/// # Errors
/// As [`page`].
pub async fn count(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::ConversationRead)?;
    let conditions = crate::engine::station_scope(viewer);
    models
        .count::<ConversationList>(viewer.tenant, conditions, at)
        .await
}

/// One conversation, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: ConversationId,
    at: At,
) -> Result<Answer<Option<ConversationRow>>, ReadError> {
    viewer.require(Permission::ConversationRead)?;
    let conditions = vec![Condition::Eq("conversation_id", Value::Uuid(id.0))];
    let found = models
        .all::<ConversationList>(viewer.tenant, conditions, at)
        .await?;
    Ok(found.map(|rows| rows.into_iter().find(|row| within_reach(viewer, row))))
}
