//! Booking commands.

mod change;
mod crew;
mod removal;
mod upkeep;

use chrono::NaiveDateTime;
use domain::access::Permission;
use domain::booking::{Booking, BookingCommand, BookingError, CancelledBy, RequestBooking};
use domain::decider::{Decider, Refusal};
use domain::envelope::{Sealed, StreamId, Version};
use domain::guests::Guests;
use domain::ids::{BookingId, CustomerId, PaymentId, StationId, SubjectId};
use domain::money::Cents;
use domain::place::{Place, Venue};
use domain::quote::AddOn;
use domain::station::{Station, StationError};
use domain::tax_rate::CountyRates;
use event_log::Sealer;
use serde::Serialize;

pub use change::{BookingGuestCountChange, BookingMenuChange, BookingReschedule, OnBehalfOf};
pub use crew::{BookingChef, BookingChefRelease};
pub use removal::{BookingDelete, BookingRestore};
pub use upkeep::{BookingDepositExtend, BookingNote, BookingTermsAccept};

pub use crate::customer::{CustomerInput, SmsConsent};
use crate::execute::{CAPACITY, Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::quote::{Offer, check_promo, parse_zip};
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
        check_promo(input.promo_code.as_deref())?;
        let booker = self.find_booker(caller, &input.customer, ids.customer).await?;
        let offer = self.offer(caller, input.station, &zip, &["venue", "zip"]).await?;
        check_state(&offer.place, &input.venue.state)?;
        let sealer = self.vault.sealer(caller.tenant, SubjectId(booker.id().0)).await?;
        let ask = self
            .gather(caller, ids.booking, booker.id(), &sealer, &offer, input)
            .await?;
        let events = Booking::default()
            .decide(BookingCommand::Request(Box::new(ask)))
            .map_err(CommandError::refused)?;
        let plan = self
            .register_booker(caller, Plan::default(), &booker, &sealer)
            .await?;
        Ok(plan
            .write::<Booking>(self, ids.booking.to_string(), Version(0), events)
            .reads::<Station>(offer.id.to_string(), offer.station.version)
            .on_refused_claim(CAPACITY, BookingError::SlotUnavailable))
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
        let county = CountyRates::stream_key(&offer.place.state, &offer.place.county);
        let rates = self.load::<CountyRates>(caller, &county).await?;
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
            roster: self.roster(caller, &offer.station.state).await?,
            price_list: offer.prices.state.clone(),
            venue: Venue {
                street: sealer.seal(&stream, "venue.street", street),
                city: input.venue.city.trim().to_owned(),
                county: offer.place.county.clone(),
                state: offer.place.state.clone(),
                zip: offer.place.zip.clone(),
            },
            tax_place: rates
                .state
                .resolve(&offer.place, &input.venue.city, input.start.date()),
            travel: offer.travel.clone(),
            start: input.start,
            guests: input.guests,
            add_ons: input.add_ons.clone(),
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
                let command = BookingCommand::Complete {
                    note: note.clone(),
                    now: this.ports.now(),
                };
                this.plan_booking(&caller, id, seen, command).await
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

    /// The tax-inclusive total of a booking, in cents.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is none; when the log is out of reach.
    pub async fn booking_total(&self, caller: &Caller, id: BookingId) -> Result<Cents, CommandError> {
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        let requested = loaded
            .state
            .requested()
            .ok_or_else(|| CommandError::refused(BookingError::NotFound))?;
        Ok(requested.quote.total_cents)
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
