//! The queue of leads.

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::ids::LeadId;
use domain::lead::LeadStatus;

use super::{LeadList, LeadRow};
use crate::engine::{
    Answer, At, Condition, Order, Page, ReadError, ReadModels, Select, Slice, Value, station_scope,
};

/// Which leads to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// That stand there.
    pub status: Option<LeadStatus>,
    /// That are to be called before this instant: those come the earliest first.
    pub follow_up_before: Option<DateTime<Utc>>,
}

impl LeadFilter {
    fn conditions(&self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let status = self
            .status
            .map(|status| Condition::Eq("status", Value::Text(status.as_str().to_owned())));
        let due = self
            .follow_up_before
            .map(|before| Condition::Below("follow_up_at", Value::Instant(before)));
        conditions.extend(status.into_iter().chain(due));
        conditions
    }

    fn order(&self) -> Order {
        match self.follow_up_before {
            Some(_) => Order::ascending(&["follow_up_at", "lead_id"]),
            None => Order::descending(&["captured_at", "lead_id"]),
        }
    }
}

/// A page of leads, the latest first, or those to be called, the earliest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see leads, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: LeadFilter,
    slice: Slice,
    at: At,
) -> Result<Page<LeadRow>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: filter.order(),
        after: slice.after,
        first: slice.first,
    };
    models.page::<LeadList>(viewer.tenant, select, at).await
}

/// How many leads there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: LeadFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    models
        .count::<LeadList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One lead, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: LeadId,
    at: At,
) -> Result<Answer<Option<LeadRow>>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("lead_id", Value::Uuid(id.0)));
    let found = models.all::<LeadList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}
