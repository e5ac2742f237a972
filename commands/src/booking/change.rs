//! Changes of a booking that goes on.

use chrono::NaiveDateTime;
use domain::access::Permission;
use domain::booking::{
    Booking, BookingCommand, BookingError, BookingRequested, ChangeAsked, ChangeGuests, ChangeMenu,
    ChangedBy, FeeAgreed, RescheduleBooking,
};
use domain::customer::Customer;
use domain::decider::{Decider, Event};
use domain::envelope::{ActorKind, StreamId};
use domain::guests::Guests;
use domain::ids::{BookingId, StationId, SubjectId};
use domain::place::{Place, Travel, Venue};
use domain::price_list::{PriceList, PricesOfChange};
use domain::quote::AddOn;
use domain::station::Station;
use domain::tax_rate::PlaceMethod;
use event_log::Opened;
use serde::Serialize;

use super::venue::{VenueInput, check_state, check_venue};
use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::quote::{parse_zip, unknown_zip};
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// For whose reasons a booking is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum OnBehalfOf {
    /// The customer wants it.
    Customer,
    /// The company does.
    Company,
}

/// A move to another time or place, as the client asked for it.
#[derive(Clone, Serialize)]
pub struct BookingReschedule {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Local start.
    pub start: NaiveDateTime,
    /// Where; as before where absent.
    pub venue: Option<VenueInput>,
    /// Whether what the terms take for it was agreed to.
    pub fee: FeeAgreed,
    /// Who wants it.
    pub on_behalf_of: OnBehalfOf,
    /// Why.
    pub reason: Option<String>,
}

/// More guests or fewer, as the client asked for it.
#[derive(Clone, Serialize)]
pub struct BookingGuestCountChange {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Who comes.
    pub guests: Guests,
    /// Why.
    pub reason: Option<String>,
}

/// Other extras, as the client asked for them.
#[derive(Clone, Serialize)]
pub struct BookingMenuChange {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// All extras from now on.
    pub add_ons: Vec<AddOn>,
    /// Why.
    pub reason: Option<String>,
}

impl Commands {
    /// Moves a party to another time or place: takes the new place and gives up the old one in one step, or neither.
    ///
    /// # Errors
    /// `SLOT_UNAVAILABLE`, `FEE_REQUIRED`, `CHANGES_LOCKED` and what else a request may be refused for.
    pub async fn reschedule_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingReschedule,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_reschedule", &ask, || {
                this.plan_reschedule(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_reschedule(&self, caller: &Caller, ask: &BookingReschedule) -> Result<Plan, CommandError> {
        let loaded = self
            .booking_to_change(caller, ask.booking_id, ask.expected_version)
            .await?;
        let requested = requested(&loaded)?;
        let station = self.station_of(caller, requested.station_id).await?;
        let (venue, place, travel) = self.venue_after(caller, ask, requested, &station.state).await?;
        let on = ask.start.date();
        let known = requested.tax_place.method;
        let tax_place = match &ask.venue {
            Some(input)
                if venue != requested.venue || (input.county.is_some() && known != PlaceMethod::Manual) =>
            {
                self.venue_tax_place(caller, &place, input, on).await?
            }
            // What a person found out of the same venue stays so; the rate is that of the new day.
            Some(_) | None => self.tax_place_on(caller, requested, on).await?.place,
        };
        let asked = self
            .asked(caller, requested, ask.on_behalf_of, ask.reason.as_ref())
            .await?;
        // A party that is over may be one of somebody who has been erased since.
        let customer_id = requested.customer_id.to_string();
        let customer = self.load::<Customer>(caller, &customer_id).await?;
        customer.state.known().map_err(CommandError::refused)?;
        let (on, of) = (ask.start.date(), (requested.station_id, &station));
        let roster = self.roster(caller, of, (on, on), Some(ask.booking_id)).await?;
        let command = BookingCommand::Reschedule(Box::new(RescheduleBooking {
            roster: roster.roster.clone(),
            station: station.state,
            start: ask.start,
            venue,
            tax_place,
            travel,
            fee: ask.fee,
            asked,
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(roster
            .guard(Plan::default())
            .write::<Booking>(self, ask.booking_id.to_string(), loaded.version, events)
            .reads::<Customer>(customer_id, customer.version))
    }

    /// Where the party is held after the move, and the way there.
    async fn venue_after(
        &self,
        caller: &Caller,
        ask: &BookingReschedule,
        requested: &BookingRequested,
        station: &Station,
    ) -> Result<(Venue, Place, Travel), CommandError> {
        let find = |zip| {
            let place = self.ports.places.find(zip);
            place.ok_or_else(|| unknown_zip(zip, &["venue", "zip"]))
        };
        let Some(input) = &ask.venue else {
            let place = find(&requested.venue.zip)?;
            return Ok((requested.venue.clone(), place, requested.travel.clone()));
        };
        let zip = parse_zip(&input.zip, &["venue", "zip"])?;
        check_venue(input)?;
        let place = find(&zip)?;
        if self
            .is_same_venue(caller, ask.booking_id, &requested.venue, input)
            .await?
        {
            return Ok((requested.venue.clone(), place, requested.travel.clone()));
        }
        check_state(&place, &input.state)?;
        let opened = station.opened();
        let home = &opened
            .ok_or_else(|| CommandError::refused(BookingError::StationNotFound))?
            .zip;
        let travel = self.ports.places.travel(home, &zip);
        let travel = travel.ok_or_else(|| unknown_zip(home, &["stationId"]))?;
        let sealer = self
            .vault
            .sealer(caller.tenant, SubjectId(requested.customer_id.0))
            .await?;
        let stream = StreamId::new(Booking::STREAM, ask.booking_id.to_string());
        let venue = Venue {
            street: sealer.seal(&stream, "venue.street", input.street.trim()),
            city: input.city.trim().to_owned(),
            county: super::tax::county_of(&place, input)?,
            state: place.state.clone(),
            zip,
        };
        Ok((venue, place, travel))
    }

    /// Whether a venue is the one that a booking has. What is sealed twice is never the same, so the street is opened.
    async fn is_same_venue(
        &self,
        caller: &Caller,
        id: BookingId,
        venue: &Venue,
        input: &VenueInput,
    ) -> Result<bool, CommandError> {
        let zip = input.zip.trim();
        let state = input.state.trim();
        if venue.zip.as_str() != zip
            || venue.city != input.city.trim()
            || !venue.state.eq_ignore_ascii_case(state)
            || input
                .county
                .as_ref()
                .is_some_and(|county| county.trim() != venue.county)
        {
            return Ok(false);
        }
        let stream = StreamId::new(Booking::STREAM, id.to_string());
        let street = self
            .vault
            .open(caller.tenant, &stream, "venue.street", &venue.street)
            .await?;
        Ok(matches!(street, Opened::Text(street) if street == input.street.trim()))
    }

    /// Serves more guests, or fewer, at the prices that the terms say.
    ///
    /// # Errors
    /// `SLOT_UNAVAILABLE` where more chefs are needed than are free, `CHANGES_LOCKED`, `UNCHANGED`.
    pub async fn change_guest_count(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingGuestCountChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_guest_count_change", &ask, || {
                this.plan_guests(&caller, &ask)
            })
            .await
        })
        .await
    }

    async fn plan_guests(
        &self,
        caller: &Caller,
        ask: &BookingGuestCountChange,
    ) -> Result<Plan, CommandError> {
        let loaded = self
            .booking_to_change(caller, ask.booking_id, ask.expected_version)
            .await?;
        let requested = requested(&loaded)?;
        let station = self.station_of(caller, requested.station_id).await?;
        let asked = self
            .asked(caller, requested, OnBehalfOf::Customer, ask.reason.as_ref())
            .await?;
        let on = requested.start.local.date();
        let of = (requested.station_id, &station);
        let roster = self.roster(caller, of, (on, on), Some(ask.booking_id)).await?;
        let command = BookingCommand::ChangeGuests(Box::new(ChangeGuests {
            roster: roster.roster.clone(),
            station: station.state,
            guests: ask.guests,
            asked,
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        let id = ask.booking_id.to_string();
        let plan = Plan::default().write::<Booking>(self, id, loaded.version, events);
        Ok(roster.guard(plan))
    }

    /// Serves other extras, at the prices that the terms say.
    ///
    /// # Errors
    /// `ITEM_UNKNOWN`, `CHANGES_LOCKED`, `UNCHANGED`.
    pub async fn change_menu(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingMenuChange,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_menu_change", &ask, || async {
                let loaded = this
                    .booking_to_change(&caller, ask.booking_id, ask.expected_version)
                    .await?;
                let requested = requested(&loaded)?;
                let asked = this
                    .asked(&caller, requested, OnBehalfOf::Customer, ask.reason.as_ref())
                    .await?;
                let command = BookingCommand::ChangeMenu(Box::new(ChangeMenu {
                    add_ons: ask.add_ons.clone(),
                    asked,
                }));
                this.plan_change(ask.booking_id, &loaded, command)
            })
            .await
        })
        .await
    }

    /// A booking that a command is about, at the version that the client saw.
    pub(super) async fn booking_to_change(
        &self,
        caller: &Caller,
        id: BookingId,
        seen: Option<i64>,
    ) -> Result<Loaded<Booking>, CommandError> {
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        loaded.expect(seen)?;
        Ok(loaded)
    }

    pub(super) fn plan_change(
        &self,
        id: BookingId,
        loaded: &Loaded<Booking>,
        command: BookingCommand,
    ) -> Result<Plan, CommandError> {
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Booking>(self, id.to_string(), loaded.version, events))
    }

    pub(super) async fn station_of(
        &self,
        caller: &Caller,
        id: StationId,
    ) -> Result<Loaded<Station>, CommandError> {
        self.load::<Station>(caller, &id.to_string()).await
    }

    /// Who wants a change, why, and at which prices.
    async fn asked(
        &self,
        caller: &Caller,
        requested: &BookingRequested,
        on_behalf_of: OnBehalfOf,
        reason: Option<&String>,
    ) -> Result<ChangeAsked, CommandError> {
        let now = self.ports.now();
        let (price_list, priced_at) = match requested.policy.changes.prices {
            PricesOfChange::AsRequested => (self.prices_of(caller, requested).await?, requested.requested_at),
            PricesOfChange::Current => {
                let id = requested.station_id.to_string();
                (self.load::<PriceList>(caller, &id).await?.state, now)
            }
        };
        let by = match (caller.actor.kind, on_behalf_of) {
            (ActorKind::Customer, _) => ChangedBy::Customer,
            (ActorKind::User | ActorKind::System | ActorKind::Policy, OnBehalfOf::Customer) => {
                ChangedBy::Staff
            }
            (ActorKind::User | ActorKind::System | ActorKind::Policy, OnBehalfOf::Company) => {
                ChangedBy::Company
            }
        };
        Ok(ChangeAsked {
            price_list,
            priced_at,
            by,
            reason: reason.cloned(),
            now,
        })
    }

    /// The price list at the version that a booking was priced at.
    async fn prices_of(
        &self,
        caller: &Caller,
        requested: &BookingRequested,
    ) -> Result<PriceList, CommandError> {
        let stream = StreamId::new(PriceList::STREAM, requested.station_id.to_string());
        let stored = self.log.load(caller.tenant, &stream, None).await?;
        let mut list = PriceList::default();
        for event in &stored.events {
            if list.version() == requested.quote.price_list_version {
                break;
            }
            list.evolve(&<PriceList as Decider>::Event::decode(
                &event.event_type,
                event.event_version,
                &event.payload,
            )?);
        }
        Ok(list)
    }
}

/// What was asked for, of a booking that is there.
pub(super) fn requested(loaded: &Loaded<Booking>) -> Result<&BookingRequested, CommandError> {
    loaded
        .state
        .requested()
        .ok_or_else(|| CommandError::Refused(Refused::from(BookingError::NotFound)))
}
