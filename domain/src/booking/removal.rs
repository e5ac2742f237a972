//! Putting a booking away and taking it out again.

use chrono::{DateTime, Duration, Utc};

use super::RestoreBooking;
use super::error::BookingError;
use super::event::BookingEvent;
use super::removal_event::{BookingDeleted, BookingRestored};
use super::state::{Booking, BookingStatus, check_chefs, check_length, check_size, refuse_unless};

/// Days for which a booking can be taken out again.
const RESTORABLE_DAYS: i64 = 30;

impl Booking {
    /// A party that was held stays: its tax is owed.
    pub(super) fn delete(&self, reason: String, now: DateTime<Utc>) -> Result<BookingEvent, BookingError> {
        let (requested, status) = self.standing()?;
        refuse_unless(status != BookingStatus::Completed, status, "deleted")?;
        if !(10..=500).contains(&reason.trim().chars().count()) {
            return Err(BookingError::BadDeletionReason);
        }
        Ok(BookingEvent::Deleted(BookingDeleted {
            station_id: requested.station_id,
            customer_id: requested.customer_id,
            status,
            reason,
            deleted_at: now,
            restorable_until: now + Duration::days(RESTORABLE_DAYS),
        }))
    }

    pub(super) fn restore(&self, ask: &RestoreBooking) -> Result<BookingEvent, BookingError> {
        let requested = self.requested().ok_or(BookingError::NotFound)?;
        let deleted = self.deleted.as_ref().ok_or(BookingError::NotDeleted)?;
        check_length("a reason", 500, ask.reason.as_deref())?;
        if ask.now > deleted.restorable_until {
            return Err(BookingError::RestoreTooLate {
                until: deleted.restorable_until,
            });
        }
        let place = if deleted.status.is_open() {
            let station = ask.station.opened().ok_or(BookingError::StationNotFound)?;
            let blocked = (requested.blocked_from, requested.blocked_until);
            check_size(&ask.station, station, requested.guests)?;
            let place = check_chefs(&ask.station, station, &ask.roster, requested.guests, blocked)?;
            Some(place)
        } else {
            None
        };
        let again = ask.now + Duration::hours(requested.policy.deposit_due_hours);
        let deposit_due_at = if requested.deposit_due_at > ask.now {
            requested.deposit_due_at
        } else {
            again
        };
        Ok(BookingEvent::Restored(BookingRestored {
            station_id: requested.station_id,
            customer_id: requested.customer_id,
            status: deleted.status,
            place,
            deposit_due_at,
            reason: ask.reason.clone(),
            restored_at: ask.now,
        }))
    }
}
