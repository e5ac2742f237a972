//! Booking commands.

mod change;
mod crew;
mod removal;
pub(crate) mod roster;
mod tax;
mod upkeep;

use chrono::NaiveDateTime;
use domain::access::Permission;
use domain::booking::{Booking, BookingCommand, BookingError, BookingRequested, CancelledBy, RequestBooking};
use domain::chef::Roster;
use domain::decider::{Decider, Refusal};
use domain::envelope::{Sealed, StreamId, Version};
use domain::guests::Guests;
use domain::ids::{BookingId, CustomerId, PaymentId, StationId, SubjectId};
use domain::money::Cents;
use domain::place::{Place, Venue};
use domain::promo_code::PromoCode;
use domain::quote::AddOn;
use domain::station::StationError;
use event_log::Sealer;
use serde::Serialize;

pub use change::{BookingGuestCountChange, BookingMenuChange, BookingReschedule, OnBehalfOf};
pub use crew::{BookingChef, BookingChefRelease};
pub use removal::{BookingDelete, BookingRestore};
pub use tax::BookingTaxPlace;
pub use upkeep::{BookingDepositExtend, BookingNote, BookingTermsAccept};

pub use crate::customer::{CustomerInput, SmsConsent};
use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::quote::{Offer, parse_zip};
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

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

/// Where a party is to be held, as the client named it.
#[derive(Clone, Serialize)]
pub struct VenueInput {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP code.
    pub zip: String,
    /// County, where the client knows it: a ZIP may touch several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
}

/// The longest note, in characters.
const MAX_NOTE: usize = 4_000;

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
            Some(note) => Some(seal_note(sealer, &stream, note)?),
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

    /// Marks a party as held, from its start on.
    ///
    /// # Errors
    /// `NOT_YET_HELD` before the start, `WRONG_STATE` unless it is confirmed.
    pub async fn complete_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        seen: Option<i64>,
        note: Option<String>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(&caller, &key, "booking_complete", &(id, seen, &note), || async {
                this.plan_completion(&caller, id, seen, note.as_ref()).await
            })
            .await
        })
        .await
    }

    /// Calls a party off and frees its place; what is given back is proposed, not paid.
    ///
    /// # Errors
    /// `INVALID_REASON`, or `WRONG_STATE` when it was held or called off already.
    pub async fn cancel_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        seen: Option<i64>,
        by: CancelledBy,
        reason: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::BookingWrite)?;
            this.run(
                &caller,
                &key,
                "booking_cancel",
                &(id, seen, by, &reason),
                || async {
                    let command = BookingCommand::Cancel {
                        by,
                        reason: reason.clone(),
                        now: this.ports.now(),
                    };
                    this.plan_booking(&caller, id, seen, command).await
                },
            )
            .await
        })
        .await
    }

    /// Confirms a booking whose deposit has come.
    pub(crate) async fn confirm_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        payment_id: PaymentId,
        captured_cents: Cents,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            this.run(
                &caller,
                &key,
                "booking_confirm",
                &(id, payment_id, captured_cents),
                || async {
                    let command = BookingCommand::Confirm {
                        payment_id,
                        captured_cents,
                        now: this.ports.now(),
                    };
                    this.plan_booking(&caller, id, None, command).await
                },
            )
            .await
        })
        .await
    }

    /// Gives up a booking whose deposit did not come.
    pub(crate) async fn expire_booking(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            this.run(&caller, &key, "booking_expire", &id, || async {
                this.plan_booking(
                    &caller,
                    id,
                    None,
                    BookingCommand::Expire {
                        now: this.ports.now(),
                    },
                )
                .await
            })
            .await
        })
        .await
    }

    async fn plan_booking(
        &self,
        caller: &Caller,
        id: BookingId,
        seen: Option<i64>,
        command: BookingCommand,
    ) -> Result<Plan, CommandError> {
        caller.require(Permission::BookingWrite)?;
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        loaded.expect(seen)?;
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Booking>(self, id.to_string(), loaded.version, events))
    }

    /// A booking as its stream tells it.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is none; when the log is out of reach.
    pub async fn booking_as_it_stands(
        &self,
        caller: &Caller,
        id: BookingId,
    ) -> Result<Booking, CommandError> {
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        Ok(loaded.state)
    }

    /// Loads a booking that exists and is within the caller's reach.
    pub(crate) async fn load_booking(
        &self,
        caller: &Caller,
        id: BookingId,
        missing: Refused,
    ) -> Result<Loaded<Booking>, CommandError> {
        let loaded = self.load::<Booking>(caller, &id.to_string()).await?;
        let station = loaded.state.requested().map(|requested| requested.station_id);
        caller.reach(
            station.ok_or_else(|| CommandError::Refused(missing.clone()))?,
            missing,
        )?;
        Ok(loaded)
    }
}

fn seal_note(sealer: &Sealer, stream: &StreamId, note: &str) -> Result<Sealed, CommandError> {
    if note.chars().count() > MAX_NOTE {
        return Err(CommandError::refused(BookingError::TooLong {
            what: "a note",
            max: MAX_NOTE,
        }));
    }
    Ok(sealer.seal(stream, "note", note))
}

/// Refusals after which somebody should call the customer back.
fn worth_a_call(code: &str) -> bool {
    matches!(
        code,
        "SLOT_UNAVAILABLE" | "NO_CHEF" | "OUT_OF_AREA" | "BELOW_MINIMUM" | "TOO_MANY_GUESTS"
    )
}

/// Refuses a state that the ZIP is not in.
fn check_state(place: &Place, state: &str) -> Result<(), CommandError> {
    if place.state.eq_ignore_ascii_case(state.trim()) {
        return Ok(());
    }
    Err(CommandError::Refused(Refused {
        code: "ZIP_STATE_MISMATCH",
        field: vec!["venue", "state"],
        message: format!("the ZIP code {} is in {}", place.zip, place.state),
    }))
}

fn check_venue(venue: &VenueInput) -> Result<(), CommandError> {
    let bad = |field: &'static str, message: &str| {
        Err(CommandError::Refused(Refused {
            code: "INVALID_VENUE",
            field: vec!["venue", field],
            message: message.to_owned(),
        }))
    };
    let length = |text: &str| text.trim().chars().count();
    if !(1..=300).contains(&length(&venue.street)) {
        return bad("street", "a street has 1 to 300 characters");
    }
    if !(1..=80).contains(&length(&venue.city)) || venue.city.chars().any(char::is_control) {
        return bad("city", "a city has 1 to 80 characters");
    }
    Ok(())
}

impl Commands {
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
