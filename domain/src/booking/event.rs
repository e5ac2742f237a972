//! What happens to a booking.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::change_event::{
    BookingDepositDueExtended, BookingGuestCountChanged, BookingMenuChanged, BookingNoteAdded,
    BookingRescheduled, BookingTermsAccepted, HeldPlace, Room, none,
};
use super::crew_event::{BookingChefAssigned, BookingChefUnassigned, release_chef};
use super::released::BookingCancelledV1;
use super::removal_event::{BookingDeleted, BookingRestored};
use super::status::BookingStatus;
use super::tax_event::{BookingTaxAdjusted, BookingTaxPlaceSet};
use crate::envelope::{Claim, Sealed};
use crate::guests::Guests;
use crate::ids::{ChefId, CustomerId, PaymentId, StationId};
use crate::money::Cents;
use crate::place::{Travel, Venue};
use crate::price_list::{BookingPolicy, CancellationTier};
use crate::promo_code::{AppliedPromo, CustomerHold};
use crate::quote::Quote;
use crate::schedule::EventTime;
use crate::station::Station;
use crate::tax_account::KeptDepositTax;
use crate::tax_rate::TaxPlace;

crate::events! {
    /// What can happen to a booking.
    pub enum BookingEvent {
        "A customer asked for a party; the place is held." Requested(BookingRequested) = "booking.requested" v 1, claims;
        "The deposit has come; the party will be held." Confirmed(BookingConfirmed) = "booking.confirmed" v 1;
        "The party was held; its tax is owed." Completed(BookingCompleted) = "booking.completed" v 1, claims;
        "The party was called off; the place is free." Cancelled(BookingCancelled) = "booking.cancelled" v 2 from 1 as BookingCancelledV1, claims;
        "The deposit did not come; the place is free." Expired(BookingExpired) = "booking.expired" v 1, claims;
        "The deposit may come later." DepositDueExtended(BookingDepositDueExtended) = "booking.deposit_due_extended" v 1;
        "The party grew or shrank; it has a new price." GuestCountChanged(BookingGuestCountChanged) = "booking.guest_count_changed" v 1, claims;
        "The extras changed; the party has a new price." MenuChanged(BookingMenuChanged) = "booking.menu_changed" v 1;
        "The party was moved to another time or place, which is held in place of the old one." Rescheduled(BookingRescheduled) = "booking.rescheduled" v 1, claims;
        "A chef will cook; nobody else has that chef then." ChefAssigned(BookingChefAssigned) = "booking.chef_assigned" v 1, claims;
        "A chef will not cook after all, and is free." ChefUnassigned(BookingChefUnassigned) = "booking.chef_unassigned" v 1, claims;
        "The booking was put away; its place is free." Deleted(BookingDeleted) = "booking.deleted" v 1, claims;
        "The booking was taken out again; its place is held again." Restored(BookingRestored) = "booking.restored" v 1, claims;
        "Somebody wrote something down." NoteAdded(BookingNoteAdded) = "booking.note_added" v 1;
        "The customer accepted the terms." TermsAccepted(BookingTermsAccepted) = "booking.terms_accepted" v 1;
        "The tax belongs to another place than was thought, or its rate is another." TaxPlaceSet(BookingTaxPlaceSet) = "booking.tax_place_set" v 1;
        "A fact after the party was held adds to its tax, or takes from it." TaxAdjusted(BookingTaxAdjusted) = "booking.tax_adjusted" v 1;
    }
}

fn nothing(cents: &Cents) -> bool {
    cents.is_zero()
}

/// A customer asked for a party; the place is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRequested {
    /// Number for people to name it by.
    pub number: String,
    /// Who books.
    pub customer_id: CustomerId,
    /// The station that serves.
    pub station_id: StationId,
    /// Where.
    pub venue: Venue,
    /// When.
    pub start: EventTime,
    /// First instant that the chefs are taken, inclusive: travel and set-up are before the start.
    pub blocked_from: DateTime<Utc>,
    /// First instant that they are free again, exclusive.
    pub blocked_until: DateTime<Utc>,
    /// The party.
    pub guests: Guests,
    /// Chefs that the party needs.
    pub chefs_needed: i32,
    /// Chefs of the station alone who worked then, when it was asked.
    pub station_chefs: i32,
    /// How many of the chefs that it needs are of several stations: they are held by name and not counted.
    #[serde(default, skip_serializing_if = "none")]
    pub by_name: i32,
    /// Every line of the price, tax-inclusive.
    pub quote: Quote,
    /// The promo code that it was made with: changes are priced by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo: Option<AppliedPromo>,
    /// Whose bookings it counts among, for codes of first bookings; absent from events of programs that did not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_for: Option<CustomerId>,
    /// The terms it was made under.
    pub policy: BookingPolicy,
    /// Until when the deposit must come.
    pub deposit_due_at: DateTime<Utc>,
    /// Jurisdiction and rate of the venue on the day.
    pub tax_place: TaxPlace,
    /// The way there.
    pub travel: Travel,
    /// Where the customer came from.
    pub source: Option<String>,
    /// Version of the terms that the customer accepted.
    pub terms_version: Option<String>,
    /// What the customer wrote, sealed.
    pub note: Option<Sealed>,
    /// When it was asked.
    pub requested_at: DateTime<Utc>,
}

impl BookingRequested {
    fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = self.place().counted(self.station_id).into_iter().collect();
        claims.extend(taken(self.customer_hold().as_ref()));
        claims
    }

    /// The place that it holds at its station.
    pub fn place(&self) -> HeldPlace {
        HeldPlace {
            blocked_from: self.blocked_from,
            blocked_until: self.blocked_until,
            chefs_needed: self.chefs_needed,
            station_chefs: self.station_chefs,
            by_name: self.by_name,
            room: Room::Asked,
        }
    }

    /// What it holds of its customer's bookings and of its promo code; none in events of programs that did not count.
    pub fn customer_hold(&self) -> Option<CustomerHold> {
        self.counted_for.map(|customer_id| CustomerHold {
            customer_id,
            promo: self.promo.clone(),
        })
    }
}

/// Takes what is held beside the place.
pub(super) fn taken(hold: Option<&CustomerHold>) -> Vec<Claim> {
    hold.map(CustomerHold::take).unwrap_or_default()
}

/// Gives it back.
pub(super) fn given_back(hold: Option<&CustomerHold>) -> Vec<Claim> {
    hold.map(CustomerHold::give_back).unwrap_or_default()
}

/// The deposit has come; the party will be held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingConfirmed {
    /// The payment that completed the deposit.
    pub payment_id: PaymentId,
    /// The station that serves; absent from events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
    /// Captured towards the booking by then, in cents.
    pub captured_cents: Cents,
    /// When.
    pub confirmed_at: DateTime<Utc>,
}

/// The party was held; its tax is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingCompleted {
    /// The station that served.
    pub station_id: StationId,
    /// Number of the booking.
    pub number: String,
    /// Local date of the event: the day that the tax belongs to (accrual; annotation 495.0672).
    pub event_on: NaiveDate,
    /// The day that the tax belongs to where that is another: the event's was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_on: Option<NaiveDate>,
    /// Who was served.
    pub guests: Guests,
    /// Tax-inclusive total in cents.
    pub gross_cents: Cents,
    /// What a promo code had taken off it, in cents.
    #[serde(default, skip_serializing_if = "nothing")]
    pub discount_cents: Cents,
    /// Part of it that is travel, tax-inclusive, in cents.
    pub travel_cents: Cents,
    /// Part of it that is mandatory gratuity, tax-inclusive, in cents.
    pub gratuity_cents: Cents,
    /// The tax in it, with the rate it was taken at; none where no rate was known.
    pub tax: Option<HeldTax>,
    /// The place it belongs to.
    pub tax_place: TaxPlace,
    /// ZIP of the venue.
    pub venue_zip: String,
    /// City of the venue as written.
    pub venue_city: String,
    /// County of the venue by its ZIP; absent from events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue_county: Option<String>,
    /// What the staff noted.
    pub note: Option<String>,
    /// Who cooked, where chefs were assigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chefs: Vec<ChefId>,
    /// Until when its place and its chefs stay taken, where that is later than this: the party goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_until: Option<DateTime<Utc>>,
    /// When it was marked as held.
    pub completed_at: DateTime<Utc>,
}

/// The tax in a party's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTax {
    /// Combined rate in millionths.
    pub rate_ppm: crate::money::RatePpm,
    /// Taxable amount without its tax, in cents.
    pub net_cents: Cents,
    /// Tax in cents.
    pub tax_cents: Cents,
}

impl BookingCompleted {
    /// Nothing while the party goes on: what it has taken ends by itself. It still counts towards its chefs' day and week.
    fn claims(&self) -> Vec<Claim> {
        if self.taken_until.is_some() {
            return Vec::new();
        }
        let chefs = self.chefs.iter().map(|chef| release_chef(*chef));
        release(self.station_id).into_iter().chain(chefs).collect()
    }
}

/// Who called a party off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The customer.
    Customer,
    /// The company.
    Company,
}

/// What decides how much is proposed to be given back for a party that was called off. A person confirms it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundRule {
    /// Everything is given back: the company called it off.
    Everything,
    /// The tier of the terms that the day falls into.
    Tier(CancellationTier),
    /// Nothing is given back: it was later than every tier of the terms.
    Nothing,
}

/// The party was called off; the place is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingCancelled {
    /// The station whose place is free.
    pub station_id: StationId,
    /// Who called it off.
    pub by: CancelledBy,
    /// Why.
    pub reason: String,
    /// Whole hours before the start; negative after it.
    pub hours_before: i64,
    /// Where it stood until then; absent from events of programs that did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<BookingStatus>,
    /// What is proposed to be given back.
    pub refund: RefundRule,
    /// What is free again of the customer's bookings and of the promo code; none once the event has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<CustomerHold>,
    /// Whether what is kept is a sale, as the company had chosen by then; absent where it is none.
    #[serde(default, skip_serializing_if = "KeptDepositTax::is_usual")]
    pub kept: KeptDepositTax,
    /// When.
    pub cancelled_at: DateTime<Utc>,
}

impl BookingCancelled {
    fn claims(&self) -> Vec<Claim> {
        let mut claims = release(self.station_id);
        claims.extend(given_back(self.gives_back.as_ref()));
        claims
    }
}

/// The deposit did not come; the place is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingExpired {
    /// The station whose place is free.
    pub station_id: StationId,
    /// Until when the deposit should have come.
    pub due_at: DateTime<Utc>,
    /// What is free again of the customer's bookings and of the promo code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<CustomerHold>,
    /// When it was given up.
    pub expired_at: DateTime<Utc>,
}

impl BookingExpired {
    fn claims(&self) -> Vec<Claim> {
        let mut claims = release(self.station_id);
        claims.extend(given_back(self.gives_back.as_ref()));
        claims
    }
}

pub(super) fn release(station: StationId) -> Vec<Claim> {
    vec![Claim::ReleaseCapacity {
        resource: Station::capacity_resource(station),
    }]
}
