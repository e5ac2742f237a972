//! What a promo code takes off a price.

use super::{LineKind, Quote, QuoteLine, charge, total};
use crate::money::Cents;
use crate::promo_code::AppliedPromo;
use crate::tax;

impl LineKind {
    /// Whether the line is food and service: what tips are reckoned on and discounts taken from. Travel, gratuity and
    /// what a change costs are not.
    pub fn is_food_and_service(self) -> bool {
        match self {
            Self::Guests | Self::AddOn | Self::Minimum => true,
            Self::Travel | Self::Gratuity | Self::Reschedule | Self::Discount => false,
        }
    }
}

/// Food and service among the lines of a price, before any discount, tax-inclusive, in cents.
pub fn food_and_service(lines: &[QuoteLine]) -> Cents {
    let lines = lines.iter().filter(|line| line.kind.is_food_and_service());
    lines.map(|line| line.total_cents).sum()
}

/// What discounts take off, of the lines of a price, in cents, as a positive amount.
pub fn discount_of(lines: &[QuoteLine]) -> Cents {
    let lines = lines.iter().filter(|line| line.kind == LineKind::Discount);
    -lines.map(|line| line.total_cents).sum::<Cents>()
}

impl Quote {
    /// This price with what a promo code takes off, as a line of its own. The minimum of the day is judged before the
    /// discount: a code may bring the total below it. So is the gratuity. Below the code's own minimum nothing is taken
    /// off. The total is never below zero, nor the deposit above the total.
    #[must_use]
    pub fn with(mut self, promo: Option<&AppliedPromo>) -> Self {
        let Some(promo) = promo else { return self };
        let off = promo.discount_on(food_and_service(&self.lines));
        if off.is_zero() {
            return self;
        }
        let label = format!("Promo code {}", promo.code);
        self.lines.push(charge(LineKind::Discount, "promo", &label, -off));
        self.discount_cents = off;
        self.total_cents = total(&self.lines);
        self.deposit_cents = self.deposit_cents.min(self.total_cents);
        self
    }

    /// What each line bears of the discount, in the order of the lines, zero or negative: by largest remainder over food
    /// and service.
    pub fn discount_by_line(&self) -> Vec<Cents> {
        let weight = |line: &QuoteLine| match line.kind.is_food_and_service() {
            true => line.total_cents.0.max(0),
            false => 0,
        };
        let weights: Vec<i64> = self.lines.iter().map(weight).collect();
        if self.discount_cents.is_zero() {
            return vec![Cents::ZERO; weights.len()];
        }
        tax::split(-self.discount_cents, &weights)
    }
}
