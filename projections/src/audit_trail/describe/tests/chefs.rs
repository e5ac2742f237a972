use domain::chef::{
    CapsBefore, ChefAvailabilitySet, ChefCapsSet, ChefDateExceptionSet, ChefEvent, ChefSkillsSet, Hours,
    WeeklyHours,
};

use super::*;

#[test]
fn what_a_chef_could_and_when_is_told_beside_what_is_set() {
    let told = |event| describe(&DomainEvent::Chef(event));
    let hours = |from: &str, until: &str| Hours {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    };
    let week = |day, hours: Hours| WeeklyHours {
        day,
        from: hours.from,
        until: hours.until,
    };
    let saturday = week(chrono::Weekday::Sat, hours("12:00:00", "02:00:00"));
    let sunday = week(chrono::Weekday::Sun, hours("10:00:00", "20:00:00"));
    let set = told(ChefEvent::AvailabilitySet(ChefAvailabilitySet {
        weekly: vec![saturday, sunday],
        before: Some(vec![saturday]),
    }));
    assert_eq!(set.summary, "Chef's week set: Sat 12:00-02:00, Sun 10:00-20:00");
    assert_eq!(
        set.changes,
        [change(
            "weekly",
            FieldType::Text,
            Some("Sat 12:00-02:00"),
            "Sat 12:00-02:00, Sun 10:00-20:00"
        )]
    );
    let day = |hours, before| {
        told(ChefEvent::DateExceptionSet(ChefDateExceptionSet {
            on: "2026-03-14".parse().unwrap(),
            hours,
            before,
        }))
    };
    let evening = vec![hours("16:00:00", "22:00:00")];
    let free = day(Some(vec![]), Some(evening.clone()));
    assert_eq!(free.summary, "Chef's times on 2026-03-14 set: none");
    assert_eq!(
        free.changes,
        [change(
            "days.2026-03-14",
            FieldType::Text,
            Some("16:00-22:00"),
            "none"
        )]
    );
    let back = day(None, Some(evening));
    assert_eq!(
        (
            back.changes[0].before.as_deref(),
            back.changes[0].after.as_deref()
        ),
        (Some("16:00-22:00"), None)
    );
    assert_eq!(day(None, None).changes, []);
    let skills = told(ChefEvent::SkillsSet(ChefSkillsSet {
        skills: vec!["vegan".to_owned(), "halal".to_owned()],
        before: Some(vec!["vegan".to_owned()]),
    }));
    assert_eq!(
        skills.changes,
        [change("skills", FieldType::Text, Some("vegan"), "vegan, halal")]
    );
    let caps = told(ChefEvent::CapsSet(ChefCapsSet {
        per_day: Some(2),
        per_week: None,
        before: Some(CapsBefore {
            per_day: Some(1),
            per_week: Some(5),
        }),
    }));
    let none = FieldChange {
        after: None,
        ..change("per_week", FieldType::Count, Some("5"), "")
    };
    assert_eq!(
        caps.changes,
        [change("per_day", FieldType::Count, Some("1"), "2"), none]
    );
}
