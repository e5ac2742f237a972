//! Stations: a city branch with its zone, capacity and slots, and the chefs that work there.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::chef::Chef;
use crate::decider::{Decider, Refusal};
use crate::envelope::Claim;
use crate::ids::{ChefId, StationId};
use crate::place::{Travel, ZipCode};

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

/// Why a station refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StationError {
    /// It is there already.
    #[error("the station exists already")]
    Exists,
    /// There is no such station.
    #[error("there is no such station")]
    NotFound,
    /// Empty or too long.
    #[error("a station's name has 1 to 120 characters")]
    BadName,
    /// Lengths, slots or limits that no day can hold.
    #[error("a station needs at least one slot, an event length of 15 to 720 minutes, and positive limits")]
    BadSettings,
    /// The chef works here already.
    #[error("the chef works at this station already")]
    ChefAlreadyHere,
    /// The chef does not work here.
    #[error("the chef does not work at this station")]
    ChefNotHere,
    /// Parties to come have the chef.
    #[error("the chef is still to cook at parties: take the chef off them first")]
    ChefHasParties,
    /// Parties to come at the chef's only other station need every chef who is counted there.
    #[error("a party to come at the chef's other station needs every chef that there is")]
    ChefCountedOn,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// They are so already.
    #[error("the settings are so already")]
    Unchanged,
    /// No address of the calendar is out.
    #[error("no address of this station's calendar is out")]
    NoCalendar,
}

impl Refusal for StationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSettings => "INVALID_SETTINGS",
            Self::ChefAlreadyHere => "CHEF_ALREADY_AT_STATION",
            Self::ChefNotHere => "CHEF_NOT_AT_STATION",
            Self::ChefHasParties => "CHEF_HAS_PARTIES",
            Self::ChefCountedOn => "CHEF_COUNTED_ON",
            Self::BadReason => "INVALID_REASON",
            Self::Unchanged => "UNCHANGED",
            Self::NoCalendar => "NO_CALENDAR",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &[],
            Self::NotFound | Self::NoCalendar => &["stationId"],
            Self::BadName => &["name"],
            Self::BadSettings | Self::Unchanged => &["settings"],
            Self::BadReason => &["reason"],
            Self::ChefAlreadyHere | Self::ChefNotHere | Self::ChefHasParties | Self::ChefCountedOn => {
                &["chefId"]
            }
        }
    }
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

fn check_settings(s: &StationSettings) -> Result<(), StationError> {
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

#[cfg(test)]
mod tests;
