//! What was said in a conversation?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::conversation::{ConversationChannel, ConversationEvent, MessageAuthor};
use domain::envelope::{Position, Sealed};
use domain::ids::{ConversationId, TenantId, UserId};
use domain::recorded::Recorded;

use crate::conversation_list::conversation;
use crate::engine::{
    At, Column, Condition, Fold, Kind, Order, Poison, ReadError, ReadModels, Select, Source, Value, row,
};

impl Column for MessageAuthor {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

row! {
    /// A message of a conversation.
    pub struct ThreadRow in "conversation_thread", key (position: Position) {
        /// Place in the log.
        pub position: Position,
        /// The conversation.
        pub conversation_id: ConversationId,
        /// Who says it.
        pub author: MessageAuthor,
        /// Which way it came or went.
        pub channel: ConversationChannel,
        /// What is said, sealed.
        pub text: Sealed,
        /// What the customer wants with it, or what the answer is about.
        pub intent: Option<String>,
        /// The word in it that only a person may answer.
        pub human_word: Option<String>,
        /// Whether only a person may answer it.
        pub human_only: bool,
        /// The conversation's version with it, where it goes out to the customer.
        pub outgoing: Option<i64>,
        /// The person of the company who says it.
        pub by_user: Option<UserId>,
        /// When.
        pub posted_at: DateTime<Utc>,
    }
}

/// The fold behind the messages of a conversation.
pub struct ConversationThread;

impl Fold for ConversationThread {
    type Key = Position;
    type Row = ThreadRow;
    const NAME: &'static str = "conversation_thread";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &["conversation.message_posted"]
    }

    fn key(event: &Recorded) -> Option<Position> {
        matches!(conversation(event)?, ConversationEvent::MessagePosted(_)).then_some(event.position)
    }

    fn apply(row: Option<ThreadRow>, event: &Recorded) -> Option<ThreadRow> {
        let Some(ConversationEvent::MessagePosted(posted)) = conversation(event) else {
            return row;
        };
        let posted = posted.clone();
        Some(ThreadRow {
            position: event.position,
            conversation_id: event.stream.id.parse().ok()?,
            author: posted.author,
            channel: posted.channel,
            text: posted.text,
            intent: posted.intent.map(|intent| intent.as_str().to_owned()),
            human_word: posted.human_word.map(|word| word.as_str().to_owned()),
            human_only: posted.human_only,
            outgoing: posted.goes_out.then_some(event.sequence.0),
            by_user: posted.by,
            posted_at: posted.posted_at,
        })
    }

    fn key_of(_: &domain::envelope::StreamId, position: Position) -> Option<Position> {
        Some(position)
    }

    fn source(position: &Position) -> Source {
        Source::At(*position)
    }
}

/// The last so many messages of a conversation before a position, in their order. Whether the viewer may see the
/// conversation is asked before.
///
/// # Errors
/// [`ReadError`] when the viewer may not see conversations, or there is no answer.
pub async fn last(
    models: &ReadModels,
    viewer: &Viewer,
    id: ConversationId,
    (last, before): (u16, Option<Position>),
    at: At,
) -> Result<Vec<ThreadRow>, ReadError> {
    viewer.require(Permission::ConversationRead)?;
    let mut conditions = vec![Condition::Eq("conversation_id", Value::Uuid(id.0))];
    conditions.extend(before.map(|before| Condition::Below("position", Value::Int(before.0))));
    let select = Select::first(conditions, Order::descending(&["position"]), last);
    let page = models
        .page::<ConversationThread>(viewer.tenant, select, at)
        .await?;
    Ok(page.rows.into_iter().rev().map(|listed| listed.row).collect())
}

/// So many messages of a conversation, the first first: for whoever has shown its link, which is asked before.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub async fn by_link(
    models: &ReadModels,
    tenant: TenantId,
    id: ConversationId,
    first: u16,
    at: At,
) -> Result<Vec<ThreadRow>, ReadError> {
    let conditions = vec![Condition::Eq("conversation_id", Value::Uuid(id.0))];
    let select = Select::first(conditions, Order::ascending(&["position"]), first);
    let page = models.page::<ConversationThread>(tenant, select, at).await?;
    Ok(page.rows.into_iter().map(|listed| listed.row).collect())
}

#[cfg(test)]
mod tests {
    use domain::conversation::{
        ConversationAssistantResumed, ConversationAssistantSilenced, ConversationMessagePosted,
        ConversationStarted, HumanNeed, SilencedBy,
    };
    use domain::escalation::ResumedBy;
    use domain::ids::EscalationId;
    use domain::recorded::DomainEvent;
    use domain::router::{HumanWord, Intent, Particulars};
    use uuid::Uuid;

    use super::*;
    use crate::conversation_list::ConversationList;
    use crate::escalation_stats::{EscalationStats, Measure};
    use crate::testing::{at, fold, recorded, sealed};

    fn events() -> (ConversationId, Vec<Recorded>) {
        let (id, now) = (ConversationId(Uuid::from_u128(5)), at("2026-11-01T23:59:00Z"));
        let escalation_id = EscalationId(Uuid::from_u128(6));
        let need = |is_needed| {
            Some(HumanNeed {
                is_needed,
                started_at: now,
            })
        };
        let said = |word: Option<HumanWord>| {
            ConversationEvent::MessagePosted(ConversationMessagePosted {
                author: MessageAuthor::Customer,
                channel: ConversationChannel::Web,
                text: sealed("text"),
                intent: Some(Intent::Pricing),
                human_word: word,
                human_only: word.is_some(),
                particulars: Particulars::default(),
                external_id: None,
                from: None,
                goes_out: false,
                by: None,
                human_need: None,
                posted_at: now,
            })
        };
        let happened = [
            ConversationEvent::Started(ConversationStarted {
                channel: ConversationChannel::Web,
                customer_id: None,
                station_id: None,
                started_at: now,
            }),
            said(Some(HumanWord::Manager)),
            ConversationEvent::AssistantSilenced(ConversationAssistantSilenced {
                escalation_id,
                by: SilencedBy::Escalation,
                human_need: need(true),
                silenced_at: now,
            }),
            said(None),
            ConversationEvent::AssistantResumed(ConversationAssistantResumed {
                escalation_id,
                by: ResumedBy::Auto,
                human_need: need(false),
                resumed_at: now,
            }),
        ];
        let events = (1..)
            .zip(happened)
            .map(|(place, event)| recorded(place, &id.to_string(), place, DomainEvent::Conversation(event)));
        (id, events.collect())
    }

    #[test]
    fn a_conversation_tells_whether_its_assistant_answers() {
        let (id, events) = events();
        let row = |count: usize| {
            fold::<ConversationList>(&events[..count])
                .get(&id)
                .cloned()
                .unwrap()
        };
        let answers: Vec<bool> = (1..=5).map(|count| row(count).assistant_active).collect();
        assert_eq!(answers, [true, true, false, false, true]);
        assert_eq!(
            (row(5).messages, row(5).version, row(5).escalation_id),
            (2, 5, None)
        );
        assert!(row(3).escalation_id.is_some());
    }

    #[test]
    fn messages_are_rows_of_their_own() {
        let rows = fold::<ConversationThread>(&events().1);
        let words: Vec<Option<&str>> = rows.iter().map(|row| row.human_word.as_deref()).collect();
        assert_eq!(words.len(), 2);
        assert!(words.contains(&Some("manager")) && words.contains(&None));
    }

    #[test]
    fn a_conversation_counts_as_the_assistants_own_once_it_is_back() {
        let events = events().1;
        let counted = |events: &[Recorded], measure| {
            let rows = fold::<EscalationStats>(events);
            rows.iter()
                .filter(|row| row.measure == measure)
                .map(|row| row.count)
                .sum::<i64>()
        };
        assert_eq!(counted(&events, Measure::Conversations), 1);
        assert_eq!(counted(&events[..3], Measure::WithHuman), 1);
        assert_eq!(counted(&events, Measure::WithHuman), 0);
    }
}
