//! Payments.

mod mutation;
mod refund;

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::ids::BookingId;
use domain::payment::{
    Dispute as DomainDispute, DisputeState as DomainDisputeState, PaymentKind as DomainKind,
    PaymentMethod as DomainMethod,
};
use projections::At;
use projections::payment_list::{self, PaymentFilter as Filter, PaymentRow, PaymentStatus as RowStatus};

use super::booking::Booking;
use super::connection::{connection, counter};
use super::error::{coded, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::scalar::Money;
use super::session::{viewer, views};
pub(super) use mutation::PaymentMutation;
use refund::Refund;
pub(super) use refund::RefundMutation;

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
    /// A card may be charged: the provider waits for the customer.
    Created,
    /// A card is being charged.
    Processing,
    /// A card was charged: it counts.
    Succeeded,
    /// A card was not charged; the customer may try again.
    Failed,
    /// Somebody says that it was sent or handed over.
    Claimed,
    /// It was found.
    Verified,
    /// It was not found.
    Rejected,
    /// It was found and is not there after all: it does not count any more.
    Voided,
    /// Some of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// The customer's bank wants it back, or has taken it back.
    Disputed,
}

/// One movement of money.
#[derive(Clone, Description)]
pub(super) struct Payment {
    pub(super) row: PaymentRow,
    pub(super) at: At,
}

#[Object(use_type_description)]
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
    /// What was given back of it, all parts together. Pending and failed is not given back.
    async fn refunded(&self) -> Money {
        self.row.refunded_cents.into()
    }
    /// What can still be given back, all parts together: what came, without what was given back or is on its way, and
    /// without what a bank disputes or has taken back.
    async fn refundable(&self) -> Money {
        self.row.refundable_cents.into()
    }
    /// Its refunds, the oldest first.
    async fn refunds(&self) -> Vec<Refund> {
        self.row.refunds().iter().map(Refund::of).collect()
    }
    /// What a bank wants back of it, the oldest first.
    async fn disputes(&self) -> Vec<Dispute> {
        self.row.payment.disputes().iter().map(Dispute::of).collect()
    }
    /// What the bank or the receipt calls it; of a card, the payment provider's id of it.
    async fn external_ref(&self) -> Option<&str> {
        self.row
            .reference
            .as_deref()
            .or_else(|| self.row.payment.intent_id())
    }
    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.row.recorded_at
    }
}

/// Where a dispute stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainDisputeState")]
pub(super) enum DisputeStatus {
    /// The bank has not decided.
    Open,
    /// The company keeps the money.
    Won,
    /// The money was taken back: it does not count any more.
    Lost,
}

/// Money that a customer's bank wants back.
#[derive(Clone, SimpleObject)]
pub(super) struct Dispute {
    /// The payment provider's id of it.
    external_ref: String,
    /// Where it stands.
    status: DisputeStatus,
    /// How much, all parts together.
    amount: Money,
}

impl Dispute {
    fn of(dispute: &DomainDispute) -> Self {
        Self {
            external_ref: dispute.dispute_id.clone(),
            status: dispute.state.into(),
            amount: dispute.parts.total().into(),
        }
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
        let (views, viewer) = (views(ctx), viewer(ctx)?);
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
