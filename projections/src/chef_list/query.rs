//! Lists of chefs, and single ones.

use chrono::{DateTime, Utc};
use domain::access::{Permission, Role, StationScope, Viewer};
use domain::chef::WorkToReassign;
use domain::ids::{ChefId, StationId};

use super::{ChefList, ChefRow};
use crate::engine::{
    Answer, At, Condition, Order, Page, ReadError, ReadModels, Select, Slice, Value, station_scope,
};
use crate::id_list::has;
use crate::station_list::StationList;

/// Which chefs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChefFilter {
    /// Who work at this station.
    pub station_id: Option<StationId>,
}

/// What keeps a viewer to the chefs within reach: those of the stations within reach, or, for a chef, the own record.
async fn reach(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Vec<Condition>, ReadError> {
    viewer.require(Permission::ScheduleRead)?;
    if viewer.role == Role::Chef {
        return Ok(vec![Condition::Eq("user_id", Value::Uuid(viewer.user.0))]);
    }
    match &viewer.stations {
        StationScope::All => Ok(Vec::new()),
        StationScope::Only(_) => {
            let stations = models
                .all::<StationList>(viewer.tenant, station_scope(viewer), at)
                .await?;
            let chefs = stations
                .value
                .iter()
                .flat_map(|station| station.chefs.ids::<ChefId>());
            let ids = chefs.map(|chef| Value::Uuid(chef.0)).collect();
            Ok(vec![Condition::OneOf("chef_id", ids)])
        }
    }
}

async fn conditions(
    models: &ReadModels,
    viewer: &Viewer,
    filter: &ChefFilter,
    at: At,
) -> Result<Vec<Condition>, ReadError> {
    let mut conditions = reach(models, viewer, at).await?;
    conditions.extend(filter.station_id.map(|station| has(&["stations"], station.0)));
    Ok(conditions)
}

/// A page of the chefs within the viewer's reach, in the order in which they joined the company.
///
/// # Errors
/// [`ReadError`] when the viewer may not see schedules, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: ChefFilter,
    slice: Slice,
    at: At,
) -> Result<Page<ChefRow>, ReadError> {
    let select = Select {
        conditions: conditions(models, viewer, &filter, at).await?,
        order: Order::ascending(&["chef_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<ChefList>(viewer.tenant, select, at).await
}

/// How many chefs there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: ChefFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    let conditions = conditions(models, viewer, &filter, at).await?;
    models.count::<ChefList>(viewer.tenant, conditions, at).await
}

/// One chef, where there is one within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: ChefId,
    at: At,
) -> Result<Answer<Option<ChefRow>>, ReadError> {
    Ok(many(models, viewer, &[id], at)
        .await?
        .map(|rows| rows.into_iter().next()))
}

/// The chefs of these ids within the viewer's reach, in no order.
///
/// # Errors
/// As [`page`].
pub async fn many(
    models: &ReadModels,
    viewer: &Viewer,
    ids: &[ChefId],
    at: At,
) -> Result<Answer<Vec<ChefRow>>, ReadError> {
    let mut conditions = reach(models, viewer, at).await?;
    let ids = ids.iter().map(|id| Value::Uuid(id.0)).collect();
    conditions.push(Condition::OneOf("chef_id", ids));
    models.all::<ChefList>(viewer.tenant, conditions, at).await
}

/// The parties of a chef that need another: those of the stations within the viewer's reach, and a chef's own all. As of
/// now without those that are over; as of a past position all that were to be seen to.
pub fn to_reassign<'r>(
    row: &'r ChefRow,
    viewer: &Viewer,
    at: At,
    now: DateTime<Utc>,
) -> impl Iterator<Item = &'r WorkToReassign> {
    let reached = move |work: &WorkToReassign| {
        let covered = |station| viewer.stations.covers(station);
        viewer.role == Role::Chef
            || viewer.stations == StationScope::All
            || work.station_id.is_some_and(covered)
    };
    let to_come = move |work: &WorkToReassign| match at {
        At::AsOf(_) => true,
        At::Live { .. } => work.blocked_until > now,
    };
    row.to_reassign
        .iter()
        .filter(move |work| reached(work) && to_come(work))
}
