//! Escalations: what a person of the company must take over, by when, and who does.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{
    BookingId, ConversationId, CustomerId, EscalationId, PaymentId, ReviewId, StationId, UserId,
};

mod state;

pub use state::{Escalation, EscalationCommand, EscalationError, EscalationStatus};

crate::events! {
    /// What can happen to an escalation.
    pub enum EscalationEvent {
        "A person of the company must take something over." Opened(EscalationOpened) = "escalation.opened" v 1;
        "Somebody is to see to it." Assigned(EscalationAssigned) = "escalation.assigned" v 1;
        "A person of the company has taken it over." Joined(EscalationJoined) = "escalation.joined" v 1;
        "It was seen to." Resolved(EscalationResolved) = "escalation.resolved" v 1;
        "The assistant may answer again in the conversation that it is about." AssistantResumed(EscalationAssistantResumed) = "escalation.assistant_resumed" v 1;
        "The customer has said how well it was seen to." Surveyed(EscalationSurveyed) = "escalation.surveyed" v 1;
    }
}

/// What a person is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationSource {
    /// A word of a customer that only a person may answer.
    Keyword,
    /// A low rating.
    Rating,
    /// A customer's wish for a person.
    Request,
    /// A person of the company.
    Staff,
    /// A payment that failed.
    Payment,
    /// A customer's bank that wants money back.
    Dispute,
}

impl EscalationSource {
    /// Every source.
    pub const ALL: [Self; 6] = [
        Self::Keyword,
        Self::Rating,
        Self::Request,
        Self::Staff,
        Self::Payment,
        Self::Dispute,
    ];

    /// The word in events, rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Rating => "rating",
            Self::Request => "request",
            Self::Staff => "staff",
            Self::Payment => "payment",
            Self::Dispute => "dispute",
        }
    }

    /// The escalation that an event about a subject opens: always the same one, so that it is opened once.
    pub fn escalation(self, subject: &EscalationSubject, cause: &str) -> EscalationId {
        const ESCALATIONS: Uuid = Uuid::from_u128(0x7b3f_90d2_4c15_4e8a_b6a1_2d0c_58f7_e904);
        let EscalationSubject {
            booking_id,
            conversation_id,
            review_id,
            payment_id,
        } = subject;
        let part = |id: Option<Uuid>| id.unwrap_or_default();
        EscalationId(Uuid::new_v5(
            &ESCALATIONS,
            format!(
                "{}\n{}\n{}\n{}\n{}\n{cause}",
                self.as_str(),
                part(booking_id.map(|id| id.0)),
                part(conversation_id.map(|id| id.0)),
                part(review_id.map(|id| id.0)),
                part(payment_id.map(|id| id.0)),
            )
            .as_bytes(),
        ))
    }
}

/// How bad it is: from 1, the worst, to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Severity(u8);

impl Severity {
    /// Threats of the law, a dispute, the lowest ratings: seen to within 15 minutes.
    pub const WORST: Self = Self(1);
    /// A customer who is angry or waits for a person: within an hour.
    pub const MIDDLE: Self = Self(2);
    /// Whatever can wait for four hours.
    pub const MILD: Self = Self(3);

    /// The severity of a number; none but for 1, 2 and 3.
    pub fn new(number: u8) -> Option<Self> {
        (1..=3).contains(&number).then_some(Self(number))
    }

    /// From 1, the worst, to 3.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Within which time a person should have seen to it.
    pub fn target(self) -> TimeDelta {
        TimeDelta::minutes(match self.0 {
            1 => 15,
            2 => 60,
            _ => 240,
        })
    }
}

impl TryFrom<u8> for Severity {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("a severity is 1, 2 or 3")
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> Self {
        severity.0
    }
}

/// What an escalation is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationSubject {
    /// The booking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
    /// The conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_id: Option<ReviewId>,
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
}

/// What somebody wants a person to take over, before the time is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EscalationOpen {
    /// Which escalation it is to be.
    pub id: EscalationId,
    /// What a person is called for.
    pub source: EscalationSource,
    /// How bad it is.
    pub severity: Severity,
    /// A word for why: a code, or the word that was said. No personal data.
    pub code: String,
    /// Why, in a sentence without personal data; 3 to 500 characters.
    pub reason: String,
    /// What it is about.
    pub subject: EscalationSubject,
    /// The station that it is about; none where it concerns the whole company.
    pub station_id: Option<StationId>,
    /// The customer.
    pub customer_id: Option<CustomerId>,
}

/// A person of the company must take something over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationOpened {
    /// What a person is called for.
    pub source: EscalationSource,
    /// How bad it is.
    pub severity: Severity,
    /// A word for why: a code, or the word that was said.
    pub code: String,
    /// Why, in a sentence without personal data.
    pub reason: String,
    /// What it is about.
    pub subject: EscalationSubject,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// The customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// By when a person should have seen to it.
    pub target_at: DateTime<Utc>,
    /// When.
    pub opened_at: DateTime<Utc>,
}

/// Somebody is to see to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationAssigned {
    /// Who.
    pub assignee: UserId,
    /// Who was to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<UserId>,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// When.
    pub assigned_at: DateTime<Utc>,
}

/// A person of the company has taken it over. In the conversation that it is about, the assistant is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationJoined {
    /// Who.
    pub by: UserId,
    /// Where it stood.
    pub was: EscalationStatus,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// When.
    pub joined_at: DateTime<Utc>,
}

/// What ends an escalation that no person has seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The money has come that a payment failed to bring.
    Payment,
}

impl EndedBy {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "the money has come since",
        }
    }
}

/// It was seen to, or has become right by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationResolved {
    /// What was done, in the staff's words, or what has ended it. Holds no personal data.
    pub note: String,
    /// Where it stood.
    pub was: EscalationStatus,
    /// What has ended it, where no person has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// How long it was open, in whole minutes.
    pub minutes_open: i64,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// When.
    pub resolved_at: DateTime<Utc>,
}

/// By what the assistant may answer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumedBy {
    /// The customer went on with what it may answer, and nobody had joined.
    Auto,
    /// A person of the company said so.
    Staff,
    /// The escalation was resolved.
    Resolution,
}

impl ResumedBy {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "of itself",
            Self::Staff => "by staff",
            Self::Resolution => "with the end of the escalation",
        }
    }
}

/// The assistant may answer again in the conversation that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationAssistantResumed {
    /// By what.
    pub by: ResumedBy,
    /// Where it stood; whoever had joined has left.
    pub was: EscalationStatus,
    /// Where it stands.
    pub status: EscalationStatus,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// When.
    pub resumed_at: DateTime<Utc>,
}

/// The customer has said how well it was seen to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationSurveyed {
    /// From 1, badly, to 5, very well.
    pub score: u8,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// When.
    pub surveyed_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests;
