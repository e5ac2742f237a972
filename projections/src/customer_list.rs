//! Who books?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::booking::BookingEvent;
use domain::customer::CustomerEvent;
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::CustomerId;
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Condition, Fold, Order, Page, Poison, ReadError, ReadModels, Select, Slice, Value, row,
};

row! {
    /// A customer.
    pub struct CustomerRow in "customer_list", key (customer_id: CustomerId) {
        /// The customer.
        pub customer_id: CustomerId,
        /// Events of the customer so far: what a command expects.
        pub version: i64,
        /// Name, sealed.
        pub name: Sealed,
        /// E-mail, sealed.
        pub email: Option<Sealed>,
        /// Phone, sealed.
        pub phone: Option<Sealed>,
        /// Keyed hash of the folded e-mail: how a search for an e-mail finds the customer.
        pub email_key: Option<String>,
        /// Keyed hash of the phone's digits.
        pub phone_key: Option<String>,
        /// When the company came to know them.
        pub registered_at: DateTime<Utc>,
        /// Bookings that they asked for, whatever became of them.
        pub booking_count: i64,
    }
}

/// The fold behind the list of customers.
pub struct CustomerList;

impl Fold for CustomerList {
    type Key = CustomerId;
    type Row = CustomerRow;
    const NAME: &'static str = "customer_list";
    const VERSION: i32 = 4;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "customer.registered",
            "customer.erased",
            "booking.requested",
            "booking.deleted",
            "booking.restored",
        ]
    }

    fn key(event: &Recorded) -> Option<CustomerId> {
        match &event.event {
            DomainEvent::Customer(_) => event.stream.id.parse().ok(),
            DomainEvent::Booking(BookingEvent::Requested(requested)) => Some(requested.customer_id),
            DomainEvent::Booking(BookingEvent::Deleted(deleted)) => Some(deleted.customer_id),
            DomainEvent::Booking(BookingEvent::Restored(restored)) => Some(restored.customer_id),
            DomainEvent::Booking(
                BookingEvent::Confirmed(_)
                | BookingEvent::Completed(_)
                | BookingEvent::Cancelled(_)
                | BookingEvent::Expired(_)
                | BookingEvent::DepositDueExtended(_)
                | BookingEvent::GuestCountChanged(_)
                | BookingEvent::MenuChanged(_)
                | BookingEvent::Rescheduled(_)
                | BookingEvent::ChefAssigned(_)
                | BookingEvent::ChefUnassigned(_)
                | BookingEvent::NoteAdded(_)
                | BookingEvent::TermsAccepted(_)
                | BookingEvent::TaxPlaceSet(_)
                | BookingEvent::TaxAdjusted(_),
            )
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Payment(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn apply(row: Option<CustomerRow>, event: &Recorded) -> Option<CustomerRow> {
        match &event.event {
            DomainEvent::Customer(CustomerEvent::Registered(registered)) => Some(CustomerRow {
                customer_id: Self::key(event)?,
                version: event.sequence.0,
                name: registered.contact.name.clone(),
                email: registered.contact.email.clone(),
                phone: registered.contact.phone.clone(),
                email_key: registered.email_key.clone(),
                phone_key: registered.phone_key.clone(),
                registered_at: event.recorded_at,
                booking_count: 0,
            }),
            // The sealed contact stays: its key is gone. What a search would find them by goes too.
            DomainEvent::Customer(CustomerEvent::Erased(_)) => row.map(|row| CustomerRow {
                version: event.sequence.0,
                email_key: None,
                phone_key: None,
                ..row
            }),
            DomainEvent::Booking(BookingEvent::Requested(_) | BookingEvent::Restored(_)) => {
                row.map(|row| CustomerRow {
                    booking_count: row.booking_count + 1,
                    ..row
                })
            }
            DomainEvent::Booking(BookingEvent::Deleted(_)) => row.map(|row| CustomerRow {
                booking_count: row.booking_count - 1,
                ..row
            }),
            DomainEvent::Booking(
                BookingEvent::Confirmed(_)
                | BookingEvent::Completed(_)
                | BookingEvent::Cancelled(_)
                | BookingEvent::Expired(_)
                | BookingEvent::DepositDueExtended(_)
                | BookingEvent::GuestCountChanged(_)
                | BookingEvent::MenuChanged(_)
                | BookingEvent::Rescheduled(_)
                | BookingEvent::ChefAssigned(_)
                | BookingEvent::ChefUnassigned(_)
                | BookingEvent::NoteAdded(_)
                | BookingEvent::TermsAccepted(_)
                | BookingEvent::TaxPlaceSet(_)
                | BookingEvent::TaxAdjusted(_),
            )
            | DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Payment(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => row,
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<CustomerId> {
        (stream.kind == "customer").then(|| stream.id.parse().ok())?
    }
}

/// Which customers to list. Contacts are sealed, so a search compares keyed hashes: whole e-mails and
/// whole numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// With this keyed hash of an e-mail.
    pub email_key: Option<String>,
    /// With this keyed hash of a phone.
    pub phone_key: Option<String>,
}

impl CustomerFilter {
    fn conditions(self) -> Vec<Condition> {
        let email = self
            .email_key
            .map(|key| Condition::Eq("email_key", Value::Text(key)));
        let phone = self
            .phone_key
            .map(|key| Condition::Eq("phone_key", Value::Text(key)));
        [email, phone].into_iter().flatten().collect()
    }
}

/// A page of customers, the latest known first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see customers, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: CustomerFilter,
    slice: Slice,
    at: At,
) -> Result<Page<CustomerRow>, ReadError> {
    viewer.require(Permission::CustomerRead)?;
    let select = Select {
        conditions: filter.conditions(),
        order: Order::descending(&["registered_at", "customer_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<CustomerList>(viewer.tenant, select, at).await
}

/// How many customers there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: CustomerFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::CustomerRead)?;
    models
        .count::<CustomerList>(viewer.tenant, filter.conditions(), at)
        .await
}

/// One customer.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: CustomerId,
    at: At,
) -> Result<Answer<Option<CustomerRow>>, ReadError> {
    Ok(many(models, viewer, &[id], at)
        .await?
        .map(|rows| rows.into_iter().next()))
}

/// The customers of these ids, in no order.
///
/// # Errors
/// As [`page`].
pub async fn many(
    models: &ReadModels,
    viewer: &Viewer,
    ids: &[CustomerId],
    at: At,
) -> Result<Answer<Vec<CustomerRow>>, ReadError> {
    viewer.require(Permission::CustomerRead)?;
    let ids = ids.iter().map(|id| Value::Uuid(id.0)).collect();
    models
        .all::<CustomerList>(viewer.tenant, vec![Condition::OneOf("customer_id", ids)], at)
        .await
}

#[cfg(test)]
mod tests {
    use domain::customer::{Contact, CustomerErased, CustomerRegistered};

    use super::*;
    use crate::testing::{CUSTOMER, booking_event, fold, recorded, requested, sealed};

    #[test]
    fn requests_are_counted_whatever_becomes_of_them() {
        let registered = CustomerRegistered {
            contact: Contact {
                name: sealed("name"),
                email: Some(sealed("email")),
                phone: None,
            },
            email_key: Some("k".to_owned()),
            phone_key: None,
            sms_consent: None,
        };
        let registered = DomainEvent::Customer(CustomerEvent::Registered(registered));
        let asked = |position| booking_event(position, 1, BookingEvent::Requested(requested(85_118)));
        let rows = fold::<CustomerList>(&[
            recorded(1, &CUSTOMER.to_string(), 1, registered),
            asked(2),
            asked(3),
        ]);
        let row = rows.get(&CUSTOMER).unwrap();
        assert_eq!((row.booking_count, row.version), (2, 1));
        assert_eq!((row.email_key.as_deref(), row.phone.as_ref()), (Some("k"), None));
    }

    #[test]
    fn an_erased_customer_stays_a_row_that_no_search_finds() {
        let registered = CustomerRegistered {
            contact: Contact {
                name: sealed("name"),
                email: Some(sealed("email")),
                phone: None,
            },
            email_key: Some("k".to_owned()),
            phone_key: None,
            sms_consent: None,
        };
        let erased = CustomerErased {
            reason: "asked to be forgotten".to_owned(),
            destroyed: Vec::new(),
            email_key: Some("k".to_owned()),
            phone_key: None,
        };
        let event = |position, event| {
            let event = DomainEvent::Customer(event);
            recorded(position, &CUSTOMER.to_string(), position, event)
        };
        let rows = fold::<CustomerList>(&[
            event(1, CustomerEvent::Registered(registered)),
            event(2, CustomerEvent::Erased(erased)),
        ]);
        let row = rows.get(&CUSTOMER).unwrap();
        assert_eq!((row.email_key.as_deref(), row.version), (None, 2));
        assert_eq!(row.name, sealed("name"), "what is sealed stays sealed");
    }
}
