//! Money that people send or hand over.

use super::*;

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
        Err(PaymentError::ReferenceTooLong)
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

#[test]
fn money_by_zelle_or_venmo_is_found_by_something_that_shows_it() {
    let bare = PaymentClaimed {
        reference: None,
        ..claim(10_000, 0)
    };
    let verify = |note: Option<&str>, reference: Option<&str>| {
        PaymentCommand::Verify(VerifyPayment {
            verdict: Verdict::Accept,
            note: note.map(str::to_owned),
            reference: reference.map(str::to_owned),
            mail: None,
            by: None,
            now: now(),
        })
    };
    let evidence = |claimed: PaymentClaimed, ask: PaymentCommand| {
        let payment = after(record(claimed).unwrap());
        payment.decide(ask).map(|events| {
            let PaymentEvent::Verified(verified) = &events[0] else {
                panic!("{events:?}");
            };
            verified.evidence.clone()
        })
    };
    assert_eq!(
        evidence(bare.clone(), verify(None, None)),
        Err(PaymentError::EvidenceRequired)
    );
    assert_eq!(
        evidence(bare.clone(), verify(Some(" "), None)),
        Err(PaymentError::EvidenceRequired)
    );
    assert_eq!(
        evidence(bare.clone(), verify(None, Some(" - "))),
        Err(PaymentError::EvidenceRequired),
        "a reference without letters is nobody's"
    );
    let dashes = PaymentClaimed {
        reference: Some("--".to_owned()),
        ..bare.clone()
    };
    assert_eq!(
        evidence(dashes, verify(None, None)),
        Err(PaymentError::EvidenceRequired)
    );
    assert_eq!(
        evidence(bare.clone(), verify(Some(&"x".repeat(501)), None)),
        Err(PaymentError::NoteTooLong)
    );
    assert_eq!(
        evidence(bare.clone(), verify(Some("in the app"), None)),
        Ok(Some(Evidence::Note))
    );
    assert_eq!(
        evidence(bare.clone(), verify(None, Some("Z-7"))),
        Ok(Some(Evidence::Reference))
    );
    assert_eq!(
        evidence(claim(1, 0), verify(None, None)),
        Ok(Some(Evidence::Reference))
    );
    let cash = PaymentClaimed {
        method: PaymentMethod::Cash,
        ..bare
    };
    assert_eq!(evidence(cash, verify(None, None)), Ok(Some(Evidence::InHand)));
}

#[test]
fn a_reference_is_held_however_it_is_written_and_free_again_once_nobody_needs_it() {
    let key = |text| PaymentMethod::Zelle.reference_key(text);
    assert_eq!(key(" z-17 4"), Some("zelle:Z174".to_owned()));
    assert_eq!(key("Z174"), key("z 17-4"));
    assert_eq!(key(" - "), None);
    assert_ne!(key("1"), PaymentMethod::Venmo.reference_key("1"));
    let claimed = record(claim(10_000, 0)).unwrap();
    let held = |event: &PaymentEvent| crate::decider::Event::claims(event);
    assert!(
        matches!(&held(&claimed[0])[..], [crate::envelope::Claim::TakeUnique { key, .. }] if key == "zelle:Z1")
    );
    let rejected = after(claimed).decide(verify(Verdict::Reject)).unwrap();
    assert!(
        matches!(&held(&rejected[0])[..], [crate::envelope::Claim::ReleaseUnique { key, .. }] if key == "zelle:Z1")
    );
}

#[test]
fn only_a_second_person_voids_what_was_found() {
    let void = |by| PaymentCommand::Void {
        reason: "the bank took it back".to_owned(),
        by,
        now: now(),
    };
    let mut payment = found_by(1);
    assert_eq!(
        payment.decide(void(by(1))),
        Err(PaymentError::SecondPersonRequired)
    );
    assert_eq!(
        payment.decide(void(None)),
        Err(PaymentError::SecondPersonRequired)
    );
    let short = PaymentCommand::Void {
        reason: "no".to_owned(),
        by: by(2),
        now: now(),
    };
    assert_eq!(payment.decide(short), Err(PaymentError::BadReason));
    told(&mut payment, void(by(2))).unwrap();
    assert_eq!(payment.status(), Some(PaymentStatus::Voided));
    assert_eq!(payment.refundable(), PaymentParts::ZERO);
    assert!(matches!(
        payment.decide(void(by(2))),
        Err(PaymentError::WrongState { .. })
    ));
    let mut charged = card();
    told(&mut charged, heard(1, 1, succeeded())).unwrap();
    assert_eq!(charged.decide(void(by(2))), Err(PaymentError::CardNotVoided));
    let mut given_back = found_by(1);
    told(&mut given_back, PaymentCommand::RequestRefund(refund(1, 100))).unwrap();
    assert!(matches!(
        given_back.decide(void(by(2))),
        Err(PaymentError::WrongState { .. })
    ));
}
