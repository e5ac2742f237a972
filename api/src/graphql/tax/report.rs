//! Tax reports.

use async_graphql::{Context, Description, Enum, Object, Result, SimpleObject};
use projections::tax_report::{self, TaxReport as Report, TaxReportRow as ReportRow};
use projections::{At, tax_periods};

use super::tax_period::TaxPeriodStatus;
use super::{period, state};
use crate::graphql::error::unread;
use crate::graphql::read::{AsOf, Freshness, ReadInfo, at};
use crate::graphql::scalar::{Decimal, LogPosition, Money};
use crate::graphql::session::{app, viewer};

/// When tax is counted.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(in crate::graphql) enum TaxBasis {
    /// On the day of the event: what a return wants (accrual).
    EventDate,
    /// On the local day that the money moved (cash basis), of parties that were held: a view for those who ask. What is not
    /// paid is not in it, places and rates are those of now, and it is never closed.
    PaymentDate,
}

impl From<TaxBasis> for tax_report::TaxBasis {
    fn from(basis: TaxBasis) -> Self {
        match basis {
            TaxBasis::EventDate => Self::EventDate,
            TaxBasis::PaymentDate => Self::PaymentDate,
        }
    }
}

impl From<tax_report::TaxBasis> for TaxBasis {
    fn from(basis: tax_report::TaxBasis) -> Self {
        match basis {
            tax_report::TaxBasis::EventDate => Self::EventDate,
            tax_report::TaxBasis::PaymentDate => Self::PaymentDate,
        }
    }
}

/// One jurisdiction and rate in a report. Amounts are sums of lines.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TaxReportRow {
    /// County; empty in the total.
    county: String,
    /// City, where it has a rate of its own.
    city: Option<String>,
    /// Combined rate as a fraction; null where none was known, and in the total.
    rate: Option<Decimal>,
    /// Parties held.
    orders: i32,
    /// All that was charged, tips included, tax included.
    gross: Money,
    /// Tips that customers chose.
    non_taxable: Money,
    /// Taxable amount without its tax.
    taxable: Money,
    /// Tax.
    tax: Money,
    /// What refunds gave back with an effect on tax, tax included.
    refunded: Money,
    /// Taxable amount that refunds gave back, without its tax.
    refunded_taxable: Money,
    /// Taxable amount less what refunds gave back of it: the figure of a return.
    net_taxable: Money,
    /// Tax given back.
    refunded_tax: Money,
    /// Tax less what was given back.
    net_tax: Money,
    /// What a recomputation on the totals, the rate times the net taxable amount, would give more than the net tax:
    /// rounding, line by line.
    variance: Money,
}

impl From<&ReportRow> for TaxReportRow {
    fn from(row: &ReportRow) -> Self {
        Self {
            county: row.county.clone(),
            city: row.city.clone(),
            rate: row.rate_ppm.map(Decimal::from),
            orders: i32::try_from(row.orders).unwrap_or(i32::MAX),
            gross: row.gross_cents.into(),
            non_taxable: row.non_taxable_cents.into(),
            taxable: row.taxable_cents.into(),
            tax: row.tax_cents.into(),
            refunded: row.refunded_cents.into(),
            refunded_taxable: row.refunded_taxable_cents.into(),
            net_taxable: row.net_taxable_cents().into(),
            refunded_tax: row.refunded_tax_cents.into(),
            net_tax: row.net_tax_cents.into(),
            variance: row.variance_cents.into(),
        }
    }
}

/// A county of a report with the cities in it that have rates of their own, as California's return has them (531-A2).
#[derive(SimpleObject)]
pub(in crate::graphql) struct TaxReportCounty {
    /// County.
    county: String,
    /// The sum of its rows.
    total: TaxReportRow,
    /// Its own row, and one for each city and rate.
    districts: Vec<TaxReportRow>,
}

/// The tax of a state and a period.
#[derive(Description)]
pub(in crate::graphql) struct TaxReport {
    pub(super) report: Report,
    pub(super) at: At,
}

#[Object(use_type_description)]
impl TaxReport {
    /// Two-letter state.
    async fn state(&self) -> &str {
        &self.report.state
    }
    /// The period as it was asked for.
    async fn period(&self) -> String {
        self.report.period.to_string()
    }
    /// When tax is counted.
    async fn basis(&self) -> TaxBasis {
        self.report.basis.into()
    }
    /// The position in the log that the report includes, and nothing after it.
    async fn position(&self) -> LogPosition {
        self.report.position.into()
    }
    /// Whether all days of the report are closed: then it stays as it is. Days are closed on the basis of the event's day.
    async fn status(&self, ctx: &Context<'_>) -> Result<TaxPeriodStatus> {
        if self.report.basis == tax_report::TaxBasis::PaymentDate {
            return Ok(TaxPeriodStatus::Open);
        }
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let (state, period) = (&self.report.state, &self.report.period);
        let closed = tax_periods::closed_over(views, viewer, state, period, self.at).await;
        Ok(match closed.map_err(unread)?.value {
            Some(_) => TaxPeriodStatus::Closed,
            None => TaxPeriodStatus::Open,
        })
    }
    /// One row a jurisdiction and rate.
    async fn rows(&self) -> Vec<TaxReportRow> {
        self.report.rows.iter().map(TaxReportRow::from).collect()
    }
    /// The rows by county, each with the cities under it.
    async fn counties(&self) -> Vec<TaxReportCounty> {
        let counties = self.report.counties();
        let county = |(total, districts): (ReportRow, Vec<&ReportRow>)| TaxReportCounty {
            county: total.county.clone(),
            total: (&total).into(),
            districts: districts.into_iter().map(TaxReportRow::from).collect(),
        };
        counties.into_iter().map(county).collect()
    }
    /// The sum of the rows.
    async fn total(&self) -> TaxReportRow {
        (&self.report.total).into()
    }
    /// Parties held where no rate was known: they have no tax yet.
    async fn unresolved(&self) -> i32 {
        i32::try_from(self.report.unresolved).unwrap_or(i32::MAX)
    }
    /// Parties whose tax place a person must confirm.
    async fn unconfirmed(&self) -> i32 {
        i32::try_from(self.report.unconfirmed).unwrap_or(i32::MAX)
    }
    /// Numbers of the bookings without a rate whose event was in the period, the first hundred.
    async fn unresolved_bookings(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.open(ctx).await?.without_rate)
    }
    /// Numbers of the bookings whose tax place a person must confirm and whose event was in the period, the first hundred.
    async fn unconfirmed_bookings(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.open(ctx).await?.unconfirmed)
    }
    /// Money that customers have paid towards parties that are still to be held, in the state and of any day: a liability
    /// until they are.
    async fn deposits_held(&self, ctx: &Context<'_>) -> Result<Money> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let held = tax_report::deposits_held(views, viewer, &self.report.state, self.at).await;
        Ok(held.map_err(unread)?.value.into())
    }
    /// Tips of the period that customers chose, and that neither were given back nor went to a bank with a lost dispute. What the
    /// company owes its staff is the account Tips-Payable of the books: there the company bears what a bank takes.
    async fn tips_payable(&self) -> Money {
        self.report.total.tips_payable_cents().into()
    }
    /// SHA-256 of the rows.
    async fn checksum(&self) -> &str {
        &self.report.checksum
    }
    /// What the report is as of.
    async fn read_info(&self) -> ReadInfo {
        self.report.info.clone().into()
    }
}

impl TaxReport {
    async fn open(&self, ctx: &Context<'_>) -> Result<domain::tax_period::UnresolvedTax> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let (state, period) = (&self.report.state, &self.report.period);
        let open = tax_report::unresolved(views, viewer, state, period, self.at).await;
        Ok(open.map_err(unread)?.value)
    }
}

/// Makes a report.
pub(super) async fn report(
    ctx: &Context<'_>,
    state: &str,
    period: projections::period::Period,
    basis: TaxBasis,
    at: At,
) -> Result<TaxReport> {
    let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
    let report = tax_report::tax_report_on(views, viewer, basis.into(), state, period, at).await;
    Ok(TaxReport {
        report: report.map_err(unread)?,
        at,
    })
}

/// Questions about what tax is owed.
#[derive(Default)]
pub(in crate::graphql) struct TaxReportQuery;

#[Object]
impl TaxReportQuery {
    /// The tax of a state and a period: `2026-03`, `2026-Q1`, `2026` or `2026-01-01..2026-02-15`. Needs tax:read.
    async fn tax_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two-letter state.")] state: String,
        #[graphql(desc = "A month, a quarter, a year, or a first and a last day.")] period: String,
        #[graphql(default_with = "TaxBasis::EventDate", desc = "When tax is counted.")] basis: TaxBasis,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<TaxReport> {
        self::state(&state)?;
        let period = self::period(&period)?;
        let at = at(ctx, as_of, fresh).await?;
        Box::pin(report(ctx, &state, period, basis, at)).await
    }
}
