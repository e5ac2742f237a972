use super::changes::{EARLY, delete, guests, restore, staff, to};
use super::*;
use crate::booking::{
    AssignChef, BookingChefAssigned, ByName, ChangeAsked, ChangeGuests, ChangedBy, FeeAgreed,
    RescheduleBooking,
};
use crate::chef::{
    Chef, ChefCommand, ChefRegistered, ChefTimeOffAdded, Engaged, RosteredChef, Span, Taken, Works,
};
use crate::decider::Event;
use crate::schedule::date_key;

/// When the party of [`ask`] needs its chefs.
fn shift() -> Span {
    (at("2025-12-07T00:40:00Z"), at("2025-12-07T04:30:00Z"))
}

fn chef(number: u128) -> ChefId {
    ChefId(Uuid::from_u128(number))
}

fn rostered(works: Works, times: Vec<Span>) -> RosteredChef {
    RosteredChef {
        chef: Chef::default(),
        works,
        engaged: Engaged {
            times,
            ..Engaged::default()
        },
    }
}

/// The first chef is of the station alone, the second of another too.
fn one_of_two_is_shared(taken: i32, shared: Vec<Span>) -> Roster {
    let (from, until) = shift();
    let taken = (taken > 0).then_some(Taken {
        from,
        until,
        chefs: taken,
    });
    Roster::from_iter([
        (chef(1), rostered(Works::Here, vec![])),
        (chef(2), rostered(Works::ElsewhereToo, shared)),
    ])
    .with_taken(taken.into_iter().collect())
}

fn asked_of(roster: Roster) -> Result<Vec<E>, BookingError> {
    request(RequestBooking { roster, ..ask() })
}

fn assign(number: u128, works: Works) -> BookingCommand {
    BookingCommand::AssignChef(Box::new(AssignChef {
        chef_id: chef(number),
        chef: Chef::default(),
        works,
        station: station(2),
        now: at(NOW),
    }))
}

fn told(events: &[E]) -> Booking {
    let mut booking = Booking::default();
    events.iter().for_each(|event| booking.evolve(event));
    booking
}

/// How many counted chefs the claims of events take at the station; none where they leave it as it is.
fn counted(events: &[E]) -> Option<i32> {
    let mut counted = None;
    let place = Station::capacity_resource(ask().station_id);
    for claim in events.iter().flat_map(Event::claims) {
        match claim {
            Claim::ReleaseCapacity { resource } if resource == place => counted = Some(0),
            Claim::TakeCapacity { resource, units, .. } if resource == place => counted = Some(units),
            Claim::TakeCapacity { .. }
            | Claim::ReleaseCapacity { .. }
            | Claim::TakeUnique { .. }
            | Claim::ReleaseUnique { .. }
            | Claim::TakeInterval { .. }
            | Claim::ReleaseInterval { .. } => {}
        }
    }
    counted
}

#[test]
fn a_chef_of_two_stations_is_promised_by_name_and_only_once() {
    let counted_chef = asked_of(one_of_two_is_shared(0, vec![])).unwrap();
    assert!(matches!(&counted_chef[..], [E::Requested(asked)] if asked.station_chefs == 1));
    assert_eq!(counted(&counted_chef), Some(1));

    let by_name = asked_of(one_of_two_is_shared(1, vec![])).unwrap();
    let [E::Requested(asked), E::ChefAssigned(cooks)] = &by_name[..] else {
        panic!("{by_name:?}")
    };
    assert_eq!(
        (asked.by_name, cooks.chef_id, cooks.by_name),
        (1, chef(2), ByName::Yes)
    );
    assert_eq!(counted(&by_name), None, "none of those who are counted");
    let (from, until) = shift();
    let alone = Claim::TakeInterval {
        resource: Chef::time_resource(chef(2)),
        from,
        until,
    };
    assert_eq!(by_name[1].claims()[0], alone);

    // The other station has the chef, for some of the time.
    let elsewhere = vec![(at("2025-12-07T04:00:00Z"), at("2025-12-07T06:00:00Z"))];
    assert_eq!(
        asked_of(one_of_two_is_shared(1, elsewhere)),
        Err(BookingError::SlotUnavailable)
    );
    let later = vec![(until, at("2025-12-07T06:00:00Z"))];
    assert!(asked_of(one_of_two_is_shared(1, later)).is_ok());
}

#[test]
fn a_party_for_which_the_stations_own_chefs_do_not_suffice_has_both() {
    let large = RequestBooking {
        guests: Guests {
            adults: 30,
            children: 0,
            under6: 0,
        },
        roster: one_of_two_is_shared(0, vec![]),
        ..ask()
    };
    let events = request(large).unwrap();
    assert!(
        matches!(&events[..], [E::Requested(_), E::ChefAssigned(_)]),
        "{events:?}"
    );
    assert_eq!(counted(&events[..1]), Some(1));
    let booking = told(&events);
    // Fewer guests need one chef: the one by name stays, and nobody is counted.
    let fewer = booking.decide(guests(20, staff(EARLY))).unwrap();
    assert!(matches!(&fewer[..], [E::GuestCountChanged(_)]), "{fewer:?}");
    assert_eq!(counted(&fewer), Some(0));
}

#[test]
fn who_is_held_by_name_is_counted_no_more_and_the_place_is_counted_again_without() {
    let booking = told(&asked_of(one_of_two_is_shared(0, vec![])).unwrap());
    let given = booking.decide(assign(2, Works::ElsewhereToo)).unwrap();
    assert_eq!(counted(&given), Some(0));
    let mut named = booking;
    given.iter().for_each(|event| named.evolve(event));
    let unassign = BookingCommand::UnassignChef {
        chef_id: chef(2),
        reason: None,
        now: at(NOW),
    };
    let alone = named.decide(unassign).unwrap();
    assert_eq!(counted(&alone), Some(1));
    alone.iter().for_each(|event| named.evolve(event));
    assert_eq!((named.chefs(), named.named.len()), (&[][..], 0));
    assert_eq!(named.requested().unwrap().by_name, 0);
    // One of the station alone changes nothing.
    assert_eq!(counted(&named.decide(assign(1, Works::Here)).unwrap()), None);
}

#[test]
fn more_guests_a_move_and_a_restoration_hold_by_name_what_they_need() {
    let shared = || one_of_two_is_shared(1, vec![]);
    let booking = told(&asked_of(one_of_two_is_shared(0, vec![])).unwrap());
    let asked = |by| ChangeAsked {
        price_list: price_list(),
        priced_at: at(NOW),
        by,
        reason: None,
        now: at(EARLY),
    };
    let grown = BookingCommand::ChangeGuests(Box::new(ChangeGuests {
        station: station(2),
        roster: one_of_two_is_shared(0, vec![]),
        guests: Guests {
            adults: 30,
            children: 0,
            under6: 0,
        },
        asked: asked(ChangedBy::Staff),
    }));
    let grown = booking.decide(grown).unwrap();
    assert!(
        matches!(&grown[..], [E::GuestCountChanged(_), E::ChefAssigned(_)]),
        "{grown:?}"
    );
    assert_eq!(counted(&grown), Some(1));

    let moved = BookingCommand::Reschedule(Box::new(RescheduleBooking {
        station: station(2),
        roster: shared(),
        start: "2025-12-06T18:00:00".parse().unwrap(),
        venue: Venue {
            city: "San Jose".to_owned(),
            ..ask().venue
        },
        tax_place: ask().tax_place,
        travel: ask().travel,
        fee: FeeAgreed::Yes,
        asked: asked(ChangedBy::Staff),
    }));
    let moved = booking.decide(moved).unwrap();
    assert!(
        matches!(
            &moved[..],
            [
                E::Rescheduled(_),
                E::ChefAssigned(BookingChefAssigned {
                    by_name: ByName::Yes,
                    ..
                })
            ]
        ),
        "{moved:?}"
    );
    assert_eq!(counted(&moved), Some(0));

    let mut away = booking;
    for event in away.decide(delete(NOW)).unwrap() {
        away.evolve(&event);
    }
    let BookingCommand::Restore(mut again) = restore(NOW) else {
        panic!("another command")
    };
    again.roster = shared();
    let again = away.decide(BookingCommand::Restore(again)).unwrap();
    assert!(
        matches!(&again[..], [E::Restored(_), E::ChefAssigned(_)]),
        "{again:?}"
    );
    assert_eq!(counted(&again), Some(0));
}

#[test]
fn a_party_may_shrink_whoever_works_by_now() {
    let large = given(&[guests(30, staff(EARLY))]);
    let mut off = Chef::default();
    let day = "2025-12-06".parse().unwrap();
    for command in [
        ChefCommand::Register(ChefRegistered {
            name: ask().venue.street,
            user_id: None,
        }),
        ChefCommand::AddTimeOff(ChefTimeOffAdded {
            from: day,
            to: day,
            reason: None,
        }),
    ] {
        off.decide(command)
            .unwrap()
            .iter()
            .for_each(|event| off.evolve(event));
    }
    let off = RosteredChef {
        chef: off,
        ..rostered(Works::Here, vec![])
    };
    let BookingCommand::ChangeGuests(mut fewer) = guests(20, staff(EARLY)) else {
        panic!("another command")
    };
    fewer.roster = Roster::from_iter([(chef(1), off.clone()), (chef(2), off)]);
    let events = large.decide(BookingCommand::ChangeGuests(fewer)).unwrap();
    assert!(
        events[0].claims().iter().any(|claim| matches!(
            claim,
            Claim::TakeCapacity {
                units: 1,
                limit: i32::MAX,
                ..
            }
        )),
        "{events:?}"
    );
}

#[test]
fn what_the_company_moves_leaves_the_customer_the_free_move() {
    let by_company = ChangeAsked {
        by: ChangedBy::Company,
        reason: Some("no chef is well".to_owned()),
        ..staff(EARLY)
    };
    let moved = given(&[to("2025-12-13T15:00:00", FeeAgreed::No, by_company)]);
    let events = moved
        .decide(to("2025-12-14T15:00:00", FeeAgreed::No, staff(EARLY)))
        .unwrap();
    assert!(matches!(&events[..], [E::Rescheduled(moved)] if moved.fee_cents.is_none()));
}

#[test]
fn an_address_is_corrected_when_the_start_could_not_be_asked_for_any_more() {
    let tomorrow = ChangeAsked {
        reason: Some("it is the house next door".to_owned()),
        ..staff("2025-12-06T02:00:00Z")
    };
    let correct = |start: &str| {
        let BookingCommand::Reschedule(mut ask) = to(start, FeeAgreed::Yes, tomorrow.clone()) else {
            panic!("another command")
        };
        ask.venue.city = "San Jose".to_owned();
        given(&[confirm()]).decide(BookingCommand::Reschedule(ask))
    };
    let events = correct("2025-12-06T18:00:00").unwrap();
    assert!(matches!(&events[..], [E::Rescheduled(moved)] if moved.before == moved.start));
    assert_eq!(
        correct("2025-12-06T21:00:00"),
        Err(BookingError::TooSoon { lead_hours: 48 })
    );
}

#[test]
fn a_deposit_is_due_before_the_party_whatever_is_moved_or_restored() {
    let extended = BookingCommand::ExtendDeposit {
        due_at: at("2025-12-07T02:00:00Z"),
        reason: "slow bank".to_owned(),
        now: at(NOW),
    };
    let nearer = to("2025-11-15T15:00:00", FeeAgreed::Yes, staff(EARLY));
    let due = |booking: &Booking| booking.requested().unwrap().deposit_due_at;
    let moved = given(&[extended.clone(), nearer.clone()]);
    assert_eq!(due(&moved), at("2025-11-15T23:00:00Z"));
    // Nothing is due of one that is paid.
    let paid = given(&[extended, confirm()]).decide(nearer).unwrap();
    assert!(matches!(&paid[..], [E::Rescheduled(moved)] if moved.deposit_due_at.is_none()));

    let deleted = given(&[delete("2025-12-01T02:00:00Z")]);
    let restored = deleted.decide(restore("2025-12-06T12:00:00Z")).unwrap();
    let [E::Restored(restored)] = &restored[..] else {
        panic!("{restored:?}")
    };
    assert_eq!(
        restored.deposit_due_at,
        at("2025-12-07T02:00:00Z"),
        "and not a day later"
    );
    assert_eq!(
        deleted.decide(restore("2025-12-07T02:00:00Z")),
        Err(BookingError::RestoreTooLate {
            until: at("2025-12-07T02:00:00Z")
        })
    );
    let paid = given(&[confirm(), delete("2025-12-01T02:00:00Z")]);
    assert!(paid.decide(restore("2025-12-07T02:00:00Z")).is_ok());
}

#[test]
fn a_party_counts_for_its_date_in_every_zone() {
    let events = given(&[]).decide(assign(1, Works::Here)).unwrap();
    let [E::ChefAssigned(assigned)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(assigned.day, date_key("2025-12-06".parse().unwrap()));
}
