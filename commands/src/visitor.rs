//! Customers on a company's own pages, who have not signed in: who they are as callers, what a company shows them, and the
//! links by which they come back to what is theirs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::{Permission, StationScope};
use domain::booking::{Booking, BookingError, BookingRequested, BookingStatus};
use domain::conversation::{Conversation, ConversationError};
use domain::envelope::{Actor, ActorKind, Channel};
use domain::ids::{BookingId, ConversationId, CustomerId, StationId, TenantId};
use domain::organisation::Organisation;
use domain::place::ZipCode;
use domain::price_list::PriceList;
use domain::station::{Station, StationCreated, StationError};
use uuid::Uuid;

use crate::organisation::organisation_id;
use crate::quote::{parse_zip, unknown_zip};
use crate::{Caller, CommandError, Commands};

/// Bytes of an id, with which a link's secret begins.
const ID: usize = 16;
/// What the keyed hashes of links to bookings and to conversations are made for: one is never the other.
const BOOKING_LINK: &str = "visitor.booking_link";
const CONVERSATION_LINK: &str = "visitor.conversation_link";

/// What a company shows to everybody.
#[derive(Debug, Clone)]
pub struct Storefront {
    /// Name of the company.
    pub name: String,
    /// Its stations, in the order in which they opened.
    pub stations: Vec<OpenStation>,
}

/// A station as everybody may see it, with what it charges.
#[derive(Debug, Clone)]
pub struct OpenStation {
    /// The station.
    pub id: StationId,
    /// What it is, as it stands now.
    pub station: StationCreated,
    /// What it charges, from when, and its terms.
    pub prices: PriceList,
}

/// A booking as its own customer's link leads to it.
#[derive(Debug, Clone)]
pub struct OwnBooking {
    /// What was asked for.
    pub requested: BookingRequested,
    /// Where it stands.
    pub status: BookingStatus,
}

impl Caller {
    /// Somebody on a company's own pages, who has not signed in.
    pub fn visitor(tenant: TenantId, request_id: Option<String>) -> Self {
        Self {
            tenant,
            actor: Actor {
                kind: ActorKind::Customer,
                id: "visitor".to_owned(),
                role: None,
            },
            stations: StationScope::All,
            channel: Channel::Rest,
            request_id,
            causation: None,
            correlation: None,
            through: None,
        }
    }

    /// The same, known to be a customer: whoever has the link of their booking.
    #[must_use]
    pub fn known_as(mut self, customer: CustomerId) -> Self {
        self.actor.id = customer.to_string();
        self
    }
}

impl Commands {
    /// What a company shows to everybody: its stations and what they charge.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn storefront(&self, caller: &Caller) -> Result<Storefront, CommandError> {
        caller.require(Permission::StationRead)?;
        let id = organisation_id(caller.tenant);
        let company = self.load::<Organisation>(caller, &id).await?;
        let mut stations = Vec::new();
        for added in company.state.stations() {
            let id = added.station_id;
            stations.extend(self.open_station(caller, id).await?);
        }
        let created = company.state.created();
        Ok(Storefront {
            name: created.map(|created| created.name.clone()).unwrap_or_default(),
            stations,
        })
    }

    /// One station as everybody may see it; none where there is no such station.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn open_station(
        &self,
        caller: &Caller,
        id: StationId,
    ) -> Result<Option<OpenStation>, CommandError> {
        caller.require(Permission::PriceRead)?;
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        let Some(opened) = station.state.opened() else {
            return Ok(None);
        };
        let prices = self.load::<PriceList>(caller, &id.to_string()).await?;
        Ok(Some(OpenStation {
            id,
            station: opened.clone(),
            prices: prices.state,
        }))
    }

    /// The station that serves a ZIP code: the one that is named, or the nearest.
    ///
    /// # Errors
    /// `INVALID_ZIP`, `UNKNOWN_ZIP`, and `NOT_FOUND` where there is no station.
    pub async fn station_for(
        &self,
        caller: &Caller,
        named: Option<StationId>,
        zip: &str,
    ) -> Result<StationId, CommandError> {
        caller.require(Permission::StationRead)?;
        let zip: ZipCode = parse_zip(zip, &["zip"])?;
        if self.ports.places.find(&zip).is_none() {
            return Err(unknown_zip(&zip, &["zip"]));
        }
        let id = self.serving_station(caller, named, &zip).await?;
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        match station.state.opened() {
            Some(_) => Ok(id),
            None => Err(CommandError::refused(StationError::NotFound)),
        }
    }

    /// A booking for whoever has its link.
    ///
    /// # Errors
    /// `NOT_FOUND` for one that is not there or was put away.
    pub async fn own_booking(&self, caller: &Caller, id: BookingId) -> Result<OwnBooking, CommandError> {
        let missing = || CommandError::refused(BookingError::NotFound);
        let loaded = self.load::<Booking>(caller, &id.to_string()).await?;
        let booking = &loaded.state;
        match (booking.requested(), booking.status()) {
            (Some(requested), Some(status)) if !booking.is_deleted() => Ok(OwnBooking {
                requested: requested.clone(),
                status,
            }),
            (_, _) => Err(missing()),
        }
    }

    /// Whether the assistant answers in a conversation, for whoever has its link.
    ///
    /// # Errors
    /// `NOT_FOUND` for one that is not there.
    pub async fn assistant_answers(&self, caller: &Caller, id: ConversationId) -> Result<bool, CommandError> {
        let loaded = self.load::<Conversation>(caller, &id.to_string()).await?;
        match loaded.state.started() {
            Some(_) => Ok(loaded.state.silenced_by().is_none()),
            None => Err(CommandError::refused(ConversationError::NotFound)),
        }
    }

    /// The secret of the link to a booking: the same for the same booking, and nobody's to guess. Nothing is kept of it.
    ///
    /// # Errors
    /// When the company's keys are out of reach.
    pub async fn booking_link(&self, tenant: TenantId, id: BookingId) -> Result<String, CommandError> {
        self.link(tenant, BOOKING_LINK, id.0).await
    }

    /// The booking that a link leads to; none for a secret that the company has not given out.
    ///
    /// # Errors
    /// As [`booking_link`](Self::booking_link).
    pub async fn linked_booking(
        &self,
        tenant: TenantId,
        secret: &str,
    ) -> Result<Option<BookingId>, CommandError> {
        Ok(self.linked(tenant, BOOKING_LINK, secret).await?.map(BookingId))
    }

    /// The secret of the link to a conversation, as [`booking_link`](Self::booking_link).
    ///
    /// # Errors
    /// As there.
    pub async fn conversation_link(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<String, CommandError> {
        self.link(tenant, CONVERSATION_LINK, id.0).await
    }

    /// The conversation that a link leads to, as [`linked_booking`](Self::linked_booking).
    ///
    /// # Errors
    /// As there.
    pub async fn linked_conversation(
        &self,
        tenant: TenantId,
        secret: &str,
    ) -> Result<Option<ConversationId>, CommandError> {
        let id = self.linked(tenant, CONVERSATION_LINK, secret).await?;
        Ok(id.map(ConversationId))
    }

    /// An id, and its keyed hash under the company's look-up key.
    async fn link(&self, tenant: TenantId, of: &str, id: Uuid) -> Result<String, CommandError> {
        let hash = self.vault.index_key(tenant, of, &id.to_string()).await?;
        let mut bytes = id.as_bytes().to_vec();
        bytes.extend(hex::decode(hash).expect("a keyed hash is hexadecimal"));
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    async fn linked(&self, tenant: TenantId, of: &str, secret: &str) -> Result<Option<Uuid>, CommandError> {
        let bytes = URL_SAFE_NO_PAD.decode(secret).unwrap_or_default();
        let Some(id) = bytes.get(..ID).and_then(|id| Uuid::from_slice(id).ok()) else {
            return Ok(None);
        };
        let good = self.link(tenant, of, id).await?;
        Ok(same(good.as_bytes(), secret.as_bytes()).then_some(id))
    }
}

/// Whether two texts are the same, told in a time that does not depend on where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = one
        .iter()
        .zip(other)
        .fold(0, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdempotencyKey;

    #[test]
    fn texts_are_the_same_or_not_whatever_their_length() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }

    #[test]
    fn a_visitors_key_is_long_and_none_of_those_that_people_send() {
        let key = "3f0c7f4e-6f0a-4be5-9a57-6f3f3d6ad1c9";
        let visitors = IdempotencyKey::from_visitor(key).unwrap();
        assert_ne!(visitors, IdempotencyKey::from_client(key).unwrap());
        for bad in [
            "",
            "short",
            "sixteen letters ä",
            "with a space in it",
            &"x".repeat(256),
        ] {
            assert!(IdempotencyKey::from_visitor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_visitor_does_what_pages_offer_and_nothing_else() {
        let visitor = Caller::visitor(TenantId(Uuid::nil()), None);
        assert!(visitor.may(Permission::BookingWrite) && visitor.may(Permission::PriceRead));
        for not in [
            Permission::CustomerRead,
            Permission::BookingRead,
            Permission::PaymentRefund,
            Permission::TaxRead,
            Permission::ConversationRead,
            Permission::UserRead,
        ] {
            assert!(!visitor.may(not), "{}", not.as_str());
        }
    }
}
