//! What changes a booking that goes on.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::release;
use crate::envelope::{Claim, Sealed};
use crate::guests::Guests;
use crate::ids::StationId;
use crate::money::Cents;
use crate::place::{Travel, Venue, ZipCode};
use crate::quote::{AddOn, Quote};
use crate::schedule::EventTime;
use crate::station::Station;
use crate::tax_rate::TaxPlace;

/// Who wants a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangedBy {
    /// The customer.
    Customer,
    /// Somebody of the company, for the customer.
    Staff,
    /// The company, for reasons of its own.
    Company,
}

/// The place that a booking holds at its station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPlace {
    /// First instant that the chefs are taken, inclusive.
    pub blocked_from: DateTime<Utc>,
    /// First instant that they are free again, exclusive.
    pub blocked_until: DateTime<Utc>,
    /// Chefs that the party needs.
    pub chefs_needed: i32,
    /// Chefs of the station alone who worked then, as known when the place was taken.
    pub station_chefs: i32,
    /// How many of the chefs that it needs are of several stations: they are held by name and not counted.
    #[serde(default, skip_serializing_if = "none")]
    pub by_name: i32,
    /// Whether it is held whatever the station has by now.
    #[serde(default, skip_serializing_if = "Room::is_asked")]
    pub room: Room,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
pub(super) fn none(count: &i32) -> bool {
    *count == 0
}

/// Whether a place is refused where the station has too few chefs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    /// It is.
    #[default]
    Asked,
    /// It is not: it gives back some of what the booking held, or takes the place of a chef who was held by name.
    NotAsked,
}

impl Room {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes fields by reference"
    )]
    fn is_asked(&self) -> bool {
        *self == Self::Asked
    }
}

impl HeldPlace {
    /// Takes this place at the station in place of whatever the booking holds there.
    pub(super) fn take(&self, station: StationId) -> Vec<Claim> {
        let mut claims = release(station);
        claims.extend(self.counted(station));
        claims
    }

    /// What it takes of the chefs who are counted; nothing where all are held by name.
    pub(super) fn counted(&self, station: StationId) -> Option<Claim> {
        let units = self.chefs_needed - self.by_name;
        (units > 0).then(|| Claim::TakeCapacity {
            resource: Station::capacity_resource(station),
            from: self.blocked_from,
            until: self.blocked_until,
            units,
            limit: match self.room {
                Room::Asked => self.station_chefs,
                Room::NotAsked => i32::MAX,
            },
        })
    }
}

/// The deposit may come later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingDepositDueExtended {
    /// The station that serves.
    pub station_id: StationId,
    /// Until when it had to come.
    pub before: DateTime<Utc>,
    /// Until when it must come now.
    pub due_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// When it was agreed.
    pub extended_at: DateTime<Utc>,
}

/// The party grew or shrank; it has a new price, and holds as many chefs as it needs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingGuestCountChanged {
    /// The station that serves.
    pub station_id: StationId,
    /// Who was to come.
    pub before: Guests,
    /// Who comes now.
    pub guests: Guests,
    /// Chefs that the party needed.
    pub chefs_before: i32,
    /// The place that it holds now.
    pub place: HeldPlace,
    /// Tax-inclusive total before, in cents.
    pub total_before_cents: Cents,
    /// Every line of the new price.
    pub quote: Quote,
    /// Who wanted it.
    pub by: ChangedBy,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub changed_at: DateTime<Utc>,
}

impl BookingGuestCountChanged {
    /// Nothing where as many chefs cook as before: the place is the booking's already.
    pub(super) fn claims(&self) -> Vec<Claim> {
        if self.place.chefs_needed == self.chefs_before {
            Vec::new()
        } else {
            self.place.take(self.station_id)
        }
    }
}

/// The extras changed; the party has a new price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingMenuChanged {
    /// The station that serves.
    pub station_id: StationId,
    /// Tax-inclusive total before, in cents.
    pub total_before_cents: Cents,
    /// Every line of the new price.
    pub quote: Quote,
    /// The extras before; absent in what was written before they were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_ons_before: Option<Vec<AddOn>>,
    /// Who wanted it.
    pub by: ChangedBy,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Where a party was to be before it was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedFrom {
    /// City as the customer wrote it.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP code.
    pub zip: ZipCode,
    /// The way there.
    pub travel: Travel,
    /// Jurisdiction and rate that were due there and then.
    pub tax_place: TaxPlace,
    /// Until when the deposit was to come, where the move made that earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_due_at: Option<DateTime<Utc>>,
}

/// The party was moved to another time or place. The new place at the station is held in place of the old one; chefs who
/// were assigned are free. When the deposit is due stays as it was, but not past the new start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRescheduled {
    /// The station that serves.
    pub station_id: StationId,
    /// When it was to start.
    pub before: EventTime,
    /// When it starts now.
    pub start: EventTime,
    /// The place that it holds now.
    pub place: HeldPlace,
    /// Where.
    pub venue: Venue,
    /// Until when the deposit must come, where the move made that earlier: it comes before the party does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit_due_at: Option<DateTime<Utc>>,
    /// Jurisdiction and rate of the venue on the new day.
    pub tax_place: TaxPlace,
    /// The way there.
    pub travel: Travel,
    /// Where it was to be; absent in what was written before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<Box<MovedFrom>>,
    /// Tax-inclusive total before, in cents.
    pub total_before_cents: Cents,
    /// Every line of the new price, with what moving it costs.
    pub quote: Quote,
    /// What moving it costs, in cents; nothing where absent.
    pub fee_cents: Option<Cents>,
    /// Who wanted it.
    pub by: ChangedBy,
    /// Why.
    pub reason: Option<String>,
    /// When it was moved.
    pub rescheduled_at: DateTime<Utc>,
}

impl BookingRescheduled {
    pub(super) fn claims(&self) -> Vec<Claim> {
        self.place.take(self.station_id)
    }
}

/// Somebody of the company wrote something down about the booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingNoteAdded {
    /// The station that serves; absent in what was written before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// What, sealed.
    pub note: Sealed,
    /// When.
    pub noted_at: DateTime<Utc>,
}

/// The customer accepted the terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingTermsAccepted {
    /// The station that serves; absent in what was written before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// Version of the terms' text.
    pub terms_version: String,
    /// When.
    pub accepted_at: DateTime<Utc>,
}
