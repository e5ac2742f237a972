//! Conversations: what a customer, the assistant and the staff say to each other, and when the assistant is silent.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::envelope::{Claim, Sealed};
use crate::escalation::ResumedBy;
use crate::ids::{ConversationId, CustomerId, EscalationId, StationId, UserId};
use crate::message::MessageChannel;
use crate::router::{HumanWord, Intent, Particulars};

mod command;
mod delivery;
mod error;
mod state;

pub use command::{ConversationAnswer, ConversationCommand, ConversationPost, Heard, Unanswered};
pub use delivery::{
    AnswerOutcome, ConversationAnswerSent, ConversationAnswerUndelivered, Outgoing, ReplyTo,
    UndeliveredBecause, answer_good_for, answer_id,
};
pub use error::ConversationError;
pub use state::{Conversation, LONGEST_TEXT};

crate::events! {
    /// What can happen to a conversation.
    pub enum ConversationEvent {
        "A conversation with a customer began." Started(ConversationStarted) = "conversation.started" v 1;
        "Something was said." MessagePosted(ConversationMessagePosted) = "conversation.message_posted" v 1, claims;
        "The assistant is silent: a person is to see to it." AssistantSilenced(ConversationAssistantSilenced) = "conversation.assistant_silenced" v 1;
        "The assistant may answer again." AssistantResumed(ConversationAssistantResumed) = "conversation.assistant_resumed" v 1;
        "An answer was handed over for the customer." AnswerSent(ConversationAnswerSent) = "conversation.answer_sent" v 1;
        "An answer did not reach its customer." AnswerUndelivered(ConversationAnswerUndelivered) = "conversation.answer_undelivered" v 1;
    }
}

/// What a provider's message is unique in: it is heard once.
pub const MESSAGE_EXTERNAL: &str = "conversation.message";

/// Where a conversation is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationChannel {
    /// The company's own pages.
    Web,
    /// Text messages.
    Sms,
    /// WhatsApp.
    Whatsapp,
    /// Instagram.
    Instagram,
    /// Facebook Messenger.
    Messenger,
    /// E-mail.
    Email,
    /// The telephone, written down.
    Phone,
}

impl ConversationChannel {
    /// Every channel.
    pub const ALL: [Self; 7] = [
        Self::Web,
        Self::Sms,
        Self::Whatsapp,
        Self::Instagram,
        Self::Messenger,
        Self::Email,
        Self::Phone,
    ];

    /// The word in events, rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Instagram => "instagram",
            Self::Messenger => "messenger",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    /// How the company's messages go out by it; none where they do not.
    pub fn carried_as(self) -> Option<MessageChannel> {
        match self {
            Self::Sms => Some(MessageChannel::Sms),
            Self::Whatsapp => Some(MessageChannel::Whatsapp),
            Self::Web | Self::Instagram | Self::Messenger | Self::Email | Self::Phone => None,
        }
    }

    /// The channel of a word, in either case.
    ///
    /// # Errors
    /// [`ConversationError::BadChannel`].
    pub fn parse(word: &str) -> Result<Self, ConversationError> {
        let found = Self::ALL
            .into_iter()
            .find(|channel| channel.as_str().eq_ignore_ascii_case(word.trim()));
        found.ok_or(ConversationError::BadChannel)
    }
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageAuthor {
    /// The customer.
    Customer,
    /// The assistant.
    Assistant,
    /// A person of the company.
    Staff,
}

impl MessageAuthor {
    /// The word in events, rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Assistant => "assistant",
            Self::Staff => "staff",
        }
    }
}

/// Whether a person of the company is needed for a conversation has changed: what the figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanNeed {
    /// Whether one is needed now.
    pub is_needed: bool,
    /// When the conversation began: the day that it counts for.
    pub started_at: DateTime<Utc>,
}

/// A conversation with a customer began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationStarted {
    /// Where it is held.
    pub channel: ConversationChannel,
    /// The customer, where it is known who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The station that was written to, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// When.
    pub started_at: DateTime<Utc>,
}

/// Something was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationMessagePosted {
    /// Who says it.
    pub author: MessageAuthor,
    /// Which way it came or goes.
    pub channel: ConversationChannel,
    /// What is said, sealed.
    pub text: Sealed,
    /// What a customer wants with it, or what an answer is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The word in it that only a person may answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_word: Option<HumanWord>,
    /// Whether only a person may answer it.
    #[serde(default)]
    pub human_only: bool,
    /// What it says of a party.
    #[serde(default, skip_serializing_if = "Particulars::is_empty")]
    pub particulars: Particulars,
    /// The provider's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The address that it came from and answers go to, sealed; absent where no answer may go out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Sealed>,
    /// Whether it is taken to the customer by its channel, and not only kept here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub goes_out: bool,
    /// The person of the company who says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// Whether a person is needed has changed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_need: Option<HumanNeed>,
    /// When.
    pub posted_at: DateTime<Utc>,
}

impl ConversationMessagePosted {
    fn claims(&self) -> Vec<Claim> {
        let heard = self.external_id.as_ref().map(|id| Claim::TakeUnique {
            scope: MESSAGE_EXTERNAL.into(),
            key: format!("{}:{id}", self.channel.as_str()),
        });
        heard.into_iter().collect()
    }
}

/// Why the assistant is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilencedBy {
    /// A person was called.
    Escalation,
    /// A person has taken it over.
    Person,
}

/// The assistant is silent: a person is to see to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAssistantSilenced {
    /// The escalation.
    pub escalation_id: EscalationId,
    /// Why.
    pub by: SilencedBy,
    /// Whether a person is needed has changed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_need: Option<HumanNeed>,
    /// When.
    pub silenced_at: DateTime<Utc>,
}

/// The assistant may answer again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAssistantResumed {
    /// The escalation that had silenced it.
    pub escalation_id: EscalationId,
    /// By what.
    pub by: ResumedBy,
    /// Whether a person is needed has changed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_need: Option<HumanNeed>,
    /// When.
    pub resumed_at: DateTime<Utc>,
}

impl ConversationEvent {
    /// How the need of a person has changed with it.
    pub fn human_need(&self) -> Option<HumanNeed> {
        match self {
            Self::Started(_) => None,
            Self::MessagePosted(posted) => posted.human_need,
            Self::AssistantSilenced(silenced) => silenced.human_need,
            Self::AssistantResumed(resumed) => resumed.human_need,
            Self::AnswerSent(_) | Self::AnswerUndelivered(_) => None,
        }
    }
}

/// The conversation that begins with a provider's message: always the same one, so that it begins once.
pub fn conversation_of(channel: ConversationChannel, thread: &str) -> ConversationId {
    const CONVERSATIONS: uuid::Uuid = uuid::Uuid::from_u128(0x2c81_6f0e_d7a9_4b35_9f42_e3b0_71c6_5a08);
    ConversationId(uuid::Uuid::new_v5(
        &CONVERSATIONS,
        format!("{}\n{thread}", channel.as_str()).as_bytes(),
    ))
}

#[cfg(test)]
mod tests;
