//! Asking for a party.

use chrono::NaiveDateTime;
use domain::access::Permission;
use domain::booking::{Booking, BookingCommand, BookingRequested, RequestBooking};
use domain::chef::Roster;
use domain::decider::{Decider, Refusal};
use domain::envelope::{StreamId, Version};
use domain::guests::Guests;
use domain::ids::{BookingId, CustomerId, StationId, SubjectId};
use domain::place::Venue;
use domain::promo_code::PromoCode;
use domain::quote::AddOn;
use domain::station::StationError;
use event_log::Sealer;
use serde::Serialize;

use super::tax;
use super::upkeep::check_note;
use super::venue::{VenueInput, check_state, check_venue};
use crate::customer::CustomerInput;
use crate::execute::{Plan, Written, to_the_end};
use crate::quote::{Offer, parse_zip};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// A request for a party, as the client made it.
#[derive(Clone, Serialize)]
pub struct BookingInput {
    /// The station; the nearest where absent.
    pub station: Option<StationId>,
    /// Who books.
    pub customer: CustomerInput,
    /// Where.
    pub venue: VenueInput,
    /// Local start.
    pub start: NaiveDateTime,
    /// The party.
    pub guests: Guests,
    /// Extras.
    pub add_ons: Vec<AddOn>,
    /// A promo code.
    pub promo_code: Option<String>,
    /// Where the customer came from.
    pub source: Option<String>,
    /// Version of the terms that the customer accepted.
    pub terms_version: Option<String>,
    /// What the customer wrote.
    pub note: Option<String>,
}

/// Ids of what a request creates: made once, so that deciding anew changes nothing.
#[derive(Clone, Copy)]
struct NewIds {
    booking: BookingId,
    customer: CustomerId,
}

impl Commands {
    /// Asks for a party: holds its place, makes a new customer known, or is refused. A refusal that is worth a
    /// call (no place, too far, too large or too small a party) is kept as a lead.
    ///
    /// # Errors
    /// The refusal, with its field; nothing but the lead is written then.
    pub async fn request_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: BookingInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            let ids = NewIds {
                booking: BookingId(this.ports.id()),
                customer: CustomerId(this.ports.id()),
            };
            let asked = this
                .run(&caller, &key, "booking_request", &input, || {
                    this.plan_request(&caller, ids, &input)
                })
                .await;
            if let Err(CommandError::Refused(refused)) = &asked
                && worth_a_call(refused.code)
            {
                this.capture_lead(&caller, &key, &input, refused.code).await?;
            }
            asked
        })
        .await
    }

    async fn plan_request(
        &self,
        caller: &Caller,
        ids: NewIds,
        input: &BookingInput,
    ) -> Result<Plan, CommandError> {
        let zip = parse_zip(&input.venue.zip, &["venue", "zip"])?;
        check_venue(&input.venue)?;
        let booker = self.find_booker(caller, &input.customer, ids.customer).await?;
        let offer = self.offer(caller, input.station, &zip, &["venue", "zip"]).await?;
        check_state(&offer.place, &input.venue.state)?;
        let sealer = self.vault.sealer(caller.tenant, SubjectId(booker.id().0)).await?;
        let ask = self
            .gather(caller, ids.booking, booker.id(), &sealer, &offer, input)
            .await?;
        let promo = self
            .find_promo(caller, input.promo_code.as_deref(), Some(booker.id()))
            .await?;
        let (on, of) = (input.start.date(), (offer.id, &offer.station));
        let loaded = self.roster(caller, of, (on, on), None).await?;
        let mut plan = loaded.guard(Plan::default());
        if let Some(found) = &promo {
            plan = plan.reads::<PromoCode>(found.asked.promo_id.to_string(), found.version);
        }
        let ask = RequestBooking {
            promo: promo.map(|found| found.asked),
            roster: loaded.roster.clone(),
            ..ask
        };
        let mut booking = Booking::default();
        let events = booking
            .decide(BookingCommand::Request(Box::new(ask)))
            .map_err(CommandError::refused)?;
        events.iter().for_each(|event| booking.evolve(event));
        let hold = booking.requested().and_then(BookingRequested::customer_hold);
        let plan = self.register_booker(caller, plan, &booker, &sealer).await?;
        Ok(plan
            .holds(hold.as_ref())
            .write::<Booking>(self, ids.booking.to_string(), Version(0), events))
    }

    async fn gather(
        &self,
        caller: &Caller,
        booking_id: BookingId,
        customer_id: CustomerId,
        sealer: &Sealer,
        offer: &Offer,
        input: &BookingInput,
    ) -> Result<RequestBooking, CommandError> {
        let stream = StreamId::new(Booking::STREAM, booking_id.to_string());
        let note = match input
            .note
            .as_deref()
            .map(str::trim)
            .filter(|note| !note.is_empty())
        {
            Some(note) => {
                check_note(note)?;
                Some(sealer.seal(&stream, "note", note))
            }
            None => None,
        };
        let street = input.venue.street.trim();
        Ok(RequestBooking {
            booking_id,
            customer_id,
            station_id: offer.id,
            station: offer.station.state.clone(),
            roster: Roster::default(),
            price_list: offer.prices.state.clone(),
            venue: Venue {
                street: sealer.seal(&stream, "venue.street", street),
                city: input.venue.city.trim().to_owned(),
                county: tax::county_of(&offer.place, &input.venue)?,
                state: offer.place.state.clone(),
                zip: offer.place.zip.clone(),
            },
            tax_place: self
                .venue_tax_place(caller, &offer.place, &input.venue, input.start.date())
                .await?,
            travel: offer.travel.clone(),
            start: input.start,
            guests: input.guests,
            add_ons: input.add_ons.clone(),
            promo: None,
            source: input.source.clone(),
            terms_version: input.terms_version.clone(),
            note,
            now: self.ports.now(),
        })
    }

    async fn capture_lead(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        input: &BookingInput,
        failure: &'static str,
    ) -> Result<(), CommandError> {
        let zip = parse_zip(&input.venue.zip, &["venue", "zip"])?;
        let station = match self.serving_station(caller, input.station, &zip).await {
            Ok(station) => station,
            Err(CommandError::Refused(refused)) if refused.code == StationError::NotFound.code() => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        crate::lead::capture(self, caller, key, input, station, zip, failure).await
    }
}

/// Refusals after which somebody should call the customer back.
fn worth_a_call(code: &str) -> bool {
    matches!(
        code,
        "SLOT_UNAVAILABLE" | "NO_CHEF" | "OUT_OF_AREA" | "BELOW_MINIMUM" | "TOO_MANY_GUESTS"
    )
}
