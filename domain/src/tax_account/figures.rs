//! What a fact comes to in tax, part by part.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use serde::{Deserialize, Serialize};

use crate::money::{Cents, RatePpm};
use crate::tax;

/// What a fact adds to a booking's tax, in cents. Negative where it takes back what was said before.
///
/// `gross = non_taxable + net + tax` and `refund = refunded_non_taxable + refunded_net + refunded_tax`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxFigures {
    /// All that was charged, tax-inclusive, tips included, after any discount.
    pub gross_cents: Cents,
    /// What a promo code took off before that.
    pub discount_cents: Cents,
    /// Part of the gross that is travel, tax-inclusive (Reg. 1628).
    pub travel_cents: Cents,
    /// Part of the gross that is mandatory gratuity, tax-inclusive (Pub. 115).
    pub gratuity_cents: Cents,
    /// Part of the gross that is card fee (annotation 295.2000).
    pub card_fee_cents: Cents,
    /// Part of the gross that is tips that customers added.
    pub tip_cents: Cents,
    /// Part of the gross that is not taxed: tips that the customer chose, and what follows them.
    pub non_taxable_cents: Cents,
    /// What is taxed, without the tax in it.
    pub net_cents: Cents,
    /// The tax.
    pub tax_cents: Cents,
    /// What was given back with an effect on tax, tax-inclusive.
    pub refund_cents: Cents,
    /// Part of what was given back that had not been taxed.
    pub refunded_non_taxable_cents: Cents,
    /// Part of what was given back that had been taxed, without the tax in it.
    pub refunded_net_cents: Cents,
    /// Tax in what was given back.
    pub refunded_tax_cents: Cents,
}

macro_rules! each {
    ($left:ident, $right:ident, $operator:tt) => {
        TaxFigures {
            gross_cents: $left.gross_cents $operator $right.gross_cents,
            discount_cents: $left.discount_cents $operator $right.discount_cents,
            travel_cents: $left.travel_cents $operator $right.travel_cents,
            gratuity_cents: $left.gratuity_cents $operator $right.gratuity_cents,
            card_fee_cents: $left.card_fee_cents $operator $right.card_fee_cents,
            tip_cents: $left.tip_cents $operator $right.tip_cents,
            non_taxable_cents: $left.non_taxable_cents $operator $right.non_taxable_cents,
            net_cents: $left.net_cents $operator $right.net_cents,
            tax_cents: $left.tax_cents $operator $right.tax_cents,
            refund_cents: $left.refund_cents $operator $right.refund_cents,
            refunded_non_taxable_cents: $left.refunded_non_taxable_cents $operator $right.refunded_non_taxable_cents,
            refunded_net_cents: $left.refunded_net_cents $operator $right.refunded_net_cents,
            refunded_tax_cents: $left.refunded_tax_cents $operator $right.refunded_tax_cents,
        }
    };
}

impl Add for TaxFigures {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        each!(self, other, +)
    }
}

impl AddAssign for TaxFigures {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for TaxFigures {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        each!(self, other, -)
    }
}

impl Neg for TaxFigures {
    type Output = Self;
    fn neg(self) -> Self {
        Self::default() - self
    }
}

impl Sum for TaxFigures {
    fn sum<I: Iterator<Item = Self>>(figures: I) -> Self {
        figures.fold(Self::default(), Add::add)
    }
}

impl TaxFigures {
    /// Whether there is nothing in them.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Tax that is left to pay, in cents.
    pub fn net_tax(&self) -> Cents {
        self.tax_cents - self.refunded_tax_cents
    }

    /// The same charges and refunds with the tax taken out at another rate; none stands for a rate that is not known.
    pub(super) fn at(self, rate: Option<RatePpm>) -> Self {
        let taxed = self.net_cents + self.tax_cents;
        let given_back = self.refunded_net_cents + self.refunded_tax_cents;
        let tax_cents = rate.map_or(Cents::ZERO, |rate| tax::extract(taxed, rate).tax_cents);
        let refunded_tax_cents = tax::reversed_by_refund(tax_cents, taxed, given_back, Cents::ZERO);
        Self {
            net_cents: taxed - tax_cents,
            tax_cents,
            refunded_net_cents: given_back - refunded_tax_cents,
            refunded_tax_cents,
            ..self
        }
    }
}
