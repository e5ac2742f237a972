//! Who cooks.

use chrono::{DateTime, Utc};

use super::AssignChef;
use super::change_event::{HeldPlace, Room};
use super::crew_event::{BookingChefAssigned, BookingChefUnassigned, ByName, UnassignedBecause};
use super::error::BookingError;
use super::event::{BookingEvent, BookingRequested};
use super::limits::check_length;
use super::state::Booking;
use crate::chef::Works;
use crate::ids::ChefId;
use crate::schedule::{date_key, week_key};

impl Booking {
    pub(super) fn assign_chef(&self, ask: &AssignChef) -> Result<BookingEvent, BookingError> {
        let (requested, _) = self.still_to_come("given a chef")?;
        let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
        if !ask.station.chefs().contains(&ask.chef_id) {
            return Err(BookingError::ChefNotAtStation);
        }
        if self.chefs.contains(&ask.chef_id) {
            return Err(BookingError::ChefAssignedAlready);
        }
        let needed = requested.chefs_needed;
        if usize::try_from(needed).is_ok_and(|needed| self.chefs.len() >= needed) {
            return Err(BookingError::EnoughChefs { needed });
        }
        let (blocked_from, blocked_until) = (requested.blocked_from, requested.blocked_until);
        ask.chef
            .times()
            .check(blocked_from, blocked_until, station.zone)
            .map_err(BookingError::ChefUnavailable)?;
        let day = requested.start.local.date();
        Ok(BookingEvent::ChefAssigned(BookingChefAssigned {
            station_id: requested.station_id,
            number: requested.number.clone(),
            chef_id: ask.chef_id,
            blocked_from,
            blocked_until,
            zone: station.zone,
            day: date_key(day),
            week: week_key(day),
            caps: ask.chef.caps(),
            by_name: match ask.works {
                Works::Here => ByName::No,
                Works::ElsewhereToo => ByName::Yes,
            },
            place: match ask.works {
                Works::Here => None,
                Works::ElsewhereToo => Some(self.held_with(requested, self.named.len() + 1)),
            },
            assigned_at: ask.now,
        }))
    }

    pub(super) fn unassign_chef(
        &self,
        chef_id: ChefId,
        reason: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<BookingEvent, BookingError> {
        let (requested, _) = self.still_to_come("without that chef")?;
        check_length("a reason", 500, reason.as_deref())?;
        if !self.chefs.contains(&chef_id) {
            return Err(BookingError::ChefNotAssigned);
        }
        Ok(BookingEvent::ChefUnassigned(BookingChefUnassigned {
            station_id: requested.station_id,
            chef_id,
            because: UnassignedBecause::Staff,
            reason,
            place: self
                .named
                .contains(&chef_id)
                .then(|| self.held_with(requested, self.named.len() - 1)),
            unassigned_at: now,
        }))
    }

    /// What the booking holds when so many of its chefs are held by name: the rest are counted again.
    fn held_with(&self, requested: &BookingRequested, named: usize) -> HeldPlace {
        HeldPlace {
            by_name: i32::try_from(named).unwrap_or(i32::MAX),
            room: Room::NotAsked,
            ..requested.place()
        }
    }

    /// What happens to the booking, and before it that its chefs are free.
    pub(super) fn without_chefs(
        &self,
        because: UnassignedBecause,
        now: DateTime<Utc>,
        event: BookingEvent,
    ) -> Vec<BookingEvent> {
        let mut events = self.released(&self.chefs, because, now);
        events.push(event);
        events
    }

    pub(super) fn released(
        &self,
        chefs: &[ChefId],
        because: UnassignedBecause,
        now: DateTime<Utc>,
    ) -> Vec<BookingEvent> {
        let Some(requested) = self.requested() else {
            return Vec::new();
        };
        let free = |chef: &ChefId| {
            BookingEvent::ChefUnassigned(BookingChefUnassigned {
                station_id: requested.station_id,
                chef_id: *chef,
                because,
                reason: None,
                place: None,
                unassigned_at: now,
            })
        };
        chefs.iter().map(free).collect()
    }
}
