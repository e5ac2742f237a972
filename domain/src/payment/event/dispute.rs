//! Money that a customer's bank wants back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::money::Cents;
use crate::payment::PaidBooking;

/// The customer's bank wants money back. It still counts until the bank has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDisputeOpened {
    /// What for.
    pub booking: PaidBooking,
    /// The provider's id of the dispute.
    pub dispute_id: String,
    /// What of the price, in cents; positive.
    pub amount_cents: Cents,
    /// What of the tip, in cents; positive.
    pub tip_cents: Cents,
    /// What of the card fee, in cents; positive.
    pub fee_cents: Cents,
    /// The bank's word for why: `fraudulent`.
    pub reason: Option<String>,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When, by the provider's clock.
    pub opened_at: DateTime<Utc>,
}

/// What a customer's bank has decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeOutcome {
    /// The company keeps the money.
    Won,
    /// The money was taken back: it does not count any more.
    Lost,
}

impl DisputeOutcome {
    /// The word in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// The customer's bank has decided. Its parts were taken back where the dispute was lost, and only there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDisputeClosed {
    /// What for.
    pub booking: PaidBooking,
    /// The provider's id of the dispute.
    pub dispute_id: String,
    /// What was decided.
    pub outcome: DisputeOutcome,
    /// What of the price was disputed, in cents; positive.
    pub amount_cents: Cents,
    /// What of the tip was disputed, in cents; positive.
    pub tip_cents: Cents,
    /// What of the card fee was disputed, in cents; positive.
    pub fee_cents: Cents,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When, by the provider's clock.
    pub closed_at: DateTime<Utc>,
}
