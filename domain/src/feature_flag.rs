//! Feature flags: what of the product a company is let into, and for how large a share of its customers.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::money::RatePpm;

/// All of it, in millionths.
const WHOLE: u64 = 1_000_000;

/// Something of the product that can be let in for a share of a company's customers. Where nothing was set, all of it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureFlag {
    /// The assistant answers customers. Counted by conversation; in one that is out, a person is called for.
    AssistantAnswers,
    /// A customer is asked for a review without a person's doing, a day after their party. Counted by booking.
    ReviewRequests,
}

impl FeatureFlag {
    /// Every flag, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::AssistantAnswers, Self::ReviewRequests];

    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssistantAnswers => "assistant_answers",
            Self::ReviewRequests => "review_requests",
        }
    }

    /// Whether a key is in at a share. The same key always gets the same answer; a share that grows lets keys in and puts none
    /// out; and what one flag lets in says nothing of what another does.
    pub fn lets_in(self, share: RatePpm, key: &str) -> bool {
        let mut hash = Sha256::new();
        hash.update(self.as_str());
        hash.update([0]);
        hash.update(key);
        let hash: [u8; 32] = hash.finalize().into();
        let place = hash[..8]
            .iter()
            .fold(0_u64, |place, byte| place << 8 | u64::from(*byte))
            % WHOLE;
        u64::try_from(share.0).is_ok_and(|share| place < share)
    }
}

/// How far a company is let in where nothing was set.
pub const USUAL_SHARE: RatePpm = RatePpm(1_000_000);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_share_that_grows_puts_nobody_out(key in ".{0,40}", less in 0_i64..=1_000_000, more in 0_i64..=1_000_000) {
            let (less, more) = (less.min(more), less.max(more));
            for flag in FeatureFlag::ALL {
                prop_assert!(!flag.lets_in(RatePpm(less), &key) || flag.lets_in(RatePpm(more), &key));
                prop_assert!(!flag.lets_in(RatePpm(0), &key));
                prop_assert!(flag.lets_in(USUAL_SHARE, &key));
            }
        }
    }

    #[test]
    fn as_many_are_let_in_as_was_said() {
        for flag in FeatureFlag::ALL {
            for percent in [1, 10, 25, 50, 90] {
                let share = RatePpm(percent * 10_000);
                let let_in = (0..10_000)
                    .filter(|key| flag.lets_in(share, &key.to_string()))
                    .count();
                let let_in = i64::try_from(let_in).unwrap();
                assert!(
                    (let_in - percent * 100).abs() < 200,
                    "{flag:?} {percent} %: {let_in} of 10,000"
                );
            }
        }
    }

    #[test]
    fn flags_let_in_each_their_own() {
        let half = RatePpm(500_000);
        let [assistant, reviews] = FeatureFlag::ALL;
        let alike = (0..10_000)
            .map(|key: i32| key.to_string())
            .filter(|key| assistant.lets_in(half, key) == reviews.lets_in(half, key))
            .count();
        assert!((4_700..5_300).contains(&alike), "{alike} of 10,000 alike");
    }

    #[test]
    fn the_word_is_the_one_in_json() {
        for flag in FeatureFlag::ALL {
            assert_eq!(serde_json::to_value(flag).unwrap(), flag.as_str());
        }
    }
}
