use super::*;

fn claim(amount: i64, tip: i64) -> PaymentClaimed {
    PaymentClaimed {
        booking: PaidBooking {
            booking_id: BookingId(uuid::Uuid::nil()),
            number: "00000-00000".to_owned(),
            station_id: StationId(uuid::Uuid::nil()),
            event_on: "2026-12-05".parse().unwrap(),
            jurisdiction: Jurisdiction {
                state: "CA".to_owned(),
                county: "Santa Clara".to_owned(),
                city: None,
            },
            rate_ppm: Some(RatePpm(97_500)),
        },
        kind: PaymentKind::Deposit,
        method: PaymentMethod::Zelle,
        amount_cents: Cents(amount),
        tip_cents: Cents(tip),
        reference: None,
        claimed_at: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn record(claimed: PaymentClaimed) -> Result<Vec<PaymentEvent>, PaymentError> {
    Payment::default().decide(PaymentCommand::Record(claimed))
}

fn verify(verdict: Verdict) -> PaymentCommand {
    PaymentCommand::Verify {
        verdict,
        note: None,
        now: "2026-11-21T01:00:00Z".parse().unwrap(),
    }
}

#[test]
fn claimed_money_is_decided_on_once() {
    let mut payment = Payment::default();
    assert_eq!(
        payment.decide(verify(Verdict::Accept)),
        Err(PaymentError::NotFound)
    );
    payment.evolve(&record(claim(10_000, 500)).unwrap()[0]);
    assert_eq!(
        payment.decide(PaymentCommand::Record(claim(1, 0))),
        Err(PaymentError::Exists)
    );
    let events = payment.decide(verify(Verdict::Accept)).unwrap();
    assert!(
        matches!(&events[0], PaymentEvent::Verified(found) if found.amount_cents == Cents(10_000) && found.tip_cents == Cents(500))
    );
    payment.evolve(&events[0]);
    assert_eq!(
        payment.decide(verify(Verdict::Reject)),
        Err(PaymentError::AlreadyDecided("verified"))
    );
}

#[test]
fn money_that_cannot_be_is_refused() {
    assert_eq!(record(claim(0, 0)), Err(PaymentError::BadAmount));
    assert_eq!(record(claim(-1, 0)), Err(PaymentError::BadAmount));
    assert_eq!(record(claim(i64::MAX, 0)), Err(PaymentError::BadAmount));
    assert_eq!(record(claim(1, -1)), Err(PaymentError::BadTip));
    assert_eq!(
        record(PaymentClaimed {
            kind: PaymentKind::Tip,
            ..claim(1, 1)
        }),
        Err(PaymentError::BadTip)
    );
    assert_eq!(
        record(PaymentClaimed {
            method: PaymentMethod::Card,
            ..claim(1, 0)
        }),
        Err(PaymentError::CardByHand)
    );
    assert_eq!(
        record(PaymentClaimed {
            reference: Some("x".repeat(201)),
            ..claim(1, 0)
        }),
        Err(PaymentError::TooLong)
    );
}

#[test]
fn a_tip_pays_nothing_of_the_price() {
    let events = record(PaymentClaimed {
        kind: PaymentKind::Tip,
        ..claim(2_000, 0)
    })
    .unwrap();
    assert!(
        matches!(&events[0], PaymentEvent::Claimed(tip) if tip.amount_cents.is_zero() && tip.tip_cents == Cents(2_000))
    );
}
