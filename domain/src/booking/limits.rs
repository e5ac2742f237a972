//! What no booking may go beyond: lengths of texts, the size of a party, and when it may start.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};

use super::BookingError;
use crate::guests::Guests;
use crate::schedule::EventTime;
use crate::station::{Station, StationCreated};

/// Refuses a text that is longer than so many characters.
pub(super) fn check_length(what: &'static str, max: usize, text: Option<&str>) -> Result<(), BookingError> {
    match text {
        Some(text) if text.chars().count() > max => Err(BookingError::TooLong { what, max }),
        Some(_) | None => Ok(()),
    }
}

/// Refuses a party that the whole station could not serve.
pub(crate) fn check_size(
    station: &Station,
    opened: &StationCreated,
    guests: Guests,
) -> Result<(), BookingError> {
    let needed = opened.settings.chefs_needed(guests.total());
    let chefs = station.chef_count();
    if needed <= chefs {
        return Ok(());
    }
    Err(BookingError::PartyTooLarge {
        guests: guests.total(),
        needed,
        chefs,
    })
}

/// Refuses a start that the station does not offer, or not now.
pub(crate) fn check_start(
    station: &StationCreated,
    start: NaiveDateTime,
    now: DateTime<Utc>,
) -> Result<EventTime, BookingError> {
    let settings = &station.settings;
    if !settings.slots.contains(&start.time()) {
        let offered: Vec<String> = settings
            .slots
            .iter()
            .map(|slot| slot.format("%H:%M").to_string())
            .collect();
        return Err(BookingError::NotASlot {
            offered: offered.join(", "),
        });
    }
    if settings.closed.on(start.date()) {
        return Err(BookingError::Closed { on: start.date() });
    }
    let start = EventTime::resolve(start, station.zone);
    if start.utc - now < Duration::hours(settings.lead_hours) {
        return Err(BookingError::TooSoon {
            lead_hours: settings.lead_hours,
        });
    }
    if start.utc - now > Duration::days(settings.horizon_days) {
        return Err(BookingError::TooFar {
            horizon_days: settings.horizon_days,
        });
    }
    Ok(start)
}
