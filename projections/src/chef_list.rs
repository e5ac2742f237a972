//! Which chefs are there, when does each work, and which of their parties need another chef?

mod query;

use chrono::NaiveDate;
use domain::booking::BookingEvent;
use domain::chef::{ChefEvent, Hours, WeeklyHours, WorkToReassign, WorkingTimes};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{ChefId, UserId};
use domain::recorded::{DomainEvent, Recorded};
use domain::station::StationEvent;
use serde::{Deserialize, Serialize};

use crate::IdList;
use crate::engine::{Fold, Poison, row, shown_only};

pub use query::{ChefFilter, count, many, one, page, to_reassign};

row! {
    /// A chef.
    pub struct ChefRow in "chef_list", key (chef_id: ChefId) {
        /// The chef.
        pub chef_id: ChefId,
        /// Events of the chef so far: what a command expects of it.
        pub version: i64,
        /// Name, sealed.
        pub name: Sealed,
        /// The user that the chef signs in as, if any.
        pub user_id: Option<UserId>,
        /// Where the chef works.
        pub stations: IdList,
        /// What the chef can do, and when.
        pub times: ChefTimes,
        /// Parties in a day at most.
        pub cap_per_day: Option<i32>,
        /// Parties in a week at most.
        pub cap_per_week: Option<i32>,
        /// Parties that need another chef: this one does not work then.
        pub to_reassign: Vec<WorkToReassign>,
    }
}

/// What a chef can do, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefTimes {
    /// Skills.
    pub skills: Vec<String>,
    /// Working times of every week; absent for always.
    pub weekly: Option<Vec<WeeklyHours>>,
    /// Days with working times of their own, the earliest first.
    pub days: Vec<ChefDay>,
    /// Days off, in the order in which they were taken.
    pub time_off: Vec<TimeOff>,
}

/// A day with working times of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefDay {
    /// The day.
    pub on: NaiveDate,
    /// The working times; none for a free day.
    pub hours: Vec<Hours>,
}

/// Days off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOff {
    /// First day.
    pub from: NaiveDate,
    /// Last day, included.
    pub to: NaiveDate,
    /// Why.
    pub reason: Option<String>,
}

shown_only! {
    ChefTimes;
    Vec<WorkToReassign>;
}

/// The fold behind the list of chefs.
pub struct ChefList;

impl Fold for ChefList {
    type Key = ChefId;
    type Row = ChefRow;
    const NAME: &'static str = "chef_list";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "chef.registered",
            "chef.skills_set",
            "chef.availability_set",
            "chef.date_exception_set",
            "chef.time_off_added",
            "chef.time_off_cancelled",
            "chef.caps_set",
            "chef.reassignment_needed",
            "chef.calendar_issued",
            "chef.calendar_revoked",
            "station.chef_joined",
            "station.chef_left",
            "booking.chef_unassigned",
        ]
    }

    fn key(event: &Recorded) -> Option<ChefId> {
        match &event.event {
            DomainEvent::Chef(_) => event.stream.id.parse().ok(),
            DomainEvent::Station(StationEvent::ChefJoined(joined)) => Some(joined.chef_id),
            DomainEvent::Station(StationEvent::ChefLeft(left)) => Some(left.chef_id),
            DomainEvent::Booking(BookingEvent::ChefUnassigned(unassigned)) => Some(unassigned.chef_id),
            DomainEvent::Station(_)
            | DomainEvent::Booking(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::Payment(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn apply(row: Option<ChefRow>, event: &Recorded) -> Option<ChefRow> {
        match &event.event {
            DomainEvent::Chef(ChefEvent::Registered(registered)) => Some(ChefRow {
                chef_id: Self::key(event)?,
                version: event.sequence.0,
                name: registered.name.clone(),
                user_id: registered.user_id,
                stations: IdList::default(),
                times: ChefTimes::default(),
                cap_per_day: None,
                cap_per_week: None,
                to_reassign: Vec::new(),
            }),
            DomainEvent::Chef(chef) => row.map(|row| ChefRow {
                version: event.sequence.0,
                ..changed(row, chef)
            }),
            DomainEvent::Station(StationEvent::ChefJoined(_)) => {
                let station = event.stream.id.parse().ok()?;
                row.map(|row| ChefRow {
                    stations: row.stations.with(station),
                    ..row
                })
            }
            DomainEvent::Station(StationEvent::ChefLeft(_)) => {
                let station = event.stream.id.parse().ok()?;
                row.map(|row| ChefRow {
                    stations: row.stations.without(station),
                    ..row
                })
            }
            DomainEvent::Booking(BookingEvent::ChefUnassigned(_)) => row.map(|mut row| {
                row.to_reassign
                    .retain(|work| work.booking_id.to_string() != event.stream.id);
                row
            }),
            DomainEvent::Station(_)
            | DomainEvent::Booking(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::Payment(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => row,
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<ChefId> {
        (stream.kind == "chef").then(|| stream.id.parse().ok())?
    }
}

impl ChefTimes {
    fn working(&self) -> WorkingTimes {
        let days = self.days.iter().map(|day| (day.on, day.hours.clone()));
        let off = self.time_off.iter().map(|off| (off.from, off.to));
        WorkingTimes::of(self.weekly.clone(), days, off)
    }
}

/// The row without the parties that the chef can cook at after all.
fn still_to_reassign(mut row: ChefRow) -> ChefRow {
    let times = row.times.working();
    row.to_reassign.retain(|work| work.is_needed(&times));
    row
}

/// What an event says of the chef, and what it leaves to be seen to.
fn changed(row: ChefRow, event: &ChefEvent) -> ChefRow {
    let row = set(row, event);
    match event {
        ChefEvent::AvailabilitySet(_) | ChefEvent::DateExceptionSet(_) | ChefEvent::TimeOffCancelled(_) => {
            still_to_reassign(row)
        }
        ChefEvent::Registered(_)
        | ChefEvent::SkillsSet(_)
        | ChefEvent::TimeOffAdded(_)
        | ChefEvent::CapsSet(_)
        | ChefEvent::ReassignmentNeeded(_)
        | ChefEvent::CalendarIssued(_)
        | ChefEvent::CalendarRevoked(_) => row,
    }
}

fn set(mut row: ChefRow, event: &ChefEvent) -> ChefRow {
    let times = &mut row.times;
    match event {
        ChefEvent::SkillsSet(set) => times.skills.clone_from(&set.skills),
        ChefEvent::AvailabilitySet(set) => times.weekly = Some(set.weekly.clone()),
        ChefEvent::DateExceptionSet(set) => {
            times.days.retain(|day| day.on != set.on);
            times
                .days
                .extend(set.hours.clone().map(|hours| ChefDay { on: set.on, hours }));
            times.days.sort_by_key(|day| day.on);
        }
        ChefEvent::TimeOffAdded(added) => times.time_off.push(TimeOff {
            from: added.from,
            to: added.to,
            reason: added.reason.clone(),
        }),
        ChefEvent::TimeOffCancelled(cancelled) => times
            .time_off
            .retain(|off| (off.from, off.to) != (cancelled.from, cancelled.to)),
        ChefEvent::CapsSet(set) => {
            row.cap_per_day = set.per_day;
            row.cap_per_week = set.per_week;
        }
        ChefEvent::ReassignmentNeeded(needed) => {
            for work in &needed.work {
                row.to_reassign
                    .retain(|other| other.booking_id != work.booking_id);
                row.to_reassign.push(work.clone());
            }
        }
        ChefEvent::Registered(_) | ChefEvent::CalendarIssued(_) | ChefEvent::CalendarRevoked(_) => {}
    }
    row
}
