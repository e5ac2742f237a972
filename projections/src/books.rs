//! What do the company's books say? Double entry, from the same facts as everything else.
//!
//! Each booking has its own account card: the entries that its events post, in the order of the log. An entry is never
//! changed, so that the books as of a position are the entries up to it.

mod account;
mod beancount;
mod journal;
mod posting;
mod query;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use domain::booking::BookingEvent;
use domain::ids::{BookingId, StationId};
use domain::money::Cents;
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_account::KeptDepositTax;
use serde::{Deserialize, Serialize};

use crate::engine::{Column, Fold, Kind, Poison, Value, row, shown_only};

use account::Account;

pub use journal::{BooksFile, BooksFormat, books};
pub use posting::{Entry, Posting};
pub use query::{AccountBalance, BookedEntry, TrialBalance, trial_balance};

/// How far a booking's party has come, for its books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is still to be held.
    Open,
    /// It was held.
    Held,
    /// It was called off.
    CalledOff,
    /// It was called off, and what is kept is a sale.
    Kept,
}

impl Stage {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::CalledOff => "called_off",
            Self::Kept => "kept",
        }
    }
}

impl Column for Stage {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

shown_only! {
    Vec<Entry>;
}

row! {
    /// A booking's account card.
    pub struct BookRow in "book_entries", key (booking_id: BookingId) {
        /// The booking.
        pub booking_id: BookingId,
        /// Its number.
        pub booking_number: String,
        /// Its station.
        pub station_id: StationId,
        /// Zone whose days it is booked on.
        pub zone: Tz,
        /// How far it has come.
        pub stage: Stage,
        /// Part of its price that is its deposit, in cents.
        pub deposit_cents: Cents,
        /// The first day that it has an entry of; none before there is one.
        pub first_on: Option<NaiveDate>,
        /// The last.
        pub last_on: Option<NaiveDate>,
        /// What its events have posted, in the order of the log.
        pub entries: Vec<Entry>,
    }
}

impl BookRow {
    /// What an account has come to with this booking, in cents; debits are positive.
    fn balance(&self, account: &Account<'_>) -> Cents {
        let name = account.to_string();
        let postings = self.entries.iter().flat_map(|entry| &entry.postings);
        postings
            .filter(|posting| posting.account == name)
            .map(|posting| posting.cents)
            .sum()
    }

    /// What is held for the customer.
    fn deposits_held(&self) -> Cents {
        -self.balance(&Account::DepositsHeld)
    }

    /// What the customer owes.
    fn receivable(&self) -> Cents {
        self.balance(&Account::Receivable)
    }

    /// What the last entry of a refund posted.
    fn posted_of(&self, refund: &str) -> &[Posting] {
        let of_it = |entry: &&Entry| entry.refund.as_deref() == Some(refund);
        self.entries
            .iter()
            .rev()
            .find(of_it)
            .map_or(&[], |entry| &entry.postings)
    }

    fn local_day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }
}

/// The fold behind the books.
pub struct Books;

impl Fold for Books {
    type Key = BookingId;
    type Row = BookRow;
    const NAME: &'static str = "book_entries";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Halt;

    fn event_types() -> &'static [&'static str] {
        &[
            "booking.requested",
            "booking.guest_count_changed",
            "booking.menu_changed",
            "booking.rescheduled",
            "booking.cancelled",
            "booking.completed",
            "booking.tax_adjusted",
            "payment.verified",
            "payment.voided",
            "payment.succeeded",
            "payment.refund_succeeded",
            "payment.refund_failed",
            "payment.dispute_opened",
            "payment.dispute_closed",
        ]
    }

    fn key(event: &Recorded) -> Option<BookingId> {
        if !Self::event_types().contains(&event.event.name()) {
            return None;
        }
        if let DomainEvent::Payment(payment) = &event.event {
            return Some(payment.booking().booking_id);
        }
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<BookRow>, event: &Recorded) -> Option<BookRow> {
        let mut book = row.or_else(|| opened(event))?;
        if let Some(entry) = posting::entry(&book, event) {
            book.first_on = Some(book.first_on.map_or(entry.on, |first| first.min(entry.on)));
            book.last_on = Some(book.last_on.map_or(entry.on, |last| last.max(entry.on)));
            book.entries.push(entry);
        }
        if let DomainEvent::Booking(booking) = &event.event {
            change(&mut book, booking);
        }
        Some(book)
    }
}

/// The card of a booking before its first entry.
fn opened(event: &Recorded) -> Option<BookRow> {
    let card = |booking_id, number: &str, station_id, zone, deposit_cents| BookRow {
        booking_id,
        booking_number: number.to_owned(),
        station_id,
        zone,
        stage: Stage::Open,
        deposit_cents,
        first_on: None,
        last_on: None,
        entries: Vec::new(),
    };
    let booking_id = Books::key(event)?;
    if let DomainEvent::Booking(BookingEvent::Requested(asked)) = &event.event {
        let (zone, deposit) = (asked.start.zone, asked.quote.deposit_cents);
        return Some(card(booking_id, &asked.number, asked.station_id, zone, deposit));
    }
    // Books of money do not wait for a booking that is not there.
    let bare = |number: &str, station_id| Some(card(booking_id, number, station_id, Tz::UTC, Cents::ZERO));
    if let DomainEvent::Booking(BookingEvent::Completed(held)) = &event.event {
        bare(&held.number, held.station_id)
    } else if let DomainEvent::Booking(BookingEvent::TaxAdjusted(adjusted)) = &event.event {
        bare(&adjusted.number, adjusted.station_id)
    } else if let DomainEvent::Payment(payment) = &event.event {
        let paid = payment.booking();
        bare(&paid.number, paid.station_id)
    } else {
        None
    }
}

/// What an event changes beside the entries.
fn change(book: &mut BookRow, booking: &BookingEvent) {
    match booking {
        BookingEvent::GuestCountChanged(changed) => book.deposit_cents = changed.quote.deposit_cents,
        BookingEvent::MenuChanged(changed) => book.deposit_cents = changed.quote.deposit_cents,
        BookingEvent::Rescheduled(moved) => {
            book.deposit_cents = moved.quote.deposit_cents;
            book.zone = moved.start.zone;
        }
        BookingEvent::Completed(_) => book.stage = Stage::Held,
        BookingEvent::Cancelled(cancelled) => {
            book.stage = match cancelled.kept {
                KeptDepositTax::NotASale => Stage::CalledOff,
                KeptDepositTax::Sale => Stage::Kept,
            };
        }
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Expired(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_)
        | BookingEvent::Deleted(_)
        | BookingEvent::Restored(_) => {}
    }
}

#[cfg(test)]
mod tests;
