//! Why a price list refuses.

use crate::decider::Refusal;
use crate::money::Cents;

/// A row of a sheet that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line that it begins on, counted from 1.
    pub line: u64,
    /// Why.
    pub refused: PriceListError,
}

/// Why a price list refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceListError {
    /// The item is on the list already.
    #[error("the item {0} is on the price list already")]
    ItemExists(String),
    /// No such item, or it is retired.
    #[error("there is no item {0} on the price list")]
    ItemUnknown(String),
    /// Not usable in commands.
    #[error(
        "an item's name has 1 to 40 lower-case letters, digits and underscores, and its label 1 to 120 characters on one line"
    )]
    BadItem,
    /// Guests of a kind have one price.
    #[error("guests of this kind have a price already: {0}; change that one, or retire it from then on")]
    GuestsPriced(String),
    /// The lowest above the highest, or either of them no price.
    #[error(
        "the lowest price lies between 0 and the highest, which is at most {}",
        Cents::MAX_INPUT
    )]
    BadRange,
    /// Below zero.
    #[error("a price cannot be negative or above {}", Cents::MAX_INPUT)]
    BadPrice,
    /// Outside what was agreed for the item.
    #[error("the price must lie between {min} and {max}")]
    OutOfRange {
        /// Lowest allowed.
        min: Cents,
        /// Highest allowed.
        max: Cents,
    },
    /// More than half up or down.
    #[error("this changes the price by more than 50 % ({old} to {new}): confirm it")]
    ConfirmationRequired {
        /// Price in force right before the step.
        old: Cents,
        /// Price from the step on.
        new: Cents,
    },
    /// Two changes of one item at one instant.
    #[error("the price of this item already changes at that instant")]
    SameInstant,
    /// The past is not repriced.
    #[error("a price list does not change in the past: name an instant to come, or none for now")]
    InThePast,
    /// Further ahead than anybody plans.
    #[error("a price list changes at most {} years ahead", PriceListError::YEARS_AHEAD)]
    TooFarAhead,
    /// The price is that already.
    #[error("the price is {0} already")]
    Unchanged(Cents),
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// No change, or one beyond any price.
    #[error(
        "prices change by -100 % to 100 %, or by an amount of at most {}, and not by nothing",
        Cents::MAX_INPUT
    )]
    BadAdjustment,
    /// Rounded to what is no price.
    #[error("prices are rounded to a multiple of 0.01 to 100.00")]
    BadRounding,
    /// One of many that cannot change so: none does.
    #[error("{item}: {refused}")]
    OfItem {
        /// Whose price.
        item: String,
        /// Why.
        refused: Box<PriceListError>,
    },
    /// All is so already.
    #[error("every price is so already: nothing would change")]
    NothingChanges,
    /// A known item of another description.
    #[error(
        "the item {0} is on the price list with another label, kind, or lowest or highest price; those stay"
    )]
    ItemDiffers(String),
    /// Rows of a sheet that cannot be: none is taken over.
    #[error("{}", bad_rows(.0))]
    BadRows(Vec<BadRow>),
    /// Negative or contradictory terms, with the field that they are named by.
    #[error("{} is not possible: amounts, miles and hours are not negative, shares lie between 0 and 1, a deposit is due \
        in 1 to 8,760 hours, and no trip is longer than the longest", .0.last().copied().unwrap_or_default())]
    BadTerms(&'static [&'static str]),
}

impl PriceListError {
    /// How many years ahead a price list changes at most.
    pub const YEARS_AHEAD: u32 = 10;
}

/// The bad rows in a sentence: the first, and how many there are.
fn bad_rows(rows: &[BadRow]) -> String {
    let first = rows
        .first()
        .map(|row| format!("line {}: {}", row.line, row.refused));
    match rows.len() {
        0 | 1 => first.unwrap_or_default(),
        more => format!("{} (and {} more)", first.unwrap_or_default(), more - 1),
    }
}

impl Refusal for PriceListError {
    fn code(&self) -> &'static str {
        match self {
            Self::ItemExists(_) => "ITEM_EXISTS",
            Self::ItemUnknown(_) => "ITEM_UNKNOWN",
            Self::BadItem => "INVALID_ITEM",
            Self::GuestsPriced(_) => "GUESTS_PRICED",
            Self::BadRange => "INVALID_RANGE",
            Self::BadPrice => "INVALID_AMOUNT",
            Self::OutOfRange { .. } => "PRICE_OUT_OF_RANGE",
            Self::ConfirmationRequired { .. } => "CONFIRMATION_REQUIRED",
            Self::SameInstant => "PRICE_CHANGE_AT_SAME_INSTANT",
            Self::InThePast => "EFFECTIVE_IN_PAST",
            Self::TooFarAhead => "EFFECTIVE_TOO_FAR",
            Self::Unchanged(_) => "PRICE_UNCHANGED",
            Self::BadReason => "INVALID_REASON",
            Self::BadAdjustment => "INVALID_ADJUSTMENT",
            Self::BadRounding => "INVALID_ROUNDING",
            Self::OfItem { refused, .. } => refused.code(),
            Self::NothingChanges => "UNCHANGED",
            Self::ItemDiffers(_) => "ITEM_DIFFERS",
            Self::BadRows(_) => "INVALID_ROWS",
            Self::BadTerms(_) => "INVALID_TERMS",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::ItemExists(_) | Self::ItemUnknown(_) | Self::BadItem => &["item"],
            Self::BadPrice | Self::OutOfRange { .. } | Self::Unchanged(_) => &["priceMinor"],
            Self::ConfirmationRequired { .. } => &["confirm"],
            Self::SameInstant | Self::InThePast | Self::TooFarAhead => &["effectiveFrom"],
            Self::GuestsPriced(_) => &["kind"],
            Self::BadRange => &["minMinor"],
            Self::BadReason => &["reason"],
            Self::BadAdjustment => &["by"],
            Self::BadRounding => &["roundToMinor"],
            // One of many: its price and name are among the items, all else is said once for all of them.
            Self::OfItem { refused, .. } => match refused.field() {
                ["item" | "priceMinor" | "csv"] => &["items"],
                field => field,
            },
            Self::NothingChanges => &[],
            Self::ItemDiffers(_) => &["item"],
            Self::BadRows(_) => &["csv"],
            Self::BadTerms(field) => field,
        }
    }
}
