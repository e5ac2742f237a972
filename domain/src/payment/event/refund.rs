//! Money that is given back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::RefundId;
use crate::money::Cents;
use crate::payment::{PaidBooking, PaymentMethod, RefundKind};

/// Money is to be given back. It is not yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefundRequested {
    /// What for.
    pub booking: PaidBooking,
    /// The refund.
    pub refund_id: RefundId,
    /// How it moves.
    pub method: PaymentMethod,
    /// Why, as the tax sees it.
    pub kind: RefundKind,
    /// What of the price, in cents; positive.
    pub amount_cents: Cents,
    /// What of the tip, in cents; positive.
    pub tip_cents: Cents,
    /// What of the card fee, in cents; positive.
    pub fee_cents: Cents,
    /// Why.
    pub reason: String,
    /// The provider's event that told of a refund that nobody here had asked for.
    pub provider_event: Option<String>,
    /// When.
    pub requested_at: DateTime<Utc>,
}

/// Money was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefundSucceeded {
    /// What for.
    pub booking: PaidBooking,
    /// The refund.
    pub refund_id: RefundId,
    /// How it moved.
    pub method: PaymentMethod,
    /// Why, as the tax sees it.
    pub kind: RefundKind,
    /// What of the price, in cents; positive.
    pub amount_cents: Cents,
    /// What of the tip, in cents; positive.
    pub tip_cents: Cents,
    /// What of the card fee, in cents; positive.
    pub fee_cents: Cents,
    /// Why.
    pub reason: String,
    /// How the provider, or the bank, calls it.
    pub provider_ref: Option<String>,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When.
    pub succeeded_at: DateTime<Utc>,
}

/// Where a refund stood before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundWas {
    /// Not given back yet: nothing that counted changes.
    Pending,
    /// Said to be given back: that did not happen after all, and whoever counted it takes it out again.
    Succeeded,
}

/// Money was not given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRefundFailed {
    /// What for.
    pub booking: PaidBooking,
    /// The refund.
    pub refund_id: RefundId,
    /// How it should have moved.
    pub method: PaymentMethod,
    /// Why it was to be given back, as the tax sees it.
    pub kind: RefundKind,
    /// What of the price, in cents; positive.
    pub amount_cents: Cents,
    /// What of the tip, in cents; positive.
    pub tip_cents: Cents,
    /// What of the card fee, in cents; positive.
    pub fee_cents: Cents,
    /// Why it was to be given back.
    pub reason: String,
    /// Why it was not, in the provider's word or a person's.
    pub code: Option<String>,
    /// Where it stood before.
    pub was: RefundWas,
    /// The provider's event that says so.
    pub provider_event: Option<String>,
    /// When.
    pub failed_at: DateTime<Utc>,
}
