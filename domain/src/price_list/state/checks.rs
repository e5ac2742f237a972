//! What can be asked of a price list at all, whatever is on it.

use chrono::{DateTime, Months, Utc};

use super::super::{BookingPolicy, ItemAdded, MinimumSet, PriceListError, TravelBandSet};
use crate::money::{Cents, RatePpm};

/// There is no such item; of what is named instead, no more than can be read.
pub(super) fn unknown(name: &str) -> PriceListError {
    PriceListError::ItemUnknown(name.chars().take(60).collect())
}

/// What is settled already stays, and nothing is settled for later than anybody plans.
pub(super) fn check_instant(from: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), PriceListError> {
    if from < now {
        return Err(PriceListError::InThePast);
    }
    let latest = now.checked_add_months(Months::new(12 * PriceListError::YEARS_AHEAD));
    match latest {
        Some(latest) if from <= latest => Ok(()),
        Some(_) | None => Err(PriceListError::TooFarAhead),
    }
}

pub(super) fn check_amount(amount: Cents) -> Result<(), PriceListError> {
    if amount < Cents::ZERO || amount > Cents::MAX_INPUT {
        Err(PriceListError::BadPrice)
    } else {
        Ok(())
    }
}

pub(super) fn check_limits(item: &ItemAdded) -> Result<(), PriceListError> {
    let limits = Cents::ZERO..=Cents::MAX_INPUT;
    if limits.contains(&item.min_cents)
        && limits.contains(&item.max_cents)
        && item.min_cents <= item.max_cents
    {
        Ok(())
    } else {
        Err(PriceListError::BadRange)
    }
}

pub(super) fn check_range(price: Cents, item: &ItemAdded) -> Result<(), PriceListError> {
    check_amount(price)?;
    if price < item.min_cents || price > item.max_cents {
        return Err(PriceListError::OutOfRange {
            min: item.min_cents,
            max: item.max_cents,
        });
    }
    Ok(())
}

pub(super) fn check_reason(reason: &str) -> Result<(), PriceListError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(PriceListError::BadReason)
    }
}

pub(super) fn check_policy(policy: &BookingPolicy) -> Result<(), PriceListError> {
    let share = |ppm: RatePpm| (0..=1_000_000).contains(&ppm.0);
    let tiers = policy
        .cancellation_tiers
        .iter()
        .all(|tier| tier.hours_before >= 0 && share(tier.refund_ppm));
    let gratuity = policy
        .gratuity
        .as_ref()
        .is_none_or(|gratuity| gratuity.from_guests >= 1 && share(gratuity.rate_ppm));
    let changes = &policy.changes;
    let changes = changes.free_reschedules >= 0
        && changes.free_hours_before >= 0
        && changes.locked_hours_before >= 0
        && changes
            .reschedule_fee_cents
            .is_none_or(|fee| check_amount(fee).is_ok());
    let deposit = check_amount(policy.deposit_cents).is_ok();
    fits(deposit, &["depositMinor"])?;
    fits(
        (1..=8_760).contains(&policy.deposit_due_hours),
        &["depositDueHours"],
    )?;
    fits(gratuity, &["gratuity"])?;
    fits(tiers, &["cancellationTiers"])?;
    fits(changes, &["changes"])?;
    fits(share(policy.card_fee_ppm), &["cardFeeRate"])
}

pub(super) fn check_travel(band: &TravelBandSet) -> Result<(), PriceListError> {
    fits(band.free_miles >= 0, &["freeMiles"])?;
    fits(check_amount(band.per_mile_cents).is_ok(), &["perMileMinor"])?;
    fits(band.max_miles >= band.free_miles, &["maxMiles"])
}

pub(super) fn check_minimum(minimum: &MinimumSet) -> Result<(), PriceListError> {
    fits(check_amount(minimum.weekday_cents).is_ok(), &["weekdayMinor"])?;
    fits(check_amount(minimum.weekend_cents).is_ok(), &["weekendMinor"])
}

fn fits(possible: bool, field: &'static [&'static str]) -> Result<(), PriceListError> {
    if possible {
        Ok(())
    } else {
        Err(PriceListError::BadTerms(field))
    }
}
