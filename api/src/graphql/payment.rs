//! Payments.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use commands::payment::PaymentInput;
use commands::{CommandError, Written};
use domain::decider::Decider;
use domain::ids::{BookingId, PaymentId};
use domain::money::Cents;
use domain::payment::{
    Payment as PaymentAggregate, PaymentKind as DomainKind, PaymentMethod as DomainMethod, Verdict,
};
use projections::At;
use projections::payment_list::{self, PaymentFilter as Filter, PaymentRow, PaymentStatus as RowStatus};

use super::booking::Booking;
use super::connection::{connection, counter, payload};
use super::error::{UserError, coded, outcome, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::{BigInt, Money};
use super::session::{app, caller, under_key, viewer};

/// What a payment is for.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainKind")]
pub(super) enum PaymentKind {
    /// The deposit that confirms.
    Deposit,
    /// What is left of the price.
    Balance,
    /// A voluntary tip and nothing else: its amount is the tip.
    Tip,
    /// Anything else towards the booking.
    Other,
}

/// How money moves.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainMethod")]
pub(super) enum PaymentMethod {
    /// A card, through the payment provider.
    Card,
    /// Zelle, bank to bank.
    Zelle,
    /// Venmo.
    Venmo,
    /// Cash in hand.
    Cash,
}

/// Where a payment stands. Only verified or captured money counts.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RowStatus")]
pub(super) enum PaymentStatus {
    /// Somebody says that it was sent or handed over.
    Claimed,
    /// It was found.
    Verified,
    /// It was not found.
    Rejected,
}

/// One movement of money.
#[derive(Clone)]
pub(super) struct Payment {
    pub(super) row: PaymentRow,
    pub(super) at: At,
}

#[Object]
impl Payment {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.payment_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// The booking that it belongs to. Needs booking:read.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        let at = self.at;
        let row = ctx
            .data_unchecked::<Loaders>()
            .booking(self.row.booking_id, at)
            .await?;
        Ok(row.map(|(row, info)| Booking { row, at, info }))
    }
    /// What it is for.
    async fn kind(&self) -> PaymentKind {
        self.row.kind.into()
    }
    /// How it moved.
    async fn method(&self) -> PaymentMethod {
        self.row.method.into()
    }
    /// Where it stands.
    async fn status(&self) -> PaymentStatus {
        self.row.status.into()
    }
    /// Towards the booking's price.
    async fn amount(&self) -> Money {
        self.row.amount_cents.into()
    }
    /// Voluntary tip on top.
    async fn tip(&self) -> Money {
        self.row.tip_cents.into()
    }
    /// Card fee on top; nothing for any other method.
    async fn fee(&self) -> Money {
        self.row.fee_cents.into()
    }
    /// What the bank or the receipt calls it.
    async fn external_ref(&self) -> Option<&str> {
        self.row.reference.as_deref()
    }
    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.row.recorded_at
    }
}

connection!(
    PaymentConnection,
    PaymentEdge,
    Payment,
    "Payments, the newest first."
);

/// Which payments.
#[derive(Default, InputObject)]
pub(super) struct PaymentFilter {
    /// Any of these.
    status: Option<Vec<PaymentStatus>>,
    /// Of this method.
    method: Option<PaymentMethod>,
    /// Of this booking.
    booking_id: Option<ID>,
    /// Recorded at or after.
    from: Option<DateTime<Utc>>,
    /// Recorded before.
    to: Option<DateTime<Utc>>,
}

impl PaymentFilter {
    fn read(self) -> Result<Filter> {
        let unknown = || coded("NOT_FOUND", "there is no such booking");
        Ok(Filter {
            status: self
                .status
                .unwrap_or_default()
                .into_iter()
                .map(RowStatus::from)
                .collect(),
            method: self.method.map(DomainMethod::from),
            booking_id: self
                .booking_id
                .map(|id| local::<BookingId>(&id).ok_or_else(unknown))
                .transpose()?,
            from: self.from,
            to: self.to,
        })
    }
}

/// Questions about payments.
#[derive(Default)]
pub(super) struct PaymentQuery;

#[Object]
impl PaymentQuery {
    /// Payments within reach, the newest first. Needs payment:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which payments; all that are in reach otherwise.")] filter: Option<PaymentFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<PaymentConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let filter = filter.unwrap_or_default().read()?;
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = payment_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { payment_list::count(&views, &viewer, filter, at).await },
        );
        Ok(PaymentConnection::new(page, previous, counter, move |row| {
            Payment { row, at }
        }))
    }
}

/// Money that was sent or handed over.
#[derive(InputObject)]
pub(super) struct PaymentRecordInput {
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
    /// What the bank or the receipt calls it; at most 200 characters.
    reference: Option<String>,
}

/// A verdict on claimed money.
#[derive(InputObject)]
pub(super) struct PaymentVerifyInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which payment.
    payment_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Whether it was found.
    accept: bool,
    /// What was looked at; at most 500 characters.
    note: Option<String>,
}

payload!(PaymentPayload, payment: Payment);

impl PaymentPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(PaymentAggregate::STREAM).parse::<PaymentId>() else {
            return Ok(Self::written(None, &written));
        };
        let found = payment_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(
            found.value.map(|row| Payment { row, at }),
            &written,
        ))
    }
}

/// Commands on payments.
#[derive(Default)]
pub(super) struct PaymentMutation;

#[Object]
impl PaymentMutation {
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
            kind: input.kind.into(),
            method: input.method.into(),
            amount_cents: Cents(input.amount_minor.0),
            tip_cents: Cents(input.tip_minor.0),
            reference: input.reference,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.record_payment(caller, key, record)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }

    /// Says whether claimed money was found. A deposit that was found confirms its booking. Needs payment:write.
    async fn payment_verify(&self, ctx: &Context<'_>, input: PaymentVerifyInput) -> Result<PaymentPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<PaymentId>(&input.payment_id) else {
            return Ok(PaymentPayload::refused(UserError::not_found(
                "paymentId",
                "payment",
            )));
        };
        let verdict = if input.accept {
            Verdict::Accept
        } else {
            Verdict::Reject
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .verify_payment(caller, key, id, seen, verdict, input.note)
        })
        .await;
        PaymentPayload::of(ctx, done).await
    }
}
