//! Which invoices, receipts and credit notes were issued?

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Permission, Viewer};
use domain::document::{DocumentBody, DocumentEvent, DocumentKind, DocumentNumber};
use domain::envelope::Position;
use domain::ids::{BookingId, CustomerId, PaymentId, StationId};
use domain::money::Cents;
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Column, Condition, FirstPages, Fold, Kind, Order, Page, Poison, ReadError, ReadModels,
    Select, Slice, Value, row, station_scope,
};

impl Column for DocumentNumber {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.to_string()))
    }
}

impl Column for DocumentKind {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

row! {
    /// A document that was issued.
    pub struct DocumentRow in "document_list", key (number: DocumentNumber) {
        /// Its number.
        pub number: DocumentNumber,
        /// What sort of document.
        pub kind: DocumentKind,
        /// The booking that it is about.
        pub booking_id: BookingId,
        /// Number of that booking.
        pub booking_number: String,
        /// Who booked.
        pub customer_id: CustomerId,
        /// The station that serves.
        pub station_id: StationId,
        /// The payment that came, or some of which was given back; none of an invoice.
        pub payment_id: Option<PaymentId>,
        /// What it comes to: the price, what was received, or what was given back, with tip and card fee, in cents.
        pub total_cents: Cents,
        /// What was left to pay of the booking when it was issued, in cents.
        pub balance_cents: Cents,
        /// The invoice that it replaces.
        pub replaces: Option<DocumentNumber>,
        /// Position in the log up to which payments and refunds are counted in it.
        pub as_of: Position,
        /// Local day at the station that it was issued on.
        pub issued_on: NaiveDate,
        /// When it was issued.
        pub issued_at: DateTime<Utc>,
        /// Place of the event that issued it in the log.
        pub position: Position,
    }
}

/// The fold behind the list of documents.
pub struct DocumentList;

impl Fold for DocumentList {
    type Key = DocumentNumber;
    type Row = DocumentRow;
    const NAME: &'static str = "document_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &["document.issued"]
    }

    fn key(event: &Recorded) -> Option<DocumentNumber> {
        document(event).map(|DocumentEvent::Issued(issued)| issued.number)
    }

    fn apply(row: Option<DocumentRow>, event: &Recorded) -> Option<DocumentRow> {
        let Some(DocumentEvent::Issued(issued)) = document(event) else {
            return row;
        };
        let (payment_id, replaces) = match &issued.body {
            DocumentBody::Invoice(invoice) => (None, invoice.replaces),
            DocumentBody::Receipt(receipt) => (Some(receipt.payment_id), None),
            DocumentBody::CreditNote(credit) => (Some(credit.payment_id), None),
        };
        Some(DocumentRow {
            number: issued.number,
            kind: issued.body.kind(),
            booking_id: issued.party.booking_id,
            booking_number: issued.party.number.clone(),
            customer_id: issued.party.customer_id,
            station_id: issued.issuer.station_id,
            payment_id,
            total_cents: issued.body.total(&issued.account),
            balance_cents: issued.account.balance_cents,
            replaces,
            as_of: issued.as_of,
            issued_on: issued.issued_on,
            issued_at: issued.issued_at,
            position: event.position,
        })
    }
}

fn document(event: &Recorded) -> Option<&DocumentEvent> {
    match &event.event {
        DomainEvent::Document(document) => Some(document),
        DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::Job(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::Review(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::Message(_)
        | DomainEvent::Lead(_) => None,
    }
}

/// Which documents to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// Of this kind.
    pub kind: Option<DocumentKind>,
    /// About this booking.
    pub booking_id: Option<BookingId>,
}

impl DocumentFilter {
    fn conditions(&self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let kind = self.kind.and_then(|kind| kind.value());
        conditions.extend(kind.map(|kind| Condition::Eq("kind", kind)));
        let booking = self
            .booking_id
            .map(|id| Condition::Eq("booking_id", Value::Uuid(id.0)));
        conditions.extend(booking);
        conditions
    }
}

/// The latest first.
const ORDER: Order = Order::descending(&["issued_at", "number"]);

/// A page of documents, the latest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see payments, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: DocumentFilter,
    slice: Slice,
    at: At,
) -> Result<Page<DocumentRow>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: ORDER,
        after: slice.after,
        first: slice.first,
    };
    models.page::<DocumentList>(viewer.tenant, select, at).await
}

/// The first page of each of these bookings' documents, the latest first.
///
/// # Errors
/// As [`page`].
pub async fn first_of_each(
    models: &ReadModels,
    viewer: &Viewer,
    bookings: &[BookingId],
    first: u16,
    at: At,
) -> Result<FirstPages<DocumentRow>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let select = Select::first(station_scope(viewer), ORDER, first);
    let of = ("booking_id", bookings);
    models
        .first_of_each::<DocumentList>(viewer.tenant, of, select, at)
        .await
}

/// How many documents there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: DocumentFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    models
        .count::<DocumentList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// The document of a number, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    number: DocumentNumber,
    at: At,
) -> Result<Answer<Option<DocumentRow>>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("number", Value::Text(number.to_string())));
    let found = models.all::<DocumentList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::document::{Account, DocumentIssued, InvoiceBody, Issuer, Party};
    use domain::money::RatePpm;
    use domain::payment::{BookingMoney, PaymentMethod};

    use super::*;
    use crate::testing::{BOOKING, fold, recorded, requested, sealed};

    #[test]
    fn a_document_is_listed_under_its_number_with_what_it_comes_to() {
        let booked = requested(85_118);
        let number: DocumentNumber = "INV-2026-000002".parse().unwrap();
        let money = BookingMoney {
            paid_cents: Cents(10_000),
            ..BookingMoney::default()
        };
        let issued = DocumentIssued {
            number,
            issued_on: "2026-11-01".parse().unwrap(),
            issued_at: booked.requested_at,
            as_of: Position(3),
            issuer: Issuer {
                organisation: "My Hibachi".to_owned(),
                station: "San Jose".to_owned(),
                station_id: booked.station_id,
            },
            party: Party {
                booking_id: BOOKING,
                number: booked.number.clone(),
                customer_id: booked.customer_id,
                name: Some(sealed("name")),
                start: booked.start.clone(),
                guests: booked.guests,
                street: sealed("street"),
                city: "San Jose".to_owned(),
                state: "CA".to_owned(),
                zip: "95112".to_owned(),
            },
            account: Account::of(Cents(85_118), money),
            body: DocumentBody::Invoice(InvoiceBody {
                lines: booked.quote.lines.clone(),
                deposit_cents: Cents(10_000),
                deposit_due_at: None,
                methods: vec![PaymentMethod::Zelle],
                card_fee_ppm: RatePpm(30_000),
                replaces: Some("INV-2026-000001".parse().unwrap()),
            }),
        };
        let event = DomainEvent::Document(DocumentEvent::Issued(issued));
        let rows = fold::<DocumentList>(&[recorded(4, &BOOKING.to_string(), 1, event)]);
        let row = rows.get(&number).unwrap();
        assert_eq!(
            (row.kind, row.total_cents, row.balance_cents, row.position),
            (DocumentKind::Invoice, Cents(85_118), Cents(75_118), Position(4))
        );
        assert_eq!(row.replaces, Some("INV-2026-000001".parse().unwrap()));
    }
}
