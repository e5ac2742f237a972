//! When are a station's chefs taken, and by which bookings?
//!
//! Not a fold of its own: a day's entries are rows of the list of bookings, which tell the chefs that are assigned, and
//! its chefs those of the list of stations. Bookings that were deleted are not on it.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use domain::access::{Forbidden, Permission, Viewer};
use domain::booking::BookingStatus;
use domain::ids::StationId;

use crate::booking_list::{BookingList, BookingRow, LONGEST_AFTER, LONGEST_BEFORE, Presence};
use crate::engine::{Answer, At, Condition, ReadError, ReadInfo, ReadModels, Value};
use crate::{local_day, station_list};

/// The most days that a calendar shows: six weeks, as a month on a wall has them.
pub const LONGEST_DAYS: i64 = 42;

/// Why there is no calendar.
#[derive(Debug, thiserror::Error)]
pub enum CalendarError {
    /// The last day is before the first.
    #[error("the calendar from {from} to {to} ends before it begins")]
    EndsBeforeItBegins {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// More days than a calendar shows.
    #[error("a calendar shows at most {LONGEST_DAYS} days; these are {0}")]
    TooLong(i64),
    /// No answer.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<Forbidden> for CalendarError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Read(forbidden.into())
    }
}

/// A station's days and what takes its chefs on each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The station.
    pub station_id: StationId,
    /// IANA zone of its clock.
    pub zone: Tz,
    /// Chefs that work there.
    pub chefs: i32,
    /// Its days, the first first.
    pub days: Vec<Day>,
}

/// A day from midnight to midnight by the station's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its date.
    pub date: NaiveDate,
    /// Its first instant.
    pub begins: DateTime<Utc>,
    /// The first instant of the next day: 23, 24 or 25 hours later.
    pub ends: DateTime<Utc>,
    /// The most chefs that are taken at any instant of it.
    pub chefs_taken: i32,
    /// What takes chefs on it, by the instant from which it does.
    pub entries: Vec<Entry>,
}

/// A booking that takes chefs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The booking.
    pub booking: BookingRow,
    /// What the station's clock shows when the chefs are first taken.
    pub blocked_from_local: NaiveDateTime,
    /// What it shows when they are free again.
    pub blocked_until_local: NaiveDateTime,
}

/// A station's calendar of whole days; none of a station that is not there or not within reach. A booking that waits for
/// its deposit, is confirmed or was held takes its chefs, on each day that it reaches into.
///
/// # Errors
/// [`CalendarError`] when the days cannot be shown, the viewer may not see bookings, or there is no answer.
pub async fn calendar(
    models: &ReadModels,
    viewer: &Viewer,
    station_id: StationId,
    from: NaiveDate,
    to: NaiveDate,
    at: At,
) -> Result<Answer<Option<Calendar>>, CalendarError> {
    viewer.require(Permission::BookingRead)?;
    if to < from {
        return Err(CalendarError::EndsBeforeItBegins { from, to });
    }
    let days = local_day::count(from, to);
    if days > LONGEST_DAYS {
        return Err(CalendarError::TooLong(days));
    }
    let found = station_list::one(models, viewer, station_id, at).await?;
    let Some(station) = found.value else {
        return Ok(Answer {
            value: None,
            info: found.info,
        });
    };
    let conditions = conditions(station_id, from, to, station.zone);
    let bookings = models.all::<BookingList>(viewer.tenant, conditions, at).await?;
    let info = earlier(found.info, bookings.info);
    Ok(Answer {
        value: Some(Calendar {
            station_id,
            zone: station.zone,
            chefs: station.chef_count,
            days: lay(bookings.value, from, to, station.zone),
        }),
        info,
    })
}

/// What an answer from two read models holds: no more than both.
fn earlier(one: ReadInfo, other: ReadInfo) -> ReadInfo {
    let incomplete = one.incomplete || other.incomplete;
    let stale = one.stale || other.stale;
    let behind = if one.position <= other.position {
        one
    } else {
        other
    };
    ReadInfo {
        incomplete,
        stale,
        ..behind
    }
}

fn conditions(station: StationId, from: NaiveDate, to: NaiveDate, zone: Tz) -> Vec<Condition> {
    let begins = local_day::begins(from, zone);
    let ends = local_day::begins(local_day::next(to), zone);
    let just_after = begins + Duration::microseconds(1);
    let taking = [
        BookingStatus::Requested,
        BookingStatus::Confirmed,
        BookingStatus::Completed,
    ];
    let taking = taking.map(|status| Value::Text(status.as_str().to_owned()));
    vec![
        Condition::Eq("station_id", Value::Uuid(station.0)),
        Condition::OneOf("status", taking.to_vec()),
        Condition::Eq("presence", Value::Text(Presence::Here.as_str().to_owned())),
        Condition::AtLeast("start_utc", Value::Instant(begins - LONGEST_AFTER)),
        Condition::Below("start_utc", Value::Instant(ends + LONGEST_BEFORE)),
        Condition::AtLeast("blocked_until", Value::Instant(just_after)),
        Condition::Below("blocked_from", Value::Instant(ends)),
    ]
}

/// Lays bookings into the days that they reach into.
fn lay(mut bookings: Vec<BookingRow>, from: NaiveDate, to: NaiveDate, zone: Tz) -> Vec<Day> {
    bookings.sort_by_key(|booking| (booking.blocked_from, booking.booking_id));
    let days = from.iter_days().take_while(|date| *date <= to);
    days.map(|date| {
        let begins = local_day::begins(date, zone);
        let ends = local_day::begins(local_day::next(date), zone);
        let here = |booking: &&BookingRow| booking.blocked_from < ends && begins < booking.blocked_until;
        let entries: Vec<Entry> = bookings
            .iter()
            .filter(here)
            .map(|booking| Entry {
                blocked_from_local: booking.blocked_from.with_timezone(&zone).naive_local(),
                blocked_until_local: booking.blocked_until.with_timezone(&zone).naive_local(),
                booking: booking.clone(),
            })
            .collect();
        Day {
            date,
            begins,
            ends,
            chefs_taken: most_taken(&entries, begins, ends),
            entries,
        }
    })
    .collect()
}

/// The most chefs that are taken at any instant of a day. They only become more where a booking begins to take some.
fn most_taken(entries: &[Entry], begins: DateTime<Utc>, ends: DateTime<Utc>) -> i32 {
    let taken_at = |instant: DateTime<Utc>| {
        let there = entries
            .iter()
            .map(|entry| &entry.booking)
            .filter(|booking| booking.blocked_from <= instant && instant < booking.blocked_until);
        there.map(|booking| booking.chefs_needed).sum::<i32>()
    };
    let instants = entries.iter().map(|entry| entry.booking.blocked_from.max(begins));
    instants
        .filter(|instant| *instant < ends)
        .map(taken_at)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
