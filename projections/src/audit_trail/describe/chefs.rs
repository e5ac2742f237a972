//! Chefs and their times in plain sentences.

use chrono::NaiveDate;
use domain::chef::{ChefAvailabilitySet, ChefCapsSet, ChefDateExceptionSet, ChefEvent, Hours, WeeklyHours};

use crate::audit_trail::description::Description;

pub(super) fn describe_chef(event: &ChefEvent) -> Description {
    let days = |from: NaiveDate, to: NaiveDate| format!("{from} to {to}");
    match event {
        ChefEvent::Registered(_) => Description::of("Chef registered".to_owned()).redacted(),
        ChefEvent::SkillsSet(set) => Description::of("Chef's skills set".to_owned()).changed(
            "skills",
            set.before.as_ref().map(|skills| skills.join(", ")),
            set.skills.join(", "),
        ),
        ChefEvent::AvailabilitySet(set) => describe_week(set),
        ChefEvent::DateExceptionSet(set) => describe_day(set),
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
        ChefEvent::CapsSet(set) => describe_caps(*set),
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

fn describe_week(set: &ChefAvailabilitySet) -> Description {
    let week = week(&set.weekly);
    Description::of(format!("Chef's week set: {week}")).changed(
        "weekly",
        set.before.as_deref().map(self::week),
        week,
    )
}

/// A week as people say it: `Sat 12:00-02:00, Sun 10:00-20:00`.
fn week(hours: &[WeeklyHours]) -> String {
    let told = hours.iter().map(|hours| {
        let time = Hours {
            from: hours.from,
            until: hours.until,
        };
        format!("{} {}", hours.day, clock(time))
    });
    or_none(told.collect())
}

fn describe_day(set: &ChefDateExceptionSet) -> Description {
    let path = format!("days.{}", set.on);
    let before = set.before.as_deref().map(day);
    match (&set.hours, before) {
        (Some(hours), before) => {
            let hours = day(hours);
            Description::of(format!("Chef's times on {} set: {hours}", set.on)).changed(&path, before, hours)
        }
        (None, before) => {
            let described = Description::of(format!("Chef works on {} as in every week", set.on));
            match before {
                None => described,
                Some(before) => described.gone(&path, before),
            }
        }
    }
}

fn day(hours: &[Hours]) -> String {
    or_none(hours.iter().copied().map(clock).collect())
}

fn clock(hours: Hours) -> String {
    format!("{}-{}", hours.from.format("%H:%M"), hours.until.format("%H:%M"))
}

fn or_none(told: Vec<String>) -> String {
    if told.is_empty() {
        "none".to_owned()
    } else {
        told.join(", ")
    }
}

fn describe_caps(set: ChefCapsSet) -> Description {
    let before = set.before.unwrap_or_default();
    let mut described = Description::of("Chef's limits set".to_owned());
    for (path, before, after) in [
        ("per_day", before.per_day, set.per_day),
        ("per_week", before.per_week, set.per_week),
    ] {
        described = match (before, after) {
            (before, Some(after)) => described.changed(path, before, after),
            (Some(before), None) => described.gone(path, before),
            (None, None) => described,
        };
    }
    described
}
