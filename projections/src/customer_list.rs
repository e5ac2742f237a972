//! Who books?

mod query;

use chrono::{DateTime, Utc};
use domain::booking::BookingEvent;
use domain::customer::{Consent, ConsentChannel, CustomerEvent};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::CustomerId;
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{Fold, Poison, row, shown_only};

pub use query::{CustomerFilter, count, many, one, page};

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
        /// That they agreed to text messages, while they do.
        pub sms_consent: Option<Consent>,
        /// That they agreed to e-mail, while they do.
        pub email_consent: Option<Consent>,
        /// The language that they are written to in; none for the company's own.
        pub locale: Option<String>,
    }
}

shown_only! {
    Consent;
}

fn consenting(
    row: CustomerRow,
    event: &Recorded,
    channel: ConsentChannel,
    consent: Option<Consent>,
) -> CustomerRow {
    let row = CustomerRow {
        version: event.sequence.0,
        ..row
    };
    match channel {
        ConsentChannel::Sms => CustomerRow {
            sms_consent: consent,
            ..row
        },
        ConsentChannel::Email => CustomerRow {
            email_consent: consent,
            ..row
        },
    }
}

/// The fold behind the list of customers.
pub struct CustomerList;

impl Fold for CustomerList {
    type Key = CustomerId;
    type Row = CustomerRow;
    const NAME: &'static str = "customer_list";
    const VERSION: i32 = 6;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "customer.registered",
            "customer.erased",
            "customer.consent_given",
            "customer.consent_withdrawn",
            "customer.locale_set",
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
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
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
                sms_consent: registered.sms_consent.clone(),
                email_consent: None,
                locale: None,
            }),
            DomainEvent::Customer(CustomerEvent::LocaleSet(set)) => row.map(|row| CustomerRow {
                version: event.sequence.0,
                locale: set.locale.as_ref().map(ToString::to_string),
                ..row
            }),
            DomainEvent::Customer(CustomerEvent::ConsentGiven(given)) => {
                row.map(|row| consenting(row, event, given.channel, Some(given.consent.clone())))
            }
            DomainEvent::Customer(CustomerEvent::ConsentWithdrawn(withdrawn)) => {
                row.map(|row| consenting(row, event, withdrawn.channel, None))
            }
            // The sealed contact stays: its key is gone. What a search would find them by goes too.
            DomainEvent::Customer(CustomerEvent::Erased(_)) => row.map(|row| CustomerRow {
                version: event.sequence.0,
                email_key: None,
                phone_key: None,
                sms_consent: None,
                email_consent: None,
                locale: None,
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
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
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

#[cfg(test)]
mod tests {
    use domain::customer::{
        Contact, CustomerConsentGiven, CustomerConsentWithdrawn, CustomerErased, CustomerRegistered,
    };

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

    #[test]
    fn a_consent_shows_while_it_is_given() {
        let consent = |text_version: &str| Consent {
            given_at: crate::testing::at("2026-11-01T00:00:00Z"),
            given_through: "staff".to_owned(),
            text_version: text_version.to_owned(),
        };
        let registered = CustomerEvent::Registered(CustomerRegistered {
            contact: Contact {
                name: sealed("name"),
                email: None,
                phone: None,
            },
            email_key: None,
            phone_key: None,
            sms_consent: Some(consent("1")),
        });
        let given = CustomerEvent::ConsentGiven(CustomerConsentGiven {
            channel: ConsentChannel::Email,
            consent: consent("e"),
            before: None,
        });
        let withdrawn = CustomerEvent::ConsentWithdrawn(CustomerConsentWithdrawn {
            channel: ConsentChannel::Sms,
            before: "1".to_owned(),
            withdrawn_through: "stop_reply".to_owned(),
            withdrawn_at: crate::testing::at("2026-11-02T00:00:00Z"),
        });
        let events = [registered, given, withdrawn];
        let events: Vec<Recorded> = events
            .into_iter()
            .zip(1..)
            .map(|(event, at)| recorded(at, &CUSTOMER.to_string(), at, DomainEvent::Customer(event)))
            .collect();
        let row = |events: &[Recorded]| fold::<CustomerList>(events).get(&CUSTOMER).unwrap().clone();
        assert_eq!(row(&events[..1]).sms_consent, Some(consent("1")));
        let after = row(&events);
        assert_eq!(
            (after.sms_consent, after.email_consent, after.version),
            (None, Some(consent("e")), 3)
        );
    }
}
