//! Which bookings are there, and where does each stand?

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use domain::booking::{BookingCancelled, BookingEvent, BookingRequested, BookingStatus, RefundRule};
use domain::envelope::{Position, Sealed, StreamId, Version};
use domain::ids::{BookingId, CustomerId, StationId};
use domain::money::{Cents, RatePpm};
use domain::payment::BookingMoney;
use domain::price_list::DepositBack;
use domain::quote::QuoteLine;
use domain::recorded::{DomainEvent, Recorded};
use domain::tax_rate::{PlaceConfirmation, PlaceMethod};
use serde::{Deserialize, Serialize};

use crate::IdList;
use crate::engine::{Column, Fold, Kind, Poison, Value, row, shown_only};

mod change;
mod query;
mod schedule;

pub use query::{BookingFilter, BookingSort, count, many, one, page};
pub(crate) use schedule::{LONGEST_AFTER, LONGEST_BEFORE};
pub use schedule::{calendar_of_chef, calendar_of_station, schedule_of};

row! {
    /// A booking as lists and its page show it.
    pub struct BookingRow in "booking_list", key (booking_id: BookingId) {
        /// The booking.
        pub booking_id: BookingId,
        /// Number for people to name it by.
        pub number: String,
        /// Events of the booking so far: what a command expects of it.
        pub version: i64,
        /// Where it stands.
        pub status: BookingStatus,
        /// Who books.
        pub customer_id: CustomerId,
        /// The station that serves.
        pub station_id: StationId,
        /// Street and number of the venue, sealed.
        pub street: Sealed,
        /// City of the venue as the customer wrote it.
        pub city: String,
        /// County of the venue.
        pub county: String,
        /// Two-letter state of the venue.
        pub state: String,
        /// ZIP code of the venue.
        pub zip: String,
        /// Start as an instant.
        pub start_utc: DateTime<Utc>,
        /// Start as a clock at the station shows it.
        pub start_local: NaiveDateTime,
        /// Local date of the start: the day that the booking belongs to.
        pub event_on: NaiveDate,
        /// IANA zone of the station.
        pub zone: Tz,
        /// Seconds east of UTC at the start.
        pub offset_secs: i32,
        /// Seconds by which the start was moved forward, as the clock skips it; 0 for one that exists.
        pub moved_forward_secs: i64,
        /// First instant that the chefs are taken, inclusive.
        pub blocked_from: DateTime<Utc>,
        /// First instant that they are free again, exclusive.
        pub blocked_until: DateTime<Utc>,
        /// Guests from 13 years.
        pub adults: i32,
        /// Guests of 6 to 12 years.
        pub children: i32,
        /// Guests under 6 years.
        pub under6: i32,
        /// Chefs that the party needs.
        pub chefs_needed: i32,
        /// Every line of the price, tax-inclusive.
        pub lines: Vec<QuoteLine>,
        /// Tax-inclusive total in cents.
        pub total_cents: Cents,
        /// Voluntary tips that have come and were not given back, in cents.
        pub tip_cents: Cents,
        /// Money that has come towards the total and was neither voided nor lost to a bank, in cents; what was given
        /// back is in it.
        pub paid_cents: Cents,
        /// What was given back of it, in cents.
        pub refunded_cents: Cents,
        /// The part of that which the customer owes no more, in cents.
        pub waived_cents: Cents,
        /// Deposit in cents, part of the total.
        pub deposit_cents: Cents,
        /// What paying by card costs, as a share of price and tip.
        pub card_fee_ppm: RatePpm,
        /// Text of the promo code that it was made with.
        pub promo_code: Option<String>,
        /// Until when the deposit must come.
        pub deposit_due_at: DateTime<Utc>,
        /// State that is owed the tax.
        pub tax_state: String,
        /// County that is owed the tax.
        pub tax_county: String,
        /// City with a rate of its own that is owed the tax.
        pub tax_city: Option<String>,
        /// Combined rate in millionths; none where none is known.
        pub tax_rate_ppm: Option<RatePpm>,
        /// How the tax place was found.
        pub tax_method: PlaceMethod,
        /// Whether a person must confirm the tax place.
        pub tax_confirmation: PlaceConfirmation,
        /// Where the customer came from.
        pub source: Option<String>,
        /// What the customer wrote, sealed.
        pub note: Option<Sealed>,
        /// When it was asked.
        pub requested_at: DateTime<Utc>,
        /// What is proposed to be given back, once cancelled.
        pub refund_proposal: Option<RefundProposal>,
        /// Chefs who are to cook, or did.
        pub chefs: IdList,
        /// What the staff wrote down, the oldest first.
        pub notes: Vec<BookingNote>,
        /// Version of the terms that the customer accepted last.
        pub terms_version: Option<String>,
        /// Whether lists show it.
        pub presence: Presence,
    }
}

/// Something that the staff wrote down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingNote {
    /// What, sealed.
    pub note: Sealed,
    /// When.
    pub noted_at: DateTime<Utc>,
}

/// Whether lists show a booking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// They do.
    #[default]
    Here,
    /// It was put away.
    Deleted,
}

impl Presence {
    /// The word in rows.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Deleted => "deleted",
        }
    }
}

impl Column for Presence {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

/// What is proposed to be given back, with its arithmetic. A person confirms it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundProposal {
    /// What decides how much.
    pub rule: RefundRule,
    /// Paid towards the deposit, in cents.
    pub deposit_paid_cents: Cents,
    /// Paid beyond the deposit, in cents.
    pub balance_paid_cents: Cents,
    /// What is proposed to be given back, in cents.
    pub proposed_refund_cents: Cents,
}

shown_only! {
    RefundProposal;
    Vec<BookingNote>;
}

impl RefundProposal {
    /// By a tier, the deposit is given back or kept whole; of the rest, the tier's share is given back.
    pub(crate) fn of(rule: RefundRule, paid: Cents, deposit: Cents) -> Self {
        let deposit_paid = paid.min(deposit);
        let balance_paid = paid - deposit_paid;
        let proposed = match &rule {
            RefundRule::Everything => paid,
            RefundRule::Nothing => Cents::ZERO,
            RefundRule::Tier(tier) => {
                let from_deposit = match tier.deposit_back {
                    DepositBack::Kept => Cents::ZERO,
                    DepositBack::Returned => deposit_paid,
                };
                from_deposit + balance_paid.share(tier.refund_ppm)
            }
        };
        Self {
            rule,
            deposit_paid_cents: deposit_paid,
            balance_paid_cents: balance_paid,
            proposed_refund_cents: proposed,
        }
    }
}

/// The fold behind the list of bookings.
pub struct BookingList;

impl Fold for BookingList {
    type Key = BookingId;
    type Row = BookingRow;
    const NAME: &'static str = "booking_list";
    const VERSION: i32 = 5;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "booking.requested",
            "booking.confirmed",
            "booking.completed",
            "booking.cancelled",
            "booking.expired",
            "booking.deposit_due_extended",
            "booking.guest_count_changed",
            "booking.menu_changed",
            "booking.rescheduled",
            "booking.chef_assigned",
            "booking.chef_unassigned",
            "booking.deleted",
            "booking.restored",
            "booking.note_added",
            "booking.terms_accepted",
            "booking.tax_place_set",
            "booking.tax_adjusted",
            "payment.verified",
            "payment.succeeded",
            "payment.voided",
            "payment.refund_succeeded",
            "payment.refund_failed",
            "payment.dispute_closed",
        ]
    }

    fn key(event: &Recorded) -> Option<BookingId> {
        match &event.event {
            DomainEvent::Booking(_) => event.stream.id.parse().ok(),
            DomainEvent::Payment(payment) => {
                payment.money()?;
                Some(payment.booking().booking_id)
            }
            DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn apply(row: Option<BookingRow>, event: &Recorded) -> Option<BookingRow> {
        match &event.event {
            DomainEvent::Booking(happened) => booking(row, Self::key(event)?, event.sequence, happened),
            DomainEvent::Payment(payment) => match payment.money() {
                Some(money) => row.map(|row| paid(row, money)),
                None => row,
            },
            DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::PromoCode(_)
            | DomainEvent::Lead(_) => row,
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<BookingId> {
        (stream.kind == "booking").then(|| stream.id.parse().ok())?
    }
}

fn booking(
    row: Option<BookingRow>,
    booking_id: BookingId,
    version: Version,
    event: &BookingEvent,
) -> Option<BookingRow> {
    let (status, row) = match event {
        BookingEvent::Requested(requested) => (BookingStatus::Requested, Some(opened(booking_id, requested))),
        BookingEvent::Confirmed(_) => (BookingStatus::Confirmed, row),
        BookingEvent::Completed(_) => (BookingStatus::Completed, row),
        BookingEvent::Cancelled(cancelled) => (
            BookingStatus::Cancelled,
            row.map(|row| called_off(row, cancelled)),
        ),
        BookingEvent::Expired(_) => (BookingStatus::Expired, row),
        BookingEvent::DepositDueExtended(_)
        | BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::Rescheduled(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::Deleted(_)
        | BookingEvent::Restored(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => {
            let row = row?;
            (row.status, Some(change::changed(row, event)))
        }
    };
    row.map(|row| BookingRow {
        status,
        version: version.0,
        ..row
    })
}

fn opened(booking_id: BookingId, requested: &BookingRequested) -> BookingRow {
    let BookingRequested {
        number,
        customer_id,
        station_id,
        venue,
        start,
        blocked_from,
        blocked_until,
        guests,
        chefs_needed,
        station_chefs: _,
        by_name: _,
        quote,
        policy,
        promo,
        counted_for: _,
        deposit_due_at,
        tax_place,
        travel: _,
        source,
        terms_version,
        note,
        requested_at,
    } = requested.clone();
    BookingRow {
        booking_id,
        number,
        version: 1,
        status: BookingStatus::Requested,
        customer_id,
        station_id,
        street: venue.street,
        city: venue.city,
        county: venue.county,
        state: venue.state,
        zip: venue.zip.into(),
        start_utc: start.utc,
        start_local: start.local,
        event_on: start.local.date(),
        zone: start.zone,
        offset_secs: start.offset_secs,
        moved_forward_secs: start.moved_forward_secs,
        blocked_from,
        blocked_until,
        adults: guests.adults,
        children: guests.children,
        under6: guests.under6,
        chefs_needed,
        lines: quote.lines,
        total_cents: quote.total_cents,
        tip_cents: Cents::ZERO,
        paid_cents: Cents::ZERO,
        refunded_cents: Cents::ZERO,
        waived_cents: Cents::ZERO,
        deposit_cents: quote.deposit_cents,
        card_fee_ppm: policy.card_fee_ppm,
        promo_code: promo.map(|promo| promo.code),
        deposit_due_at,
        tax_state: tax_place.jurisdiction.state,
        tax_county: tax_place.jurisdiction.county,
        tax_city: tax_place.jurisdiction.city,
        tax_rate_ppm: tax_place.rate_ppm,
        tax_method: tax_place.method,
        tax_confirmation: tax_place.confirmation,
        source,
        note,
        requested_at,
        refund_proposal: None,
        chefs: IdList::default(),
        notes: Vec::new(),
        terms_version,
        presence: Presence::Here,
    }
}

fn called_off(row: BookingRow, cancelled: &BookingCancelled) -> BookingRow {
    let proposal = RefundProposal::of(cancelled.refund.clone(), row.paid_cents, row.deposit_cents);
    BookingRow {
        refund_proposal: Some(proposal),
        ..row
    }
}

/// Money that was on its way when the booking was cancelled is part of the proposal once it is found.
fn paid(row: BookingRow, money: BookingMoney) -> BookingRow {
    let paid_cents = row.paid_cents + money.paid_cents;
    let refund_proposal = row
        .refund_proposal
        .map(|proposal| RefundProposal::of(proposal.rule, paid_cents, row.deposit_cents));
    BookingRow {
        paid_cents,
        tip_cents: row.tip_cents + money.tip_cents,
        refunded_cents: row.refunded_cents + money.refunded_cents,
        waived_cents: row.waived_cents + money.waived_cents,
        refund_proposal,
        ..row
    }
}

impl BookingRow {
    /// What is left to pay, in cents; negative where too much has come. What was given back is owed again only where it
    /// had been too much.
    pub fn balance_due_cents(&self) -> Cents {
        let money = BookingMoney {
            paid_cents: self.paid_cents,
            tip_cents: self.tip_cents,
            refunded_cents: self.refunded_cents,
            waived_cents: self.waived_cents,
        };
        money.due_cents(self.total_cents)
    }
}

#[cfg(test)]
mod tests;
