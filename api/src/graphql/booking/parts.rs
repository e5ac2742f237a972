//! Parts of a booking that chefs see too.

use async_graphql::{Context, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::booking::Booking as BookingAggregate;
use domain::decider::Decider;
use domain::envelope::StreamId;
use projections::booking_list::BookingRow;

use crate::graphql::loaders::Loaders;
use crate::graphql::scalar::LocalDateTime;

/// When an event starts.
#[derive(SimpleObject)]
pub(in crate::graphql) struct EventTime {
    /// The instant.
    utc: DateTime<Utc>,
    /// What a clock at the station shows.
    local: LocalDateTime,
    /// IANA zone.
    zone: String,
    /// Offset from UTC then, `-08:00`.
    offset: String,
    /// Minutes by which the start was moved forward, as the clock skips the time that was asked for; 0 for one that exists.
    moved_forward_minutes: i32,
}

fn minutes(seconds: i64) -> i32 {
    i32::try_from(seconds / 60).unwrap_or(i32::MAX)
}

/// A party by kinds of guests.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Guests {
    /// From 13 years.
    adults: i32,
    /// 6 to 12 years.
    children: i32,
    /// Under 6 years.
    under6: i32,
    /// Everybody.
    total: i32,
}

/// Where the event is held.
#[derive(SimpleObject)]
pub(in crate::graphql) struct Venue {
    /// Street and number; `[erased]` once the customer's data has been erased.
    street: Option<String>,
    /// City as the customer wrote it.
    city: String,
    /// County.
    county: String,
    /// Two-letter state.
    state: String,
    /// ZIP code.
    zip: String,
}

/// Something that the staff wrote down.
#[derive(SimpleObject)]
pub(in crate::graphql) struct BookingNote {
    /// What; `[erased]` once the customer's data has been erased.
    pub(super) text: String,
    /// When.
    pub(super) noted_at: DateTime<Utc>,
}

impl EventTime {
    pub(in crate::graphql) fn of_row(row: &BookingRow) -> Self {
        let offset = row.offset_secs.unsigned_abs() / 60;
        let sign = if row.offset_secs < 0 { '-' } else { '+' };
        Self {
            utc: row.start_utc,
            local: LocalDateTime(row.start_local),
            zone: row.zone.name().to_owned(),
            offset: format!("{sign}{:02}:{:02}", offset / 60, offset % 60),
            moved_forward_minutes: minutes(row.moved_forward_secs),
        }
    }
}

impl From<domain::schedule::EventTime> for EventTime {
    fn from(time: domain::schedule::EventTime) -> Self {
        Self {
            utc: time.utc,
            local: LocalDateTime(time.local),
            zone: time.zone.name().to_owned(),
            offset: time.offset(),
            moved_forward_minutes: minutes(time.moved_forward_secs),
        }
    }
}

impl Guests {
    pub(in crate::graphql) fn of_row(row: &BookingRow) -> Self {
        Self {
            adults: row.adults,
            children: row.children,
            under6: row.under6,
            total: row.adults + row.children + row.under6,
        }
    }
}

impl Venue {
    pub(in crate::graphql) async fn of_row(ctx: &Context<'_>, row: &BookingRow) -> Result<Self> {
        let stream = StreamId::new(BookingAggregate::STREAM, row.booking_id.to_string());
        let street = ctx
            .data_unchecked::<Loaders>()
            .text_or_erased(stream, "venue.street", &row.street)
            .await?;
        Ok(Self {
            street: Some(street),
            city: row.city.clone(),
            county: row.county.clone(),
            state: row.state.clone(),
            zip: row.zip.clone(),
        })
    }
}
