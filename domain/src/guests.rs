//! The party: who eats.

use serde::{Deserialize, Serialize};

/// Guests by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guests {
    /// From 13 years.
    pub adults: i32,
    /// 6 to 12 years.
    pub children: i32,
    /// Under 6 years; free.
    pub under6: i32,
}

/// A party that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadGuests {
    /// A count below zero.
    #[error("a number of guests cannot be negative")]
    Negative,
    /// Nobody.
    #[error("a party needs at least one guest")]
    Nobody,
    /// More than any company could serve.
    #[error("a party has at most {} guests", Guests::MAX)]
    TooMany,
}

impl Guests {
    /// More than any company could serve; larger numbers are typing errors.
    pub const MAX: i32 = 2_000;

    /// Checks the counts.
    ///
    /// # Errors
    /// [`BadGuests`] says what cannot be.
    pub fn check(self) -> Result<Self, BadGuests> {
        let counts = [self.adults, self.children, self.under6];
        if counts.iter().any(|count| *count < 0) {
            return Err(BadGuests::Negative);
        }
        if counts.iter().any(|count| *count > Self::MAX) || self.total() > Self::MAX {
            return Err(BadGuests::TooMany);
        }
        if self.total() == 0 {
            Err(BadGuests::Nobody)
        } else {
            Ok(self)
        }
    }

    /// Everybody at the table.
    pub fn total(self) -> i32 {
        self.adults
            .saturating_add(self.children)
            .saturating_add(self.under6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_that_cannot_be_is_refused() {
        let check = |adults, children, under6| {
            Guests {
                adults,
                children,
                under6,
            }
            .check()
        };
        assert_eq!(check(0, 0, 0), Err(BadGuests::Nobody));
        assert_eq!(check(5, -1, 0), Err(BadGuests::Negative));
        assert_eq!(check(10_000, 0, 0), Err(BadGuests::TooMany));
        assert_eq!(check(i32::MAX, i32::MAX, i32::MAX), Err(BadGuests::TooMany));
        assert_eq!(check(12, 4, 1).map(Guests::total), Ok(17));
    }
}
