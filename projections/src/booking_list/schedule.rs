//! Bookings as times that are taken: of a station, of a chef, and for calendars.

use chrono::{DateTime, Duration, Utc};
use domain::access::{Role, Viewer};
use domain::booking::BookingStatus;
use domain::ids::{ChefId, StationId, TenantId};
use uuid::Uuid;

use super::{BookingList, BookingRow, Presence};
use crate::chef_list;
use crate::engine::{Answer, At, Condition, ReadError, ReadModels, Value, station_scope};
use crate::id_list::has;

/// The chefs of a party leave at most so long before its start, set-up and the longest way included, and are back at
/// most so long after it. It only lets an index find the bookings.
pub(crate) const LONGEST_BEFORE: Duration = Duration::days(14);
/// As [`LONGEST_BEFORE`], after the start.
pub(crate) const LONGEST_AFTER: Duration = Duration::days(2);

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
        Condition::AtLeast("start_utc", Value::Instant(from - LONGEST_AFTER)),
        Condition::Below("start_utc", Value::Instant(until + LONGEST_BEFORE)),
    ]
}

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

/// What a chef within the viewer's reach is assigned to over some of `[from, until)`, the next first: of a chef of two
/// stations, the parties of those within reach. A chef reaches the own schedule alone, and all of it.
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
    if viewer.role != Role::Chef {
        conditions.extend(station_scope(viewer));
    }
    let rows = models.all::<BookingList>(viewer.tenant, conditions, at).await?;
    Ok(rows.map(in_order))
}

/// What a chef is assigned to over some of `[from, until)` at these stations, or at any where none are given, for whoever
/// has the secret address of the calendar.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub async fn calendar_of_chef(
    models: &ReadModels,
    tenant: TenantId,
    chef: ChefId,
    stations: Option<&[StationId]>,
    span: (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<BookingRow>, ReadError> {
    let mut of = vec![of_chef(chef)];
    of.extend(stations.map(|stations| {
        let ids = stations.iter().map(|station| Value::Uuid(station.0));
        Condition::one_of("station_id", ids.collect())
    }));
    calendar(models, tenant, of, span).await
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
    calendar(models, tenant, vec![of_station(station)], span).await
}

async fn calendar(
    models: &ReadModels,
    tenant: TenantId,
    of: Vec<Condition>,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<BookingRow>, ReadError> {
    let mut conditions = over(from, until, &TO_BE_HELD_OR_HELD);
    conditions.extend(of);
    let rows = models.all::<BookingList>(tenant, conditions, At::NOW).await?;
    Ok(in_order(rows.value))
}

fn in_order(mut rows: Vec<BookingRow>) -> Vec<BookingRow> {
    let place = |row: &BookingRow| -> (DateTime<Utc>, Uuid) { (row.blocked_from, row.booking_id.0) };
    rows.sort_by_key(place);
    rows
}
