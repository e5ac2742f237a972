//! Tax rates, lines, places, periods and reports: internal figures, for those with tax:read.

mod line;
mod place;
mod rate;
mod report;
mod tax_period;

use async_graphql::{MergedObject, Result};
use domain::place::is_state;
use projections::period::Period;

use super::error::coded;

pub(super) use line::TaxLine;

/// Questions about tax.
#[derive(MergedObject, Default)]
pub(super) struct TaxQuery(
    rate::TaxRateQuery,
    report::TaxReportQuery,
    line::TaxLineQuery,
    tax_period::TaxPeriodQuery,
);

/// Commands on tax.
#[derive(MergedObject, Default)]
pub(super) struct TaxMutation(
    rate::TaxRateMutation,
    place::TaxPlaceMutation,
    tax_period::TaxPeriodMutation,
);

fn state(text: &str) -> Result<()> {
    match is_state(text) {
        true => Ok(()),
        false => Err(coded(
            "INVALID_STATE",
            "a state has two capital letters, such as CA",
        )),
    }
}

fn period(text: &str) -> Result<Period> {
    text.parse()
        .map_err(|error: projections::period::PeriodError| coded("INVALID_PERIOD", error.to_string()))
}
