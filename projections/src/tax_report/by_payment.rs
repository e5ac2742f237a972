//! The report by the day that the money moved: a view beside the one that a return is made of.

mod lines;

use std::collections::BTreeMap;

use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::money::RatePpm;
use domain::tax_rate::PlaceConfirmation;
use futures::{TryStreamExt, pin_mut};

use super::{TaxBasis, TaxReport, TaxReportRow, checksum};
use crate::engine::{At, ReadError, ReadInfo, ReadModels, unanswered};
use crate::period::Period;
use crate::tax_cash::{CashLineRow, TaxCash};
use crate::tax_summary::{NO_RATE, TaxSummaryRow};

pub(crate) use lines::{of_log, up_to};

/// The tax of a state in what came in and was given back in a period, over the stations within the viewer's reach: of parties
/// that were held, at the place and rate that they have then. What is not paid is not in it. It is never closed. It is read
/// from what is stored, a few pages in memory.
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
    let info = models.moment::<TaxCash>(viewer.tenant, at).await?;
    let mut tally = Tally::default();
    let mut pages = up_to(models, viewer, state, &period, info.position);
    while let Some(page) = pages.recv().await {
        page?.iter().for_each(|line| tally.add(line));
    }
    Ok(tally.report(state, period, info))
}

/// The same report as the log has it after a position, whatever is stored.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or the log has no answer.
pub async fn tax_report_by_payment_of_log(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: Period,
    position: Position,
) -> Result<TaxReport, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let info = models
        .moment::<TaxCash>(viewer.tenant, At::AsOf(position))
        .await?;
    let mut tally = Tally::default();
    let lines = of_log(models, viewer, state, &period, position);
    pin_mut!(lines);
    while let Some(line) = lines.try_next().await.map_err(unanswered)? {
        tally.add(&line);
    }
    Ok(tally.report(state, period, info))
}

/// Lines of a period, summed as they go by.
#[derive(Default)]
struct Tally {
    rows: BTreeMap<(String, String, RatePpm), TaxReportRow>,
    unconfirmed: i64,
}

impl Tally {
    fn add(&mut self, line: &CashLineRow) {
        let day = day(line);
        self.unconfirmed += day.unconfirmed;
        let row = TaxReportRow::of_day(&day);
        self.rows
            .entry((day.county, day.city, day.rate_ppm))
            .and_modify(|sum| sum.add(&row))
            .or_insert(row);
    }

    fn report(self, state: &str, period: Period, info: ReadInfo) -> TaxReport {
        let rows: Vec<TaxReportRow> = self.rows.into_values().map(TaxReportRow::with_variance).collect();
        let mut total = TaxReportRow::default();
        for row in &rows {
            total.add(row);
        }
        let without_rate = rows.iter().filter(|row| row.rate_ppm.is_none());
        TaxReport {
            basis: TaxBasis::PaymentDate,
            state: state.to_owned(),
            period,
            unresolved: without_rate.map(|row| row.orders).sum(),
            unconfirmed: self.unconfirmed,
            position: info.position,
            checksum: checksum(&rows),
            rows,
            total,
            info,
        }
    }
}

fn day(line: &CashLineRow) -> TaxSummaryRow {
    let figures = line.figures;
    TaxSummaryRow {
        state: line.state.clone(),
        county: line.county.clone(),
        city: line.city.clone(),
        rate_ppm: line.rate_ppm.unwrap_or(NO_RATE),
        tax_on: line.paid_on,
        station_id: line.station_id,
        orders: line.orders,
        unconfirmed: match line.confirmation {
            PlaceConfirmation::Needed => line.orders,
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
