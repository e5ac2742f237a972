//! Commands on payments.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::payment::{CardIntentInput, PaymentInput, PaymentVerdict, Preselected, TipScreen};
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{BookingId, PaymentId, WorkItemId};
use domain::money::Cents;
use domain::payment::{
    Payment as Aggregate, PaymentKind as DomainKind, PaymentMethod as DomainMethod, Verdict,
};
use projections::payment_list;

use super::{Payment, PaymentKind, PaymentMethod};
use crate::graphql::error::{UserError, outcome, unread};
use crate::graphql::id::local;
use crate::graphql::read::after as read_after;
use crate::graphql::scalar::{BigInt, LogPosition};
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
    pub(super) fn refused(error: UserError) -> Self {
        Self {
            payment: None,
            client_secret: None,
            user_errors: vec![error],
            position: None,
            replayed: false,
        }
    }

    pub(super) async fn of(
        ctx: &Context<'_>,
        done: std::result::Result<Written, CommandError>,
    ) -> Result<Self> {
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

pub(super) fn unknown_payment() -> PaymentPayload {
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
        #[graphql(desc = "What to do, and the key that it is done under once.")]
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
    async fn payment_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PaymentRecordInput,
    ) -> Result<PaymentPayload> {
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
    async fn payment_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PaymentVerifyInput,
    ) -> Result<PaymentPayload> {
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
    async fn payment_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: PaymentVoidInput,
    ) -> Result<PaymentPayload> {
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
}
