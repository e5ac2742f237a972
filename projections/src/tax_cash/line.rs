//! The lines of a card: what each event of a payment adds to the tax on its day.

use std::fmt;

use chrono::NaiveDate;
use domain::envelope::Position;
use domain::ids::{PaymentId, StationId};
use domain::money::{Cents, RatePpm};
use domain::tax_account::cash::{CashMovement, kept_lines, lines};
use domain::tax_account::{KeptMoney, Movement, TaxFigures};
use domain::tax_rate::PlaceConfirmation;
use serde::{Deserialize, Serialize};

use super::{Moved, TaxCashRow};

/// What sort of event moved money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashLineKind {
    /// Money came in.
    Payment,
    /// Money that was said to have come had not.
    Void,
    /// Money was given back.
    Refund,
    /// Money that was said to be given back was not.
    RefundFailed,
    /// A bank took money back.
    DisputeLost,
}

impl CashLineKind {
    /// The word in rows and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Void => "void",
            Self::Refund => "refund",
            Self::RefundFailed => "refund_failed",
            Self::DisputeLost => "dispute_lost",
        }
    }
}

impl fmt::Display for CashLineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A line of the report by the day of payment: what one event of a payment adds, at the place and rate that the party has as
/// of the report's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashLineRow {
    /// Number of the booking.
    pub booking_number: String,
    /// The place in the log of its request: lines are in this order, then by day, then by their own place.
    pub booking_position: Position,
    /// Its station.
    pub station_id: StationId,
    /// What sort of event.
    pub kind: CashLineKind,
    /// Parties that the line counts: 1 on the first of a booking, 0 on the others, and of a party that was called off.
    pub orders: i64,
    /// Local day of the station that the money moved on.
    pub paid_on: NaiveDate,
    /// The payment.
    pub payment_id: PaymentId,
    /// State that is owed the tax.
    pub state: String,
    /// County that is owed the tax.
    pub county: String,
    /// City with a rate of its own that is owed the tax; empty where there is none.
    pub city: String,
    /// Whether a person must confirm the place.
    pub confirmation: PlaceConfirmation,
    /// Combined rate in millionths; none where none is known.
    pub rate_ppm: Option<RatePpm>,
    /// What it adds.
    pub figures: TaxFigures,
    /// The place of the event in the log.
    pub position: Position,
}

impl TaxCashRow {
    /// What each event of a payment adds to the tax on its day, by day and place in the log; nothing before the party was
    /// held.
    pub fn lines(&self) -> Vec<CashLineRow> {
        if self.places.is_empty() {
            return Vec::new();
        }
        let mut moved: Vec<&Moved> = self.moved.iter().collect();
        moved.sort_by_key(|moved| (moved.on, moved.position));
        let movements: Vec<CashMovement> = moved.iter().flat_map(|moved| self.movements(moved)).collect();
        let lines = match self.kept_money() {
            Some(money) => kept_lines(money, self.rate_ppm, &movements),
            None => lines(self.price_cents, self.rate_ppm, &movements),
        };
        let event = |position| moved.iter().find(|moved| moved.position == position);
        let lines = lines.into_iter().enumerate();
        lines
            .filter_map(|(number, line)| Some(self.line(number, event(line.position)?, line.figures)))
            .collect()
    }

    /// What an event moved, as the account is told of it.
    fn movements(&self, moved: &Moved) -> Vec<CashMovement> {
        let movement = |price_cents, beside| CashMovement {
            day: moved.on,
            position: moved.position,
            payment: moved.payment_id,
            price_cents,
            beside,
        };
        let said: Vec<Movement> = self
            .adjusted
            .iter()
            .filter(|adjusted| adjusted.cause == moved.cause)
            .map(|adjusted| adjusted.movement)
            .collect();
        // What is given back of the price lowers it: the money that came stays what came.
        let lowers = said.iter().any(Movement::lowers_price);
        let price_cents = match self.kept_money() {
            // What was given back before it was called off was held no more, whatever it was for.
            Some(_) if !said.iter().any(Movement::moves_price) => moved.price_cents - moved.back_cents,
            Some(_) => Cents::ZERO,
            None if lowers => Cents::ZERO,
            None => moved.price_cents,
        };
        let mut movements = vec![movement(price_cents, None)];
        movements.extend(said.into_iter().map(|beside| movement(Cents::ZERO, Some(beside))));
        movements
    }

    /// What is known of the money of a party that was called off, where what is kept is a sale.
    fn kept_money(&self) -> Option<&KeptMoney> {
        self.places.last().and_then(|place| place.kept.as_ref())
    }

    fn line(&self, number: usize, moved: &Moved, figures: TaxFigures) -> CashLineRow {
        CashLineRow {
            booking_number: self.booking_number.clone(),
            booking_position: self.position,
            station_id: self.station_id,
            kind: moved.kind,
            orders: i64::from(number == 0 && self.kept_money().is_none()),
            paid_on: moved.on,
            payment_id: moved.payment_id,
            state: self.state.clone(),
            county: self.county.clone(),
            city: self.city.clone(),
            confirmation: self.confirmation,
            rate_ppm: self.rate_ppm,
            figures,
            position: moved.position,
        }
    }
}
