//! Tax arithmetic: prices include tax, and every cent of it is accounted for.
//!
//! Half-up is what the statutory tables show (California Civil Code 1656.1). Nothing here is tax advice.

pub mod vectors;

use serde::{Deserialize, Serialize};

use crate::money::{Cents, RatePpm, div_half_up};

/// A tax-inclusive amount taken apart; `net + tax` is the amount, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// What the company keeps, in cents.
    pub net_cents: Cents,
    /// What it owes, in cents.
    pub tax_cents: Cents,
}

/// Takes the tax out of a tax-inclusive amount: `tax = half_up(gross × r / (1 + r))`, `net = gross − tax`.
///
/// Once per booking and jurisdiction, not per line. Negative amounts mirror positive ones.
pub fn extract(gross: Cents, rate: RatePpm) -> Extracted {
    let tax = Cents(div_half_up(
        i128::from(gross.0) * i128::from(rate.0),
        1_000_000 + i128::from(rate.0),
    ));
    Extracted {
        net_cents: gross - tax,
        tax_cents: tax,
    }
}

/// The tax on a net amount, `half_up(net × r)`. For comparison with a return's own arithmetic only: for
/// 8–9 % of amounts it differs by a cent from what was extracted.
pub fn on_net(net: Cents, rate: RatePpm) -> Cents {
    net.share(rate)
}

/// Splits an amount over weights by largest remainder, ties to the first; the parts sum to the amount.
///
/// Equal parts where every weight is zero. A negative amount gives the mirror of the positive one.
///
/// # Panics
/// When a weight is negative.
pub fn split(amount: Cents, weights: &[i64]) -> Vec<Cents> {
    assert!(
        weights.iter().all(|weight| *weight >= 0),
        "weights are amounts or counts, never negative"
    );
    let equal = vec![1; weights.len()];
    let weights = if weights.iter().all(|weight| *weight == 0) {
        &equal
    } else {
        weights
    };
    let sum: i128 = weights.iter().copied().map(i128::from).sum();
    if weights.is_empty() {
        return Vec::new();
    }
    let magnitude = i128::from(amount.0).abs();
    let mut parts: Vec<(i128, i128)> = weights
        .iter()
        .map(|weight| magnitude * i128::from(*weight))
        .map(|product| (product / sum, product % sum))
        .collect();
    let mut left = magnitude - parts.iter().map(|(part, _)| part).sum::<i128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(parts[*index].1));
    for index in order {
        if left == 0 {
            break;
        }
        parts[index].0 += 1;
        left -= 1;
    }
    let sign = i128::from(amount.0.signum());
    parts
        .into_iter()
        .map(|(part, _)| Cents(i64::try_from(part * sign).expect("a part is no larger than the whole")))
        .collect()
}

/// The tax that a further refund reverses: `half_up(T × refunded_so_far_incl / G) − already reversed`, so
/// that a full refund in any number of parts reverses exactly `T`.
pub fn reversed_by_refund(
    tax: Cents,
    gross: Cents,
    refunded_including_this: Cents,
    already_reversed: Cents,
) -> Cents {
    if gross.is_zero() {
        return Cents::ZERO;
    }
    let sign = i128::from(gross.0.signum());
    let reversed = div_half_up(
        i128::from(tax.0) * i128::from(refunded_including_this.0) * sign,
        i128::from(gross.0) * sign,
    );
    Cents(reversed) - already_reversed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_owners_example_comes_out() {
        let parts = extract(Cents(85_118), RatePpm(91_250));
        assert_eq!(
            parts,
            Extracted {
                net_cents: Cents(78_000),
                tax_cents: Cents(7_118)
            }
        );
    }

    #[test]
    fn ties_go_to_the_first_part() {
        assert_eq!(split(Cents(5), &[70, 30]), [Cents(4), Cents(1)]);
        assert_eq!(split(Cents(-1), &[0, 1, 1]), [Cents(0), Cents(-1), Cents(0)]);
        assert_eq!(split(Cents(10), &[0, 0]), [Cents(5), Cents(5)]);
        assert_eq!(split(Cents(10), &[]), []);
    }

    proptest! {
        #[test]
        fn net_and_tax_sum_to_the_gross(gross in any::<i64>(), ppm in 0_i64..=1_000_000) {
            let gross = Cents(gross / 4);
            let parts = extract(gross, RatePpm(ppm));
            prop_assert_eq!(parts.net_cents + parts.tax_cents, gross);
            let mirror = extract(-gross, RatePpm(ppm));
            prop_assert_eq!((mirror.net_cents, mirror.tax_cents), (-parts.net_cents, -parts.tax_cents));
        }

        #[test]
        fn tax_never_falls_when_the_amount_or_the_rate_rises(
            gross in 0_i64..1_000_000_000, more in 0_i64..1_000, ppm in 0_i64..=900_000, dearer in 0_i64..100_000,
        ) {
            let tax = |gross, ppm| extract(Cents(gross), RatePpm(ppm)).tax_cents;
            prop_assert!(tax(gross + more, ppm) >= tax(gross, ppm));
            prop_assert!(tax(gross, ppm + dearer) >= tax(gross, ppm));
        }

        #[test]
        fn parts_sum_to_the_whole(amount in -1_000_000_i64..1_000_000, weights in prop::collection::vec(0_i64..10_000, 1..12)) {
            let parts = split(Cents(amount), &weights);
            prop_assert_eq!(parts.iter().copied().sum::<Cents>(), Cents(amount));
            let mirror: Vec<Cents> = split(Cents(-amount), &weights).into_iter().map(|part| -part).collect();
            prop_assert_eq!(mirror, parts);
        }

        #[test]
        fn a_full_refund_in_any_parts_reverses_exactly_the_tax(
            gross in 1_i64..10_000_000, ppm in 0_i64..=1_000_000, cuts in prop::collection::vec(0_i64..10_000_000, 0..8),
        ) {
            let tax = extract(Cents(gross), RatePpm(ppm)).tax_cents;
            let mut steps: Vec<i64> = cuts.into_iter().map(|cut| cut % gross).collect();
            steps.sort_unstable();
            steps.push(gross);
            let mut reversed = Cents::ZERO;
            for refunded in steps {
                reversed += reversed_by_refund(tax, Cents(gross), Cents(refunded), reversed);
            }
            prop_assert_eq!(reversed, tax);
        }
    }
}
