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
        event_id: format!("evt_{number}"),
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

#[test]
fn money_is_given_back_up_to_what_came_less_what_was_given_back_or_is_on_its_way() {
    let ask = |payment: &Payment, ask: RequestRefund| payment.decide(PaymentCommand::RequestRefund(ask));
    let mut payment = card();
    assert!(matches!(
        ask(&payment, refund(1, 100)),
        Err(PaymentError::WrongState { .. })
    ));
    told(&mut payment, heard(1, 1, succeeded())).unwrap();
    assert_eq!(payment.refundable().total(), Cents(12_360));
    assert!(matches!(
        ask(&payment, refund(1, 10_001)),
        Err(PaymentError::ExceedsRefundable { .. })
    ));
    assert_eq!(ask(&payment, refund(1, 0)), Err(PaymentError::BadRefund));
    assert_eq!(ask(&payment, refund(1, -1)), Err(PaymentError::BadRefund));
    let unsaid = RequestRefund {
        reason: "no".to_owned(),
        ..refund(1, 1)
    };
    assert_eq!(ask(&payment, unsaid), Err(PaymentError::BadReason));
    let tip_only = RequestRefund {
        kind: RefundKind::TipOnly,
        ..refund(1, 1)
    };
    assert_eq!(ask(&payment, tip_only), Err(PaymentError::OtherParts("tip_only")));
    let support = RequestRefund {
        limit: Some(Cents(5_000)),
        ..refund(1, 5_001)
    };
    assert_eq!(
        ask(&payment, support),
        Err(PaymentError::AboveRefundLimit { limit: Cents(5_000) })
    );
    told(&mut payment, PaymentCommand::RequestRefund(refund(1, 6_000))).unwrap();
    assert_eq!(payment.status(), Some(PaymentStatus::Succeeded), "it is pending");
    assert!(matches!(
        ask(&payment, refund(2, 4_001)),
        Err(PaymentError::ExceedsRefundable { .. })
    ));
    let settle = |seen, by| PaymentCommand::SettleRefund {
        refund_id: RefundId(uuid::Uuid::from_u128(1)),
        seen,
        provider_ref: None,
        by,
        now: now(),
    };
    assert_eq!(
        payment.decide(settle(RefundSeen::Succeeded, SettledBy::Person)),
        Err(PaymentError::RefundByProvider)
    );
    let failed = RefundSeen::Failed {
        code: Some("expired_card".to_owned()),
    };
    told(&mut payment, settle(failed, SettledBy::Provider)).unwrap();
    assert_eq!(
        payment.refundable().total(),
        Cents(12_360),
        "failed is not given back"
    );
    assert_eq!(
        payment.decide(settle(RefundSeen::Succeeded, SettledBy::Provider)),
        Ok(vec![])
    );
    told(&mut payment, PaymentCommand::RequestRefund(refund(2, 10_000))).unwrap();
    let other = PaymentCommand::SettleRefund {
        refund_id: RefundId(uuid::Uuid::from_u128(9)),
        seen: RefundSeen::Succeeded,
        provider_ref: None,
        by: SettledBy::Provider,
        now: now(),
    };
    assert_eq!(payment.decide(other), Err(PaymentError::RefundNotFound));
}

#[test]
fn what_was_paid_by_hand_is_given_back_by_hand_once() {
    let mut payment = found_by(1);
    let events = told(&mut payment, PaymentCommand::RequestRefund(refund(1, 4_000))).unwrap();
    assert_eq!(events.len(), 2, "asked for and handed over");
    assert_eq!(payment.status(), Some(PaymentStatus::PartiallyRefunded));
    let later = RequestRefund {
        handed_over: HandedOver::NotYet,
        ..refund(2, 1_000)
    };
    assert_eq!(
        told(&mut payment, PaymentCommand::RequestRefund(later))
            .unwrap()
            .len(),
        1
    );
    let settle = PaymentCommand::SettleRefund {
        refund_id: RefundId(uuid::Uuid::from_u128(2)),
        seen: RefundSeen::Succeeded,
        provider_ref: None,
        by: SettledBy::Person,
        now: now(),
    };
    told(&mut payment, settle.clone()).unwrap();
    assert_eq!(
        payment.decide(settle),
        Err(PaymentError::RefundSettled("succeeded"))
    );
    assert_eq!(payment.refunded().total(), Cents(5_000));
}

/// What the provider may say of one payment, told once each.
fn story() -> Vec<PaymentCommand> {
    let refund = ProviderRefund {
        id: "re_1".to_owned(),
        ours: None,
        amount_cents: Cents(11_000),
        seen: RefundSeen::Succeeded,
    };
    let lost = ProviderFact::DisputeClosed {
        dispute_id: "dp_1".to_owned(),
        amount_cents: Cents(1_360),
        outcome: DisputeOutcome::Lost,
    };
    let opened = ProviderFact::DisputeOpened {
        dispute_id: "dp_1".to_owned(),
        amount_cents: Cents(1_360),
        reason: None,
    };
    let failed = ProviderFact::Failed {
        code: Some("card_declined".to_owned()),
    };
    vec![
        heard(1, 1, ProviderFact::Nothing),
        heard(2, 2, failed),
        heard(3, 3, ProviderFact::Processing),
        heard(4, 4, succeeded()),
        heard(5, 5, ProviderFact::Refunds(vec![refund])),
        heard(6, 6, opened),
        heard(7, 7, lost),
    ]
}

fn orders<T: Clone>(left: &[T]) -> Vec<Vec<T>> {
    if left.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..left.len() {
        let mut rest = left.to_vec();
        let first = rest.remove(index);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

fn end_of(order: &[PaymentCommand]) -> (Payment, BookingMoney) {
    let (mut payment, mut money) = (card(), BookingMoney::default());
    for word in order {
        for event in told(&mut payment, word.clone()).unwrap() {
            money = money.plus(event.money().unwrap_or_default());
        }
    }
    (payment, money)
}

#[test]
fn in_every_order_and_heard_twice_the_provider_says_the_same() {
    let all = orders(&story());
    assert_eq!(all.len(), 5_040);
    let (payment, money) = end_of(&story());
    assert_eq!(payment.status(), Some(PaymentStatus::Disputed));
    assert_eq!(payment.refunded().total(), Cents(11_000));
    assert_eq!(money.refunded_cents, Cents(10_000));
    for order in all {
        assert_eq!(end_of(&order), (payment.clone(), money), "{order:?}");
        let twice: Vec<_> = order.iter().chain(&order).cloned().collect();
        assert_eq!(end_of(&twice), (payment.clone(), money), "{order:?}");
    }
}

#[test]
fn a_refund_that_failed_after_all_is_not_given_back_whatever_comes_first() {
    let word = |number, minute, seen| {
        heard(
            number,
            minute,
            ProviderFact::Refunds(vec![ProviderRefund {
                id: "re_1".to_owned(),
                ours: None,
                amount_cents: Cents(5_000),
                seen,
            }]),
        )
    };
    let failed = RefundSeen::Failed { code: None };
    let words = [
        heard(1, 1, succeeded()),
        word(2, 2, RefundSeen::Pending),
        word(3, 3, RefundSeen::Succeeded),
        word(4, 4, failed),
    ];
    for order in orders(&words) {
        let (payment, money) = end_of(&order);
        assert_eq!(payment.refunded(), PaymentParts::ZERO);
        assert_eq!(payment.refundable().total(), Cents(12_360));
        assert_eq!(money.due_cents(Cents(10_000)), Cents::ZERO);
    }
}

#[test]
fn a_total_of_the_provider_tells_which_refund_has_arrived_or_is_not_explained() {
    let mut payment = card();
    told(&mut payment, heard(1, 1, succeeded())).unwrap();
    told(&mut payment, PaymentCommand::RequestRefund(refund(1, 3_000))).unwrap();
    told(&mut payment, PaymentCommand::RequestRefund(refund(2, 2_000))).unwrap();
    let total = |number, cents| heard(number, 2, ProviderFact::RefundedInAll(Cents(cents)));
    assert_eq!(
        payment.decide(total(2, 1_999)),
        Err(PaymentError::UnexplainedRefund)
    );
    told(&mut payment, total(3, 2_000)).unwrap();
    assert_eq!(
        payment.refund(RefundId(uuid::Uuid::from_u128(2))).unwrap().state,
        RefundState::Succeeded
    );
    assert_eq!(payment.decide(total(4, 2_000)), Ok(vec![]));
    told(&mut payment, total(5, 5_000)).unwrap();
    assert_eq!(payment.refunded().total(), Cents(5_000));
}

#[test]
fn what_was_too_much_is_owed_again_once_given_back_and_a_kindness_is_not() {
    let money = |kind, cents| {
        let mut payment = card();
        let mut money = BookingMoney::default();
        let ask = RequestRefund {
            kind,
            ..refund(1, cents)
        };
        let settle = PaymentCommand::SettleRefund {
            refund_id: ask.refund_id,
            seen: RefundSeen::Succeeded,
            provider_ref: None,
            by: SettledBy::Provider,
            now: now(),
        };
        for command in [
            heard(1, 1, succeeded()),
            PaymentCommand::RequestRefund(ask),
            settle,
        ] {
            for event in told(&mut payment, command).unwrap() {
                money = money.plus(event.money().unwrap_or_default());
            }
        }
        money
    };
    assert_eq!(
        money(RefundKind::Overpayment, 1_000).due_cents(Cents(9_000)),
        Cents::ZERO
    );
    assert_eq!(
        money(RefundKind::Goodwill, 1_000).due_cents(Cents(10_000)),
        Cents::ZERO
    );
}

#[test]
fn a_card_is_the_providers_business_and_other_money_is_not() {
    let mut payment = card();
    assert_eq!(
        payment.decide(PaymentCommand::CreateIntent(intent())),
        Err(PaymentError::Exists)
    );
    assert_eq!(
        payment.decide(verify(Verdict::Accept)),
        Err(PaymentError::CardByHand)
    );
    assert_eq!(
        found_by(1).decide(heard(1, 1, succeeded())),
        Err(PaymentError::NotFound)
    );
    assert_eq!(
        Payment::default().decide(heard(1, 1, succeeded())),
        Err(PaymentError::NotFound)
    );
    told(&mut payment, heard(2, 2, ProviderFact::Processing)).unwrap();
    assert_eq!(payment.status(), Some(PaymentStatus::Processing));
}

proptest::proptest! {
    #[test]
    fn an_amount_laid_over_parts_is_the_sum_of_its_parts(
        total in 0_i64..100_000, amount in 0_i64..50_000, tip in 0_i64..9_000, fee in 0_i64..900
    ) {
        let parts = PaymentParts { amount_cents: Cents(amount), tip_cents: Cents(tip), fee_cents: Cents(fee) };
        let laid = parts.allocate(Cents(total));
        proptest::prop_assert_eq!(laid.total(), Cents(total));
        proptest::prop_assert!(Cents(total) > parts.total() || parts.covers(laid));
    }
}
