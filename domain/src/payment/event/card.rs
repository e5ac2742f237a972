//! Money that is charged to a card.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::take;
use crate::envelope::Claim;
use crate::money::{Cents, RatePpm};
use crate::payment::{PaidBooking, PaymentKind, PaymentMethod, STRIPE_INTENT, TipChoice};

/// A card may be charged: the provider waits for the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentIntentCreated {
    /// What for.
    pub booking: PaidBooking,
    /// What it is.
    pub kind: PaymentKind,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// Card fee on top, in cents.
    pub fee_cents: Cents,
    /// The rate that the fee was taken at, in millionths.
    pub fee_rate_ppm: RatePpm,
    /// How the tip was chosen, where that was recorded.
    pub tip_choice: Option<TipChoice>,
    /// The provider's id of it.
    pub intent_id: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

impl PaymentIntentCreated {
    pub(super) fn claims(&self) -> Vec<Claim> {
        take(STRIPE_INTENT, Some(&self.intent_id))
    }
}

/// The card is being charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentProcessing {
    /// What for.
    pub booking: PaidBooking,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When, by the provider's clock.
    pub provider_at: DateTime<Utc>,
}

/// The card was charged: the money counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSucceeded {
    /// What for.
    pub booking: PaidBooking,
    /// What it is.
    pub kind: PaymentKind,
    /// How it moved: by card.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// Card fee on top, in cents.
    pub fee_cents: Cents,
    /// How the tip was chosen, where that was recorded.
    pub tip_choice: Option<TipChoice>,
    /// The provider's id of the charge.
    pub charge_id: Option<String>,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When, by the provider's clock.
    pub succeeded_at: DateTime<Utc>,
}

/// The card was not charged; the customer may try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// What for.
    pub booking: PaidBooking,
    /// The provider's word for why: `card_declined`.
    pub code: Option<String>,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When, by the provider's clock.
    pub provider_at: DateTime<Utc>,
}
