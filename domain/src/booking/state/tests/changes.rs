use super::crew::assign;
use super::*;
use crate::booking::{
    ChangeAsked, ChangeGuests, ChangeMenu, ChangedBy, FeeAgreed, RescheduleBooking, RestoreBooking,
    UnassignedBecause,
};
use crate::decider::Event;

/// 30 days before the start.
pub(super) const EARLY: &str = "2025-11-07T02:00:00Z";
/// Ten days before.
const LATE: &str = "2025-11-27T02:00:00Z";
/// A day before.
const LOCKED: &str = "2025-12-06T02:00:00Z";

fn asked(by: ChangedBy, reason: Option<&str>, now: &str) -> ChangeAsked {
    ChangeAsked {
        price_list: price_list(),
        priced_at: at(NOW),
        by,
        reason: reason.map(str::to_owned),
        now: at(now),
    }
}

pub(super) fn to(start: &str, fee: FeeAgreed, asked: ChangeAsked) -> BookingCommand {
    BookingCommand::Reschedule(Box::new(RescheduleBooking {
        station: station(2),
        roster: Roster::default(),
        start: start.parse().unwrap(),
        venue: ask().venue,
        tax_place: TaxPlace {
            rate_ppm: Some(RatePpm(97_500)),
            ..ask().tax_place
        },
        travel: ask().travel,
        fee,
        asked,
    }))
}

pub(super) fn guests(adults: i32, asked: ChangeAsked) -> BookingCommand {
    BookingCommand::ChangeGuests(Box::new(ChangeGuests {
        station: station(2),
        roster: Roster::default(),
        guests: Guests {
            adults,
            children: 0,
            under6: 0,
        },
        asked,
    }))
}

pub(super) fn delete(now: &str) -> BookingCommand {
    BookingCommand::Delete {
        reason: "made by mistake".to_owned(),
        now: at(now),
    }
}

pub(super) fn restore(now: &str) -> BookingCommand {
    BookingCommand::Restore(Box::new(RestoreBooking {
        station: station(2),
        roster: Roster::default(),
        reason: None,
        now: at(now),
    }))
}

pub(super) fn staff(now: &str) -> ChangeAsked {
    asked(ChangedBy::Staff, None, now)
}

#[test]
fn a_move_takes_the_new_place_for_the_old_one_and_keeps_the_booking() {
    let before = given(&[confirm(), assign(1)]);
    let events = before
        .decide(to("2025-12-13T15:00:00", FeeAgreed::No, staff(EARLY)))
        .unwrap();
    let [E::ChefUnassigned(free), E::Rescheduled(moved)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(free.because, UnassignedBecause::Rescheduled);
    assert_eq!(
        (moved.fee_cents, moved.start.utc),
        (None, at("2025-12-13T23:00:00Z"))
    );
    let claims = events[1].claims();
    assert!(matches!(claims[0], Claim::ReleaseCapacity { .. }), "{claims:?}");
    assert!(
        matches!(claims[1], Claim::TakeCapacity { from, units: 1, limit: 2, .. } if from == moved.place.blocked_from),
        "{claims:?}"
    );
    let mut after = before.clone();
    events.iter().for_each(|event| after.evolve(event));
    let (was, is) = (before.requested().unwrap(), after.requested().unwrap());
    assert_eq!(
        (is.number.clone(), is.deposit_due_at),
        (was.number.clone(), was.deposit_due_at)
    );
    assert_eq!(is.tax_place.rate_ppm, Some(RatePpm(97_500)));
    assert_eq!(
        (after.status(), after.chefs()),
        (Some(BookingStatus::Confirmed), &[][..])
    );
}

#[test]
fn a_move_is_free_once_and_early_and_costs_what_the_terms_say_otherwise() {
    let move_to = |start: &str, fee, now: &str| to(start, fee, staff(now));
    let fee = Err(BookingError::FeeRequired { fee: Cents(5_000) });
    let late = given(&[]).decide(move_to("2025-12-13T15:00:00", FeeAgreed::No, LATE));
    assert_eq!(late, fee);
    let moved = given(&[move_to("2025-12-13T15:00:00", FeeAgreed::No, EARLY)]);
    let again = |fee| moved.decide(move_to("2025-12-14T15:00:00", fee, EARLY));
    assert_eq!(again(FeeAgreed::No), fee);
    let events = again(FeeAgreed::Yes).unwrap();
    let [E::Rescheduled(moved)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(moved.fee_cents, Some(Cents(5_000)));
    assert_eq!(moved.quote.total_cents, Cents(90_118));
    assert_eq!(moved.quote.sum_of(LineKind::Reschedule), Cents(5_000));
    let by_company = asked(ChangedBy::Company, Some("no chef is well"), LATE);
    let events = given(&[])
        .decide(to("2025-12-13T15:00:00", FeeAgreed::No, by_company))
        .unwrap();
    assert!(matches!(&events[..], [E::Rescheduled(moved)] if moved.fee_cents.is_none()));
}

#[test]
fn terms_without_a_fee_refuse_what_is_late_or_once_too_often() {
    let mut strict = given(&[]);
    strict
        .requested
        .as_mut()
        .unwrap()
        .policy
        .changes
        .reschedule_fee_cents = None;
    let late = strict.decide(to("2025-12-13T15:00:00", FeeAgreed::Yes, staff(LATE)));
    assert_eq!(late, Err(BookingError::RescheduleTooLate { hours: 360 }));
    strict.reschedules = 1;
    let again = strict.decide(to("2025-12-13T15:00:00", FeeAgreed::Yes, staff(EARLY)));
    assert_eq!(again, Err(BookingError::ReschedulesUsedUp { times: 1 }));
}

#[test]
fn a_move_that_cannot_be_is_refused() {
    let refused = |start: &str| {
        given(&[])
            .decide(to(start, FeeAgreed::Yes, staff(EARLY)))
            .unwrap_err()
            .code()
    };
    assert_eq!(refused("2025-12-06T18:00:00"), "UNCHANGED");
    assert_eq!(refused("2025-12-13T15:30:00"), "NOT_A_SLOT");
    assert_eq!(refused("2025-11-08T12:00:00"), "TOO_SOON");
    assert_eq!(refused("2026-12-13T15:00:00"), "TOO_FAR_AHEAD");
    let over = given(&[cancel(CancelledBy::Customer, NOW)]);
    assert_eq!(
        over.decide(to("2025-12-13T15:00:00", FeeAgreed::Yes, staff(EARLY)))
            .unwrap_err()
            .code(),
        "WRONG_STATE"
    );
}

#[test]
fn close_to_the_start_only_staff_changes_a_booking_and_says_why() {
    let change = |by, reason| given(&[confirm()]).decide(guests(2, asked(by, reason, LOCKED)));
    assert_eq!(
        change(ChangedBy::Customer, Some("a cousin comes")),
        Err(BookingError::ChangesLocked { hours: 72 })
    );
    assert_eq!(change(ChangedBy::Staff, None), Err(BookingError::ReasonRequired));
    assert_eq!(change(ChangedBy::Staff, Some("a")), Err(BookingError::BadReason));
    assert!(change(ChangedBy::Staff, Some("a cousin comes")).is_ok());
    let early = given(&[]).decide(guests(2, asked(ChangedBy::Customer, None, EARLY)));
    assert!(early.is_ok());
    let company = given(&[]).decide(guests(2, asked(ChangedBy::Company, None, EARLY)));
    assert_eq!(company, Err(BookingError::ReasonRequired));
}

#[test]
fn more_guests_cost_more_at_the_prices_of_the_request_and_take_chefs_only_when_they_need_them() {
    let booking = given(&[]);
    let events = booking.decide(guests(25, staff(EARLY))).unwrap();
    let [E::GuestCountChanged(changed)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(changed.quote.total_cents, Cents(85_118 * 25));
    assert_eq!(changed.quote.deposit_cents, Cents(10_000));
    assert_eq!(events[0].claims(), []);
    let events = booking.decide(guests(26, staff(EARLY))).unwrap();
    assert!(
        matches!(
            events[0].claims()[..],
            [
                Claim::ReleaseCapacity { .. },
                Claim::TakeCapacity {
                    units: 2,
                    limit: 2,
                    ..
                }
            ]
        ),
        "{events:?}"
    );
    let refused = |adults| booking.decide(guests(adults, staff(EARLY))).unwrap_err().code();
    assert_eq!(refused(1), "UNCHANGED");
    assert_eq!(refused(51), "TOO_MANY_GUESTS");
    assert_eq!(refused(0), "GUESTS_REQUIRED");
}

#[test]
fn fewer_guests_free_the_chefs_who_are_not_needed_any_more() {
    let booking = given(&[guests(30, staff(EARLY)), assign(1), assign(2)]);
    let events = booking.decide(guests(20, staff(EARLY))).unwrap();
    let [E::ChefUnassigned(free), E::GuestCountChanged(_)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(free.chef_id, ChefId(Uuid::from_u128(2)));
    assert_eq!(free.because, UnassignedBecause::FewerGuests);
}

#[test]
fn another_menu_is_another_price_and_an_unknown_one_is_refused() {
    let change = |add_ons: Vec<crate::quote::AddOn>| {
        given(&[]).decide(BookingCommand::ChangeMenu(Box::new(ChangeMenu {
            add_ons,
            asked: staff(EARLY),
        })))
    };
    assert_eq!(change(vec![]), Err(BookingError::Unchanged));
    let lobster = crate::quote::AddOn {
        item: "lobster".to_owned(),
        quantity: 1,
    };
    assert_eq!(change(vec![lobster]).unwrap_err().code(), "ITEM_UNKNOWN");
}

#[test]
fn a_deleted_booking_does_nothing_until_it_is_restored_and_that_for_thirty_days() {
    let reason = |reason: &str| {
        given(&[]).decide(BookingCommand::Delete {
            reason: reason.to_owned(),
            now: at(NOW),
        })
    };
    assert_eq!(reason("too short"), Err(BookingError::BadDeletionReason));
    assert_eq!(reason(&"x".repeat(501)), Err(BookingError::BadDeletionReason));
    assert_eq!(given(&[]).decide(restore(NOW)), Err(BookingError::NotDeleted));
    let deleted = given(&[delete(NOW)]);
    assert_eq!(deleted.decide(confirm()), Err(BookingError::Deleted));
    assert_eq!(deleted.decide(delete(NOW)), Err(BookingError::Deleted));
    assert_eq!(
        deleted.decide(restore("2025-12-01T12:00:01Z")),
        Err(BookingError::RestoreTooLate {
            until: at("2025-12-01T12:00:00Z")
        })
    );
    let events = deleted.decide(restore("2025-12-01T12:00:00Z")).unwrap();
    let [E::Restored(restored)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(
        restored.deposit_due_at,
        at("2025-12-02T12:00:00Z"),
        "the deadline had passed"
    );
    assert!(matches!(
        events[0].claims()[..],
        [
            Claim::ReleaseCapacity { .. },
            Claim::TakeCapacity { .. },
            Claim::TakeCapacity { .. }
        ]
    ));
    let cancelled = given(&[cancel(CancelledBy::Customer, NOW), delete(NOW)]);
    assert_eq!(cancelled.decide(restore(NOW)).unwrap()[0].claims(), []);
    let held = complete("2025-12-07T02:00:00Z");
    let held = given(&[confirm(), held]).decide(delete("2025-12-08T02:00:00Z"));
    assert_eq!(held.unwrap_err().code(), "WRONG_STATE");
}

#[test]
fn a_deposit_is_put_off_to_later_and_not_past_the_start() {
    let extend = |due: &str, reason: &str| {
        given(&[]).decide(BookingCommand::ExtendDeposit {
            due_at: at(due),
            reason: reason.to_owned(),
            now: at(NOW),
        })
    };
    let before = at("2025-11-02T12:00:00Z");
    for due in ["2025-11-02T12:00:00Z", "2025-12-07T02:00:01Z"] {
        assert_eq!(extend(due, "slow bank"), Err(BookingError::BadDueAt { before }));
    }
    assert_eq!(extend("2025-11-03T12:00:00Z", " "), Err(BookingError::BadReason));
    let later = BookingCommand::ExtendDeposit {
        due_at: at("2025-11-03T12:00:00Z"),
        reason: "slow bank".to_owned(),
        now: at(NOW),
    };
    let expired = given(&[later]).decide(BookingCommand::Expire { now: before });
    assert_eq!(
        expired,
        Err(BookingError::NotYetDue {
            due_at: at("2025-11-03T12:00:00Z")
        })
    );
    let paid = given(&[confirm()]).decide(BookingCommand::ExtendDeposit {
        due_at: at("2025-11-03T12:00:00Z"),
        reason: "slow bank".to_owned(),
        now: at(NOW),
    });
    assert_eq!(paid.unwrap_err().code(), "WRONG_STATE");
}

#[test]
fn notes_and_terms_are_bounded() {
    let note = BookingCommand::AddNote {
        note: ask().venue.street,
        now: at(NOW),
    };
    let full = given(&vec![note.clone(); 100]);
    assert_eq!(full.decide(note), Err(BookingError::TooManyNotes { max: 100 }));
    let terms = |version: &str| BookingCommand::AcceptTerms {
        version: version.to_owned(),
        now: at(NOW),
    };
    assert_eq!(given(&[]).decide(terms(" ")), Err(BookingError::BadTermsVersion));
    for same in ["2026-01", " 2026-01 "] {
        assert_eq!(
            given(&[terms("2026-01")]).decide(terms(same)),
            Err(BookingError::Unchanged)
        );
    }
}
