//! Conversations with customers.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use commands::conversation::{MessageInput, Speaker};
use commands::{CommandError, Written};
use domain::conversation::{Conversation as Aggregate, ConversationChannel};
use domain::decider::Decider;
use domain::envelope::{Position, StreamId};
use domain::ids::{ConversationId, CustomerId, StationId};
use projections::conversation_list::{self, AnswerLost, ConversationRow};
use projections::conversation_thread::{self, ThreadRow};
use projections::{At, escalation_list};

use super::connection::{connection, counter, payload};
use super::error::{UserError, coded, outcome, unread};
use super::escalation::Escalation;
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::LogPosition;
use super::session::{app, caller, under_key, viewer};

/// In whose name something is said.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Speaker")]
pub(super) enum MessageAuthor {
    /// The customer's.
    Customer,
    /// The company's.
    Staff,
}

/// A conversation with a customer. Needs conversation:read.
#[derive(Clone, Description)]
pub(super) struct Conversation {
    pub(super) row: ConversationRow,
    pub(super) at: At,
}

/// Whether what the company says has reached the customer, by the channel that they wrote by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum AnswerDelivery {
    /// It waits to go out: for its turn, for the morning, or to be tried again.
    Waiting,
    /// It was handed over.
    Sent,
    /// It did not reach the customer.
    Undelivered,
}

/// Something that was said.
#[derive(Description)]
pub(super) struct Message {
    row: ThreadRow,
    delivery: Option<AnswerDelivery>,
    lost: Option<AnswerLost>,
}

impl Message {
    fn of(row: ThreadRow, conversation: &ConversationRow) -> Self {
        let lost = row.outgoing.and_then(|version| {
            let mut lost = conversation.undelivered.0.iter();
            lost.find(|lost| lost.message == version).cloned()
        });
        let delivery = row.outgoing.map(|version| {
            if lost.is_some() {
                AnswerDelivery::Undelivered
            } else if conversation.waiting.0.contains(&version) {
                AnswerDelivery::Waiting
            } else {
                AnswerDelivery::Sent
            }
        });
        Self { row, delivery, lost }
    }
}

#[Object(use_type_description)]
impl Message {
    /// Who says it: customer, assistant or staff.
    async fn author(&self) -> &str {
        self.row.author.as_str()
    }
    /// What is said; `[erased]` once the customer's data is gone.
    async fn text(&self, ctx: &Context<'_>) -> Result<String> {
        let stream = StreamId::new(Aggregate::STREAM, self.row.conversation_id.to_string());
        ctx.data_unchecked::<Loaders>()
            .text_or_erased(stream, "text", &self.row.text)
            .await
    }
    /// What a customer wants with it, or what an answer is about: pricing, booking, menu, availability, location, dietary,
    /// policy, complaint, human or other. Null for the staff's.
    async fn intent(&self) -> Option<&str> {
        self.row.intent.as_deref()
    }
    /// Whether only a person may answer it.
    async fn human_only(&self) -> bool {
        self.row.human_only
    }
    /// The word in it that only a person may answer.
    async fn human_word(&self) -> Option<&str> {
        self.row.human_word.as_deref()
    }
    /// Which way it came or went.
    async fn channel(&self) -> &str {
        self.row.channel.as_str()
    }
    /// Whether it has reached the customer by its channel; null for what the customer says, and for what stays on the company's
    /// pages.
    async fn delivery(&self) -> Option<AnswerDelivery> {
        self.delivery
    }
    /// Why it did not reach the customer: erased, no_carrier, no_consent, too_late or failed.
    async fn undelivered_because(&self) -> Option<&str> {
        self.lost.as_ref().map(|lost| lost.because.as_str())
    }
    /// Why the last attempt failed, as a stable word, where it failed: `UNREACHABLE`, `REFUSED`, `MISCONFIGURED`. A job waits for
    /// a person then.
    async fn undelivered_code(&self) -> Option<&str> {
        self.lost.as_ref()?.code.as_deref()
    }
    /// Opaque id of the user who says it, for the staff's.
    async fn by(&self) -> Option<ID> {
        self.row.by_user.map(global)
    }
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.row.posted_at
    }
    /// Its place in the log: `before` it are the earlier ones.
    async fn position(&self) -> LogPosition {
        self.row.position.into()
    }
}

#[Object(use_type_description)]
impl Conversation {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.conversation_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// Where it is held: web, sms, whatsapp, instagram, messenger, email or phone.
    async fn channel(&self) -> &str {
        self.row.channel.as_str()
    }
    /// Whether the assistant answers: not while a person is called for or has joined.
    async fn assistant_active(&self) -> bool {
        self.row.assistant_active
    }
    /// The last messages, in the order in which they were posted.
    #[graphql(complexity = "cost(last, child_complexity)")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.", default = 100)] last: i32,
        #[graphql(desc = "Only those before this place in the log.")] before: Option<LogPosition>,
    ) -> Result<Vec<Message>> {
        let first = slice(last, None)?.first;
        let before = before.map(|before| Position(before.0));
        let id = self.row.conversation_id;
        let rows =
            conversation_thread::last(&app(ctx).views, viewer(ctx)?, id, (first, before), self.at).await;
        let rows = rows.map_err(unread)?;
        Ok(rows.into_iter().map(|row| Message::of(row, &self.row)).collect())
    }
    /// How many messages there are.
    async fn message_count(&self) -> i32 {
        i32::try_from(self.row.messages).unwrap_or(i32::MAX)
    }
    /// How many answers did not reach the customer by the channel that they wrote by.
    async fn undelivered_count(&self) -> i32 {
        i32::try_from(self.row.undelivered.0.len()).unwrap_or(i32::MAX)
    }
    /// The escalation that keeps the assistant silent. Needs escalation:read.
    async fn escalation(&self, ctx: &Context<'_>) -> Result<Option<Escalation>> {
        let (Some(id), at) = (self.row.escalation_id, self.at) else {
            return Ok(None);
        };
        let found = escalation_list::one(&app(ctx).views, viewer(ctx)?, id, at).await;
        Ok(found.map_err(unread)?.value.map(|row| Escalation { row, at }))
    }
    /// Opaque id of the customer, where it is known who it is.
    async fn customer_id(&self) -> Option<ID> {
        self.row.customer_id.map(global)
    }
    /// Opaque id of the station that was written to, where it is known.
    async fn station_id(&self) -> Option<ID> {
        self.row.station_id.map(global)
    }
    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.row.started_at
    }
    /// When the last message was posted.
    async fn last_at(&self) -> DateTime<Utc> {
        self.row.last_at
    }
}

connection!(
    ConversationConnection,
    ConversationEdge,
    Conversation,
    "Conversations, the one with the latest message first."
);

/// Questions about conversations.
#[derive(Default)]
pub(super) struct ConversationQuery;

#[Object]
impl ConversationQuery {
    /// A conversation; null for one that is not there or not within reach. Needs conversation:read.
    async fn conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of the conversation.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<Option<Conversation>> {
        let viewer = viewer(ctx)?;
        viewer
            .require(domain::access::Permission::ConversationRead)
            .map_err(|refused| coded("FORBIDDEN", refused.to_string()))?;
        let at = at(ctx, as_of, fresh).await?;
        let Some(id) = local::<ConversationId>(&id) else {
            return Ok(None);
        };
        one(ctx, id, at).await
    }

    /// Conversations within reach, the one with the latest message first. Needs conversation:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<ConversationConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = conversation_list::page(views, viewer, slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { conversation_list::count(&views, &viewer, at).await },
        );
        Ok(ConversationConnection::new(page, previous, counter, move |row| {
            Conversation { row, at }
        }))
    }
}

/// The conversation of an id, where it is within reach.
pub(super) async fn one(ctx: &Context<'_>, id: ConversationId, at: At) -> Result<Option<Conversation>> {
    let found = conversation_list::one(&app(ctx).views, viewer(ctx)?, id, at).await;
    Ok(found.map_err(unread)?.value.map(|row| Conversation { row, at }))
}

/// Saying something.
#[derive(InputObject)]
pub(super) struct MessagePostInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// In which conversation; a new one where absent.
    conversation_id: Option<ID>,
    /// Which way it came or goes: web, sms, whatsapp, instagram, messenger, email or phone. Null: the conversation's own, web for
    /// a new one. What staff says by sms or whatsapp goes out to the customer, where they wrote by it.
    channel: Option<String>,
    /// In whose name.
    #[graphql(default_with = "MessageAuthor::Customer")]
    author: MessageAuthor,
    /// What is said; 1 to 10,000 characters. It is sealed.
    text: String,
    /// The customer, for a new conversation.
    customer_id: Option<ID>,
    /// The station that is written to, for a new conversation.
    station_id: Option<ID>,
}

impl MessagePostInput {
    fn read(self) -> std::result::Result<(ID, MessageInput), UserError> {
        let (conversation, customer, station) = (
            self.conversation_id.map(|id| {
                local::<ConversationId>(&id)
                    .ok_or_else(|| UserError::not_found("conversationId", "conversation"))
            }),
            self.customer_id.map(|id| {
                local::<CustomerId>(&id).ok_or_else(|| UserError::not_found("customerId", "customer"))
            }),
            self.station_id.map(|id| {
                local::<StationId>(&id).ok_or_else(|| UserError::not_found("stationId", "station"))
            }),
        );
        let channel = self
            .channel
            .as_deref()
            .map(ConversationChannel::parse)
            .transpose();
        let input = MessageInput {
            conversation_id: conversation.transpose()?,
            channel: channel.map_err(UserError::of)?,
            speaker: self.author.into(),
            text: self.text,
            customer_id: customer.transpose()?,
            station_id: station.transpose()?,
        };
        Ok((self.idempotency_key, input))
    }
}

/// Letting the assistant answer again.
#[derive(InputObject)]
pub(super) struct AssistantResumeInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// In which conversation.
    conversation_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
}

payload!(ConversationPayload, conversation: Conversation);

impl ConversationPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(Aggregate::STREAM).parse::<ConversationId>() else {
            return Ok(Self::written(None, &written));
        };
        Ok(Self::written(one(ctx, id, at).await?, &written))
    }
}

/// Commands on conversations.
#[derive(Default)]
pub(super) struct ConversationMutation;

#[Object]
impl ConversationMutation {
    /// Says something in a conversation, or begins one. To what a customer says the assistant answers at once, and the
    /// answer is in the payload, unless only a person may answer or has taken over. Needs conversation:write.
    async fn message_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: MessagePostInput,
    ) -> Result<ConversationPayload> {
        let caller = caller(ctx)?;
        let (key, said) = match input.read() {
            Ok(read) => read,
            Err(refused) => return Ok(ConversationPayload::refused(refused)),
        };
        let done = under_key(&key, |key| app(ctx).commands.post_message(caller, key, said)).await;
        ConversationPayload::of(ctx, done).await
    }

    /// Lets the assistant answer again where a person was called for or has taken over. Needs conversation:write.
    async fn assistant_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: AssistantResumeInput,
    ) -> Result<ConversationPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<ConversationId>(&input.conversation_id) else {
            return Ok(ConversationPayload::refused(UserError::not_found(
                "conversationId",
                "conversation",
            )));
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.resume_assistant(caller, key, id, seen)
        })
        .await;
        ConversationPayload::of(ctx, done).await
    }
}
