//! What happens to a chef.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::availability::{Hours, WeeklyHours, WorkingTimes};
use crate::calendar;
use crate::envelope::{Claim, Sealed};
use crate::ids::{BookingId, StationId, UserId};

crate::events! {
    /// What can happen to a chef.
    pub enum ChefEvent {
        "A chef joined the company." Registered(ChefRegistered) = "chef.registered" v 1, claims;
        "What the chef can do was set." SkillsSet(ChefSkillsSet) = "chef.skills_set" v 1;
        "When the chef works in every week was set." AvailabilitySet(ChefAvailabilitySet) = "chef.availability_set" v 1;
        "When the chef works on one day was set." DateExceptionSet(ChefDateExceptionSet) = "chef.date_exception_set" v 1;
        "The chef took days off." TimeOffAdded(ChefTimeOffAdded) = "chef.time_off_added" v 1;
        "The chef works on days that were taken off after all." TimeOffCancelled(ChefTimeOffCancelled) = "chef.time_off_cancelled" v 1;
        "How many parties the chef cooks at most was set." CapsSet(ChefCapsSet) = "chef.caps_set" v 1;
        "Parties that the chef is assigned to fall on days off: somebody has to find another chef." ReassignmentNeeded(ChefReassignmentNeeded) = "chef.reassignment_needed" v 1;
        "A secret address of the chef's calendar was given out." CalendarIssued(ChefCalendarIssued) = "chef.calendar_issued" v 1, claims;
        "The secret address of the chef's calendar was taken back." CalendarRevoked(ChefCalendarRevoked) = "chef.calendar_revoked" v 1, claims;
    }
}

/// A chef joined the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefRegistered {
    /// Name, sealed.
    pub name: Sealed,
    /// The user that the chef signs in as: who sees the schedule of this chef as the own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

/// What the user that a chef signs in as is unique in.
pub const CHEF_USER: &str = "chef.user";

impl ChefRegistered {
    fn claims(&self) -> Vec<Claim> {
        let user = self.user_id.map(|user| Claim::TakeUnique {
            scope: CHEF_USER.into(),
            key: user.to_string(),
        });
        user.into_iter().collect()
    }
}

/// What the chef can do was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefSkillsSet {
    /// All of it, in the company's words: `teppanyaki`, `vegan`.
    pub skills: Vec<String>,
    /// All of it before; absent where nothing had been set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<String>>,
}

/// When the chef works in every week was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefAvailabilitySet {
    /// All working times of a week; empty for a chef who works on named days only.
    pub weekly: Vec<WeeklyHours>,
    /// The week before; absent where none had been set, which is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<WeeklyHours>>,
}

/// When the chef works on one day was set, in place of what the week says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefDateExceptionSet {
    /// The day, by the clock of the station that the chef works for.
    pub on: NaiveDate,
    /// The working times of that day, none to be off; absent for what the week says after all.
    pub hours: Option<Vec<Hours>>,
    /// The working times of that day before; absent where it was as the week says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<Hours>>,
}

/// The chef took days off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefTimeOffAdded {
    /// First day.
    pub from: NaiveDate,
    /// Last day, included.
    pub to: NaiveDate,
    /// Why, without personal data.
    pub reason: Option<String>,
}

/// The chef works on days that were taken off after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefTimeOffCancelled {
    /// First day of the time off.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

/// How many parties the chef cooks at most; absent is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefCapsSet {
    /// In a day, by the station's clock.
    pub per_day: Option<i32>,
    /// In a week from Monday to Sunday.
    pub per_week: Option<i32>,
    /// The limits before; absent where none had been set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CapsBefore>,
}

/// How many parties the chef cooked at most until then; absent is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapsBefore {
    /// In a day.
    pub per_day: Option<i32>,
    /// In a week.
    pub per_week: Option<i32>,
}

/// Parties that the chef is assigned to fall on times that the chef does not work. Nothing is cancelled: somebody has to
/// find another chef.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefReassignmentNeeded {
    /// First day off; where it is about every week, first day of a party.
    pub from: NaiveDate,
    /// Last day, included.
    pub to: NaiveDate,
    /// The parties.
    pub work: Vec<WorkToReassign>,
}

/// A party that needs another chef.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkToReassign {
    /// The booking.
    pub booking_id: BookingId,
    /// Number of the booking.
    pub number: String,
    /// First instant that the chef is taken.
    pub blocked_from: DateTime<Utc>,
    /// First instant that the chef is free again.
    pub blocked_until: DateTime<Utc>,
    /// The station that serves; absent in what was written before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// IANA zone of the station; absent as the station is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
}

impl WorkToReassign {
    /// Whether it needs another chef than one who works at these times. What does not say where it is needs one until
    /// somebody takes the chef off it.
    pub fn is_needed(&self, times: &WorkingTimes) -> bool {
        let Some(zone) = self.zone else {
            return true;
        };
        times.check(self.blocked_from, self.blocked_until, zone).is_err()
    }
}

/// A secret address of the chef's calendar was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefCalendarIssued {
    /// Keyed hash of the address's token.
    pub token_key: String,
    /// The stations whose parties it shows: those within reach of whoever gave it out; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stations: Option<Vec<StationId>>,
}

impl ChefCalendarIssued {
    fn claims(&self) -> Vec<Claim> {
        calendar::take(&self.token_key)
    }
}

/// The secret address of the chef's calendar was taken back: it leads nowhere from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefCalendarRevoked {
    /// Keyed hash of its token.
    pub token_key: String,
}

impl ChefCalendarRevoked {
    fn claims(&self) -> Vec<Claim> {
        calendar::release(&self.token_key)
    }
}
