//! What can be asked of a conversation, and what waits in it for an answer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AnswerOutcome, ConversationChannel, SilencedBy};
use crate::envelope::{Sealed, Version};
use crate::escalation::ResumedBy;
use crate::ids::{CustomerId, EscalationId, StationId, UserId};
use crate::router::{Intent, Particulars, Verdict};

/// What is said, before the conversation has decided on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConversationPost {
    /// Who says it: a customer with what is heard in it, or a person of the company.
    pub heard: Heard,
    /// Which way it came or goes.
    pub channel: ConversationChannel,
    /// What is said, sealed.
    pub text: Sealed,
    /// The provider's id of it.
    pub external_id: Option<String>,
    /// The address that it came from, sealed, where answers may go there.
    pub from: Option<Sealed>,
    /// The customer, for a conversation that begins.
    pub customer_id: Option<CustomerId>,
    /// The station that was written to, for a conversation that begins.
    pub station_id: Option<StationId>,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What is heard in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Heard {
    /// A customer.
    Customer {
        /// What the router finds in it.
        verdict: Verdict,
        /// What it says of a party.
        particulars: Particulars,
        /// The escalation that is opened if only a person may answer.
        escalation_id: EscalationId,
    },
    /// A person of the company.
    Staff {
        /// Who.
        by: Option<UserId>,
    },
}

/// What the assistant answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConversationAnswer {
    /// The number of the customer's message, from 1.
    pub to: i64,
    /// What is answered, sealed.
    pub text: Sealed,
    /// What it is about.
    pub intent: Intent,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What can be asked of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ConversationCommand {
    /// Say something; the first begins the conversation.
    Post(ConversationPost),
    /// Let the assistant answer.
    Answer(ConversationAnswer),
    /// Silence the assistant.
    Silence {
        /// The escalation.
        escalation_id: EscalationId,
        /// Why.
        by: SilencedBy,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Let the assistant answer again.
    Resume {
        /// By what.
        by: ResumedBy,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Say what became of an answer that goes out.
    Settle {
        /// The conversation's version with it.
        message: i64,
        /// What became of it.
        outcome: AnswerOutcome,
        /// The time.
        now: DateTime<Utc>,
    },
}

/// A customer's message that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Its number in the conversation, from 1.
    pub number: i64,
    /// The conversation's version right after it.
    pub version: Version,
    /// What is said, sealed.
    pub text: Sealed,
    /// What the customer wants.
    pub intent: Intent,
    /// Whether it says something of a party.
    pub says_of_party: bool,
}
