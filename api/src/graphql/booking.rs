//! Bookings.

mod change;
mod command;
mod input;
mod list;
mod parts;

use async_graphql::{Context, Description, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::booking::{Booking as BookingAggregate, BookingStatus as DomainStatus, RefundRule as DomainRule};
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::ChefId;
use domain::quote::{discount_of, food_and_service};
use projections::booking_list::{BookingRow, Presence};
use projections::{At, payment_list};

use super::audit::{AuditEntryConnection, entity_audit};
use super::charges::{TipOption, fee, offered_on};
use super::chef::Chef;
use super::connection::{counter, payload};
use super::customer::Customer;
use super::document::{DocumentConnection, of_booking as documents_of};
use super::error::{behind, unread};
use super::id::global;
use super::ledger::{LedgerEntryConnection, ledger};
use super::loaders::Loaders;
use super::payment::{Payment, PaymentConnection, PaymentMethod};
use super::quote::QuoteLine;
use super::read::{ReadInfo, cost, slice};
use super::scalar::{BigInt, Money};
use super::session::{viewer, views};
use super::station::Station;
use super::tax::TaxLine;
pub(super) use change::BookingChangeMutation;
pub(super) use command::BookingMutation;
pub(super) use input::CustomerInput;
pub(super) use list::BookingQuery;
use parts::BookingNote;
pub(super) use parts::{EventTime, Guests, Venue};

/// Where a booking stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum BookingStatus {
    /// Asked for; the place is held until the deposit is due.
    Requested,
    /// The deposit has come.
    Confirmed,
    /// Held.
    Completed,
    /// Called off.
    Cancelled,
    /// The deposit did not come.
    Expired,
}

/// What decides how much is proposed to be given back.
#[derive(Enum, Copy, Clone, PartialEq, Eq)]
pub(super) enum RefundRule {
    /// Everything is given back: the company called it off.
    Everything,
    /// A tier of the terms.
    Tier,
    /// Nothing is given back: it was later than every tier.
    Nothing,
}

/// What is proposed to be given back. A person confirms it.
#[derive(SimpleObject)]
pub(super) struct RefundProposal {
    /// What decides how much.
    rule: RefundRule,
    /// Of a tier: from how many hours before the start it holds.
    hours_before: Option<i32>,
    /// Paid towards the deposit.
    deposit_paid: Money,
    /// Paid beyond the deposit.
    balance_paid: Money,
    /// What is proposed to be given back.
    proposed: Money,
}

/// A party, from its request to its event.
#[derive(Clone, Description)]
pub(super) struct Booking {
    pub(super) row: BookingRow,
    pub(super) at: At,
    pub(super) info: projections::ReadInfo,
}

#[Object(use_type_description)]
impl Booking {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.booking_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// Number for people to name it by.
    async fn number(&self) -> &str {
        &self.row.number
    }
    /// Where it stands.
    async fn status(&self) -> BookingStatus {
        self.row.status.into()
    }
    /// Who books. Needs customer:read.
    async fn customer(&self, ctx: &Context<'_>) -> Result<Customer> {
        let row = ctx
            .data_unchecked::<Loaders>()
            .customer(self.row.customer_id, self.at)
            .await?;
        row.map(Customer).ok_or_else(behind)
    }
    /// The station that serves.
    async fn station(&self, ctx: &Context<'_>) -> Result<Station> {
        let row = ctx
            .data_unchecked::<Loaders>()
            .station(self.row.station_id, self.at)
            .await?;
        row.map(Station).ok_or_else(behind)
    }
    /// When the event starts.
    async fn start(&self) -> EventTime {
        EventTime::of_row(&self.row)
    }
    /// First instant that the chefs are taken, inclusive: travel and set-up come before the start.
    async fn blocked_from(&self) -> DateTime<Utc> {
        self.row.blocked_from
    }
    /// First instant that they are free again, exclusive.
    async fn blocked_until(&self) -> DateTime<Utc> {
        self.row.blocked_until
    }
    /// The party.
    async fn guests(&self) -> Guests {
        Guests::of_row(&self.row)
    }
    /// Where.
    async fn venue(&self, ctx: &Context<'_>) -> Result<Venue> {
        Venue::of_row(ctx, &self.row).await
    }
    /// Chefs who are to cook, or did. Needs schedule:read.
    async fn chefs(&self, ctx: &Context<'_>) -> Result<Vec<Chef>> {
        let ids: Vec<ChefId> = self.row.chefs.ids();
        let at = self.at;
        let rows = ctx.data_unchecked::<Loaders>().chefs(&ids, at).await?;
        Ok(rows.into_iter().map(|row| Chef { row, at }).collect())
    }
    /// How many chefs the party needs.
    async fn chefs_needed(&self) -> i32 {
        self.row.chefs_needed
    }
    /// What the staff wrote down, the oldest first.
    async fn notes(&self, ctx: &Context<'_>) -> Result<Vec<BookingNote>> {
        let stream = StreamId::new(BookingAggregate::STREAM, self.row.booking_id.to_string());
        let loaders = ctx.data_unchecked::<Loaders>();
        let mut notes = Vec::new();
        for note in &self.row.notes {
            notes.push(BookingNote {
                text: loaders
                    .text_or_erased(stream.clone(), "notes", &note.note)
                    .await?,
                noted_at: note.noted_at,
            });
        }
        Ok(notes)
    }
    /// Version of the terms that the customer accepted last.
    async fn terms_version(&self) -> Option<&str> {
        self.row.terms_version.as_deref()
    }
    /// Whether it was deleted: lists show it only when asked for what was.
    async fn deleted(&self) -> bool {
        self.row.presence == Presence::Deleted
    }
    /// Every line of the price, tax included.
    async fn lines(&self) -> Vec<QuoteLine> {
        self.row.lines.iter().cloned().map(QuoteLine::from).collect()
    }
    /// What the promo code takes off; its line is among the lines.
    async fn discount(&self) -> Money {
        discount_of(&self.row.lines).into()
    }
    /// The promo code that it was made with.
    async fn promo_code(&self) -> Option<&str> {
        self.row.promo_code.as_deref()
    }
    /// Tips that are offered on food and service; any other amount may be given, and none is preselected.
    async fn tip_options(&self) -> Vec<TipOption> {
        offered_on(food_and_service(&self.row.lines))
    }
    /// What paying by a method costs beside the amount, by the terms of the booking: a share of amount and tip by card,
    /// nothing otherwise.
    async fn card_fee(
        &self,
        #[graphql(default_with = "PaymentMethod::Card", desc = "How it is paid.")] method: PaymentMethod,
        #[graphql(desc = "What is paid towards the price, in cents; what is due where absent.")]
        amount_minor: Option<BigInt>,
        #[graphql(default_with = "BigInt(0)", desc = "The tip beside it, in cents.")] tip_minor: BigInt,
    ) -> Result<Money> {
        let due = self.row.balance_due_cents();
        fee(method, amount_minor, due, tip_minor, self.row.card_fee_ppm)
    }
    /// Total, tax included.
    async fn total(&self) -> Money {
        self.row.total_cents.into()
    }
    /// Voluntary tips that have come.
    async fn tip(&self) -> Money {
        self.row.tip_cents.into()
    }
    /// What has come towards the total: verified or captured money only.
    async fn paid(&self) -> Money {
        self.row.paid_cents.into()
    }
    /// What was given back of what has come towards the total.
    async fn refunded(&self) -> Money {
        self.row.refunded_cents.into()
    }
    /// What is left to pay; negative when too much has come. What was given back is owed again only where it had been too
    /// much (OVERPAYMENT).
    async fn balance_due(&self) -> Money {
        self.row.balance_due_cents().into()
    }
    /// Until when the deposit must come; null once it has, or once the booking is over.
    async fn deposit_due_at(&self) -> Option<DateTime<Utc>> {
        (self.row.status == DomainStatus::Requested).then_some(self.row.deposit_due_at)
    }
    /// What is proposed to be given back, once cancelled.
    async fn refund_proposal(&self) -> Option<RefundProposal> {
        self.row.refund_proposal.as_ref().map(|proposal| RefundProposal {
            rule: match &proposal.rule {
                DomainRule::Everything => RefundRule::Everything,
                DomainRule::Tier(_) => RefundRule::Tier,
                DomainRule::Nothing => RefundRule::Nothing,
            },
            hours_before: match &proposal.rule {
                DomainRule::Tier(tier) => Some(i32::try_from(tier.hours_before).unwrap_or(i32::MAX)),
                DomainRule::Everything | DomainRule::Nothing => None,
            },
            deposit_paid: proposal.deposit_paid_cents.into(),
            balance_paid: proposal.balance_paid_cents.into(),
            proposed: proposal.proposed_refund_cents.into(),
        })
    }
    /// Its payments, the newest first. Needs payment:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn payments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
    ) -> Result<PaymentConnection> {
        let (views, viewer, at) = (views(ctx), viewer(ctx)?, self.at);
        let filter = payment_list::PaymentFilter {
            booking_id: Some(self.row.booking_id),
            ..Default::default()
        };
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = if previous {
            let page = payment_list::page(views, viewer, filter.clone(), slice, at).await;
            page.map_err(unread)?
        } else {
            let loaders = ctx.data_unchecked::<Loaders>();
            loaders.payments(self.row.booking_id, slice.first, at).await?
        };
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { payment_list::count(&views, &viewer, filter, at).await },
        );
        Ok(PaymentConnection::new(page, previous, counter, move |row| {
            Payment { row, at }
        }))
    }
    /// What was issued to the customer for it, the newest first. Needs payment:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
    ) -> Result<DocumentConnection> {
        documents_of(ctx, self.row.booking_id, first, after, self.at).await
    }
    /// Its money, fact by fact, as it happened, with what was due after each. Needs payment:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
    ) -> Result<LedgerEntryConnection> {
        ledger(ctx, self.row.booking_id, first, after, self.at).await
    }
    /// What happened to it, the newest first. Needs audit:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn audit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
    ) -> Result<AuditEntryConnection> {
        entity_audit(
            ctx,
            BookingAggregate::STREAM,
            self.row.booking_id.to_string(),
            first,
            after,
            self.at,
        )
        .await
    }
    /// Internal figure, never shown to customers; null until the event was held. Needs tax:read.
    async fn tax(&self, ctx: &Context<'_>) -> Result<Option<TaxLine>> {
        Ok(ctx
            .data_unchecked::<Loaders>()
            .tax(self.row.booking_id, self.at)
            .await?
            .map(TaxLine))
    }
    /// What the booking is as of.
    async fn read_info(&self) -> ReadInfo {
        self.info.clone().into()
    }
}

payload!(BookingPayload, booking: Booking);
