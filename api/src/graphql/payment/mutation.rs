//! Commands on payments.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::payment::{
    CardIntentInput, PaymentInput, PaymentVerdict, Preselected, RefundInput, RefundSettle, TipScreen,
};
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{BookingId, PaymentId, RefundId, WorkItemId};
use domain::money::Cents;
use domain::payment::{
    HandedOver, Payment as Aggregate, PaymentKind as DomainKind, PaymentMethod as DomainMethod,
    RefundKind as DomainRefundKind, RefundSeen, Verdict,
};
use projections::payment_list;

use super::{Payment, PaymentKind, PaymentMethod, RefundKind};
use crate::graphql::connection::payload;
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::local;
use crate::graphql::read::after as read_after;
use crate::graphql::scalar::{BigInt, LogPosition, Money};
use crate::graphql::session::{app, caller, under_key, viewer};

/// How a customer chose a tip: what shows that it was voluntary.
#[derive(InputObject)]
pub(in crate::graphql) struct TipChoiceInput {
    /// On which screen or paper; at most 100 characters.
    screen: String,
    /// Whether an amount stood there before the customer chose one.
    preselected: bool,
}

impl From<TipChoiceInput> for TipScreen {
    fn from(input: TipChoiceInput) -> Self {
        Self {
            screen: input.screen,
            preselected: if input.preselected {
                Preselected::Yes
            } else {
                Preselected::No
            },
        }
    }
}

/// Money that was sent or handed over.
#[derive(InputObject)]
pub(in crate::graphql) struct PaymentRecordInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// What for.
    booking_id: ID,
    /// What it is.
    kind: PaymentKind,
    /// How it moved; not CARD.
    method: PaymentMethod,
    /// Towards the booking's price, in cents.
    amount_minor: BigInt,
    /// Voluntary tip on top, in cents.
    #[graphql(default_with = "BigInt(0)")]
    tip_minor: BigInt,
    /// How the tip was chosen, where that is known.
    tip_choice: Option<TipChoiceInput>,
    /// What the bank or the receipt calls it; at most 200 characters. No two payments of a method have the same.
    reference: Option<String>,
}

/// Money that a customer is to pay by card. The card fee comes on top.
#[derive(InputObject)]
pub(in crate::graphql) struct PaymentIntentCreateInput {
    /// The same key gives the same result, at the payment provider too.
    idempotency_key: ID,
    /// What for.
    booking_id: ID,
    /// What it is.
    kind: PaymentKind,
    /// Towards the booking's price, in cents; of kind TIP the tip.
    amount_minor: BigInt,
    /// Voluntary tip on top, in cents.
    #[graphql(default_with = "BigInt(0)")]
    tip_minor: BigInt,
    /// How the tip was chosen, where that is known.
    tip_choice: Option<TipChoiceInput>,
}

/// A verdict on claimed money.
#[derive(InputObject)]
pub(in crate::graphql) struct PaymentVerifyInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which payment.
    payment_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Whether it was found.
    accept: bool,
    /// What was looked at; at most 500 characters. Zelle and Venmo need this, a reference, or a bank's notification.
    note: Option<String>,
    /// What the bank calls it, where the claim did not say; at most 200 characters.
    reference: Option<String>,
    /// A bank's notification in the work queue that tells of it.
    bank_mail: Option<ID>,
}

/// Money that was found and is not there after all.
#[derive(InputObject)]
pub(in crate::graphql) struct PaymentVoidInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which payment: of Zelle, Venmo or cash.
    payment_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    reason: String,
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

/// What a command on a payment came to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct PaymentPayload {
    /// The payment as it is after the command; null when it was refused.
    payment: Option<Payment>,
    /// Of a new card payment: with which the customer's browser pays at the provider. Kept nowhere, shown to nobody else.
    client_secret: Option<String>,
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// Position of the command's last event in the log: pass it as `atLeast` to read what it wrote.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl PaymentPayload {
    fn refused(error: UserError) -> Self {
        Self {
            payment: None,
            client_secret: None,
            user_errors: vec![error],
            position: None,
            replayed: false,
        }
    }

    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let found = match written.id_of(Aggregate::STREAM).parse::<PaymentId>() {
            Ok(id) => payment_list::one(&app(ctx).views, viewer(ctx)?, id, at)
                .await
                .map_err(unread)?
                .value
                .map(|row| Payment { row, at }),
            Err(_) => None,
        };
        Ok(Self {
            payment: found,
            client_secret: None,
            user_errors: Vec::new(),
            position: Some(written.position.into()),
            replayed: written.replayed,
        })
    }
}

/// What support staff may give back.
#[derive(Clone, SimpleObject)]
pub(in crate::graphql) struct RefundLimit {
    /// How much of one payment in all.
    limit: Money,
}

payload!(RefundLimitPayload, refund_limit: RefundLimit);

fn unknown_payment() -> PaymentPayload {
    PaymentPayload::refused(UserError::not_found("paymentId", "payment"))
}

/// Commands on payments.
#[derive(Default)]
pub(in crate::graphql) struct PaymentMutation;

#[Object]
impl PaymentMutation {
    /// Prepares a card payment at the payment provider, where one is set up. It counts once the provider says that the card
    /// was charged. Needs payment:write.
    async fn payment_intent_create(
        &self,
        ctx: &Context<'_>,
        input: PaymentIntentCreateInput,
    ) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(booking) = local::<BookingId>(&input.booking_id) else {
            return Ok(PaymentPayload::refused(UserError::not_found(
                "bookingId",
                "booking",
            )));
        };
        let ask = CardIntentInput {
            booking,
            kind: DomainKind::from(input.kind),
            amount_cents: Cents(input.amount_minor.0),
            tip_cents: Cents(input.tip_minor.0),
            tip: input.tip_choice.map(TipScreen::from),
        };
        let mut client_secret = None;
        let done = under_key(&input.idempotency_key, async |key| {
            let made = app(ctx).commands.create_card_intent(caller, key, ask).await?;
            client_secret = made.client_secret;
            Ok(made.written)
        })
        .await;
        let payload = PaymentPayload::of(ctx, done).await?;
        Ok(PaymentPayload {
            client_secret,
            ..payload
        })
    }

    /// Records that money was sent or handed over; it counts once it is verified. Needs payment:write.
    async fn payment_record(&self, ctx: &Context<'_>, input: PaymentRecordInput) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(booking) = local::<BookingId>(&input.booking_id) else {
            return Ok(PaymentPayload::refused(UserError::not_found(
                "bookingId",
                "booking",
            )));
        };
        let record = PaymentInput {
            booking,
            kind: DomainKind::from(input.kind),
            method: DomainMethod::from(input.method),
            amount_cents: Cents(input.amount_minor.0),
            tip_cents: Cents(input.tip_minor.0),
            reference: input.reference,
            tip: input.tip_choice.map(TipScreen::from),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.record_payment(caller, key, record)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }

    /// Says whether claimed money was found, and what shows it. A deposit that was found confirms its booking. Needs
    /// payment:write.
    async fn payment_verify(&self, ctx: &Context<'_>, input: PaymentVerifyInput) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(payment_id) = local::<PaymentId>(&input.payment_id) else {
            return Ok(unknown_payment());
        };
        let bank_mail = match &input.bank_mail {
            None => None,
            Some(id) => match local::<WorkItemId>(id) {
                Some(id) => Some(id),
                None => {
                    return Ok(PaymentPayload::refused(UserError::not_found(
                        "bankMail",
                        "notification",
                    )));
                }
            },
        };
        let verdict = PaymentVerdict {
            payment_id,
            expected_version: input.expected_version.map(i64::from),
            verdict: if input.accept {
                Verdict::Accept
            } else {
                Verdict::Reject
            },
            note: input.note,
            reference: input.reference,
            bank_mail,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.decide_payment(caller, key, verdict)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }

    /// Says that money that was found is not there after all; somebody other than who found it does. Needs payment:void.
    async fn payment_void(&self, ctx: &Context<'_>, input: PaymentVoidInput) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<PaymentId>(&input.payment_id) else {
            return Ok(unknown_payment());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .void_payment(caller, key, id, seen, input.reason)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }

    /// Gives money back: by hand at once, by card through the payment provider, which may take days. Needs payment:refund;
    /// support staff up to a limit.
    async fn payment_refund(&self, ctx: &Context<'_>, input: PaymentRefundInput) -> Result<PaymentPayload> {
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
        input: RefundLimitSetInput,
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
