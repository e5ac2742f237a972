use super::changes::{EARLY, delete};
use super::*;
use crate::booking::{AssignChef, UnassignedBecause};
use crate::chef::{Chef, ChefCommand, ChefRegistered, ChefTimeOffAdded, Unavailable, Works};
use crate::decider::Event;

pub(super) fn assign(chef: u128) -> BookingCommand {
    BookingCommand::AssignChef(Box::new(AssignChef {
        chef_id: ChefId(Uuid::from_u128(chef)),
        chef: Chef::default(),
        works: Works::Here,
        station: station(2),
        now: at(NOW),
    }))
}

#[test]
fn a_chef_is_assigned_where_and_when_the_chef_works_and_no_more_than_are_needed() {
    let booking = given(&[]);
    let events = booking.decide(assign(1)).unwrap();
    let claims = events[0].claims();
    assert!(
        matches!(&claims[..], [
            Claim::TakeInterval { from, .. },
            Claim::TakeCapacity { units: 1, limit: i32::MAX, .. },
            Claim::TakeCapacity { units: 1, limit: i32::MAX, .. },
        ] if *from == at("2025-12-07T00:40:00Z")),
        "{claims:?}"
    );
    assert_eq!(booking.decide(assign(3)), Err(BookingError::ChefNotAtStation));
    let assigned = given(&[assign(1)]);
    assert_eq!(assigned.decide(assign(1)), Err(BookingError::ChefAssignedAlready));
    assert_eq!(
        assigned.decide(assign(2)),
        Err(BookingError::EnoughChefs { needed: 1 })
    );
    let mut off = Chef::default();
    let name = ask().venue.street;
    let day = "2025-12-06".parse().unwrap();
    for command in [
        ChefCommand::Register(ChefRegistered { name, user_id: None }),
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
    let refused = booking.decide(BookingCommand::AssignChef(Box::new(AssignChef {
        chef_id: ChefId(Uuid::from_u128(1)),
        chef: off,
        works: Works::Here,
        station: station(2),
        now: at(NOW),
    })));
    assert_eq!(refused, Err(BookingError::ChefUnavailable(Unavailable::Off(day))));
}

#[test]
fn a_chef_is_free_once_the_party_is_off_and_remembered_once_it_was_held() {
    let unassign = BookingCommand::UnassignChef {
        chef_id: ChefId(Uuid::from_u128(1)),
        reason: None,
        now: at(NOW),
    };
    assert_eq!(
        given(&[]).decide(unassign.clone()),
        Err(BookingError::ChefNotAssigned)
    );
    assert_eq!(given(&[assign(1), unassign]).chefs(), []);
    let booking = given(&[assign(1)]);
    for (command, because) in [
        (cancel(CancelledBy::Company, NOW), UnassignedBecause::Cancelled),
        (delete(NOW), UnassignedBecause::Deleted),
        (
            BookingCommand::Expire { now: at(EARLY) },
            UnassignedBecause::Expired,
        ),
    ] {
        let events = booking.decide(command).unwrap();
        assert!(
            matches!(&events[0], E::ChefUnassigned(free) if free.because == because),
            "{events:?}"
        );
    }
    let held = given(&[confirm(), assign(1)])
        .decide(complete("2025-12-07T02:00:00Z"))
        .unwrap();
    let E::Completed(completed) = &held[0] else {
        panic!("{held:?}")
    };
    assert_eq!(completed.chefs, [ChefId(Uuid::from_u128(1))]);
    assert_eq!(held[0].claims(), [], "the party goes on until 4:30");
    let held = given(&[confirm(), assign(1)])
        .decide(complete("2025-12-07T04:30:00Z"))
        .unwrap();
    assert!(matches!(
        held[0].claims()[..],
        [Claim::ReleaseCapacity { .. }, Claim::ReleaseInterval { .. }]
    ));
}
