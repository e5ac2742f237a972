use super::*;
use crate::place::Travel;
use chrono::Weekday;
use uuid::Uuid;

fn create() -> StationCreated {
    StationCreated {
        name: "San Jose".to_owned(),
        zone: chrono_tz::America::Los_Angeles,
        zip: "95112".parse().unwrap(),
        state: "CA".to_owned(),
        settings: StationSettings::default(),
    }
}

#[test]
fn a_station_counts_each_chef_once() {
    let mut station = Station::default();
    let join = StationCommand::JoinChef(StationChefJoined {
        chef_id: ChefId(Uuid::from_u128(1)),
        counted_at: None,
    });
    assert_eq!(station.decide(join.clone()), Err(StationError::NotFound));
    station.evolve(&station.decide(StationCommand::Create(create())).unwrap()[0]);
    assert_eq!(
        station.decide(StationCommand::Create(create())),
        Err(StationError::Exists)
    );
    station.evolve(&station.decide(join.clone()).unwrap()[0]);
    assert_eq!(station.decide(join), Err(StationError::ChefAlreadyHere));
    assert_eq!(station.chef_count(), 1);
}

#[test]
fn a_chef_who_leaves_is_counted_no_more_and_may_come_back() {
    let chef_id = ChefId(Uuid::from_u128(1));
    let leave = StationCommand::LeaveChef(StationChefLeft {
        chef_id,
        left_at: DateTime::UNIX_EPOCH,
    });
    let mut station = Station::default();
    assert_eq!(station.decide(leave.clone()), Err(StationError::NotFound));
    station.evolve(&station.decide(StationCommand::Create(create())).unwrap()[0]);
    assert_eq!(station.decide(leave.clone()), Err(StationError::ChefNotHere));
    let join = StationCommand::JoinChef(StationChefJoined {
        chef_id,
        counted_at: None,
    });
    for (command, chefs) in [(join.clone(), 1), (leave, 0), (join, 1)] {
        station.evolve(&station.decide(command).unwrap()[0]);
        assert_eq!(station.chef_count(), chefs);
    }
}

#[test]
fn settings_that_no_day_can_hold_are_refused() {
    let station = Station::default();
    let mut created = create();
    created.settings.slots.clear();
    assert_eq!(
        station.decide(StationCommand::Create(created)),
        Err(StationError::BadSettings)
    );
    let mut created = create();
    created.name = String::new();
    assert_eq!(
        station.decide(StationCommand::Create(created)),
        Err(StationError::BadName)
    );
}

#[test]
fn settings_change_with_a_reason_and_into_others() {
    let mut station = Station::default();
    let change = |settings: StationSettings, reason: &str| StationCommand::ChangeSettings {
        settings,
        reason: reason.to_owned(),
    };
    let mut shut = StationSettings::default();
    shut.closed.weekdays.push(Weekday::Mon);
    assert_eq!(
        station.decide(change(shut.clone(), "rest")),
        Err(StationError::NotFound)
    );
    station.evolve(&station.decide(StationCommand::Create(create())).unwrap()[0]);
    assert_eq!(
        station.decide(change(shut.clone(), " ")),
        Err(StationError::BadReason)
    );
    assert_eq!(
        station.decide(change(StationSettings::default(), "rest")),
        Err(StationError::Unchanged)
    );
    let slotless = StationSettings {
        slots: vec![],
        ..StationSettings::default()
    };
    assert_eq!(
        station.decide(change(slotless, "rest")),
        Err(StationError::BadSettings)
    );
    station.evolve(&station.decide(change(shut, "rest")).unwrap()[0]);
    let closed = &station.opened().unwrap().settings.closed;
    assert!(closed.on("2026-03-16".parse().unwrap()) && !closed.on("2026-03-17".parse().unwrap()));
}

#[test]
fn one_address_of_the_calendar_is_out_at_a_time() {
    let mut station = Station::default();
    let issue = |key: &str| StationCommand::IssueCalendar {
        token_key: key.to_owned(),
    };
    assert_eq!(station.decide(issue("a")), Err(StationError::NotFound));
    station.evolve(&station.decide(StationCommand::Create(create())).unwrap()[0]);
    assert_eq!(
        station.decide(StationCommand::RevokeCalendar),
        Err(StationError::NoCalendar)
    );
    for (key, events) in [("a", 1), ("b", 2)] {
        let issued = station.decide(issue(key)).unwrap();
        assert_eq!(issued.len(), events);
        issued.iter().for_each(|event| station.evolve(event));
    }
    assert_eq!(
        station.decide(StationCommand::RevokeCalendar).unwrap(),
        [StationEvent::CalendarRevoked(StationCalendarRevoked {
            token_key: "b".to_owned()
        })]
    );
}

#[test]
fn a_party_takes_chefs_by_the_started_table_and_time_by_the_buffers() {
    let settings = StationSettings::default();
    assert_eq!(
        [1, 25, 26, 50, 51].map(|guests| settings.chefs_needed(guests)),
        [1, 1, 2, 2, 3]
    );
    let start = "2026-12-05T02:00:00Z".parse().unwrap();
    let travel = Travel {
        tenths_of_mile: 120,
        minutes: 30,
        source: "test".to_owned(),
    };
    let (from, until) = settings.blocked(start, &travel);
    assert_eq!(
        (start - from, until - start),
        (Duration::minutes(90), Duration::minutes(150))
    );
}
