use domain::booking::{BookingConfirmed, BookingExpired, CancelledBy, RefundRule};
use domain::ids::{PaymentId, RefundId};
use domain::money::RatePpm;
use domain::payment::{PaymentEvent, PaymentMethod, PaymentRefundSucceeded, RefundKind};
use domain::price_list::{CancellationTier, DepositBack};

use super::*;
use crate::testing::{
    BOOKING, CUSTOMER, PAYMENT, STATION, at, booking_event, fold, paid_booking, recorded, requested, verified,
};

fn row(events: &[Recorded]) -> BookingRow {
    fold::<BookingList>(events).get(&BOOKING).cloned().unwrap()
}

fn asked() -> Recorded {
    booking_event(1, 1, BookingEvent::Requested(requested(85_118)))
}

fn confirmed() -> Recorded {
    let confirmed = BookingConfirmed {
        payment_id: PaymentId(PAYMENT),
        station_id: Some(STATION),
        captured_cents: Cents(10_000),
        confirmed_at: at("2026-11-01T01:00:00Z"),
    };
    booking_event(3, 2, BookingEvent::Confirmed(confirmed))
}

fn tier(refund_ppm: i64, deposit_back: DepositBack) -> RefundRule {
    RefundRule::Tier(CancellationTier {
        hours_before: 168,
        refund_ppm: RatePpm(refund_ppm),
        deposit_back,
    })
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
    booking_event(position, 3, BookingEvent::Cancelled(cancelled))
}

#[test]
fn a_request_is_a_booking_that_nothing_is_paid_for() {
    let row = row(&[asked()]);
    assert_eq!((row.status, row.version), (BookingStatus::Requested, 1));
    assert_eq!((row.customer_id, row.station_id), (CUSTOMER, STATION));
    assert_eq!(
        (row.total_cents, row.deposit_cents),
        (Cents(85_118), Cents(10_000))
    );
    assert_eq!(
        (row.paid_cents, row.tip_cents, row.refund_proposal),
        (Cents::ZERO, Cents::ZERO, None)
    );
    assert_eq!(row.start_utc, at("2026-12-06T02:00:00Z"));
    assert_eq!(
        row.requested_at,
        at("2026-11-01T00:00:00.123456Z"),
        "as Postgres keeps it"
    );
}

#[test]
fn payments_count_towards_the_booking_and_leave_its_version() {
    let row = row(&[
        asked(),
        verified(2, 10_000, 0),
        confirmed(),
        verified(4, 75_118, 12_000),
    ]);
    assert_eq!((row.status, row.version), (BookingStatus::Confirmed, 2));
    assert_eq!((row.paid_cents, row.tip_cents), (Cents(85_118), Cents(12_000)));
}

#[test]
fn a_cancellation_proposes_what_its_rule_gives_back() {
    let proposed = |refund| {
        let row = row(&[asked(), verified(2, 50_000, 0), cancelled(3, refund)]);
        assert_eq!((row.status, row.version), (BookingStatus::Cancelled, 3));
        row.refund_proposal.unwrap().proposed_refund_cents
    };
    assert_eq!(proposed(RefundRule::Nothing), Cents::ZERO);
    assert_eq!(proposed(tier(500_000, DepositBack::Kept)), Cents(20_000));
    assert_eq!(proposed(tier(1_000_000, DepositBack::Kept)), Cents(40_000));
    assert_eq!(proposed(tier(1_000_000, DepositBack::Returned)), Cents(50_000));
    assert_eq!(proposed(RefundRule::Everything), Cents(50_000));
}

#[test]
fn money_found_after_the_cancellation_joins_the_proposal() {
    let refund = tier(1_000_000, DepositBack::Kept);
    let row = row(&[asked(), cancelled(2, refund), verified(3, 12_000, 0)]);
    let proposal = row.refund_proposal.unwrap();
    assert_eq!(proposal.deposit_paid_cents, Cents(10_000));
    assert_eq!(proposal.proposed_refund_cents, Cents(2_000));
}

#[test]
fn an_expired_booking_says_so_and_money_for_no_booking_makes_none() {
    let expired = BookingExpired {
        station_id: STATION,
        due_at: at("2026-11-02T00:00:00Z"),
        gives_back: None,
        expired_at: at("2026-11-02T00:00:01Z"),
    };
    let row = row(&[asked(), booking_event(2, 2, BookingEvent::Expired(expired))]);
    assert_eq!(row.status, BookingStatus::Expired);
    assert!(
        fold::<BookingList>(&[verified(1, 10_000, 0)])
            .get(&BOOKING)
            .is_none()
    );
}

#[test]
fn what_was_given_back_before_is_not_proposed_again() {
    let too_much = PaymentRefundSucceeded {
        booking: paid_booking(),
        refund_id: RefundId(uuid::Uuid::from_u128(1)),
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
    let too_much = recorded(
        3,
        &PAYMENT.to_string(),
        2,
        DomainEvent::Payment(PaymentEvent::RefundSucceeded(too_much)),
    );
    let row = row(&[
        asked(),
        verified(2, 50_000, 0),
        too_much,
        cancelled(4, RefundRule::Everything),
        verified(5, 1_000, 0),
    ]);
    assert_eq!(row.refund_proposal.unwrap().proposed_refund_cents, Cents(31_000));
}
