//! Stations.

use async_graphql::{Context, ID, Object, Result};
use domain::access::Viewer;
use domain::ids::StationId;
use projections::station_list::{self, StationRow};
use projections::{At, Slice};

use super::connection::{connection, counter};
use super::error::unread;
use super::id::{global, local};
use super::read::{AsOf, Freshness, at, cost, slice};
use super::session::{app, viewer};

/// A city branch of the company, with its own chefs, zone, capacity and prices.
#[derive(Clone)]
pub(super) struct Station(pub(super) StationRow);

#[Object]
impl Station {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.0.station_id)
    }
    /// Name of the branch.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// IANA zone of its clock.
    async fn zone(&self) -> &str {
        self.0.zone.name()
    }
    /// ZIP that travel is measured from.
    async fn zip(&self) -> &str {
        &self.0.zip
    }
    /// How many chefs work here: parties at one time share them.
    async fn chef_count(&self) -> i32 {
        self.0.chef_count
    }
}

connection!(StationConnection, StationEdge, Station, "Stations, by name.");

/// The stations within a viewer's reach, the first hundred by name.
pub(super) async fn stations_of(ctx: &Context<'_>, viewer: &Viewer) -> Result<Vec<Station>> {
    let page = station_list::page(&app(ctx).views, viewer, Slice::first(100), At::NOW)
        .await
        .map_err(unread)?;
    Ok(page.rows.into_iter().map(|listed| Station(listed.row)).collect())
}

/// Questions about stations.
#[derive(Default)]
pub(super) struct StationQuery;

#[Object]
impl StationQuery {
    /// A station; null for one that is not there or not within reach. Needs station:read.
    async fn station(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque id of a station.")] id: ID,
        #[graphql(desc = "As of a time in the past: the same answer for ever.")] as_of: Option<AsOf>,
    ) -> Result<Option<Station>> {
        let Some(id) = local::<StationId>(&id) else {
            return Ok(None);
        };
        let at = at(ctx, as_of, None).await?;
        let found = station_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(found.value.map(Station))
    }

    /// The stations within reach, by name. Needs station:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn stations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<StationConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = station_list::page(views, viewer, slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone()),
            move |(views, viewer)| async move { station_list::count(&views, &viewer, at).await },
        );
        Ok(StationConnection::new(page, previous, counter, Station))
    }
}
