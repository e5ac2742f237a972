//! Lists of reviews, for the company and for everybody.

use domain::access::{Permission, Viewer};
use domain::ids::{BookingId, ChefId, CustomerId, ReviewId, StationId, TenantId};
use domain::review::{Moderation, ReviewStatus};

use super::{ReviewList, ReviewRow};
use crate::engine::{
    Answer, At, Condition, Order, Page, ReadError, ReadModels, Select, Slice, Value, station_scope,
};
use crate::id_list::has;

/// Which reviews to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// That stand at any of these; empty is all.
    pub status: Vec<ReviewStatus>,
    /// Of which this was decided; those that await it are those that were answered.
    pub moderation: Option<Moderation>,
    /// Rated so, or better.
    pub min_rating: Option<i32>,
    /// Rated so, or worse.
    pub max_rating: Option<i32>,
    /// Of parties that this chef cooked for.
    pub chef_id: Option<ChefId>,
    /// Of parties of this station.
    pub station_id: Option<StationId>,
    /// Of this booking.
    pub booking_id: Option<BookingId>,
    /// Of this customer's parties.
    pub customer_id: Option<CustomerId>,
}

const LATEST_FIRST: Order = Order::descending(&["listed_at", "review_id"]);

fn word(column: &'static str, word: &str) -> Condition {
    Condition::Eq(column, Value::Text(word.to_owned()))
}

impl ReviewFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let mut status = self.status;
        if self.moderation == Some(Moderation::Awaiting) && status.is_empty() {
            status.push(ReviewStatus::Submitted);
        }
        if !status.is_empty() {
            let words = status
                .iter()
                .map(|status| Value::Text(status.as_str().to_owned()));
            conditions.push(Condition::one_of("status", words.collect()));
        }
        conditions.extend(
            self.moderation
                .map(|moderation| word("moderation", moderation.as_str())),
        );
        if self.min_rating.is_some() || self.max_rating.is_some() {
            let ratings = self.min_rating.unwrap_or(1).max(1)..=self.max_rating.unwrap_or(5).min(5);
            let ratings = ratings.map(|rating| Value::Int(i64::from(rating)));
            conditions.push(Condition::one_of("rating", ratings.collect()));
        }
        let id = |column, id: Option<uuid::Uuid>| id.map(|id| Condition::Eq(column, Value::Uuid(id)));
        let ids = [
            id("station_id", self.station_id.map(|id| id.0)),
            id("booking_id", self.booking_id.map(|id| id.0)),
            id("customer_id", self.customer_id.map(|id| id.0)),
        ];
        conditions.extend(ids.into_iter().flatten());
        conditions.extend(self.chef_id.map(|chef| has(&["chefs"], chef.0)));
        conditions
    }
}

/// A page of reviews, the latest answer first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see reviews, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: ReviewFilter,
    slice: Slice,
    at: At,
) -> Result<Page<ReviewRow>, ReadError> {
    viewer.require(Permission::ReviewRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: LATEST_FIRST,
        after: slice.after,
        first: slice.first,
    };
    models.page::<ReviewList>(viewer.tenant, select, at).await
}

/// How many reviews there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: ReviewFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::ReviewRead)?;
    models
        .count::<ReviewList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One review, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: ReviewId,
    at: At,
) -> Result<Answer<Option<ReviewRow>>, ReadError> {
    viewer.require(Permission::ReviewRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("review_id", Value::Uuid(id.0)));
    let found = models.all::<ReviewList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

fn approved(station: Option<StationId>) -> Vec<Condition> {
    let station = station.map(|id| Condition::Eq("station_id", Value::Uuid(id.0)));
    let approved = word("moderation", Moderation::Approved.as_str());
    std::iter::once(approved).chain(station).collect()
}

/// What everybody may read: the reviews that were approved, of a station or of all, the latest first.
///
/// # Errors
/// [`ReadError`] when there is no answer.
pub async fn published(
    models: &ReadModels,
    tenant: TenantId,
    station: Option<StationId>,
    slice: Slice,
) -> Result<Page<ReviewRow>, ReadError> {
    let select = Select {
        conditions: approved(station),
        order: LATEST_FIRST,
        after: slice.after,
        first: slice.first,
    };
    models.page::<ReviewList>(tenant, select, At::NOW).await
}

/// How many reviews everybody may read.
///
/// # Errors
/// As [`published`].
pub async fn published_count(
    models: &ReadModels,
    tenant: TenantId,
    station: Option<StationId>,
) -> Result<Answer<u64>, ReadError> {
    models
        .count::<ReviewList>(tenant, approved(station), At::NOW)
        .await
}
