//! A payment as its stream tells it, and how it decides.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::{DisputeOutcome, PaymentEvent};
use super::{PaidBooking, PaymentKind, PaymentMethod, PaymentParts, RefundKind, RefundState, TipChoice};
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
    pub(super) terms: Option<Terms>,
    pub(super) standing: Option<Standing>,
    /// When the provider said where it stands.
    pub(super) standing_at: Option<DateTime<Utc>>,
    pub(super) captured: PaymentParts,
    pub(super) verified_by: Option<UserId>,
    pub(super) intent_id: Option<String>,
    pub(super) reference_key: Option<String>,
    pub(super) refunds: Vec<Refund>,
    pub(super) disputes: Vec<Dispute>,
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
    /// what is in dispute or was lost in one. A bank names a sum and no parts: whatever parts it is laid over, all
    /// together is never more than what is left.
    pub fn refundable(&self) -> PaymentParts {
        if !self.counts() {
            return PaymentParts::ZERO;
        }
        let disputed = sum(self
            .disputes
            .iter()
            .filter(|dispute| dispute.state != DisputeState::Won)
            .map(|dispute| dispute.parts));
        self.captured.without(self.given_back().plus(disputed))
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

    /// The word for where it stands, in refusals.
    pub(super) fn word(&self) -> &'static str {
        self.status().map_or("unknown", PaymentStatus::as_str)
    }

    fn set_refund(&mut self, id: RefundId, state: RefundState) {
        for refund in &mut self.refunds {
            if refund.refund_id == id {
                refund.state = state;
            }
        }
    }

    /// What an event changes.
    pub(super) fn apply(&mut self, event: &PaymentEvent) {
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

fn sum(parts: impl Iterator<Item = PaymentParts>) -> PaymentParts {
    parts.fold(PaymentParts::ZERO, PaymentParts::plus)
}
