//! Event times: what the customer's clock shows, and the instant it is.

use chrono::{DateTime, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset};
use chrono::{TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// When an event starts: local time, zone, UTC and offset, fixed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTime {
    /// The instant.
    pub utc: DateTime<Utc>,
    /// What a clock at the station shows.
    pub local: NaiveDateTime,
    /// IANA zone of the station.
    pub zone: Tz,
    /// Seconds east of UTC at that instant.
    pub offset_secs: i32,
    /// Seconds by which a time that the clock skips was moved forward; 0 for a time that exists.
    #[serde(default)]
    pub moved_forward_secs: i64,
}

impl EventTime {
    /// Fixes a local time in a zone. A time in a daylight-saving gap moves forward by the gap; one that
    /// comes twice is the earlier.
    pub fn resolve(local: NaiveDateTime, zone: Tz) -> Self {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                Self::at(at.with_timezone(&Utc), zone, 0)
            }
            LocalResult::None => Self::after_gap(local, zone),
        }
    }

    fn after_gap(local: NaiveDateTime, zone: Tz) -> Self {
        // The offset before the gap, read a day earlier, names the instant that the clock was heading for.
        let before = zone
            .offset_from_utc_datetime(&(local - Duration::days(1)))
            .fix()
            .local_minus_utc();
        let utc = (local - Duration::seconds(i64::from(before))).and_utc();
        let moved = utc.with_timezone(&zone).naive_local() - local;
        Self::at(utc, zone, moved.num_seconds())
    }

    fn at(utc: DateTime<Utc>, zone: Tz, moved_forward_secs: i64) -> Self {
        let there = utc.with_timezone(&zone);
        Self {
            utc,
            local: there.naive_local(),
            zone,
            offset_secs: there.offset().fix().local_minus_utc(),
            moved_forward_secs,
        }
    }

    /// The offset as `-08:00`.
    pub fn offset(&self) -> String {
        let sign = if self.offset_secs < 0 { '-' } else { '+' };
        let minutes = self.offset_secs.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// A date as a key of counts, `[from, until)`: its midnight by UTC and the next, so that two zones never mean two
/// keys for one date, nor one date's key reaches into another's.
pub fn date_key(date: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    dates_key(date, 1)
}

/// The week of a date, Monday to Sunday (ISO 8601), as a key of counts in the same way.
pub fn week_key(date: NaiveDate) -> (DateTime<Utc>, DateTime<Utc>) {
    dates_key(date.week(chrono::Weekday::Mon).first_day(), 7)
}

fn dates_key(first: NaiveDate, days: u64) -> (DateTime<Utc>, DateTime<Utc>) {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let end = first.checked_add_days(Days::new(days)).unwrap_or(first);
    (midnight(first), midnight(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::{Los_Angeles, Phoenix};

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_in_the_spring_gap_moves_forward_by_the_gap() {
        let start = EventTime::resolve(local("2026-03-08T02:30:00"), Los_Angeles);
        assert_eq!(start.local, local("2026-03-08T03:30:00"));
        assert_eq!(start.utc.to_rfc3339(), "2026-03-08T10:30:00+00:00");
        assert_eq!(
            (start.offset().as_str(), start.moved_forward_secs),
            ("-07:00", 3600)
        );
    }

    #[test]
    fn a_time_that_comes_twice_in_autumn_is_the_earlier() {
        let start = EventTime::resolve(local("2026-11-01T01:30:00"), Los_Angeles);
        assert_eq!(start.utc.to_rfc3339(), "2026-11-01T08:30:00+00:00");
        assert_eq!((start.offset().as_str(), start.moved_forward_secs), ("-07:00", 0));
    }

    #[test]
    fn a_zone_without_daylight_saving_keeps_its_offset() {
        for date in ["2026-03-08T02:30:00", "2026-07-01T02:30:00"] {
            assert_eq!(EventTime::resolve(local(date), Phoenix).offset(), "-07:00");
        }
    }

    #[test]
    fn the_keys_of_two_dates_or_weeks_never_overlap() {
        let (sunday, monday) = ("2026-03-08".parse().unwrap(), "2026-03-09".parse().unwrap());
        assert_eq!(date_key(sunday).1, date_key(monday).0);
        assert_eq!(week_key(sunday).1, week_key(monday).0);
        let (from, until) = week_key(sunday);
        assert_eq!(
            (from.to_rfc3339().as_str(), (until - from).num_days()),
            ("2026-03-02T00:00:00+00:00", 7)
        );
    }
}
