//! What changes of a booking do to its row.

use domain::booking::{BookingEvent, BookingRescheduled, HeldPlace};
use domain::quote::Quote;
use domain::tax_rate::TaxPlace;

use super::{BookingNote, BookingRow, Presence};

/// The row after a change; as it was after what is no change.
pub(super) fn changed(row: BookingRow, event: &BookingEvent) -> BookingRow {
    match event {
        BookingEvent::DepositDueExtended(extended) => BookingRow {
            deposit_due_at: extended.due_at,
            ..row
        },
        BookingEvent::GuestCountChanged(changed) => {
            let row = BookingRow {
                adults: changed.guests.adults,
                children: changed.guests.children,
                under6: changed.guests.under6,
                ..row
            };
            priced(held(row, changed.place), &changed.quote)
        }
        BookingEvent::MenuChanged(changed) => priced(row, &changed.quote),
        BookingEvent::Rescheduled(moved) => rescheduled(row, moved),
        BookingEvent::ChefAssigned(assigned) => BookingRow {
            chefs: row.chefs.with(assigned.chef_id.0),
            ..row
        },
        BookingEvent::ChefUnassigned(unassigned) => BookingRow {
            chefs: row.chefs.without(unassigned.chef_id.0),
            ..row
        },
        BookingEvent::Deleted(_) => BookingRow {
            presence: Presence::Deleted,
            ..row
        },
        BookingEvent::Restored(restored) => {
            let row = match restored.place {
                Some(place) => held(row, place),
                None => row,
            };
            BookingRow {
                presence: Presence::Here,
                deposit_due_at: restored.deposit_due_at,
                ..row
            }
        }
        BookingEvent::NoteAdded(added) => {
            let mut row = row;
            row.notes.push(BookingNote {
                note: added.note.clone(),
                noted_at: added.noted_at,
            });
            row
        }
        BookingEvent::TermsAccepted(accepted) => BookingRow {
            terms_version: Some(accepted.terms_version.clone()),
            ..row
        },
        BookingEvent::TaxPlaceSet(set) => taxed_at(row, &set.tax_place),
        BookingEvent::Requested(_)
        | BookingEvent::Confirmed(_)
        | BookingEvent::Completed(_)
        | BookingEvent::TaxAdjusted(_)
        | BookingEvent::Cancelled(_)
        | BookingEvent::Expired(_) => row,
    }
}

fn held(row: BookingRow, place: HeldPlace) -> BookingRow {
    BookingRow {
        blocked_from: place.blocked_from,
        blocked_until: place.blocked_until,
        chefs_needed: place.chefs_needed,
        ..row
    }
}

fn priced(row: BookingRow, quote: &Quote) -> BookingRow {
    BookingRow {
        lines: quote.lines.clone(),
        total_cents: quote.total_cents,
        deposit_cents: quote.deposit_cents,
        ..row
    }
}

fn rescheduled(row: BookingRow, moved: &BookingRescheduled) -> BookingRow {
    let (start, venue) = (&moved.start, &moved.venue);
    let row = BookingRow {
        start_utc: start.utc,
        start_local: start.local,
        event_on: start.local.date(),
        zone: start.zone,
        offset_secs: start.offset_secs,
        moved_forward_secs: start.moved_forward_secs,
        street: venue.street.clone(),
        city: venue.city.clone(),
        county: venue.county.clone(),
        state: venue.state.clone(),
        zip: venue.zip.to_string(),
        deposit_due_at: moved.deposit_due_at.unwrap_or(row.deposit_due_at),
        ..taxed_at(row, &moved.tax_place)
    };
    priced(held(row, moved.place), &moved.quote)
}

fn taxed_at(row: BookingRow, tax: &TaxPlace) -> BookingRow {
    BookingRow {
        tax_state: tax.jurisdiction.state.clone(),
        tax_county: tax.jurisdiction.county.clone(),
        tax_city: tax.jurisdiction.city.clone(),
        tax_rate_ppm: tax.rate_ppm,
        tax_method: tax.method,
        tax_confirmation: tax.confirmation,
        ..row
    }
}
