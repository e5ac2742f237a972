//! What clients send about bookings.

use async_graphql::{ID, InputObject};
use commands::booking::{BookingInput, CustomerInput as Customer, SmsConsent, VenueInput as Venue};
use domain::ids::CustomerId;
use domain::quote::AddOn;

use crate::graphql::error::UserError;
use crate::graphql::id::local;
use crate::graphql::quote::{GuestsInput, LineInput, named_station};
use crate::graphql::scalar::LocalDateTime;

/// A party to ask for.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingRequestInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The station; the nearest to the venue where absent.
    station_id: Option<ID>,
    /// Who books.
    customer: CustomerInput,
    /// Where.
    venue: VenueInput,
    /// Local start: one of the station's slots.
    start: LocalDateTime,
    /// The party.
    guests: GuestsInput,
    /// Extras.
    #[graphql(default)]
    add_ons: Vec<LineInput>,
    /// A promo code.
    promo_code: Option<String>,
    /// Where the customer came from; at most 200 characters.
    source: Option<String>,
    /// Version of the terms that the customer accepted.
    terms_version: Option<String>,
    /// What the customer wrote; at most 4,000 characters. Sealed.
    note: Option<String>,
}

/// Who books: the id of a known customer, or a name with an e-mail or a phone.
#[derive(InputObject)]
pub(in crate::graphql) struct CustomerInput {
    /// A customer that is known.
    id: Option<ID>,
    /// Name.
    name: Option<String>,
    /// E-mail.
    email: Option<String>,
    /// Phone.
    phone: Option<String>,
    /// Whether text messages were agreed to.
    #[graphql(default = false)]
    sms_consent: bool,
}

impl CustomerInput {
    /// Who it is.
    pub(in crate::graphql) fn read(self) -> Result<Customer, UserError> {
        let unknown = || UserError::new("NOT_FOUND", &["customer", "id"], "there is no such customer");
        let id = self
            .id
            .map(|id| local::<CustomerId>(&id).ok_or_else(unknown))
            .transpose()?;
        Ok(Customer {
            id,
            name: self.name,
            email: self.email,
            phone: self.phone,
            sms_consent: if self.sms_consent {
                SmsConsent::Given
            } else {
                SmsConsent::NotGiven
            },
        })
    }
}

/// Where a party is to be held.
#[derive(InputObject)]
pub(in crate::graphql) struct VenueInput {
    /// Street and number. Sealed.
    street: String,
    /// City.
    city: String,
    /// Two-letter state.
    state: String,
    /// ZIP code.
    zip: String,
    /// County without the word County, where it is known: a ZIP may touch several, and then the tax place is to be confirmed.
    county: Option<String>,
}

impl From<VenueInput> for Venue {
    fn from(venue: VenueInput) -> Self {
        Self {
            street: venue.street,
            city: venue.city,
            state: venue.state,
            zip: venue.zip,
            county: venue.county,
        }
    }
}

impl BookingRequestInput {
    /// The key and the request.
    pub(in crate::graphql) fn read(self) -> Result<(ID, BookingInput), UserError> {
        let station = named_station(self.station_id.as_ref())
            .map_err(|()| UserError::not_found("stationId", "station"))?;
        let customer = self.customer.read()?;
        let venue = self.venue.into();
        let input = BookingInput {
            station,
            customer,
            venue,
            start: self.start.0,
            guests: self.guests.into(),
            add_ons: self.add_ons.into_iter().map(AddOn::from).collect(),
            promo_code: self.promo_code,
            source: self.source,
            terms_version: self.terms_version,
            note: self.note,
        };
        Ok((self.idempotency_key, input))
    }
}

/// A booking to act on.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingActionInput {
    /// The same key gives the same result.
    pub(in crate::graphql) idempotency_key: ID,
    /// The booking.
    pub(in crate::graphql) booking_id: ID,
    /// The version that you saw; null opts out.
    pub(in crate::graphql) expected_version: Option<i32>,
    /// What the staff noted; at most 500 characters.
    pub(in crate::graphql) reason: Option<String>,
}

/// A booking to call off.
#[derive(InputObject)]
pub(in crate::graphql) struct BookingCancelInput {
    /// The same key gives the same result.
    pub(in crate::graphql) idempotency_key: ID,
    /// The booking.
    pub(in crate::graphql) booking_id: ID,
    /// The version that you saw; null opts out.
    pub(in crate::graphql) expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    pub(in crate::graphql) reason: String,
    /// Whether the company calls it off, not the customer.
    #[graphql(default = false)]
    pub(in crate::graphql) by_company: bool,
}
