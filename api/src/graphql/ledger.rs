//! A booking's ledger.

use async_graphql::{Context, Description, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use domain::ids::BookingId;
use projections::At;
use projections::booking_ledger::{LedgerEntry as Row, LedgerKind as RowKind, page_of};

use super::connection::{connection, counter};
use super::error::unread;
use super::id::global;
use super::loaders::Loaders;
use super::payment::{PaymentKind, PaymentMethod};
use super::read::slice;
use super::scalar::{LogPosition, Money};

/// What sort of fact an entry of a ledger is.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "RowKind")]
pub(super) enum LedgerKind {
    /// The price was agreed: it is due.
    Charge,
    /// Somebody says that money was sent or handed over: it does not count yet.
    PaymentClaimed,
    /// The money was found: it counts.
    PaymentVerified,
    /// The money was not found: it never counted.
    PaymentRejected,
    /// A card was charged: it counts.
    PaymentSucceeded,
    /// Money that was found is not there after all: it does not count any more.
    PaymentVoided,
    /// Money was given back.
    Refunded,
    /// Money that was said to be given back was not, after all.
    RefundUndone,
    /// The customer's bank has taken money back: it does not count any more.
    ChargedBack,
    /// The booking was called off, and something, or nothing, is proposed to be given back. A person confirms it.
    RefundProposed,
}

/// A fact about a booking's money, and where the booking stood after it.
#[derive(Clone, Description)]
pub(super) struct LedgerEntry(Row);

#[Object(use_type_description)]
impl LedgerEntry {
    /// Place of the fact in the log.
    async fn position(&self) -> LogPosition {
        self.0.row.position.into()
    }
    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime<Utc> {
        self.0.row.recorded_at
    }
    /// What sort of fact.
    async fn kind(&self) -> LedgerKind {
        self.0.row.kind.into()
    }
    /// Opaque id of the payment that it is about; null of a charge or a proposal.
    async fn payment_id(&self) -> Option<ID> {
        self.0.row.payment_id.map(global)
    }
    /// What that payment is for.
    async fn payment_kind(&self) -> Option<PaymentKind> {
        self.0.payment_kind.map(PaymentKind::from)
    }
    /// How that money moved.
    async fn method(&self) -> Option<PaymentMethod> {
        self.0.method.map(PaymentMethod::from)
    }
    /// The price of a charge, tax included; a payment's part towards the price; or what is proposed to be given back.
    async fn amount(&self) -> Money {
        self.0.amount_cents.into()
    }
    /// The payment's voluntary tip, on top.
    async fn tip(&self) -> Money {
        self.0.tip_cents.into()
    }
    /// What the fact added to what is due: negative for money that was found, nothing for what does not count.
    async fn moved(&self) -> Money {
        self.0.moved_cents.into()
    }
    /// What was due after it: charged less found, without tips; negative where too much had come.
    async fn balance(&self) -> Money {
        self.0.balance_cents.into()
    }
    /// What was proposed to be given back after it; null before the booking was called off. Money that is found later
    /// changes it.
    async fn proposed_refund(&self) -> Option<Money> {
        self.0.proposed_refund_cents.map(Money::from)
    }
}

connection!(
    LedgerEntryConnection,
    LedgerEntryEdge,
    LedgerEntry,
    "The money of a booking, fact by fact, as it happened."
);

/// The ledger of one booking.
pub(super) async fn ledger(
    ctx: &Context<'_>,
    booking: BookingId,
    first: i32,
    after: Option<String>,
    at: At,
) -> Result<LedgerEntryConnection> {
    let slice = slice(first, after)?;
    let found = ctx.data_unchecked::<Loaders>().ledger(booking, at).await?;
    let page = page_of(&found.value, &slice, found.info.clone()).map_err(|error| unread(error.into()))?;
    let number = found.map(|statement| u64::try_from(statement.entries.len()).unwrap_or(u64::MAX));
    let counter = counter(number, |number| async move { Ok(number) });
    Ok(LedgerEntryConnection::new(
        page,
        slice.after.is_some(),
        counter,
        LedgerEntry,
    ))
}
