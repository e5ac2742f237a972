//! What does a period's tax come to, per jurisdiction and rate?

mod beside;
mod by_payment;

use std::collections::BTreeMap;

use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::money::{Cents, RatePpm};
use domain::tax;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use beside::{deposits_held, unresolved};
pub(crate) use by_payment::{of_log, up_to};
pub use by_payment::{tax_report_by_payment, tax_report_by_payment_of_log};

use crate::engine::{At, Condition, ReadError, ReadInfo, ReadModels, Value, station_scope};
use crate::period::Period;
use crate::tax_ledger::on_days_of;
use crate::tax_summary::{NO_RATE, TaxSummary, TaxSummaryRow};

/// When tax is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaxBasis {
    /// On the day of the event: what a return is made of, and what is closed (accrual).
    EventDate,
    /// On the day that the money moved: a view (cash basis).
    PaymentDate,
}

impl TaxBasis {
    /// The basis of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::EventDate, Self::PaymentDate]
            .into_iter()
            .find(|basis| basis.as_str() == word)
    }

    /// The word in files and addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventDate => "event-date",
            Self::PaymentDate => "payment-date",
        }
    }
}

/// A tax report of a state and a period, by the days that the lines belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxReport {
    /// When tax is counted.
    pub basis: TaxBasis,
    /// Two-letter state.
    pub state: String,
    /// Days that it is of.
    pub period: Period,
    /// By county, city and rate; the county's own before its cities'.
    pub rows: Vec<TaxReportRow>,
    /// The sum of the rows. Its rate is none.
    pub total: TaxReportRow,
    /// Parties without a known rate: the period cannot be closed while there are any.
    pub unresolved: i64,
    /// Parties whose place a person must confirm: neither can it then.
    pub unconfirmed: i64,
    /// The position that it was made at.
    pub position: Position,
    /// SHA-256 over the canonical JSON of the rows, as hexadecimal digits.
    pub checksum: String,
    /// What the report holds of the log.
    pub info: ReadInfo,
}

/// What one jurisdiction is owed at one rate. `gross = non_taxable + taxable + tax` and `refunded = refunded_non_taxable +
/// refunded_taxable + refunded_tax`, always. The taxable amount of a return is `taxable − refunded_taxable`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaxReportRow {
    /// County that is owed the tax.
    pub county: String,
    /// City with a rate of its own that is owed the tax.
    pub city: Option<String>,
    /// Combined rate in millionths; none where none is known, and in the total.
    pub rate_ppm: Option<RatePpm>,
    /// Parties that were held.
    pub orders: i64,
    /// All that was charged, tips included, tax-inclusive, in cents.
    pub gross_cents: Cents,
    /// Part of it that is not taxed: voluntary tips, in cents.
    pub non_taxable_cents: Cents,
    /// What tax is owed on, without the tax, in cents.
    pub taxable_cents: Cents,
    /// Tax in cents: the sum of what was taken out of each party's price.
    pub tax_cents: Cents,
    /// What refunds gave back with an effect on tax, tax-inclusive, in cents.
    pub refunded_cents: Cents,
    /// Part of it that had not been taxed: tips, in cents.
    pub refunded_non_taxable_cents: Cents,
    /// Part of it that had been taxed, without the tax, in cents.
    pub refunded_taxable_cents: Cents,
    /// Tax that refunds gave back, in cents.
    pub refunded_tax_cents: Cents,
    /// Tax that is left to pay, in cents.
    pub net_tax_cents: Cents,
    /// What a return's own arithmetic, the rate times what is left of the taxable amount, gives more than the tax that is
    /// left, in cents.
    pub variance_cents: Cents,
}

impl TaxReportRow {
    fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.gross_cents += other.gross_cents;
        self.non_taxable_cents += other.non_taxable_cents;
        self.taxable_cents += other.taxable_cents;
        self.tax_cents += other.tax_cents;
        self.refunded_cents += other.refunded_cents;
        self.refunded_non_taxable_cents += other.refunded_non_taxable_cents;
        self.refunded_taxable_cents += other.refunded_taxable_cents;
        self.refunded_tax_cents += other.refunded_tax_cents;
        self.net_tax_cents += other.net_tax_cents;
        self.variance_cents += other.variance_cents;
    }

    fn of_day(day: &TaxSummaryRow) -> Self {
        Self {
            county: day.county.clone(),
            city: (!day.city.is_empty()).then(|| day.city.clone()),
            rate_ppm: (day.rate_ppm != NO_RATE).then_some(day.rate_ppm),
            orders: day.orders,
            gross_cents: day.gross_cents,
            non_taxable_cents: day.non_taxable_cents,
            taxable_cents: day.taxable_cents,
            tax_cents: day.tax_cents,
            refunded_cents: day.refund_cents,
            refunded_non_taxable_cents: day.refunded_non_taxable_cents,
            refunded_taxable_cents: day.refunded_net_cents,
            refunded_tax_cents: day.refunded_tax_cents,
            net_tax_cents: day.tax_cents - day.refunded_tax_cents,
            variance_cents: Cents::ZERO,
        }
    }

    /// What tax is owed on after refunds, without the tax, in cents: the figure of a return.
    pub fn net_taxable_cents(&self) -> Cents {
        self.taxable_cents - self.refunded_taxable_cents
    }

    /// Tips that customers chose, and that neither were given back nor went to a bank with a lost dispute, in cents. The books
    /// owe the staff those of lost disputes too: there the company bears them.
    pub fn tips_payable_cents(&self) -> Cents {
        self.non_taxable_cents - self.refunded_non_taxable_cents
    }

    fn with_variance(self) -> Self {
        let expected = self.rate_ppm.map_or(self.net_tax_cents, |rate| {
            tax::on_net(self.net_taxable_cents(), rate)
        });
        Self {
            variance_cents: expected - self.net_tax_cents,
            ..self
        }
    }
}

impl TaxReport {
    /// The rows by county: the county's sum, and the rows that it is of, its own and its cities' (531-A2).
    pub fn counties(&self) -> Vec<(TaxReportRow, Vec<&TaxReportRow>)> {
        let mut counties: Vec<(TaxReportRow, Vec<&TaxReportRow>)> = Vec::new();
        for row in &self.rows {
            match counties.last_mut() {
                Some((total, rows)) if total.county == row.county => {
                    total.add(row);
                    rows.push(row);
                }
                Some(_) | None => {
                    let mut total = TaxReportRow {
                        county: row.county.clone(),
                        ..TaxReportRow::default()
                    };
                    total.add(row);
                    counties.push((total, vec![row]));
                }
            }
        }
        counties
    }
}

/// Sums days to one row for each jurisdiction and rate.
fn rows(days: &[TaxSummaryRow]) -> Vec<TaxReportRow> {
    let mut rows: BTreeMap<(&str, &str, RatePpm), TaxReportRow> = BTreeMap::new();
    for day in days {
        let row = TaxReportRow::of_day(day);
        rows.entry((&day.county, &day.city, day.rate_ppm))
            .and_modify(|sum| sum.add(&row))
            .or_insert(row);
    }
    rows.into_values().map(TaxReportRow::with_variance).collect()
}

fn checksum(rows: &[TaxReportRow]) -> String {
    hex::encode(Sha256::digest(domain::canonical::json(&rows)))
}

/// The tax report of a state and a period, over the stations within the viewer's reach.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn tax_report(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: Period,
    at: At,
) -> Result<TaxReport, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("state", Value::Text(state.to_owned())));
    conditions.extend(on_days_of(&period));
    let days = models.all::<TaxSummary>(viewer.tenant, conditions, at).await?;
    let rows = rows(&days.value);
    let mut total = TaxReportRow::default();
    for row in &rows {
        total.add(row);
    }
    let without_rate = rows.iter().filter(|row| row.rate_ppm.is_none());
    Ok(TaxReport {
        basis: TaxBasis::EventDate,
        state: state.to_owned(),
        period,
        unresolved: without_rate.map(|row| row.orders).sum(),
        unconfirmed: days.value.iter().map(|day| day.unconfirmed).sum(),
        position: days.info.position,
        checksum: checksum(&rows),
        rows,
        total,
        info: days.info,
    })
}

/// The report of a state and a period on a basis: [`tax_report`] or [`tax_report_by_payment`].
///
/// # Errors
/// Theirs.
pub async fn tax_report_on(
    models: &ReadModels,
    viewer: &Viewer,
    basis: TaxBasis,
    state: &str,
    period: Period,
    at: At,
) -> Result<TaxReport, ReadError> {
    match basis {
        TaxBasis::EventDate => tax_report(models, viewer, state, period, at).await,
        TaxBasis::PaymentDate => tax_report_by_payment(models, viewer, state, period, at).await,
    }
}

/// The same as of a position, made again from the log's events: [`tax_report`] or [`tax_report_by_payment_of_log`].
///
/// # Errors
/// Theirs.
pub async fn tax_report_of_log(
    models: &ReadModels,
    viewer: &Viewer,
    basis: TaxBasis,
    state: &str,
    period: Period,
    position: Position,
) -> Result<TaxReport, ReadError> {
    match basis {
        TaxBasis::EventDate => tax_report(models, viewer, state, period, At::AsOf(position)).await,
        TaxBasis::PaymentDate => tax_report_by_payment_of_log(models, viewer, state, period, position).await,
    }
}

#[cfg(test)]
mod tests;
