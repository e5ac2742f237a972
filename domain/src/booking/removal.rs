//! Putting a booking away and taking it out again.

use chrono::{DateTime, Duration, Utc};

use super::RestoreBooking;
use super::error::BookingError;
use super::event::BookingEvent;
use super::limits::{check_length, check_size};
use super::promise::promise;
use super::removal_event::{BookingDeleted, BookingRestored};
use super::state::Booking;
use super::status::{BookingStatus, refuse_unless};

/// Days for which a booking can be taken out again.
const RESTORABLE_DAYS: i64 = 30;

impl Booking {
    /// What is taxed stays, a party that was held and money that was kept: its tax is owed.
    pub(super) fn delete(&self, reason: String, now: DateTime<Utc>) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(
            self.tax.is_none() && status != BookingStatus::Completed,
            status,
            "deleted",
        )?;
        if !(10..=500).contains(&reason.trim().chars().count()) {
            return Err(BookingError::BadDeletionReason);
        }
        Ok(BookingEvent::Deleted(BookingDeleted {
            station_id: requested.station_id,
            customer_id: requested.customer_id,
            status,
            reason,
            gives_back: requested.customer_hold().filter(|_| status.is_open()),
            deleted_at: now,
            restorable_until: now + Duration::days(RESTORABLE_DAYS),
        }))
    }

    pub(super) fn restore(&self, ask: &RestoreBooking) -> Result<Vec<BookingEvent>, BookingError> {
        let requested = self.requested().ok_or(BookingError::NotFound)?;
        let deleted = self.deleted.as_ref().ok_or(BookingError::NotDeleted)?;
        check_length("a reason", 500, ask.reason.as_deref())?;
        if ask.now > deleted.restorable_until {
            return Err(BookingError::RestoreTooLate {
                until: deleted.restorable_until,
            });
        }
        let start = requested.start.utc;
        // A deposit could not come before the party any more.
        if deleted.status == BookingStatus::Requested && ask.now >= start {
            return Err(BookingError::RestoreTooLate { until: start });
        }
        let promised = if deleted.status.is_open() {
            let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
            check_size(&ask.station, station, requested.guests)?;
            let (guests, shift) = (requested.guests, requested.shift());
            Some(promise(&ask.station, station, &ask.roster, guests, &shift, &[])?)
        } else {
            None
        };
        let again = ask.now + Duration::hours(requested.policy.deposit_due_hours);
        let deposit_due_at = if requested.deposit_due_at > ask.now {
            requested.deposit_due_at
        } else {
            again.min(start)
        };
        let crew = promised
            .iter()
            .flat_map(|promised| requested.with_named(promised, &ask.roster, ask.now));
        let restored = BookingEvent::Restored(BookingRestored {
            station_id: requested.station_id,
            customer_id: requested.customer_id,
            status: deleted.status,
            place: promised.as_ref().map(|promised| promised.place),
            takes_again: requested.customer_hold().filter(|_| deleted.status.is_open()),
            deposit_due_at,
            reason: ask.reason.clone(),
            restored_at: ask.now,
        });
        Ok([restored].into_iter().chain(crew).collect())
    }
}
