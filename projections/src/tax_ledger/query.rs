//! Lists of tax lines.

use chrono::NaiveDate;
use domain::access::{Permission, Viewer};
use domain::ids::{BookingId, StationId};
use domain::tax_rate::PlaceConfirmation;

use super::{TaxLedger, TaxLineKind, TaxLineRow};
use crate::engine::{
    Answer, At, Column, Condition, Order, Page, ReadError, ReadModels, Select, Slice, Value, station_scope,
};
use crate::period::Period;

/// Which lines to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxLineFilter {
    /// Of this state.
    pub state: Option<String>,
    /// On the days of this period.
    pub period: Option<Period>,
    /// Of this county.
    pub county: Option<String>,
    /// Of this sort.
    pub kind: Option<TaxLineKind>,
    /// Whose place a person must confirm.
    pub confirmation: Option<PlaceConfirmation>,
    /// Of this station.
    pub station_id: Option<StationId>,
    /// Of this booking.
    pub booking_id: Option<BookingId>,
}

impl TaxLineFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let text = |column: &'static str, text: String| Condition::Eq(column, Value::Text(text));
        let state = self.state.map(|state| text("state", state));
        let county = self.county.map(|county| text("county", county));
        let kind = self.kind.map(|kind| text("kind", kind.as_str().to_owned()));
        let confirmation = self
            .confirmation
            .and_then(|wanted| wanted.value())
            .map(|value| Condition::Eq("confirmation", value));
        let booking = self
            .booking_id
            .map(|id| Condition::Eq("booking_id", Value::Uuid(id.0)));
        let station = self
            .station_id
            .map(|id| Condition::Eq("station_id", Value::Uuid(id.0)));
        let all = [state, county, kind, confirmation, station, booking];
        conditions.extend(all.into_iter().flatten());
        conditions.extend(self.period.iter().flat_map(on_days_of));
        conditions
    }
}

/// Conditions that hold for the days of a period.
pub(crate) fn on_days_of(period: &Period) -> Vec<Condition> {
    let after = period.until().succ_opt().unwrap_or(NaiveDate::MAX);
    vec![
        Condition::AtLeast("tax_on", Value::Date(period.from())),
        Condition::Below("tax_on", Value::Date(after)),
    ]
}

/// A page of lines, by day and place in the log.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: TaxLineFilter,
    slice: Slice,
    at: At,
) -> Result<Page<TaxLineRow>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::ascending(&["tax_on", "position"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<TaxLedger>(viewer.tenant, select, at).await
}

/// How many lines there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: TaxLineFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    models
        .count::<TaxLedger>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// The lines of these bookings, in no order.
///
/// # Errors
/// As [`page`].
pub async fn for_bookings(
    models: &ReadModels,
    viewer: &Viewer,
    bookings: &[BookingId],
    at: At,
) -> Result<Answer<Vec<TaxLineRow>>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::OneOf(
        "booking_id",
        bookings.iter().map(|id| Value::Uuid(id.0)).collect(),
    ));
    models.all::<TaxLedger>(viewer.tenant, conditions, at).await
}
