//! A year of business as chance has it: who asks for what, when, and how it goes on.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, Utc, Weekday};
use domain::money::Cents;
use domain::payment::PaymentMethod;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Year {
    /// How many bookings to ask for.
    pub count: u32,
    /// Where chance begins.
    pub seed: u64,
    /// First day of events.
    pub from: NaiveDate,
    /// Last day of events, inclusive.
    pub to: NaiveDate,
}

/// How one booking goes on.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) number: u32,
    pub(super) start: NaiveDateTime,
    pub(super) asked_at: DateTime<Utc>,
    pub(super) adults: i32,
    pub(super) children: i32,
    pub(super) under6: i32,
    pub(super) add_ons: Vec<(&'static str, i32)>,
    pub(super) place: &'static Spot,
    pub(super) customer: u32,
    pub(super) source: &'static str,
    pub(super) fate: Fate,
    pub(super) method: PaymentMethod,
    pub(super) tip: Tip,
}

/// How one booking ends, if it gets that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Held,
    NeverPaid,
    Cancelled,
    NotFound,
}

/// A voluntary tip: a share of the price in percent, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip(pub(super) i64);

impl Tip {
    pub(super) fn of(self, price: Cents) -> Cents {
        Cents(price.0 * self.0 / 100)
    }
}

/// Where parties are held.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) zip: &'static str,
    pub(super) city: &'static str,
}

/// A place in Santa Clara County outside the cities with a rate of their own.
pub(super) const MILPITAS: Spot = Spot {
    zip: "95035",
    city: "Milpitas",
};
const SPOTS: [Spot; 14] = [
    Spot {
        zip: "95112",
        city: "San Jose",
    },
    Spot {
        zip: "95125",
        city: "San Jose",
    },
    MILPITAS,
    Spot {
        zip: "95008",
        city: "Campbell",
    },
    Spot {
        zip: "94086",
        city: "Sunnyvale",
    },
    Spot {
        zip: "94541",
        city: "Hayward",
    },
    Spot {
        zip: "94608",
        city: "Emeryville",
    },
    Spot {
        zip: "94501",
        city: "Alameda",
    },
    Spot {
        zip: "94520",
        city: "Concord",
    },
    Spot {
        zip: "94401",
        city: "San Mateo",
    },
    Spot {
        zip: "94110",
        city: "San Francisco",
    },
    Spot {
        zip: "95814",
        city: "Sacramento",
    },
    Spot {
        zip: "95630",
        city: "Folsom",
    },
    Spot {
        zip: "95624",
        city: "Elk Grove",
    },
];
const SLOTS: [u32; 4] = [12, 15, 18, 21];
const SOURCES: [&str; 4] = ["website", "referral", "instagram", "google"];
const METHODS: [PaymentMethod; 4] = [
    PaymentMethod::Zelle,
    PaymentMethod::Zelle,
    PaymentMethod::Venmo,
    PaymentMethod::Cash,
];

impl Year {
    /// Number that tells this plan from others: part of its keys, and where its ids begin.
    pub(super) fn fingerprint(&self) -> u64 {
        let day = |date: NaiveDate| u64::from(date.num_days_from_ce().unsigned_abs());
        self.seed ^ (day(self.from) << 40) ^ (day(self.to) << 20) ^ u64::from(self.count)
    }

    /// What happens, in no order. The same plan gives the same stories.
    pub(super) fn stories(&self) -> Vec<Story> {
        let mut chance = ChaCha8Rng::seed_from_u64(self.fingerprint());
        (0..self.count)
            .map(|number| self.story(number, &mut chance))
            .collect()
    }

    fn story(&self, number: u32, chance: &mut ChaCha8Rng) -> Story {
        let day = self.day(chance);
        let hour = if chance.random_ratio(3, 5) {
            18
        } else {
            *SLOTS.choose(chance).expect("four slots")
        };
        let start = day.and_hms_opt(hour, 0, 0).expect("whole hours of a day");
        let lead = Duration::hours(chance.random_range(4 * 24..60 * 24));
        let fate = match chance.random_range(0..100) {
            0..8 => Fate::Cancelled,
            8..13 => Fate::NeverPaid,
            13..15 => Fate::NotFound,
            _ => Fate::Held,
        };
        let mut add_ons = Vec::new();
        for (item, most) in [("sauce", 4), ("noodles", 3), ("filet", 10), ("lobster", 6)] {
            if chance.random_ratio(1, 4) {
                add_ons.push((item, chance.random_range(1..=most)));
            }
        }
        Story {
            number,
            start,
            asked_at: start.and_utc() - lead,
            adults: chance.random_range(8..=20),
            children: chance.random_range(0..=6),
            under6: chance.random_range(0..=2),
            add_ons,
            place: SPOTS.choose(chance).expect("there are spots"),
            // One in four is somebody who has booked before.
            customer: if chance.random_ratio(1, 4) {
                chance.random_range(0..=number)
            } else {
                number
            },
            source: SOURCES.choose(chance).expect("there are sources"),
            fate,
            method: *METHODS.choose(chance).expect("there are methods"),
            tip: Tip(*[0, 0, 10, 20, 25].choose(chance).expect("there are tips")),
        }
    }

    /// A day of the plan: weekends and summers are dearer to parties.
    fn day(&self, chance: &mut ChaCha8Rng) -> NaiveDate {
        let days = (self.to - self.from).num_days().max(0);
        let mut day = self.from;
        // A day that chance does not like is drawn again, a few times at most.
        for _ in 0..6 {
            day = self.from + Duration::days(chance.random_range(0..=days));
            let weekend = matches!(day.weekday(), Weekday::Fri | Weekday::Sat | Weekday::Sun);
            let summer = (5..=9).contains(&day.month());
            if chance.random_ratio(
                match (weekend, summer) {
                    (true, true) => 10,
                    (true, false) => 7,
                    (false, true) => 4,
                    (false, false) => 2,
                },
                10,
            ) {
                break;
            }
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_plan_gives_the_same_stories_within_its_days() {
        let year = Year {
            count: 300,
            seed: 7,
            from: "2025-01-01".parse().unwrap(),
            to: "2025-12-31".parse().unwrap(),
        };
        let (a, b) = (year.stories(), year.stories());
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
        assert!(
            a.iter()
                .all(|story| (year.from..=year.to).contains(&story.start.date()))
        );
        assert_ne!(
            format!("{a:?}"),
            format!("{:?}", Year { seed: 8, ..year }.stories())
        );
    }
}
