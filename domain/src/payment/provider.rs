//! What the payment provider says of a payment, in any order and as often as it likes: the state in the end is the same.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::{
    DisputeOutcome, PaymentDisputeClosed, PaymentDisputeOpened, PaymentEvent, PaymentFailed,
    PaymentProcessing, PaymentRefundRequested, PaymentSucceeded,
};
use super::state::{DisputeState, Payment, Standing, Terms};
use super::{PaymentError, PaymentMethod, PaymentParts, RefundKind, RefundState, SettledBy};
use crate::decider::Decider;
use crate::ids::RefundId;
use crate::money::Cents;

/// One event of the provider, as far as a payment is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderNotice {
    /// The provider's id of the event; none where it did not tell by itself, but was asked.
    pub event_id: Option<String>,
    /// When, by the provider's clock.
    pub at: DateTime<Utc>,
    /// What it says.
    pub fact: ProviderFact,
}

/// What the provider says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderFact {
    /// Nothing that changes a payment.
    Nothing,
    /// The card is being charged.
    Processing,
    /// The card was charged.
    Succeeded {
        /// What came, all parts together, in cents.
        received_cents: Cents,
        /// The provider's id of the charge.
        charge_id: Option<String>,
    },
    /// The card was not charged.
    Failed {
        /// The provider's word for why.
        code: Option<String>,
    },
    /// What became of refunds, one by one.
    Refunds(Vec<ProviderRefund>),
    /// What has been given back in all, in cents, without a word on which refunds that were.
    RefundedInAll(Cents),
    /// The customer's bank wants money back.
    DisputeOpened {
        /// The provider's id of the dispute.
        dispute_id: String,
        /// How much, in cents.
        amount_cents: Cents,
        /// The bank's word for why.
        reason: Option<String>,
    },
    /// The customer's bank has decided.
    DisputeClosed {
        /// The provider's id of the dispute.
        dispute_id: String,
        /// How much, in cents.
        amount_cents: Cents,
        /// What was decided.
        outcome: DisputeOutcome,
    },
}

/// A refund, as the provider has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderRefund {
    /// The provider's id of it.
    pub id: String,
    /// Our id of it, where we asked for it.
    pub ours: Option<RefundId>,
    /// How much, in cents.
    pub amount_cents: Cents,
    /// What became of it.
    pub seen: RefundSeen,
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundSeen {
    /// Nothing yet.
    Pending,
    /// The money is back.
    Succeeded,
    /// The money did not go back.
    Failed {
        /// Why, in a word.
        code: Option<String>,
    },
}

/// Ids of refunds that were made at the provider, and not asked for here, follow from the provider's.
const AT_PROVIDER: Uuid = Uuid::from_u128(0x1c7e_7d2a_0b55_4d0e_8f2e_6a61_9a7d_5c01);

/// What stands in place of a reason for a refund that nobody here asked for.
const AT_PROVIDER_REASON: &str = "made at the payment provider";

impl ProviderRefund {
    /// The refund that it is.
    pub fn refund_id(&self) -> RefundId {
        self.ours
            .unwrap_or_else(|| RefundId(Uuid::new_v5(&AT_PROVIDER, self.id.as_bytes())))
    }
}

impl Payment {
    /// What a word of the provider changes; nothing where it is known, or overtaken by a later one.
    pub(super) fn hear(&self, notice: ProviderNotice) -> Result<Vec<PaymentEvent>, PaymentError> {
        let terms = self.terms().ok_or(PaymentError::NotFound)?;
        if terms.method != PaymentMethod::Card {
            return Err(PaymentError::NotFound);
        }
        let ProviderNotice {
            event_id: told,
            at,
            fact,
        } = notice;
        match fact {
            ProviderFact::Nothing => Ok(Vec::new()),
            ProviderFact::Processing => Ok(self.later(Standing::Processing, at, || {
                PaymentEvent::Processing(PaymentProcessing {
                    booking: terms.booking.clone(),
                    provider_event: told,
                    provider_at: at,
                })
            })),
            ProviderFact::Failed { code } => Ok(self.later(Standing::Failed, at, || {
                PaymentEvent::Failed(PaymentFailed {
                    booking: terms.booking.clone(),
                    code,
                    provider_event: told,
                    provider_at: at,
                })
            })),
            ProviderFact::Succeeded {
                received_cents,
                charge_id,
            } => Ok(self.succeed(terms, received_cents, charge_id, told, at)),
            ProviderFact::Refunds(refunds) => self.hear_refunds(terms, &refunds, told, at),
            ProviderFact::RefundedInAll(total) => self.hear_total(total, told, at),
            ProviderFact::DisputeOpened {
                dispute_id,
                amount_cents,
                reason,
            } => {
                if self.dispute(&dispute_id).is_some() {
                    return Ok(Vec::new());
                }
                let parts = terms.parts().allocate(amount_cents);
                Ok(vec![PaymentEvent::DisputeOpened(PaymentDisputeOpened {
                    booking: terms.booking.clone(),
                    dispute_id,
                    amount_cents: parts.amount_cents,
                    tip_cents: parts.tip_cents,
                    fee_cents: parts.fee_cents,
                    reason,
                    provider_event: told,
                    opened_at: at,
                })])
            }
            ProviderFact::DisputeClosed {
                dispute_id,
                amount_cents,
                outcome,
            } => {
                let known = self.dispute(&dispute_id);
                match (known.map(|known| known.state), outcome) {
                    (None | Some(DisputeState::Open), _) => {}
                    (Some(DisputeState::Won), DisputeOutcome::Won)
                    | (Some(DisputeState::Lost), DisputeOutcome::Lost) => return Ok(Vec::new()),
                    (Some(DisputeState::Won), DisputeOutcome::Lost)
                    | (Some(DisputeState::Lost), DisputeOutcome::Won) => {
                        return Err(PaymentError::UnexplainedDispute);
                    }
                }
                let parts = known.map_or_else(|| terms.parts().allocate(amount_cents), |known| known.parts);
                Ok(vec![PaymentEvent::DisputeClosed(PaymentDisputeClosed {
                    booking: terms.booking.clone(),
                    dispute_id,
                    outcome,
                    amount_cents: parts.amount_cents,
                    tip_cents: parts.tip_cents,
                    fee_cents: parts.fee_cents,
                    provider_event: told,
                    closed_at: at,
                })])
            }
        }
    }

    /// An event that counts only if nothing later, and no success, is known.
    fn later(
        &self,
        standing: Standing,
        at: DateTime<Utc>,
        event: impl FnOnce() -> PaymentEvent,
    ) -> Vec<PaymentEvent> {
        if self.is_overtaken(standing, at) {
            Vec::new()
        } else {
            vec![event()]
        }
    }

    fn succeed(
        &self,
        terms: &Terms,
        received: Cents,
        charge_id: Option<String>,
        told: Option<String>,
        at: DateTime<Utc>,
    ) -> Vec<PaymentEvent> {
        if self.counts() {
            return Vec::new();
        }
        let parts = terms.parts().allocate(received);
        vec![PaymentEvent::Succeeded(PaymentSucceeded {
            booking: terms.booking.clone(),
            kind: terms.kind,
            method: terms.method,
            amount_cents: parts.amount_cents,
            tip_cents: parts.tip_cents,
            fee_cents: parts.fee_cents,
            tip_choice: terms.tip_choice.clone(),
            charge_id,
            provider_event: told,
            succeeded_at: at,
        })]
    }

    /// What each of these refunds changes. Of all that follows, the first holds the provider's event.
    fn hear_refunds(
        &self,
        terms: &Terms,
        refunds: &[ProviderRefund],
        mut told: Option<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let mut heard = self.clone();
        let mut events = Vec::new();
        for refund in refunds {
            let refund_id = refund.refund_id();
            let mut next = Vec::new();
            if heard.refund(refund_id).is_none() {
                let parts = terms
                    .parts()
                    .less(heard.given_back())
                    .allocate(refund.amount_cents);
                next.push(request(terms, refund_id, parts, told.take(), at));
                heard.evolve(&next[0]);
            }
            let provider_ref = Some(refund.id.clone());
            let seen = refund.seen.clone();
            let settled = heard.settle(
                refund_id,
                seen,
                provider_ref,
                SettledBy::Provider,
                told.clone(),
                at,
            )?;
            if let Some(settled) = settled {
                heard.evolve(&settled);
                told = None;
                next.push(settled);
            }
            events.extend(next);
        }
        Ok(events)
    }

    /// Which of the refunds that are on their way a total of the provider tells to have arrived.
    fn hear_total(
        &self,
        total: Cents,
        told: Option<String>,
        at: DateTime<Utc>,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        let arrived: Cents = self
            .refunds_that_are(RefundState::Succeeded)
            .map(|refund| refund.parts.total())
            .sum();
        let missing = total - arrived;
        if missing <= Cents::ZERO {
            return Ok(Vec::new());
        }
        let pending: Vec<_> = self.refunds_that_are(RefundState::Pending).collect();
        let one = pending.iter().find(|refund| refund.parts.total() == missing);
        let all: Cents = pending.iter().map(|refund| refund.parts.total()).sum();
        let found: Vec<RefundId> = match one {
            Some(refund) => vec![refund.refund_id],
            None if all == missing => pending.iter().map(|refund| refund.refund_id).collect(),
            None => return Err(PaymentError::UnexplainedRefund),
        };
        let mut events = Vec::new();
        let mut told = told;
        for refund_id in found {
            let seen = RefundSeen::Succeeded;
            events.extend(self.settle(refund_id, seen, None, SettledBy::Provider, told.take(), at)?);
        }
        Ok(events)
    }
}

/// A refund that was made at the provider. As long as nobody says otherwise it is a kindness: no tax is taken back.
fn request(
    terms: &Terms,
    refund_id: RefundId,
    parts: PaymentParts,
    told: Option<String>,
    at: DateTime<Utc>,
) -> PaymentEvent {
    PaymentEvent::RefundRequested(PaymentRefundRequested {
        booking: terms.booking.clone(),
        refund_id,
        method: terms.method,
        kind: RefundKind::Goodwill,
        amount_cents: parts.amount_cents,
        tip_cents: parts.tip_cents,
        fee_cents: parts.fee_cents,
        reason: AT_PROVIDER_REASON.to_owned(),
        provider_event: told,
        requested_at: at,
    })
}
