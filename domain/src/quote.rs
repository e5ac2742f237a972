//! Quotes: what a party costs, line by line. Pure and deterministic; prices include tax.

mod discount;

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::decider::Refusal;
use crate::guests::{BadGuests, Guests};
use crate::money::Cents;
use crate::place::Travel;
use crate::price_list::{BelowMinimum, ItemKind, PriceList};

pub use discount::{discount_of, food_and_service};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteRequest {
    /// The party.
    pub guests: Guests,
    /// Extras.
    pub add_ons: Vec<AddOn>,
    /// Local date of the event: weekends have their own minimum.
    pub event_on: NaiveDate,
    /// The way to the venue.
    pub travel: Travel,
    /// Prices in force at this instant are used.
    pub asked_at: DateTime<Utc>,
}

/// An extra and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddOn {
    /// Name on the price list.
    pub item: String,
    /// How many.
    pub quantity: i32,
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Guests.
    Guests,
    /// An extra.
    AddOn,
    /// What lifts a small party to the minimum.
    Minimum,
    /// The way to the venue.
    Travel,
    /// The gratuity that large parties pay.
    Gratuity,
    /// What moving the booking cost.
    Reschedule,
    /// What a promo code takes off: a negative line.
    Discount,
}

/// One line of a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// What the line is for.
    pub kind: LineKind,
    /// Name on the price list, or of the charge.
    pub item: String,
    /// Name for customers.
    pub label: String,
    /// How many.
    pub quantity: i32,
    /// Tax-inclusive price of one, in cents.
    pub unit_cents: Cents,
    /// Tax-inclusive price of all, in cents.
    pub total_cents: Cents,
}

/// What a party costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Every line; they sum to the total.
    pub lines: Vec<QuoteLine>,
    /// What a promo code takes off, in cents: the negative of its line.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub discount_cents: Cents,
    /// Tax-inclusive total in cents, the discount taken off.
    pub total_cents: Cents,
    /// Deposit in cents, part of the total.
    pub deposit_cents: Cents,
    /// Version of the price list that was used.
    pub price_list_version: i64,
}

impl Quote {
    /// The sum of the lines of one kind, in cents.
    pub fn sum_of(&self, kind: LineKind) -> Cents {
        self.lines
            .iter()
            .filter(|line| line.kind == kind)
            .map(|line| line.total_cents)
            .sum()
    }
}

fn is_nothing(amount: &Cents) -> bool {
    amount.is_zero()
}

/// Why there is no quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// A party that cannot be.
    #[error(transparent)]
    Guests(#[from] BadGuests),
    /// The station has no price for guests.
    #[error("the station has no price for {0} at this time")]
    NoPrice(&'static str),
    /// No such extra.
    #[error("there is no add-on {0} on the price list")]
    AddOnUnknown(String),
    /// None, or too many.
    #[error("an add-on's quantity is 1 to 1,000, and each add-on is named once")]
    BadQuantity,
    /// Further than the company goes.
    #[error("the venue is {miles} miles away; the station goes {max_miles} miles")]
    OutOfArea {
        /// Started miles to the venue.
        miles: i64,
        /// How far the station goes.
        max_miles: i64,
    },
    /// A small party, and the company refuses those.
    #[error("a booking on this day costs at least {minimum}; this one comes to {total}")]
    BelowMinimum {
        /// The least.
        minimum: Cents,
        /// What it comes to.
        total: Cents,
    },
}

impl Refusal for QuoteError {
    fn code(&self) -> &'static str {
        match self {
            Self::Guests(BadGuests::Nobody) => "GUESTS_REQUIRED",
            Self::Guests(BadGuests::Negative) => "INVALID_GUESTS",
            Self::Guests(BadGuests::TooMany) => "TOO_MANY_GUESTS",
            Self::NoPrice(_) => "NO_PRICE",
            Self::AddOnUnknown(_) => "ITEM_UNKNOWN",
            Self::BadQuantity => "INVALID_QUANTITY",
            Self::OutOfArea { .. } => "OUT_OF_AREA",
            Self::BelowMinimum { .. } => "BELOW_MINIMUM",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Guests(_) | Self::BelowMinimum { .. } => &["guests"],
            Self::NoPrice(_) => &["stationId"],
            Self::AddOnUnknown(_) => &["addOns", "item"],
            Self::BadQuantity => &["addOns", "quantity"],
            Self::OutOfArea { .. } => &["venue", "zip"],
        }
    }
}

/// Prices a party by a station's list, before any promo code: the minimum of the day is judged on this price.
///
/// # Errors
/// [`QuoteError`] when the party, the extras or the place cannot be served at a price.
pub fn quote(list: &PriceList, request: &QuoteRequest) -> Result<Quote, QuoteError> {
    let guests = request.guests.check()?;
    let mut lines = guest_lines(list, guests, request.asked_at)?;
    lines.extend(add_on_lines(list, request)?);
    lines.extend(minimum_line(list, &lines, request.event_on)?);
    let policy = list.policy();
    let food_and_service = total(&lines);
    if let Some(gratuity) = policy
        .gratuity
        .filter(|gratuity| guests.total() >= gratuity.from_guests)
    {
        let amount = food_and_service.share(gratuity.rate_ppm);
        lines.push(charge(
            LineKind::Gratuity,
            "gratuity",
            "Gratuity for large parties",
            amount,
        ));
    }
    lines.extend(travel_line(list, &request.travel)?);
    let total_cents = total(&lines);
    Ok(Quote {
        discount_cents: Cents::ZERO,
        total_cents,
        deposit_cents: policy.deposit_cents.min(total_cents),
        price_list_version: list.version(),
        lines,
    })
}

impl Quote {
    /// What changes of a booking keep: its extras.
    pub fn add_ons(&self) -> Vec<AddOn> {
        let add_ons = self.lines.iter().filter(|line| line.kind == LineKind::AddOn);
        add_ons
            .map(|line| AddOn {
                item: line.item.clone(),
                quantity: line.quantity,
            })
            .collect()
    }

    /// This new price of a booking that had another: with what moving it cost so far and costs now, and the deposit
    /// as it was.
    pub(crate) fn in_place_of(mut self, before: &Self, fee: Option<Cents>) -> Self {
        let kept = before
            .lines
            .iter()
            .filter(|line| line.kind == LineKind::Reschedule)
            .cloned();
        self.lines.extend(kept);
        self.lines.extend(
            fee.map(|fee| charge(LineKind::Reschedule, "reschedule", "Change of date or place", fee)),
        );
        self.total_cents = total(&self.lines);
        self.deposit_cents = before.deposit_cents.min(self.total_cents);
        self
    }
}

fn total(lines: &[QuoteLine]) -> Cents {
    lines.iter().map(|line| line.total_cents).sum()
}

fn charge(kind: LineKind, item: &str, label: &str, amount: Cents) -> QuoteLine {
    QuoteLine {
        kind,
        item: item.to_owned(),
        label: label.to_owned(),
        quantity: 1,
        unit_cents: amount,
        total_cents: amount,
    }
}

fn guest_lines(list: &PriceList, guests: Guests, at: DateTime<Utc>) -> Result<Vec<QuoteLine>, QuoteError> {
    let items = list.items_at(at);
    let priced = |kind: ItemKind, count: i32, name: &'static str| {
        let item = items
            .iter()
            .find(|item| item.kind == kind)
            .ok_or(QuoteError::NoPrice(name))?;
        Ok::<_, QuoteError>(QuoteLine {
            kind: LineKind::Guests,
            item: item.item.clone(),
            label: item.label.clone(),
            quantity: count,
            unit_cents: item.price_cents,
            total_cents: item.price_cents.times(i64::from(count)),
        })
    };
    let mut lines = Vec::new();
    if guests.adults > 0 {
        lines.push(priced(ItemKind::Adult, guests.adults, "adults")?);
    }
    if guests.children > 0 {
        lines.push(priced(ItemKind::Child, guests.children, "children")?);
    }
    if guests.under6 > 0 {
        let free = charge(LineKind::Guests, "under6", "Child under 6, free", Cents::ZERO);
        lines.push(QuoteLine {
            quantity: guests.under6,
            ..free
        });
    }
    Ok(lines)
}

fn add_on_lines(list: &PriceList, request: &QuoteRequest) -> Result<Vec<QuoteLine>, QuoteError> {
    let named_twice = |at: usize| {
        request.add_ons[..at]
            .iter()
            .any(|other| other.item == request.add_ons[at].item)
    };
    let line = |(index, add_on): (usize, &AddOn)| {
        if !(1..=1_000).contains(&add_on.quantity) || named_twice(index) {
            return Err(QuoteError::BadQuantity);
        }
        let item = list
            .item_at(&add_on.item, request.asked_at)
            .filter(|item| item.kind == ItemKind::AddOn)
            .ok_or_else(|| QuoteError::AddOnUnknown(add_on.item.chars().take(60).collect()))?;
        Ok(QuoteLine {
            kind: LineKind::AddOn,
            item: item.item,
            label: item.label,
            quantity: add_on.quantity,
            unit_cents: item.price_cents,
            total_cents: item.price_cents.times(i64::from(add_on.quantity)),
        })
    };
    request.add_ons.iter().enumerate().map(line).collect()
}

fn minimum_line(
    list: &PriceList,
    lines: &[QuoteLine],
    event_on: NaiveDate,
) -> Result<Option<QuoteLine>, QuoteError> {
    let Some(set) = list.minimum() else {
        return Ok(None);
    };
    let minimum = match event_on.weekday() {
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu => set.weekday_cents,
        Weekday::Fri | Weekday::Sat | Weekday::Sun => set.weekend_cents,
    };
    let total = total(lines);
    if total >= minimum {
        return Ok(None);
    }
    match set.below {
        BelowMinimum::Refuse => Err(QuoteError::BelowMinimum { minimum, total }),
        BelowMinimum::TopUp => Ok(Some(charge(
            LineKind::Minimum,
            "minimum",
            "Up to the minimum of the day",
            minimum - total,
        ))),
    }
}

fn travel_line(list: &PriceList, travel: &Travel) -> Result<Option<QuoteLine>, QuoteError> {
    let Some(band) = list.travel() else {
        return Ok(None);
    };
    let miles = travel.miles();
    if miles > band.max_miles {
        return Err(QuoteError::OutOfArea {
            miles,
            max_miles: band.max_miles,
        });
    }
    let paid = i32::try_from(miles - band.free_miles).unwrap_or(i32::MAX);
    if paid <= 0 {
        return Ok(None);
    }
    Ok(Some(QuoteLine {
        kind: LineKind::Travel,
        item: "travel".to_owned(),
        label: format!("Travel beyond {} miles", band.free_miles),
        quantity: paid,
        unit_cents: band.per_mile_cents,
        total_cents: band.per_mile_cents.times(i64::from(paid)),
    }))
}

#[cfg(test)]
mod tests;
