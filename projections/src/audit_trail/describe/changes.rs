//! Changes of bookings, chefs and stations in plain sentences.

use chrono::NaiveDate;
use domain::booking::{
    BookingDepositDueExtended, BookingGuestCountChanged, BookingMenuChanged, BookingRescheduled,
};
use domain::chef::ChefEvent;
use domain::station::StationSettingsChanged;

use super::minute;
use crate::audit_trail::description::{Description, instant};

pub(super) fn describe_extension(extended: &BookingDepositDueExtended) -> Description {
    Description::of(format!("Deposit put off to {}", instant(extended.due_at)))
        .because(Some(&extended.reason))
        .changed("deposit_due_at", Some(extended.before), extended.due_at)
}

pub(super) fn describe_guests(changed: &BookingGuestCountChanged) -> Description {
    let (before, after) = (changed.before.total(), changed.guests.total());
    let described = Description::of(format!(
        "Guests changed from {before} to {after}, total {}",
        changed.quote.total_cents
    ))
    .because(changed.reason.as_ref())
    .changed("guests", Some(before), after)
    .changed(
        "total",
        Some(changed.total_before_cents),
        changed.quote.total_cents,
    );
    if changed.chefs_before == changed.place.chefs_needed {
        described
    } else {
        described.changed(
            "chefs_needed",
            Some(changed.chefs_before),
            changed.place.chefs_needed,
        )
    }
}

pub(super) fn describe_menu(changed: &BookingMenuChanged) -> Description {
    Description::of(format!("Extras changed, total {}", changed.quote.total_cents))
        .because(changed.reason.as_ref())
        .changed(
            "total",
            Some(changed.total_before_cents),
            changed.quote.total_cents,
        )
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
    .changed("start", Some(moved.before.utc), moved.start.utc)
    .changed("total", Some(moved.total_before_cents), moved.quote.total_cents)
    .redacted();
    match moved.fee_cents {
        None => described,
        Some(fee) => described.set("fee", fee),
    }
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

fn counted(many: usize) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}

pub(super) fn describe_chef(event: &ChefEvent) -> Description {
    let days = |from: NaiveDate, to: NaiveDate| format!("{from} to {to}");
    match event {
        ChefEvent::Registered(_) => Description::of("Chef registered".to_owned()).redacted(),
        ChefEvent::SkillsSet(set) => {
            Description::of("Chef's skills set".to_owned()).set("skills", set.skills.join(", "))
        }
        ChefEvent::AvailabilitySet(set) => {
            Description::of(format!("Chef's week set to {} working times", set.weekly.len()))
                .set("weekly", counted(set.weekly.len()))
        }
        ChefEvent::DateExceptionSet(set) => match &set.hours {
            None => Description::of(format!("Chef works on {} as in every week", set.on)),
            Some(hours) => Description::of(format!("Chef works {} times on {}", hours.len(), set.on))
                .set(&format!("days.{}", set.on), counted(hours.len())),
        },
        ChefEvent::TimeOffAdded(added) => {
            Description::of(format!("Chef is off from {}", days(added.from, added.to)))
                .because(added.reason.as_ref())
                .set("time_off", days(added.from, added.to))
        }
        ChefEvent::TimeOffCancelled(cancelled) => Description::of(format!(
            "Chef works from {} after all",
            days(cancelled.from, cancelled.to)
        ))
        .gone("time_off", days(cancelled.from, cancelled.to)),
        ChefEvent::CapsSet(set) => {
            let cap = |cap: Option<i32>| cap.map_or_else(|| "none".to_owned(), |cap| cap.to_string());
            Description::of("Chef's limits set".to_owned())
                .set("per_day", cap(set.per_day))
                .set("per_week", cap(set.per_week))
        }
        ChefEvent::ReassignmentNeeded(needed) => {
            let numbers: Vec<&str> = needed.work.iter().map(|work| work.number.as_str()).collect();
            Description::of(format!("Another chef is needed for {}", numbers.join(", ")))
                .set("to_reassign", numbers.join(", "))
        }
        ChefEvent::CalendarIssued(_) => {
            Description::of("A secret address of the chef's calendar given out".to_owned())
        }
        ChefEvent::CalendarRevoked(_) => {
            Description::of("The secret address of the chef's calendar taken back".to_owned())
        }
    }
}
