//! Stations.

use async_graphql::{Context, ID, Object, Result};
use domain::access::Viewer;
use domain::ids::StationId;
use projections::station_list::{self, StationRow};
use projections::{At, Slice};

use super::connection::{connection, counter};
use super::error::unread;
use super::id::{global, local};
use super::read::{cost, slice};
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
    async fn station(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Station>> {
        let Some(id) = local::<StationId>(&id) else {
            return Ok(None);
        };
        let found = station_list::one(&app(ctx).views, viewer(ctx)?, id, At::NOW)
            .await
            .map_err(unread)?;
        Ok(found.value.map(Station))
    }

    /// The stations within reach, by name. Needs station:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn stations(
        &self,
        ctx: &Context<'_>,
        first: i32,
        after: Option<String>,
    ) -> Result<StationConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = station_list::page(views, viewer, slice, At::NOW)
            .await
            .map_err(unread)?;
        let counter = counter((views.clone(), viewer.clone()), |(views, viewer)| async move {
            station_list::count(&views, &viewer, At::NOW).await
        });
        Ok(StationConnection::new(page, previous, counter, Station))
    }
}
