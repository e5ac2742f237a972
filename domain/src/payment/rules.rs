//! How a payment decides what people ask of it.

use chrono::{DateTime, Utc};

use super::event::{
    Evidence, PaymentClaimed, PaymentEvent, PaymentIntentCreated, PaymentRejected, PaymentVerified,
    PaymentVoided,
};
use super::state::{Payment, Standing, Terms};
use super::{PaymentCommand, PaymentError, PaymentKind, PaymentMethod, PaymentParts, Verdict, VerifyPayment};
use crate::decider::Decider;
use crate::ids::UserId;
use crate::money::Cents;

/// The longest note, in characters.
pub(super) const NOTE: usize = 500;
/// The longest reference of a bank or a receipt, in characters.
pub(super) const REFERENCE: usize = 200;
/// The longest word for why a refund failed, in characters.
pub(super) const WORD: usize = 200;

impl Decider for Payment {
    const STREAM: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;

    fn decide(&self, command: PaymentCommand) -> Result<Vec<PaymentEvent>, PaymentError> {
        match command {
            PaymentCommand::CreateIntent(created) => Ok(vec![self.create(created)?]),
            PaymentCommand::Record(claimed) => Ok(vec![self.record(claimed)?]),
            PaymentCommand::Verify(ask) => Ok(vec![self.verify(ask)?]),
            PaymentCommand::Void { reason, by, now } => Ok(vec![self.void(reason, by, now)?]),
            PaymentCommand::RequestRefund(ask) => self.request_refund(ask),
            PaymentCommand::SettleRefund {
                refund_id,
                seen,
                provider_ref,
                by,
                now,
            } => {
                let settled = self.settle(refund_id, seen, provider_ref, by, None, now)?;
                Ok(settled.into_iter().collect())
            }
            PaymentCommand::Hear(notice) => self.hear(notice),
        }
    }

    fn evolve(&mut self, event: &PaymentEvent) {
        self.apply(event);
    }
}

impl Payment {
    fn create(&self, created: PaymentIntentCreated) -> Result<PaymentEvent, PaymentError> {
        if self.terms.is_some() {
            return Err(PaymentError::Exists);
        }
        check_money(created.kind, created.amount_cents, created.tip_cents)?;
        let (amount_cents, tip_cents) = of_kind(created.kind, created.amount_cents, created.tip_cents);
        Ok(PaymentEvent::IntentCreated(PaymentIntentCreated {
            amount_cents,
            tip_cents,
            ..created
        }))
    }

    fn record(&self, claimed: PaymentClaimed) -> Result<PaymentEvent, PaymentError> {
        if self.terms.is_some() {
            return Err(PaymentError::Exists);
        }
        if claimed.method == PaymentMethod::Card {
            return Err(PaymentError::CardByHand);
        }
        check_money(claimed.kind, claimed.amount_cents, claimed.tip_cents)?;
        check_length(
            REFERENCE,
            claimed.reference.as_deref(),
            PaymentError::ReferenceTooLong,
        )?;
        let (amount_cents, tip_cents) = of_kind(claimed.kind, claimed.amount_cents, claimed.tip_cents);
        let reference_key = key_of(claimed.method, claimed.reference.as_deref());
        Ok(PaymentEvent::Claimed(PaymentClaimed {
            amount_cents,
            tip_cents,
            reference_key,
            ..claimed
        }))
    }

    fn verify(&self, ask: VerifyPayment) -> Result<PaymentEvent, PaymentError> {
        let terms = self.terms.as_ref().ok_or(PaymentError::NotFound)?;
        if terms.method == PaymentMethod::Card {
            return Err(PaymentError::CardByHand);
        }
        if self.standing != Some(Standing::Claimed) {
            return Err(PaymentError::AlreadyDecided(self.word()));
        }
        check_length(NOTE, ask.note.as_deref(), PaymentError::NoteTooLong)?;
        check_length(
            REFERENCE,
            ask.reference.as_deref(),
            PaymentError::ReferenceTooLong,
        )?;
        match ask.verdict {
            Verdict::Reject => Ok(PaymentEvent::Rejected(PaymentRejected {
                booking: terms.booking.clone(),
                note: ask.note,
                reference_key: self.reference_key.clone(),
                rejected_at: ask.now,
            })),
            Verdict::Accept => self.accept(terms, ask),
        }
    }

    fn accept(&self, terms: &Terms, ask: VerifyPayment) -> Result<PaymentEvent, PaymentError> {
        let said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        // A reference that another payment could have too shows nothing.
        let named = |text: &Option<String>| key_of(terms.method, text.as_deref()).is_some();
        let evidence = if let Some(mail) = ask.mail {
            mail
        } else if named(&terms.reference) || named(&ask.reference) {
            Evidence::Reference
        } else if said(&ask.note) {
            Evidence::Note
        } else if terms.method == PaymentMethod::Cash {
            Evidence::InHand
        } else {
            return Err(PaymentError::EvidenceRequired);
        };
        let reference_key = key_of(terms.method, ask.reference.as_deref())
            .filter(|key| self.reference_key.as_ref() != Some(key));
        if reference_key.is_some() && self.reference_key.is_some() {
            return Err(PaymentError::WrongState {
                is: "known by another reference",
                wanted: "given a second one",
            });
        }
        Ok(PaymentEvent::Verified(PaymentVerified {
            booking: terms.booking.clone(),
            kind: Some(terms.kind),
            method: terms.method,
            amount_cents: terms.amount_cents,
            tip_cents: terms.tip_cents,
            fee_cents: Cents::ZERO,
            tip_choice: terms.tip_choice.clone(),
            note: ask.note,
            reference: ask.reference.filter(|_| reference_key.is_some()),
            reference_key,
            evidence: Some(evidence),
            verified_by: ask.by,
            verified_at: ask.now,
        }))
    }

    fn void(
        &self,
        reason: String,
        by: Option<UserId>,
        now: DateTime<Utc>,
    ) -> Result<PaymentEvent, PaymentError> {
        let terms = self.terms.as_ref().ok_or(PaymentError::NotFound)?;
        if terms.method == PaymentMethod::Card {
            return Err(PaymentError::CardNotVoided);
        }
        check_reason(&reason)?;
        if self.standing != Some(Standing::Verified) || self.given_back() != PaymentParts::ZERO {
            return Err(PaymentError::WrongState {
                is: self.word(),
                wanted: "voided",
            });
        }
        let voided_by = by
            .filter(|by| self.verified_by != Some(*by))
            .ok_or(PaymentError::SecondPersonRequired)?;
        Ok(PaymentEvent::Voided(PaymentVoided {
            booking: terms.booking.clone(),
            kind: terms.kind,
            method: terms.method,
            amount_cents: self.captured.amount_cents,
            tip_cents: self.captured.tip_cents,
            fee_cents: self.captured.fee_cents,
            reason,
            voided_by,
            reference_key: self.reference_key.clone(),
            voided_at: now,
        }))
    }
}

fn key_of(method: PaymentMethod, reference: Option<&str>) -> Option<String> {
    reference.and_then(|reference| method.reference_key(reference))
}

fn check_money(kind: PaymentKind, amount: Cents, tip: Cents) -> Result<(), PaymentError> {
    if amount <= Cents::ZERO || amount > Cents::MAX_INPUT {
        return Err(PaymentError::BadAmount);
    }
    let tip_twice = kind == PaymentKind::Tip && !tip.is_zero();
    if tip < Cents::ZERO || tip > Cents::MAX_INPUT || tip_twice {
        return Err(PaymentError::BadTip);
    }
    Ok(())
}

/// A payment of kind tip names the tip as its amount, and pays nothing of the price.
fn of_kind(kind: PaymentKind, amount: Cents, tip: Cents) -> (Cents, Cents) {
    match kind {
        PaymentKind::Tip => (Cents::ZERO, amount),
        PaymentKind::Deposit | PaymentKind::Balance | PaymentKind::Other => (amount, tip),
    }
}

pub(super) fn check_length(
    max: usize,
    text: Option<&str>,
    refusal: PaymentError,
) -> Result<(), PaymentError> {
    if text.is_some_and(|text| text.chars().count() > max) {
        Err(refusal)
    } else {
        Ok(())
    }
}

pub(super) fn check_reason(reason: &str) -> Result<(), PaymentError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(PaymentError::BadReason)
    }
}
