//! Which of a station's slots are free, and why the others are not. The same rules as a request, so that what is said to
//! be free can be had, unless somebody is faster.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use crate::booking::{BookingError, check_size, check_start, promise};
use crate::chef::Roster;
use crate::decider::Refusal;
use crate::guests::Guests;
use crate::place::Travel;
use crate::quote::QuoteError;
use crate::schedule::EventTime;
use crate::station::Station;

/// Days that can be asked about at once.
pub const MAX_DAYS: i64 = 62;

/// A slot of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// When the event would start.
    pub start: EventTime,
    /// Chefs who work over all of it and have no other party then.
    pub chefs_free: i32,
    /// Why it cannot be had; none for one that can.
    pub refused: Option<BookingError>,
}

/// Why a question about slots has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AvailabilityError {
    /// There is no such station.
    #[error("there is no such station")]
    StationNotFound,
    /// The last day is before the first, or too many.
    #[error("ask about 1 to {MAX_DAYS} days")]
    BadRange,
    /// Nobody, or more than anybody serves.
    #[error("a party has 1 to {} guests", Guests::MAX)]
    BadGuests,
}

impl Refusal for AvailabilityError {
    fn code(&self) -> &'static str {
        match self {
            Self::StationNotFound => "NOT_FOUND",
            Self::BadRange => "INVALID_RANGE",
            Self::BadGuests => "INVALID_GUESTS",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::StationNotFound => &["stationId"],
            Self::BadRange => &["to"],
            Self::BadGuests => &["guests"],
        }
    }
}

/// What is asked about a station's slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// First local day.
    pub from: NaiveDate,
    /// Last local day, included.
    pub to: NaiveDate,
    /// How many guests come.
    pub guests: i32,
    /// The way to the venue.
    pub travel: Travel,
    /// The farthest way that the station's prices know, in miles; none where any is.
    pub max_miles: Option<i64>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

impl Wanted {
    fn check_way(&self) -> Result<(), BookingError> {
        let miles = self.travel.miles();
        match self.max_miles {
            Some(max_miles) if miles > max_miles => Err(QuoteError::OutOfArea { miles, max_miles }.into()),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether the question can be asked.
///
/// # Errors
/// [`AvailabilityError::BadRange`], [`AvailabilityError::BadGuests`].
pub fn check(wanted: &Wanted) -> Result<(), AvailabilityError> {
    if !(1..=Guests::MAX).contains(&wanted.guests) {
        return Err(AvailabilityError::BadGuests);
    }
    if !(0..MAX_DAYS).contains(&(wanted.to - wanted.from).num_days()) {
        return Err(AvailabilityError::BadRange);
    }
    Ok(())
}

/// Every slot of the days, in order.
///
/// # Errors
/// [`AvailabilityError`].
pub fn slots(station: &Station, roster: &Roster, wanted: &Wanted) -> Result<Vec<Slot>, AvailabilityError> {
    let starts = starts(station, wanted)?;
    Ok(starts
        .into_iter()
        .map(|start| slot(station, roster, wanted, start))
        .collect())
}

fn starts(station: &Station, wanted: &Wanted) -> Result<Vec<EventTime>, AvailabilityError> {
    let opened = station.opened().ok_or(AvailabilityError::StationNotFound)?;
    check(wanted)?;
    let days = wanted.from.iter_days().take_while(|day| *day <= wanted.to);
    let of_day = |day: NaiveDate| {
        let slots = opened.settings.slots.iter();
        slots.map(move |slot| EventTime::resolve(day.and_time(*slot), opened.zone))
    };
    Ok(days.flat_map(of_day).collect())
}

fn slot(station: &Station, roster: &Roster, wanted: &Wanted, start: EventTime) -> Slot {
    let Some(opened) = station.opened() else {
        return Slot {
            start,
            chefs_free: 0,
            refused: Some(BookingError::StationNotFound),
        };
    };
    let shift = opened.shift(&start, &wanted.travel);
    let guests = Guests {
        adults: wanted.guests,
        children: 0,
        under6: 0,
    };
    let shared = roster.shared_and_free(station, &shift).len();
    let counted = (roster.counted(station, &shift) - roster.peak(&shift)).max(0);
    let chefs_free = counted.saturating_add(i32::try_from(shared).unwrap_or(i32::MAX));
    // The slot as it is on offer, where the clock skips it.
    let asked = start.local - Duration::seconds(start.moved_forward_secs);
    let refused = check_size(station, opened, guests)
        .and_then(|()| check_start(opened, asked, wanted.now).map(|_| ()))
        .and_then(|()| promise(station, opened, roster, guests, &shift, &[]))
        .and_then(|_| wanted.check_way());
    Slot {
        start,
        chefs_free,
        refused: refused.err(),
    }
}

#[cfg(test)]
mod tests;
