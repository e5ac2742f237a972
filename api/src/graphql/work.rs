//! The work queue.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::{CommandError, Written};
use domain::access::Permission;
use domain::decider::Decider;
use domain::ids::{BookingId, PaymentId, WorkItemId};
use domain::work_item::{WorkItem as Aggregate, WorkKind as DomainKind, WorkStatus as DomainStatus};
use projections::payment_list::{self, PaymentFilter, PaymentStatus};
use projections::work_list::{self, WorkFilter as Filter, WorkRow};
use projections::{At, Slice};

use super::booking::Booking;
use super::connection::{connection, counter, payload};
use super::error::{UserError, coded, outcome, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::payment::PaymentMethod;
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::Money;
use super::session::{app, caller, under_key, viewer};

/// What sort of thing needs a person's eye.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainKind")]
pub(super) enum WorkKind {
    /// More has come for a booking than it costs.
    Overpayment,
    /// Less has come for a party that was held than it costs, or a bank has taken back what had come.
    Underpayment,
    /// Money has come for a booking that was called off or given up.
    PaymentForClosedBooking,
    /// A customer's bank wants money back.
    Dispute,
    /// Money that was to be given back was not.
    RefundFailed,
    /// Money that is to be given back is not back for more than a day.
    RefundPending,
    /// Money was given back at the payment provider, and nobody here has said why.
    RefundAtProvider,
    /// A booking was called off, and its terms propose to give money back: a person confirms it.
    RefundProposed,
    /// A card was charged with another amount than was asked for.
    ChargeDiffers,
    /// There is no tax rate for a booking's place and day.
    TaxUnresolved,
    /// A bank's notification of money that has come, until a payment is verified with it.
    BankMail,
    /// The payment provider speaks of what nobody here knows.
    UnknownWebhook,
}

/// Where an item stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum WorkStatus {
    /// It waits for a person.
    Open,
    /// A person has seen to it.
    Resolved,
    /// It has become right by itself.
    Settled,
}

/// Something that a person of the company should look at.
#[derive(Clone, Description)]
pub(super) struct WorkItem {
    pub(super) row: WorkRow,
    pub(super) at: At,
}

/// What a bank's notification says. The sender's name is not kept.
#[derive(Clone, SimpleObject)]
pub(super) struct BankMail {
    /// How the money moved.
    method: PaymentMethod,
    /// How much came.
    amount: Money,
    /// What the bank calls it.
    reference: Option<String>,
    /// When the notification was sent.
    sent_at: Option<DateTime<Utc>>,
    /// Opaque ids of the open claims that it may be about, the likeliest first.
    proposals: Vec<ID>,
}

#[Object(use_type_description)]
impl WorkItem {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.work_item_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// What sort of thing.
    async fn kind(&self) -> WorkKind {
        self.row.kind.into()
    }
    /// Where it stands.
    async fn status(&self) -> WorkStatus {
        self.row.status.into()
    }
    /// The booking that it is about. Needs booking:read.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        let (Some(id), at) = (self.row.booking_id, self.at) else {
            return Ok(None);
        };
        let row = ctx.data_unchecked::<Loaders>().booking(id, at).await?;
        Ok(row.map(|(row, info)| Booking { row, at, info }))
    }
    /// Number of that booking.
    async fn booking_number(&self) -> Option<&str> {
        self.row.booking_number.as_deref()
    }
    /// Opaque id of the payment that it is about.
    async fn payment_id(&self) -> Option<ID> {
        self.row.payment_id.map(global)
    }
    /// How much money it is about.
    async fn amount(&self) -> Option<Money> {
        self.row.amount_cents.map(Money::from)
    }
    /// What is wrong, in a sentence.
    async fn detail(&self) -> &str {
        &self.row.detail
    }
    /// What a bank's notification says.
    async fn bank_mail(&self) -> Option<BankMail> {
        self.row.mail.as_ref().map(|mail| BankMail {
            method: mail.method.into(),
            amount: mail.amount_cents.into(),
            reference: mail.reference.clone(),
            sent_at: mail.sent_at,
            proposals: mail.proposals.iter().copied().map(global).collect(),
        })
    }
    /// When it was put into the queue.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.row.opened_at
    }
    /// When it was seen to, or became right.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.row.closed_at
    }
    /// What was done, or how it became right.
    async fn note(&self) -> Option<&str> {
        self.row.note.as_deref()
    }
}

connection!(
    WorkItemConnection,
    WorkItemEdge,
    WorkItem,
    "What a person should look at, the newest first."
);

/// Which items of the work queue.
#[derive(Default, InputObject)]
pub(super) struct WorkItemFilter {
    /// That stand there.
    status: Option<WorkStatus>,
    /// Of this sort.
    kind: Option<WorkKind>,
    /// About this booking.
    booking_id: Option<ID>,
}

/// Questions about the work queue.
#[derive(Default)]
pub(super) struct WorkQuery;

#[Object]
impl WorkQuery {
    /// The work queue within reach, the newest first. Needs payment:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn work_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which items; all that are in reach otherwise.")] filter: Option<WorkItemFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<WorkItemConnection> {
        let (views, viewer) = (&app(ctx).views, viewer(ctx)?);
        let asked = filter.unwrap_or_default();
        let unknown = || coded("NOT_FOUND", "there is no such booking");
        let filter = Filter {
            status: asked.status.map(DomainStatus::from),
            kind: asked.kind.map(DomainKind::from),
            booking_id: asked
                .booking_id
                .map(|id| local::<BookingId>(&id).ok_or_else(unknown))
                .transpose()?,
        };
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = work_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { work_list::count(&views, &viewer, filter, at).await },
        );
        Ok(WorkItemConnection::new(page, previous, counter, move |row| {
            WorkItem { row, at }
        }))
    }
}

/// Seeing to an item of the work queue.
#[derive(InputObject)]
pub(super) struct WorkItemResolveInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which item.
    work_item_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// What was done; 3 to 500 characters.
    note: String,
}

/// A bank's notification that money has come.
#[derive(InputObject)]
pub(super) struct BankMailSubmitInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The mail as it came, with its headers, or its text; at most 200,000 bytes. It is not kept.
    text: String,
}

payload!(WorkItemPayload, work_item: WorkItem);

impl WorkItemPayload {
    pub(super) async fn of(
        ctx: &Context<'_>,
        done: std::result::Result<Written, CommandError>,
    ) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let Ok(id) = written.id_of(Aggregate::STREAM).parse::<WorkItemId>() else {
            return Ok(Self::written(None, &written));
        };
        let found = work_list::one(&app(ctx).views, viewer(ctx)?, id, at)
            .await
            .map_err(unread)?;
        Ok(Self::written(
            found.value.map(|row| WorkItem { row, at }),
            &written,
        ))
    }
}

/// Commands on the work queue.
#[derive(Default)]
pub(super) struct WorkMutation;

#[Object]
impl WorkMutation {
    /// Says that a person has seen to an item of the work queue. Needs payment:write.
    async fn work_item_resolve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: WorkItemResolveInput,
    ) -> Result<WorkItemPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<WorkItemId>(&input.work_item_id) else {
            return Ok(WorkItemPayload::refused(UserError::not_found(
                "workItemId",
                "item",
            )));
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.resolve_work(caller, key, id, seen, input.note)
        })
        .await;
        WorkItemPayload::of(ctx, done).await
    }

    /// Files a bank's notification of money by Zelle or Venmo in the work queue, with the open claims that it may be about,
    /// the likeliest first. It books nothing: a person verifies a payment with it as evidence. Needs payment:write.
    async fn bank_mail_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: BankMailSubmitInput,
    ) -> Result<WorkItemPayload> {
        let caller = caller(ctx)?;
        let claims = match viewer(ctx)?.require(Permission::PaymentWrite) {
            Ok(()) => open_claims(ctx).await?,
            Err(_) => Vec::new(),
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .submit_bank_mail(caller, key, input.text, claims)
        })
        .await;
        WorkItemPayload::of(ctx, done).await
    }
}

/// How many open claims a notification is compared with: the newest.
const CLAIMS: u16 = 500;

async fn open_claims(ctx: &Context<'_>) -> Result<Vec<PaymentId>> {
    let filter = PaymentFilter {
        status: vec![PaymentStatus::Claimed],
        ..PaymentFilter::default()
    };
    let page = payment_list::page(
        &app(ctx).views,
        viewer(ctx)?,
        filter,
        Slice::first(CLAIMS),
        At::NOW,
    )
    .await
    .map_err(unread)?;
    Ok(page.rows.iter().map(|listed| listed.row.payment_id).collect())
}
