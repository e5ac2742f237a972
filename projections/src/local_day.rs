//! Days as a clock at a station has them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use domain::schedule::EventTime;

/// The first instant of a day: its midnight, or where the clock skips midnight, the first instant after it. Days follow
/// each other without gap or overlap, and have 23, 24 or 25 hours.
pub fn begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    EventTime::resolve(day.and_time(NaiveTime::MIN), zone).utc
}

/// The day after.
pub fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

/// Days from one to another, both inclusive; 0 where it ends before it begins.
pub fn count(from: NaiveDate, to: NaiveDate) -> i64 {
    ((to - from).num_days() + 1).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hours(day: &str, zone: Tz) -> i64 {
        let day = day.parse().unwrap();
        (begins(next(day), zone) - begins(day, zone)).num_hours()
    }

    #[test]
    fn a_day_has_23_hours_in_spring_and_25_in_autumn() {
        let california = chrono_tz::America::Los_Angeles;
        assert_eq!(hours("2026-03-07", california), 24);
        assert_eq!(hours("2026-03-08", california), 23);
        assert_eq!(hours("2026-11-01", california), 25);
        assert_eq!(hours("2026-03-08", chrono_tz::America::Phoenix), 24);
    }

    #[test]
    fn a_day_without_a_midnight_begins_when_its_clock_does() {
        // Clocks in Havana went from 00:00 to 01:00.
        let havana = chrono_tz::America::Havana;
        let day = "2026-03-08".parse().unwrap();
        assert_eq!(begins(day, havana).to_rfc3339(), "2026-03-08T05:00:00+00:00");
        assert_eq!(hours("2026-03-08", havana), 23);
    }

    proptest! {
        #[test]
        fn every_instant_is_of_the_day_that_the_clock_shows(minutes in 0_i64..20_000_000) {
            let at = DateTime::UNIX_EPOCH + chrono::Duration::minutes(minutes + 15_000_000);
            for zone in [chrono_tz::America::Los_Angeles, chrono_tz::America::Phoenix, chrono_tz::America::New_York] {
                let day = at.with_timezone(&zone).date_naive();
                prop_assert!(begins(day, zone) <= at && at < begins(next(day), zone));
            }
        }
    }
}
