//! Price lists: what a station charges, from when, and the terms it books under. Prices include tax.

mod error;
mod state;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::charges;
use crate::money::{Cents, RatePpm};

pub use error::{BadRow, PriceListError};
pub use state::{Adjustment, BulkChange, PriceList, PricedItem, ProposedPrice};

crate::events! {
    /// What can happen to a station's price list.
    pub enum PriceListEvent {
        "Something came on offer." ItemAdded(ItemAdded) = "price_list.item_added" v 1;
        "A price changed, or will." PriceChanged(PriceChanged) = "price_list.price_changed" v 1;
        "Something went off offer." ItemRetired(ItemRetired) = "price_list.item_retired" v 1;
        "How travel is charged was set." TravelBandSet(TravelBandSet) = "price_list.travel_band_set" v 1;
        "The least that a booking costs was set." MinimumSet(MinimumSet) = "price_list.minimum_set" v 1;
        "The terms of booking were set." PolicySet(BookingPolicy) = "price_list.policy_set" v 1;
    }
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Each adult.
    Adult,
    /// Each child of 6 to 12.
    Child,
    /// Each unit of something extra.
    AddOn,
}

/// Something came on offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAdded {
    /// Stable name in commands, `adult`.
    pub item: String,
    /// Name for customers.
    pub label: String,
    /// What the price is for.
    pub kind: ItemKind,
    /// Tax-inclusive price of one, in cents.
    pub price_cents: Cents,
    /// The lowest that it may become.
    pub min_cents: Cents,
    /// The highest that it may become.
    pub max_cents: Cents,
    /// From when it is on offer, inclusive.
    pub effective_from: DateTime<Utc>,
}

/// A price changed, or will.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChanged {
    /// Whose price.
    pub item: String,
    /// Tax-inclusive price in force right before, in cents.
    pub old_cents: Cents,
    /// Tax-inclusive price from then on, in cents.
    pub new_cents: Cents,
    /// From when, inclusive.
    pub effective_from: DateTime<Utc>,
    /// Why, in the words of whoever changed it.
    pub reason: String,
}

/// Something went off offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemRetired {
    /// What.
    pub item: String,
    /// From when it can no longer be quoted, inclusive.
    pub effective_from: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// How travel is charged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TravelBandSet {
    /// Miles from the station that cost nothing.
    pub free_miles: i64,
    /// Tax-inclusive price of each started mile beyond, in cents.
    pub per_mile_cents: Cents,
    /// Miles beyond which the company does not go.
    pub max_miles: i64,
    /// What held until then; none where nothing was set, and in events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<TravelBandSet>>,
}

/// The least that a booking costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinimumSet {
    /// Monday to Thursday, tax-inclusive, in cents.
    pub weekday_cents: Cents,
    /// Friday to Sunday, tax-inclusive, in cents.
    pub weekend_cents: Cents,
    /// What happens to a smaller party.
    pub below: BelowMinimum,
    /// What held until then; none where nothing was set, and in events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<MinimumSet>>,
}

/// What happens to a party below the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BelowMinimum {
    /// A line of its own lifts it to the minimum.
    TopUp,
    /// It is refused.
    Refuse,
}

/// The terms of booking, fixed in each booking when it is requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingPolicy {
    /// Deposit in cents; the whole total where that is less.
    pub deposit_cents: Cents,
    /// Hours after the request until the deposit is due.
    pub deposit_due_hours: i64,
    /// Mandatory gratuity on food and service.
    pub gratuity: Option<MandatoryGratuity>,
    /// What is given back on cancellation, the earliest tier first.
    pub cancellation_tiers: Vec<CancellationTier>,
    /// How a booking may be changed.
    #[serde(default, skip_serializing_if = "ChangePolicy::is_default")]
    pub changes: ChangePolicy,
    /// What paying by card costs, as a share of price and tip.
    #[serde(
        default = "charges::usual_card_fee",
        skip_serializing_if = "charges::is_usual_card_fee"
    )]
    pub card_fee_ppm: RatePpm,
    /// What held until then; none where nothing was set, and in events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<BookingPolicy>>,
}

/// How a booking may be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePolicy {
    /// How often it is moved to another time or place for nothing.
    pub free_reschedules: i32,
    /// Hours before the start until which that is so.
    pub free_hours_before: i64,
    /// What moving it costs otherwise, tax-inclusive, in cents; refused where absent.
    pub reschedule_fee_cents: Option<Cents>,
    /// Hours before the start from when only staff changes it, with a reason.
    pub locked_hours_before: i64,
    /// Which prices a change is priced at.
    pub prices: PricesOfChange,
}

/// Which prices a change of a booking is priced at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricesOfChange {
    /// Those that it was requested at.
    AsRequested,
    /// Those in force when it is changed.
    Current,
}

impl Default for ChangePolicy {
    /// Moved once for nothing until 15 days before, then for $50; locked 72 hours before; at the prices of the request.
    fn default() -> Self {
        Self {
            free_reschedules: 1,
            free_hours_before: 360,
            reschedule_fee_cents: Some(Cents(5_000)),
            locked_hours_before: 72,
            prices: PricesOfChange::AsRequested,
        }
    }
}

impl ChangePolicy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A gratuity that large parties pay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandatoryGratuity {
    /// From how many guests, inclusive.
    pub from_guests: i32,
    /// Share of the food and service.
    pub rate_ppm: RatePpm,
}

/// What is given back to who cancels this early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationTier {
    /// At least so many hours before the start.
    pub hours_before: i64,
    /// Share of what was paid beyond the deposit.
    pub refund_ppm: RatePpm,
    /// Whether the deposit is given back too.
    pub deposit_back: DepositBack,
}

/// Whether a deposit is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositBack {
    /// The company keeps it.
    Kept,
    /// The customer gets it back.
    Returned,
}

impl Default for BookingPolicy {
    /// $100 deposit within 24 hours, kept; the balance back until a week before, half of it until three days.
    fn default() -> Self {
        let tier = |hours_before, refund_ppm, deposit_back| CancellationTier {
            hours_before,
            refund_ppm: RatePpm(refund_ppm),
            deposit_back,
        };
        Self {
            deposit_cents: Cents(10_000),
            deposit_due_hours: 24,
            gratuity: None,
            before: None,
            cancellation_tiers: vec![
                tier(360, 1_000_000, DepositBack::Returned),
                tier(168, 1_000_000, DepositBack::Kept),
                tier(72, 500_000, DepositBack::Kept),
            ],
            changes: ChangePolicy::default(),
            card_fee_ppm: charges::USUAL_CARD_FEE,
        }
    }
}

impl BookingPolicy {
    /// The tier that a cancellation so many hours before the start falls into; none means nothing is given back.
    pub fn tier(&self, hours_before: i64) -> Option<&CancellationTier> {
        self.cancellation_tiers
            .iter()
            .filter(|tier| hours_before >= tier.hours_before)
            .max_by_key(|tier| tier.hours_before)
    }
}

/// What can be asked of a price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PriceListCommand {
    /// Put something on offer.
    AddItem {
        /// What, from `now` on or later.
        added: ItemAdded,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Change a price.
    ChangePrice {
        /// Whose price.
        item: String,
        /// New tax-inclusive price in cents.
        price_cents: Cents,
        /// From when, inclusive; not before `now`.
        effective_from: DateTime<Utc>,
        /// Why; 3 to 500 characters.
        reason: String,
        /// Whether a change of more than half was confirmed.
        confirmation: Confirmation,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Change many prices, or none of them.
    ChangeMany(BulkChange),
    /// Take a sheet over, every row or none.
    Import(ImportSheet),
    /// Take something off offer.
    RetireItem {
        /// What, from `now` on or later.
        retired: ItemRetired,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Set how travel is charged.
    SetTravelBand(TravelBandSet),
    /// Set the least that a booking costs.
    SetMinimum(MinimumSet),
    /// Set the terms of booking.
    SetPolicy(BookingPolicy),
}

/// A price of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetRow {
    /// Line that it begins on, counted from 1; 0 for a row that was not read.
    pub line: u64,
    /// Stable name.
    pub item: String,
    /// Name for customers.
    pub label: String,
    /// What the price is for.
    pub kind: ItemKind,
    /// Tax-inclusive price of one, in cents.
    pub price_cents: Cents,
    /// The lowest that it may become.
    pub min_cents: Cents,
    /// The highest that it may become.
    pub max_cents: Cents,
    /// From when, inclusive; none for a price that is in force, or will be as soon as the sheet is read.
    pub effective_from: Option<DateTime<Utc>>,
}

/// A sheet to take over. Items that it does not name stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportSheet {
    /// Its rows, in their order.
    pub rows: Vec<SheetRow>,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// Whether changes of more than half were confirmed.
    pub confirmation: Confirmation,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// Whether somebody said yes a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// Not yet.
    NotGiven,
    /// Yes.
    Given,
}
