//! Which bookings are there, and where does each stand?

use domain::booking::{BookingCancelled, BookingEvent, BookingRequested, BookingStatus};
use domain::envelope::{Position, StreamId, Version};
use domain::ids::BookingId;
use domain::money::Cents;
use domain::payment::BookingMoney;
use domain::recorded::{DomainEvent, Recorded};

use crate::IdList;
use crate::engine::{Fold, Poison};

mod change;
mod query;
mod row;
mod schedule;

pub use query::{BookingFilter, BookingSort, by_link, count, many, one, page, whether_put_away_or_not};
pub use row::{BookingNote, BookingRow, Presence, RefundProposal};
pub(crate) use schedule::{LONGEST_AFTER, LONGEST_BEFORE};
pub use schedule::{calendar_of_chef, calendar_of_station, schedule_of};

/// The fold behind the list of bookings.
pub struct BookingList;

impl Fold for BookingList {
    type Key = BookingId;
    type Row = BookingRow;
    const NAME: &'static str = "booking_list";
    const VERSION: i32 = 6;
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
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
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
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
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
    let held = (row.paid_cents - row.refunded_cents).max(Cents::ZERO);
    let proposal = RefundProposal::of(cancelled.refund.clone(), held, row.deposit_cents);
    BookingRow {
        refund_proposal: Some(proposal),
        ..row
    }
}

/// Money that was on its way when the booking was cancelled is part of the proposal once it is found.
fn paid(row: BookingRow, money: BookingMoney) -> BookingRow {
    let refund_proposal = row.refund_proposal.map(|proposal| {
        let held = proposal.deposit_paid_cents + proposal.balance_paid_cents + money.paid_cents;
        RefundProposal::of(proposal.rule, held.max(Cents::ZERO), row.deposit_cents)
    });
    BookingRow {
        paid_cents: row.paid_cents + money.paid_cents,
        tip_cents: row.tip_cents + money.tip_cents,
        refunded_cents: row.refunded_cents + money.refunded_cents,
        waived_cents: row.waived_cents + money.waived_cents,
        refund_proposal,
        ..row
    }
}

#[cfg(test)]
mod tests;
