//! When a payment fails, or a customer's bank wants money back, a person is called.

use domain::escalation::{EscalationOpen, EscalationSource, EscalationSubject, Severity};
use domain::ids::{BookingId, EscalationId, PaymentId};
use domain::payment::{CANCELED, PaidBooking, PaymentEvent};
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use super::{Policy, Reaction, Reply};

/// What an escalation of a failed payment is told from others of the payment by.
const FAILED: &str = "failed";

/// The escalation that a failed payment opens.
pub(super) fn escalation_of(booking_id: BookingId, payment_id: PaymentId) -> EscalationId {
    let subject = EscalationSubject {
        booking_id: Some(booking_id),
        payment_id: Some(payment_id),
        ..EscalationSubject::default()
    };
    EscalationSource::Payment.escalation(&subject, FAILED)
}

/// Calls a person.
pub struct WhenPaymentFails;

/// Nothing is remembered: an escalation of the same cause is the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}

impl Policy for WhenPaymentFails {
    type State = Nothing;
    const NAME: &'static str = "when_payment_fails";

    fn process(event: &Recorded) -> Option<String> {
        call(event).map(|_| event.stream.id.clone())
    }

    fn react(_state: Option<Nothing>, event: &Recorded) -> Reaction<Nothing> {
        Reaction {
            state: None,
            wake_at: None,
            reply: call(event).map(Reply::OpenEscalation),
        }
    }

    fn due(_process: &str, _state: Nothing) -> Option<Reply> {
        None
    }
}

/// What a person is called for, where one is.
fn call(event: &Recorded) -> Option<EscalationOpen> {
    let DomainEvent::Payment(payment) = &event.event else {
        return None;
    };
    match payment {
        // Nobody wants to pay it any more.
        PaymentEvent::Failed(failed) if failed.code.as_deref() == Some(CANCELED) => None,
        // However often its card is declined, a payment calls once.
        PaymentEvent::Failed(failed) => {
            let code = failed.code.clone().unwrap_or_else(|| "unknown".to_owned());
            let reason = format!(
                "a card payment for booking {} failed: {code}",
                failed.booking.number
            );
            open(
                event,
                &failed.booking,
                (EscalationSource::Payment, Severity::MIDDLE),
                FAILED,
                (code, reason),
            )
        }
        PaymentEvent::DisputeOpened(opened) => {
            let code = opened.reason.clone().unwrap_or_else(|| "unknown".to_owned());
            let reason = format!(
                "a customer's bank wants {} of booking {} back: {code}",
                opened.parts().total(),
                opened.booking.number
            );
            open(
                event,
                &opened.booking,
                (EscalationSource::Dispute, Severity::WORST),
                &opened.dispute_id,
                (code, reason),
            )
        }
        PaymentEvent::Claimed(_)
        | PaymentEvent::Verified(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::Voided(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Succeeded(_)
        | PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundSucceeded(_)
        | PaymentEvent::RefundFailed(_)
        | PaymentEvent::DisputeClosed(_) => None,
    }
}

fn open(
    event: &Recorded,
    booking: &PaidBooking,
    (source, severity): (EscalationSource, Severity),
    cause: &str,
    (code, reason): (String, String),
) -> Option<EscalationOpen> {
    let subject = EscalationSubject {
        booking_id: Some(booking.booking_id),
        payment_id: Some(event.stream.id.parse().ok()?),
        ..EscalationSubject::default()
    };
    Some(EscalationOpen {
        id: source.escalation(&subject, cause),
        source,
        severity,
        code,
        reason,
        subject,
        station_id: Some(booking.station_id),
        customer_id: None,
    })
}
