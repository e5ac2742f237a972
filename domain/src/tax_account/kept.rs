//! What is kept of a party that was called off, where the company has chosen that it is a sale.
//!
//! The terms say how much is kept of all that has come: what they propose to give back was never the company's. What is given
//! back beyond that lowers the sale.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::booking::RefundRule;
use crate::money::Cents;

/// Whether what is kept of a party that was called off is a sale: a company's choice, for its accountant to confirm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptDepositTax {
    /// Nothing was sold: it is not taxed.
    #[default]
    NotASale,
    /// It is a sale, and the tax is in it.
    Sale,
}

impl KeptDepositTax {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotASale => "not_a_sale",
            Self::Sale => "sale",
        }
    }

    /// Whether it is as most companies have it.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What is known of the money of a party that was called off, when what is kept of it is first put on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMoney {
    /// Local day of the station on which it was called off.
    pub called_off_on: NaiveDate,
    /// What decides how much is proposed to be given back.
    pub refund: RefundRule,
    /// Part of the price that was the deposit, in cents.
    pub deposit_cents: Cents,
    /// What had come towards the price by then, less what had been given back, in cents.
    pub held_cents: Cents,
}

/// All that has come towards the price of a party that was called off, in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    terms: KeptMoney,
    came: Cents,
}

impl Kept {
    pub(super) fn of(terms: KeptMoney) -> Self {
        let came = terms.held_cents;
        Self { terms, came }
    }

    pub(super) fn terms(&self) -> &KeptMoney {
        &self.terms
    }

    pub(super) fn came(&mut self, cents: Cents) {
        self.came += cents;
    }

    fn proposed(&self) -> Cents {
        self.terms.refund.proposed(self.held(), self.terms.deposit_cents)
    }

    fn held(&self) -> Cents {
        self.came.max(Cents::ZERO)
    }

    /// What the terms let the company keep.
    pub(super) fn price(&self) -> Cents {
        self.held() - self.proposed()
    }

    /// What of it was given back all the same, where so much was given back in all.
    pub(super) fn given_back(&self, given_back: Cents) -> Cents {
        super::within(given_back - self.proposed(), self.price())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::ids::PaymentId;
    use crate::money::RatePpm;
    use crate::price_list::{CancellationTier, DepositBack};
    use crate::tax::extract;
    use crate::tax_account::{Movement, TaxAccount, TaxFigures};

    const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(1));

    fn tier(ppm: i64, deposit_back: DepositBack) -> RefundRule {
        RefundRule::Tier(CancellationTier {
            hours_before: 72,
            refund_ppm: RatePpm(ppm),
            deposit_back,
        })
    }

    fn account(refund: RefundRule, deposit: i64, held: i64, ppm: i64) -> TaxAccount {
        let terms = KeptMoney {
            called_off_on: "2026-03-01".parse().unwrap(),
            refund,
            deposit_cents: Cents(deposit),
            held_cents: Cents(held),
        };
        TaxAccount::open_kept(terms, Some(RatePpm(ppm)))
    }

    fn back(price: i64) -> Movement {
        Movement::GivenBack {
            price_cents: Cents(price),
            tip_cents: Cents::ZERO,
            fee_cents: Cents::ZERO,
        }
    }

    /// Puts what an account opens with on record, and then movements; says what each added.
    fn run(mut account: TaxAccount, movements: &[Movement]) -> Vec<TaxFigures> {
        let day = "2026-03-01".parse().unwrap();
        let opened = account.opening();
        account.record_opening(day, opened);
        let mut lines = vec![opened];
        for (movement, cause) in movements.iter().zip(1..) {
            let figures = account.figures(PAYMENT, *movement);
            let cause = crate::ids::EventId(Uuid::from_u128(cause));
            account.record(cause, PAYMENT, *movement, day, figures);
            lines.push(figures);
        }
        lines
    }

    fn kept(figures: &TaxFigures) -> (i64, i64) {
        (
            (figures.gross_cents - figures.refund_cents).0,
            figures.net_tax().0,
        )
    }

    #[test]
    fn the_tax_is_in_what_is_kept_and_what_the_terms_give_back_changes_nothing() {
        let half = tier(500_000, DepositBack::Kept);
        let lines = run(
            account(half, 10_000, 85_118, 91_250),
            &[back(37_559), back(10_000), back(37_559)],
        );
        let first = extract(Cents(47_559), RatePpm(91_250));
        assert_eq!(kept(&lines[0]), (47_559, first.tax_cents.0));
        assert_eq!(kept(&lines[1]), (0, 0), "it was proposed");
        assert_eq!(kept(&lines[2]).0, -10_000);
        let all: TaxFigures = lines.into_iter().sum();
        assert_eq!(kept(&all), (0, 0));
    }

    #[test]
    fn money_that_is_found_later_is_kept_as_the_terms_say_and_what_never_came_is_not() {
        let came = |cents| Movement::Kept {
            price_cents: Cents(cents),
        };
        let gone = Movement::NotCome {
            price_cents: Cents(10_000),
            tip_cents: Cents::ZERO,
            fee_cents: Cents::ZERO,
        };
        let lines = run(
            account(RefundRule::Nothing, 10_000, 0, 91_250),
            &[came(10_000), gone],
        );
        assert_eq!(
            lines.iter().map(kept).collect::<Vec<_>>(),
            [(0, 0), (10_000, 836), (-10_000, -836)]
        );
        let all_back = run(
            account(RefundRule::Everything, 10_000, 0, 91_250),
            &[came(10_000)],
        );
        assert_eq!(kept(&all_back[1]), (0, 0));
    }

    proptest! {
        #[test]
        fn a_full_refund_in_any_parts_leaves_nothing(
            held in 1_i64..5_000_000, deposit in 0_i64..100_000, ppm in 0_i64..=250_000, share in 0_i64..=1_000_000,
            returned in any::<bool>(), cuts in prop::collection::vec(0_i64..5_000_000, 0..6),
        ) {
            let deposit_back = if returned { DepositBack::Returned } else { DepositBack::Kept };
            let mut steps: Vec<i64> = cuts.into_iter().map(|cut| cut % held).collect();
            steps.sort_unstable();
            steps.push(held);
            let mut before = 0;
            let mut movements = Vec::new();
            for step in steps {
                movements.push(back(step - before));
                before = step;
            }
            let lines = run(account(tier(share, deposit_back), deposit, held, ppm), &movements);
            for line in &lines {
                prop_assert_eq!(line.gross_cents, line.non_taxable_cents + line.net_cents + line.tax_cents);
                let parts = line.refunded_non_taxable_cents + line.refunded_net_cents + line.refunded_tax_cents;
                prop_assert_eq!(line.refund_cents, parts);
            }
            let rule = tier(share, deposit_back);
            let price = held - rule.proposed(Cents(held), Cents(deposit)).0;
            let expected = extract(Cents(price), RatePpm(ppm));
            prop_assert_eq!((lines[0].net_cents, lines[0].tax_cents), (expected.net_cents, expected.tax_cents));
            let all: TaxFigures = lines.into_iter().sum();
            prop_assert_eq!(all.refund_cents, all.gross_cents);
            prop_assert_eq!(all.net_tax(), Cents::ZERO);
        }

        #[test]
        fn the_order_of_what_comes_and_goes_changes_no_total(
            held in 0_i64..500_000, later in 0_i64..500_000, given in 0_i64..900_000, ppm in 0_i64..=250_000,
            share in 0_i64..=1_000_000,
        ) {
            let movements = [back(given), Movement::Kept { price_cents: Cents(later) }];
            let turned = [movements[1], movements[0]];
            let sum = |movements: &[Movement]| {
                let account = account(tier(share, DepositBack::Kept), 10_000, held, ppm);
                run(account, movements).into_iter().sum::<TaxFigures>()
            };
            prop_assert_eq!(sum(&movements), sum(&turned));
        }
    }
}
