//! Payments in plain sentences.

use domain::money::Cents;
use domain::payment::{
    DisputeOutcome, Evidence, PaymentClaimed, PaymentEvent, PaymentIntentCreated, PaymentParts,
    PaymentVerified, RefundState, RefundWas,
};

use super::super::description::{Description, Told};

fn money(parts: PaymentParts) -> String {
    let mut text = parts.amount_cents.to_string();
    for (part, what) in [(parts.tip_cents, "a tip"), (parts.fee_cents, "a card fee")] {
        if !part.is_zero() {
            text = format!("{text} and {what} of {part}");
        }
    }
    text
}

fn of_claim(claimed: &PaymentClaimed) -> PaymentParts {
    PaymentParts {
        amount_cents: claimed.amount_cents,
        tip_cents: claimed.tip_cents,
        fee_cents: Cents::ZERO,
    }
}

fn became(description: Description, before: &str, after: &str) -> Description {
    description.changed("status", Some(Told::status(before)), Told::status(after))
}

pub(super) fn describe_payment(event: &PaymentEvent) -> Description {
    let number = &event.booking().number;
    match event {
        PaymentEvent::Claimed(claimed) => describe_claim(claimed),
        PaymentEvent::Verified(verified) => describe_verified(verified),
        PaymentEvent::Rejected(rejected) => {
            let said = Description::of(format!("Payment for booking {number} rejected"));
            became(said.because(rejected.note.as_ref()), "claimed", "rejected")
        }
        PaymentEvent::Voided(voided) => {
            let said = Description::of(format!(
                "Payment of {} by {} for booking {number} voided",
                money(voided.parts()),
                voided.method.as_str(),
            ));
            became(said.because(Some(&voided.reason)), "verified", "voided")
        }
        PaymentEvent::IntentCreated(created) => describe_intent(created),
        PaymentEvent::Processing(_) => {
            let said = Description::of(format!("Card for booking {number} is being charged"));
            became(said, "created", "processing")
        }
        PaymentEvent::Succeeded(succeeded) => Description::of(format!(
            "Card charged {} for booking {number} ({})",
            money(succeeded.parts()),
            succeeded.kind.as_str()
        ))
        .set("status", Told::status("succeeded")),
        PaymentEvent::Failed(failed) => {
            let why = failed.code.as_deref().map(|code| format!(": {code}"));
            Description::of(format!(
                "Card for booking {number} not charged{}",
                why.unwrap_or_default()
            ))
            .set("status", Told::status("failed"))
        }
        PaymentEvent::RefundRequested(_)
        | PaymentEvent::RefundSucceeded(_)
        | PaymentEvent::RefundFailed(_) => describe_refund(event),
        PaymentEvent::DisputeOpened(opened) => {
            let why = opened.reason.as_deref().map(|reason| format!(": {reason}"));
            Description::of(format!(
                "{} for booking {number} disputed by the customer's bank{}",
                money(opened.parts()),
                why.unwrap_or_default()
            ))
            .set("dispute", Told::status("open"))
        }
        PaymentEvent::DisputeClosed(closed) => {
            let kept = match closed.outcome {
                DisputeOutcome::Won => "the company keeps the money",
                DisputeOutcome::Lost => "the money was taken back",
            };
            Description::of(format!(
                "Dispute of {} for booking {number} {}: {kept}",
                money(closed.parts()),
                closed.outcome.as_str(),
            ))
            .changed(
                "dispute",
                Some(Told::status("open")),
                Told::status(closed.outcome.as_str()),
            )
        }
    }
}

fn describe_claim(claimed: &PaymentClaimed) -> Description {
    Description::of(format!(
        "Payment of {} by {} for booking {} recorded ({})",
        money(of_claim(claimed)),
        claimed.method.as_str(),
        claimed.booking.number,
        claimed.kind.as_str()
    ))
    .set("status", Told::status("claimed"))
    .set("amount", claimed.amount_cents)
    .set("tip", claimed.tip_cents)
}

fn describe_verified(verified: &PaymentVerified) -> Description {
    let said = Description::of(format!(
        "Payment of {} by {} for booking {} verified",
        money(verified.parts()),
        verified.method.as_str(),
        verified.booking.number
    ));
    let said = became(said.because(verified.note.as_ref()), "claimed", "verified");
    match &verified.evidence {
        None => said,
        Some(evidence) => said.set(
            "evidence",
            match evidence {
                Evidence::Note => "note",
                Evidence::Reference => "reference",
                Evidence::BankMail(_) => "bank mail",
                Evidence::InHand => "in hand",
            },
        ),
    }
}

fn describe_intent(created: &PaymentIntentCreated) -> Description {
    Description::of(format!(
        "Card payment of {} for booking {} prepared ({})",
        money(created.parts()),
        created.booking.number,
        created.kind.as_str()
    ))
    .set("status", Told::status("created"))
    .set("amount", created.amount_cents)
    .set("tip", created.tip_cents)
    .set("fee", created.fee_cents)
    .set("fee_rate", created.fee_rate_ppm)
}

fn describe_refund(event: &PaymentEvent) -> Description {
    let number = &event.booking().number;
    let (id, parts, kind, reason, before, after) = match event {
        PaymentEvent::RefundRequested(asked) => (
            asked.refund_id,
            asked.parts(),
            asked.kind,
            &asked.reason,
            None,
            RefundState::Pending,
        ),
        PaymentEvent::RefundSucceeded(done) => (
            done.refund_id,
            done.parts(),
            done.kind,
            &done.reason,
            Some(RefundState::Pending),
            RefundState::Succeeded,
        ),
        PaymentEvent::RefundFailed(failed) => (
            failed.refund_id,
            failed.parts(),
            failed.kind,
            &failed.reason,
            Some(match failed.was {
                RefundWas::Pending => RefundState::Pending,
                RefundWas::Succeeded => RefundState::Succeeded,
            }),
            RefundState::Failed,
        ),
        PaymentEvent::Claimed(_)
        | PaymentEvent::Verified(_)
        | PaymentEvent::Rejected(_)
        | PaymentEvent::Voided(_)
        | PaymentEvent::IntentCreated(_)
        | PaymentEvent::Processing(_)
        | PaymentEvent::Succeeded(_)
        | PaymentEvent::Failed(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::DisputeClosed(_) => {
            return Description::of(format!("Payment for booking {number} changed"));
        }
    };
    let what = match after {
        RefundState::Pending => "to be given back",
        RefundState::Succeeded => "given back",
        RefundState::Failed => "not given back",
    };
    Description::of(format!(
        "{} for booking {number} {what} ({})",
        money(parts),
        kind.as_str().replace('_', " ")
    ))
    .because(Some(reason))
    .set("refund", id.to_string())
    .changed(
        "refund_status",
        before.map(|state| Told::status(state.as_str())),
        Told::status(after.as_str()),
    )
}
