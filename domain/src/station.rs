//! Stations: a city branch with its zone, capacity and slots, and the chefs that work there.

mod error;
mod settings;

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::chef::Chef;
use crate::decider::Decider;
use crate::envelope::Claim;
use crate::ids::{ChefId, StationId};
use crate::place::ZipCode;

pub use error::StationError;
use settings::check_settings;
pub use settings::{ClosedDays, StationSettings};

crate::events! {
    /// What can happen to a station.
    pub enum StationEvent {
        "A branch opened." Created(StationCreated) = "station.created" v 1;
        "A chef began to work at the branch." ChefJoined(StationChefJoined) = "station.chef_joined" v 1, claims;
        "A chef works at the branch no more." ChefLeft(StationChefLeft) = "station.chef_left" v 1, claims;
        "How events are laid into the branch's days changed." SettingsChanged(StationSettingsChanged) = "station.settings_changed" v 1;
        "A secret address of the branch's calendar was given out." CalendarIssued(StationCalendarIssued) = "station.calendar_issued" v 1, claims;
        "The secret address of the branch's calendar was taken back." CalendarRevoked(StationCalendarRevoked) = "station.calendar_revoked" v 1, claims;
    }
}

/// A branch opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationCreated {
    /// Name of the branch.
    pub name: String,
    /// IANA zone of its clock.
    pub zone: Tz,
    /// ZIP that travel is measured from.
    pub zip: ZipCode,
    /// Two-letter state.
    pub state: String,
    /// How events are laid into its days.
    pub settings: StationSettings,
}

/// A chef began to work at the branch: its capacity grows by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationChefJoined {
    /// The chef.
    pub chef_id: ChefId,
    /// The only other station where the chef works, which counts on the chef no more; absent where there is none, or several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<CountedAt>,
}

/// Where a chef was counted among those who stand in for each other, until another station joined in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedAt {
    /// The station.
    pub station_id: StationId,
    /// Chefs who were counted there, this one too.
    pub chefs: i32,
    /// Since when this one is not.
    pub from: DateTime<Utc>,
}

impl StationChefJoined {
    /// The other station must have a chef to spare at every instant to come. It is asked for and given back at once: from
    /// then on its parties are counted against the others alone.
    fn claims(&self) -> Vec<Claim> {
        let Some(CountedAt {
            station_id,
            chefs,
            from,
        }) = self.counted_at
        else {
            return Vec::new();
        };
        let resource = Station::capacity_resource(station_id);
        vec![
            Claim::TakeCapacity {
                resource: resource.clone(),
                from,
                until: from + Station::AHEAD,
                units: 1,
                limit: chefs,
            },
            Claim::ReleaseCapacity { resource },
        ]
    }
}

/// A chef works at the branch no more: its capacity shrinks by one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationChefLeft {
    /// The chef.
    pub chef_id: ChefId,
    /// When.
    pub left_at: DateTime<Utc>,
}

impl StationChefLeft {
    /// Nobody may have the chef from then on: the chef's time is asked for and given back at once.
    fn claims(&self) -> Vec<Claim> {
        let resource = Chef::time_resource(self.chef_id);
        vec![
            Claim::TakeInterval {
                resource: resource.clone(),
                from: self.left_at,
                until: self.left_at + Station::AHEAD,
            },
            Claim::ReleaseInterval { resource },
        ]
    }
}

/// How events are laid into the branch's days changed. Bookings keep what they were made under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationSettingsChanged {
    /// As they were.
    pub before: StationSettings,
    /// As they are from now on.
    pub settings: StationSettings,
    /// Why.
    pub reason: String,
}

/// A secret address of the branch's calendar was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationCalendarIssued {
    /// Keyed hash of the address's token.
    pub token_key: String,
}

impl StationCalendarIssued {
    fn claims(&self) -> Vec<Claim> {
        calendar::take(&self.token_key)
    }
}

/// The secret address of the branch's calendar was taken back: it leads nowhere from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationCalendarRevoked {
    /// Keyed hash of its token.
    pub token_key: String,
}

impl StationCalendarRevoked {
    fn claims(&self) -> Vec<Claim> {
        calendar::release(&self.token_key)
    }
}

/// What can be asked of a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum StationCommand {
    /// Open the branch.
    Create(StationCreated),
    /// Let a chef work here.
    JoinChef(StationChefJoined),
    /// Let a chef work here no more.
    LeaveChef(StationChefLeft),
    /// Lay events into the days in another way.
    ChangeSettings {
        /// How.
        settings: StationSettings,
        /// Why; 3 to 500 characters.
        reason: String,
    },
    /// Give out a secret address of the calendar, in place of the one before.
    IssueCalendar {
        /// Keyed hash of the address's token.
        token_key: String,
    },
    /// Take the secret address back.
    RevokeCalendar,
}

/// A station as its stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    created: Option<StationCreated>,
    chefs: BTreeSet<ChefId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    former: BTreeSet<ChefId>,
    calendar: Option<String>,
}

impl Station {
    /// No party is booked so many days ahead, its chefs' way back included.
    pub const AHEAD_DAYS: i64 = 2_000;
    const AHEAD: Duration = Duration::days(Self::AHEAD_DAYS);

    /// What the station is, once opened, with its settings as they are now.
    pub fn opened(&self) -> Option<&StationCreated> {
        self.created.as_ref()
    }

    /// The chefs who work here.
    pub fn chefs(&self) -> &BTreeSet<ChefId> {
        &self.chefs
    }

    /// Whether a chef works here or once did, so that a party may have been promised that chef by name.
    pub fn has_had(&self, chef: ChefId) -> bool {
        self.chefs.contains(&chef) || self.former.contains(&chef)
    }

    /// How many chefs work here: the station's capacity.
    pub fn chef_count(&self) -> i32 {
        i32::try_from(self.chefs.len()).unwrap_or(i32::MAX)
    }

    /// Name of the capacity that the station's bookings share.
    pub fn capacity_resource(id: StationId) -> String {
        format!("station:{id}")
    }
}

impl Decider for Station {
    const STREAM: &'static str = "station";
    type Command = StationCommand;
    type Event = StationEvent;
    type Error = StationError;

    fn decide(&self, command: StationCommand) -> Result<Vec<StationEvent>, StationError> {
        match command {
            StationCommand::Create(created) => self.create(created),
            StationCommand::JoinChef(joined) => self.join(joined),
            StationCommand::LeaveChef(left) => self.leave(left),
            StationCommand::ChangeSettings { settings, reason } => self.change_settings(settings, reason),
            StationCommand::IssueCalendar { token_key } => self.issue_calendar(token_key),
            StationCommand::RevokeCalendar => self.revoke_calendar(),
        }
    }

    fn evolve(&mut self, event: &StationEvent) {
        match event {
            StationEvent::Created(created) => self.created = Some(created.clone()),
            StationEvent::ChefJoined(joined) => {
                self.chefs.insert(joined.chef_id);
            }
            StationEvent::ChefLeft(left) => {
                self.chefs.remove(&left.chef_id);
                self.former.insert(left.chef_id);
            }
            StationEvent::SettingsChanged(changed) => {
                if let Some(created) = &mut self.created {
                    created.settings = changed.settings.clone();
                }
            }
            StationEvent::CalendarIssued(issued) => self.calendar = Some(issued.token_key.clone()),
            StationEvent::CalendarRevoked(_) => self.calendar = None,
        }
    }
}

impl Station {
    fn create(&self, created: StationCreated) -> Result<Vec<StationEvent>, StationError> {
        if self.created.is_some() {
            return Err(StationError::Exists);
        }
        if created.name.trim().is_empty() || created.name.chars().count() > 120 {
            return Err(StationError::BadName);
        }
        check_settings(&created.settings)?;
        Ok(vec![StationEvent::Created(created)])
    }

    fn change_settings(
        &self,
        settings: StationSettings,
        reason: String,
    ) -> Result<Vec<StationEvent>, StationError> {
        let created = self.created.as_ref().ok_or(StationError::NotFound)?;
        check_settings(&settings)?;
        if !(3..=500).contains(&reason.trim().chars().count()) {
            return Err(StationError::BadReason);
        }
        if settings == created.settings {
            return Err(StationError::Unchanged);
        }
        Ok(vec![StationEvent::SettingsChanged(StationSettingsChanged {
            before: created.settings.clone(),
            settings,
            reason,
        })])
    }

    fn issue_calendar(&self, token_key: String) -> Result<Vec<StationEvent>, StationError> {
        if self.created.is_none() {
            return Err(StationError::NotFound);
        }
        let revoked = self
            .calendar
            .clone()
            .map(|token_key| StationCalendarRevoked { token_key });
        Ok(revoked
            .map(StationEvent::CalendarRevoked)
            .into_iter()
            .chain([StationEvent::CalendarIssued(StationCalendarIssued { token_key })])
            .collect())
    }

    fn revoke_calendar(&self) -> Result<Vec<StationEvent>, StationError> {
        let out = self.calendar.clone().ok_or(StationError::NoCalendar)?;
        Ok(vec![StationEvent::CalendarRevoked(StationCalendarRevoked {
            token_key: out,
        })])
    }

    fn join(&self, joined: StationChefJoined) -> Result<Vec<StationEvent>, StationError> {
        if self.created.is_none() {
            return Err(StationError::NotFound);
        }
        if self.chefs.contains(&joined.chef_id) {
            return Err(StationError::ChefAlreadyHere);
        }
        Ok(vec![StationEvent::ChefJoined(joined)])
    }

    fn leave(&self, left: StationChefLeft) -> Result<Vec<StationEvent>, StationError> {
        if self.created.is_none() {
            return Err(StationError::NotFound);
        }
        if !self.chefs.contains(&left.chef_id) {
            return Err(StationError::ChefNotHere);
        }
        Ok(vec![StationEvent::ChefLeft(left)])
    }
}

#[cfg(test)]
mod tests;
