//! The chefs that a station promises a party.

use chrono::{DateTime, Utc};

use super::change_event::{HeldPlace, Room};
use super::crew_event::{BookingChefAssigned, ByName};
use super::error::BookingError;
use super::event::{BookingEvent, BookingRequested};
use crate::chef::{Roster, Shift};
use crate::guests::Guests;
use crate::ids::ChefId;
use crate::place::Travel;
use crate::schedule::{EventTime, date_key, week_key};
use crate::station::{Station, StationCreated};

impl StationCreated {
    /// When a party that starts then needs its chefs.
    pub(crate) fn shift(&self, start: &EventTime, travel: &Travel) -> Shift {
        let (from, until) = self.settings.blocked(start.utc, travel);
        Shift {
            from,
            until,
            on: start.local.date(),
            zone: self.zone,
        }
    }
}

/// What a party is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Promised {
    /// The place that it holds.
    pub(crate) place: HeldPlace,
    /// Chefs of several stations whom it holds by name, beside those it holds already.
    pub(crate) named: Vec<ChefId>,
    shift: Shift,
}

/// What a party is promised beside the chefs that it holds by name already, or a refusal where too few chefs work then.
///
/// Chefs of the station alone are counted, and the log refuses what is too many. Only where they do not suffice are others
/// held, each by name.
pub(crate) fn promise(
    station: &Station,
    opened: &StationCreated,
    roster: &Roster,
    guests: Guests,
    shift: &Shift,
    held: &[ChefId],
) -> Result<Promised, BookingError> {
    let needed = opened.settings.chefs_needed(guests.total());
    let counted = roster.counted(station, shift);
    let working = counted + roster.shared(station, shift);
    if needed > working {
        return Err(BookingError::NoChef { needed, working });
    }
    let free: Vec<ChefId> = roster
        .shared_and_free(station, shift)
        .into_iter()
        .filter(|chef| !held.contains(chef))
        .collect();
    let held = i32::try_from(held.len()).unwrap_or(i32::MAX);
    let left = (counted - roster.peak(shift)).max(0);
    let short = usize::try_from(needed - held - left).unwrap_or(0);
    let named: Vec<ChefId> = free.into_iter().take(short).collect();
    if named.len() < short {
        return Err(BookingError::SlotUnavailable);
    }
    let by_name = held + i32::try_from(named.len()).unwrap_or(i32::MAX);
    Ok(Promised {
        place: HeldPlace {
            blocked_from: shift.from,
            blocked_until: shift.until,
            chefs_needed: needed,
            station_chefs: counted,
            by_name,
            room: Room::Asked,
        },
        named,
        shift: *shift,
    })
}

impl BookingRequested {
    /// When it needs its chefs.
    pub(super) fn shift(&self) -> Shift {
        Shift {
            from: self.blocked_from,
            until: self.blocked_until,
            on: self.start.local.date(),
            zone: self.start.zone,
        }
    }

    /// That each chef of a promise who is held by name will cook.
    pub(super) fn with_named(
        &self,
        promised: &Promised,
        roster: &Roster,
        now: DateTime<Utc>,
    ) -> Vec<BookingEvent> {
        let Shift {
            from,
            until,
            on,
            zone,
        } = promised.shift;
        let cooks = |chef_id: &ChefId| {
            BookingEvent::ChefAssigned(BookingChefAssigned {
                station_id: self.station_id,
                number: self.number.clone(),
                chef_id: *chef_id,
                blocked_from: from,
                blocked_until: until,
                zone,
                day: date_key(on),
                week: week_key(on),
                caps: roster
                    .chef(*chef_id)
                    .map(|known| known.chef.caps())
                    .unwrap_or_default(),
                by_name: ByName::Yes,
                place: None,
                assigned_at: now,
            })
        };
        promised.named.iter().map(cooks).collect()
    }
}
