//! A payment as its stream tells it, and how it decides.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::{
    DisputeOutcome, Evidence, PaymentClaimed, PaymentEvent, PaymentIntentCreated, PaymentRefundFailed,
    PaymentRefundRequested, PaymentRefundSucceeded, PaymentRejected, PaymentVerified, PaymentVoided,
    RefundWas,
};
use super::{
    HandedOver, PaidBooking, PaymentCommand, PaymentError, PaymentKind, PaymentMethod, PaymentParts,
    RefundKind, RefundSeen, RefundState, RequestRefund, SettledBy, TipChoice, Verdict, VerifyPayment,
};
use crate::decider::Decider;
use crate::ids::{RefundId, UserId};
use crate::money::Cents;

/// Where a payment stands, all considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// A card may be charged.
    Created,
    /// A card is being charged.
    Processing,
    /// A card was charged: it counts.
    Succeeded,
    /// A card was not charged.
    Failed,
    /// Somebody says that it was made.
    Claimed,
    /// It was found: it counts.
    Verified,
    /// It was not found.
    Rejected,
    /// It was found and is not there after all.
    Voided,
    /// Some of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// The customer's bank wants it back, or has taken it back.
    Disputed,
}

impl PaymentStatus {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Claimed => "claimed",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Voided => "voided",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
        }
    }
}

/// What a payment is to come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What for.
    pub booking: PaidBooking,
    /// What it is.
    pub kind: PaymentKind,
    /// How it moves.
    pub method: PaymentMethod,
    /// Towards the booking's price, in cents.
    pub amount_cents: Cents,
    /// Voluntary tip on top, in cents.
    pub tip_cents: Cents,
    /// Card fee on top, in cents.
    pub fee_cents: Cents,
    /// How the tip was chosen, where that was recorded.
    pub tip_choice: Option<TipChoice>,
    /// What the bank or the receipt calls it.
    pub reference: Option<String>,
}

impl Terms {
    /// What it comes to, part by part.
    pub fn parts(&self) -> PaymentParts {
        PaymentParts {
            amount_cents: self.amount_cents,
            tip_cents: self.tip_cents,
            fee_cents: self.fee_cents,
        }
    }
}

/// Where the money itself stands, whatever was given back since. In the order of what overtakes what at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Standing {
    Created,
    Claimed,
    Processing,
    Failed,
    Rejected,
    Succeeded,
    Verified,
    Voided,
}

impl Standing {
    fn status(self) -> PaymentStatus {
        match self {
            Self::Created => PaymentStatus::Created,
            Self::Claimed => PaymentStatus::Claimed,
            Self::Processing => PaymentStatus::Processing,
            Self::Failed => PaymentStatus::Failed,
            Self::Rejected => PaymentStatus::Rejected,
            Self::Succeeded => PaymentStatus::Succeeded,
            Self::Verified => PaymentStatus::Verified,
            Self::Voided => PaymentStatus::Voided,
        }
    }
}

/// Money that is given back, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The refund.
    pub refund_id: RefundId,
    /// Why, as the tax sees it.
    pub kind: RefundKind,
    /// What of the payment.
    pub parts: PaymentParts,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: RefundState,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
}

/// Where a dispute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeState {
    /// The bank has not decided.
    Open,
    /// The company keeps the money.
    Won,
    /// The money was taken back.
    Lost,
}

/// Money that a customer's bank wants back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The provider's id of it.
    pub dispute_id: String,
    /// What of the payment.
    pub parts: PaymentParts,
    /// Where it stands.
    pub state: DisputeState,
}

/// A payment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payment {
    terms: Option<Terms>,
    standing: Option<Standing>,
    /// When the provider said where it stands.
    standing_at: Option<DateTime<Utc>>,
    captured: PaymentParts,
    verified_by: Option<UserId>,
    intent_id: Option<String>,
    reference_key: Option<String>,
    refunds: Vec<Refund>,
    disputes: Vec<Dispute>,
}

impl Payment {
    /// What it is to come to, once there is one.
    pub fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// The provider's id of its intent, of a card.
    pub fn intent_id(&self) -> Option<&str> {
        self.intent_id.as_deref()
    }

    /// What came, part by part; nothing until it counts.
    pub fn captured(&self) -> PaymentParts {
        self.captured
    }

    /// Its refunds, the oldest first.
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    /// Its disputes, the oldest first.
    pub fn disputes(&self) -> &[Dispute] {
        &self.disputes
    }

    /// Its refund of an id.
    pub fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.refund_id == id)
    }

    pub(super) fn dispute(&self, id: &str) -> Option<&Dispute> {
        self.disputes.iter().find(|dispute| dispute.dispute_id == id)
    }

    pub(super) fn refunds_that_are(&self, state: RefundState) -> impl Iterator<Item = &Refund> {
        self.refunds.iter().filter(move |refund| refund.state == state)
    }

    /// Whether it counts, or once did: it was captured or verified, and not voided.
    pub fn counts(&self) -> bool {
        matches!(self.standing, Some(Standing::Succeeded | Standing::Verified))
    }

    /// Whether a word of the provider is older than what is known, or no match for a success.
    pub(super) fn is_overtaken(&self, standing: Standing, at: DateTime<Utc>) -> bool {
        let known = self.standing.unwrap_or(Standing::Created);
        if known >= Standing::Succeeded {
            return true;
        }
        self.standing_at
            .is_some_and(|known_at| (known_at, known) >= (at, standing))
    }

    /// What was given back, part by part.
    pub fn refunded(&self) -> PaymentParts {
        sum(self
            .refunds_that_are(RefundState::Succeeded)
            .map(|refund| refund.parts))
    }

    /// What was given back or is on its way, part by part.
    pub(super) fn given_back(&self) -> PaymentParts {
        sum(self
            .refunds
            .iter()
            .filter(|refund| refund.state != RefundState::Failed)
            .map(|refund| refund.parts))
    }

    /// What can still be given back, part by part: what came, without what was given back or is on its way, and without
    /// what is in dispute or was lost in one.
    pub fn refundable(&self) -> PaymentParts {
        if !self.counts() {
            return PaymentParts::ZERO;
        }
        let disputed = sum(self
            .disputes
            .iter()
            .filter(|dispute| dispute.state != DisputeState::Won)
            .map(|dispute| dispute.parts));
        self.captured.less(self.given_back()).less(disputed)
    }

    /// Where it stands, all considered; none until there is one.
    pub fn status(&self) -> Option<PaymentStatus> {
        let standing = self.standing?;
        if self
            .disputes
            .iter()
            .any(|dispute| dispute.state != DisputeState::Won)
        {
            return Some(PaymentStatus::Disputed);
        }
        let refunded = self.refunded().total();
        Some(if refunded.is_zero() {
            standing.status()
        } else if refunded < self.captured.total() || self.captured == PaymentParts::ZERO {
            PaymentStatus::PartiallyRefunded
        } else {
            PaymentStatus::Refunded
        })
    }

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
        check_length(200, claimed.reference.as_deref())?;
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
        check_length(500, ask.note.as_deref())?;
        check_length(200, ask.reference.as_deref())?;
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
        let evidence = if let Some(mail) = ask.mail {
            mail
        } else if said(&terms.reference) || said(&ask.reference) {
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

    fn request_refund(&self, ask: RequestRefund) -> Result<Vec<PaymentEvent>, PaymentError> {
        let terms = self.terms.as_ref().ok_or(PaymentError::NotFound)?;
        check_reason(&ask.reason)?;
        let parts = ask.parts;
        let negative = [parts.amount_cents, parts.tip_cents, parts.fee_cents]
            .iter()
            .any(|part| *part < Cents::ZERO || *part > Cents::MAX_INPUT);
        if negative || parts == PaymentParts::ZERO {
            return Err(PaymentError::BadRefund);
        }
        if !self.counts() {
            return Err(PaymentError::WrongState {
                is: self.word(),
                wanted: "refunded",
            });
        }
        ask.kind.check(parts)?;
        let refundable = self.refundable();
        if !refundable.covers(parts) {
            return Err(PaymentError::ExceedsRefundable {
                refundable: refundable.total(),
                asked: parts.total(),
            });
        }
        if let Some(limit) = ask.limit
            && self.given_back().plus(parts).total() > limit
        {
            return Err(PaymentError::AboveRefundLimit { limit });
        }
        let requested = PaymentEvent::RefundRequested(PaymentRefundRequested {
            booking: terms.booking.clone(),
            refund_id: ask.refund_id,
            method: terms.method,
            kind: ask.kind,
            amount_cents: parts.amount_cents,
            tip_cents: parts.tip_cents,
            fee_cents: parts.fee_cents,
            reason: ask.reason,
            provider_event: None,
            requested_at: ask.now,
        });
        let mut after = self.clone();
        after.evolve(&requested);
        let by_hand = terms.method != PaymentMethod::Card && ask.handed_over == HandedOver::Already;
        let done = if by_hand {
            after.settle(
                ask.refund_id,
                RefundSeen::Succeeded,
                None,
                SettledBy::Person,
                None,
                ask.now,
            )?
        } else {
            None
        };
        Ok(std::iter::once(requested).chain(done).collect())
    }

    /// What becomes of a refund; nothing where that is known. A refund that has failed stays so, whatever is heard of it
    /// later, in whichever order.
    pub(super) fn settle(
        &self,
        id: RefundId,
        seen: RefundSeen,
        provider_ref: Option<String>,
        by: SettledBy,
        told: Option<String>,
        at: DateTime<Utc>,
    ) -> Result<Option<PaymentEvent>, PaymentError> {
        let terms = self.terms.as_ref().ok_or(PaymentError::NotFound)?;
        let refund = self.refund(id).ok_or(PaymentError::RefundNotFound)?;
        let card = terms.method == PaymentMethod::Card;
        if card && by == SettledBy::Person {
            return Err(PaymentError::RefundByProvider);
        }
        if by == SettledBy::Person && refund.state != RefundState::Pending {
            return Err(PaymentError::RefundSettled(refund.state.as_str()));
        }
        let was = match (refund.state, &seen) {
            (_, RefundSeen::Pending)
            | (RefundState::Failed, _)
            | (RefundState::Succeeded, RefundSeen::Succeeded) => return Ok(None),
            (RefundState::Pending, _) => RefundWas::Pending,
            (RefundState::Succeeded, RefundSeen::Failed { .. }) => RefundWas::Succeeded,
        };
        let PaymentParts {
            amount_cents,
            tip_cents,
            fee_cents,
        } = refund.parts;
        let (booking, method, kind) = (terms.booking.clone(), terms.method, refund.kind);
        let reason = refund.reason.clone();
        Ok(Some(match seen {
            RefundSeen::Failed { code } => PaymentEvent::RefundFailed(PaymentRefundFailed {
                booking,
                refund_id: id,
                method,
                kind,
                amount_cents,
                tip_cents,
                fee_cents,
                reason,
                code,
                was,
                provider_event: told,
                failed_at: at,
            }),
            RefundSeen::Pending | RefundSeen::Succeeded => {
                PaymentEvent::RefundSucceeded(PaymentRefundSucceeded {
                    booking,
                    refund_id: id,
                    method,
                    kind,
                    amount_cents,
                    tip_cents,
                    fee_cents,
                    reason,
                    provider_ref,
                    provider_event: told,
                    succeeded_at: at,
                })
            }
        }))
    }

    fn word(&self) -> &'static str {
        self.status().map_or("unknown", PaymentStatus::as_str)
    }

    fn set_refund(&mut self, id: RefundId, state: RefundState) {
        for refund in &mut self.refunds {
            if refund.refund_id == id {
                refund.state = state;
            }
        }
    }
}

fn sum(parts: impl Iterator<Item = PaymentParts>) -> PaymentParts {
    parts.fold(PaymentParts::ZERO, PaymentParts::plus)
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

fn check_length(max: usize, text: Option<&str>) -> Result<(), PaymentError> {
    if text.is_some_and(|text| text.chars().count() > max) {
        Err(PaymentError::TooLong)
    } else {
        Ok(())
    }
}

fn check_reason(reason: &str) -> Result<(), PaymentError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(PaymentError::BadReason)
    }
}

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
        match event {
            PaymentEvent::IntentCreated(created) => {
                self.terms = Some(Terms {
                    booking: created.booking.clone(),
                    kind: created.kind,
                    method: PaymentMethod::Card,
                    amount_cents: created.amount_cents,
                    tip_cents: created.tip_cents,
                    fee_cents: created.fee_cents,
                    tip_choice: created.tip_choice.clone(),
                    reference: None,
                });
                self.standing = Some(Standing::Created);
                self.intent_id = Some(created.intent_id.clone());
            }
            PaymentEvent::Claimed(claimed) => {
                self.terms = Some(Terms {
                    booking: claimed.booking.clone(),
                    kind: claimed.kind,
                    method: claimed.method,
                    amount_cents: claimed.amount_cents,
                    tip_cents: claimed.tip_cents,
                    fee_cents: Cents::ZERO,
                    tip_choice: claimed.tip_choice.clone(),
                    reference: claimed.reference.clone(),
                });
                self.standing = Some(Standing::Claimed);
                self.reference_key.clone_from(&claimed.reference_key);
            }
            PaymentEvent::Processing(heard) => {
                self.standing = Some(Standing::Processing);
                self.standing_at = Some(heard.provider_at);
            }
            PaymentEvent::Failed(heard) => {
                self.standing = Some(Standing::Failed);
                self.standing_at = Some(heard.provider_at);
            }
            PaymentEvent::Succeeded(succeeded) => {
                self.standing = Some(Standing::Succeeded);
                self.standing_at = Some(succeeded.succeeded_at);
                self.captured = succeeded.parts();
            }
            PaymentEvent::Verified(verified) => {
                self.standing = Some(Standing::Verified);
                self.captured = verified.parts();
                self.verified_by = verified.verified_by;
                if verified.reference_key.is_some() {
                    self.reference_key.clone_from(&verified.reference_key);
                    if let Some(terms) = &mut self.terms {
                        terms.reference.clone_from(&verified.reference);
                    }
                }
            }
            PaymentEvent::Rejected(_) => self.standing = Some(Standing::Rejected),
            PaymentEvent::Voided(_) => self.standing = Some(Standing::Voided),
            PaymentEvent::RefundRequested(requested) => self.refunds.push(Refund {
                refund_id: requested.refund_id,
                kind: requested.kind,
                parts: requested.parts(),
                reason: requested.reason.clone(),
                state: RefundState::Pending,
                requested_at: requested.requested_at,
            }),
            PaymentEvent::RefundSucceeded(done) => self.set_refund(done.refund_id, RefundState::Succeeded),
            PaymentEvent::RefundFailed(failed) => self.set_refund(failed.refund_id, RefundState::Failed),
            PaymentEvent::DisputeOpened(opened) => self.disputes.push(Dispute {
                dispute_id: opened.dispute_id.clone(),
                parts: opened.parts(),
                state: DisputeState::Open,
            }),
            PaymentEvent::DisputeClosed(closed) => {
                let state = match closed.outcome {
                    DisputeOutcome::Won => DisputeState::Won,
                    DisputeOutcome::Lost => DisputeState::Lost,
                };
                match self
                    .disputes
                    .iter_mut()
                    .find(|dispute| dispute.dispute_id == closed.dispute_id)
                {
                    Some(dispute) => dispute.state = state,
                    None => self.disputes.push(Dispute {
                        dispute_id: closed.dispute_id.clone(),
                        parts: closed.parts(),
                        state,
                    }),
                }
            }
        }
    }
}
