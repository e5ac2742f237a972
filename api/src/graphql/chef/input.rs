//! What clients send about chefs.

use async_graphql::{ID, InputObject};
use domain::chef::{Hours, WeeklyHours};

use super::Weekday;
use crate::graphql::scalar::{LocalDate, LocalTime};

/// Somebody who is to cook for the company.
#[derive(InputObject)]
pub(super) struct ChefRegisterInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// Name; 1 to 120 characters. Sealed.
    pub(super) name: String,
    /// The stations that the chef works at; at least one.
    pub(super) station_ids: Vec<ID>,
    /// What the chef can do; at most 30.
    #[graphql(default)]
    pub(super) skills: Vec<String>,
    /// The user that the chef signs in as, if any: who sees this schedule as the own.
    pub(super) user_id: Option<ID>,
}

/// Skills of a chef.
#[derive(InputObject)]
pub(super) struct ChefSkillsInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// The chef.
    pub(super) chef_id: ID,
    /// The version that you saw; null opts out.
    pub(super) expected_version: Option<i32>,
    /// All of them; at most 30.
    pub(super) skills: Vec<String>,
}

/// A working time of every week.
#[derive(InputObject)]
pub(super) struct WeeklyHoursInput {
    /// The day that it begins on.
    day: Weekday,
    /// When it begins, by the clock of the station that is served.
    from: LocalTime,
    /// When it ends; at or before `from` it is on the next day.
    until: LocalTime,
}

impl From<WeeklyHoursInput> for WeeklyHours {
    fn from(hours: WeeklyHoursInput) -> Self {
        Self {
            day: hours.day.into(),
            from: hours.from.0,
            until: hours.until.0,
        }
    }
}

/// A working time of a day.
#[derive(InputObject)]
pub(super) struct HoursInput {
    /// When it begins, by the clock of the station that is served.
    from: LocalTime,
    /// When it ends; at or before `from` it is on the next day.
    until: LocalTime,
}

impl From<HoursInput> for Hours {
    fn from(hours: HoursInput) -> Self {
        Self {
            from: hours.from.0,
            until: hours.until.0,
        }
    }
}

/// When a chef works in every week.
#[derive(InputObject)]
pub(super) struct ChefAvailabilityInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// The chef.
    pub(super) chef_id: ID,
    /// The version that you saw; null opts out.
    pub(super) expected_version: Option<i32>,
    /// All working times of a week; none for a chef who works on named days only.
    pub(super) weekly: Vec<WeeklyHoursInput>,
}

/// When a chef works on one day.
#[derive(InputObject)]
pub(super) struct ChefDateExceptionInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// The chef.
    pub(super) chef_id: ID,
    /// The version that you saw; null opts out.
    pub(super) expected_version: Option<i32>,
    /// The day.
    pub(super) on: LocalDate,
    /// The working times of that day in place of the week's, none for a free day; null for what the week says.
    pub(super) hours: Option<Vec<HoursInput>>,
}

/// Days off.
#[derive(InputObject)]
pub(super) struct ChefTimeOffInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// The chef.
    pub(super) chef_id: ID,
    /// The version that you saw; null opts out.
    pub(super) expected_version: Option<i32>,
    /// First day.
    pub(super) from: LocalDate,
    /// Last day, included; at most 366 days in all.
    pub(super) to: LocalDate,
    /// Why, without personal data; at most 500 characters. Not looked at when time off is cancelled.
    pub(super) reason: Option<String>,
}

/// A chef and a station.
#[derive(InputObject)]
pub(super) struct ChefStationInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// The chef.
    pub(super) chef_id: ID,
    /// The station.
    pub(super) station_id: ID,
}

/// How many parties a chef cooks at most.
#[derive(InputObject)]
pub(super) struct ChefCapsInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// The chef.
    pub(super) chef_id: ID,
    /// The version that you saw; null opts out.
    pub(super) expected_version: Option<i32>,
    /// In a day, 1 to 10; null for no limit.
    pub(super) per_day: Option<i32>,
    /// In a week from Monday to Sunday, 1 to 50; null for no limit.
    pub(super) per_week: Option<i32>,
}
