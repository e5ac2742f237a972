//! Money that people send or hand over: claimed, and then found or not.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{nothing, release, take};
use crate::envelope::Claim;
use crate::ids::UserId;
use crate::money::Cents;
use crate::payment::{PAYMENT_REFERENCE, PaidBooking, PaymentKind, PaymentMethod, TipChoice};

/// Somebody says that money was sent or handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentClaimed {
    /// What for.
    pub booking: PaidBooking,
    /// What it is.
    pub kind: PaymentKind,
    /// How it moved.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// How the tip was chosen, where that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip_choice: Option<TipChoice>,
    /// What the bank or the receipt calls it.
    pub reference: Option<String>,
    /// The key that the payment holds for its reference; absent from events of programs that did not hold one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_key: Option<String>,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
}

impl PaymentClaimed {
    pub(super) fn claims(&self) -> Vec<Claim> {
        take(PAYMENT_REFERENCE, self.reference_key.as_ref())
    }
}

/// What shows that claimed money is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Somebody has written down what was looked at.
    Note,
    /// The bank or the receipt has a reference for it.
    Reference,
    /// A notification of a bank tells of it: the item of the work queue that it was filed as.
    BankMail(crate::ids::WorkItemId),
    /// Somebody has the money in hand.
    InHand,
}

/// The money was found: it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVerified {
    /// What for.
    pub booking: PaidBooking,
    /// What it is; absent from events of programs that did not write it, where the claim tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PaymentKind>,
    /// How it moved.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// Card fee on top, in cents: nothing, since no card was charged.
    #[serde(default, skip_serializing_if = "nothing")]
    pub fee_cents: Cents,
    /// How the tip was chosen, where that was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip_choice: Option<TipChoice>,
    /// What was looked at.
    pub note: Option<String>,
    /// What the bank or the receipt calls it, where the claim did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The key that the payment holds for that reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_key: Option<String>,
    /// What shows it; absent from events of programs that did not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Who found it: a void takes another person. Absent from events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<UserId>,
    /// When it was found.
    pub verified_at: DateTime<Utc>,
}

impl PaymentVerified {
    pub(super) fn claims(&self) -> Vec<Claim> {
        take(PAYMENT_REFERENCE, self.reference_key.as_ref())
    }
}

/// The money was not found: it does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRejected {
    /// What for.
    pub booking: PaidBooking,
    /// What was looked at.
    pub note: Option<String>,
    /// The key of its reference, which another payment may hold from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_key: Option<String>,
    /// When it was given up.
    pub rejected_at: DateTime<Utc>,
}

impl PaymentRejected {
    pub(super) fn claims(&self) -> Vec<Claim> {
        release(PAYMENT_REFERENCE, self.reference_key.as_ref())
    }
}

/// Money that was found is not there after all: it does not count any more. Never of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentVoided {
    /// What for.
    pub booking: PaidBooking,
    /// What it was.
    pub kind: PaymentKind,
    /// How it was said to have moved.
    pub method: PaymentMethod,
    /// What had counted towards the price, in cents; positive.
    pub amount_cents: Cents,
    /// What had counted as tip, in cents; positive.
    pub tip_cents: Cents,
    /// What had counted as card fee, in cents: nothing.
    pub fee_cents: Cents,
    /// Why.
    pub reason: String,
    /// Who said so: not who had found it.
    pub voided_by: UserId,
    /// The key of its reference, which another payment may hold from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_key: Option<String>,
    /// When.
    pub voided_at: DateTime<Utc>,
}

impl PaymentVoided {
    pub(super) fn claims(&self) -> Vec<Claim> {
        release(PAYMENT_REFERENCE, self.reference_key.as_ref())
    }
}
