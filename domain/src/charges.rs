//! What a customer pays beside the price: a voluntary tip, and the fee of paying by card. Pure, in whole cents.

use crate::money::{Cents, RatePpm, div_half_up};

/// Shares that are offered as a tip. Nothing is preselected: a tip is the customer's own choice (CDTFA Publication 115).
pub const TIP_RATES: [RatePpm; 3] = [RatePpm(200_000), RatePpm(250_000), RatePpm(300_000)];

/// What paying by card costs where a company has not set it otherwise: 3 %.
pub const USUAL_CARD_FEE: RatePpm = RatePpm(30_000);

/// A tip that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TipOption {
    /// Share of the food and service before fees.
    pub rate_ppm: RatePpm,
    /// What it comes to, in cents, half a cent rounded up.
    pub tip_cents: Cents,
}

/// The tips that are offered on a subtotal of food and service, before travel, gratuity, discount and fees.
pub fn tip_options(food_and_service: Cents) -> [TipOption; 3] {
    TIP_RATES.map(|rate_ppm| TipOption {
        rate_ppm,
        tip_cents: food_and_service.share(rate_ppm),
    })
}

/// A tip that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tip is not negative, nor above {}", Cents::MAX_INPUT)]
pub struct BadTip;

/// A tip of the customer's own amount.
///
/// # Errors
/// [`BadTip`] for one below zero, or beyond any input.
pub fn custom_tip(amount: Cents) -> Result<Cents, BadTip> {
    if (Cents::ZERO..=Cents::MAX_INPUT).contains(&amount) {
        Ok(amount)
    } else {
        Err(BadTip)
    }
}

/// What paying by card costs: a share of the tax-inclusive amount and the tip together, half a cent rounded up. Other
/// methods cost nothing, and no fee is taken on what is given back.
pub fn card_fee(amount_incl: Cents, tip: Cents, rate: RatePpm) -> Cents {
    let paid = i128::from(amount_incl.0) + i128::from(tip.0);
    Cents(div_half_up(paid.max(0) * i128::from(rate.0), 1_000_000))
}

/// The rate of terms that do not name one.
pub(crate) fn usual_card_fee() -> RatePpm {
    USUAL_CARD_FEE
}

/// Whether a rate is the usual one, which terms do not write down.
pub(crate) fn is_usual_card_fee(rate: &RatePpm) -> bool {
    *rate == USUAL_CARD_FEE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tips_of_20_25_and_30_percent_are_offered_to_the_cent() {
        let offered = tip_options(Cents(85_118)).map(|option| option.tip_cents);
        assert_eq!(offered, [Cents(17_024), Cents(21_280), Cents(25_535)]);
        // 0.125 is half a cent above: rounded up.
        assert_eq!(tip_options(Cents(50))[1].tip_cents, Cents(13));
        assert_eq!(
            tip_options(Cents::ZERO).map(|option| option.tip_cents),
            [Cents(0); 3]
        );
    }

    #[test]
    fn a_card_costs_three_percent_of_price_and_tip_half_a_cent_up() {
        assert_eq!(card_fee(Cents(85_118), Cents::ZERO, USUAL_CARD_FEE), Cents(2_554));
        assert_eq!(
            card_fee(Cents(85_118), Cents(17_024), USUAL_CARD_FEE),
            Cents(3_064)
        );
        // 3 % of 0.50 is a cent and a half.
        assert_eq!(card_fee(Cents(50), Cents::ZERO, USUAL_CARD_FEE), Cents(2));
        assert_eq!(card_fee(Cents(49), Cents::ZERO, USUAL_CARD_FEE), Cents(1));
        assert_eq!(card_fee(Cents(85_118), Cents(500), RatePpm(0)), Cents::ZERO);
        assert_eq!(card_fee(Cents(-1), Cents::ZERO, USUAL_CARD_FEE), Cents::ZERO);
        assert_eq!(
            card_fee(Cents(i64::MAX), Cents(i64::MAX), USUAL_CARD_FEE),
            Cents(553_402_322_211_286_548)
        );
    }

    #[test]
    fn a_tip_of_ones_own_is_any_amount_from_nothing_up() {
        assert_eq!(custom_tip(Cents::ZERO), Ok(Cents::ZERO));
        assert_eq!(custom_tip(Cents::MAX_INPUT), Ok(Cents::MAX_INPUT));
        assert_eq!(custom_tip(Cents(-1)), Err(BadTip));
        assert_eq!(custom_tip(Cents(Cents::MAX_INPUT.0 + 1)), Err(BadTip));
    }

    proptest! {
        #[test]
        fn a_fee_grows_with_what_is_paid_and_is_no_more_than_it(
            amount in 0_i64..=1_000_000_000, tip in 0_i64..=1_000_000_000, more in 0_i64..=1_000_000,
            ppm in 0_i64..=1_000_000,
        ) {
            let fee = |amount: i64, tip: i64| card_fee(Cents(amount), Cents(tip), RatePpm(ppm));
            prop_assert!(fee(amount, tip) >= Cents::ZERO);
            prop_assert!(fee(amount, tip) <= Cents(amount + tip));
            prop_assert!(fee(amount + more, tip) >= fee(amount, tip));
            // What is a tip and what is price makes no difference to it.
            prop_assert_eq!(fee(amount, tip), fee(tip, amount));
        }

        #[test]
        fn parts_that_are_paid_one_by_one_cost_what_the_whole_does_to_half_a_cent_each(
            parts in proptest::collection::vec(0_i64..=10_000_000, 1..20),
        ) {
            let fee = |amount: i64| card_fee(Cents(amount), Cents::ZERO, USUAL_CARD_FEE).0;
            let one_by_one: i64 = parts.iter().map(|part| fee(*part)).sum();
            let at_once = fee(parts.iter().sum());
            let off = i64::try_from(parts.len()).unwrap() / 2 + 1;
            prop_assert!((one_by_one - at_once).abs() <= off);
        }

        #[test]
        fn options_grow_with_the_subtotal_and_with_each_other(subtotal in 0_i64..=1_000_000_000) {
            let options = tip_options(Cents(subtotal)).map(|option| option.tip_cents);
            prop_assert!(options[0] <= options[1] && options[1] <= options[2]);
            prop_assert!(options[2] <= Cents(subtotal));
        }
    }
}
