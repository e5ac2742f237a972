//! The calendar: when a station's chefs are taken, and by what.

use async_graphql::{Context, Description, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::ids::StationId;
use projections::At;
use projections::calendar::{self, Calendar as Row, CalendarError, Day, Entry};

use super::booking::Booking;
use super::error::{coded, unread};
use super::id::{global, local};
use super::read::{AsOf, Freshness, ReadInfo, at, cost};
use super::scalar::{LocalDate, LocalDateTime};
use super::session::{app, viewer};

/// A booking that takes chefs of a station.
#[derive(Description)]
pub(super) struct CalendarEntry {
    entry: Entry,
    at: At,
    info: projections::ReadInfo,
}

#[Object(use_type_description)]
impl CalendarEntry {
    /// The booking.
    async fn booking(&self) -> Booking {
        Booking {
            row: self.entry.booking.clone(),
            at: self.at,
            info: self.info.clone(),
        }
    }
    /// When its chefs leave, by the station's clock: travel and set-up come before the start.
    async fn blocked_from_local(&self) -> LocalDateTime {
        LocalDateTime(self.entry.blocked_from_local)
    }
    /// When they are free again, by the station's clock.
    async fn blocked_until_local(&self) -> LocalDateTime {
        LocalDateTime(self.entry.blocked_until_local)
    }
    /// How many chefs it takes.
    async fn chefs_needed(&self) -> i32 {
        self.entry.booking.chefs_needed
    }
}

/// A day of a station, from midnight to midnight by its own clock: 23, 24 or 25 hours.
#[derive(Description)]
pub(super) struct CalendarDay {
    day: Day,
    at: At,
    info: projections::ReadInfo,
}

#[Object(use_type_description)]
impl CalendarDay {
    /// Its date.
    async fn date(&self) -> LocalDate {
        LocalDate(self.day.date)
    }
    /// Its first instant.
    async fn begins(&self) -> DateTime<Utc> {
        self.day.begins
    }
    /// The first instant of the next day.
    async fn ends(&self) -> DateTime<Utc> {
        self.day.ends
    }
    /// The most chefs that are taken at any one instant of it.
    async fn chefs_taken(&self) -> i32 {
        self.day.chefs_taken
    }
    /// What takes chefs on it, by the instant from which it does. What reaches over midnight is on both days.
    async fn entries(&self) -> Vec<CalendarEntry> {
        let entries = self.day.entries.iter().cloned();
        let shown = |entry| CalendarEntry {
            entry,
            at: self.at,
            info: self.info.clone(),
        };
        entries.map(shown).collect()
    }
}

/// When a station's chefs are taken.
#[derive(Description)]
pub(super) struct Calendar {
    row: Row,
    at: At,
    info: projections::ReadInfo,
}

#[Object(use_type_description)]
impl Calendar {
    /// The station.
    async fn station_id(&self) -> ID {
        global(self.row.station_id)
    }
    /// IANA zone of its clock.
    async fn zone(&self) -> &str {
        self.row.zone.name()
    }
    /// How many chefs work there.
    async fn chefs(&self) -> i32 {
        self.row.chefs
    }
    /// Its days, the first first.
    async fn days(&self) -> Vec<CalendarDay> {
        let days = self.row.days.iter().cloned();
        let shown = |day| CalendarDay {
            day,
            at: self.at,
            info: self.info.clone(),
        };
        days.map(shown).collect()
    }
    /// What the calendar is as of.
    async fn read_info(&self) -> ReadInfo {
        self.info.clone().into()
    }
}

/// How many days are asked for, as far as they can be shown.
fn days(from: LocalDate, to: LocalDate) -> i32 {
    let days = projections::local_day::count(from.0, to.0).min(calendar::LONGEST_DAYS);
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// Questions about who is taken when.
#[derive(Default)]
pub(super) struct CalendarQuery;

#[Object]
impl CalendarQuery {
    /// When a station's chefs are taken, day by day, and by which bookings: those that wait for their deposit, are confirmed
    /// or were held. At most 42 days; more are refused with BAD_USER_INPUT. Null for a station that is not there or not
    /// within reach. Needs booking:read.
    #[graphql(complexity = "cost(days(from, to), child_complexity)")]
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a station.")] station_id: ID,
        #[graphql(desc = "First local day.")] from: LocalDate,
        #[graphql(desc = "Last local day, inclusive.")] to: LocalDate,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<Option<Calendar>> {
        let viewer = viewer(ctx)?;
        let Some(station) = local::<StationId>(&station_id) else {
            return Ok(None);
        };
        let at = at(ctx, as_of, fresh).await?;
        let found = calendar::calendar(&app(ctx).views, viewer, station, from.0, to.0, at).await;
        let found = found.map_err(|error| match error {
            CalendarError::Read(error) => unread(error),
            CalendarError::EndsBeforeItBegins { .. } | CalendarError::TooLong(_) => {
                coded("BAD_USER_INPUT", error.to_string())
            }
        })?;
        let info = found.info;
        Ok(found.value.map(|row| Calendar { row, at, info }))
    }
}
