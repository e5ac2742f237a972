//! What messages are for.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::MessageId;
use crate::message_template::Variable;

/// What a message is for: which template it is written by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// How was it? With a link to say so.
    ReviewRequest,
    /// The same question again, to whom has not answered.
    ReviewReminder,
    /// The deposit has come: the party will be held.
    BookingConfirmed,
    /// The deposit has not come, and will soon be too late.
    DepositReminder,
    /// The party is tomorrow.
    EventReminder,
    /// Prices change; the booking keeps its own.
    PriceChanged,
    /// Money was given back.
    RefundGiven,
    /// The party was called off.
    BookingCancelled,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::ReviewRequest,
        Self::ReviewReminder,
        Self::BookingConfirmed,
        Self::DepositReminder,
        Self::EventReminder,
        Self::PriceChanged,
        Self::RefundGiven,
        Self::BookingCancelled,
    ];

    /// The word in events, rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReviewRequest => "review_request",
            Self::ReviewReminder => "review_reminder",
            Self::BookingConfirmed => "booking_confirmed",
            Self::DepositReminder => "deposit_reminder",
            Self::EventReminder => "event_reminder",
            Self::PriceChanged => "price_changed",
            Self::RefundGiven => "refund_given",
            Self::BookingCancelled => "booking_cancelled",
        }
    }

    /// The message of this kind that a cause asks for: always the same one, so that it is asked for once.
    pub fn message(self, cause: &str) -> MessageId {
        const MESSAGES: Uuid = Uuid::from_u128(0x0d6e_5b2a_93c4_4f18_8e70_1b4d_a2f6_7c03);
        MessageId(Uuid::new_v5(
            &MESSAGES,
            format!("{}\n{cause}", self.as_str()).as_bytes(),
        ))
    }

    /// Whether a message of this kind ever has a value for a variable.
    pub fn knows(self, variable: Variable) -> bool {
        match variable {
            Variable::ReviewLink => matches!(self, Self::ReviewRequest | Self::ReviewReminder),
            Variable::RefundAmount => self == Self::RefundGiven,
            Variable::CustomerName
            | Variable::EventDate
            | Variable::EventTime
            | Variable::GuestCount
            | Variable::ChefName
            | Variable::TotalAmount
            | Variable::DepositAmount
            | Variable::BalanceDue
            | Variable::BookingId
            | Variable::PaymentLink => true,
        }
    }

    /// Whether it goes only to whom agreed to be written to: it tells nothing that their booking needs.
    pub fn asks_consent(self) -> bool {
        match self {
            Self::PriceChanged => true,
            Self::ReviewRequest
            | Self::ReviewReminder
            | Self::BookingConfirmed
            | Self::DepositReminder
            | Self::EventReminder
            | Self::RefundGiven
            | Self::BookingCancelled => false,
        }
    }

    /// How long after it was due a message still tells something new; none where its link says by itself until when it is
    /// good.
    pub fn good_for(self) -> Option<TimeDelta> {
        match self {
            Self::ReviewRequest | Self::ReviewReminder => None,
            Self::EventReminder | Self::DepositReminder => Some(TimeDelta::hours(24)),
            Self::BookingConfirmed | Self::PriceChanged | Self::RefundGiven | Self::BookingCancelled => {
                Some(TimeDelta::days(3))
            }
        }
    }
}
