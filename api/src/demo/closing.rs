//! A quarter that is closed, so that there is a certified report to look at.

use anyhow::{Context, Result};
use chrono::{Datelike, Days, NaiveDate};
use commands::booking::BookingTaxPlace;
use commands::{Caller, CommandError, Commands};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::UserId;
use domain::tax_rate::Jurisdiction;
use projections::booking_list::{self, BookingFilter, BookingSort};
use projections::period::Period;
use projections::tax_report::unresolved;
use projections::{At, Slice};

use super::company::key;
use crate::app::App;
use crate::tax_closing::{self, ClosingError};

const STATE: &str = "CA";

/// Closes the last quarter whose return was due, as an accountant would have by now: first the places that were not sure
/// are confirmed.
///
/// # Errors
/// When the log or the database is out of reach.
pub(super) async fn close_a_quarter(
    app: &App,
    commands: &Commands,
    caller: Caller,
    today: NaiveDate,
) -> Result<()> {
    let period = quarter_due(today)?;
    confirm_places(app, commands, &caller, &period).await?;
    let app = App {
        commands: commands.clone(),
        ..app.clone()
    };
    let key = key(&format!("close {period}"));
    match tax_closing::close(&app, caller, key, STATE, &period).await {
        Ok(_) => Ok(()),
        // What keeps it open is there to be looked at.
        Err(ClosingError::Command(CommandError::Refused(refused))) => {
            tracing::warn!(code = refused.code, %period, "the quarter of the demo company stays open");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The last quarter that was over a month before a day: its return is due by the end of the month that follows it.
fn quarter_due(today: NaiveDate) -> Result<Period> {
    let day = today.checked_sub_days(Days::new(31)).context("a month ago")?;
    let (year, quarter) = match day.month0() / 3 {
        0 => (day.year() - 1, 4),
        quarter => (day.year(), quarter),
    };
    Ok(format!("{year}-Q{quarter}").parse()?)
}

async fn confirm_places(app: &App, commands: &Commands, caller: &Caller, period: &Period) -> Result<()> {
    let viewer = Viewer {
        tenant: caller.tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Auditor,
        stations: StationScope::All,
        through: None,
    };
    let open = unresolved(&app.views, &viewer, STATE, period, At::NOW)
        .await?
        .value;
    for number in open.unconfirmed {
        let filter = BookingFilter {
            search: Some(number.clone()),
            ..BookingFilter::default()
        };
        let sort = BookingSort::CreatedDesc;
        let found = booking_list::page(&app.views, &viewer, filter, sort, Slice::first(1), At::NOW).await?;
        let row = found
            .rows
            .into_iter()
            .next()
            .context("a booking with tax is listed")?
            .row;
        let ask = BookingTaxPlace {
            booking_id: row.booking_id,
            expected_version: None,
            jurisdiction: Jurisdiction {
                state: row.tax_state,
                county: row.tax_county,
                city: row.tax_city,
            },
            reason: "the address was looked up on the state's map".to_owned(),
        };
        let key = key(&format!("confirm place {number}"));
        commands.set_booking_tax_place(caller.clone(), key, ask).await?;
    }
    app.views.catch_up(caller.tenant).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarter_that_is_closed_is_the_last_whose_return_was_due() {
        let due = |day: &str| quarter_due(day.parse().unwrap()).unwrap().to_string();
        assert_eq!(due("2026-11-21"), "2026-Q3");
        assert_eq!(due("2026-10-31"), "2026-Q2");
        assert_eq!(due("2026-11-01"), "2026-Q3");
        assert_eq!(due("2026-02-01"), "2025-Q4");
        assert_eq!(due("2026-01-31"), "2025-Q3");
    }
}
