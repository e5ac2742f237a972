//! Payments: one stream per movement of money. Only what was verified or captured counts.

mod effect;
mod error;
mod event;
mod proposal;
mod provider;
mod refund;
mod rules;
mod state;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{BookingId, RefundId, StationId, UserId};
use crate::money::{Cents, RatePpm};
use crate::tax_rate::Jurisdiction;

pub use effect::BookingMoney;
pub use error::PaymentError;
pub use event::{
    DisputeOutcome, Evidence, PaymentClaimed, PaymentDisputeClosed, PaymentDisputeOpened, PaymentEvent,
    PaymentFailed, PaymentIntentCreated, PaymentProcessing, PaymentRefundFailed, PaymentRefundRequested,
    PaymentRefundSucceeded, PaymentRejected, PaymentSucceeded, PaymentVerified, PaymentVoided, RefundWas,
};
pub use provider::{ProviderFact, ProviderNotice, ProviderRefund, RefundSeen};
pub use refund::{RefundKind, RefundState};
pub use state::{Dispute, DisputeState, Payment, PaymentStatus, Refund, Terms};

/// Under which a payment holds the provider's id of its intent.
pub const STRIPE_INTENT: &str = "stripe.intent";
/// Under which a stream holds the provider's event that it was told by: each is heard once.
pub const STRIPE_EVENT: &str = "stripe.event";
/// Under which a payment holds what the bank or the receipt calls it.
pub const PAYMENT_REFERENCE: &str = "payment.reference";

/// The word for why a card was not charged that ends it: nobody can pay it any more.
pub const CANCELED: &str = "canceled";

/// What a payment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// The deposit that confirms.
    Deposit,
    /// What is left of the price.
    Balance,
    /// A voluntary tip and nothing else.
    Tip,
    /// Anything else towards the booking.
    Other,
}

impl PaymentKind {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Balance => "balance",
            Self::Tip => "tip",
            Self::Other => "other",
        }
    }
}

/// How money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// A card, through the payment provider.
    Card,
    /// Zelle, bank to bank.
    Zelle,
    /// Venmo.
    Venmo,
    /// Cash in hand.
    Cash,
}

impl PaymentMethod {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Zelle => "zelle",
            Self::Venmo => "venmo",
            Self::Cash => "cash",
        }
    }

    /// The key under which a payment of this method holds a reference: its letters and digits, so that spaces, dashes
    /// and case make no other one. None for a text without any.
    pub fn reference_key(self, reference: &str) -> Option<String> {
        let letters: String = reference
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect();
        (!letters.is_empty()).then(|| format!("{}:{letters}", self.as_str()))
    }
}

/// The booking that money belongs to, as far as readers of payments need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidBooking {
    /// The booking.
    pub booking_id: BookingId,
    /// Its number.
    pub number: String,
    /// Its station.
    pub station_id: StationId,
    /// Local date of its event.
    pub event_on: NaiveDate,
    /// Where its tax belongs.
    pub jurisdiction: Jurisdiction,
    /// Rate in millionths, where one is known.
    pub rate_ppm: Option<RatePpm>,
}

/// How a customer came to choose a tip: what shows that it was voluntary (CDTFA Publication 115).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipChoice {
    /// When it was chosen.
    pub chosen_at: DateTime<Utc>,
    /// On which screen or paper.
    pub screen: String,
    /// Whether an amount stood there before the customer chose one.
    pub preselected: bool,
}

/// The parts of an amount of money: towards the price, tip and card fee. None is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentParts {
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip, in cents.
    pub tip_cents: Cents,
    /// Card fee, in cents.
    pub fee_cents: Cents,
}

impl PaymentParts {
    /// Nothing.
    pub const ZERO: Self = Self {
        amount_cents: Cents::ZERO,
        tip_cents: Cents::ZERO,
        fee_cents: Cents::ZERO,
    };

    /// All of it, in cents.
    pub fn total(self) -> Cents {
        self.amount_cents + self.tip_cents + self.fee_cents
    }

    /// Whether each part holds that part of another.
    pub fn covers(self, other: Self) -> bool {
        self.amount_cents >= other.amount_cents
            && self.tip_cents >= other.tip_cents
            && self.fee_cents >= other.fee_cents
    }

    /// Part by part with another's.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            amount_cents: self.amount_cents + other.amount_cents,
            tip_cents: self.tip_cents + other.tip_cents,
            fee_cents: self.fee_cents + other.fee_cents,
        }
    }

    /// Part by part without another's; nothing where that is more.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        let less = |mine: Cents, other: Cents| (mine - other).max(Cents::ZERO);
        Self {
            amount_cents: less(self.amount_cents, other.amount_cents),
            tip_cents: less(self.tip_cents, other.tip_cents),
            fee_cents: less(self.fee_cents, other.fee_cents),
        }
    }

    /// These parts without another's sum: part by part, and what of a part there is not enough of from the others, the
    /// price first, then the fee, then the tip; nothing where that is more.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        let left = self.less(other);
        let missing = other.total() - (self.total() - left.total());
        left.less(left.allocate(missing))
    }

    /// An amount laid over these parts: the price first, then the fee, then the tip, and what is left over on the price.
    #[must_use]
    pub fn allocate(self, total: Cents) -> Self {
        let total = total.max(Cents::ZERO);
        let price = total.min(self.amount_cents);
        let fee = (total - price).min(self.fee_cents);
        let tip = (total - price - fee).min(self.tip_cents);
        Self {
            amount_cents: total - fee - tip,
            tip_cents: tip,
            fee_cents: fee,
        }
    }
}

/// What can be asked of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PaymentCommand {
    /// Let a card be charged: the provider has made an intent.
    CreateIntent(PaymentIntentCreated),
    /// Say that money was sent or handed over.
    Record(PaymentClaimed),
    /// Say whether it was found.
    Verify(VerifyPayment),
    /// Say that money that was found is not there after all.
    Void {
        /// Why; 3 to 500 characters.
        reason: String,
        /// Who says so; none for the program, which may not.
        by: Option<UserId>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Give money back.
    RequestRefund(RequestRefund),
    /// Say what became of a refund.
    SettleRefund {
        /// Which one.
        refund_id: RefundId,
        /// What became of it.
        seen: RefundSeen,
        /// How the provider, or the bank, calls it.
        provider_ref: Option<String>,
        /// Who says so.
        by: SettledBy,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Hear what the provider says.
    Hear(ProviderNotice),
}

/// A verdict on claimed money, with what was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyPayment {
    /// Found or not.
    pub verdict: Verdict,
    /// What was looked at; at most 500 characters.
    pub note: Option<String>,
    /// What the bank or the receipt calls it, where the claim did not say; at most 200 characters.
    pub reference: Option<String>,
    /// A bank's notification that tells of it.
    pub mail: Option<Evidence>,
    /// Who says so; none for the program.
    pub by: Option<UserId>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// Money to be given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRefund {
    /// The new refund's id.
    pub refund_id: RefundId,
    /// Why, as the tax sees it.
    pub kind: RefundKind,
    /// What of the payment.
    pub parts: PaymentParts,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// What may be given back of one payment in all by whoever asks; none for no limit.
    pub limit: Option<Cents>,
    /// Whether the money has been handed over or sent already; never of a card, which the provider does.
    pub handed_over: HandedOver,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// Whether money that is given back has been handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum HandedOver {
    /// It has.
    Already,
    /// Somebody is still to do it.
    NotYet,
}

/// Who knows what became of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum SettledBy {
    /// The payment provider.
    Provider,
    /// A person who sent the money, or could not.
    Person,
}

/// Whether claimed money was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is there.
    Accept,
    /// It is not.
    Reject,
}

#[cfg(test)]
mod tests;
