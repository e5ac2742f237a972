//! The chefs of a station, as facts for a decision about its capacity.
//!
//! A chef who works at one station alone is counted: such chefs stand in for each other. A chef of several stations is
//! promised by name, so that no two stations promise the same one.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Chef;
use crate::ids::ChefId;
use crate::schedule::{date_key, week_key};
use crate::station::Station;

/// Instants `[from, until)`.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// What is known of a chef.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosteredChef {
    /// The chef, as the stream tells it.
    pub chef: Chef,
    /// Where the chef works.
    pub works: Works,
    /// What other parties have of the chef.
    pub engaged: Engaged,
}

/// Where a chef works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Works {
    /// At this station alone.
    Here,
    /// At others too, or once did.
    ElsewhereToo,
}

/// What parties have of a chef, as the log holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engaged {
    /// When the chef is taken.
    pub times: Vec<Span>,
    /// A date's key for each party of the date.
    pub days: Vec<Span>,
    /// A week's key for each party of the week.
    pub weeks: Vec<Span>,
}

/// A place at a station that a booking holds among the chefs who are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// First instant that its chefs are taken, inclusive.
    pub from: DateTime<Utc>,
    /// First instant that they are free again, exclusive.
    pub until: DateTime<Utc>,
    /// How many chefs.
    pub chefs: i32,
}

/// When a party needs chefs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// First instant that they are taken, inclusive: travel and setting up.
    pub from: DateTime<Utc>,
    /// First instant that they are free again, exclusive.
    pub until: DateTime<Utc>,
    /// Local date of the event: the day that it counts for.
    pub on: NaiveDate,
    /// IANA zone of the station.
    pub zone: Tz,
}

impl Shift {
    fn overlaps(&self, (from, until): &Span) -> bool {
        overlap((self.from, self.until), (*from, *until))
    }
}

fn overlap(one: Span, other: Span) -> bool {
    one.0 < other.1 && other.0 < one.1
}

/// Chefs with what is known of each, and what bookings hold. One who is not among them works here alone, and whenever the
/// station does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    chefs: BTreeMap<ChefId, RosteredChef>,
    taken: Vec<Taken>,
}

impl FromIterator<(ChefId, RosteredChef)> for Roster {
    fn from_iter<T: IntoIterator<Item = (ChefId, RosteredChef)>>(chefs: T) -> Self {
        Self {
            chefs: chefs.into_iter().collect(),
            taken: Vec::new(),
        }
    }
}

impl Roster {
    /// With the places that other bookings hold at the station.
    #[must_use]
    pub fn with_taken(self, taken: Vec<Taken>) -> Self {
        Self { taken, ..self }
    }

    /// Whether somebody has to know what chefs and station are taken for: some chef has a limit, or is of several
    /// stations.
    pub fn needs_engagements(&self) -> bool {
        let needs = |known: &RosteredChef| {
            let caps = known.chef.caps();
            known.works == Works::ElsewhereToo || caps.per_day.is_some() || caps.per_week.is_some()
        };
        self.chefs.values().any(needs)
    }

    /// What is known of a chef.
    pub fn chef(&self, id: ChefId) -> Option<&RosteredChef> {
        self.chefs.get(&id)
    }

    /// How many chefs are counted over a shift: those of the station alone who work then, and whose limit leaves room.
    pub fn counted(&self, station: &Station, shift: &Shift) -> i32 {
        let counts = |id: &&ChefId| match self.chefs.get(*id) {
            None => true,
            Some(known) => known.works == Works::Here && known.can_work(shift),
        };
        count(station.chefs().iter().filter(counts).count())
    }

    /// How many chefs of several stations work over a shift, whatever they are taken for.
    pub fn shared(&self, station: &Station, shift: &Shift) -> i32 {
        count(self.shared_who_work(station, shift).count())
    }

    /// Those of them who are free then.
    pub fn shared_and_free(&self, station: &Station, shift: &Shift) -> Vec<ChefId> {
        let free = |(id, known): (ChefId, &RosteredChef)| {
            let taken = known.engaged.times.iter().any(|time| shift.overlaps(time));
            (!taken).then_some(id)
        };
        self.shared_who_work(station, shift).filter_map(free).collect()
    }

    fn shared_who_work<'a>(
        &'a self,
        station: &'a Station,
        shift: &'a Shift,
    ) -> impl Iterator<Item = (ChefId, &'a RosteredChef)> {
        let known = station
            .chefs()
            .iter()
            .filter_map(|id| Some((*id, self.chefs.get(id)?)));
        known.filter(|(_, known)| known.works == Works::ElsewhereToo && known.can_work(shift))
    }

    /// Most of the counted chefs that are taken at any instant of a shift: the sum rises only where something begins.
    pub fn peak(&self, shift: &Shift) -> i32 {
        let overlapping = || {
            self.taken
                .iter()
                .filter(|taken| shift.overlaps(&(taken.from, taken.until)))
        };
        let at = |instant: DateTime<Utc>| -> i32 {
            let then = overlapping().filter(|taken| taken.from <= instant && instant < taken.until);
            then.map(|taken| taken.chefs).sum()
        };
        overlapping()
            .map(|taken| at(taken.from.max(shift.from)))
            .max()
            .unwrap_or(0)
    }
}

impl RosteredChef {
    /// Whether the chef works over a shift, and cooks fewer parties in its day and week than the limit says, or cooks one
    /// of them then: that one has its place already.
    fn can_work(&self, shift: &Shift) -> bool {
        let works = self
            .chef
            .times()
            .check(shift.from, shift.until, shift.zone)
            .is_ok();
        let cooks_then = || self.engaged.times.iter().any(|time| shift.overlaps(time));
        works && (!self.is_full(shift.on) || cooks_then())
    }

    fn is_full(&self, on: NaiveDate) -> bool {
        let reached = |cap: Option<i32>, parties: &[Span], key: Span| {
            let parties = parties.iter().filter(|party| overlap(**party, key)).count();
            cap.is_some_and(|cap| count(parties) >= cap)
        };
        let caps = self.chef.caps();
        reached(caps.per_day, &self.engaged.days, date_key(on))
            || reached(caps.per_week, &self.engaged.weeks, week_key(on))
    }
}

fn count(chefs: usize) -> i32 {
    i32::try_from(chefs).unwrap_or(i32::MAX)
}
