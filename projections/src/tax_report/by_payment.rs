//! The report by the day that the money moved: a view beside the one that a return is made of.

use chrono::NaiveDate;
use domain::access::{Permission, Viewer};
use domain::tax_account::TaxFigures;
use domain::tax_rate::PlaceConfirmation;

use super::{TaxReport, TaxReportRow, checksum, rows};
use crate::engine::{At, Condition, ReadError, ReadModels, Value, station_scope};
use crate::period::Period;
use crate::tax_cash::{TaxCash, TaxCashRow};
use crate::tax_summary::{NO_RATE, TaxSummaryRow};

/// The tax of a state in what came in and was given back in a period, over the stations within the viewer's reach: of parties
/// that were held, at the place and rate that they have now. What is not paid is not in it. It is never closed.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn tax_report_by_payment(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: Period,
    at: At,
) -> Result<TaxReport, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = station_scope(viewer);
    let after = period.until().succ_opt().unwrap_or(period.until());
    conditions.push(Condition::Eq("state", Value::Text(state.to_owned())));
    conditions.push(Condition::AtLeast("last_on", Value::Date(period.from())));
    conditions.push(Condition::Below("first_on", Value::Date(after)));
    let cards = models.all::<TaxCash>(viewer.tenant, conditions, at).await?;
    let days: Vec<TaxSummaryRow> = cards.value.iter().flat_map(|card| days(card, &period)).collect();
    let rows = rows(&days);
    let mut total = TaxReportRow::default();
    for row in &rows {
        total.add(row);
    }
    let without_rate = rows.iter().filter(|row| row.rate_ppm.is_none());
    Ok(TaxReport {
        state: state.to_owned(),
        period,
        unresolved: without_rate.map(|row| row.orders).sum(),
        unconfirmed: days.iter().map(|day| day.unconfirmed).sum(),
        position: cards.info.position,
        checksum: checksum(&rows),
        rows,
        total,
        info: cards.info,
    })
}

/// A card's lines in a period. The party counts on the first day that there is one.
fn days<'a>(card: &'a TaxCashRow, period: &Period) -> impl Iterator<Item = TaxSummaryRow> + use<'a> {
    let days = period.from()..=period.until();
    let lines = card.lines().into_iter().enumerate();
    let inside = lines.filter(move |(_, (on, _))| days.contains(on));
    inside.map(move |(number, (on, figures))| line(card, on, i64::from(number == 0), figures))
}

fn line(card: &TaxCashRow, tax_on: NaiveDate, orders: i64, figures: TaxFigures) -> TaxSummaryRow {
    TaxSummaryRow {
        state: card.state.clone(),
        county: card.county.clone(),
        city: card.city.clone(),
        rate_ppm: card.rate_ppm.unwrap_or(NO_RATE),
        tax_on,
        station_id: card.station_id,
        orders,
        unconfirmed: match card.confirmation {
            PlaceConfirmation::Needed => orders,
            PlaceConfirmation::NotNeeded => 0,
        },
        gross_cents: figures.gross_cents,
        non_taxable_cents: figures.non_taxable_cents,
        taxable_cents: figures.net_cents,
        tax_cents: figures.tax_cents,
        refund_cents: figures.refund_cents,
        refunded_non_taxable_cents: figures.refunded_non_taxable_cents,
        refunded_net_cents: figures.refunded_net_cents,
        refunded_tax_cents: figures.refunded_tax_cents,
    }
}
