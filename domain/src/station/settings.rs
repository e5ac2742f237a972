//! How events are laid into a station's days.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

use super::StationError;
use crate::place::Travel;

/// How events are laid into a station's days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationSettings {
    /// Local start times on offer, ascending.
    pub slots: Vec<NaiveTime>,
    /// Length of an event in minutes.
    pub event_mins: i64,
    /// Minutes that a chef needs before the start.
    pub setup_mins: i64,
    /// Minutes that a chef needs after the end.
    pub teardown_mins: i64,
    /// Guests that one chef cooks for.
    pub guests_per_chef: i32,
    /// Hours that a booking must lie ahead.
    pub lead_hours: i64,
    /// Days ahead that can be booked.
    pub horizon_days: i64,
    /// Days on which the station takes no event.
    #[serde(default, skip_serializing_if = "ClosedDays::is_empty")]
    pub closed: ClosedDays,
}

/// Days on which a station takes no event, by its own clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDays {
    /// Every such day of the week.
    pub weekdays: Vec<Weekday>,
    /// Single days: holidays, say.
    pub dates: Vec<NaiveDate>,
}

impl ClosedDays {
    /// The most single days that a station names.
    const MAX_DATES: usize = 1_000;

    fn is_empty(&self) -> bool {
        self.weekdays.is_empty() && self.dates.is_empty()
    }

    /// Whether no event starts on a day.
    pub fn on(&self, day: NaiveDate) -> bool {
        self.weekdays.contains(&day.weekday()) || self.dates.contains(&day)
    }
}

impl Default for StationSettings {
    /// The defaults of the domain's description.
    fn default() -> Self {
        let slot = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("whole hours of a day");
        Self {
            slots: [12, 15, 18, 21].map(slot).to_vec(),
            event_mins: 120,
            setup_mins: 60,
            teardown_mins: 30,
            guests_per_chef: 25,
            lead_hours: 48,
            horizon_days: 365,
            closed: ClosedDays::default(),
        }
    }
}

impl StationSettings {
    /// The half-open interval `[start − setup − travel, end + teardown)` that an event takes from its chefs.
    pub fn blocked(&self, start: DateTime<Utc>, travel: &Travel) -> (DateTime<Utc>, DateTime<Utc>) {
        let from = start - Duration::minutes(self.setup_mins + travel.minutes);
        let until = start + Duration::minutes(self.event_mins + self.teardown_mins);
        (from, until)
    }

    /// How many chefs a party needs.
    pub fn chefs_needed(&self, guests: i32) -> i32 {
        (guests + self.guests_per_chef - 1) / self.guests_per_chef
    }
}

/// Refuses what no day can hold.
pub(super) fn check_settings(s: &StationSettings) -> Result<(), StationError> {
    let sensible = (1..=48).contains(&s.slots.len())
        && s.slots.windows(2).all(|pair| pair[0] < pair[1])
        && (15..=720).contains(&s.event_mins)
        && (0..=720).contains(&s.setup_mins)
        && (0..=720).contains(&s.teardown_mins)
        && (1..=500).contains(&s.guests_per_chef)
        && (0..=8_760).contains(&s.lead_hours)
        && (1..=1_825).contains(&s.horizon_days)
        && s.closed.weekdays.len() <= 7
        && s.closed.dates.len() <= ClosedDays::MAX_DATES;
    if sensible {
        Ok(())
    } else {
        Err(StationError::BadSettings)
    }
}
