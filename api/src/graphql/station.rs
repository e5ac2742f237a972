//! Stations.

mod input;

use async_graphql::{Context, Description, ID, Object, Result};
use commands::Written;
use domain::access::Viewer;
use domain::decider::Decider;
use domain::ids::StationId;
use domain::station::{Station as StationAggregate, StationSettings as Settings};
use projections::station_list::{self, StationRow};
use projections::{At, Slice};

use super::chef::Weekday;
use super::connection::{connection, counter, payload};
use super::error::{UserError, outcome, unread};
use super::id::{global, local};
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::{LocalDate, LocalTime};
use super::session::{app, caller, under_key, viewer, views};
use input::{StationCreateInput, StationSettingsChangeInput};

/// A city branch of the company, with its own chefs, zone, capacity and prices.
#[derive(Clone, Description)]
pub(super) struct Station(pub(super) StationRow);

#[Object(use_type_description)]
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
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }
    /// How events are laid into its days.
    async fn settings(&self) -> StationSettings {
        StationSettings(self.0.settings.clone())
    }
}

/// How events are laid into a station's days.
#[derive(Description)]
pub(super) struct StationSettings(Settings);

fn whole(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[Object(use_type_description)]
impl StationSettings {
    /// Local start times on offer.
    async fn slots(&self) -> Vec<LocalTime> {
        self.0.slots.iter().copied().map(LocalTime).collect()
    }
    /// Length of an event in minutes.
    async fn event_minutes(&self) -> i32 {
        whole(self.0.event_mins)
    }
    /// Minutes that a chef needs before the start, the way there not counted.
    async fn setup_minutes(&self) -> i32 {
        whole(self.0.setup_mins)
    }
    /// Minutes that a chef needs after the end.
    async fn teardown_minutes(&self) -> i32 {
        whole(self.0.teardown_mins)
    }
    /// Guests that one chef cooks for.
    async fn guests_per_chef(&self) -> i32 {
        self.0.guests_per_chef
    }
    /// Hours that a booking must lie ahead.
    async fn lead_hours(&self) -> i32 {
        whole(self.0.lead_hours)
    }
    /// Days ahead that can be booked.
    async fn horizon_days(&self) -> i32 {
        whole(self.0.horizon_days)
    }
    /// Days of the week on which no event starts.
    async fn closed_weekdays(&self) -> Vec<Weekday> {
        self.0
            .closed
            .weekdays
            .iter()
            .copied()
            .map(Weekday::from)
            .collect()
    }
    /// Single days on which no event starts.
    async fn closed_on(&self) -> Vec<LocalDate> {
        self.0.closed.dates.iter().copied().map(LocalDate).collect()
    }
}

connection!(StationConnection, StationEdge, Station, "Stations, by name.");

/// The stations within a viewer's reach, the first hundred by name.
pub(super) async fn stations_of(ctx: &Context<'_>, viewer: &Viewer) -> Result<Vec<Station>> {
    let page = station_list::page(views(ctx), viewer, Slice::first(100), At::NOW)
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
        let found = station_list::one(views(ctx), viewer(ctx)?, id, at)
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
        let (views, viewer) = (views(ctx), viewer(ctx)?);
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

payload!(StationPayload, station: Station);

impl StationPayload {
    async fn of(
        ctx: &Context<'_>,
        done: std::result::Result<Written, commands::CommandError>,
    ) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let Ok(id) = written.id_of(StationAggregate::STREAM).parse::<StationId>() else {
            return Ok(Self::written(None, &written));
        };
        let at = read_after(written.position);
        let found = station_list::one(views(ctx), viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(found.value.map(Station), &written))
    }
}

/// Commands on stations.
#[derive(Default)]
pub(super) struct StationMutation;

#[Object]
impl StationMutation {
    /// Opens a branch. It has no chefs, prices or bookings yet. Needs station:write.
    async fn station_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: StationCreateInput,
    ) -> Result<StationPayload> {
        let caller = caller(ctx)?;
        let (key, created) = match input.read() {
            Ok(read) => read,
            Err(refused) => return Ok(StationPayload::refused(refused)),
        };
        let done = under_key(&key, |key| app(ctx).commands.create_station(caller, key, created)).await;
        StationPayload::of(ctx, done).await
    }

    /// Lays events into a branch's days in another way. Bookings keep what they were made under. Needs station:write.
    async fn station_settings_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: StationSettingsChangeInput,
    ) -> Result<StationPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<StationId>(&input.station_id) else {
            return Ok(StationPayload::refused(UserError::not_found(
                "stationId",
                "station",
            )));
        };
        let (key, change) = input.read(id);
        let done = under_key(&key, |key| {
            app(ctx).commands.change_station_settings(caller, key, change)
        })
        .await;
        StationPayload::of(ctx, done).await
    }
}
