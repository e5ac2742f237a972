//! Lists of bookings, and single ones.

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::booking::BookingStatus;
use domain::ids::{BookingId, ChefId, CustomerId, StationId, TenantId};

use super::{BookingList, BookingRow, Presence};
use crate::engine::{
    Answer, At, Condition, Order, Page, ReadError, ReadModels, Select, Slice, Value, station_scope,
};
use crate::id_list::has;

/// Which bookings to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookingFilter {
    /// Any of these; empty is all.
    pub status: Vec<BookingStatus>,
    /// Of this station.
    pub station_id: Option<StationId>,
    /// That this chef is assigned to.
    pub chef_id: Option<ChefId>,
    /// Those that lists show, or those that were put away.
    pub presence: Presence,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
    /// Starting at or after.
    pub from: Option<DateTime<Utc>>,
    /// Starting before.
    pub to: Option<DateTime<Utc>>,
    /// Part of the number, city or ZIP.
    pub search: Option<String>,
}

/// In which order to list bookings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingSort {
    /// The next to be held first.
    StartAsc,
    /// The last to be held first.
    StartDesc,
    /// The last to be requested first.
    CreatedDesc,
}

impl BookingSort {
    fn order(self) -> Order {
        match self {
            Self::StartAsc => Order::ascending(&["start_utc", "booking_id"]),
            Self::StartDesc => Order::descending(&["start_utc", "booking_id"]),
            Self::CreatedDesc => Order::descending(&["requested_at", "booking_id"]),
        }
    }
}

impl BookingFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        conditions.push(is(self.presence));
        if !self.status.is_empty() {
            let words = self
                .status
                .iter()
                .map(|status| Value::Text(status.as_str().to_owned()));
            conditions.push(Condition::one_of("status", words.collect()));
        }
        let station = self
            .station_id
            .map(|id| Condition::Eq("station_id", Value::Uuid(id.0)));
        let customer = self
            .customer_id
            .map(|id| Condition::Eq("customer_id", Value::Uuid(id.0)));
        let from = self
            .from
            .map(|at| Condition::AtLeast("start_utc", Value::Instant(at)));
        let to = self
            .to
            .map(|at| Condition::Below("start_utc", Value::Instant(at)));
        let search = self
            .search
            .map(|text| Condition::Contains(&["number", "city", "zip"], text));
        let chef = self.chef_id.map(|id| has(&["chefs"], id.0));
        conditions.extend([station, chef, customer, from, to, search].into_iter().flatten());
        conditions
    }
}

fn is(presence: Presence) -> Condition {
    Condition::Eq("presence", Value::Text(presence.as_str().to_owned()))
}

/// A page of bookings.
///
/// # Errors
/// [`ReadError`] when the viewer may not see bookings, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: BookingFilter,
    sort: BookingSort,
    slice: Slice,
    at: At,
) -> Result<Page<BookingRow>, ReadError> {
    viewer.require(Permission::BookingRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: sort.order(),
        after: slice.after,
        first: slice.first,
    };
    models.page::<BookingList>(viewer.tenant, select, at).await
}

/// How many bookings there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: BookingFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::BookingRead)?;
    models
        .count::<BookingList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One booking, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: BookingId,
    at: At,
) -> Result<Answer<Option<BookingRow>>, ReadError> {
    Ok(many(models, viewer, &[id], at)
        .await?
        .map(|rows| rows.into_iter().next()))
}

/// The bookings of these ids within the viewer's reach, in no order.
///
/// # Errors
/// As [`page`].
pub async fn many(
    models: &ReadModels,
    viewer: &Viewer,
    ids: &[BookingId],
    at: At,
) -> Result<Answer<Vec<BookingRow>>, ReadError> {
    viewer.require(Permission::BookingRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(is(Presence::Here));
    let ids = ids.iter().map(|id| Value::Uuid(id.0)).collect();
    conditions.push(Condition::OneOf("booking_id", ids));
    models.all::<BookingList>(viewer.tenant, conditions, at).await
}

/// One booking, put away or not, where it exists within the viewer's reach: for what goes on to be shown beside it.
///
/// # Errors
/// As [`page`].
pub async fn whether_put_away_or_not(
    models: &ReadModels,
    viewer: &Viewer,
    id: BookingId,
    at: At,
) -> Result<Answer<Option<BookingRow>>, ReadError> {
    viewer.require(Permission::BookingRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("booking_id", Value::Uuid(id.0)));
    let found = models.all::<BookingList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

/// One booking, unless it was put away: for whoever has shown its link, which is asked before.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub async fn by_link(
    models: &ReadModels,
    tenant: TenantId,
    id: BookingId,
    at: At,
) -> Result<Option<BookingRow>, ReadError> {
    let conditions = vec![is(Presence::Here), Condition::Eq("booking_id", Value::Uuid(id.0))];
    let found = models.all::<BookingList>(tenant, conditions, at).await?;
    Ok(found.value.into_iter().next())
}
