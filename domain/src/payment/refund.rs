//! Refunds: what they are for and where each stands.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::{
    PaymentEvent, PaymentRefundFailed, PaymentRefundRequested, PaymentRefundSucceeded, RefundWas,
};
use super::rules::{REFERENCE, WORD, check_length, check_reason};
use super::state::Payment;
use super::{HandedOver, PaymentError, PaymentMethod, PaymentParts, RefundSeen, RequestRefund, SettledBy};
use crate::ids::RefundId;
use crate::money::Cents;

/// Why money is given back, as the tax sees it (annotation 490.0090).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundKind {
    /// As a kindness: the price stays what it was.
    Goodwill,
    /// The price was lowered.
    PriceAdjustment,
    /// The sale was undone.
    FullReversal,
    /// A tip, and nothing of the price.
    TipOnly,
    /// A card fee, and nothing of the price.
    FeeOnly,
    /// The party was called off before it was held: there was no sale.
    CancelledBeforeService,
    /// More had come than was owed: neither price nor tax changes, and the money counts no more.
    Overpayment,
}

impl RefundKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Goodwill,
        Self::PriceAdjustment,
        Self::FullReversal,
        Self::TipOnly,
        Self::FeeOnly,
        Self::CancelledBeforeService,
        Self::Overpayment,
    ];

    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Goodwill => "goodwill",
            Self::PriceAdjustment => "price_adjustment",
            Self::FullReversal => "full_reversal",
            Self::TipOnly => "tip_only",
            Self::FeeOnly => "fee_only",
            Self::CancelledBeforeService => "cancelled_before_service",
            Self::Overpayment => "overpayment",
        }
    }

    /// Whether the customer owes what is given back no more. What was too much was never owed, and what is given back
    /// of it is not paid any more.
    pub fn waives(self) -> bool {
        match self {
            Self::Goodwill
            | Self::PriceAdjustment
            | Self::FullReversal
            | Self::TipOnly
            | Self::FeeOnly
            | Self::CancelledBeforeService => true,
            Self::Overpayment => false,
        }
    }

    /// Refuses parts that this kind does not give back.
    pub(super) fn check(self, parts: PaymentParts) -> Result<(), PaymentError> {
        let fits = match self {
            Self::TipOnly => parts.amount_cents.is_zero() && parts.fee_cents.is_zero(),
            Self::FeeOnly => parts.amount_cents.is_zero() && parts.tip_cents.is_zero(),
            Self::Goodwill
            | Self::PriceAdjustment
            | Self::FullReversal
            | Self::CancelledBeforeService
            | Self::Overpayment => true,
        };
        if fits {
            Ok(())
        } else {
            Err(PaymentError::OtherParts(self.as_str()))
        }
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Asked for; the money is not back yet.
    Pending,
    /// The money is back.
    Succeeded,
    /// The money did not go back: it is still the company's.
    Failed,
}

impl RefundState {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Payment {
    pub(super) fn request_refund(&self, ask: RequestRefund) -> Result<Vec<PaymentEvent>, PaymentError> {
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
        after.apply(&requested);
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
        if by == SettledBy::Person {
            check_length(REFERENCE, provider_ref.as_deref(), PaymentError::ReferenceTooLong)?;
            if let RefundSeen::Failed { code } = &seen {
                check_length(WORD, code.as_deref(), PaymentError::WordTooLong)?;
            }
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
}
