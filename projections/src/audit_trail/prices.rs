//! Changes of price lists in plain sentences.

use domain::charges::USUAL_CARD_FEE;
use domain::price_list::{
    BelowMinimum, BookingPolicy, ChangePolicy, MinimumSet, PriceListEvent, PricesOfChange, TravelBandSet,
};

use super::description::{Description, Told, instant};

/// Says what happened to a price list.
pub(super) fn describe(event: &PriceListEvent) -> Description {
    match event {
        PriceListEvent::ItemAdded(added) => Description::of(format!(
            "{} added to the price list at {}",
            added.label, added.price_cents
        ))
        .set(&format!("{}.price", added.item), added.price_cents)
        .set(&format!("{}.effective_from", added.item), added.effective_from),
        PriceListEvent::PriceChanged(changed) => Description::of(format!(
            "Price of {} changed from {} to {} as of {}",
            changed.item,
            changed.old_cents,
            changed.new_cents,
            instant(changed.effective_from)
        ))
        .because(Some(&changed.reason))
        .changed(
            &format!("{}.price", changed.item),
            Some(changed.old_cents),
            changed.new_cents,
        ),
        PriceListEvent::ItemRetired(retired) => Description::of(format!(
            "{} taken off the price list as of {}",
            retired.item,
            instant(retired.effective_from)
        ))
        .because(Some(&retired.reason))
        .set(&format!("{}.retired_from", retired.item), retired.effective_from),
        PriceListEvent::TravelBandSet(band) => travel(band),
        PriceListEvent::MinimumSet(least) => minimum(least),
        PriceListEvent::PolicySet(terms) => policy(terms),
    }
}

fn travel(band: &TravelBandSet) -> Description {
    let before = band.before.as_deref();
    Description::of(format!(
        "Travel set to {} a mile beyond {} miles, {} miles at most",
        band.per_mile_cents, band.free_miles, band.max_miles
    ))
    .changed(
        "travel.free_miles",
        before.map(|band| band.free_miles),
        band.free_miles,
    )
    .changed(
        "travel.per_mile",
        before.map(|band| band.per_mile_cents),
        band.per_mile_cents,
    )
    .changed(
        "travel.max_miles",
        before.map(|band| band.max_miles),
        band.max_miles,
    )
}

fn minimum(least: &MinimumSet) -> Description {
    let before = least.before.as_deref();
    let (word, consequence) = below(least.below);
    Description::of(format!(
        "Minimum set to {} on weekdays and {} on weekends; {consequence}",
        least.weekday_cents, least.weekend_cents
    ))
    .changed(
        "minimum.weekday",
        before.map(|least| least.weekday_cents),
        least.weekday_cents,
    )
    .changed(
        "minimum.weekend",
        before.map(|least| least.weekend_cents),
        least.weekend_cents,
    )
    .changed(
        "minimum.below",
        before.map(|least| Told::status(below(least.below).0)),
        Told::status(word),
    )
}

fn below(below: BelowMinimum) -> (&'static str, &'static str) {
    match below {
        BelowMinimum::TopUp => ("topped up", "smaller parties are topped up"),
        BelowMinimum::Refuse => ("refused", "smaller parties are refused"),
    }
}

/// How a booking may be changed, where that is not as it was.
fn changing(mut described: Description, before: Option<&ChangePolicy>, after: &ChangePolicy) -> Description {
    let usual = ChangePolicy::default();
    let was = before.unwrap_or(&usual);
    if was.free_reschedules != after.free_reschedules {
        described = described.changed(
            "policy.changes.free_reschedules",
            before.map(|changes| changes.free_reschedules),
            after.free_reschedules,
        );
    }
    for (path, hours_before, hours) in [
        (
            "policy.changes.free_hours_before",
            was.free_hours_before,
            after.free_hours_before,
        ),
        (
            "policy.changes.locked_hours_before",
            was.locked_hours_before,
            after.locked_hours_before,
        ),
    ] {
        if hours_before != hours {
            described = described.changed(path, before.map(|_| hours_before), hours);
        }
    }
    if was.reschedule_fee_cents != after.reschedule_fee_cents {
        let path = "policy.changes.reschedule_fee";
        let fee = before.and_then(|changes| changes.reschedule_fee_cents);
        described = match (fee, after.reschedule_fee_cents) {
            (fee, Some(now)) => described.changed(path, fee, now),
            (Some(fee), None) => described.gone(path, fee),
            (None, None) => described,
        };
    }
    if was.prices != after.prices {
        described = described.changed(
            "policy.changes.prices",
            before.map(|changes| Told::status(prices_of(changes.prices))),
            Told::status(prices_of(after.prices)),
        );
    }
    described
}

fn prices_of(change: PricesOfChange) -> &'static str {
    match change {
        PricesOfChange::AsRequested => "as requested",
        PricesOfChange::Current => "current",
    }
}

fn policy(terms: &BookingPolicy) -> Description {
    let before = terms.before.as_deref();
    let tiers = |terms: &BookingPolicy| i64::try_from(terms.cancellation_tiers.len()).unwrap_or(i64::MAX);
    let described = Description::of(format!(
        "Booking terms set: deposit {} within {} hours, {} cancellation tiers",
        terms.deposit_cents,
        terms.deposit_due_hours,
        terms.cancellation_tiers.len()
    ))
    .changed(
        "policy.deposit",
        before.map(|terms| terms.deposit_cents),
        terms.deposit_cents,
    )
    .changed(
        "policy.deposit_due_hours",
        before.map(|terms| terms.deposit_due_hours),
        terms.deposit_due_hours,
    )
    .changed("policy.cancellation_tiers", before.map(tiers), tiers(terms));
    let described = changing(described, before.map(|terms| &terms.changes), &terms.changes);
    let described = match before.map_or(USUAL_CARD_FEE, |terms| terms.card_fee_ppm) {
        same if same == terms.card_fee_ppm => described,
        was => described.changed("policy.card_fee", Some(was), terms.card_fee_ppm),
    };
    match &terms.gratuity {
        None => described,
        Some(gratuity) => {
            let had = before.and_then(|terms| terms.gratuity.as_ref());
            described
                .changed(
                    "policy.gratuity.from_guests",
                    had.map(|gratuity| gratuity.from_guests),
                    gratuity.from_guests,
                )
                .changed(
                    "policy.gratuity.rate",
                    had.map(|gratuity| gratuity.rate_ppm),
                    gratuity.rate_ppm,
                )
        }
    }
}
