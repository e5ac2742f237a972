//! When something recurs.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::schedule::EventTime;

/// When something recurs, by the clock of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// Once a day, at a time of day in whole minutes.
    Daily(NaiveTime),
}

/// The text is no recurrence that this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no recurrence, such as `daily 03:15`")]
pub struct UnknownRecurrence(String);

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily(at) => write!(f, "daily {}", at.format("%H:%M")),
        }
    }
}

impl FromStr for Recurrence {
    type Err = UnknownRecurrence;

    fn from_str(text: &str) -> Result<Self, UnknownRecurrence> {
        let at = text.strip_prefix("daily ");
        let at = at.and_then(|at| NaiveTime::parse_from_str(at, "%H:%M").ok());
        at.map(Self::Daily)
            .ok_or_else(|| UnknownRecurrence(text.to_owned()))
    }
}

impl Recurrence {
    /// The first time that is due after an instant. A time that the clock skips is due as much later as the clock was moved;
    /// one that comes twice is due at the first of the two alone. However long nobody asked, there is one.
    pub fn next_after(self, after: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let Self::Daily(at) = self;
        let today = after.with_timezone(&zone).date_naive();
        // The day before too: a time that was moved forward may be due a day later. A zone may have skipped a whole day.
        let first = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        let days = (0..5).filter_map(|days| first.checked_add_days(Days::new(days)));
        let mut due = days.map(|day| EventTime::resolve(day.and_time(at), zone).utc);
        let next = due.find(|due| *due > after);
        next.unwrap_or_else(|| after + TimeDelta::days(1))
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::{Los_Angeles, Sao_Paulo};
    use chrono_tz::Pacific::Apia;
    use proptest::prelude::*;

    use super::*;

    fn daily(at: &str) -> Recurrence {
        format!("daily {at}").parse().unwrap()
    }

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The times that are due from an instant on.
    fn due(at: &str, zone: Tz, from: &str, times: usize) -> Vec<String> {
        let mut now = instant(from);
        let next = |_| {
            now = daily(at).next_after(now, zone);
            now.format("%dT%H:%M").to_string()
        };
        (0..times).map(next).collect()
    }

    #[test]
    fn it_is_due_once_a_day_by_the_clock_of_the_place() {
        let times = due("03:15", Los_Angeles, "2026-02-10T18:00:00Z", 3);
        assert_eq!(times, ["11T11:15", "12T11:15", "13T11:15"]);
        // At the time itself the next is due.
        assert_eq!(due("03:15", Los_Angeles, "2026-02-11T11:15:00Z", 1), ["12T11:15"]);
        assert_eq!(due("03:15", Los_Angeles, "2026-02-11T11:14:59Z", 1), ["11T11:15"]);
    }

    #[test]
    fn a_time_that_the_clock_skips_in_spring_is_due_an_hour_later_and_once() {
        let times = due("02:30", Los_Angeles, "2026-03-07T00:00:00Z", 4);
        assert_eq!(times, ["07T10:30", "08T10:30", "09T09:30", "10T09:30"]);
        // Where clocks were moved at midnight.
        let times = due("00:15", Sao_Paulo, "2018-11-03T00:00:00Z", 3);
        assert_eq!(times, ["03T03:15", "04T03:15", "05T02:15"]);
    }

    #[test]
    fn a_time_that_comes_twice_in_autumn_is_due_at_the_first() {
        let times = due("01:30", Los_Angeles, "2026-10-31T00:00:00Z", 4);
        assert_eq!(times, ["31T08:30", "01T08:30", "02T09:30", "03T09:30"]);
        // Between the two it is not due again.
        assert_eq!(due("01:30", Los_Angeles, "2026-11-01T08:45:00Z", 1), ["02T09:30"]);
    }

    #[test]
    fn a_day_that_a_zone_skips_has_no_time_of_its_own() {
        let times = due("03:00", Apia, "2011-12-28T20:00:00Z", 3);
        assert_eq!(times, ["29T13:00", "30T13:00", "31T13:00"]);
    }

    #[test]
    fn after_a_week_in_which_nobody_asked_it_is_due_once() {
        let due_at = daily("03:15").next_after(instant("2026-02-10T18:00:00Z"), Los_Angeles);
        let back_at = due_at + TimeDelta::days(7) + TimeDelta::hours(2);
        let next = daily("03:15").next_after(back_at, Los_Angeles);
        assert_eq!(next, due_at + TimeDelta::days(8));
    }

    #[test]
    fn a_recurrence_is_written_as_it_is_read() {
        assert_eq!(daily("03:05").to_string(), "daily 03:05");
        for text in [
            "",
            "daily",
            "daily 24:00",
            "daily 3",
            "hourly 03:00",
            "daily 03:00:10",
        ] {
            assert!(text.parse::<Recurrence>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn two_times_are_about_a_day_apart_in_every_zone(
            secs in 1_500_000_000_i64..2_000_000_000, minute in 0_u32..1_440, zone in 0..chrono_tz::TZ_VARIANTS.len()
        ) {
            let zone = chrono_tz::TZ_VARIANTS[zone];
            let at = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
            let after = DateTime::from_timestamp(secs, 0).unwrap();
            let first = Recurrence::Daily(at).next_after(after, zone);
            let second = Recurrence::Daily(at).next_after(first, zone);
            prop_assert!(first > after && first - after <= TimeDelta::hours(26));
            let apart = second - first;
            prop_assert!(apart >= TimeDelta::hours(20) && apart <= TimeDelta::hours(28), "{}", apart);
        }
    }
}
