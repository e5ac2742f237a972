//! Promo codes: what takes something off the price of a party, for whom, how often, and from when until when.

mod applied;
mod state;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::Refusal;
use crate::envelope::Claim;
use crate::ids::{CustomerId, StationId};
use crate::money::{Cents, RatePpm};

pub use applied::{AppliedPromo, CustomerHold, PromoAsked, PromoRefusal, PromoUses};
pub use state::PromoCode;

/// Scope of the claim on a code's text: no two codes of a company differ by upper and lower case alone.
pub const PROMO_CODE: &str = "promo_code";

crate::events! {
    /// What can happen to a promo code.
    pub enum PromoCodeEvent {
        "A promo code was made." Created(PromoCodeCreated) = "promo_code.created" v 1, claims;
        "The terms of a promo code changed; bookings keep those that they were made under." Changed(PromoCodeChanged) = "promo_code.changed" v 1;
        "A promo code was ended for good." Ended(PromoCodeEnded) = "promo_code.ended" v 1;
    }
}

/// What a promo code takes off food and service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// A share, half a cent rounded up.
    Percent {
        /// The share, above 0 and at most 1.
        rate_ppm: RatePpm,
    },
    /// An amount; all of the food and service where that is less.
    Fixed {
        /// Tax-inclusive, in cents, above 0.
        amount_cents: Cents,
    },
}

impl Discount {
    /// What it takes off a subtotal: never more than there is.
    pub fn on(self, subtotal: Cents) -> Cents {
        let off = match self {
            Self::Percent { rate_ppm } => subtotal.share(rate_ppm),
            Self::Fixed { amount_cents } => amount_cents,
        };
        off.min(subtotal).max(Cents::ZERO)
    }
}

/// Who may use a promo code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromoAudience {
    /// Everybody.
    Everybody,
    /// Who has no other booking that was held or is still to be held.
    NewCustomers,
}

/// What a promo code grants, and under which conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoTerms {
    /// What it takes off.
    pub discount: Discount,
    /// First instant at which a party can be requested with it, inclusive. The day of the event does not matter.
    pub starts_at: DateTime<Utc>,
    /// First instant at which that is over, exclusive; none while it has no end.
    pub ends_at: Option<DateTime<Utc>>,
    /// The least food and service, tax-inclusive, in cents; zero for none.
    pub minimum_cents: Cents,
    /// How many bookings may use it in all.
    pub limit_total: Option<i32>,
    /// How many bookings of one customer may.
    pub limit_per_customer: Option<i32>,
    /// Who may.
    pub audience: PromoAudience,
    /// Where; at every station where none is named.
    pub stations: Vec<StationId>,
    /// The only customer who may, whoever else knows the code: a coupon. None for a code of nobody in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

/// A promo code was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoCodeCreated {
    /// What customers type, as the company writes it.
    pub code: String,
    /// What it grants.
    pub terms: PromoTerms,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl PromoCodeCreated {
    fn claims(&self) -> Vec<Claim> {
        vec![Claim::TakeUnique {
            scope: PROMO_CODE.into(),
            key: fold_code(&self.code),
        }]
    }
}

/// The terms of a promo code changed. What bookings used of it so far counts towards new limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoCodeChanged {
    /// What it granted.
    pub before: PromoTerms,
    /// What it grants now.
    pub terms: PromoTerms,
    /// Why.
    pub reason: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// A promo code was ended for good. Its text stays taken: what customers still type says that it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoCodeEnded {
    /// Why.
    pub reason: String,
    /// When.
    pub ended_at: DateTime<Utc>,
}

/// What can be asked of a promo code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PromoCodeCommand {
    /// Make it.
    Create {
        /// What customers type; 3 to 40 letters, digits, hyphens and underscores.
        code: String,
        /// What it grants.
        terms: PromoTerms,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Let it grant something else from now on.
    Change {
        /// What it grants.
        terms: PromoTerms,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// End it.
    End {
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// The text of a code as it is compared: without spaces around it, in capitals.
pub fn fold_code(code: &str) -> String {
    code.trim().to_ascii_uppercase()
}

/// Whether a text can be a code's: 3 to 40 letters, digits, hyphens and underscores.
pub fn is_code(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (3..=40).contains(&text.len()) && text.bytes().all(fits)
}

/// Why a promo code cannot be made or changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromoCodeError {
    /// There is no such promo code.
    #[error("there is no such promo code")]
    NotFound,
    /// The id is taken.
    #[error("the promo code exists already")]
    Exists,
    /// Another code has the text.
    #[error("there is a promo code of that text already; upper and lower case are the same")]
    TextTaken,
    /// Not typeable.
    #[error("a promo code has 3 to 40 letters, digits, hyphens and underscores")]
    BadText,
    /// Nothing, or more than everything.
    #[error("a discount is above 0, and at most 100 % or {}", Cents::MAX_INPUT)]
    BadDiscount,
    /// Ends before it starts.
    #[error("a promo code ends after it starts, and after now")]
    BadWindow,
    /// Below one.
    #[error("a limit is at least 1")]
    BadLimit,
    /// Below zero, or beyond any input.
    #[error("a minimum is not negative, nor above {}", Cents::MAX_INPUT)]
    BadMinimum,
    /// Too many.
    #[error("a promo code names at most 100 stations, each once; none for all of them")]
    BadStations,
    /// A station that is not there.
    #[error("there is no such station")]
    StationNotFound,
    /// Somebody whose stations are not all of them.
    #[error("name the stations: this would hold at more than yours")]
    StationsRequired,
    /// Ended.
    #[error("the promo code was ended; make another")]
    Ended,
    /// It is so already.
    #[error("the promo code is so already: nothing would change")]
    Unchanged,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
}

impl Refusal for PromoCodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::StationNotFound => "NOT_FOUND",
            Self::Exists => "ALREADY_EXISTS",
            Self::TextTaken => "PROMO_CODE_TAKEN",
            Self::BadText => "INVALID_PROMO_CODE",
            Self::BadDiscount => "INVALID_DISCOUNT",
            Self::BadWindow => "INVALID_WINDOW",
            Self::BadLimit => "INVALID_LIMIT",
            Self::BadMinimum => "INVALID_AMOUNT",
            Self::BadStations => "INVALID_STATIONS",
            Self::StationsRequired => "STATIONS_REQUIRED",
            Self::Ended => "PROMO_ENDED",
            Self::Unchanged => "UNCHANGED",
            Self::BadReason => "INVALID_REASON",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::NotFound | Self::Ended => &["promoCodeId"],
            Self::Exists | Self::Unchanged => &[],
            Self::TextTaken | Self::BadText => &["code"],
            Self::BadDiscount => &["terms", "discount"],
            Self::BadWindow => &["terms", "endsAt"],
            Self::BadLimit => &["terms", "limit"],
            Self::BadMinimum => &["terms", "minimumMinor"],
            Self::BadStations | Self::StationNotFound | Self::StationsRequired => &["terms", "stationIds"],
            Self::BadReason => &["reason"],
        }
    }
}
