//! Who cooks at a party.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::change_event::HeldPlace;
use crate::chef::{Chef, ChefCapsSet};
use crate::envelope::Claim;
use crate::ids::{ChefId, StationId};

/// A chef will cook. Nobody else has that chef from the way there until all is cleared away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingChefAssigned {
    /// The station that serves.
    pub station_id: StationId,
    /// Number of the booking.
    pub number: String,
    /// Who cooks.
    pub chef_id: ChefId,
    /// First instant that the chef is taken, inclusive.
    pub blocked_from: DateTime<Utc>,
    /// First instant that the chef is free again, exclusive.
    pub blocked_until: DateTime<Utc>,
    /// IANA zone of the station.
    pub zone: Tz,
    /// Key of the local date of the start, the same in every zone; the local day itself in events of programs before.
    pub day: (DateTime<Utc>, DateTime<Utc>),
    /// Key of the week of that date likewise.
    pub week: (DateTime<Utc>, DateTime<Utc>),
    /// How many parties the chef cooked at most, as known then.
    pub caps: ChefCapsSet,
    /// Whether the chef is of several stations, and so held by name where others are counted.
    #[serde(default, skip_serializing_if = "ByName::is_counted")]
    pub by_name: ByName,
    /// What the booking holds at the station from now on; as before where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<HeldPlace>,
    /// When the chef was assigned.
    pub assigned_at: DateTime<Utc>,
}

impl BookingChefAssigned {
    /// The chef's time alone, and one party of the chef's day and week.
    pub(super) fn claims(&self) -> Vec<Claim> {
        let counted =
            |resource, (from, until): (DateTime<Utc>, DateTime<Utc>), cap: Option<i32>| Claim::TakeCapacity {
                resource,
                from,
                until,
                units: 1,
                limit: cap.unwrap_or(i32::MAX),
            };
        let mut claims = vec![
            Claim::TakeInterval {
                resource: Chef::time_resource(self.chef_id),
                from: self.blocked_from,
                until: self.blocked_until,
            },
            counted(Chef::day_resource(self.chef_id), self.day, self.caps.per_day),
            counted(Chef::week_resource(self.chef_id), self.week, self.caps.per_week),
        ];
        claims.extend(self.place.iter().flat_map(|place| place.take(self.station_id)));
        claims
    }
}

/// Whether a station promises a chef by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByName {
    /// The chef is of one station, and counted.
    #[default]
    No,
    /// The chef is of several.
    Yes,
}

impl ByName {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes fields by reference"
    )]
    fn is_counted(&self) -> bool {
        *self == Self::No
    }
}

/// Why a chef will not cook after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnassignedBecause {
    /// Somebody of the company said so.
    Staff,
    /// The party was moved.
    Rescheduled,
    /// The party needs fewer chefs.
    FewerGuests,
    /// The party was called off.
    Cancelled,
    /// The deposit did not come.
    Expired,
    /// The booking was put away.
    Deleted,
}

impl UnassignedBecause {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "by the staff",
            Self::Rescheduled => "as the party was moved",
            Self::FewerGuests => "as fewer guests come",
            Self::Cancelled => "as the party was called off",
            Self::Expired => "as the deposit did not come",
            Self::Deleted => "as the booking was deleted",
        }
    }
}

/// A chef will not cook after all, and is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingChefUnassigned {
    /// The station that serves.
    pub station_id: StationId,
    /// Who was to cook.
    pub chef_id: ChefId,
    /// Why, in a word.
    pub because: UnassignedBecause,
    /// Why, in the words of whoever said so.
    pub reason: Option<String>,
    /// What the booking holds at the station from now on; as before where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<HeldPlace>,
    /// When.
    pub unassigned_at: DateTime<Utc>,
}

impl BookingChefUnassigned {
    pub(super) fn claims(&self) -> Vec<Claim> {
        let counted = [
            Chef::day_resource(self.chef_id),
            Chef::week_resource(self.chef_id),
        ];
        let counted = counted.map(|resource| Claim::ReleaseCapacity { resource });
        let place = self.place.iter().flat_map(|place| place.take(self.station_id));
        [release_chef(self.chef_id)]
            .into_iter()
            .chain(counted)
            .chain(place)
            .collect()
    }
}

/// Gives back a chef's time.
pub(super) fn release_chef(chef: ChefId) -> Claim {
    Claim::ReleaseInterval {
        resource: Chef::time_resource(chef),
    }
}
