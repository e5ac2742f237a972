//! Money that is given back.

use super::*;

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

fn disputed(cents: i64) -> PaymentCommand {
    heard(
        7,
        7,
        ProviderFact::DisputeOpened {
            dispute_id: "dp_1".to_owned(),
            amount_cents: Cents(cents),
            reason: None,
        },
    )
}

#[test]
fn what_a_bank_wants_back_is_not_given_back_from_other_parts() {
    let mut payment = card();
    told(&mut payment, heard(1, 1, succeeded())).unwrap();
    told(&mut payment, PaymentCommand::RequestRefund(refund(1, 10_000))).unwrap();
    // Tip and fee are left, and the bank wants them back: it speaks of a sum, which is laid over the price.
    told(&mut payment, disputed(2_360)).unwrap();
    assert_eq!(payment.refundable(), PaymentParts::ZERO);
    let tip = RequestRefund {
        parts: PaymentParts {
            tip_cents: Cents(1),
            ..PaymentParts::ZERO
        },
        ..refund(2, 0)
    };
    assert!(matches!(
        payment.decide(PaymentCommand::RequestRefund(tip)),
        Err(PaymentError::ExceedsRefundable { .. })
    ));
}

#[test]
fn what_a_person_says_of_a_refund_is_short() {
    let mut payment = found_by(1);
    let later = RequestRefund {
        handed_over: HandedOver::NotYet,
        ..refund(1, 1_000)
    };
    told(&mut payment, PaymentCommand::RequestRefund(later)).unwrap();
    let settle = |seen, reference: Option<String>| PaymentCommand::SettleRefund {
        refund_id: RefundId(uuid::Uuid::from_u128(1)),
        seen,
        provider_ref: reference,
        by: SettledBy::Person,
        now: now(),
    };
    let long = "x".repeat(201);
    assert_eq!(
        payment.decide(settle(RefundSeen::Succeeded, Some(long.clone()))),
        Err(PaymentError::ReferenceTooLong)
    );
    let failed = RefundSeen::Failed { code: Some(long) };
    assert_eq!(
        payment.decide(settle(failed, None)),
        Err(PaymentError::WordTooLong)
    );
}

proptest::proptest! {
    #[test]
    fn what_is_left_is_what_came_without_what_went_whatever_its_parts(
        came in (0_i64..50_000, 0_i64..9_000, 0_i64..900), went in (0_i64..50_000, 0_i64..9_000, 0_i64..900)
    ) {
        let parts = |(amount, tip, fee)| PaymentParts {
            amount_cents: Cents(amount), tip_cents: Cents(tip), fee_cents: Cents(fee),
        };
        let (came, went) = (parts(came), parts(went));
        let left = came.without(went);
        proptest::prop_assert_eq!(left.total(), (came.total() - went.total()).max(Cents::ZERO));
        proptest::prop_assert!(came.covers(left) && left.covers(PaymentParts::ZERO));
    }

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
