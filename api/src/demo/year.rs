//! A year of business as chance has it: who asks for what, when, and how it goes on.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, Utc, Weekday};
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
    pub(super) promo: Option<&'static str>,
    pub(super) fate: Fate,
    pub(super) change: Option<Change>,
    pub(super) after: Option<After>,
    pub(super) deposit_by: PaymentMethod,
    pub(super) balance_by: PaymentMethod,
    pub(super) tip: Tip,
}

/// How one booking ends, if it gets that far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The party is held.
    Held,
    /// The deposit does not come.
    NeverPaid,
    /// The customer calls it off so many hours before the start.
    Cancelled { hours_before: i64 },
    /// The company calls it off so many hours before the start.
    CalledOff { hours_before: i64 },
    /// A deposit is claimed that nobody finds.
    NotFound,
}

/// What a customer changes, ten days before the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// So many adults more come, or fewer.
    Adults(i32),
    /// An extra tray of noodles.
    Noodles,
    /// The party moves by so many days; that is settled three weeks before the start.
    Moved(i64),
}

/// What is left to do after a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// A present of so many percent of the price: the party began late.
    Goodwill(i64),
    /// So many percent of the price are taken back: something that was charged was not served.
    PriceAdjusted(i64),
    /// The customer's bank takes a card payment back, and the company wins or loses.
    Disputed { won: bool },
}

/// A voluntary tip: a share of food and service in percent, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip(pub(super) i64);

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
/// How deposits come, with how often of a hundred.
const DEPOSITS: [(PaymentMethod, u32); 3] = [
    (PaymentMethod::Card, 55),
    (PaymentMethod::Zelle, 30),
    (PaymentMethod::Venmo, 15),
];
/// How the rest comes, with how often of a hundred.
const BALANCES: [(PaymentMethod, u32); 4] = [
    (PaymentMethod::Card, 40),
    (PaymentMethod::Zelle, 25),
    (PaymentMethod::Venmo, 15),
    (PaymentMethod::Cash, 20),
];
/// How much more is asked for in each month, January first, in percent of a month like any other.
const MONTHS: [u32; 12] = [45, 70, 75, 85, 125, 150, 150, 130, 105, 95, 85, 135];

impl Year {
    /// Number that tells this plan from others: part of its keys, and where its ids begin.
    pub(super) fn fingerprint(&self) -> u64 {
        let day = |date: NaiveDate| u64::from(date.num_days_from_ce().unsigned_abs());
        self.seed ^ (day(self.from) << 40) ^ (day(self.to) << 20) ^ u64::from(self.count)
    }

    /// What happens, in no order. The same plan gives the same stories.
    pub(super) fn stories(&self) -> Vec<Story> {
        let mut chance = ChaCha8Rng::seed_from_u64(self.fingerprint());
        let days = Days::of(self);
        (0..self.count)
            .map(|number| story(number, &days, &mut chance))
            .collect()
    }
}

/// The days of a plan, each with how much is asked for on it.
struct Days {
    from: NaiveDate,
    /// What is asked for on each day and all before it.
    until: Vec<u32>,
}

impl Days {
    fn of(year: &Year) -> Self {
        let mut sum = 0;
        let days = year.from.iter_days().take_while(|day| *day <= year.to);
        let until = days
            .map(|day| {
                sum += demand(day);
                sum
            })
            .collect();
        Self {
            from: year.from,
            until,
        }
    }

    fn draw(&self, chance: &mut ChaCha8Rng) -> NaiveDate {
        let all = self.until.last().copied().unwrap_or(1);
        let drawn = chance.random_range(0..all);
        let place = self.until.partition_point(|sum| *sum <= drawn);
        self.from + Duration::days(i64::try_from(place).unwrap_or(0))
    }
}

/// How much is asked for on a day: weekends, summers and the end of the year are dearer to parties.
fn demand(day: NaiveDate) -> u32 {
    let of_week = match day.weekday() {
        Weekday::Mon | Weekday::Tue => 4,
        Weekday::Wed => 5,
        Weekday::Thu => 8,
        Weekday::Fri => 22,
        Weekday::Sat => 36,
        Weekday::Sun => 24,
    };
    let month = usize::try_from(day.month0()).unwrap_or(0);
    of_week * MONTHS[month]
}

fn story(number: u32, days: &Days, chance: &mut ChaCha8Rng) -> Story {
    let hour = if chance.random_ratio(3, 5) {
        18
    } else {
        *SLOTS.choose(chance).expect("four slots")
    };
    let start = days
        .draw(chance)
        .and_hms_opt(hour, 0, 0)
        .expect("whole hours of a day");
    // Most ask two to five weeks before, some months.
    let lead = match chance.random_range(0..10) {
        0..2 => chance.random_range(5..14),
        2..8 => chance.random_range(14..36),
        _ => chance.random_range(36..100),
    };
    let mut add_ons = Vec::new();
    for (item, most) in [("sauce", 4), ("noodles", 3), ("filet", 10), ("lobster", 6)] {
        if chance.random_ratio(1, 4) {
            add_ons.push((item, chance.random_range(1..=most)));
        }
    }
    // One in four is somebody who has booked before.
    let again = number > 0 && chance.random_ratio(1, 4);
    let customer = if again {
        chance.random_range(0..number)
    } else {
        number
    };
    let fate = fate(chance);
    Story {
        number,
        start,
        asked_at: start.and_utc() - Duration::days(lead) + Duration::minutes(chance.random_range(0..900)),
        adults: adults(chance),
        children: chance.random_range(0..=6),
        under6: chance.random_range(0..=2),
        add_ons,
        place: SPOTS.choose(chance).expect("there are spots"),
        customer,
        source: if again {
            "returning"
        } else {
            SOURCES.choose(chance).expect("there are sources")
        },
        promo: promo(again, start.month(), chance),
        fate,
        change: change(chance),
        after: after(chance),
        deposit_by: weighted(&DEPOSITS, chance),
        balance_by: weighted(&BALANCES, chance),
        tip: Tip(*[0, 0, 0, 10, 15, 20, 20, 25, 30]
            .choose(chance)
            .expect("there are tips")),
    }
}

/// Most parties are small; one in twelve is large enough for a gratuity, or a second chef.
fn adults(chance: &mut ChaCha8Rng) -> i32 {
    match chance.random_range(0..12) {
        0 => chance.random_range(26..=44),
        1..4 => chance.random_range(18..=25),
        _ => chance.random_range(8..18),
    }
}

fn fate(chance: &mut ChaCha8Rng) -> Fate {
    match chance.random_range(0..100) {
        0..9 => Fate::Cancelled {
            hours_before: *[30, 60, 100, 150, 200, 300, 400, 700]
                .choose(chance)
                .expect("there are hours"),
        },
        9..10 => Fate::CalledOff {
            hours_before: chance.random_range(24..120),
        },
        10..15 => Fate::NeverPaid,
        15..17 => Fate::NotFound,
        _ => Fate::Held,
    }
}

fn change(chance: &mut ChaCha8Rng) -> Option<Change> {
    match chance.random_range(0..100) {
        0..7 => Some(Change::Adults(
            *[-2, -1, 1, 2, 3, 4].choose(chance).expect("there are some"),
        )),
        7..12 => Some(Change::Noodles),
        12..17 => Some(Change::Moved(
            *[-7, -1, 1, 7, 14].choose(chance).expect("there are some"),
        )),
        _ => None,
    }
}

fn after(chance: &mut ChaCha8Rng) -> Option<After> {
    match chance.random_range(0..1_000) {
        0..20 => Some(After::Goodwill(chance.random_range(5..=15))),
        20..40 => Some(After::PriceAdjusted(chance.random_range(5..=25))),
        40..65 => Some(After::Disputed {
            won: chance.random_ratio(2, 3),
        }),
        _ => None,
    }
}

fn promo(again: bool, month: u32, chance: &mut ChaCha8Rng) -> Option<&'static str> {
    let code = match (again, month) {
        (true, _) => "AGAIN50",
        (false, 6..=8) => "SUMMER25",
        (false, _) => "WELCOME10",
    };
    chance.random_ratio(1, 8).then_some(code)
}

fn weighted(from: &[(PaymentMethod, u32)], chance: &mut ChaCha8Rng) -> PaymentMethod {
    from.choose_weighted(chance, |(_, often)| *often)
        .expect("there are methods")
        .0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn year(seed: u64) -> Year {
        Year {
            count: 3_000,
            seed,
            from: "2025-01-01".parse().unwrap(),
            to: "2025-12-31".parse().unwrap(),
        }
    }

    #[test]
    fn the_same_plan_gives_the_same_stories_within_its_days() {
        let (a, b) = (year(7).stories(), year(7).stories());
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
        let days = year(7).from..=year(7).to;
        assert!(a.iter().all(|story| days.contains(&story.start.date())));
        assert_ne!(format!("{a:?}"), format!("{:?}", year(8).stories()));
    }

    #[test]
    fn a_year_has_its_seasons_its_weekends_and_its_troubles() {
        let stories = year(7).stories();
        let count = |of: &dyn Fn(&Story) -> bool| stories.iter().filter(|story| of(story)).count();
        let in_month = |month| count(&|story| story.start.month() == month);
        assert!(in_month(7) > 2 * in_month(1));
        assert!(
            count(&|story| story.start.weekday() == Weekday::Sat)
                > 4 * count(&|story| story.start.weekday() == Weekday::Mon)
        );
        assert!(count(&|story| story.customer != story.number) > stories.len() / 5);
        assert!(count(&|story| matches!(story.fate, Fate::Cancelled { .. })) > stories.len() / 20);
        for often in [
            count(&|story| matches!(story.fate, Fate::CalledOff { .. })),
            count(&|story| matches!(story.after, Some(After::Disputed { .. }))),
            count(&|story| matches!(story.change, Some(Change::Moved(_)))),
            count(&|story| story.promo == Some("SUMMER25")),
            count(&|story| story.deposit_by == PaymentMethod::Venmo),
        ] {
            assert!(often > 5, "{often}");
        }
    }
}
