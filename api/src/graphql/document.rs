//! Invoices, receipts and credit notes.

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use commands::document::{DocumentAsk, DocumentWritten};
use commands::{CommandError, IdempotencyKey};
use domain::access::Viewer;
use domain::document::DocumentKind as DomainKind;
use domain::ids::{BookingId, PaymentId, RefundId};
use projections::document_list::{self, DocumentFilter as Filter, DocumentRow};
use projections::{At, Page, ReadModels};

use super::booking::Booking;
use super::connection::{connection, counter};
use super::error::{UserError, coded, outcome, unread};
use super::id::{global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, after as read_after, at, cost, slice};
use super::scalar::{LocalDate, LogPosition, Money};
use super::session::{app, caller, viewer, views};
use crate::documents;

/// What sort of document.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainKind")]
pub(super) enum DocumentKind {
    /// What a booking costs.
    Invoice,
    /// That a payment has come.
    Receipt,
    /// That money was given back.
    CreditNote,
}

/// A document that was issued to a customer. It never changes. Needs payment:read.
#[derive(Clone, Description)]
pub(super) struct Document {
    pub(super) row: DocumentRow,
    pub(super) at: At,
}

#[Object(use_type_description)]
impl Document {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.number)
    }
    /// Its number: without gaps within kind and year.
    async fn number(&self) -> String {
        self.row.number.to_string()
    }
    /// What sort of document.
    async fn kind(&self) -> DocumentKind {
        self.row.kind.into()
    }
    /// The booking that it is about. Needs booking:read.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        let at = self.at;
        let row = ctx
            .data_unchecked::<Loaders>()
            .booking(self.row.booking_id, at)
            .await?;
        Ok(row.map(|(row, info)| Booking { row, at, info }))
    }
    /// What it comes to: the price, what was received, or what was given back, with tip and card fee. Tax is inside.
    async fn total(&self) -> Money {
        self.row.total_cents.into()
    }
    /// What was left to pay of the booking when it was issued.
    async fn balance_due(&self) -> Money {
        self.row.balance_cents.into()
    }
    /// Number of the invoice that it replaces; null for any other document.
    async fn replaces(&self) -> Option<String> {
        self.row.replaces.map(|number| number.to_string())
    }
    /// Local day at the station that it was issued on.
    async fn issued_on(&self) -> LocalDate {
        LocalDate(self.row.issued_on)
    }
    /// When it was issued.
    async fn issued_at(&self) -> DateTime<Utc> {
        self.row.issued_at
    }
    /// Position in the log up to which payments and refunds are counted in it.
    async fn as_of(&self) -> LogPosition {
        self.row.as_of.into()
    }
    /// Path of the PDF on this server, to be asked for with the same token. The customer's name is in it for those who
    /// have customer:read.
    async fn pdf_path(&self) -> String {
        format!("/documents/{}.pdf", self.row.number)
    }
}

connection!(
    DocumentConnection,
    DocumentEdge,
    Document,
    "Documents, the newest first."
);

/// Which documents.
#[derive(Default, InputObject)]
pub(super) struct DocumentFilter {
    /// Of this kind.
    kind: Option<DocumentKind>,
    /// About this booking.
    booking_id: Option<ID>,
}

impl DocumentFilter {
    fn read(self) -> Result<Filter> {
        let unknown = || coded("NOT_FOUND", "there is no such booking");
        Ok(Filter {
            kind: self.kind.map(DomainKind::from),
            booking_id: self
                .booking_id
                .map(|id| local::<BookingId>(&id).ok_or_else(unknown))
                .transpose()?,
        })
    }
}

/// A page of documents.
pub(super) async fn page(
    ctx: &Context<'_>,
    filter: Filter,
    first: i32,
    after: Option<String>,
    at: At,
) -> Result<DocumentConnection> {
    let (views, viewer) = (views(ctx), viewer(ctx)?);
    let slice = slice(first, after)?;
    let previous = slice.after.is_some();
    let page = document_list::page(views, viewer, filter.clone(), slice, at)
        .await
        .map_err(unread)?;
    Ok(connected(views, viewer, filter, page, previous, at))
}

/// A page of a booking's documents.
pub(super) async fn of_booking(
    ctx: &Context<'_>,
    booking: BookingId,
    first: i32,
    after: Option<String>,
    at: At,
) -> Result<DocumentConnection> {
    let filter = Filter {
        booking_id: Some(booking),
        ..Filter::default()
    };
    if after.is_some() {
        return page(ctx, filter, first, after, at).await;
    }
    let slice = slice(first, None)?;
    let loaders = ctx.data_unchecked::<Loaders>();
    let page = loaders.documents(booking, slice.first, at).await?;
    Ok(connected(views(ctx), viewer(ctx)?, filter, page, false, at))
}

/// A page with what counts its list.
fn connected(
    views: &ReadModels,
    viewer: &Viewer,
    filter: Filter,
    page: Page<DocumentRow>,
    previous: bool,
    at: At,
) -> DocumentConnection {
    let counter = counter(
        (views.clone(), viewer.clone(), filter),
        move |(views, viewer, filter)| async move { document_list::count(&views, &viewer, filter, at).await },
    );
    DocumentConnection::new(page, previous, counter, move |row| Document { row, at })
}

/// Questions about documents.
#[derive(Default)]
pub(super) struct DocumentQuery;

#[Object]
impl DocumentQuery {
    /// Invoices, receipts and credit notes within reach, the newest first. Needs payment:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn documents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which documents; all that are in reach otherwise.")] filter: Option<DocumentFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<DocumentConnection> {
        let filter = filter.unwrap_or_default().read()?;
        let at = at(ctx, as_of, fresh).await?;
        page(ctx, filter, first, after, at).await
    }
}

/// The booking to invoice.
#[derive(InputObject)]
pub(super) struct InvoiceIssueInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which booking.
    booking_id: ID,
}

/// The payment to give a receipt for.
#[derive(InputObject)]
pub(super) struct ReceiptIssueInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// Which payment.
    payment_id: ID,
}

/// The refund to give a credit note for.
#[derive(InputObject)]
pub(super) struct CreditNoteIssueInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The payment that money was given back of.
    payment_id: ID,
    /// Which refund of it.
    refund_id: ID,
}

/// What asking for a document came to.
#[derive(SimpleObject)]
pub(super) struct DocumentPayload {
    /// The document; null when it was refused.
    document: Option<Document>,
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// A position in the log by which it was issued: pass it as `atLeast` to read what was written.
    position: Option<LogPosition>,
    /// Whether it was issued before: by a command with the same key, or because nothing on it has changed since.
    replayed: bool,
}

impl DocumentPayload {
    fn refused(error: UserError) -> Self {
        Self {
            document: None,
            user_errors: vec![error],
            position: None,
            replayed: false,
        }
    }

    fn not_found(field: &str, noun: &str) -> Self {
        Self::refused(UserError::not_found(field, noun))
    }

    /// Issues a document under the client's key and shows it.
    async fn issue(ctx: &Context<'_>, key: &ID, ask: DocumentAsk) -> Result<Self> {
        let (caller, viewer) = (caller(ctx)?, viewer(ctx)?);
        let done = match IdempotencyKey::from_client(key) {
            Ok(key) => documents::issue(app(ctx), viewer, caller, key, ask)
                .await
                .map_err(unread)?,
            Err(refused) => Err(refused),
        };
        Self::of(ctx, done).await
    }

    async fn of(ctx: &Context<'_>, done: std::result::Result<DocumentWritten, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let at = read_after(written.position);
        let found = document_list::one(&app(ctx).views, viewer(ctx)?, written.number, at)
            .await
            .map_err(unread)?;
        Ok(Self {
            document: found.value.map(|row| Document { row, at }),
            user_errors: Vec::new(),
            position: Some(written.position.into()),
            replayed: written.replayed,
        })
    }
}

/// Issuing documents.
#[derive(Default)]
pub(super) struct DocumentMutation;

#[Object]
impl DocumentMutation {
    /// Issues the invoice of a booking. While nothing on it has changed there is one, which is given back; after a change of
    /// price, time or place the next names the one that it replaces. Needs payment:write.
    async fn invoice_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: InvoiceIssueInput,
    ) -> Result<DocumentPayload> {
        let Some(booking) = local::<BookingId>(&input.booking_id) else {
            return Ok(DocumentPayload::not_found("bookingId", "booking"));
        };
        DocumentPayload::issue(ctx, &input.idempotency_key, DocumentAsk::Invoice(booking)).await
    }

    /// Issues the receipt of a payment that was verified or captured; there is one for ever. Needs payment:write.
    async fn receipt_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ReceiptIssueInput,
    ) -> Result<DocumentPayload> {
        let Some(payment) = local::<PaymentId>(&input.payment_id) else {
            return Ok(DocumentPayload::not_found("paymentId", "payment"));
        };
        DocumentPayload::issue(ctx, &input.idempotency_key, DocumentAsk::Receipt(payment)).await
    }

    /// Issues the credit note of a refund that came through; there is one for ever. Needs payment:write.
    async fn credit_note_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: CreditNoteIssueInput,
    ) -> Result<DocumentPayload> {
        let Some(payment) = local::<PaymentId>(&input.payment_id) else {
            return Ok(DocumentPayload::not_found("paymentId", "payment"));
        };
        let Some(refund) = local::<RefundId>(&input.refund_id) else {
            return Ok(DocumentPayload::not_found("refundId", "refund"));
        };
        let ask = DocumentAsk::CreditNote(payment, refund);
        DocumentPayload::issue(ctx, &input.idempotency_key, ask).await
    }
}
