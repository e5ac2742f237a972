//! What a tax report is read with: deposits that are held, and the bookings that keep a period from being closed.

use std::collections::BTreeMap;

use domain::access::{Permission, Viewer};
use domain::booking::BookingStatus;
use domain::money::Cents;
use domain::tax_period::UnresolvedTax;

use crate::booking_list::BookingList;
use crate::engine::{Answer, At, Condition, Group, ReadError, ReadModels, Sums, Value, station_scope};
use crate::period::Period;
use crate::tax_ledger::{TaxLedger, TaxLineRow, on_days_of};
use crate::tax_summary::{NO_RATE, TaxSummary};

/// Bookings of one sort that a refusal to close names.
const NAMED: usize = 100;

/// Money that was paid towards parties that are still to be held, less what was given back, in cents: a liability until
/// they are (annotation 495.0672).
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn deposits_held(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    at: At,
) -> Result<Answer<Cents>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("tax_state", Value::Text(state.to_owned())));
    let open = BookingStatus::ALL.into_iter().filter(|status| status.is_open());
    let open = open
        .map(|status| Value::Text(status.as_str().to_owned()))
        .collect();
    conditions.push(Condition::OneOf("status", open));
    let sums = Sums {
        conditions,
        by: &["tax_state"],
        of: &["paid_cents", "refunded_cents"],
    };
    let groups = models.sums::<BookingList>(viewer.tenant, sums, at).await?;
    Ok(groups.map(|groups| groups.iter().map(held).sum()))
}

fn held(group: &Group) -> Cents {
    match group.sums[..] {
        [paid, refunded] => Cents(paid) - Cents(refunded),
        _ => Cents::ZERO,
    }
}

/// What keeps a period from being closed: parties without a rate, and parties whose place a person must confirm. What
/// follows payments is not looked at here.
///
/// # Errors
/// [`ReadError`] when the viewer may not see tax, or there is no answer.
pub async fn unresolved(
    models: &ReadModels,
    viewer: &Viewer,
    state: &str,
    period: &Period,
    at: At,
) -> Result<Answer<UnresolvedTax>, ReadError> {
    viewer.require(Permission::TaxRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("state", Value::Text(state.to_owned())));
    conditions.extend(on_days_of(period));
    let mut needed = conditions.clone();
    needed.push(Condition::Eq("confirmation", Value::Text("needed".to_owned())));
    let needed = models.all::<TaxLedger>(viewer.tenant, needed, at).await?;
    let mut no_rate = conditions.clone();
    no_rate.push(Condition::Eq("rate_ppm", Value::Int(NO_RATE.0)));
    let counties = models.all::<TaxSummary>(viewer.tenant, no_rate, at).await?.value;
    let mut without_rate = Vec::new();
    if !counties.is_empty() {
        let named = counties.into_iter().map(|day| Value::Text(day.county)).collect();
        conditions.push(Condition::one_of("county", named));
        let lines = models
            .all::<TaxLedger>(viewer.tenant, conditions, at)
            .await?
            .value;
        without_rate = standing(lines.iter().filter(|line| line.rate_ppm.is_none()));
    }
    Ok(needed.map(|lines| UnresolvedTax {
        without_rate,
        unconfirmed: standing(lines.iter()),
        events_behind: 0,
    }))
}

/// Numbers of bookings that the lines count at least once, or that have something charged or given back in them: what was
/// corrected away is not named.
fn standing<'a>(lines: impl Iterator<Item = &'a TaxLineRow>) -> Vec<String> {
    let mut counted: BTreeMap<&str, (i64, Cents, Cents)> = BTreeMap::new();
    for line in lines {
        let (orders, charged, given_back) = counted.entry(&line.booking_number).or_default();
        *orders += line.orders;
        *charged += line.gross_cents;
        *given_back += line.refund_cents;
    }
    let stands = |(orders, charged, given_back): &(i64, Cents, Cents)| {
        *orders > 0 || *charged > Cents::ZERO || *given_back > Cents::ZERO
    };
    let numbers = counted.into_iter().filter(|(_, sums)| stands(sums));
    numbers.map(|(number, _)| number.to_owned()).take(NAMED).collect()
}
