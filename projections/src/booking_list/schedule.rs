//! Bookings as times that are taken: of a station, of a chef, and for calendars.

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::availability::Taken;
use domain::booking::BookingStatus;
use domain::ids::{ChefId, StationId, TenantId};
use uuid::Uuid;

use super::{BookingList, BookingRow, Presence};
use crate::chef_list;
use crate::engine::{Answer, At, Condition, ReadError, ReadModels, Value, station_scope};
use crate::id_list::has;

/// What holds a place over some of `[from, until)`.
fn over(from: DateTime<Utc>, until: DateTime<Utc>, statuses: &[BookingStatus]) -> Vec<Condition> {
    let words = statuses
        .iter()
        .map(|status| Value::Text(status.as_str().to_owned()));
    vec![
        Condition::OneOf("status", words.collect()),
        Condition::Eq("presence", Value::Text(Presence::Here.as_str().to_owned())),
        Condition::AtLeast("blocked_until", Value::Instant(from)),
        Condition::Below("blocked_from", Value::Instant(until)),
    ]
}

const STILL_TO_COME: [BookingStatus; 2] = [BookingStatus::Requested, BookingStatus::Confirmed];
const TO_BE_HELD_OR_HELD: [BookingStatus; 3] = [
    BookingStatus::Requested,
    BookingStatus::Confirmed,
    BookingStatus::Completed,
];

fn of_station(station: StationId) -> Condition {
    Condition::Eq("station_id", Value::Uuid(station.0))
}

fn of_chef(chef: ChefId) -> Condition {
    has(&["chefs"], chef.0)
}

/// The places at a station that are taken over some of `[from, until)`.
///
/// # Errors
/// [`ReadError`] when the viewer may not see stations, or there is no answer.
pub async fn taken(
    models: &ReadModels,
    viewer: &Viewer,
    station: StationId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    at: At,
) -> Result<Vec<Taken>, ReadError> {
    viewer.require(Permission::StationRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(of_station(station));
    conditions.extend(over(from, until, &STILL_TO_COME));
    let rows = models.all::<BookingList>(viewer.tenant, conditions, at).await?;
    let taken = |row: BookingRow| Taken {
        from: row.blocked_from,
        until: row.blocked_until,
        chefs: row.chefs_needed,
    };
    Ok(rows.value.into_iter().map(taken).collect())
}

/// What a chef within the viewer's reach is assigned to over some of `[from, until)`, the next first. A chef reaches
/// the own schedule alone.
///
/// # Errors
/// [`ReadError`] when the viewer may not see schedules, or there is no answer.
pub async fn schedule_of(
    models: &ReadModels,
    viewer: &Viewer,
    chef: ChefId,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    at: At,
) -> Result<Answer<Vec<BookingRow>>, ReadError> {
    let reached = chef_list::many(models, viewer, &[chef], at).await?;
    if reached.value.is_empty() {
        return Ok(reached.map(|_| Vec::new()));
    }
    let mut conditions = over(from, until, &TO_BE_HELD_OR_HELD);
    conditions.push(of_chef(chef));
    let rows = models.all::<BookingList>(viewer.tenant, conditions, at).await?;
    Ok(rows.map(in_order))
}

/// What a chef is assigned to over some of `[from, until)`, for whoever has the secret address of the calendar.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub async fn calendar_of_chef(
    models: &ReadModels,
    tenant: TenantId,
    chef: ChefId,
    span: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<BookingRow>, ReadError> {
    calendar(models, tenant, of_chef(chef), span).await
}

/// Every party of a station over some of `[from, until)`, for whoever has the secret address of the calendar.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub async fn calendar_of_station(
    models: &ReadModels,
    tenant: TenantId,
    station: StationId,
    span: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<BookingRow>, ReadError> {
    calendar(models, tenant, of_station(station), span).await
}

async fn calendar(
    models: &ReadModels,
    tenant: TenantId,
    of: Condition,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<BookingRow>, ReadError> {
    let mut conditions = over(from, until, &TO_BE_HELD_OR_HELD);
    conditions.push(of);
    let rows = models.all::<BookingList>(tenant, conditions, At::NOW).await?;
    Ok(in_order(rows.value))
}

fn in_order(mut rows: Vec<BookingRow>) -> Vec<BookingRow> {
    let place = |row: &BookingRow| -> (DateTime<Utc>, Uuid) { (row.blocked_from, row.booking_id.0) };
    rows.sort_by_key(place);
    rows
}
