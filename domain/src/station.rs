//! Stations: a city branch with its zone, capacity and slots, and the chefs that work there.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::ids::{ChefId, StationId};
use crate::place::{Travel, ZipCode};

crate::events! {
    /// What can happen to a station.
    pub enum StationEvent {
        "A branch opened." Created(StationCreated) = "station.created" v 1;
        "A chef began to work at the branch." ChefJoined(StationChefJoined) = "station.chef_joined" v 1;
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
}

/// What can be asked of a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum StationCommand {
    /// Open the branch.
    Create(StationCreated),
    /// Let a chef work here.
    JoinChef(StationChefJoined),
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
}

impl Refusal for StationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSettings => "INVALID_SETTINGS",
            Self::ChefAlreadyHere => "CHEF_ALREADY_AT_STATION",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &[],
            Self::NotFound => &["stationId"],
            Self::BadName => &["name"],
            Self::BadSettings => &["settings"],
            Self::ChefAlreadyHere => &["chefId"],
        }
    }
}

/// A station as its stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    created: Option<StationCreated>,
    chefs: BTreeSet<ChefId>,
}

impl Station {
    /// What the station is, once opened.
    pub fn opened(&self) -> Option<&StationCreated> {
        self.created.as_ref()
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
        }
    }

    fn evolve(&mut self, event: &StationEvent) {
        match event {
            StationEvent::Created(created) => self.created = Some(created.clone()),
            StationEvent::ChefJoined(joined) => {
                self.chefs.insert(joined.chef_id);
            }
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
        let s = &created.settings;
        let sensible = !s.slots.is_empty()
            && s.slots.windows(2).all(|pair| pair[0] < pair[1])
            && (15..=720).contains(&s.event_mins)
            && (0..=720).contains(&s.setup_mins)
            && (0..=720).contains(&s.teardown_mins)
            && (1..=500).contains(&s.guests_per_chef)
            && (0..=8_760).contains(&s.lead_hours)
            && (1..=1_825).contains(&s.horizon_days);
        if !sensible {
            return Err(StationError::BadSettings);
        }
        Ok(vec![StationEvent::Created(created)])
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn create() -> StationCreated {
        StationCreated {
            name: "San Jose".to_owned(),
            zone: chrono_tz::America::Los_Angeles,
            zip: "95112".parse().unwrap(),
            state: "CA".to_owned(),
            settings: StationSettings::default(),
        }
    }

    #[test]
    fn a_station_counts_each_chef_once() {
        let mut station = Station::default();
        let join = StationCommand::JoinChef(StationChefJoined {
            chef_id: ChefId(Uuid::from_u128(1)),
        });
        assert_eq!(station.decide(join.clone()), Err(StationError::NotFound));
        station.evolve(&station.decide(StationCommand::Create(create())).unwrap()[0]);
        assert_eq!(
            station.decide(StationCommand::Create(create())),
            Err(StationError::Exists)
        );
        station.evolve(&station.decide(join.clone()).unwrap()[0]);
        assert_eq!(station.decide(join), Err(StationError::ChefAlreadyHere));
        assert_eq!(station.chef_count(), 1);
    }

    #[test]
    fn settings_that_no_day_can_hold_are_refused() {
        let station = Station::default();
        let mut created = create();
        created.settings.slots.clear();
        assert_eq!(
            station.decide(StationCommand::Create(created)),
            Err(StationError::BadSettings)
        );
        let mut created = create();
        created.name = String::new();
        assert_eq!(
            station.decide(StationCommand::Create(created)),
            Err(StationError::BadName)
        );
    }

    #[test]
    fn a_party_takes_chefs_by_the_started_table_and_time_by_the_buffers() {
        let settings = StationSettings::default();
        assert_eq!(
            [1, 25, 26, 50, 51].map(|guests| settings.chefs_needed(guests)),
            [1, 1, 2, 2, 3]
        );
        let start = "2026-12-05T02:00:00Z".parse().unwrap();
        let travel = Travel {
            tenths_of_mile: 120,
            minutes: 30,
            source: "test".to_owned(),
        };
        let (from, until) = settings.blocked(start, &travel);
        assert_eq!(
            (start - from, until - start),
            (Duration::minutes(90), Duration::minutes(150))
        );
    }
}
