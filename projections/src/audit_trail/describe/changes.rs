//! Changes of bookings and stations in plain sentences.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::booking::{
    BookingChefAssigned, BookingDepositDueExtended, BookingGuestCountChanged, BookingMenuChanged,
    BookingRescheduled, ByName, MovedFrom,
};
use domain::guests::Guests;
use domain::place::Travel;
use domain::quote::AddOn;
use domain::station::StationSettingsChanged;

use super::{minute, place};
use crate::audit_trail::description::{Description, instant};

/// Another party may have any chef of the station; a chef of several stations is this party's by name.
pub(super) fn describe_chef(assigned: &BookingChefAssigned) -> Description {
    match assigned.by_name {
        ByName::No => {
            Description::of("A chef assigned to the booking".to_owned()).set("chefs", assigned.chef_id)
        }
        ByName::Yes => Description::of("A chef of several stations held by name for the booking".to_owned())
            .set("chefs", assigned.chef_id)
            .set("chefs.by_name", true),
    }
}

pub(super) fn describe_extension(extended: &BookingDepositDueExtended) -> Description {
    Description::of(format!("Deposit put off to {}", instant(extended.due_at)))
        .because(Some(&extended.reason))
        .changed("deposit_due_at", Some(extended.before), extended.due_at)
}

pub(super) fn describe_guests(changed: &BookingGuestCountChanged) -> Description {
    let (before, after) = (changed.before, changed.guests);
    let mut described = Description::of(format!(
        "Guests changed from {} to {}, total {}",
        by_kind(before),
        by_kind(after),
        changed.quote.total_cents
    ))
    .because(changed.reason.as_ref());
    for (path, before, after) in [
        ("guests", before.total(), after.total()),
        ("guests.adults", before.adults, after.adults),
        ("guests.children", before.children, after.children),
        ("guests.under6", before.under6, after.under6),
        ("chefs_needed", changed.chefs_before, changed.place.chefs_needed),
    ] {
        if before != after {
            described = described.changed(path, Some(before), after);
        }
    }
    described.changed(
        "total",
        Some(changed.total_before_cents),
        changed.quote.total_cents,
    )
}

/// A party as people say it: `8 adults, 2 children`.
fn by_kind(guests: Guests) -> String {
    let kinds = [
        (guests.adults, "adults"),
        (guests.children, "children"),
        (guests.under6, "under 6"),
    ];
    let there = kinds.into_iter().filter(|(count, _)| *count > 0);
    let there: Vec<String> = there.map(|(count, kind)| format!("{count} {kind}")).collect();
    there.join(", ")
}

pub(super) fn describe_menu(changed: &BookingMenuChanged) -> Description {
    let described = Description::of(format!("Extras changed, total {}", changed.quote.total_cents))
        .because(changed.reason.as_ref());
    let described = match &changed.add_ons_before {
        None => described,
        Some(before) => extras(described, before, &changed.quote.add_ons()),
    };
    described.changed(
        "total",
        Some(changed.total_before_cents),
        changed.quote.total_cents,
    )
}

/// Each extra whose number is another.
fn extras(mut described: Description, before: &[AddOn], after: &[AddOn]) -> Description {
    let many = |add_ons: &[AddOn], item: &str| -> i32 {
        let of_item = add_ons.iter().filter(|add_on| add_on.item == item);
        of_item.map(|add_on| add_on.quantity).sum()
    };
    let items: BTreeSet<&str> = before
        .iter()
        .chain(after)
        .map(|add_on| add_on.item.as_str())
        .collect();
    for item in items {
        let (before, after) = (many(before, item), many(after, item));
        if before != after {
            described = described.changed(&format!("add_ons.{item}"), Some(before), after);
        }
    }
    described
}

pub(super) fn describe_move(moved: &BookingRescheduled) -> Description {
    let described = Description::of(format!(
        "Booking moved from {} to {} at {} {}, total {}",
        minute(moved.before.local),
        minute(moved.start.local),
        moved.venue.city,
        moved.venue.zip,
        moved.quote.total_cents
    ))
    .because(moved.reason.as_ref())
    .redacted();
    let described = if moved.before.utc == moved.start.utc {
        described
    } else {
        described.changed("start", Some(moved.before.utc), moved.start.utc)
    };
    let described = match &moved.moved_from {
        None => described,
        Some(from) => describe_place(described, from, moved),
    };
    let described = match moved.deposit_due_at {
        None => described,
        Some(due_at) => {
            let before = moved.moved_from.as_ref().and_then(|from| from.deposit_due_at);
            described.changed("deposit_due_at", before, due_at)
        }
    };
    let described = described.changed("total", Some(moved.total_before_cents), moved.quote.total_cents);
    match moved.fee_cents {
        None => described,
        Some(fee) => described.set("fee", fee),
    }
}

/// What of the place, the way there and the tax is another.
fn describe_place(mut described: Description, from: &MovedFrom, moved: &BookingRescheduled) -> Description {
    let venue = &moved.venue;
    for (path, before, after) in [
        ("venue.city", from.city.clone(), venue.city.clone()),
        ("venue.state", from.state.clone(), venue.state.clone()),
        ("venue.zip", from.zip.to_string(), venue.zip.to_string()),
        ("travel.miles", miles(&from.travel), miles(&moved.travel)),
        (
            "travel.minutes",
            from.travel.minutes.to_string(),
            moved.travel.minutes.to_string(),
        ),
        (
            "tax.place",
            place(&from.tax_place.jurisdiction),
            place(&moved.tax_place.jurisdiction),
        ),
    ] {
        if before != after {
            described = described.changed(path, Some(before), after);
        }
    }
    let (before, after) = (from.tax_place.rate_ppm, moved.tax_place.rate_ppm);
    match (before, after) {
        (before, after) if before == after => described,
        (before, Some(after)) => described.changed("tax.rate", before, after),
        (Some(before), None) => described.gone("tax.rate", before),
        (None, None) => described,
    }
}

/// A way in miles with one decimal.
fn miles(travel: &Travel) -> String {
    format!("{}.{}", travel.tenths_of_mile / 10, travel.tenths_of_mile % 10)
}

pub(super) fn describe_settings(changed: &StationSettingsChanged) -> Description {
    let (before, after) = (&changed.before, &changed.settings);
    let mut described = Description::of("Station settings changed".to_owned()).because(Some(&changed.reason));
    let slots = |slots: &[chrono::NaiveTime]| {
        let slots: Vec<String> = slots
            .iter()
            .map(|slot| slot.format("%H:%M").to_string())
            .collect();
        slots.join(" ")
    };
    if before.slots != after.slots {
        described = described.changed("slots", Some(slots(&before.slots)), slots(&after.slots));
    }
    if before.closed != after.closed {
        let days = |closed: &domain::station::ClosedDays| {
            let weekdays = closed.weekdays.iter().map(ToString::to_string);
            let dates = closed.dates.iter().map(NaiveDate::to_string);
            weekdays.chain(dates).collect::<Vec<_>>().join(" ")
        };
        described = described.changed("closed", Some(days(&before.closed)), days(&after.closed));
    }
    for (path, before, after) in [
        ("event_mins", before.event_mins, after.event_mins),
        ("setup_mins", before.setup_mins, after.setup_mins),
        ("teardown_mins", before.teardown_mins, after.teardown_mins),
        (
            "guests_per_chef",
            i64::from(before.guests_per_chef),
            i64::from(after.guests_per_chef),
        ),
        ("lead_hours", before.lead_hours, after.lead_hours),
        ("horizon_days", before.horizon_days, after.horizon_days),
    ] {
        if before != after {
            described = described.changed(path, Some(before), after);
        }
    }
    described
}
