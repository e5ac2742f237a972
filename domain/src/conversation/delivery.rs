//! Answers that go out to the customer by the channel that they wrote by, and what became of each.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ConversationChannel;
use crate::envelope::Sealed;
use crate::ids::{ConversationId, MessageId};
use crate::message::MessageChannel;

/// An answer was handed over for the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAnswerSent {
    /// The conversation's version with the answer.
    pub message: i64,
    /// How it went out.
    pub channel: MessageChannel,
    /// Who took it: `log` for the program's own log, which takes it nowhere.
    pub carrier: String,
    /// The carrier's id of it, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_id: Option<String>,
    /// When.
    pub sent_at: DateTime<Utc>,
}

/// Why an answer did not reach its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndeliveredBecause {
    /// What was said is erased.
    Erased,
    /// This installation takes messages nowhere by that channel.
    NoCarrier,
    /// The customer wants no more of them.
    NoConsent,
    /// It waited until it was no answer any more.
    TooLate,
    /// Nobody took it, however often it was tried.
    Failed,
}

impl UndeliveredBecause {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::NoCarrier => "no_carrier",
            Self::NoConsent => "no_consent",
            Self::TooLate => "too_late",
            Self::Failed => "failed",
        }
    }
}

/// An answer did not reach its customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationAnswerUndelivered {
    /// The conversation's version with the answer.
    pub message: i64,
    /// Why.
    pub because: UndeliveredBecause,
    /// Why the last attempt failed, as a stable word, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How often it was tried, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i32>,
    /// When.
    pub undelivered_at: DateTime<Utc>,
}

/// What became of an answer that goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum AnswerOutcome {
    /// It was handed over.
    Sent {
        /// How it went out.
        channel: MessageChannel,
        /// Who took it.
        carrier: String,
        /// The carrier's id of it.
        carrier_id: Option<String>,
    },
    /// It did not reach its customer.
    Undelivered {
        /// Why.
        because: UndeliveredBecause,
        /// Why the last attempt failed, where it did.
        code: Option<String>,
        /// How often it was tried, where it failed.
        attempts: Option<i32>,
    },
}

/// Where a customer's answers go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyTo {
    /// The way that the customer wrote by.
    pub channel: ConversationChannel,
    /// The address that they wrote from, sealed.
    pub address: Sealed,
    /// When they wrote last.
    pub written_at: DateTime<Utc>,
}

impl ReplyTo {
    /// Whether somebody who has just written expects the answer, at whatever hour: for a quarter of an hour. Later it waits
    /// for the end of the quiet hours.
    pub fn is_expecting(&self, now: DateTime<Utc>) -> bool {
        now < self.written_at + TimeDelta::minutes(15)
    }
}

/// Where an answer stands that has not gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outgoing {
    /// It waits.
    Waits,
    /// It did not reach its customer; a person may let it be tried again.
    Undelivered,
}

/// How long an answer is one: after that it is not sent any more. WhatsApp takes none later.
pub fn answer_good_for() -> TimeDelta {
    TimeDelta::hours(24)
}

/// What an answer is known by however often it is handed over.
pub fn answer_id(conversation: ConversationId, message: i64) -> MessageId {
    MessageId(Uuid::new_v5(&conversation.0, &message.to_be_bytes()))
}
