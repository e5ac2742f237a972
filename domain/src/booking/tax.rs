//! The tax of a booking: fixed when the party was held, and adjusted by what comes after.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::error::BookingError;
use super::event::{BookingCompleted, BookingEvent, BookingRequested, HeldTax};
use super::state::{Booking, BookingStatus, check_length, refuse_unless};
use super::tax_event::{
    BookingTaxAdjusted, BookingTaxPlaceSet, TaxAdjustment, TaxPlaceBecause, TaxedPayment,
};
use crate::ids::{EventId, PaymentId};
use crate::money::{Cents, RatePpm};
use crate::payment::{PaymentMethod, RefundKind, TipChoice};
use crate::quote::LineKind;
use crate::tax::extract;
use crate::tax_account::{CardFeeTax, Movement, TaxAccount, TaxFigures, untaxed_fee};
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

/// Movements of money that add to the tax of a party that was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordTax {
    /// The movements, in the order of the log.
    pub facts: Vec<PaymentFact>,
    /// How much of a card fee is taxed.
    pub card_fee: CardFeeTax,
    /// The periods of the place's state.
    pub periods: TaxPeriods,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// A movement of money, as a payment's event tells it. All amounts are positive, in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct PaymentFact {
    /// The payment's event.
    pub cause: EventId,
    /// The payment.
    pub payment_id: PaymentId,
    /// How the money moved.
    pub method: PaymentMethod,
    /// Of the price.
    pub amount_cents: Cents,
    /// Of a tip.
    pub tip_cents: Cents,
    /// Of a card fee.
    pub fee_cents: Cents,
    /// When.
    pub at: DateTime<Utc>,
    /// Which way.
    pub way: PaymentWay,
}

/// Which way money moved, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentWay {
    /// It came in.
    Captured {
        /// How the customer chose the tip, where the record shows it.
        tip_choice: Option<TipChoice>,
    },
    /// It was given back.
    Refunded {
        /// The refund.
        refund_id: Option<String>,
        /// What it is for.
        kind: RefundKind,
        /// Why.
        reason: Option<String>,
    },
    /// It was said to be given back, and was not.
    RefundFailed {
        /// The refund.
        refund_id: Option<String>,
        /// What it was for.
        kind: RefundKind,
        /// Why it was to be given back.
        reason: Option<String>,
    },
    /// It had not come in after all, or was taken back by the customer's bank.
    Voided {
        /// Why.
        reason: Option<String>,
    },
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

/// Whether the record shows that the customer chose a tip: when, on which screen, and with nothing preselected
/// (Pub. 115). Only then it is not taxed.
pub fn was_chosen(choice: Option<&TipChoice>) -> bool {
    choice.is_some_and(|choice| !choice.preselected && !choice.screen.trim().is_empty())
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
    /// The tax since the party was held; none before.
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

    pub(super) fn record_tax(&self, ask: RecordTax) -> Result<Vec<BookingEvent>, BookingError> {
        let (requested, status) = self.standing()?;
        let account = self.tax.as_ref();
        let mut account = account.cloned().ok_or(BookingError::WrongState {
            status: status.as_str(),
            wanted: "taxed",
        })?;
        let mut events = Vec::new();
        for fact in ask.facts {
            if account.knows(fact.cause) {
                continue;
            }
            for (kind, movement, payment) in fact.movements(ask.card_fee) {
                let figures = account.figures(fact.payment_id, movement);
                let tax_on = match kind {
                    TaxAdjustment::Refund | TaxAdjustment::RefundFailed => {
                        let later = fact.day(requested).max(requested.start.local.date());
                        ask.periods.open_day(later)
                    }
                    TaxAdjustment::CardFee
                    | TaxAdjustment::Tip
                    | TaxAdjustment::Void
                    | TaxAdjustment::CorrectedFrom
                    | TaxAdjustment::CorrectedTo => requested.line_day(&ask.periods, fact.at),
                };
                account.record(fact.cause, fact.payment_id, movement, tax_on, figures);
                let place = requested.tax_place.clone();
                let mut adjusted = requested.adjusted(kind, place, tax_on, figures, ask.now);
                adjusted.payment = Some(payment);
                adjusted.reason = fact.way.reason();
                events.push(BookingEvent::TaxAdjusted(adjusted));
            }
        }
        if events.is_empty() {
            return Err(BookingError::Unchanged);
        }
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
    let line = |kind, place: &TaxPlace, tax_on, figures| {
        let mut adjusted = requested.adjusted(kind, place.clone(), tax_on, figures, ask.now);
        adjusted.reason.clone_from(&ask.reason);
        BookingEvent::TaxAdjusted(adjusted)
    };
    let from = days.iter().map(|(day, here, _)| {
        let tax_on = day_in(&ask.periods_before, *day);
        line(TaxAdjustment::CorrectedFrom, &requested.tax_place, tax_on, -*here)
    });
    let to = days.iter().map(|(day, _, there)| {
        let tax_on = day_in(&ask.periods, *day);
        line(TaxAdjustment::CorrectedTo, &ask.tax_place, tax_on, *there)
    });
    from.chain(to).collect()
}

impl BookingRequested {
    /// What a promo code took off, in cents: a positive amount.
    fn discount(&self) -> Cents {
        self.quote.discount_cents
    }

    /// The day that a line belongs to: the event's, or where that is closed, the first open one from the fact's day on.
    fn line_day(&self, periods: &TaxPeriods, at: DateTime<Utc>) -> NaiveDate {
        let event_on = self.start.local.date();
        if periods.is_open(event_on) {
            return event_on;
        }
        let fact_on = at.with_timezone(&self.start.zone).date_naive();
        periods.open_day(event_on.max(fact_on))
    }

    fn adjusted(
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
            payment: None,
            reason: None,
            adjusted_at: now,
        }
    }
}

impl PaymentWay {
    fn reason(&self) -> Option<String> {
        match self {
            Self::Captured { .. } => None,
            Self::Refunded { reason, .. } | Self::RefundFailed { reason, .. } | Self::Voided { reason } => {
                reason.clone()
            }
        }
    }
}

impl PaymentFact {
    /// The local day of the movement.
    fn day(&self, requested: &BookingRequested) -> NaiveDate {
        self.at.with_timezone(&requested.start.zone).date_naive()
    }

    fn payment(&self, untaxed_cents: Cents) -> TaxedPayment {
        TaxedPayment {
            cause: self.cause,
            payment_id: self.payment_id,
            method: self.method,
            amount_cents: self.amount_cents,
            tip_cents: self.tip_cents,
            fee_cents: self.fee_cents,
            untaxed_cents,
            tip_choice: None,
            refund_id: None,
            refund_kind: None,
        }
    }

    /// What it adds to the tax, one line each; nothing for money that only pays for what is taxed already.
    fn movements(&self, setting: CardFeeTax) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        match &self.way {
            PaymentWay::Captured { tip_choice } => self.came_in(setting, tip_choice.as_ref()),
            PaymentWay::Refunded { refund_id, kind, .. } => {
                self.given_back(TaxAdjustment::Refund, refund_id.clone(), *kind)
            }
            PaymentWay::RefundFailed { refund_id, kind, .. } => {
                self.given_back(TaxAdjustment::RefundFailed, refund_id.clone(), *kind)
            }
            PaymentWay::Voided { .. } => self.line(TaxAdjustment::Void, self.payment(Cents::ZERO)),
        }
    }

    fn given_back(
        &self,
        adjustment: TaxAdjustment,
        refund_id: Option<String>,
        kind: RefundKind,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        let payment = TaxedPayment {
            refund_id,
            refund_kind: Some(kind),
            ..self.payment(Cents::ZERO)
        };
        self.line(adjustment, payment)
    }

    /// One line, where there is a movement that tax looks at.
    fn line(
        &self,
        kind: TaxAdjustment,
        payment: TaxedPayment,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        let line = movement(kind, &payment).map(|movement| (kind, movement, payment));
        line.into_iter().collect()
    }

    fn came_in(
        &self,
        setting: CardFeeTax,
        tip_choice: Option<&TipChoice>,
    ) -> Vec<(TaxAdjustment, Movement, TaxedPayment)> {
        let mut lines = Vec::new();
        let untaxed_tip = if was_chosen(tip_choice) {
            self.tip_cents
        } else {
            Cents::ZERO
        };
        if !self.tip_cents.is_zero() {
            let movement = Movement::Tip {
                cents: self.tip_cents,
                untaxed_cents: untaxed_tip,
            };
            let payment = TaxedPayment {
                tip_choice: tip_choice.cloned(),
                ..self.payment(untaxed_tip)
            };
            lines.push((TaxAdjustment::Tip, movement, payment));
        }
        if !self.fee_cents.is_zero() {
            let untaxed_cents = untaxed_fee(
                setting,
                self.fee_cents,
                self.amount_cents,
                self.tip_cents,
                untaxed_tip,
            );
            let movement = Movement::CardFee {
                cents: self.fee_cents,
                untaxed_cents,
            };
            lines.push((TaxAdjustment::CardFee, movement, self.payment(untaxed_cents)));
        }
        lines
    }
}

/// The movement that an adjustment is of; none for a correction, and where nothing moves that tax looks at.
fn movement(kind: TaxAdjustment, payment: &TaxedPayment) -> Option<Movement> {
    match kind {
        TaxAdjustment::Tip => Some(Movement::Tip {
            cents: payment.tip_cents,
            untaxed_cents: payment.untaxed_cents,
        }),
        TaxAdjustment::CardFee => Some(Movement::CardFee {
            cents: payment.fee_cents,
            untaxed_cents: payment.untaxed_cents,
        }),
        TaxAdjustment::Refund => payment.given_back(1),
        TaxAdjustment::RefundFailed => payment.given_back(-1),
        // The party was held and its price is owed, whatever became of a payment towards it.
        TaxAdjustment::Void => payment.moves_back(Cents::ZERO, 1),
        TaxAdjustment::CorrectedFrom | TaxAdjustment::CorrectedTo => None,
    }
}

impl TaxedPayment {
    /// What of a refund changes the tax (annotation 490.0090): what is given for goodwill changes no price, and what was
    /// paid too much was never part of it.
    fn given_back(&self, times: i64) -> Option<Movement> {
        match self.refund_kind? {
            RefundKind::Goodwill | RefundKind::Overpayment => None,
            RefundKind::TipOnly | RefundKind::FeeOnly => self.moves_back(Cents::ZERO, times),
            RefundKind::PriceAdjustment | RefundKind::FullReversal | RefundKind::CancelledBeforeService => {
                self.moves_back(self.amount_cents, times)
            }
        }
    }

    fn moves_back(&self, price_cents: Cents, times: i64) -> Option<Movement> {
        let parts = [price_cents, self.tip_cents, self.fee_cents];
        let movement = Movement::GivenBack {
            price_cents: price_cents.times(times),
            tip_cents: self.tip_cents.times(times),
            fee_cents: self.fee_cents.times(times),
        };
        parts.iter().any(|part| !part.is_zero()).then_some(movement)
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
                let Some(account) = &mut self.tax else { return };
                match (adjusted.kind, &adjusted.payment) {
                    (TaxAdjustment::CorrectedFrom, _) => account.leave_place(),
                    (TaxAdjustment::CorrectedTo, _) => {
                        account.take_place(adjusted.tax_place.rate_ppm, adjusted.tax_on, adjusted.figures);
                    }
                    (kind, Some(payment)) => {
                        if let Some(movement) = movement(kind, payment) {
                            account.record(
                                payment.cause,
                                payment.payment_id,
                                movement,
                                adjusted.tax_on,
                                adjusted.figures,
                            );
                        }
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
            BookingEvent::Requested(_)
            | BookingEvent::Confirmed(_)
            | BookingEvent::Cancelled(_)
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
