//! The tax of a party that was held by the days that the money moved (cash basis): a view for those who ask, beside what is
//! owed by the day of the event.
//!
//! Tips, card fees and refunds are what they are on the other basis, on the day that they were paid or given back. The price is
//! taxed as it comes in, and no more of it than is owed. Who has paid everything has the same totals on both.

use chrono::NaiveDate;

use super::{Movement, TaxAccount, TaxFigures, within};
use crate::ids::PaymentId;
use crate::money::{Cents, RatePpm};

/// A movement of money on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashMovement {
    /// The local day.
    pub day: NaiveDate,
    /// The payment that it is of.
    pub payment: PaymentId,
    /// What came towards the price, in cents; negative where it counts no more.
    pub price_cents: Cents,
    /// What it is beside that: a tip, a card fee, or something given back of what is taxed.
    pub beside: Option<Movement>,
}

/// What each movement adds to the tax on its day, in the order of the movements; those that add nothing have no line.
pub fn lines(
    price: Cents,
    rate: Option<RatePpm>,
    movements: &[CashMovement],
) -> Vec<(NaiveDate, TaxFigures)> {
    let mut account = TaxAccount {
        rate,
        ..TaxAccount::default()
    };
    let (mut received, mut before) = (Cents::ZERO, TaxFigures::default());
    let mut lines = Vec::new();
    for movement in movements {
        received += movement.price_cents;
        account.sale.gross_cents = within(received, price);
        if let Some(beside) = movement.beside {
            account.moved(movement.payment, beside);
        }
        let now = account.target();
        let added = now - before;
        if !added.is_zero() {
            lines.push((movement.day, added));
        }
        before = now;
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const RATE: RatePpm = RatePpm(91_250);

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn came(on: &str, price: i64, beside: Option<Movement>) -> CashMovement {
        CashMovement {
            day: day(on),
            payment: PaymentId(Uuid::from_u128(1)),
            price_cents: Cents(price),
            beside,
        }
    }

    fn told(price: i64, movements: &[CashMovement]) -> Vec<(String, i64, i64)> {
        let line = |(day, figures): (NaiveDate, TaxFigures)| {
            (day.to_string(), figures.gross_cents.0, figures.net_tax().0)
        };
        lines(Cents(price), Some(RATE), movements)
            .into_iter()
            .map(line)
            .collect()
    }

    #[test]
    fn a_price_is_taxed_as_it_comes_in_and_no_more_of_it_than_is_owed() {
        let told = told(
            85_118,
            &[
                came("2025-12-20", 10_000, None),
                came("2026-01-05", 80_000, None),
                came("2026-01-09", -4_882, None),
            ],
        );
        assert_eq!(
            told,
            [
                ("2025-12-20".to_owned(), 10_000, 836),
                ("2026-01-05".to_owned(), 75_118, 7_118 - 836),
            ],
            "4,882 came too much and went back: neither is taxed"
        );
    }

    #[test]
    fn what_a_bank_took_back_is_received_no_more() {
        let told = told(
            85_118,
            &[
                came("2026-01-05", 85_118, None),
                came("2026-03-01", -85_118, None),
            ],
        );
        assert_eq!(told[1], ("2026-03-01".to_owned(), -85_118, -7_118));
    }

    #[test]
    fn what_is_not_paid_is_not_taxed() {
        assert_eq!(told(85_118, &[]), []);
        let tip = Movement::Tip {
            cents: Cents(500),
            untaxed_cents: Cents(500),
        };
        assert_eq!(
            told(85_118, &[came("2026-01-05", 0, Some(tip))]),
            [("2026-01-05".to_owned(), 500, 0)]
        );
    }

    proptest! {
        #[test]
        fn who_has_paid_everything_has_the_same_totals_on_both_bases(
            price in 1_i64..5_000_000, ppm in 0_i64..=250_000, cuts in prop::collection::vec(0_i64..5_000_000, 0..5),
            tipped in 0_i64..50_000, chosen in any::<bool>(), fee in 0_i64..50_000, back in 0_i64..5_000_000,
        ) {
            let rate = Some(RatePpm(ppm));
            let mut steps: Vec<i64> = cuts.into_iter().map(|cut| cut % price).collect();
            steps.sort_unstable();
            steps.push(price);
            let mut before = 0;
            let mut movements = Vec::new();
            for step in steps {
                movements.push(came("2026-01-05", step - before, None));
                before = step;
            }
            let untaxed = if chosen { tipped } else { 0 };
            let beside = [
                Movement::Tip { cents: Cents(tipped), untaxed_cents: Cents(untaxed) },
                Movement::CardFee { cents: Cents(fee), untaxed_cents: Cents(fee / 3) },
                Movement::GivenBack { price_cents: Cents(back), tip_cents: Cents(tipped / 2), fee_cents: Cents(fee / 2) },
            ];
            movements.extend(beside.map(|beside| came("2026-02-01", 0, Some(beside))));
            let cash: TaxFigures = lines(Cents(price), rate, &movements).into_iter().map(|(_, figures)| figures).sum();
            let sale = TaxFigures { gross_cents: Cents(price), net_cents: Cents(price), ..TaxFigures::default() }.at(rate);
            let mut accrual = TaxAccount::open(sale, rate, day("2026-01-05"));
            for movement in beside {
                accrual.moved(PaymentId(Uuid::from_u128(1)), movement);
            }
            prop_assert_eq!(cash, accrual.target());
        }
    }
}
