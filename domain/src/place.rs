//! Places: ZIP codes, venues, and how far a chef drives.

use serde::{Deserialize, Serialize};

use crate::envelope::Sealed;

/// A five-digit US ZIP code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZipCode(String);

/// A text that is not a ZIP code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a ZIP code has five digits, such as 95112")]
pub struct BadZip;

impl ZipCode {
    /// The five digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ZipCode {
    type Error = BadZip;
    fn try_from(text: String) -> Result<Self, BadZip> {
        if text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(BadZip)
        }
    }
}

impl From<ZipCode> for String {
    fn from(zip: ZipCode) -> Self {
        zip.0
    }
}

impl std::str::FromStr for ZipCode {
    type Err = BadZip;
    fn from_str(text: &str) -> Result<Self, BadZip> {
        Self::try_from(text.to_owned())
    }
}

impl std::fmt::Display for ZipCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The states, the District and the territories, by the codes that mail is addressed with (USPS Publication 28,
/// Appendix B), in order.
const STATES: [&str; 56] = [
    "AK", "AL", "AR", "AS", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "GU", "HI", "IA", "ID", "IL",
    "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MP", "MS", "MT", "NC", "ND", "NE", "NH",
    "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "PR", "RI", "SC", "SD", "TN", "TX", "UT", "VA", "VI",
    "VT", "WA", "WI", "WV", "WY",
];

/// Whether a text is the code of a state, as it is written: `ca`, `XX` and `California` would be states without any tax.
pub fn is_state(code: &str) -> bool {
    STATES.binary_search(&code).is_ok()
}

/// What is known of a ZIP code: only a suggestion of the tax place, for one post-office city is not one
/// tax city.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The ZIP code.
    pub zip: ZipCode,
    /// Two-letter state.
    pub state: String,
    /// The county that most of the ZIP lies in, without the word County.
    pub county: String,
    /// The post office's city.
    pub city: String,
    /// Every county that the ZIP touches; more than one means that the address must tell.
    pub counties: Vec<String>,
}

/// Where the event is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    /// Street and number, sealed.
    pub street: Sealed,
    /// City as the customer wrote it.
    pub city: String,
    /// County, from the ZIP or set by hand.
    pub county: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP code.
    pub zip: ZipCode,
}

/// How far the venue is from the station, as estimated when it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Travel {
    /// Distance in tenths of a statute mile.
    pub tenths_of_mile: i64,
    /// Driving time in minutes, one way.
    pub minutes: i64,
    /// What estimated it: `zip_distance`.
    pub source: String,
}

impl Travel {
    /// Miles that are paid for, one way: every one that is begun.
    pub fn miles(&self) -> i64 {
        (self.tenths_of_mile + 9) / 10
    }
}

#[cfg(test)]
mod tests {
    use super::{STATES, is_state};

    #[test]
    fn a_state_is_known_by_its_code_and_by_nothing_else() {
        assert!(STATES.is_sorted());
        assert!(STATES.iter().all(|code| is_state(code)));
        for other in ["ca", "XX", "California", " CA", "", "C4"] {
            assert!(!is_state(other), "{other}");
        }
    }
}
