//! Chefs: the people who cook at the customer's place, and when each of them can.

mod availability;
mod event;
mod roster;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::ids::{ChefId, StationId, UserId};

pub use availability::{Hours, Unavailable, WeeklyHours, WorkingTimes};
pub use event::{
    CHEF_USER, CapsBefore, ChefAvailabilitySet, ChefCalendarIssued, ChefCalendarRevoked, ChefCapsSet,
    ChefDateExceptionSet, ChefEvent, ChefReassignmentNeeded, ChefRegistered, ChefSkillsSet, ChefTimeOffAdded,
    ChefTimeOffCancelled, WorkToReassign,
};
pub use roster::{Engaged, Roster, RosteredChef, Shift, Span, Taken, Works};

/// What can be asked of a chef's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ChefCommand {
    /// Join the company.
    Register(ChefRegistered),
    /// Say what the chef can do.
    SetSkills(ChefSkillsSet),
    /// Say when the chef works in every week.
    SetAvailability(ChefAvailabilitySet),
    /// Say when the chef works on one day.
    SetDateException(ChefDateExceptionSet),
    /// Take days off.
    AddTimeOff(ChefTimeOffAdded),
    /// Work on days that were taken off after all.
    CancelTimeOff(ChefTimeOffCancelled),
    /// Say how many parties the chef cooks at most.
    SetCaps(ChefCapsSet),
    /// Parties on days off need another chef.
    NeedReassignment(ChefReassignmentNeeded),
    /// Give out a secret address of the calendar, in place of the one before.
    IssueCalendar {
        /// Keyed hash of the address's token.
        token_key: String,
        /// The stations whose parties it shows; none for all.
        stations: Option<Vec<StationId>>,
    },
    /// Take the secret address back.
    RevokeCalendar,
}

/// Why a chef's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChefError {
    /// It is there already.
    #[error("the chef exists already")]
    Exists,
    /// There is no such chef.
    #[error("there is no such chef")]
    NotFound,
    /// Empty or too long.
    #[error("a chef's name has 1 to 120 characters")]
    BadName,
    /// Too many, too long or named twice.
    #[error("a chef has at most 30 skills of 1 to 40 characters, each named once")]
    BadSkills,
    /// Too many hours for a week or a day.
    #[error("a week has at most 28 working times and a day at most 4")]
    BadHours,
    /// Days that are none.
    #[error("time off ends on its first day or later, and lasts 366 days at most")]
    BadDays,
    /// The days are off already.
    #[error("the chef is off on all of these days already")]
    OffAlready,
    /// They are not.
    #[error("the chef has no time off of exactly these days")]
    NotOff,
    /// Limits that no one can keep.
    #[error("a chef cooks 1 to 10 parties a day and 1 to 50 a week, and not more in a day than in a week")]
    BadCaps,
    /// Too long.
    #[error("a reason has at most 500 characters")]
    BadReason,
    /// The user is another chef.
    #[error("another chef signs in as this user")]
    UserTaken,
    /// There is no such user.
    #[error("there is no such user")]
    UserNotFound,
    /// No address of the calendar is out.
    #[error("no address of this chef's calendar is out")]
    NoCalendar,
    /// Every party has a chef.
    #[error("no party of this chef needs another")]
    NothingToReassign,
}

impl Refusal for ChefError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSkills => "INVALID_SKILLS",
            Self::BadHours => "INVALID_HOURS",
            Self::BadDays => "INVALID_DAYS",
            Self::OffAlready => "TIME_OFF_EXISTS",
            Self::NotOff => "NO_SUCH_TIME_OFF",
            Self::BadCaps => "INVALID_CAPS",
            Self::BadReason => "INVALID_REASON",
            Self::UserTaken => "USER_TAKEN",
            Self::UserNotFound => "NOT_FOUND",
            Self::NoCalendar => "NO_CALENDAR",
            Self::NothingToReassign => "NOTHING_TO_REASSIGN",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::NothingToReassign => &[],
            Self::NotFound | Self::NoCalendar => &["chefId"],
            Self::BadName => &["name"],
            Self::UserTaken | Self::UserNotFound => &["userId"],
            Self::BadSkills => &["skills"],
            Self::BadHours => &["hours"],
            Self::BadDays | Self::OffAlready | Self::NotOff => &["from"],
            Self::BadCaps => &["perDay"],
            Self::BadReason => &["reason"],
        }
    }
}

/// A chef as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chef {
    registered: Option<ChefRegistered>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skills: Option<Vec<String>>,
    times: WorkingTimes,
    caps: ChefCapsSet,
    calendar: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar_stations: Option<Vec<StationId>>,
}

impl Chef {
    /// What the chef is, once known.
    pub fn registered(&self) -> Option<&ChefRegistered> {
        self.registered.as_ref()
    }

    /// The user that the chef signs in as, if any.
    pub fn user(&self) -> Option<UserId> {
        self.registered.as_ref().and_then(|registered| registered.user_id)
    }

    /// When the chef works.
    pub fn times(&self) -> &WorkingTimes {
        &self.times
    }

    /// How many parties the chef cooks at most.
    pub fn caps(&self) -> ChefCapsSet {
        self.caps
    }

    /// The stations whose parties the calendar that is out shows; none for all.
    pub fn calendar_stations(&self) -> Option<&[StationId]> {
        self.calendar_stations.as_deref()
    }

    /// Name of the chef's time: one party has it at any instant.
    pub fn time_resource(id: ChefId) -> String {
        format!("chef:{id}")
    }

    /// Name of the chef's days: so many parties have one as the cap says.
    pub fn day_resource(id: ChefId) -> String {
        format!("chef_day:{id}")
    }

    /// Name of the chef's weeks.
    pub fn week_resource(id: ChefId) -> String {
        format!("chef_week:{id}")
    }
}

impl Decider for Chef {
    const STREAM: &'static str = "chef";
    type Command = ChefCommand;
    type Event = ChefEvent;
    type Error = ChefError;

    fn decide(&self, command: ChefCommand) -> Result<Vec<ChefEvent>, ChefError> {
        let event = match command {
            ChefCommand::Register(registered) => return self.register(registered),
            ChefCommand::SetSkills(set) => {
                check_skills(&set.skills)?;
                let before = self.skills.clone();
                ChefEvent::SkillsSet(ChefSkillsSet { before, ..set })
            }
            ChefCommand::SetAvailability(set) => {
                if set.weekly.len() > 28 {
                    return Err(ChefError::BadHours);
                }
                let before = self.times.weekly().cloned();
                ChefEvent::AvailabilitySet(ChefAvailabilitySet { before, ..set })
            }
            ChefCommand::SetDateException(set) => {
                if set.hours.as_ref().is_some_and(|hours| hours.len() > 4) {
                    return Err(ChefError::BadHours);
                }
                let before = self.times.day(set.on).cloned();
                ChefEvent::DateExceptionSet(ChefDateExceptionSet { before, ..set })
            }
            ChefCommand::AddTimeOff(added) => self.add_time_off(added)?,
            ChefCommand::CancelTimeOff(cancelled) => {
                if !self.times.is_time_off(cancelled.from, cancelled.to) {
                    return Err(ChefError::NotOff);
                }
                ChefEvent::TimeOffCancelled(cancelled)
            }
            ChefCommand::SetCaps(set) => {
                check_caps(set)?;
                let ChefCapsSet {
                    per_day, per_week, ..
                } = self.caps;
                let before = CapsBefore { per_day, per_week };
                let before = Some(before).filter(|before| *before != CapsBefore::default());
                ChefEvent::CapsSet(ChefCapsSet { before, ..set })
            }
            ChefCommand::NeedReassignment(needed) => {
                if needed.work.is_empty() {
                    return Err(ChefError::NothingToReassign);
                }
                ChefEvent::ReassignmentNeeded(needed)
            }
            ChefCommand::IssueCalendar { token_key, stations } => {
                return self.issue_calendar(token_key, stations);
            }
            ChefCommand::RevokeCalendar => {
                let out = self.calendar.clone().ok_or(ChefError::NoCalendar)?;
                ChefEvent::CalendarRevoked(ChefCalendarRevoked { token_key: out })
            }
        };
        if self.registered.is_none() {
            return Err(ChefError::NotFound);
        }
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &ChefEvent) {
        match event {
            ChefEvent::Registered(registered) => self.registered = Some(registered.clone()),
            ChefEvent::AvailabilitySet(set) => self.times.set_weekly(set.weekly.clone()),
            ChefEvent::DateExceptionSet(set) => self.times.set_day(set.on, set.hours.clone()),
            ChefEvent::TimeOffAdded(added) => self.times.add_time_off(added.from, added.to),
            ChefEvent::TimeOffCancelled(cancelled) => {
                self.times.cancel_time_off(cancelled.from, cancelled.to);
            }
            // What held before is the event's to tell: a state holds what holds.
            ChefEvent::CapsSet(set) => self.caps = ChefCapsSet { before: None, ..*set },
            ChefEvent::CalendarIssued(issued) => {
                self.calendar = Some(issued.token_key.clone());
                self.calendar_stations.clone_from(&issued.stations);
            }
            ChefEvent::CalendarRevoked(_) => {
                self.calendar = None;
                self.calendar_stations = None;
            }
            ChefEvent::SkillsSet(set) => self.skills = Some(set.skills.clone()),
            ChefEvent::ReassignmentNeeded(_) => {}
        }
    }
}

impl Chef {
    fn register(&self, registered: ChefRegistered) -> Result<Vec<ChefEvent>, ChefError> {
        if self.registered.is_some() {
            return Err(ChefError::Exists);
        }
        Ok(vec![ChefEvent::Registered(registered)])
    }

    fn add_time_off(&self, added: ChefTimeOffAdded) -> Result<ChefEvent, ChefError> {
        if !days_are_some(added.from, added.to) {
            return Err(ChefError::BadDays);
        }
        if added
            .reason
            .as_ref()
            .is_some_and(|reason| reason.chars().count() > 500)
        {
            return Err(ChefError::BadReason);
        }
        let mut days = added.from.iter_days().take_while(|day| *day <= added.to);
        if days.all(|day| self.times.is_off(day)) {
            return Err(ChefError::OffAlready);
        }
        Ok(ChefEvent::TimeOffAdded(added))
    }

    fn issue_calendar(
        &self,
        token_key: String,
        stations: Option<Vec<StationId>>,
    ) -> Result<Vec<ChefEvent>, ChefError> {
        if self.registered.is_none() {
            return Err(ChefError::NotFound);
        }
        let revoked = self
            .calendar
            .clone()
            .map(|token_key| ChefCalendarRevoked { token_key });
        Ok(revoked
            .map(ChefEvent::CalendarRevoked)
            .into_iter()
            .chain([ChefEvent::CalendarIssued(ChefCalendarIssued {
                token_key,
                stations,
            })])
            .collect())
    }
}

fn days_are_some(from: NaiveDate, to: NaiveDate) -> bool {
    from <= to && (to - from).num_days() < 366
}

fn check_skills(skills: &[String]) -> Result<(), ChefError> {
    let fits = |skill: &String| (1..=40).contains(&skill.trim().chars().count());
    let once = skills
        .iter()
        .enumerate()
        .all(|(at, skill)| !skills[..at].contains(skill));
    if skills.len() <= 30 && skills.iter().all(fits) && once {
        Ok(())
    } else {
        Err(ChefError::BadSkills)
    }
}

fn check_caps(caps: ChefCapsSet) -> Result<(), ChefError> {
    let fits = caps.per_day.is_none_or(|day| (1..=10).contains(&day))
        && caps.per_week.is_none_or(|week| (1..=50).contains(&week))
        && caps
            .per_day
            .zip(caps.per_week)
            .is_none_or(|(day, week)| day <= week);
    if fits { Ok(()) } else { Err(ChefError::BadCaps) }
}

#[cfg(test)]
mod tests;
