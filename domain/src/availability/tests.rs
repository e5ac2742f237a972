use chrono_tz::America::{Los_Angeles, Phoenix};
use chrono_tz::Tz;
use uuid::Uuid;

use super::*;
use crate::chef::{
    Chef, ChefCapsSet, ChefCommand, ChefRegistered, ChefTimeOffAdded, Engaged, RosteredChef, Taken, Works,
};
use crate::decider::Decider;
use crate::envelope::Sealed;
use crate::ids::{ChefId, SubjectId};
use crate::schedule::date_key;
use crate::station::{StationChefJoined, StationCommand, StationCreated, StationSettings};

fn station(chefs: u128, zone: Tz, settings: StationSettings) -> Station {
    let mut station = Station::default();
    let mut commands = vec![StationCommand::Create(StationCreated {
        name: "San Jose".to_owned(),
        zone,
        zip: "95112".parse().unwrap(),
        state: "CA".to_owned(),
        settings,
    })];
    commands.extend((1..=chefs).map(|chef| {
        StationCommand::JoinChef(StationChefJoined {
            chef_id: ChefId(Uuid::from_u128(chef)),
            counted_at: None,
        })
    }));
    for command in commands {
        for event in station.decide(command).unwrap() {
            station.evolve(&event);
        }
    }
    station
}

fn wanted(from: &str, to: &str, guests: i32) -> Wanted {
    Wanted {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        guests,
        travel: Travel {
            tenths_of_mile: 0,
            minutes: 0,
            source: "test".to_owned(),
        },
        max_miles: Some(80),
        now: "2026-02-10T18:00:00Z".parse().unwrap(),
    }
}

fn taken(from: &str, until: &str, chefs: i32) -> Taken {
    Taken {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
        chefs,
    }
}

/// What is known of a chef of this station alone.
fn known(chef: u128, command: ChefCommand) -> (ChefId, RosteredChef) {
    let name = Sealed {
        subject: SubjectId(Uuid::nil()),
        sealed: String::new(),
    };
    let mut known = Chef::default();
    for command in [
        ChefCommand::Register(ChefRegistered { name, user_id: None }),
        command,
    ] {
        for event in known.decide(command).unwrap() {
            known.evolve(&event);
        }
    }
    let known = RosteredChef {
        chef: known,
        works: Works::Here,
        engaged: Engaged::default(),
    };
    (ChefId(Uuid::from_u128(chef)), known)
}

/// A chef who is off on a day.
fn off(chef: u128, day: &str) -> (ChefId, RosteredChef) {
    let day = day.parse().unwrap();
    let off = ChefTimeOffAdded {
        from: day,
        to: day,
        reason: None,
    };
    known(chef, ChefCommand::AddTimeOff(off))
}

/// A chef who cooks one party a day.
fn once_a_day(chef: u128) -> (ChefId, RosteredChef) {
    let caps = ChefCapsSet {
        per_day: Some(1),
        ..ChefCapsSet::default()
    };
    known(chef, ChefCommand::SetCaps(caps))
}

#[test]
fn a_chef_whose_day_is_full_is_not_there_for_another_party_of_it() {
    let one = station(1, Los_Angeles, StationSettings::default());
    let (id, mut chef) = once_a_day(1);
    // From 11:00 to 14:30 by the clock of San Jose, which reaches into the slot after.
    let noon = ("2026-03-14T18:00:00Z", "2026-03-14T21:30:00Z");
    let span = (noon.0.parse().unwrap(), noon.1.parse().unwrap());
    let day = wanted("2026-03-14", "2026-03-15", 8);
    let ask = |chef: &RosteredChef, taken: Vec<Taken>| {
        let roster = Roster::from_iter([(id, chef.clone())]).with_taken(taken);
        told(&slots(&one, &roster, &day).unwrap())
    };
    let (free, taken_then) = ((1, ""), (0, "SLOT_UNAVAILABLE"));
    let promised = vec![taken(noon.0, noon.1, 1)];
    assert_eq!(
        ask(&chef, promised.clone())[..4],
        [taken_then, taken_then, free, free],
        "nobody is assigned: somebody else may cook at noon"
    );
    chef.engaged = Engaged {
        times: vec![span],
        days: vec![date_key("2026-03-14".parse().unwrap())],
        weeks: vec![],
    };
    let full = (0, "NO_CHEF");
    let after = ask(&chef, promised);
    assert_eq!(after[..4], [taken_then, taken_then, full, full]);
    assert_eq!(after[4..], [free; 4], "the next day is another");
}

#[test]
fn a_chef_of_two_stations_is_free_at_one_only_while_the_other_has_not_got_the_chef() {
    let two = station(2, Los_Angeles, StationSettings::default());
    let (id, mut shared) = known(2, ChefCommand::SetCaps(ChefCapsSet::default()));
    shared.works = Works::ElsewhereToo;
    let day = wanted("2026-03-14", "2026-03-14", 8);
    let ask = |shared: &RosteredChef, taken: Vec<Taken>| {
        let roster = Roster::from_iter([(id, shared.clone())]).with_taken(taken);
        told(&slots(&two, &roster, &day).unwrap())[0]
    };
    let noon = ("2026-03-14T18:00:00Z", "2026-03-14T21:30:00Z");
    let promised = vec![taken(noon.0, noon.1, 1)];
    assert_eq!(ask(&shared, vec![]), (2, ""));
    assert_eq!(ask(&shared, promised.clone()), (1, ""), "the chef of both");
    shared.engaged.times = vec![(noon.0.parse().unwrap(), noon.1.parse().unwrap())];
    assert_eq!(ask(&shared, vec![]), (1, ""), "the chef of this one");
    assert_eq!(ask(&shared, promised), (0, "SLOT_UNAVAILABLE"));
}

fn told(slots: &[Slot]) -> Vec<(i32, &'static str)> {
    let code = |slot: &Slot| slot.refused.as_ref().map_or("", Refusal::code);
    slots.iter().map(|slot| (slot.chefs_free, code(slot))).collect()
}

#[test]
fn each_slot_says_why_it_cannot_be_had() {
    let two = station(2, Los_Angeles, StationSettings::default());
    let day = |date: &str, guests| wanted(date, date, guests);
    let ask = |wanted: &Wanted, taken: &[Taken], roster: &Roster| {
        told(&slots(&two, &roster.clone().with_taken(taken.to_vec()), wanted).unwrap())
    };
    let nobody_off = Roster::default();
    // One party from 17:00 to 20:30, by the clock of San Jose.
    let party = [taken("2026-03-15T00:00:00Z", "2026-03-15T03:30:00Z", 1)];
    assert_eq!(
        ask(&day("2026-03-14", 8), &party, &nobody_off),
        [(2, ""), (1, ""), (1, ""), (1, "")]
    );
    assert_eq!(
        ask(&day("2026-03-14", 30), &party, &nobody_off)[2],
        (1, "SLOT_UNAVAILABLE")
    );
    assert_eq!(
        ask(&day("2026-03-14", 51), &[], &nobody_off)[0].1,
        "TOO_MANY_GUESTS"
    );
    assert_eq!(ask(&day("2026-02-11", 8), &[], &nobody_off)[0].1, "TOO_SOON");
    assert_eq!(ask(&day("2027-03-14", 8), &[], &nobody_off)[0].1, "TOO_FAR_AHEAD");
    let one_off = Roster::from_iter([off(1, "2026-03-14")]);
    assert_eq!(ask(&day("2026-03-14", 8), &[], &one_off)[0], (1, ""));
    assert_eq!(ask(&day("2026-03-14", 30), &[], &one_off)[0], (1, "NO_CHEF"));
    assert_eq!(
        ask(&day("2026-03-14", 8), &party, &one_off)[2],
        (0, "SLOT_UNAVAILABLE")
    );
    let mut shut = StationSettings::default();
    shut.closed.dates.push("2026-03-14".parse().unwrap());
    let shut = station(1, Los_Angeles, shut);
    let closed = slots(&shut, &nobody_off, &day("2026-03-14", 8)).unwrap();
    assert!(
        closed
            .iter()
            .all(|slot| slot.refused.as_ref().unwrap().code() == "STATION_CLOSED")
    );
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let one = station(1, Los_Angeles, StationSettings::default());
    let ask = |wanted: &Wanted| slots(&one, &Roster::default(), wanted).map(|slots| slots.len());
    assert_eq!(
        ask(&wanted("2026-03-14", "2026-03-13", 8)),
        Err(AvailabilityError::BadRange)
    );
    assert_eq!(
        ask(&wanted("2026-03-01", "2026-05-02", 8)),
        Err(AvailabilityError::BadRange)
    );
    assert_eq!(ask(&wanted("2026-03-01", "2026-05-01", 8)), Ok(62 * 4));
    assert_eq!(
        ask(&wanted("2026-03-14", "2026-03-14", 0)),
        Err(AvailabilityError::BadGuests)
    );
    assert_eq!(
        slots(
            &Station::default(),
            &Roster::default(),
            &wanted("2026-03-14", "2026-03-14", 1)
        ),
        Err(AvailabilityError::StationNotFound)
    );
}

#[test]
fn the_grid_goes_by_the_clock_on_both_weekends_of_daylight_saving_and_where_there_is_none() {
    let nights = StationSettings {
        slots: ["02:30:00", "21:00:00"]
            .map(|slot| slot.parse().unwrap())
            .to_vec(),
        ..StationSettings::default()
    };
    let starts = |zone, day: &str| -> Vec<(String, String)> {
        let station = station(1, zone, nights.clone());
        let asked = slots(&station, &Roster::default(), &wanted(day, day, 8)).unwrap();
        assert!(asked.iter().all(|slot| slot.refused.is_none()), "{asked:?}");
        let shown = |slot: &Slot| (slot.start.local.to_string(), slot.start.offset());
        asked.iter().map(shown).collect()
    };
    let at = |local: &str, offset: &str| (local.to_owned(), offset.to_owned());
    // The clock skips 2:30 in spring, and shows it once in autumn, after an hour that it shows twice.
    assert_eq!(
        starts(Los_Angeles, "2026-03-08"),
        [
            at("2026-03-08 03:30:00", "-07:00"),
            at("2026-03-08 21:00:00", "-07:00")
        ]
    );
    assert_eq!(
        starts(Los_Angeles, "2026-11-01"),
        [
            at("2026-11-01 02:30:00", "-08:00"),
            at("2026-11-01 21:00:00", "-08:00")
        ]
    );
    assert_eq!(
        starts(Phoenix, "2026-03-08"),
        [
            at("2026-03-08 02:30:00", "-07:00"),
            at("2026-03-08 21:00:00", "-07:00")
        ]
    );
}

#[test]
fn a_party_that_goes_on_after_midnight_takes_its_chefs_from_the_next_day() {
    let late = StationSettings {
        slots: ["00:00:00", "23:00:00"]
            .map(|slot| slot.parse().unwrap())
            .to_vec(),
        ..StationSettings::default()
    };
    let station = station(1, Phoenix, late);
    // Until 1:30 on the 15th, by the clock of Phoenix.
    let party = [taken("2026-03-15T05:00:00Z", "2026-03-15T08:30:00Z", 1)];
    let asked = slots(
        &station,
        &Roster::default().with_taken(party.to_vec()),
        &wanted("2026-03-14", "2026-03-15", 8),
    );
    assert_eq!(
        told(&asked.unwrap()),
        [(1, ""), (0, "SLOT_UNAVAILABLE"), (0, "SLOT_UNAVAILABLE"), (1, "")]
    );
}

#[test]
fn a_venue_that_no_chef_is_sent_to_has_no_free_slot() {
    let station = station(1, Los_Angeles, StationSettings::default());
    let reasons = |tenths_of_mile, max_miles| {
        let wanted = Wanted {
            travel: Travel {
                tenths_of_mile,
                minutes: 90,
                source: "test".to_owned(),
            },
            max_miles,
            ..wanted("2026-03-14", "2026-03-14", 8)
        };
        let slots = slots(&station, &Roster::default(), &wanted).unwrap();
        let codes = slots
            .into_iter()
            .map(|slot| slot.refused.map(|refused| refused.code()));
        codes.collect::<Vec<_>>()
    };
    assert_eq!(reasons(800, Some(80)), [None; 4]);
    assert_eq!(reasons(801, Some(80)), [Some("OUT_OF_AREA"); 4]);
    assert_eq!(reasons(801, None), [None; 4]);
}
