//! How much of the admin API somebody may ask: points that an operation costs come out of two buckets, its credential's and
//! its company's, which fill again by the second. A client that spends what it is told is left is never turned away.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ids::{ApiKeyId, TenantId, UserId};
use lru::LruCache;

/// Buckets that are remembered. One that has not been used for longest is forgotten first, and is full when it comes back.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(16_384).expect("that is not nothing");
/// Parts of a point, so that what comes back in a millisecond is a whole number of them.
const PARTS: i64 = 1_000;

/// What may be spent, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// At once, after a rest.
    pub burst: u32,
    /// By the second, for ever.
    pub per_second: u32,
}

impl Allowance {
    fn burst_parts(self) -> i64 {
        i64::from(self.burst) * PARTS
    }

    /// Seconds from nothing to everything, rounded up.
    fn window(self) -> u32 {
        self.burst.div_ceil(self.per_second.max(1))
    }
}

/// Whose allowance it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A person's, whatever token they send.
    User(TenantId, UserId),
    /// A program's, by its key: what one spends, its maker and their other keys still have.
    Key(TenantId, ApiKeyId),
    /// That of everybody at an address who has not signed in.
    Address(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Credential(Credential),
    Company(TenantId),
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    parts: i64,
    at: DateTime<Utc>,
}

/// What is left of one allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Whose it is: `credential` or `company`.
    pub whose: &'static str,
    /// What there is of it at most, and by the second.
    pub allowance: Allowance,
    /// Whole points that can be spent now.
    pub points: u32,
    /// Seconds until all of it is back, rounded up.
    pub full_in: u32,
}

impl Left {
    /// The policy as the draft of the rate limit headers has it.
    pub fn policy(&self) -> String {
        let Allowance { burst, .. } = self.allowance;
        format!("\"{}\";q={burst};w={}", self.whose, self.allowance.window())
    }

    /// What is left, in the same manner.
    pub fn remaining(&self) -> String {
        format!("\"{}\";r={};t={}", self.whose, self.points, self.full_in)
    }
}

/// An operation costs more than is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// Whose allowance is used up: `credential` or `company`.
    pub whose: &'static str,
    /// After how long it can be paid.
    pub retry_after: Duration,
    /// What is left of either.
    pub left: Vec<Left>,
}

/// The buckets of one program. Several programs beside each other each have their own. Clones share them.
#[derive(Debug, Clone)]
pub struct Throttle {
    credential: Allowance,
    company: Allowance,
    buckets: Arc<Mutex<LruCache<Whose, Bucket>>>,
}

impl Throttle {
    /// Buckets that are full.
    pub fn new(credential: Allowance, company: Allowance) -> Self {
        Self {
            credential,
            company,
            buckets: Arc::new(Mutex::new(LruCache::new(REMEMBERED))),
        }
    }

    /// Spends so many points, or none of them where one of the two has too few. What costs more than all of an allowance takes
    /// all of it, or nobody could ever pay.
    ///
    /// # Errors
    /// [`Throttled`], with how long to wait.
    pub fn spend(&self, who: &Credential, points: u32, now: DateTime<Utc>) -> Result<Vec<Left>, Throttled> {
        let cost = |of: Allowance| (i64::from(points) * PARTS).min(of.burst_parts());
        let mut buckets = self.buckets();
        let whose = self.whose(who);
        let levels: Vec<i64> = whose
            .iter()
            .map(|(whose, allowance)| level(&mut buckets, whose, *allowance, now))
            .collect();
        let short = whose
            .iter()
            .zip(&levels)
            .filter_map(|((whose, allowance), level)| {
                let missing = cost(*allowance) - level;
                (missing > 0).then(|| (word(whose), wait(missing, *allowance)))
            });
        let worst = short.max_by_key(|(_, wait)| *wait);
        let mut left = Vec::with_capacity(levels.len());
        for ((whose, allowance), level) in whose.into_iter().zip(levels) {
            let paid = if worst.is_some() { 0 } else { cost(allowance) };
            let parts = level - paid;
            left.push(Left {
                whose: word(&whose),
                allowance,
                points: u32::try_from(parts / PARTS).unwrap_or(0),
                full_in: seconds(wait(allowance.burst_parts() - parts, allowance)),
            });
            buckets.put(whose, Bucket { parts, at: now });
        }
        match worst {
            None => Ok(left),
            Some((whose, retry_after)) => Err(Throttled {
                whose,
                retry_after,
                left,
            }),
        }
    }

    fn whose(&self, who: &Credential) -> Vec<(Whose, Allowance)> {
        let mut whose = vec![(Whose::Credential(who.clone()), self.credential)];
        if let Credential::User(tenant, _) | Credential::Key(tenant, _) = who {
            whose.push((Whose::Company(*tenant), self.company));
        }
        whose
    }

    fn buckets(&self) -> MutexGuard<'_, LruCache<Whose, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn word(whose: &Whose) -> &'static str {
    match whose {
        Whose::Credential(_) => "credential",
        Whose::Company(_) => "company",
    }
}

/// What is in a bucket by now. A clock that goes back brings nothing, and takes nothing.
fn level(buckets: &mut LruCache<Whose, Bucket>, whose: &Whose, of: Allowance, now: DateTime<Utc>) -> i64 {
    let Some(bucket) = buckets.get(whose) else {
        return of.burst_parts();
    };
    let since = (now - bucket.at).num_milliseconds().max(0);
    let back = since.saturating_mul(i64::from(of.per_second));
    bucket.parts.saturating_add(back).min(of.burst_parts())
}

/// How long it takes until so many parts are back.
fn wait(parts: i64, of: Allowance) -> Duration {
    let parts = u64::try_from(parts).unwrap_or(0);
    Duration::from_millis(parts.div_ceil(u64::from(of.per_second.max(1))))
}

/// Whole seconds, rounded up.
pub(crate) fn seconds(wait: Duration) -> u32 {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SMALL: Allowance = Allowance {
        burst: 100,
        per_second: 10,
    };

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + milliseconds).unwrap()
    }

    fn user(tenant: u128, user: u128) -> Credential {
        Credential::User(TenantId(Uuid::from_u128(tenant)), UserId(Uuid::from_u128(user)))
    }

    fn points(left: &[Left]) -> Vec<u32> {
        left.iter().map(|left| left.points).collect()
    }

    #[test]
    fn what_is_spent_comes_back_by_the_second() {
        let throttle = Throttle::new(
            SMALL,
            Allowance {
                burst: 150,
                per_second: 15,
            },
        );
        let left = throttle.spend(&user(1, 1), 100, at(0)).unwrap();
        assert_eq!(points(&left), [0, 50]);
        assert_eq!(left[0].policy(), "\"credential\";q=100;w=10");
        assert_eq!(left[0].remaining(), "\"credential\";r=0;t=10");
        let refused = throttle.spend(&user(1, 1), 25, at(1_000)).unwrap_err();
        assert_eq!(
            (refused.whose, refused.retry_after),
            ("credential", Duration::from_millis(1_500))
        );
        assert_eq!(
            points(&refused.left),
            [10, 65],
            "nothing is spent where something is missing"
        );
        let left = throttle.spend(&user(1, 1), 25, at(2_500)).unwrap();
        assert_eq!(points(&left), [0, 62]);
    }

    #[test]
    fn a_company_is_one_however_many_its_people_are() {
        let throttle = Throttle::new(
            SMALL,
            Allowance {
                burst: 150,
                per_second: 1,
            },
        );
        throttle.spend(&user(1, 1), 100, at(0)).unwrap();
        let refused = throttle.spend(&user(1, 2), 60, at(0)).unwrap_err();
        assert_eq!((refused.whose, seconds(refused.retry_after)), ("company", 10));
        throttle.spend(&user(2, 1), 60, at(0)).unwrap();
        let nobody = Credential::Address("192.0.2.1".to_owned());
        assert_eq!(points(&throttle.spend(&nobody, 60, at(0)).unwrap()), [40]);
    }

    #[test]
    fn what_costs_more_than_an_allowance_takes_all_of_it() {
        let throttle = Throttle::new(
            SMALL,
            Allowance {
                burst: 500,
                per_second: 10,
            },
        );
        let left = throttle.spend(&user(1, 1), 400, at(0)).unwrap();
        assert_eq!(points(&left), [0, 100]);
        let refused = throttle.spend(&user(1, 1), 400, at(1_000)).unwrap_err();
        assert_eq!(
            (refused.whose, refused.retry_after),
            ("company", Duration::from_secs(29))
        );
        throttle.spend(&user(1, 1), 400, at(30_000)).unwrap();
    }

    #[test]
    fn a_clock_that_goes_back_brings_nothing_and_takes_nothing() {
        let throttle = Throttle::new(SMALL, SMALL);
        throttle.spend(&user(1, 1), 60, at(0)).unwrap();
        assert_eq!(
            points(&throttle.spend(&user(1, 1), 0, at(-5_000)).unwrap()),
            [40, 40]
        );
        assert_eq!(
            points(&throttle.spend(&user(1, 1), 0, at(-4_000)).unwrap()),
            [50, 50]
        );
    }

    proptest! {
        /// Whoever waits for what it was told never hears that it asked too much.
        #[test]
        fn a_client_that_keeps_to_what_it_is_told_is_never_turned_away(
            costs in prop::collection::vec(1..=100_u32, 1..60),
            pauses in prop::collection::vec(0..3_000_i64, 60),
        ) {
            let throttle = Throttle::new(SMALL, Allowance { burst: 400, per_second: 40 });
            let mut now = 0;
            let mut left = throttle.spend(&user(1, 1), 0, at(now)).unwrap();
            for (cost, pause) in costs.into_iter().zip(pauses) {
                now += pause;
                let known = left[0].points;
                if known < cost {
                    let missing = i64::from(cost - known);
                    now += (missing * 1_000).div_euclid(i64::from(SMALL.per_second)) + 100;
                }
                left = throttle.spend(&user(1, 1), cost, at(now)).unwrap();
            }
        }

        /// Nobody gets more than the burst and what came back since.
        #[test]
        fn nobody_gets_more_than_there_is(steps in prop::collection::vec((0..500_i64, 1..60_u32), 1..200)) {
            let throttle = Throttle::new(SMALL, Allowance { burst: 1_000_000, per_second: 1_000_000 });
            let (mut now, mut spent) = (0, 0_i64);
            for (pause, cost) in steps {
                now += pause;
                if throttle.spend(&user(1, 1), cost, at(now)).is_ok() {
                    spent += i64::from(cost);
                }
            }
            prop_assert!(spent * 1_000 <= i64::from(SMALL.burst) * 1_000 + now * i64::from(SMALL.per_second));
        }
    }
}
