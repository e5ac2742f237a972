//! What happens to a payment.

mod by_hand;
mod card;
mod dispute;
mod refund;

use super::{PaidBooking, PaymentParts, STRIPE_EVENT};
use crate::envelope::Claim;
use crate::money::Cents;

pub use by_hand::{Evidence, PaymentClaimed, PaymentRejected, PaymentVerified, PaymentVoided};
pub use card::{PaymentFailed, PaymentIntentCreated, PaymentProcessing, PaymentSucceeded};
pub use dispute::{DisputeOutcome, PaymentDisputeClosed, PaymentDisputeOpened};
pub use refund::{PaymentRefundFailed, PaymentRefundRequested, PaymentRefundSucceeded, RefundWas};

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
