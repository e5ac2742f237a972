//! What the provider says, in any order.

use super::*;

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

#[test]
fn a_bank_that_decides_anew_is_not_passed_over() {
    let decided = |number, minute, outcome| {
        let dispute_id = "dp_1".to_owned();
        let amount_cents = Cents(12_360);
        heard(
            number,
            minute,
            ProviderFact::DisputeClosed {
                dispute_id,
                amount_cents,
                outcome,
            },
        )
    };
    let mut payment = card();
    told(&mut payment, heard(1, 1, succeeded())).unwrap();
    told(&mut payment, decided(2, 2, DisputeOutcome::Lost)).unwrap();
    assert_eq!(
        payment.decide(decided(3, 3, DisputeOutcome::Lost)),
        Ok(Vec::new())
    );
    assert_eq!(
        payment.decide(decided(4, 4, DisputeOutcome::Won)),
        Err(PaymentError::UnexplainedDispute)
    );
}
