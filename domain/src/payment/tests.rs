mod by_hand;
mod provider;
mod refunds;

use super::*;
use crate::decider::Decider;

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
        tip_choice: None,
        reference: Some("Z 1".to_owned()),
        reference_key: None,
        claimed_at: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn record(claimed: PaymentClaimed) -> Result<Vec<PaymentEvent>, PaymentError> {
    Payment::default().decide(PaymentCommand::Record(claimed))
}

fn verify(verdict: Verdict) -> PaymentCommand {
    PaymentCommand::Verify(VerifyPayment {
        verdict,
        note: None,
        reference: None,
        mail: None,
        by: None,
        now: "2026-11-21T01:00:00Z".parse().unwrap(),
    })
}

fn by(user: u128) -> Option<UserId> {
    Some(UserId(uuid::Uuid::from_u128(user)))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-22T00:00:00Z")
}

fn after(events: impl IntoIterator<Item = PaymentEvent>) -> Payment {
    let mut payment = Payment::default();
    for event in events {
        payment.evolve(&event);
    }
    payment
}

fn told(payment: &mut Payment, command: PaymentCommand) -> Result<Vec<PaymentEvent>, PaymentError> {
    let events = payment.decide(command)?;
    for event in &events {
        payment.evolve(event);
    }
    Ok(events)
}

fn found_by(user: u128) -> Payment {
    let mut payment = after(record(claim(10_000, 2_000)).unwrap());
    let verify = VerifyPayment {
        verdict: Verdict::Accept,
        note: None,
        reference: None,
        mail: None,
        by: by(user),
        now: now(),
    };
    told(&mut payment, PaymentCommand::Verify(verify)).unwrap();
    payment
}

fn intent() -> PaymentIntentCreated {
    PaymentIntentCreated {
        booking: claim(1, 0).booking,
        kind: PaymentKind::Deposit,
        amount_cents: Cents(10_000),
        tip_cents: Cents(2_000),
        fee_cents: Cents(360),
        fee_rate_ppm: RatePpm(30_000),
        tip_choice: None,
        intent_id: "pi_1".to_owned(),
        created_at: now(),
    }
}

fn card() -> Payment {
    after(
        Payment::default()
            .decide(PaymentCommand::CreateIntent(intent()))
            .unwrap(),
    )
}

fn heard(number: u32, minute: u32, fact: ProviderFact) -> PaymentCommand {
    PaymentCommand::Hear(ProviderNotice {
        event_id: Some(format!("evt_{number}")),
        at: at(&format!("2026-11-22T00:{minute:02}:00Z")),
        fact,
    })
}

fn succeeded() -> ProviderFact {
    ProviderFact::Succeeded {
        received_cents: Cents(12_360),
        charge_id: Some("ch_1".to_owned()),
    }
}

fn refund(number: u128, cents: i64) -> RequestRefund {
    RequestRefund {
        refund_id: RefundId(uuid::Uuid::from_u128(number)),
        kind: RefundKind::PriceAdjustment,
        parts: PaymentParts {
            amount_cents: Cents(cents),
            ..PaymentParts::ZERO
        },
        reason: "one guest fewer".to_owned(),
        limit: None,
        handed_over: HandedOver::Already,
        now: now(),
    }
}
