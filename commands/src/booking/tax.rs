//! The tax of bookings: where it belongs, and what is added to it after the party was held.

use chrono::NaiveDate;
use domain::access::Permission;
use domain::booking::{
    Booking, BookingCommand, BookingError, BookingRequested, CompleteBooking, OpenKept, PaymentFact,
    RecordTax, SetTaxPlace, TaxPlaceBecause,
};
use domain::decider::Decider;
use domain::envelope::Version;
use domain::ids::BookingId;
use domain::organisation::Organisation;
use domain::place::Place;
use domain::tax_account::CardFeeTax;
use domain::tax_period::TaxPeriods;
use domain::tax_rate::{CountyRates, Jurisdiction, PlaceMethod, TaxPlace};
use serde::Serialize;

use super::VenueInput;
use super::change::requested;
use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// The place that a booking's tax belongs to, as a person found it.
#[derive(Debug, Clone, Serialize)]
pub struct BookingTaxPlace {
    /// The booking.
    pub booking_id: BookingId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// Who is owed the tax.
    pub jurisdiction: Jurisdiction,
    /// Why; 3 to 500 characters.
    pub reason: String,
}

/// The county of a venue: the one that was named with it, where the ZIP touches it, else the one that most of the ZIP lies
/// in.
///
/// # Errors
/// `COUNTY_NOT_OF_ZIP`.
pub(super) fn county_of(place: &Place, venue: &VenueInput) -> Result<String, CommandError> {
    let Some(named) = venue
        .county
        .as_deref()
        .map(str::trim)
        .filter(|named| !named.is_empty())
    else {
        return Ok(place.county.clone());
    };
    let touched = place
        .counties
        .iter()
        .find(|county| county.eq_ignore_ascii_case(named));
    touched.cloned().ok_or_else(|| {
        CommandError::Refused(Refused {
            code: "COUNTY_NOT_OF_ZIP",
            field: vec!["venue", "county"],
            message: format!(
                "the ZIP code {} lies in {}",
                place.zip,
                place.counties.join(" or ")
            ),
        })
    })
}

/// The periods of a state, guarded at the version they were read at: a line that is written after them cannot belong to a
/// day that was closed meanwhile.
pub(crate) struct Periods {
    state: String,
    loaded: Loaded<TaxPeriods>,
}

impl Periods {
    pub(crate) fn state(&self) -> &TaxPeriods {
        &self.loaded.state
    }

    fn guard(&self, plan: Plan) -> Plan {
        plan.reads::<TaxPeriods>(self.state.clone(), self.loaded.version)
    }
}

/// The place of a booking's tax, with the rates that say so, guarded at the version they were read at: a rate that is set
/// meanwhile is looked at, or finds the booking as it is then.
pub(super) struct Resolved {
    pub(super) place: TaxPlace,
    county: String,
    version: Version,
}

impl Resolved {
    fn guard(&self, plan: Plan) -> Plan {
        plan.reads::<CountyRates>(self.county.clone(), self.version)
    }
}

/// The local day whose rate a booking's tax has.
fn taxed_on(loaded: &Loaded<Booking>) -> Result<NaiveDate, CommandError> {
    let day = loaded.state.taxed_on();
    day.ok_or_else(|| CommandError::refused(BookingError::NotFound))
}

impl Commands {
    pub(crate) async fn tax_periods(&self, caller: &Caller, state: &str) -> Result<Periods, CommandError> {
        Ok(Periods {
            state: state.to_owned(),
            loaded: self.load::<TaxPeriods>(caller, state).await?,
        })
    }

    /// The place of a venue's tax on a day, in the county that was named with it where one was.
    ///
    /// # Errors
    /// `COUNTY_NOT_OF_ZIP` for a county that the ZIP does not touch.
    pub(crate) async fn venue_tax_place(
        &self,
        caller: &Caller,
        place: &Place,
        venue: &VenueInput,
        day: NaiveDate,
    ) -> Result<TaxPlace, CommandError> {
        let county = county_of(place, venue)?;
        let stream = CountyRates::stream_key(&place.state, &county);
        let rates = self.load::<CountyRates>(caller, &stream).await?.state;
        Ok(if venue.county.is_some() {
            rates.resolve_in_county(place, &county, &venue.city, day)
        } else {
            rates.resolve(place, &venue.city, day)
        })
    }

    /// The place of a booking's tax on a day by the rates that are loaded now. What a person set stays; its rate is that of
    /// the day.
    pub(super) async fn tax_place_on(
        &self,
        caller: &Caller,
        requested: &BookingRequested,
        day: NaiveDate,
    ) -> Result<Resolved, CommandError> {
        let known = &requested.tax_place;
        let place = self.ports.places.find(&requested.venue.zip);
        let there = &known.jurisdiction;
        let county = CountyRates::stream_key(&there.state, &there.county);
        let loaded = self.load::<CountyRates>(caller, &county).await?;
        let rates = loaded.state;
        let city = &requested.venue.city;
        // A county that the ZIP alone does not suggest was named with the address.
        let suggested = |place: &Place| CountyRates::stream_key(&place.state, &place.county) == county;
        let place = match (known.method, place) {
            (PlaceMethod::CityZip | PlaceMethod::ZipOnly, Some(place)) if suggested(&place) => {
                rates.resolve(&place, city, day)
            }
            (PlaceMethod::CityZip | PlaceMethod::ZipOnly | PlaceMethod::Address, Some(place)) => {
                rates.resolve_in_county(&place, &there.county, city, day)
            }
            (PlaceMethod::Manual, _) | (_, None) => rates.rated(known, day),
        };
        Ok(Resolved {
            place,
            county,
            version: loaded.version,
        })
    }

    pub(super) async fn plan_completion(
        &self,
        caller: &Caller,
        id: BookingId,
        seen: Option<i64>,
        note: Option<&String>,
    ) -> Result<Plan, CommandError> {
        caller.require(Permission::BookingWrite)?;
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        loaded.expect(seen)?;
        let asked = requested(&loaded)?;
        let day = asked.start.local.date();
        let resolved = self.tax_place_on(caller, asked, day).await?;
        let state = &resolved.place.jurisdiction.state;
        let periods = self.tax_periods(caller, state).await?;
        let command = BookingCommand::Complete(Box::new(CompleteBooking {
            note: note.cloned(),
            tax_place: Some(resolved.place.clone()),
            periods: periods.state().clone(),
            now: self.ports.now(),
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        let plan = Plan::default().write::<Booking>(self, id.to_string(), loaded.version, events);
        Ok(resolved.guard(periods.guard(plan)))
    }

    /// Puts movements of money on record that change the tax of a party that was held, or of what is kept of one that was
    /// called off.
    pub(crate) async fn record_tax(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        facts: Vec<PaymentFact>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            this.run(&caller, &key, "booking_tax_record", &(id, &facts), || {
                this.plan_tax(&caller, id, Vec::new(), facts.clone())
            })
            .await
        })
        .await
    }

    /// Puts on record what is kept of a party that was called off, with the tips and card fees that had come beside it.
    pub(crate) async fn record_kept(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        beside: Vec<PaymentFact>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            this.run(&caller, &key, "booking_kept_record", &(id, &beside), || {
                this.plan_tax(&caller, id, beside.clone(), Vec::new())
            })
            .await
        })
        .await
    }

    async fn plan_tax(
        &self,
        caller: &Caller,
        id: BookingId,
        beside: Vec<PaymentFact>,
        facts: Vec<PaymentFact>,
    ) -> Result<Plan, CommandError> {
        let loaded = self
            .load_booking(caller, id, BookingError::NotFound.into())
            .await?;
        let asked = requested(&loaded)?;
        let (mut plan, mut kept) = (Plan::default(), None);
        if let (None, Some(terms)) = (loaded.state.tax(), loaded.state.kept()) {
            let resolved = self.tax_place_on(caller, asked, terms.called_off_on).await?;
            plan = resolved.guard(plan);
            kept = Some(OpenKept {
                held_cents: self.held_when_called_off(caller, id).await?,
                beside,
                tax_place: resolved.place,
            });
        }
        let place = kept.as_ref().map_or(&asked.tax_place, |kept| &kept.tax_place);
        let periods = self.tax_periods(caller, &place.jurisdiction.state).await?;
        let command = BookingCommand::RecordTax(RecordTax {
            facts,
            kept,
            card_fee: self.card_fee_tax(caller).await?,
            periods: periods.state().clone(),
            now: self.ports.now(),
        });
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        let plan = plan.write::<Booking>(self, id.to_string(), loaded.version, events);
        Ok(periods.guard(plan))
    }

    async fn card_fee_tax(&self, caller: &Caller) -> Result<CardFeeTax, CommandError> {
        let id = organisation_id(caller.tenant);
        let company = self.load::<Organisation>(caller, &id).await?;
        Ok(company.state.card_fee_tax())
    }

    /// Says by hand where a booking's tax belongs, before the party or after it: then what is on record elsewhere is taken
    /// back, and taken there.
    ///
    /// # Errors
    /// `INVALID_REASON`, `UNCHANGED`, `NOT_FOUND`, and `WRONG_STATE` for a booking that has no tax.
    pub async fn set_booking_tax_place(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: BookingTaxPlace,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TaxWrite)?;
            this.run(&caller, &key, "booking_tax_place_set", &ask, || async {
                let loaded = this
                    .booking_to_change(&caller, ask.booking_id, ask.expected_version)
                    .await?;
                let day = taxed_on(&loaded)?;
                let county = CountyRates::stream_key(&ask.jurisdiction.state, &ask.jurisdiction.county);
                let rates = this.load::<CountyRates>(&caller, &county).await?;
                let place = rates.state.place_by_hand(&ask.jurisdiction, day);
                let resolved = Resolved {
                    place: place.map_err(CommandError::refused)?,
                    county,
                    version: rates.version,
                };
                let because = TaxPlaceBecause::SetByHand;
                let (id, reason) = (ask.booking_id, Some(&ask.reason));
                this.plan_tax_place(&caller, &loaded, id, resolved, because, reason)
                    .await
            })
            .await
        })
        .await
    }

    /// Looks again where a booking's tax belongs and at which rate, by the rates that are loaded now.
    ///
    /// # Errors
    /// `UNCHANGED` where they say nothing else, `NOT_FOUND`, and `WRONG_STATE` for a booking that has no tax.
    pub async fn resolve_booking_tax(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: BookingId,
        seen: Option<i64>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::TaxWrite)?;
            this.run(&caller, &key, "booking_tax_resolve", &(id, seen), || async {
                let loaded = this.booking_to_change(&caller, id, seen).await?;
                let resolved = this
                    .tax_place_on(&caller, requested(&loaded)?, taxed_on(&loaded)?)
                    .await?;
                let because = TaxPlaceBecause::RatesLoaded;
                this.plan_tax_place(&caller, &loaded, id, resolved, because, None)
                    .await
            })
            .await
        })
        .await
    }

    async fn plan_tax_place(
        &self,
        caller: &Caller,
        loaded: &Loaded<Booking>,
        id: BookingId,
        resolved: Resolved,
        because: TaxPlaceBecause,
        reason: Option<&String>,
    ) -> Result<Plan, CommandError> {
        let before = &requested(loaded)?.tax_place.jurisdiction.state;
        let periods_before = self.tax_periods(caller, before).await?;
        let state = &resolved.place.jurisdiction.state;
        let periods = self.tax_periods(caller, state).await?;
        let command = BookingCommand::SetTaxPlace(Box::new(SetTaxPlace {
            tax_place: resolved.place.clone(),
            because,
            reason: reason.cloned(),
            periods_before: periods_before.state().clone(),
            periods: periods.state().clone(),
            now: self.ports.now(),
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        let plan = Plan::default().write::<Booking>(self, id.to_string(), loaded.version, events);
        let plan = resolved.guard(periods.guard(plan));
        Ok(if periods.state == periods_before.state {
            plan
        } else {
            periods_before.guard(plan)
        })
    }
}
