//! Putting a booking away and taking it out again. The log keeps it either way.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::change_event::HeldPlace;
use super::event::{given_back, release, taken};
use super::status::BookingStatus;
use crate::envelope::Claim;
use crate::ids::{CustomerId, StationId};
use crate::promo_code::CustomerHold;

/// The booking was put away: lists do not show it any more, and its place is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingDeleted {
    /// The station whose place is free.
    pub station_id: StationId,
    /// Whose booking it is.
    pub customer_id: CustomerId,
    /// Where it stood.
    pub status: BookingStatus,
    /// Why.
    pub reason: String,
    /// What is free again of the customer's bookings and of the promo code, where it held them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<CustomerHold>,
    /// When.
    pub deleted_at: DateTime<Utc>,
    /// Until when it can be taken out again.
    pub restorable_until: DateTime<Utc>,
}

impl BookingDeleted {
    pub(super) fn claims(&self) -> Vec<Claim> {
        let mut claims = release(self.station_id);
        claims.extend(given_back(self.gives_back.as_ref()));
        claims
    }
}

/// The booking was taken out again, and stands where it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRestored {
    /// The station that serves.
    pub station_id: StationId,
    /// Whose booking it is.
    pub customer_id: CustomerId,
    /// Where it stands.
    pub status: BookingStatus,
    /// The place that it holds again; none for one that holds no place in this status.
    pub place: Option<HeldPlace>,
    /// What it holds again of the customer's bookings and of the promo code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_again: Option<CustomerHold>,
    /// Until when the deposit must come: as before, or, where that has passed, as long as for a new request.
    pub deposit_due_at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub restored_at: DateTime<Utc>,
}

impl BookingRestored {
    pub(super) fn claims(&self) -> Vec<Claim> {
        let place = self.place.map(|place| place.take(self.station_id));
        let mut claims = place.unwrap_or_default();
        claims.extend(taken(self.takes_again.as_ref()));
        claims
    }
}
