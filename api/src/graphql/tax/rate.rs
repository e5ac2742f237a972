//! Tax rates: set by hand, imported, listed by date.

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject};
use commands::tax_rate::TaxRatesImport;
use commands::{CommandError, IdempotencyKey};
use domain::envelope::Position;
use domain::money::RatePpm;
use domain::place::ZipCode;
use domain::tax_rate::csv::{BadRow, write};
use domain::tax_rate::{Jurisdiction, TaxRateSet};
use projections::tax_rates::{self, TaxRateFilter, TaxRateRow};

use crate::graphql::connection::{connection, counter, payload};
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::named;
use crate::graphql::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use crate::graphql::scalar::{Decimal, LocalDate, LogPosition};
use crate::graphql::session::{app, caller, under_key, viewer};

/// A rate of a jurisdiction and the days it is in force.
#[derive(Clone, Description)]
pub(in crate::graphql) struct TaxRate(TaxRateRow);

#[Object(use_type_description)]
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
    /// ZIP codes that the source names for it. A ZIP suggests a place and does not decide it.
    async fn zips(&self) -> Vec<&str> {
        self.0.zips.split_whitespace().collect()
    }
}

connection!(
    TaxRateConnection,
    TaxRateEdge,
    TaxRate,
    "Tax rates, by state, county, city and first day."
);

/// Questions about tax rates.
#[derive(Default)]
pub(in crate::graphql) struct TaxRateQuery;

#[Object]
impl TaxRateQuery {
    /// Tax rates, those of the past included; `on` keeps those in force on a day. Needs tax:read.
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

    /// All tax rates, those of the past included, as a CSV file that `taxRatesImport` takes again. Needs tax:read.
    async fn tax_rates_csv(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two-letter state.")] state: Option<String>,
    ) -> Result<String> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let rates = tax_rates::every(views, viewer, state, projections::At::NOW)
            .await
            .map_err(unread)?;
        Ok(write(&rates.value))
    }
}

/// A rate to set. An open rate before it ends the day before.
#[derive(InputObject)]
pub(in crate::graphql) struct TaxRateSetInput {
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
    /// ZIP codes that the source names for it.
    zips: Option<Vec<String>>,
    /// Where the figure is from.
    source: Option<String>,
    /// Why the rate that was thought to begin on that day was wrong; 3 to 500 characters. This one takes its place then, and
    /// parties that were held under the other are taxed anew.
    correction: Option<String>,
}

payload!(TaxRatePayload, tax_rate: TaxRate);

/// A file of rates.
#[derive(InputObject)]
pub(in crate::graphql) struct TaxRatesImportInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The file's text: `state,county,city,rate,effective_from,effective_until,source,zips`, a row a rate; at most 10,000.
    csv: String,
}

/// A row that was not taken.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TaxRatesBadRow {
    /// Line of the file, counted from 1; the header is the first.
    line: i32,
    /// Stable code in capitals, for programs.
    code: String,
    /// A sentence that a person can act on.
    reason: String,
}

impl From<BadRow> for TaxRatesBadRow {
    fn from(bad: BadRow) -> Self {
        Self {
            line: i32::try_from(bad.line).unwrap_or(i32::MAX),
            code: bad.code.to_owned(),
            reason: bad.reason,
        }
    }
}

/// What an import came to: all rows or none.
#[derive(SimpleObject)]
pub(in crate::graphql) struct TaxRatesImportPayload {
    /// Rows that cannot be taken, each with its line and why; where there is one, none was.
    bad_rows: Vec<TaxRatesBadRow>,
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// Position of the command's last event in the log: pass it as `atLeast` to read what it wrote.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

/// Commands on tax rates.
#[derive(Default)]
pub(in crate::graphql) struct TaxRateMutation;

#[Object]
impl TaxRateMutation {
    /// Sets the rate of a jurisdiction. Needs tax:write.
    async fn tax_rate_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TaxRateSetInput,
    ) -> Result<TaxRatePayload> {
        let caller = caller(ctx)?;
        let set = match rate_to_set(&input) {
            Ok(set) => set,
            Err(error) => return Ok(TaxRatePayload::refused(error)),
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

    /// Takes a CSV file of tax rates, all rows or none. Needs tax:write.
    async fn tax_rates_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: TaxRatesImportInput,
    ) -> Result<TaxRatesImportPayload> {
        let caller = caller(ctx)?;
        let done = match IdempotencyKey::from_client(&input.idempotency_key) {
            Ok(key) => Box::pin(app(ctx).commands.import_tax_rates(caller, key, input.csv)).await,
            Err(error) => Err(error),
        };
        let bad = vec![UserError::new(
            "INVALID_CSV",
            &["csv"],
            "rows of the file cannot be taken, and so none was",
        )];
        let of = |bad_rows: Vec<BadRow>, user_errors| TaxRatesImportPayload {
            bad_rows: bad_rows.into_iter().map(TaxRatesBadRow::from).collect(),
            user_errors,
            position: None,
            replayed: false,
        };
        let written: std::result::Result<_, CommandError> = match done {
            Ok(TaxRatesImport::BadRows(rows)) => return Ok(of(rows, bad)),
            Ok(TaxRatesImport::Taken(written)) => Ok(written),
            Err(error) => Err(error),
        };
        Ok(match outcome(written)? {
            Err(refused) => of(Vec::new(), vec![refused]),
            Ok(written) => TaxRatesImportPayload {
                bad_rows: Vec::new(),
                user_errors: Vec::new(),
                position: Some(written.position.into()),
                replayed: written.replayed,
            },
        })
    }
}

fn rate_to_set(input: &TaxRateSetInput) -> std::result::Result<TaxRateSet, UserError> {
    let rate_ppm = RatePpm::parse(&input.rate.0)
        .map_err(|error| UserError::new("INVALID_RATE", &["rate"], error.to_string()))?;
    let zips: std::result::Result<Vec<ZipCode>, _> = input
        .zips
        .iter()
        .flatten()
        .map(|zip| zip.trim().parse::<ZipCode>())
        .collect();
    let zips = zips.map_err(|error| UserError::new("INVALID_ZIP", &["zips"], error.to_string()))?;
    let source = input.source.clone();
    Ok(TaxRateSet {
        jurisdiction: Jurisdiction {
            state: input.state.clone(),
            county: input.county.clone(),
            city: input.city.clone(),
        },
        rate_ppm,
        effective_from: input.effective_from.0,
        effective_until: input.effective_until.map(|LocalDate(day)| day),
        source: source.unwrap_or_else(|| "set by hand".to_owned()),
        before_ppm: None,
        correction: input.correction.clone(),
        zips,
    })
}

async fn rate_of(ctx: &Context<'_>, set: &TaxRateSet, position: Position) -> Result<Option<TaxRateRow>> {
    let (place, from) = (&set.jurisdiction, set.effective_from);
    let found = tax_rates::one(&app(ctx).views, viewer(ctx)?, place, from, read_after(position)).await;
    Ok(found.map_err(unread)?.value)
}
