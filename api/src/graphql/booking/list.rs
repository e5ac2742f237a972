//! Questions about bookings: one, and lists.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::booking::BookingStatus as DomainStatus;
use domain::ids::{BookingId, ChefId, CustomerId, StationId};
use projections::booking_list::{self, BookingFilter as Filter, BookingSort as Sort, Presence};

use super::{Booking, BookingStatus};
use crate::graphql::connection::{connection, counter};
use crate::graphql::error::{coded, unread};
use crate::graphql::id::local;
use crate::graphql::read::{AsOf, Freshness, at, cost, slice};
use crate::graphql::session::{viewer, views};

connection!(BookingConnection, BookingEdge, Booking, "Bookings.");

/// How bookings are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Sort")]
pub(in crate::graphql) enum BookingSort {
    /// The next to be held first.
    StartAsc,
    /// The last to be held first.
    StartDesc,
    /// The last to be requested first.
    CreatedDesc,
}

/// Which bookings.
#[derive(Default, InputObject)]
pub(in crate::graphql) struct BookingFilter {
    /// Any of these.
    status: Option<Vec<BookingStatus>>,
    /// Of this station.
    station_id: Option<ID>,
    /// That this chef is assigned to, or was when it was held.
    chef_id: Option<ID>,
    /// Those that were deleted, in place of those that were not.
    #[graphql(default = false)]
    deleted: bool,
    /// Of this customer.
    customer_id: Option<ID>,
    /// Starting at or after.
    from: Option<DateTime<Utc>>,
    /// Starting before.
    to: Option<DateTime<Utc>>,
    /// Part of the number, the city or the ZIP.
    search: Option<String>,
}

impl BookingFilter {
    fn read(self) -> Result<Filter> {
        let unknown = |noun: &str| coded("NOT_FOUND", format!("there is no such {noun}"));
        Ok(Filter {
            status: self
                .status
                .unwrap_or_default()
                .into_iter()
                .map(DomainStatus::from)
                .collect(),
            station_id: self
                .station_id
                .map(|id| local::<StationId>(&id).ok_or_else(|| unknown("station")))
                .transpose()?,
            chef_id: self
                .chef_id
                .map(|id| local::<ChefId>(&id).ok_or_else(|| unknown("chef")))
                .transpose()?,
            presence: if self.deleted {
                Presence::Deleted
            } else {
                Presence::Here
            },
            customer_id: self
                .customer_id
                .map(|id| local::<CustomerId>(&id).ok_or_else(|| unknown("customer")))
                .transpose()?,
            from: self.from,
            to: self.to,
            search: self.search,
        })
    }
}

/// Questions about bookings.
#[derive(Default)]
pub(in crate::graphql) struct BookingQuery;

#[Object]
impl BookingQuery {
    /// A booking; null for one that is not there or not within reach. Needs booking:read.
    async fn booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a booking.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<Option<Booking>> {
        let viewer = viewer(ctx)?;
        let Some(id) = local::<BookingId>(&id) else {
            return Ok(None);
        };
        let at = at(ctx, as_of, fresh).await?;
        let found = booking_list::one(views(ctx), viewer, id, at)
            .await
            .map_err(unread)?;
        let info = found.info;
        Ok(found.value.map(|row| Booking { row, at, info }))
    }

    /// Bookings within reach. Needs booking:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which bookings; all that are in reach otherwise.")] filter: Option<BookingFilter>,
        #[graphql(default_with = "BookingSort::StartAsc", desc = "Which come first.")] sort: BookingSort,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<BookingConnection> {
        let (views, viewer) = (views(ctx), viewer(ctx)?);
        let filter = filter.unwrap_or_default().read()?;
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = booking_list::page(views, viewer, filter.clone(), sort.into(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { booking_list::count(&views, &viewer, filter, at).await },
        );
        let info = page.info.clone();
        Ok(BookingConnection::new(page, previous, counter, move |row| {
            let info = info.clone();
            Booking { row, at, info }
        }))
    }
}
