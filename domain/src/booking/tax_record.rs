//! What money adds to the tax of a party that was held, or of what is kept of one that was called off.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::error::BookingError;
use super::event::{BookingCancelled, BookingEvent, BookingRequested};
use super::payment_fact::{PaymentFact, Sold};
use super::state::Booking;
use super::tax_event::{
    BookingTaxAdjusted, BookingTaxPlaceSet, TaxAdjustment, TaxPlaceBecause, TaxedPayment,
};
use crate::money::Cents;
use crate::tax_account::{CardFeeTax, KeptDepositTax, KeptMoney, Movement, TaxAccount, TaxFigures};
use crate::tax_period::TaxPeriods;
use crate::tax_rate::TaxPlace;

/// Movements of money that add to the tax of a party that was held, or of what is kept of one that was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordTax {
    /// The movements, in the order of the log.
    pub facts: Vec<PaymentFact>,
    /// What had come by the time the party was called off, where nothing of it is on record and what is kept is a sale.
    pub kept: Option<OpenKept>,
    /// How much of a card fee is taxed.
    pub card_fee: CardFeeTax,
    /// The periods of the place's state.
    pub periods: TaxPeriods,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// What had come by the time a party was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenKept {
    /// Towards the price, less what had been given back, in cents.
    pub held_cents: Cents,
    /// Tips and card fees that had come, and were not given back.
    pub beside: Vec<PaymentFact>,
    /// Place and rate on the day on which it was called off.
    pub tax_place: TaxPlace,
}

/// The lines of one command, with the account as they leave it.
struct Lines<'a> {
    requested: &'a BookingRequested,
    account: TaxAccount,
    place: TaxPlace,
    ask: &'a RecordTax,
    events: Vec<BookingEvent>,
}

impl Booking {
    /// Where what is kept of it is a sale, since it was called off: on what terms; nothing says yet what had come.
    pub fn kept(&self) -> Option<&KeptMoney> {
        self.kept.as_ref()
    }

    /// The local day whose rate its tax has: the event's, or where what is kept of it is a sale, that on which it was called
    /// off.
    pub fn taxed_on(&self) -> Option<NaiveDate> {
        let event_on = self.requested().map(|requested| requested.start.local.date());
        self.kept.as_ref().map(|kept| kept.called_off_on).or(event_on)
    }

    /// Takes over whether what is kept is a sale.
    pub(super) fn evolve_kept(&mut self, cancelled: &BookingCancelled) {
        self.kept = match cancelled.kept {
            KeptDepositTax::NotASale => None,
            KeptDepositTax::Sale => self.requested().map(|requested| KeptMoney {
                called_off_on: requested.local_day(cancelled.cancelled_at),
                refund: cancelled.refund.clone(),
                deposit_cents: requested.quote.deposit_cents,
                held_cents: Cents::ZERO,
            }),
        };
    }

    pub(super) fn record_tax(&self, ask: &RecordTax) -> Result<Vec<BookingEvent>, BookingError> {
        // Money that moves for a party that was called off is taxed, wherever its booking was put.
        let (requested, status) = match (&self.kept, self.requested(), self.status()) {
            (Some(_), Some(requested), Some(status)) => (requested, status),
            _ => self.standing()?,
        };
        let opening = ask.kept.as_ref().zip(self.kept.as_ref());
        let mut lines = match (&self.tax, opening) {
            (Some(account), _) => Lines::of(requested, account.clone(), requested.tax_place.clone(), ask),
            (None, Some((opening, terms))) => {
                let money = KeptMoney {
                    held_cents: opening.held_cents,
                    ..terms.clone()
                };
                let rate = opening.tax_place.rate_ppm;
                let account = TaxAccount::open_kept(money, rate);
                let mut lines = Lines::of(requested, account, opening.tax_place.clone(), ask);
                lines.open(opening);
                lines
            }
            (None, None) => {
                return Err(BookingError::WrongState {
                    status: status.as_str(),
                    wanted: "taxed",
                });
            }
        };
        for fact in &ask.facts {
            let sold = Sold::of(lines.account.kept());
            lines.record(fact, fact.movements(ask.card_fee, sold));
        }
        if lines.events.is_empty() {
            return Err(BookingError::Unchanged);
        }
        Ok(lines.with_place())
    }
}

impl<'a> Lines<'a> {
    fn of(requested: &'a BookingRequested, account: TaxAccount, place: TaxPlace, ask: &'a RecordTax) -> Self {
        Self {
            requested,
            account,
            place,
            ask,
            events: Vec::new(),
        }
    }

    /// What had come by the time the party was called off; nothing where nothing had.
    fn open(&mut self, opening: &OpenKept) {
        let Some(money) = self.account.kept() else { return };
        if !money.held_cents.is_zero() {
            let tax_on = self.ask.periods.open_day(money.called_off_on);
            let figures = self.account.opening();
            self.account.record_opening(tax_on, figures);
            self.line(TaxAdjustment::KeptDeposit, tax_on, figures, None, None);
        }
        for fact in &opening.beside {
            self.record(fact, fact.beside_the_price(self.ask.card_fee));
        }
    }

    fn record(&mut self, fact: &PaymentFact, movements: Vec<(TaxAdjustment, Movement, TaxedPayment)>) {
        if self.account.knows(fact.cause) {
            return;
        }
        for (kind, movement, payment) in movements {
            let figures = self.account.figures(fact.payment_id, movement);
            let tax_on = self.day(kind, fact);
            self.account
                .record(fact.cause, fact.payment_id, movement, tax_on, figures);
            self.line(kind, tax_on, figures, Some(payment), fact.way.reason());
        }
    }

    fn day(&self, kind: TaxAdjustment, fact: &PaymentFact) -> NaiveDate {
        let (periods, moved_on) = (&self.ask.periods, fact.day(self.requested));
        if let Some(money) = self.account.kept() {
            return periods.open_day(moved_on.max(money.called_off_on));
        }
        match kind {
            TaxAdjustment::Refund | TaxAdjustment::RefundFailed => {
                periods.open_day(moved_on.max(self.requested.start.local.date()))
            }
            TaxAdjustment::CardFee
            | TaxAdjustment::Tip
            | TaxAdjustment::Void
            | TaxAdjustment::KeptDeposit
            | TaxAdjustment::CorrectedFrom
            | TaxAdjustment::CorrectedTo => self.requested.line_day(periods, fact.at),
        }
    }

    fn line(
        &mut self,
        kind: TaxAdjustment,
        tax_on: NaiveDate,
        figures: TaxFigures,
        payment: Option<TaxedPayment>,
        reason: Option<String>,
    ) {
        let place = self.place.clone();
        let adjusted = self
            .requested
            .adjusted(kind, place, tax_on, figures, self.ask.now);
        self.events.push(BookingEvent::TaxAdjusted(BookingTaxAdjusted {
            kept: self.account.kept().cloned(),
            payment,
            reason,
            ..adjusted
        }));
    }

    /// The lines, behind the place that they are of where that is another than was thought.
    fn with_place(self) -> Vec<BookingEvent> {
        let before = self.requested.tax_place.clone();
        if self.place == before {
            return self.events;
        }
        let set = BookingEvent::TaxPlaceSet(BookingTaxPlaceSet {
            station_id: self.requested.station_id,
            before,
            tax_place: self.place,
            because: TaxPlaceBecause::RatesAtCancellation,
            reason: None,
            set_at: self.ask.now,
        });
        [set].into_iter().chain(self.events).collect()
    }
}
