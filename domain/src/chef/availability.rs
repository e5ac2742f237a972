//! When a chef works: by the week, by the day, and days off, all by the clock of the station that is served.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::schedule::EventTime;

/// A working time of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// When it begins.
    pub from: NaiveTime,
    /// When it ends, excluded; at or before the beginning it is on the next day, so that 00:00 to 00:00 is a whole day.
    pub until: NaiveTime,
}

/// A working time of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyHours {
    /// The day that it begins on.
    pub day: Weekday,
    /// When it begins.
    pub from: NaiveTime,
    /// When it ends, as in [`Hours`].
    pub until: NaiveTime,
}

/// Why a chef does not work at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// A day that the work touches is off.
    #[error("is off on {0}")]
    Off(NaiveDate),
    /// Some of it is outside of the working times.
    #[error("does not work at that time")]
    OutsideHours,
}

/// When a chef works. Without a week set, always.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingTimes {
    weekly: Option<Vec<WeeklyHours>>,
    days: BTreeMap<NaiveDate, Vec<Hours>>,
    off: Vec<(NaiveDate, NaiveDate)>,
}

/// From midnight to midnight.
const WHOLE_DAY: Hours = Hours {
    from: NaiveTime::MIN,
    until: NaiveTime::MIN,
};

impl WorkingTimes {
    /// Working times as they were set: a week, days with times of their own, and days off, both ends included.
    pub fn of(
        weekly: Option<Vec<WeeklyHours>>,
        days: impl IntoIterator<Item = (NaiveDate, Vec<Hours>)>,
        off: impl IntoIterator<Item = (NaiveDate, NaiveDate)>,
    ) -> Self {
        Self {
            weekly,
            days: days.into_iter().collect(),
            off: off.into_iter().collect(),
        }
    }

    /// The week that was set, if any.
    pub(super) fn weekly(&self) -> Option<&Vec<WeeklyHours>> {
        self.weekly.as_ref()
    }

    /// The working times of a day that were set in place of the week's, if any.
    pub(super) fn day(&self, day: NaiveDate) -> Option<&Vec<Hours>> {
        self.days.get(&day)
    }

    /// Whether the chef can be away for the company over `[from, until)`, travel, setting up and clearing included.
    ///
    /// # Errors
    /// [`Unavailable`] says why not.
    pub fn check(&self, from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> Result<(), Unavailable> {
        let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
        let (first, last) = (day(from), day(until - TimeDelta::nanoseconds(1)));
        let touched = first.iter_days().take_while(|day| *day <= last);
        if let Some(off) = touched.into_iter().find(|day| self.is_off(*day)) {
            return Err(Unavailable::Off(off));
        }
        // What began the evening before may go on after midnight.
        let before = first.checked_sub_days(Days::new(1)).unwrap_or(first);
        let mut times: Vec<_> = before
            .iter_days()
            .take_while(|day| *day <= last)
            .flat_map(|day| self.on(day, zone))
            .collect();
        times.sort_unstable();
        let mut covered = from;
        for (opens, closes) in times {
            if opens <= covered {
                covered = covered.max(closes);
            }
        }
        if covered >= until {
            Ok(())
        } else {
            Err(Unavailable::OutsideHours)
        }
    }

    /// Whether a day was taken off.
    pub fn is_off(&self, day: NaiveDate) -> bool {
        self.off.iter().any(|(from, to)| (*from..=*to).contains(&day))
    }

    /// The working times that begin on a day, as instants.
    fn on(&self, day: NaiveDate, zone: Tz) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let hours = match (self.days.get(&day), &self.weekly) {
            (Some(hours), _) => hours.clone(),
            (None, None) => vec![WHOLE_DAY],
            (None, Some(weekly)) => weekly
                .iter()
                .filter(|hours| hours.day == day.weekday())
                .map(|hours| Hours {
                    from: hours.from,
                    until: hours.until,
                })
                .collect(),
        };
        let at = |day: NaiveDate, time| EventTime::resolve(day.and_time(time), zone).utc;
        let instants = |hours: Hours| {
            let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
            let closes_on = if hours.until <= hours.from { next } else { day };
            (at(day, hours.from), at(closes_on, hours.until))
        };
        hours.into_iter().map(instants).collect()
    }

    pub(super) fn set_weekly(&mut self, weekly: Vec<WeeklyHours>) {
        self.weekly = Some(weekly);
    }

    pub(super) fn set_day(&mut self, day: NaiveDate, hours: Option<Vec<Hours>>) {
        match hours {
            Some(hours) => self.days.insert(day, hours),
            None => self.days.remove(&day),
        };
    }

    pub(super) fn is_time_off(&self, from: NaiveDate, to: NaiveDate) -> bool {
        self.off.contains(&(from, to))
    }

    pub(super) fn add_time_off(&mut self, from: NaiveDate, to: NaiveDate) {
        self.off.push((from, to));
    }

    pub(super) fn cancel_time_off(&mut self, from: NaiveDate, to: NaiveDate) {
        self.off.retain(|off| *off != (from, to));
    }
}
