//! What can happen to a message.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{MessageChannel, MessageKind};
use crate::envelope::Sealed;
use crate::ids::{BookingId, CustomerId, StationId};
use crate::locale::Locale;

/// A message to a customer was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRequested {
    /// What for.
    pub kind: MessageKind,
    /// To whom.
    pub customer_id: CustomerId,
    /// The booking that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
    /// The station that it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// How it should reach the customer; none for whichever way the customer agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<MessageChannel>,
    /// Values of the template's variables that are nowhere else in the log, a secret link say: a JSON object of texts by
    /// name, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variables: Option<Sealed>,
    /// When it is to go out, at the earliest.
    pub due_at: DateTime<Utc>,
}

/// A message was handed over for the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSent {
    /// What for.
    pub kind: MessageKind,
    /// To whom.
    pub customer_id: CustomerId,
    /// The station that it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// How it went out.
    pub channel: MessageChannel,
    /// Who took it: `log` for the program's own log, which takes it nowhere.
    pub carrier: String,
    /// The carrier's id of it, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_id: Option<String>,
    /// Version of the template that it was written by; 0 for the one that comes with the program.
    pub template_version: i64,
    /// Language of that template, which counts its versions apart; absent for the one that comes with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_locale: Option<Locale>,
    /// Its subject line, where the channel has one, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_line: Option<Sealed>,
    /// Its words, sealed.
    pub text: Sealed,
    /// When.
    pub sent_at: DateTime<Utc>,
}

/// Why a message does not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBecause {
    /// The customer's data is gone.
    Erased,
    /// The customer has given no address.
    NoAddress,
    /// This installation takes messages by none of the ways that the customer can be reached.
    NoCarrier,
    /// The only way there is one that the customer has not agreed to.
    NoConsent,
    /// What it would tell is over.
    TooLate,
}

impl SuppressedBecause {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::NoAddress => "no_address",
            Self::NoCarrier => "no_carrier",
            Self::NoConsent => "no_consent",
            Self::TooLate => "too_late",
        }
    }
}

/// A message may not go out, or has nowhere to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSuppressed {
    /// What for.
    pub kind: MessageKind,
    /// To whom.
    pub customer_id: CustomerId,
    /// The station that it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// Why.
    pub because: SuppressedBecause,
    /// When.
    pub suppressed_at: DateTime<Utc>,
}

/// A message could not be handed over, however often it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFailed {
    /// What for.
    pub kind: MessageKind,
    /// To whom.
    pub customer_id: CustomerId,
    /// The station that it speaks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last attempt failed, as a stable word.
    pub code: String,
    /// When.
    pub failed_at: DateTime<Utc>,
}
