//! Tax rates, lines and reports: internal figures, for those with tax:read.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use domain::ids::StationId;
use domain::money::RatePpm;
use domain::tax_rate::{Jurisdiction, TaxRateSet};
use projections::period::Period;
use projections::tax_ledger::{self, TaxLineFilter, TaxLineRow};
use projections::tax_rates::{self, TaxRateFilter, TaxRateRow};
use projections::tax_report::{self, TaxReport as Report, TaxReportRow as ReportRow};

use super::connection::{connection, counter, payload};
use super::error::{UserError, coded, outcome, unread};
use super::id::{global, local, named};
use super::read::{AsOf, Freshness, ReadInfo, after as read_after, at, cost, slice};
use super::scalar::{Decimal, LocalDate, LogPosition, Money};
use super::session::{app, caller, under_key, viewer};

/// A rate of a jurisdiction and the days it is in force.
#[derive(Clone)]
pub(super) struct TaxRate(TaxRateRow);

#[Object]
impl TaxRate {
    /// Opaque id.
    async fn id(&self) -> ID {
        let row = &self.0;
        named(
            "TaxRate",
            &format!(
                "{}/{}/{}/{}",
                row.state, row.county_key, row.city_key, row.effective_from
            ),
        )
    }
    /// Two-letter state.
    async fn state(&self) -> &str {
        &self.0.state
    }
    /// County.
    async fn county(&self) -> &str {
        &self.0.county
    }
    /// City, where it has a rate of its own.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }
    /// Combined rate as a fraction, `0.09125`.
    async fn rate(&self) -> Decimal {
        self.0.rate_ppm.into()
    }
    /// First day in force.
    async fn effective_from(&self) -> LocalDate {
        LocalDate(self.0.effective_from)
    }
    /// Last day in force, inclusive; null while it is open.
    async fn effective_until(&self) -> Option<LocalDate> {
        self.0.effective_until.map(LocalDate)
    }
    /// Where the figure is from.
    async fn source(&self) -> &str {
        &self.0.source
    }
}

connection!(
    TaxRateConnection,
    TaxRateEdge,
    TaxRate,
    "Tax rates, by state, county, city and first day."
);

/// One taxed or untaxed amount of a booking.
#[derive(Clone)]
pub(super) struct TaxLine(pub(super) TaxLineRow);

#[Object]
impl TaxLine {
    /// The booking.
    async fn booking_id(&self) -> ID {
        global(self.0.booking_id)
    }
    /// Its number.
    async fn booking_number(&self) -> &str {
        &self.0.booking_number
    }
    /// Local date of the event: the day that the tax belongs to.
    async fn date(&self) -> LocalDate {
        LocalDate(self.0.event_on)
    }
    /// `sale` for a party that was held, `tip` for a voluntary tip, which is not taxed.
    async fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }
    /// County.
    async fn county(&self) -> &str {
        &self.0.county
    }
    /// City, where it has a rate of its own.
    async fn city(&self) -> Option<&str> {
        Some(self.0.city.as_str()).filter(|city| !city.is_empty())
    }
    /// Combined rate as a fraction; null where none was known when the booking was made.
    async fn rate(&self) -> Option<Decimal> {
        self.0.rate_ppm.map(Decimal::from)
    }
    /// Amount with tax.
    async fn gross(&self) -> Money {
        self.0.gross_cents.into()
    }
    /// Taxable amount without its tax.
    async fn taxable(&self) -> Money {
        self.0.taxable_cents.into()
    }
    /// Tax.
    async fn tax(&self) -> Money {
        self.0.tax_cents.into()
    }
    /// Position of the event behind the line.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
}

connection!(TaxLineConnection, TaxLineEdge, TaxLine, "Tax lines, by day.");

/// When tax is counted.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum TaxBasis {
    /// On the day of the event: what a return wants (accrual).
    EventDate,
}

/// One jurisdiction and rate in a report. Amounts are sums of lines.
#[derive(SimpleObject)]
pub(super) struct TaxReportRow {
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
    /// Voluntary tips.
    non_taxable: Money,
    /// Taxable amount without its tax.
    taxable: Money,
    /// Tax.
    tax: Money,
    /// Tax given back.
    refunded_tax: Money,
    /// Tax less what was given back.
    net_tax: Money,
    /// What a recomputation on the totals would give less: rounding, line by line.
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
            refunded_tax: row.refunded_tax_cents.into(),
            net_tax: row.net_tax_cents.into(),
            variance: row.variance_cents.into(),
        }
    }
}

/// The tax of a state and a period.
pub(super) struct TaxReport(Report);

#[Object]
impl TaxReport {
    /// Two-letter state.
    async fn state(&self) -> &str {
        &self.0.state
    }
    /// The period as it was asked for.
    async fn period(&self) -> String {
        self.0.period.to_string()
    }
    /// When tax is counted.
    async fn basis(&self) -> TaxBasis {
        TaxBasis::EventDate
    }
    /// The position in the log that the report includes, and nothing after it.
    async fn position(&self) -> LogPosition {
        self.0.position.into()
    }
    /// One row a jurisdiction and rate.
    async fn rows(&self) -> Vec<TaxReportRow> {
        self.0.rows.iter().map(TaxReportRow::from).collect()
    }
    /// The sum of the rows.
    async fn total(&self) -> TaxReportRow {
        (&self.0.total).into()
    }
    /// Parties held where no rate was known: they have no tax yet.
    async fn unresolved(&self) -> i32 {
        i32::try_from(self.0.unresolved).unwrap_or(i32::MAX)
    }
    /// Parties whose tax place a person must confirm.
    async fn unconfirmed(&self) -> i32 {
        i32::try_from(self.0.unconfirmed).unwrap_or(i32::MAX)
    }
    /// SHA-256 of the rows.
    async fn checksum(&self) -> &str {
        &self.0.checksum
    }
    /// What the report is as of.
    async fn read_info(&self) -> ReadInfo {
        self.0.info.clone().into()
    }
}

fn period(text: &str) -> Result<Period> {
    text.parse()
        .map_err(|error: projections::period::PeriodError| coded("INVALID_PERIOD", error.to_string()))
}

/// Questions about tax.
#[derive(Default)]
pub(super) struct TaxQuery;

#[Object]
impl TaxQuery {
    /// Tax rates; `on` keeps those in force on a day. Needs tax:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tax_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Two-letter state.")] state: Option<String>,
        #[graphql(desc = "Only those in force on this day.")] on: Option<LocalDate>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<TaxRateConnection> {
        let at = at(ctx, as_of, fresh).await?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let filter = TaxRateFilter {
            state,
            on: on.map(|LocalDate(day)| day),
        };
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = tax_rates::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { tax_rates::count(&views, &viewer, filter, at).await },
        );
        Ok(TaxRateConnection::new(page, previous, counter, TaxRate))
    }

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
        let TaxBasis::EventDate = basis;
        let period = self::period(&period)?;
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let at = at(ctx, as_of, fresh).await?;
        Ok(TaxReport(
            tax_report::tax_report(views, viewer, &state, period, at)
                .await
                .map_err(unread)?,
        ))
    }

    /// The lines behind a report, by day. Needs tax:read.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the schema")]
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tax_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Two-letter state.")] state: String,
        #[graphql(desc = "A month, a quarter, a year, or a first and a last day.")] period: String,
        #[graphql(desc = "Only the lines of this county.")] county: Option<String>,
        #[graphql(desc = "Only the lines of this station.")] station_id: Option<ID>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<TaxLineConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let station_id = station_id
            .map(|id| local::<StationId>(&id).ok_or_else(|| coded("NOT_FOUND", "there is no such station")))
            .transpose()?;
        let filter = TaxLineFilter {
            state: Some(state),
            period: Some(self::period(&period)?),
            county,
            station_id,
            ..Default::default()
        };
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = tax_ledger::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { tax_ledger::count(&views, &viewer, filter, at).await },
        );
        Ok(TaxLineConnection::new(page, previous, counter, TaxLine))
    }
}

/// A rate to set. An open rate before it ends the day before.
#[derive(InputObject)]
pub(super) struct TaxRateSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Two-letter state.
    state: String,
    /// County without the word County.
    county: String,
    /// City, for a rate of its own.
    city: Option<String>,
    /// Combined rate as a fraction, `0.09125`.
    rate: Decimal,
    /// First day in force.
    effective_from: LocalDate,
    /// Last day in force, inclusive; open where absent.
    effective_until: Option<LocalDate>,
    /// Where the figure is from.
    source: Option<String>,
}

payload!(TaxRatePayload, tax_rate: TaxRate);

/// Commands on tax.
#[derive(Default)]
pub(super) struct TaxMutation;

#[Object]
impl TaxMutation {
    /// Sets the rate of a jurisdiction. Needs tax:write.
    async fn tax_rate_set(&self, ctx: &Context<'_>, input: TaxRateSetInput) -> Result<TaxRatePayload> {
        let caller = caller(ctx)?;
        let rate_ppm = match RatePpm::parse(&input.rate.0) {
            Ok(rate) => rate,
            Err(error) => {
                return Ok(TaxRatePayload::refused(UserError::new(
                    "INVALID_RATE",
                    &["rate"],
                    error.to_string(),
                )));
            }
        };
        let set = TaxRateSet {
            jurisdiction: Jurisdiction {
                state: input.state,
                county: input.county,
                city: input.city,
            },
            rate_ppm,
            effective_from: input.effective_from.0,
            effective_until: input.effective_until.map(|LocalDate(day)| day),
            source: input.source.unwrap_or_else(|| "set by hand".to_owned()),
            before_ppm: None,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_tax_rate(caller, key, set.clone())
        })
        .await;
        match outcome(done)? {
            Err(refused) => Ok(TaxRatePayload::refused(refused)),
            Ok(written) => {
                let row = rate_of(ctx, &set, written.position).await?;
                Ok(TaxRatePayload::written(row.map(TaxRate), &written))
            }
        }
    }
}

async fn rate_of(
    ctx: &Context<'_>,
    set: &TaxRateSet,
    position: domain::envelope::Position,
) -> Result<Option<TaxRateRow>> {
    let day: NaiveDate = set.effective_from;
    let found = tax_rates::one(
        &app(ctx).views,
        viewer(ctx)?,
        &set.jurisdiction,
        day,
        read_after(position),
    )
    .await;
    Ok(found.map_err(unread)?.value)
}
