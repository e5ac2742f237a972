//! Refunds: what they are for and where each stands.

use serde::{Deserialize, Serialize};

use super::{PaymentError, PaymentParts};

/// Why money is given back, as the tax sees it (annotation 490.0090).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundKind {
    /// As a kindness: the price stays what it was.
    Goodwill,
    /// The price was lowered.
    PriceAdjustment,
    /// The sale was undone.
    FullReversal,
    /// A tip, and nothing of the price.
    TipOnly,
    /// A card fee, and nothing of the price.
    FeeOnly,
    /// The party was called off before it was held: there was no sale.
    CancelledBeforeService,
    /// More had come than was owed: neither price nor tax changes, and the money counts no more.
    Overpayment,
}

impl RefundKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Goodwill,
        Self::PriceAdjustment,
        Self::FullReversal,
        Self::TipOnly,
        Self::FeeOnly,
        Self::CancelledBeforeService,
        Self::Overpayment,
    ];

    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Goodwill => "goodwill",
            Self::PriceAdjustment => "price_adjustment",
            Self::FullReversal => "full_reversal",
            Self::TipOnly => "tip_only",
            Self::FeeOnly => "fee_only",
            Self::CancelledBeforeService => "cancelled_before_service",
            Self::Overpayment => "overpayment",
        }
    }

    /// Whether the customer owes what is given back no more. What was too much was never owed, and what is given back
    /// of it is not paid any more.
    pub fn waives(self) -> bool {
        match self {
            Self::Goodwill
            | Self::PriceAdjustment
            | Self::FullReversal
            | Self::TipOnly
            | Self::FeeOnly
            | Self::CancelledBeforeService => true,
            Self::Overpayment => false,
        }
    }

    /// Refuses parts that this kind does not give back.
    pub(super) fn check(self, parts: PaymentParts) -> Result<(), PaymentError> {
        let fits = match self {
            Self::TipOnly => parts.amount_cents.is_zero() && parts.fee_cents.is_zero(),
            Self::FeeOnly => parts.amount_cents.is_zero() && parts.tip_cents.is_zero(),
            Self::Goodwill
            | Self::PriceAdjustment
            | Self::FullReversal
            | Self::CancelledBeforeService
            | Self::Overpayment => true,
        };
        if fits {
            Ok(())
        } else {
            Err(PaymentError::OtherParts(self.as_str()))
        }
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Asked for; the money is not back yet.
    Pending,
    /// The money is back.
    Succeeded,
    /// The money did not go back: it is still the company's.
    Failed,
}

impl RefundState {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}
