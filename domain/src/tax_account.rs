//! What a booking owes in tax, fact by fact: the price, what was paid on top of it, and what was given back.
//!
//! The tax is taken out of all that is taxed together, once per booking and jurisdiction, so that no order and no split of
//! the facts changes a total: each fact's figures are what the totals with it exceed those without it by.

mod card_fee;
pub mod cash;
mod figures;
mod kept;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, PaymentId};
use crate::money::{Cents, RatePpm};
use crate::tax;

use kept::Kept;

pub use card_fee::{CardFeeTax, untaxed_fee};
pub use figures::TaxFigures;
pub use kept::{KeptDepositTax, KeptMoney};

/// No more than was charged is given back, and no less than nothing.
fn within(given_back: Cents, charged: Cents) -> Cents {
    given_back.min(charged).max(Cents::ZERO)
}

/// A charge that one payment paid, and what of it was given back, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Charge {
    charged: Cents,
    untaxed: Cents,
    given_back: Cents,
}

impl Charge {
    fn given_back(self) -> Cents {
        within(self.given_back, self.charged)
    }

    fn untaxed_given_back(self) -> Cents {
        tax::reversed_by_refund(self.untaxed, self.charged, self.given_back(), Cents::ZERO)
    }
}

/// What one payment brought beside the price.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Beside {
    tip: Charge,
    fee: Charge,
}

/// A movement of money, as far as tax looks at it, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// A tip came in.
    Tip {
        /// How much.
        cents: Cents,
        /// How much of it is not taxed.
        untaxed_cents: Cents,
    },
    /// A card fee came in.
    CardFee {
        /// How much.
        cents: Cents,
        /// How much of it is not taxed.
        untaxed_cents: Cents,
    },
    /// Money came in towards the price of a party that was called off.
    Kept {
        /// How much.
        price_cents: Cents,
    },
    /// Money for a party that was called off had not come in after all.
    NotCome {
        /// Of the price.
        price_cents: Cents,
        /// Of a tip.
        tip_cents: Cents,
        /// Of a card fee.
        fee_cents: Cents,
    },
    /// Money was given back; negative where it was said to be, and was not.
    GivenBack {
        /// Of the price.
        price_cents: Cents,
        /// Of a tip.
        tip_cents: Cents,
        /// Of a card fee.
        fee_cents: Cents,
    },
}

impl Movement {
    /// Whether it takes back some of the price.
    pub fn lowers_price(&self) -> bool {
        match self {
            Self::Tip { .. } | Self::CardFee { .. } | Self::Kept { .. } | Self::NotCome { .. } => false,
            Self::GivenBack { price_cents, .. } => !price_cents.is_zero(),
        }
    }

    /// Whether it says what came towards the price, or went of it.
    pub fn moves_price(&self) -> bool {
        match self {
            Self::Tip { .. } | Self::CardFee { .. } => false,
            Self::Kept { .. } | Self::NotCome { .. } => true,
            Self::GivenBack { .. } => self.lowers_price(),
        }
    }
}

/// The tax of a party that was held, since it was; or of what is kept of one that was called off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxAccount {
    /// What the party was sold for; nothing, where it was called off.
    sale: TaxFigures,
    /// What is kept, where it was called off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    #[serde(rename = "rate_ppm")]
    rate: Option<RatePpm>,
    payments: BTreeMap<PaymentId, Beside>,
    price_given_back: Cents,
    /// What is on record at the place where the tax belongs now, by the day that it belongs to.
    by_day: BTreeMap<NaiveDate, TaxFigures>,
    /// The day that the sale itself is on record on.
    sold_on: Option<NaiveDate>,
    /// Events of payments that are on record.
    known: BTreeSet<EventId>,
}

/// A day of an account, with what it comes to at another rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrectedDay {
    /// The local day.
    pub day: NaiveDate,
    /// What is on record.
    pub here: TaxFigures,
    /// What it comes to at the other rate.
    pub there: TaxFigures,
    /// 1 on the day that the party was sold on, 0 on the others.
    pub parties: i32,
}

impl TaxAccount {
    /// The account of a party that was held.
    pub fn open(sale: TaxFigures, rate: Option<RatePpm>, tax_on: NaiveDate) -> Self {
        Self {
            sale,
            rate,
            by_day: BTreeMap::from([(tax_on, sale)]),
            sold_on: Some(tax_on),
            ..Self::default()
        }
    }

    /// The account of what is kept of a party that was called off. Nothing of it is on record yet.
    pub fn open_kept(money: KeptMoney, rate: Option<RatePpm>) -> Self {
        Self {
            kept: Some(Kept::of(money)),
            rate,
            ..Self::default()
        }
    }

    /// On what terms money is kept, where the party was called off.
    pub fn kept(&self) -> Option<&KeptMoney> {
        self.kept.as_ref().map(Kept::terms)
    }

    /// What the account comes to more than is on record, without a movement.
    pub fn opening(&self) -> TaxFigures {
        self.target() - self.recorded()
    }

    /// Puts that on record.
    pub fn record_opening(&mut self, tax_on: NaiveDate, figures: TaxFigures) {
        *self.by_day.entry(tax_on).or_default() += figures;
    }

    /// Whether what a payment's event said is on record.
    pub fn knows(&self, cause: EventId) -> bool {
        self.known.contains(&cause)
    }

    /// All that is on record, at the place where the tax belongs now.
    pub fn recorded(&self) -> TaxFigures {
        self.by_day.values().copied().sum()
    }

    /// What a movement of money adds to what is on record.
    pub fn figures(&self, payment: PaymentId, movement: Movement) -> TaxFigures {
        let mut after = self.clone();
        after.moved(payment, movement);
        after.target() - self.recorded()
    }

    /// Puts a movement on record.
    pub fn record(
        &mut self,
        cause: EventId,
        payment: PaymentId,
        movement: Movement,
        tax_on: NaiveDate,
        figures: TaxFigures,
    ) {
        self.known.insert(cause);
        self.moved(payment, movement);
        *self.by_day.entry(tax_on).or_default() += figures;
    }

    fn moved(&mut self, payment: PaymentId, movement: Movement) {
        let beside = self.payments.entry(payment).or_default();
        match movement {
            Movement::Tip { cents, untaxed_cents } => {
                beside.tip.charged += cents;
                beside.tip.untaxed += untaxed_cents;
            }
            Movement::CardFee { cents, untaxed_cents } => {
                beside.fee.charged += cents;
                beside.fee.untaxed += untaxed_cents;
            }
            Movement::Kept { price_cents } => self.came(price_cents),
            Movement::NotCome {
                price_cents,
                tip_cents,
                fee_cents,
            } => {
                beside.tip.given_back += tip_cents;
                beside.fee.given_back += fee_cents;
                self.came(-price_cents);
            }
            Movement::GivenBack {
                price_cents,
                tip_cents,
                fee_cents,
            } => {
                self.price_given_back += price_cents;
                beside.tip.given_back += tip_cents;
                beside.fee.given_back += fee_cents;
            }
        }
    }

    fn came(&mut self, cents: Cents) {
        if let Some(kept) = &mut self.kept {
            kept.came(cents);
        }
    }

    /// The price, and what of it was given back.
    fn price(&self) -> (Cents, Cents) {
        match &self.kept {
            Some(kept) => (kept.price(), kept.given_back(self.price_given_back)),
            None => {
                let price = self.sale.gross_cents;
                (price, within(self.price_given_back, price))
            }
        }
    }

    /// What all facts together come to: a function of their sums alone.
    fn target(&self) -> TaxFigures {
        let mut all = self.sale;
        let (price, price_given_back) = self.price();
        all.gross_cents = price;
        let mut untaxed_given_back = Cents::ZERO;
        all.refund_cents = price_given_back;
        for Beside { tip, fee } in self.payments.values() {
            all.tip_cents += tip.charged;
            all.card_fee_cents += fee.charged;
            for charge in [tip, fee] {
                all.gross_cents += charge.charged;
                all.non_taxable_cents += charge.untaxed;
                all.refund_cents += charge.given_back();
                untaxed_given_back += charge.untaxed_given_back();
            }
        }
        all.net_cents = all.gross_cents - all.non_taxable_cents;
        all.tax_cents = Cents::ZERO;
        all.refunded_non_taxable_cents = untaxed_given_back;
        all.refunded_net_cents = all.refund_cents - untaxed_given_back;
        all.refunded_tax_cents = Cents::ZERO;
        all.at(self.rate)
    }

    /// What is on record, day by day, with what it comes to at another rate: what a correction of the place takes back and
    /// puts in its stead.
    pub fn at_rate(&self, rate: Option<RatePpm>) -> Vec<CorrectedDay> {
        let (mut before, mut there) = (TaxFigures::default(), TaxFigures::default());
        let mut days = Vec::new();
        for (day, here) in &self.by_day {
            before += *here;
            let sum = before.at(rate);
            let parties = i32::from(self.sold_on == Some(*day));
            if !here.is_zero() || parties != 0 {
                days.push(CorrectedDay {
                    day: *day,
                    here: *here,
                    there: sum - there,
                    parties,
                });
            }
            there = sum;
        }
        days
    }

    /// What was on record at another place is so no more.
    pub fn leave_place(&mut self) {
        self.by_day.clear();
        self.sold_on = None;
    }

    /// Part of what was on record elsewhere is on record here.
    pub fn take_place(&mut self, rate: Option<RatePpm>, tax_on: NaiveDate, figures: TaxFigures) {
        self.rate = rate;
        *self.by_day.entry(tax_on).or_default() += figures;
    }

    /// The sale is on record on this day, unless another was named before.
    pub fn sold_on(&mut self, day: NaiveDate) {
        self.sold_on.get_or_insert(day);
    }
}

#[cfg(test)]
mod tests;
