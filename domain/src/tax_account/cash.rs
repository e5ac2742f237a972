//! The tax of a party that was held by the days that the money moved (cash basis): a view for those who ask, beside what is
//! owed by the day of the event.
//!
//! Tips, card fees and refunds are what they are on the other basis, on the day that they were paid or given back. The price is
//! taxed as it comes in, and no more of it than is owed. Who has paid everything has the same totals on both.

use chrono::NaiveDate;

use super::{KeptMoney, Movement, TaxAccount, TaxFigures, within};
use crate::envelope::Position;
use crate::ids::PaymentId;
use crate::money::{Cents, RatePpm};

/// A movement of money on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashMovement {
    /// The local day.
    pub day: NaiveDate,
    /// The place in the log of the payment's event.
    pub position: Position,
    /// The payment that it is of.
    pub payment: PaymentId,
    /// What came towards the price, in cents; negative where it counts no more.
    pub price_cents: Cents,
    /// What it is beside that: a tip, a card fee, or something given back of what is taxed.
    pub beside: Option<Movement>,
}

/// What one event of a payment adds to the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashLine {
    /// The local day that the money moved on.
    pub day: NaiveDate,
    /// The place of the event in the log.
    pub position: Position,
    /// What it adds.
    pub figures: TaxFigures,
}

/// What each event of a payment adds to the tax on its day, in the order of the movements, of which those of one event stand
/// together; those that add nothing have no line.
pub fn lines(price: Cents, rate: Option<RatePpm>, movements: &[CashMovement]) -> Vec<CashLine> {
    let account = TaxAccount {
        rate,
        ..TaxAccount::default()
    };
    let mut received = Cents::ZERO;
    one_by_one(account, movements, |account, cents| {
        received += cents;
        account.sale.gross_cents = within(received, price);
    })
}

/// The same of a party that was called off, where what is kept is a sale: of what came, what the terms let the company keep.
pub fn kept_lines(money: &KeptMoney, rate: Option<RatePpm>, movements: &[CashMovement]) -> Vec<CashLine> {
    let nothing_yet = KeptMoney {
        held_cents: Cents::ZERO,
        ..money.clone()
    };
    let account = TaxAccount::open_kept(nothing_yet, rate);
    one_by_one(account, movements, TaxAccount::came)
}

fn one_by_one(
    mut account: TaxAccount,
    movements: &[CashMovement],
    mut came: impl FnMut(&mut TaxAccount, Cents),
) -> Vec<CashLine> {
    let mut before = TaxFigures::default();
    let mut lines: Vec<CashLine> = Vec::new();
    for movement in movements {
        came(&mut account, movement.price_cents);
        if let Some(beside) = movement.beside {
            account.moved(movement.payment, beside);
        }
        let now = account.target();
        let figures = now - before;
        before = now;
        match lines.last_mut() {
            Some(line) if line.position == movement.position => line.figures += figures,
            Some(_) | None => lines.push(CashLine {
                day: movement.day,
                position: movement.position,
                figures,
            }),
        }
    }
    lines.retain(|line| !line.figures.is_zero());
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
            position: Position::START,
            payment: PaymentId(Uuid::from_u128(1)),
            price_cents: Cents(price),
            beside,
        }
    }

    /// Each movement is of an event of its own.
    fn told(price: i64, movements: &[CashMovement]) -> Vec<(String, i64, i64)> {
        let line = |line: CashLine| {
            let (gross, tax) = (line.figures.gross_cents, line.figures.net_tax());
            (line.day.to_string(), gross.0, tax.0)
        };
        let mut movements = movements.to_vec();
        for (place, movement) in (1..).zip(&mut movements) {
            movement.position = Position(place);
        }
        lines(Cents(price), Some(RATE), &movements)
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

    #[test]
    fn what_one_event_brought_is_one_line() {
        let tip = Movement::Tip {
            cents: Cents(500),
            untaxed_cents: Cents(500),
        };
        let lines = lines(
            Cents(85_118),
            Some(RATE),
            &[came("2026-01-05", 85_118, None), came("2026-01-05", 0, Some(tip))],
        );
        let told: Vec<_> = lines
            .iter()
            .map(|line| (line.figures.gross_cents, line.figures.non_taxable_cents))
            .collect();
        assert_eq!(told, [(Cents(85_618), Cents(500))]);
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
            let cash: TaxFigures = lines(Cents(price), rate, &movements).into_iter().map(|line| line.figures).sum();
            let sale = TaxFigures { gross_cents: Cents(price), net_cents: Cents(price), ..TaxFigures::default() }.at(rate);
            let mut accrual = TaxAccount::open(sale, rate, day("2026-01-05"));
            for movement in beside {
                accrual.moved(PaymentId(Uuid::from_u128(1)), movement);
            }
            prop_assert_eq!(cash, accrual.target());
        }
    }
}
