//! The tax of a booking: fixed when the party was held, and adjusted by what comes after.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::error::BookingError;
use super::event::{BookingCompleted, BookingEvent, BookingRequested, HeldTax};
use super::limits::check_length;
use super::payment_fact::movement;
use super::state::Booking;
use super::status::{BookingStatus, refuse_unless};
use super::tax_event::{BookingTaxAdjusted, BookingTaxPlaceSet, TaxAdjustment, TaxPlaceBecause};
use crate::money::{Cents, RatePpm};
use crate::quote::LineKind;
use crate::tax::extract;
use crate::tax_account::{CorrectedDay, TaxAccount, TaxFigures};
use crate::tax_period::TaxPeriods;
use crate::tax_rate::TaxPlace;

/// A party that was held, with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompleteBooking {
    /// What the staff noted; at most 500 characters.
    pub note: Option<String>,
    /// The place and rate of the day by the rates that are loaded now; as fixed before where absent.
    pub tax_place: Option<TaxPlace>,
    /// The periods of the place's state.
    pub periods: TaxPeriods,
    /// The time of asking; not before the event's start.
    pub now: DateTime<Utc>,
}

/// Another place, or another rate, for a booking's tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetTaxPlace {
    /// Place and rate on the day of the event.
    pub tax_place: TaxPlace,
    /// How that is known.
    pub because: TaxPlaceBecause,
    /// Why; 3 to 500 characters where a person says so.
    pub reason: Option<String>,
    /// The periods of the state that the tax belonged to.
    pub periods_before: TaxPeriods,
    /// The periods of the state that it belongs to.
    pub periods: TaxPeriods,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

impl BookingCompleted {
    /// What the party adds to the tax.
    pub fn figures(&self) -> TaxFigures {
        // Without a rate the whole price stands as taxable until one is found.
        let (net_cents, tax_cents) = self.tax.map_or((self.gross_cents, Cents::ZERO), |tax| {
            (tax.net_cents, tax.tax_cents)
        });
        TaxFigures {
            gross_cents: self.gross_cents,
            discount_cents: self.discount_cents,
            travel_cents: self.travel_cents,
            gratuity_cents: self.gratuity_cents,
            net_cents,
            tax_cents,
            ..TaxFigures::default()
        }
    }

    /// Local day that the tax belongs to: the event's (accrual; annotation 495.0672), or a later one where that is closed.
    pub fn tax_on(&self) -> NaiveDate {
        self.tax_on.unwrap_or(self.event_on)
    }
}

impl Booking {
    /// The tax since the party was held, or since it was called off where what is kept is a sale; none before.
    pub fn tax(&self) -> Option<&TaxAccount> {
        self.tax.as_ref()
    }

    pub(super) fn complete(&self, ask: CompleteBooking) -> Result<Vec<BookingEvent>, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status == BookingStatus::Confirmed, status, "completed")?;
        if ask.now < requested.start.utc {
            return Err(BookingError::NotYetHeld {
                start: requested.start.utc,
            });
        }
        check_length("a note", 500, ask.note.as_deref())?;
        let tax_place = ask.tax_place.unwrap_or_else(|| requested.tax_place.clone());
        let mut events = Vec::new();
        if tax_place != requested.tax_place {
            events.push(BookingEvent::TaxPlaceSet(BookingTaxPlaceSet {
                station_id: requested.station_id,
                before: requested.tax_place.clone(),
                tax_place: tax_place.clone(),
                because: TaxPlaceBecause::RatesAtCompletion,
                reason: None,
                set_at: ask.now,
            }));
        }
        let event_on = requested.start.local.date();
        let tax_on = requested.line_day(&ask.periods, ask.now);
        let gross = requested.quote.total_cents;
        let held = |rate: RatePpm| {
            let parts = extract(gross, rate);
            HeldTax {
                rate_ppm: rate,
                net_cents: parts.net_cents,
                tax_cents: parts.tax_cents,
            }
        };
        events.push(BookingEvent::Completed(BookingCompleted {
            station_id: requested.station_id,
            number: requested.number.clone(),
            event_on,
            tax_on: (tax_on != event_on).then_some(tax_on),
            guests: requested.guests,
            gross_cents: gross,
            discount_cents: requested.discount(),
            travel_cents: requested.quote.sum_of(LineKind::Travel),
            gratuity_cents: requested.quote.sum_of(LineKind::Gratuity),
            tax: tax_place.rate_ppm.map(held),
            tax_place,
            venue_zip: requested.venue.zip.to_string(),
            venue_city: requested.venue.city.clone(),
            venue_county: Some(requested.venue.county.clone()),
            note: ask.note,
            chefs: self.chefs.clone(),
            taken_until: Some(requested.blocked_until).filter(|until| ask.now < *until),
            completed_at: ask.now,
        }));
        Ok(events)
    }

    pub(super) fn set_tax_place(&self, ask: SetTaxPlace) -> Result<Vec<BookingEvent>, BookingError> {
        let (requested, status) = self.standing()?;
        let has_tax = status.is_open() || self.tax.is_some();
        refuse_unless(has_tax, status, "taxed")?;
        let said = ask.reason.as_deref().map(|reason| reason.trim().chars().count());
        if said.is_some_and(|length| !(3..=500).contains(&length)) {
            return Err(BookingError::BadReason);
        }
        if ask.because == TaxPlaceBecause::SetByHand && said.is_none() {
            return Err(BookingError::ReasonRequired);
        }
        if ask.tax_place == requested.tax_place {
            return Err(BookingError::Unchanged);
        }
        let mut events = vec![BookingEvent::TaxPlaceSet(BookingTaxPlaceSet {
            station_id: requested.station_id,
            before: requested.tax_place.clone(),
            tax_place: ask.tax_place.clone(),
            because: ask.because,
            reason: ask.reason.clone(),
            set_at: ask.now,
        })];
        if let Some(account) = &self.tax {
            events.extend(correction(requested, account, &ask));
        }
        Ok(events)
    }
}

/// Takes back what is on record at the old place, day by day, then takes it at the new one. A day that is closed for
/// either stays as it is: its correction belongs to the next open day.
fn correction(requested: &BookingRequested, account: &TaxAccount, ask: &SetTaxPlace) -> Vec<BookingEvent> {
    let today = ask.now.with_timezone(&requested.start.zone).date_naive();
    let day_in = |periods: &TaxPeriods, day: NaiveDate| {
        if periods.is_open(day) {
            day
        } else {
            periods.open_day(day.max(today))
        }
    };
    let days = account.at_rate(ask.tax_place.rate_ppm);
    let line = |kind, place: &TaxPlace, tax_on, figures, parties| {
        let mut adjusted = requested.adjusted(kind, place.clone(), tax_on, figures, ask.now);
        adjusted.reason.clone_from(&ask.reason);
        adjusted.parties = Some(parties);
        BookingEvent::TaxAdjusted(adjusted)
    };
    // However many days it has lines on, it is one party.
    let from = days.iter().map(
        |CorrectedDay {
             day, here, parties, ..
         }| {
            let tax_on = day_in(&ask.periods_before, *day);
            let kind = TaxAdjustment::CorrectedFrom;
            line(kind, &requested.tax_place, tax_on, -*here, -*parties)
        },
    );
    let to = days.iter().map(
        |CorrectedDay {
             day, there, parties, ..
         }| {
            let tax_on = day_in(&ask.periods, *day);
            let kind = TaxAdjustment::CorrectedTo;
            line(kind, &ask.tax_place, tax_on, *there, *parties)
        },
    );
    from.chain(to).collect()
}

impl BookingRequested {
    /// What a promo code took off, in cents: a positive amount.
    fn discount(&self) -> Cents {
        self.quote.discount_cents
    }

    /// The day that a line belongs to: the event's, or where that is closed, the first open one from the fact's day on.
    pub(super) fn line_day(&self, periods: &TaxPeriods, at: DateTime<Utc>) -> NaiveDate {
        let event_on = self.start.local.date();
        if periods.is_open(event_on) {
            return event_on;
        }
        periods.open_day(event_on.max(self.local_day(at)))
    }

    /// The local day of the station at an instant.
    pub(super) fn local_day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.start.zone).date_naive()
    }

    pub(super) fn adjusted(
        &self,
        kind: TaxAdjustment,
        tax_place: TaxPlace,
        tax_on: NaiveDate,
        figures: TaxFigures,
        now: DateTime<Utc>,
    ) -> BookingTaxAdjusted {
        BookingTaxAdjusted {
            station_id: self.station_id,
            number: self.number.clone(),
            event_on: self.start.local.date(),
            tax_on,
            kind,
            tax_place,
            venue_zip: self.venue.zip.to_string(),
            venue_city: self.venue.city.clone(),
            venue_county: self.venue.county.clone(),
            figures,
            parties: None,
            kept: None,
            payment: None,
            reason: None,
            adjusted_at: now,
        }
    }
}

impl Booking {
    /// Takes over what an event says of the tax.
    pub(super) fn evolve_tax(&mut self, event: &BookingEvent) {
        match event {
            BookingEvent::Completed(completed) => {
                self.tax = Some(TaxAccount::open(
                    completed.figures(),
                    completed.tax.map(|tax| tax.rate_ppm),
                    completed.tax_on(),
                ));
            }
            BookingEvent::TaxAdjusted(adjusted) => {
                if let (None, Some(money)) = (&self.tax, &adjusted.kept) {
                    let rate = adjusted.tax_place.rate_ppm;
                    self.tax = Some(TaxAccount::open_kept(money.clone(), rate));
                }
                let Some(account) = &mut self.tax else { return };
                match (adjusted.kind, &adjusted.payment) {
                    (TaxAdjustment::CorrectedFrom, _) => account.leave_place(),
                    (TaxAdjustment::CorrectedTo, _) => {
                        let (rate, counts) = (adjusted.tax_place.rate_ppm, adjusted.parties != Some(0));
                        account.take_place(rate, adjusted.tax_on, adjusted.figures);
                        if counts {
                            account.sold_on(adjusted.tax_on);
                        }
                    }
                    (kind, Some(payment)) => {
                        if let Some(movement) = movement(kind, payment, adjusted.sold()) {
                            account.record(
                                payment.cause,
                                payment.payment_id,
                                movement,
                                adjusted.tax_on,
                                adjusted.figures,
                            );
                        }
                    }
                    (TaxAdjustment::KeptDeposit, None) => {
                        account.record_opening(adjusted.tax_on, adjusted.figures);
                    }
                    (
                        TaxAdjustment::CardFee
                        | TaxAdjustment::Tip
                        | TaxAdjustment::Refund
                        | TaxAdjustment::RefundFailed
                        | TaxAdjustment::Void,
                        None,
                    ) => {}
                }
            }
            BookingEvent::Cancelled(cancelled) => self.evolve_kept(cancelled),
            BookingEvent::Requested(_)
            | BookingEvent::Confirmed(_)
            | BookingEvent::Expired(_)
            | BookingEvent::DepositDueExtended(_)
            | BookingEvent::GuestCountChanged(_)
            | BookingEvent::MenuChanged(_)
            | BookingEvent::Rescheduled(_)
            | BookingEvent::ChefAssigned(_)
            | BookingEvent::ChefUnassigned(_)
            | BookingEvent::Deleted(_)
            | BookingEvent::Restored(_)
            | BookingEvent::NoteAdded(_)
            | BookingEvent::TermsAccepted(_)
            | BookingEvent::TaxPlaceSet(_) => {}
        }
    }
}
