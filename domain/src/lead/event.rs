//! What can happen to a lead.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

use super::LeadStatus;
use crate::customer::{Consent, Contact, DestroyedKey};
use crate::envelope::Sealed;
use crate::guests::Guests;
use crate::ids::{BookingId, CustomerId, StationId, SubjectId};
use crate::place::ZipCode;

/// A request that failed was kept for the staff to call back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadCaptured {
    /// Sealed contact.
    pub contact: Contact,
    /// Station that was asked.
    pub station_id: StationId,
    /// Where the event would have been.
    pub zip: ZipCode,
    /// Local start that was wanted.
    pub wanted_start: NaiveDateTime,
    /// The party.
    pub guests: Guests,
    /// Why there was no booking: the code of the refusal, as `SLOT_UNAVAILABLE`, or [`Abandoned::code`].
    pub failure: String,
    /// Where the customer came from.
    pub source: Option<String>,
    /// When it was asked.
    pub captured_at: DateTime<Utc>,
    /// Keyed hash of the folded e-mail, by which a booking finds the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_key: Option<String>,
    /// Keyed hash of the phone's digits, by which a booking finds the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_key: Option<String>,
    /// The customer who has this e-mail or phone, where the person was known already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// That they agreed to be called, for what they abandoned themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
}

impl LeadCaptured {
    /// Whose key seals it.
    pub fn subject(&self) -> SubjectId {
        self.contact.name.subject
    }
}

/// What somebody looked at and left without booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Abandoned {
    /// A quote.
    Quote,
    /// Free slots.
    Availability,
}

impl Abandoned {
    /// What stands where a refusal has its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Quote => "QUOTE_ABANDONED",
            Self::Availability => "AVAILABILITY_ABANDONED",
        }
    }
}

/// Somebody of the company has spoken to a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadContacted {
    /// Station that was asked.
    pub station_id: StationId,
    /// Where it stood.
    pub before: LeadStatus,
    /// What was said, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed>,
    /// When.
    pub contacted_at: DateTime<Utc>,
}

/// A lead has become a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadWon {
    /// Station that was asked.
    pub station_id: StationId,
    /// Where it stood.
    pub before: LeadStatus,
    /// Which booking, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<BookingId>,
    /// When.
    pub won_at: DateTime<Utc>,
}

/// The company has given a lead up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadLost {
    /// Station that was asked.
    pub station_id: StationId,
    /// Where it stood.
    pub before: LeadStatus,
    /// Why; 3 to 500 characters without personal data.
    pub reason: String,
    /// When.
    pub lost_at: DateTime<Utc>,
}

/// A lead is to be called at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadFollowUpSet {
    /// Station that was asked.
    pub station_id: StationId,
    /// When it was to be until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<DateTime<Utc>>,
    /// When it is to be.
    pub due_at: DateTime<Utc>,
    /// When that was decided.
    pub set_at: DateTime<Utc>,
}

/// A lead was called as it was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadFollowUpDone {
    /// Station that was asked.
    pub station_id: StationId,
    /// When it was to be.
    pub due_at: DateTime<Utc>,
    /// When it was done.
    pub done_at: DateTime<Utc>,
}

/// A lead's personal data was erased, its time being over: the receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadPurged {
    /// Station that was asked.
    pub station_id: StationId,
    /// The keys that were destroyed in the same transaction: the lead's own.
    pub destroyed: Vec<DestroyedKey>,
    /// When the lead was captured.
    pub captured_at: DateTime<Utc>,
    /// For how many months the company keeps personal data of leads.
    pub months: u32,
    /// When.
    pub purged_at: DateTime<Utc>,
}

impl LeadPurged {
    pub(super) fn erases(&self) -> Vec<SubjectId> {
        self.destroyed.iter().map(|key| key.subject).collect()
    }
}
