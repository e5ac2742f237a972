//! What happens to a booking's tax: where it belongs, and what is added to it after the party was held.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, PaymentId, StationId};
use crate::money::Cents;
use crate::payment::{PaymentMethod, RefundKind, TipChoice};
use crate::tax_account::{KeptMoney, TaxFigures};
use crate::tax_rate::TaxPlace;

/// Why a booking's tax belongs elsewhere than was thought, or at another rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxPlaceBecause {
    /// Somebody looked at the address.
    SetByHand,
    /// The rates that were loaded when the party was held say so.
    RatesAtCompletion,
    /// The rates that are loaded by now say so.
    RatesLoaded,
    /// The rates of the day on which the party was called off say so: what is kept of it is a sale.
    RatesAtCancellation,
}

impl TaxPlaceBecause {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetByHand => "by hand",
            Self::RatesAtCompletion => "by the rates at completion",
            Self::RatesLoaded => "by the rates loaded since",
            Self::RatesAtCancellation => "by the rates at cancellation",
        }
    }
}

/// The place that a booking's tax belongs to, or its rate, is another than was thought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingTaxPlaceSet {
    /// The station that serves.
    pub station_id: StationId,
    /// What was thought.
    pub before: TaxPlace,
    /// What is so.
    pub tax_place: TaxPlace,
    /// How that is known.
    pub because: TaxPlaceBecause,
    /// Why, in the words of whoever set it.
    pub reason: Option<String>,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// What sort of fact adds to a booking's tax after the party was held, or called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxAdjustment {
    /// A card fee was paid.
    CardFee,
    /// A tip was paid.
    Tip,
    /// Money was given back.
    Refund,
    /// Money that was said to be given back was not.
    RefundFailed,
    /// A tip or a card fee had not come in after all.
    Void,
    /// What was owed at a place, or at a rate, that proved wrong is taken back.
    CorrectedFrom,
    /// It is owed at this place, or at this rate.
    CorrectedTo,
    /// Money was kept of a party that was called off, which the company has chosen to be a sale.
    KeptDeposit,
}

/// The movement of money behind an adjustment. All amounts are positive, in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxedPayment {
    /// The payment's event.
    pub cause: EventId,
    /// The payment.
    pub payment_id: PaymentId,
    /// How the money moved.
    pub method: PaymentMethod,
    /// Of the price.
    pub amount_cents: Cents,
    /// Of a tip.
    pub tip_cents: Cents,
    /// Of a card fee.
    pub fee_cents: Cents,
    /// How much of a tip or card fee that came in is not taxed.
    pub untaxed_cents: Cents,
    /// How the customer chose the tip, where the record shows it (Pub. 115).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip_choice: Option<TipChoice>,
    /// The refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_id: Option<String>,
    /// What the refund is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_kind: Option<RefundKind>,
}

/// A fact after the party was held adds to its tax, or takes from it; or one after it was called off, where what is kept
/// is a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingTaxAdjusted {
    /// The station that served.
    pub station_id: StationId,
    /// Number of the booking.
    pub number: String,
    /// Local date of the event.
    pub event_on: NaiveDate,
    /// Local day that the line belongs to: the event's, or a later one where that is closed or the fact is a refund.
    pub tax_on: NaiveDate,
    /// What sort of fact.
    pub kind: TaxAdjustment,
    /// The place and rate that the figures are of.
    pub tax_place: TaxPlace,
    /// ZIP of the venue.
    pub venue_zip: String,
    /// City of the venue as written.
    pub venue_city: String,
    /// County of the venue by its ZIP.
    pub venue_county: String,
    /// What the fact adds.
    pub figures: TaxFigures,
    /// Parties that a correction's line counts at its place: of one over several days a single line counts the party.
    /// Absent from other lines, which count none, and from events of programs that did not write it: there each line of a
    /// correction counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parties: Option<i32>,
    /// Of a party that was called off, what was known of its money then; absent for one that was held, and from corrections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptMoney>,
    /// The movement of money behind it; none for a correction, and for what had come by the time a party was called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<TaxedPayment>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was put on record.
    pub adjusted_at: DateTime<Utc>,
}
