//! When a chef does not work any more at a time when parties count on the chef, somebody has to find another. Nothing is
//! cancelled.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::booking::{BookingChefAssigned, BookingEvent};
use domain::chef::{ChefEvent, ChefReassignmentNeeded, WorkToReassign};
use domain::ids::{BookingId, ChefId};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Answers, Policy, Reaction, Reply};

/// Asks for other chefs, after days off, free days and shorter weeks.
pub struct WhenChefTakesTimeOff;

/// The parties that count on one chef.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    parties: BTreeMap<BookingId, Party>,
}

/// A party, and the local days that it touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Party {
    first_on: NaiveDate,
    last_on: NaiveDate,
    work: WorkToReassign,
}

impl Party {
    fn of(booking_id: BookingId, assigned: &BookingChefAssigned) -> Self {
        let day = |at: DateTime<Utc>| at.with_timezone(&assigned.zone).date_naive();
        Self {
            first_on: day(assigned.blocked_from),
            last_on: day(assigned.blocked_until - TimeDelta::nanoseconds(1)),
            work: WorkToReassign {
                booking_id,
                number: assigned.number.clone(),
                blocked_from: assigned.blocked_from,
                blocked_until: assigned.blocked_until,
                station_id: Some(assigned.station_id),
                zone: Some(assigned.zone),
            },
        }
    }

    fn touches(&self, from: NaiveDate, to: NaiveDate) -> bool {
        self.first_on <= to && self.last_on >= from
    }
}

impl Work {
    /// Asks about the parties that touch some days, or about all: the command looks which of them need another chef.
    fn ask(&self, chef: Option<ChefId>, days: Option<(NaiveDate, NaiveDate)>) -> Option<Reply> {
        let touched = |party: &&Party| days.is_none_or(|(from, to)| party.touches(from, to));
        let touched: Vec<&Party> = self.parties.values().filter(touched).collect();
        let first = touched.iter().map(|party| party.first_on).min()?;
        let last = touched.iter().map(|party| party.last_on).max()?;
        let (from, to) = days.unwrap_or((first, last));
        let work = touched.iter().map(|party| party.work.clone()).collect();
        let needed = ChefReassignmentNeeded { from, to, work };
        chef.map(|chef_id| Reply::NeedReassignment { chef_id, needed })
    }
}

impl Work {
    /// When the last of the parties is over.
    fn over_at(&self) -> Option<DateTime<Utc>> {
        self.parties.values().map(|party| party.work.blocked_until).max()
    }
}

/// What begins on a day may go on after its midnight.
fn after_midnight(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

impl Policy for WhenChefTakesTimeOff {
    type State = Work;
    const NAME: &'static str = "when_chef_takes_time_off";
    const ANSWERS: Answers = Answers::TimeToo;

    fn process(event: &Recorded) -> Option<String> {
        match &event.event {
            DomainEvent::Booking(BookingEvent::ChefAssigned(assigned)) => Some(assigned.chef_id.to_string()),
            DomainEvent::Booking(BookingEvent::ChefUnassigned(unassigned)) => {
                Some(unassigned.chef_id.to_string())
            }
            DomainEvent::Chef(
                ChefEvent::TimeOffAdded(_) | ChefEvent::DateExceptionSet(_) | ChefEvent::AvailabilitySet(_),
            ) => Some(event.stream.id.clone()),
            DomainEvent::Booking(_)
            | DomainEvent::Chef(_)
            | DomainEvent::Payment(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
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

    fn react(state: Option<Work>, event: &Recorded) -> Reaction<Work> {
        let mut work = state.unwrap_or_default();
        let mut reply = None;
        match &event.event {
            DomainEvent::Booking(BookingEvent::ChefAssigned(assigned)) => {
                // What is over needs nobody any more.
                let now = assigned.assigned_at;
                work.parties.retain(|_, party| party.work.blocked_until > now);
                if let Ok(booking_id) = event.stream.id.parse::<BookingId>() {
                    let party = Party::of(booking_id, assigned);
                    work.parties.insert(booking_id, party);
                }
            }
            DomainEvent::Booking(BookingEvent::ChefUnassigned(_)) => {
                work.parties.retain(|id, _| id.to_string() != event.stream.id);
            }
            DomainEvent::Chef(ChefEvent::TimeOffAdded(added)) => {
                reply = work.ask(event.stream.id.parse().ok(), Some((added.from, added.to)));
            }
            DomainEvent::Chef(ChefEvent::DateExceptionSet(set)) => {
                reply = work.ask(
                    event.stream.id.parse().ok(),
                    Some((set.on, after_midnight(set.on))),
                );
            }
            DomainEvent::Chef(ChefEvent::AvailabilitySet(_)) => {
                reply = work.ask(event.stream.id.parse().ok(), None);
            }
            DomainEvent::Booking(_)
            | DomainEvent::Chef(_)
            | DomainEvent::Payment(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
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
            | DomainEvent::Lead(_) => {}
        }
        Reaction {
            wake_at: work.over_at(),
            state: Some(work).filter(|work| !work.parties.is_empty()),
            reply,
        }
    }

    fn due(_process: &str, _state: Work) -> Option<Reply> {
        None
    }
}
