//! Events of a payment and of its booking, as far as the books look at them.

use super::*;

pub(super) const NOW: &str = "2026-11-02T07:30:00Z";
pub(super) const REFUND: RefundId = RefundId(Uuid::from_u128(11));

pub(super) fn payment(position: i64, event: PaymentEvent) -> Recorded {
    recorded(
        position,
        &PAYMENT.to_string(),
        position,
        DomainEvent::Payment(event),
    )
}

pub(super) fn paid(position: i64, amount: i64, tip: i64, fee: i64) -> Recorded {
    payment(
        position,
        PaymentEvent::Succeeded(PaymentSucceeded {
            booking: paid_booking(),
            kind: PaymentKind::Balance,
            method: PaymentMethod::Card,
            amount_cents: Cents(amount),
            tip_cents: Cents(tip),
            fee_cents: Cents(fee),
            tip_choice: None,
            charge_id: None,
            provider_event: None,
            succeeded_at: at(NOW),
        }),
    )
}

pub(super) fn voided(position: i64, amount: i64, tip: i64, fee: i64) -> Recorded {
    payment(
        position,
        PaymentEvent::Voided(PaymentVoided {
            booking: paid_booking(),
            kind: PaymentKind::Balance,
            method: PaymentMethod::Card,
            amount_cents: Cents(amount),
            tip_cents: Cents(tip),
            fee_cents: Cents(fee),
            reason: "not there".to_owned(),
            voided_by: UserId(Uuid::nil()),
            reference_key: None,
            voided_at: at(NOW),
        }),
    )
}

pub(super) fn refunded(position: i64, kind: RefundKind, amount: i64, tip: i64, fee: i64) -> Recorded {
    payment(
        position,
        PaymentEvent::RefundSucceeded(PaymentRefundSucceeded {
            booking: paid_booking(),
            refund_id: REFUND,
            method: PaymentMethod::Card,
            kind,
            amount_cents: Cents(amount),
            tip_cents: Cents(tip),
            fee_cents: Cents(fee),
            reason: "asked".to_owned(),
            provider_ref: None,
            provider_event: None,
            succeeded_at: at(NOW),
        }),
    )
}

pub(super) fn refund_failed(position: i64, was: RefundWas) -> Recorded {
    payment(
        position,
        PaymentEvent::RefundFailed(PaymentRefundFailed {
            booking: paid_booking(),
            refund_id: REFUND,
            method: PaymentMethod::Card,
            kind: RefundKind::Goodwill,
            amount_cents: Cents(1),
            tip_cents: Cents(0),
            fee_cents: Cents(0),
            reason: "asked".to_owned(),
            code: None,
            was,
            provider_event: None,
            failed_at: at(NOW),
        }),
    )
}

pub(super) fn disputed(position: i64, amount: i64) -> Recorded {
    payment(
        position,
        PaymentEvent::DisputeOpened(PaymentDisputeOpened {
            booking: paid_booking(),
            dispute_id: "d".to_owned(),
            amount_cents: Cents(amount),
            tip_cents: Cents(0),
            fee_cents: Cents(0),
            reason: None,
            provider_event: None,
            opened_at: at(NOW),
        }),
    )
}

pub(super) fn decided(position: i64, amount: i64, outcome: DisputeOutcome) -> Recorded {
    payment(
        position,
        PaymentEvent::DisputeClosed(PaymentDisputeClosed {
            booking: paid_booking(),
            dispute_id: "d".to_owned(),
            outcome,
            amount_cents: Cents(amount),
            tip_cents: Cents(0),
            fee_cents: Cents(0),
            provider_event: None,
            closed_at: at(NOW),
        }),
    )
}

pub(super) fn asked(position: i64, total: i64) -> Recorded {
    booking_event(position, 1, BookingEvent::Requested(requested(total)))
}

pub(super) fn held(position: i64, total: i64) -> Recorded {
    booking_event(
        position,
        2,
        BookingEvent::Completed(completed(total, Some(91_250))),
    )
}

pub(super) fn called_off(position: i64, refund: RefundRule, kept: KeptDepositTax) -> Recorded {
    let cancelled = BookingCancelled {
        station_id: STATION,
        by: CancelledBy::Customer,
        reason: "ill".to_owned(),
        hours_before: 500,
        was: None,
        refund,
        gives_back: None,
        kept,
        cancelled_at: at(NOW),
    };
    booking_event(position, 2, BookingEvent::Cancelled(cancelled))
}

pub(super) fn adjusted(position: i64, kind: TaxAdjustment, gross: i64) -> Recorded {
    let tax_cents = tax::extract(Cents(gross), RatePpm(91_250)).tax_cents;
    let card_fee_cents = if kind == TaxAdjustment::CardFee {
        Cents(gross)
    } else {
        Cents::ZERO
    };
    let adjusted = BookingTaxAdjusted {
        station_id: STATION,
        number: "N".to_owned(),
        event_on: "2026-12-05".parse().unwrap(),
        tax_on: "2026-12-06".parse().unwrap(),
        kind,
        tax_place: tax_place(Some(91_250)),
        venue_zip: "95112".to_owned(),
        venue_city: "San Jose".to_owned(),
        venue_county: "Santa Clara".to_owned(),
        figures: TaxFigures {
            gross_cents: Cents(gross),
            card_fee_cents,
            net_cents: Cents(gross) - tax_cents,
            tax_cents,
            ..TaxFigures::default()
        },
        parties: None,
        kept: None,
        payment: None,
        reason: None,
        adjusted_at: at(NOW),
    };
    booking_event(position, 3, BookingEvent::TaxAdjusted(adjusted))
}
