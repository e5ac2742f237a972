use domain::booking::{BookingCancelled, BookingDeleted, BookingEvent, BookingStatus, CancelledBy};
use domain::ids::RefundId;
use domain::payment::{
    PaymentClaimed, PaymentEvent, PaymentRefundSucceeded, PaymentRejected, PaymentVerified,
};
use domain::price_list::{CancellationTier, DepositBack};
use domain::recorded::{DomainEvent, Recorded};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::booking_list::BookingList;
use crate::payment_list::{PaymentList, PaymentStatus};
use crate::testing::{
    BOOKING, CUSTOMER, STATION, at, booking_event, fold, guests_changed, moved, paid_booking, recorded,
    requested,
};

fn statement(events: &[Recorded]) -> Statement {
    Statement::of(fold::<BookingLedger>(events).iter().cloned().collect())
}

fn payment(position: i64, number: u128, event: PaymentEvent) -> Recorded {
    let stream = Uuid::from_u128(number).to_string();
    recorded(position, &stream, 1, DomainEvent::Payment(event))
}

fn claimed(position: i64, number: u128, amount: i64, tip: i64) -> Recorded {
    let claimed = PaymentClaimed {
        booking: paid_booking(),
        kind: PaymentKind::Balance,
        method: PaymentMethod::Zelle,
        amount_cents: Cents(amount),
        tip_cents: Cents(tip),
        tip_choice: None,
        reference: None,
        reference_key: None,
        claimed_at: at("2026-11-01T00:00:00Z"),
    };
    payment(position, number, PaymentEvent::Claimed(claimed))
}

fn verified(position: i64, number: u128, amount: i64, tip: i64) -> Recorded {
    let verified = PaymentVerified {
        booking: paid_booking(),
        method: PaymentMethod::Zelle,
        amount_cents: Cents(amount),
        tip_cents: Cents(tip),
        note: None,
        kind: None,
        fee_cents: Cents::ZERO,
        tip_choice: None,
        reference: None,
        reference_key: None,
        evidence: None,
        verified_by: None,
        verified_at: at("2026-11-02T00:00:00Z"),
    };
    payment(position, number, PaymentEvent::Verified(verified))
}

fn rejected(position: i64, number: u128) -> Recorded {
    let rejected = PaymentRejected {
        booking: paid_booking(),
        note: None,
        reference_key: None,
        rejected_at: at("2026-11-02T00:00:00Z"),
    };
    payment(position, number, PaymentEvent::Rejected(rejected))
}

fn cancelled(position: i64, refund: RefundRule) -> Recorded {
    let cancelled = BookingCancelled {
        station_id: STATION,
        by: CancelledBy::Customer,
        reason: "ill".to_owned(),
        hours_before: 200,
        was: Some(BookingStatus::Requested),
        refund,
        gives_back: None,
        kept: domain::tax_account::KeptDepositTax::NotASale,
        cancelled_at: at("2026-11-20T00:00:00Z"),
    };
    booking_event(position, 2, BookingEvent::Cancelled(cancelled))
}

fn asked() -> Recorded {
    booking_event(1, 1, BookingEvent::Requested(requested(85_118)))
}

fn half() -> RefundRule {
    RefundRule::Tier(CancellationTier {
        hours_before: 168,
        refund_ppm: domain::money::RatePpm(500_000),
        deposit_back: DepositBack::Kept,
    })
}

#[test]
fn each_fact_says_what_it_moved_and_what_was_due_after_it() {
    let statement = statement(&[
        asked(),
        claimed(2, 1, 10_000, 0),
        verified(3, 1, 10_000, 0),
        claimed(4, 2, 40_000, 5_000),
        rejected(5, 2),
        cancelled(6, half()),
        verified(7, 3, 20_000, 0),
    ]);
    let told: Vec<_> = statement
        .entries
        .iter()
        .map(|entry| {
            let cents = |amount: Cents| amount.0;
            (
                entry.row.kind.as_str(),
                [
                    entry.amount_cents,
                    entry.tip_cents,
                    entry.moved_cents,
                    entry.balance_cents,
                ]
                .map(cents),
                entry.proposed_refund_cents.map(cents),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("charge", [85_118, 0, 85_118, 85_118], None),
            ("payment_claimed", [10_000, 0, 0, 85_118], None),
            ("payment_verified", [10_000, 0, -10_000, 75_118], None),
            ("payment_claimed", [40_000, 5_000, 0, 75_118], None),
            ("payment_rejected", [40_000, 5_000, 0, 75_118], None),
            ("refund_proposed", [0, 0, 0, 75_118], Some(0)),
            ("payment_verified", [20_000, 0, -20_000, 55_118], Some(10_000)),
        ]
    );
    assert_eq!(statement.entries[4].method, Some(PaymentMethod::Zelle));
    assert_eq!(statement.entries[4].payment_kind, Some(PaymentKind::Balance));
}

#[test]
fn a_change_of_the_price_is_a_charge_of_its_own_and_a_move_for_nothing_is_none() {
    let deleted = BookingEvent::Deleted(BookingDeleted {
        station_id: STATION,
        customer_id: CUSTOMER,
        status: BookingStatus::Requested,
        reason: "made by mistake".to_owned(),
        gives_back: None,
        deleted_at: at("2026-11-07T00:00:00Z"),
        restorable_until: at("2026-12-07T00:00:00Z"),
    });
    let events = [
        asked(),
        verified(2, 1, 10_000, 0),
        booking_event(
            3,
            2,
            BookingEvent::GuestCountChanged(guests_changed(85_118, 120_000)),
        ),
        booking_event(4, 3, BookingEvent::Rescheduled(moved(120_000, 120_000))),
        booking_event(5, 4, BookingEvent::Rescheduled(moved(120_000, 9_000))),
        booking_event(6, 5, deleted),
    ];
    let statement = statement(&events);
    let told: Vec<_> = statement
        .entries
        .iter()
        .map(|entry| {
            let cents = [entry.amount_cents, entry.moved_cents, entry.balance_cents];
            (entry.row.position.0, entry.row.kind, cents.map(|amount| amount.0))
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, LedgerKind::Charge, [85_118, 85_118, 85_118]),
            (2, LedgerKind::PaymentVerified, [10_000, -10_000, 75_118]),
            (3, LedgerKind::Charge, [34_882, 34_882, 110_000]),
            (5, LedgerKind::Charge, [-111_000, -111_000, -1_000]),
        ]
    );
    let bookings = fold::<BookingList>(&events);
    let booking = bookings.get(&BOOKING).unwrap();
    assert_eq!(booking.total_cents - booking.paid_cents, Cents(-1_000));
    assert_eq!(
        statement.entries[3].row.deposit_cents,
        Some(booking.deposit_cents)
    );
}

#[test]
fn a_statement_is_read_page_by_page() {
    let statement = statement(&[asked(), claimed(2, 1, 10_000, 0), verified(3, 1, 10_000, 0)]);
    let info = ReadInfo {
        position: domain::envelope::Position(3),
        recorded_at: None,
        lag_events: 0,
        lag_ms: 0,
        stale: false,
        incomplete: false,
    };
    let first = page_of(&statement, &Slice::first(2), info.clone()).unwrap();
    assert_eq!((first.rows.len(), first.has_next), (2, true));
    let rest = Slice {
        after: first.rows.last().map(|listed| listed.cursor.clone()),
        first: 2,
    };
    let second = page_of(&statement, &rest, info.clone()).unwrap();
    assert_eq!(second.rows[0].row, statement.entries[2]);
    assert!(!second.has_next);
    let forged = Slice {
        after: Some(Cursor::from("none of ours".to_owned())),
        first: 2,
    };
    assert!(page_of(&statement, &forged, info).is_err());
}

/// What becomes of a payment: found or not, or nobody has looked yet; with its amount and tip.
fn payments() -> impl Strategy<Value = Vec<(u8, i64, i64)>> {
    proptest::collection::vec((0_u8..3, 1_i64..200_000, 0_i64..20_000), 0..12)
}

proptest! {
    #[test]
    fn the_sums_are_those_of_the_booking_and_of_its_payments(payments in payments(), off in 0_usize..14) {
        let mut events = vec![asked()];
        for (number, (verdict, amount, tip)) in payments.iter().enumerate() {
            let place = |events: &[Recorded]| i64::try_from(events.len()).unwrap() + 1;
            let id = u128::try_from(number).unwrap() + 1;
            if number == off {
                events.push(cancelled(place(&events), half()));
            }
            events.push(claimed(place(&events), id, *amount, *tip));
            match verdict {
                0 => events.push(verified(place(&events), id, *amount, *tip)),
                1 => events.push(rejected(place(&events), id)),
                _ => {}
            }
        }
        let statement = statement(&events);
        let bookings = fold::<BookingList>(&events);
        let booking = bookings.get(&BOOKING).unwrap();
        let sum = |kind, of: fn(&LedgerEntry) -> Cents| {
            let of_kind = statement.entries.iter().filter(|entry| entry.row.kind == kind);
            of_kind.map(of).fold(Cents::ZERO, |sum, amount| sum + amount)
        };
        prop_assert_eq!(sum(LedgerKind::Charge, |entry| entry.amount_cents), booking.total_cents);
        prop_assert_eq!(sum(LedgerKind::PaymentVerified, |entry| entry.amount_cents), booking.paid_cents);
        prop_assert_eq!(sum(LedgerKind::PaymentVerified, |entry| entry.tip_cents), booking.tip_cents);
        let last = statement.entries.last().unwrap();
        prop_assert_eq!(last.balance_cents, booking.total_cents - booking.paid_cents);
        let proposed = booking.refund_proposal.as_ref().map(|proposal| proposal.proposed_refund_cents);
        prop_assert_eq!(last.proposed_refund_cents, proposed);
        let moved = statement.entries.iter().fold(Cents::ZERO, |sum, entry| sum + entry.moved_cents);
        prop_assert_eq!(moved, last.balance_cents);

        let list = fold::<PaymentList>(&events);
        for (status, kind) in [
            (PaymentStatus::Verified, LedgerKind::PaymentVerified),
            (PaymentStatus::Rejected, LedgerKind::PaymentRejected),
        ] {
            let listed = list.iter().filter(|payment| payment.status == status);
            let listed = listed.fold(Cents::ZERO, |sum, payment| sum + payment.amount_cents + payment.tip_cents);
            prop_assert_eq!(sum(kind, |entry| entry.amount_cents + entry.tip_cents), listed);
        }
        let all = list.iter().fold(Cents::ZERO, |sum, payment| sum + payment.amount_cents);
        prop_assert_eq!(sum(LedgerKind::PaymentClaimed, |entry| entry.amount_cents), all);
    }
}

#[test]
fn what_was_given_back_before_is_not_proposed_again() {
    let too_much = PaymentRefundSucceeded {
        booking: paid_booking(),
        refund_id: RefundId(Uuid::from_u128(1)),
        method: PaymentMethod::Zelle,
        kind: RefundKind::Overpayment,
        amount_cents: Cents(20_000),
        tip_cents: Cents::ZERO,
        fee_cents: Cents::ZERO,
        reason: "paid twice".to_owned(),
        provider_ref: None,
        provider_event: None,
        succeeded_at: at("2026-11-03T00:00:00Z"),
    };
    let statement = statement(&[
        asked(),
        verified(2, 1, 50_000, 0),
        payment(3, 1, PaymentEvent::RefundSucceeded(too_much)),
        cancelled(4, RefundRule::Everything),
        verified(5, 2, 1_000, 0),
    ]);
    let proposed: Vec<_> = statement
        .entries
        .iter()
        .map(|entry| entry.proposed_refund_cents)
        .collect();
    assert_eq!(proposed[3..], [Some(Cents(30_000)), Some(Cents(31_000))]);
}
