//! Giving money back.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::payment::{RefundInput, RefundSettle};
use domain::ids::{PaymentId, RefundId};
use domain::money::Cents;
use domain::payment::{
    HandedOver, Refund as DomainRefund, RefundKind as DomainRefundKind, RefundSeen,
    RefundState as DomainRefundState,
};

use super::mutation::{PaymentPayload, unknown_payment};
use crate::graphql::connection::payload;
use crate::graphql::error::{UserError, outcome};
use crate::graphql::id::{global, local};
use crate::graphql::scalar::{BigInt, Money};
use crate::graphql::session::{app, caller, under_key};

/// Why money is given back, as the tax sees it.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainRefundKind")]
pub(in crate::graphql) enum RefundKind {
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

/// Where a refund stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainRefundState")]
pub(in crate::graphql) enum RefundStatus {
    /// Asked for; the money is not back yet.
    Pending,
    /// The money is back.
    Succeeded,
    /// The money did not go back: it is still the company's.
    Failed,
}

/// Money that is given back, or was to be.
#[derive(Clone, SimpleObject)]
pub(in crate::graphql) struct Refund {
    /// Opaque id.
    id: ID,
    /// Why, as the tax sees it.
    kind: RefundKind,
    /// Where it stands.
    status: RefundStatus,
    /// How much, all parts together.
    amount: Money,
    /// What of it is tip.
    tip: Money,
    /// What of it is card fee.
    fee: Money,
    /// Why, in the words of whoever asked for it.
    reason: String,
    /// When it was asked for.
    requested_at: DateTime<Utc>,
}

impl Refund {
    pub(super) fn of(refund: &DomainRefund) -> Self {
        Self {
            id: global(refund.refund_id),
            kind: refund.kind.into(),
            status: refund.state.into(),
            amount: refund.parts.total().into(),
            tip: refund.parts.tip_cents.into(),
            fee: refund.parts.fee_cents.into(),
            reason: refund.reason.clone(),
            requested_at: refund.requested_at,
        }
    }
}

/// Money to give back.
#[derive(InputObject)]
pub(in crate::graphql) struct PaymentRefundInput {
    /// The same key gives the same result: the money is given back once.
    idempotency_key: ID,
    /// Which payment.
    payment_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// How much, all parts together, in cents.
    amount_minor: BigInt,
    /// What of it is tip, in cents. Where neither part is named, the price comes first, then the fee, then the tip.
    tip_minor: Option<BigInt>,
    /// What of it is card fee, in cents.
    fee_minor: Option<BigInt>,
    /// Why, as the tax sees it. By default by where the booking stands: OVERPAYMENT before the party,
    /// CANCELLED_BEFORE_SERVICE once it was called off, and PRICE_ADJUSTMENT or, of all that came, FULL_REVERSAL after it.
    kind: Option<RefundKind>,
    /// Why, in words; 3 to 500 characters.
    reason: String,
    /// Of Zelle, Venmo and cash: whether the money has been sent or handed over already.
    #[graphql(default = true)]
    handed_over: bool,
}

/// What became of money that a person was to give back.
#[derive(InputObject)]
pub(in crate::graphql) struct PaymentRefundSettleInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which payment.
    payment_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Which of its refunds.
    refund_id: ID,
    /// Whether the money was given back.
    succeeded: bool,
    /// Why it was not; a word or two.
    reason: Option<String>,
    /// What the bank calls it.
    reference: Option<String>,
}

/// What support staff may give back.
#[derive(InputObject)]
pub(in crate::graphql) struct RefundLimitSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// How much of one payment in all, in cents.
    limit_minor: BigInt,
}

/// What support staff may give back.
#[derive(Clone, SimpleObject)]
pub(in crate::graphql) struct RefundLimit {
    /// How much of one payment in all.
    limit: Money,
}

payload!(RefundLimitPayload, refund_limit: RefundLimit);

/// Commands on refunds.
#[derive(Default)]
pub(in crate::graphql) struct RefundMutation;

#[Object]
impl RefundMutation {
    /// Gives money back: by hand at once, by card through the payment provider, which may take days. Needs payment:refund;
    /// support staff up to a limit.
    async fn payment_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PaymentRefundInput,
    ) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(payment_id) = local::<PaymentId>(&input.payment_id) else {
            return Ok(unknown_payment());
        };
        let ask = RefundInput {
            payment_id,
            expected_version: input.expected_version.map(i64::from),
            amount_cents: Cents(input.amount_minor.0),
            tip_cents: input.tip_minor.map(|cents| Cents(cents.0)),
            fee_cents: input.fee_minor.map(|cents| Cents(cents.0)),
            kind: input.kind.map(DomainRefundKind::from),
            reason: input.reason,
            handed_over: if input.handed_over {
                HandedOver::Already
            } else {
                HandedOver::NotYet
            },
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.refund_payment(caller, key, ask)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }

    /// Says what became of money that a person was to give back. Needs payment:refund.
    async fn payment_refund_settle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: PaymentRefundSettleInput,
    ) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(payment_id) = local::<PaymentId>(&input.payment_id) else {
            return Ok(unknown_payment());
        };
        let Some(refund_id) = local::<RefundId>(&input.refund_id) else {
            return Ok(PaymentPayload::refused(UserError::not_found(
                "refundId", "refund",
            )));
        };
        let ask = RefundSettle {
            payment_id,
            expected_version: input.expected_version.map(i64::from),
            refund_id,
            seen: if input.succeeded {
                RefundSeen::Succeeded
            } else {
                RefundSeen::Failed { code: input.reason }
            },
            reference: input.reference,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.settle_refund(caller, key, ask)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }

    /// Sets how much of one payment support staff may give back. Needs payment:void.
    async fn refund_limit_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: RefundLimitSetInput,
    ) -> Result<RefundLimitPayload> {
        let caller = caller(ctx)?;
        let limit = Cents(input.limit_minor.0);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.set_refund_limit(caller, key, limit)
        })
        .await;
        Ok(match outcome(done)? {
            Ok(written) => RefundLimitPayload::written(Some(RefundLimit { limit: limit.into() }), &written),
            Err(refused) => RefundLimitPayload::refused(refused),
        })
    }
}
