//! What happens to a payment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    PAYMENT_REFERENCE, PaidBooking, PaymentKind, PaymentMethod, PaymentParts, RefundKind, STRIPE_EVENT,
    STRIPE_INTENT, TipChoice,
};
use crate::envelope::Claim;
use crate::ids::{RefundId, UserId};
use crate::money::{Cents, RatePpm};

crate::events! {
    /// What can happen to a payment.
    pub enum PaymentEvent {
        "Somebody says that money was sent or handed over." Claimed(PaymentClaimed) = "payment.claimed" v 1, claims;
        "The money was found: it counts." Verified(PaymentVerified) = "payment.verified" v 1, claims;
        "The money was not found: it does not count." Rejected(PaymentRejected) = "payment.rejected" v 1, claims;
        "Money that was found is not there after all: it does not count any more." Voided(PaymentVoided) = "payment.voided" v 1, claims;
        "A card may be charged: the provider waits for the customer." IntentCreated(PaymentIntentCreated) = "payment.intent_created" v 1, claims;
        "The card is being charged." Processing(PaymentProcessing) = "payment.processing" v 1, claims;
        "The card was charged: the money counts." Succeeded(PaymentSucceeded) = "payment.succeeded" v 1, claims;
        "The card was not charged; the customer may try again." Failed(PaymentFailed) = "payment.failed" v 1, claims;
        "Money is to be given back." RefundRequested(PaymentRefundRequested) = "payment.refund_requested" v 1, claims;
        "Money was given back." RefundSucceeded(PaymentRefundSucceeded) = "payment.refund_succeeded" v 1, claims;
        "Money was not given back." RefundFailed(PaymentRefundFailed) = "payment.refund_failed" v 1, claims;
        "The customer's bank wants money back." DisputeOpened(PaymentDisputeOpened) = "payment.dispute_opened" v 1, claims;
        "The customer's bank has decided." DisputeClosed(PaymentDisputeClosed) = "payment.dispute_closed" v 1, claims;
    }
}

fn nothing(cents: &Cents) -> bool {
    cents.is_zero()
}

fn take(scope: &'static str, key: Option<&String>) -> Vec<Claim> {
    let taken = key.map(|key| Claim::TakeUnique {
        scope: scope.into(),
        key: key.clone(),
    });
    taken.into_iter().collect()
}

fn release(scope: &'static str, key: Option<&String>) -> Vec<Claim> {
    let released = key.map(|key| Claim::ReleaseUnique {
        scope: scope.into(),
        key: key.clone(),
    });
    released.into_iter().collect()
}

/// The parts of an event's money.
macro_rules! parts {
    ($( $event:ty; )+) => { $(
        impl $event {
            /// Its money, part by part.
            pub fn parts(&self) -> PaymentParts {
                PaymentParts {
                    amount_cents: self.amount_cents,
                    tip_cents: self.tip_cents,
                    fee_cents: self.fee_cents,
                }
            }
        }
    )+ };
}

parts! {
    PaymentVerified;
    PaymentVoided;
    PaymentIntentCreated;
    PaymentSucceeded;
    PaymentRefundRequested;
    PaymentRefundSucceeded;
    PaymentRefundFailed;
    PaymentDisputeOpened;
    PaymentDisputeClosed;
}

/// What is told by one event of the provider at most.
macro_rules! heard_once {
    ($( $event:ty; )+) => { $(
        impl $event {
            fn claims(&self) -> Vec<Claim> {
                take(STRIPE_EVENT, self.provider_event.as_ref())
            }
        }
    )+ };
}

heard_once! {
    PaymentProcessing;
    PaymentSucceeded;
    PaymentFailed;
    PaymentRefundRequested;
    PaymentRefundSucceeded;
    PaymentRefundFailed;
    PaymentDisputeOpened;
    PaymentDisputeClosed;
}

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
    fn claims(&self) -> Vec<Claim> {
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
    fn claims(&self) -> Vec<Claim> {
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
    fn claims(&self) -> Vec<Claim> {
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
    fn claims(&self) -> Vec<Claim> {
        release(PAYMENT_REFERENCE, self.reference_key.as_ref())
    }
}

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
    fn claims(&self) -> Vec<Claim> {
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

impl PaymentEvent {
    /// The booking that the money belongs to.
    pub fn booking(&self) -> &PaidBooking {
        match self {
            Self::Claimed(event) => &event.booking,
            Self::Verified(event) => &event.booking,
            Self::Rejected(event) => &event.booking,
            Self::Voided(event) => &event.booking,
            Self::IntentCreated(event) => &event.booking,
            Self::Processing(event) => &event.booking,
            Self::Succeeded(event) => &event.booking,
            Self::Failed(event) => &event.booking,
            Self::RefundRequested(event) => &event.booking,
            Self::RefundSucceeded(event) => &event.booking,
            Self::RefundFailed(event) => &event.booking,
            Self::DisputeOpened(event) => &event.booking,
            Self::DisputeClosed(event) => &event.booking,
        }
    }
}
