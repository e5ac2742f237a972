use chrono::{DateTime, NaiveTime, Utc, Weekday};
use chrono_tz::America::{Los_Angeles, Phoenix};

use super::*;
use crate::envelope::Sealed;
use crate::ids::SubjectId;

fn known() -> Chef {
    let name = Sealed {
        subject: SubjectId(uuid::Uuid::nil()),
        sealed: String::new(),
    };
    let mut chef = Chef::default();
    let register = ChefCommand::Register(ChefRegistered { name, user_id: None });
    chef.evolve(&chef.decide(register.clone()).unwrap()[0]);
    assert_eq!(chef.decide(register), Err(ChefError::Exists));
    chef
}

fn given(commands: impl IntoIterator<Item = ChefCommand>) -> Chef {
    let mut chef = known();
    for command in commands {
        for event in chef.decide(command).unwrap() {
            chef.evolve(&event);
        }
    }
    chef
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn time(text: &str) -> NaiveTime {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn off(from: &str, to: &str) -> ChefCommand {
    ChefCommand::AddTimeOff(ChefTimeOffAdded {
        from: day(from),
        to: day(to),
        reason: None,
    })
}

fn week(hours: &[(Weekday, &str, &str)]) -> ChefCommand {
    let weekly = hours.iter().map(|(day, from, until)| WeeklyHours {
        day: *day,
        from: time(from),
        until: time(until),
    });
    ChefCommand::SetAvailability(ChefAvailabilitySet {
        weekly: weekly.collect(),
        before: None,
    })
}

fn caps_set(per_day: Option<i32>, per_week: Option<i32>) -> ChefCapsSet {
    ChefCapsSet {
        per_day,
        per_week,
        before: None,
    }
}

#[test]
fn a_chef_who_is_not_known_can_do_nothing() {
    let nobody = Chef::default();
    assert_eq!(
        nobody.decide(off("2026-03-14", "2026-03-14")),
        Err(ChefError::NotFound)
    );
    let issue = ChefCommand::IssueCalendar {
        token_key: "k".to_owned(),
        stations: None,
    };
    assert_eq!(nobody.decide(issue), Err(ChefError::NotFound));
    assert_eq!(
        known().decide(ChefCommand::RevokeCalendar),
        Err(ChefError::NoCalendar)
    );
}

#[test]
fn what_no_chef_can_keep_is_refused() {
    let chef = known();
    assert_eq!(
        chef.decide(off("2026-03-15", "2026-03-14")),
        Err(ChefError::BadDays)
    );
    assert_eq!(
        chef.decide(off("2026-03-15", "2027-03-16")),
        Err(ChefError::BadDays)
    );
    let caps = |per_day, per_week| chef.decide(ChefCommand::SetCaps(caps_set(per_day, per_week)));
    assert_eq!(caps(Some(0), None), Err(ChefError::BadCaps));
    assert_eq!(caps(Some(3), Some(2)), Err(ChefError::BadCaps));
    assert!(caps(Some(2), Some(2)).is_ok() && caps(None, None).is_ok());
    let skills = |skills: &[&str]| {
        let skills = skills.iter().map(|skill| (*skill).to_owned()).collect();
        chef.decide(ChefCommand::SetSkills(ChefSkillsSet { skills, before: None }))
    };
    assert_eq!(skills(&["vegan", "vegan"]), Err(ChefError::BadSkills));
    assert_eq!(skills(&[" "]), Err(ChefError::BadSkills));
    assert!(skills(&["vegan", "halal"]).is_ok());
    let hours = ChefDateExceptionSet {
        on: day("2026-03-14"),
        hours: Some(vec![
            Hours {
                from: NaiveTime::MIN,
                until: NaiveTime::MIN
            };
            5
        ]),
        before: None,
    };
    assert_eq!(
        chef.decide(ChefCommand::SetDateException(hours)),
        Err(ChefError::BadHours)
    );
    let long = ChefTimeOffAdded {
        from: day("2026-03-14"),
        to: day("2026-03-14"),
        reason: Some("x".repeat(501)),
    };
    assert_eq!(
        chef.decide(ChefCommand::AddTimeOff(long)),
        Err(ChefError::BadReason)
    );
}

#[test]
fn a_day_off_is_taken_once_and_given_back_as_it_was_taken() {
    let chef = given([off("2026-03-14", "2026-03-16")]);
    assert_eq!(
        chef.decide(off("2026-03-15", "2026-03-16")),
        Err(ChefError::OffAlready)
    );
    let cancel = |from: &str, to: &str| {
        ChefCommand::CancelTimeOff(ChefTimeOffCancelled {
            from: day(from),
            to: day(to),
        })
    };
    assert_eq!(
        chef.decide(cancel("2026-03-15", "2026-03-16")),
        Err(ChefError::NotOff)
    );
    let back = given([
        off("2026-03-14", "2026-03-16"),
        cancel("2026-03-14", "2026-03-16"),
    ]);
    assert!(!back.times().is_off(day("2026-03-15")));
}

#[test]
fn work_that_touches_a_day_off_is_not_done_even_after_midnight() {
    let chef = given([off("2026-03-15", "2026-03-15")]);
    // A Saturday from 20:30 to half past midnight, by the clock of Los Angeles.
    let (from, until) = (at("2026-03-15T03:30:00Z"), at("2026-03-15T07:30:00Z"));
    assert_eq!(
        chef.times().check(from, until, Los_Angeles),
        Err(Unavailable::Off(day("2026-03-15")))
    );
    assert_eq!(
        chef.times().check(from, at("2026-03-15T07:00:00Z"), Los_Angeles),
        Ok(()),
        "to midnight, which is the next day's"
    );
}

#[test]
fn a_week_holds_until_a_day_says_otherwise() {
    let chef = given([week(&[(Weekday::Sat, "12:00:00", "02:00:00")])]);
    let check = |chef: &Chef, from: &str, until: &str| chef.times().check(at(from), at(until), Los_Angeles);
    let late = ("2026-03-15T03:30:00Z", "2026-03-15T08:59:00Z");
    assert_eq!(check(&chef, late.0, late.1), Ok(()));
    assert_eq!(
        check(&chef, late.0, "2026-03-15T09:01:00Z"),
        Err(Unavailable::OutsideHours)
    );
    assert_eq!(
        check(&chef, "2026-03-16T03:30:00Z", "2026-03-16T04:00:00Z"),
        Err(Unavailable::OutsideHours),
        "a Sunday"
    );
    let day_of = |hours: Option<Vec<Hours>>| {
        ChefCommand::SetDateException(ChefDateExceptionSet {
            on: day("2026-03-14"),
            hours,
            before: None,
        })
    };
    let saturday = week(&[(Weekday::Sat, "12:00:00", "02:00:00")]);
    let free = given([saturday.clone(), day_of(Some(vec![]))]);
    assert_eq!(check(&free, late.0, late.1), Err(Unavailable::OutsideHours));
    let back = given([saturday, day_of(Some(vec![])), day_of(None)]);
    assert_eq!(check(&back, late.0, late.1), Ok(()));
    assert_eq!(
        check(&given([week(&[])]), late.0, late.1),
        Err(Unavailable::OutsideHours)
    );
}

#[test]
fn hours_that_end_one_after_the_other_are_one_time() {
    let chef = given([week(&[
        (Weekday::Sat, "12:00:00", "18:00:00"),
        (Weekday::Sat, "18:00:00", "00:00:00"),
        (Weekday::Sun, "00:00:00", "04:00:00"),
    ])]);
    let check = |until: &str| {
        chef.times()
            .check(at("2026-03-14T20:00:00Z"), at(until), Los_Angeles)
    };
    assert_eq!(check("2026-03-15T10:00:00Z"), Ok(()));
    assert_eq!(check("2026-03-15T12:00:00Z"), Err(Unavailable::OutsideHours));
}

#[test]
fn working_times_go_by_the_clock_on_both_weekends_of_daylight_saving_and_where_there_is_none() {
    let chef = given([week(&[(Weekday::Sun, "08:00:00", "20:00:00")])]);
    let check = |from: &str, zone| {
        chef.times()
            .check(at(from), at(from) + chrono::Duration::hours(1), zone)
    };
    // 8:00 on the clock is an hour earlier after the spring weekend and an hour later after the autumn one.
    assert_eq!(check("2026-03-08T15:00:00Z", Los_Angeles), Ok(()));
    assert_eq!(
        check("2026-03-01T15:00:00Z", Los_Angeles),
        Err(Unavailable::OutsideHours)
    );
    assert_eq!(
        check("2026-11-01T15:00:00Z", Los_Angeles),
        Err(Unavailable::OutsideHours)
    );
    assert_eq!(check("2026-11-01T16:00:00Z", Los_Angeles), Ok(()));
    for sunday in ["2026-03-08T15:00:00Z", "2026-11-01T15:00:00Z"] {
        assert_eq!(check(sunday, Phoenix), Ok(()));
    }
    let night = given([week(&[(Weekday::Sat, "20:00:00", "03:00:00")])]);
    // The night of the spring weekend has an hour less, that of the autumn an hour more.
    let hours = |from: &str, hours: i64| {
        let from = at(from);
        let until = from + chrono::Duration::hours(hours);
        night.times().check(from, until, Los_Angeles).is_ok()
    };
    assert!(hours("2026-03-08T04:00:00Z", 6) && !hours("2026-03-08T04:00:00Z", 7));
    assert!(hours("2026-11-01T03:00:00Z", 8) && !hours("2026-11-01T03:00:00Z", 9));
}

#[test]
fn what_is_set_says_what_was_set_before() {
    let chef = known();
    let saturday = week(&[(Weekday::Sat, "12:00:00", "02:00:00")]);
    let evening = vec![Hours {
        from: time("16:00:00"),
        until: time("22:00:00"),
    }];
    let on = |hours: Option<Vec<Hours>>| {
        ChefCommand::SetDateException(ChefDateExceptionSet {
            on: day("2026-03-14"),
            hours,
            before: None,
        })
    };
    let skills = |skill: &str| {
        ChefCommand::SetSkills(ChefSkillsSet {
            skills: vec![skill.to_owned()],
            before: None,
        })
    };
    let caps = |per_day| ChefCommand::SetCaps(caps_set(per_day, None));
    for command in [
        saturday.clone(),
        on(Some(evening.clone())),
        skills("vegan"),
        caps(Some(1)),
    ] {
        let first = format!("{:?}", chef.decide(command).unwrap());
        assert!(first.contains("before: None"), "{first}");
    }
    let chef = given([
        saturday.clone(),
        on(Some(evening.clone())),
        skills("vegan"),
        caps(Some(1)),
    ]);
    let decided = |command| chef.decide(command).unwrap().remove(0);
    let ChefEvent::AvailabilitySet(set) = decided(week(&[])) else {
        panic!("another event")
    };
    assert_eq!(
        ChefCommand::SetAvailability(ChefAvailabilitySet {
            weekly: set.before.unwrap(),
            before: None
        }),
        saturday
    );
    let ChefEvent::DateExceptionSet(set) = decided(on(None)) else {
        panic!("another event")
    };
    assert_eq!(set.before, Some(evening));
    let ChefEvent::SkillsSet(set) = decided(skills("halal")) else {
        panic!("another event")
    };
    assert_eq!(set.before, Some(vec!["vegan".to_owned()]));
    let ChefEvent::CapsSet(set) = decided(caps(Some(2))) else {
        panic!("another event")
    };
    let before = CapsBefore {
        per_day: Some(1),
        per_week: None,
    };
    assert_eq!(set.before, Some(before));
    assert_eq!(chef.caps().before, None, "a state holds what holds");
}

#[test]
fn a_party_needs_another_chef_while_this_one_does_not_work_then() {
    let party = |zone| WorkToReassign {
        booking_id: crate::ids::BookingId(uuid::Uuid::nil()),
        number: "48VE9-5YHXT".to_owned(),
        blocked_from: at("2026-03-15T00:00:00Z"),
        blocked_until: at("2026-03-15T03:30:00Z"),
        station_id: Some(StationId(uuid::Uuid::nil())),
        zone,
    };
    let there = party(Some(Los_Angeles));
    let (free, off) = (known(), given([off("2026-03-14", "2026-03-14")]));
    assert!(!there.is_needed(free.times()));
    assert!(there.is_needed(off.times()));
    assert!(party(None).is_needed(free.times()), "nobody knows where");
    let needed = |work| {
        ChefCommand::NeedReassignment(ChefReassignmentNeeded {
            from: day("2026-03-14"),
            to: day("2026-03-14"),
            work,
        })
    };
    assert!(off.decide(needed(vec![there])).is_ok());
    assert_eq!(off.decide(needed(vec![])), Err(ChefError::NothingToReassign));
}

#[test]
fn a_calendar_shows_the_stations_that_it_was_given_out_for_until_it_is_taken_back() {
    let stations = Some(vec![StationId(uuid::Uuid::from_u128(1))]);
    let issue = |token: &str, stations| ChefCommand::IssueCalendar {
        token_key: token.to_owned(),
        stations,
    };
    let chef = given([issue("one", stations.clone())]);
    assert_eq!(chef.calendar_stations(), stations.as_deref());
    let chef = given([issue("one", stations.clone()), issue("two", None)]);
    assert_eq!(chef.calendar_stations(), None);
    let chef = given([issue("one", stations), ChefCommand::RevokeCalendar]);
    assert_eq!(chef.calendar_stations(), None);
}
