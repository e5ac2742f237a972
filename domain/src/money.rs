//! Money in integer cents and rates in integer millionths. No float comes near either.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use serde::{Deserialize, Serialize};

/// An amount in cents of the company's currency (USD). Negative amounts give money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that any input may name: ten million dollars. Sums of inputs stay far
    /// below what 64 bits hold.
    pub const MAX_INPUT: Self = Self(1_000_000_000);

    /// Whether there is anything.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount so many times.
    ///
    /// # Panics
    /// When the product passes 64 bits; inputs are bounded so that it cannot.
    #[must_use]
    pub fn times(self, count: i64) -> Self {
        Self(
            self.0
                .checked_mul(count)
                .expect("inputs are bounded far below 64 bits"),
        )
    }

    /// A share of the amount, rounded half away from zero to the cent.
    #[must_use]
    pub fn share(self, rate: RatePpm) -> Self {
        Self(div_half_up(i128::from(self.0) * i128::from(rate.0), 1_000_000))
    }
}

impl fmt::Display for Cents {
    /// `851.18`, `-0.05`: two decimals, a point, no currency sign.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl Add for Cents {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Cents {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Cents {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// A rate in millionths: 9.125 % is 91 250 ppm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RatePpm(pub i64);

/// A text that is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rate: write a decimal between 0 and 1 with at most six places, such as 0.09125")]
pub struct BadRate(pub String);

impl RatePpm {
    /// Reads a decimal fraction: `0.09125` is 9.125 %.
    ///
    /// # Errors
    /// [`BadRate`] for anything but a plain decimal between 0 and 1 with at most six places.
    pub fn parse(text: &str) -> Result<Self, BadRate> {
        let bad = || BadRate(text.chars().take(32).collect());
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 1 || places.len() > 6 || !digits(whole) || !digits(places) {
            return Err(bad());
        }
        let whole: i64 = whole.parse().map_err(|_| bad())?;
        let places: i64 = format!("{places:0<6}").parse().map_err(|_| bad())?;
        let ppm = whole * 1_000_000 + places;
        if ppm > 1_000_000 {
            Err(bad())
        } else {
            Ok(Self(ppm))
        }
    }
}

impl fmt::Display for RatePpm {
    /// `0.09125`: the fraction as a plain decimal without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// `numerator / denominator`, rounded to the nearest whole, ties away from zero.
///
/// # Panics
/// When the quotient passes 64 bits or the denominator is not positive.
pub(crate) fn div_half_up(numerator: i128, denominator: i128) -> i64 {
    assert!(denominator > 0, "denominators are sums of positive parts");
    let magnitude = (numerator.abs() * 2 + denominator) / (denominator * 2);
    i64::try_from(if numerator < 0 { -magnitude } else { magnitude })
        .expect("a share of a 64-bit amount fits 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_read_as_written() {
        assert_eq!(RatePpm::parse("0.09125"), Ok(RatePpm(91_250)));
        assert_eq!(RatePpm::parse("0"), Ok(RatePpm(0)));
        assert_eq!(RatePpm::parse("1"), Ok(RatePpm(1_000_000)));
        for bad in [
            "",
            ".1",
            "0.0912555",
            "-0.1",
            "9.125",
            "1.000001",
            "0,09",
            "0.09%",
            "1e-1",
            "٠.١",
        ] {
            assert_eq!(RatePpm::parse(bad), Err(BadRate(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn amounts_print_with_two_decimals() {
        assert_eq!(Cents(85_118).to_string(), "851.18");
        assert_eq!(Cents(-5).to_string(), "-0.05");
        assert_eq!(Cents(i64::MIN).to_string(), "-92233720368547758.08");
    }

    proptest! {
        #[test]
        fn a_rate_survives_its_text(ppm in 0_i64..=1_000_000) {
            prop_assert_eq!(RatePpm::parse(&RatePpm(ppm).to_string()), Ok(RatePpm(ppm)));
        }

        #[test]
        fn a_share_mirrors_its_negative(amount in -1_000_000_000_i64..1_000_000_000, ppm in 0_i64..=1_000_000) {
            prop_assert_eq!(Cents(-amount).share(RatePpm(ppm)), -Cents(amount).share(RatePpm(ppm)));
        }
    }
}
