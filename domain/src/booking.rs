//! Bookings: from a request that holds its place, over the deposit, to an event that was held.

mod change;
mod change_event;
mod crew;
mod crew_event;
mod error;
mod event;
mod limits;
mod payment_fact;
mod promise;
mod released;
mod removal;
mod removal_event;
mod state;
mod status;
mod tax;
mod tax_event;
mod tax_record;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;

use crate::chef::{Chef, Roster, Works};
use crate::envelope::Sealed;
use crate::guests::Guests;
use crate::ids::{BookingId, ChefId, CustomerId, PaymentId, StationId};
use crate::money::Cents;
use crate::place::{Travel, Venue};
use crate::price_list::PriceList;
use crate::promo_code::PromoAsked;
use crate::quote::AddOn;
use crate::station::Station;
use crate::tax_account::KeptDepositTax;
use crate::tax_rate::TaxPlace;

pub use change_event::{
    BookingDepositDueExtended, BookingGuestCountChanged, BookingMenuChanged, BookingNoteAdded,
    BookingRescheduled, BookingTermsAccepted, ChangedBy, HeldPlace, MovedFrom, Room,
};
pub use crew_event::{BookingChefAssigned, BookingChefUnassigned, ByName, UnassignedBecause};
pub use error::BookingError;
pub use event::{
    BookingCancelled, BookingCompleted, BookingConfirmed, BookingEvent, BookingExpired, BookingRequested,
    CancelledBy, HeldTax, RefundRule,
};
pub(crate) use limits::{check_size, check_start};
pub use payment_fact::{PaymentFact, PaymentWay, was_chosen};
pub(crate) use promise::promise;
pub use released::BookingCancelledV1;
pub use removal_event::{BookingDeleted, BookingRestored};
pub use state::Booking;
pub use status::BookingStatus;
pub use tax::{CompleteBooking, SetTaxPlace};
pub use tax_event::{BookingTaxAdjusted, BookingTaxPlaceSet, TaxAdjustment, TaxPlaceBecause, TaxedPayment};
pub use tax_record::{OpenKept, RecordTax};

/// What can be asked of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum BookingCommand {
    /// Take a place and promise a deposit.
    Request(Box<RequestBooking>),
    /// The deposit has come.
    Confirm {
        /// The payment that completed the deposit.
        payment_id: PaymentId,
        /// Captured towards the booking so far, in cents.
        captured_cents: Cents,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// The event was held.
    Complete(Box<CompleteBooking>),
    /// Money has moved that adds to the tax, or takes from it.
    RecordTax(RecordTax),
    /// The tax belongs elsewhere, or the rate is another.
    SetTaxPlace(Box<SetTaxPlace>),
    /// Somebody calls it off.
    Cancel {
        /// Who does.
        by: CancelledBy,
        /// Why; 3 to 500 characters.
        reason: String,
        /// Whether what is kept is a sale, as the company has chosen.
        kept: KeptDepositTax,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// The deposit did not come in time.
    Expire {
        /// The time of asking; not before the deposit was due.
        now: DateTime<Utc>,
    },
    /// Let the deposit come later.
    ExtendDeposit {
        /// Until when it must come.
        due_at: DateTime<Utc>,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Move the party to another time or place.
    Reschedule(Box<RescheduleBooking>),
    /// Serve more guests, or fewer.
    ChangeGuests(Box<ChangeGuests>),
    /// Serve other extras.
    ChangeMenu(Box<ChangeMenu>),
    /// Let a chef cook.
    AssignChef(Box<AssignChef>),
    /// Let a chef not cook after all.
    UnassignChef {
        /// Who.
        chef_id: ChefId,
        /// Why; 500 characters at most.
        reason: Option<String>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Put the booking away.
    Delete {
        /// Why; 10 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Take it out again, within 30 days.
    Restore(Box<RestoreBooking>),
    /// Write something down.
    AddNote {
        /// What, sealed.
        note: Sealed,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// The customer accepts the terms.
    AcceptTerms {
        /// Version of their text; 1 to 60 characters.
        version: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// What a change is decided on beside the booking: who wants it, when, and the prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeAsked {
    /// Prices and terms that it is priced at.
    pub price_list: PriceList,
    /// The instant whose prices of that list are used.
    pub priced_at: DateTime<Utc>,
    /// Who wants it.
    pub by: ChangedBy,
    /// Why; 3 to 500 characters where staff changes what is locked.
    pub reason: Option<String>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// A move to another time or place, with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RescheduleBooking {
    /// The station, as its stream tells it.
    pub station: Station,
    /// Its chefs.
    pub roster: Roster,
    /// Local start.
    pub start: NaiveDateTime,
    /// Where.
    pub venue: Venue,
    /// The tax place of the venue on the new day.
    pub tax_place: TaxPlace,
    /// The way there.
    pub travel: Travel,
    /// Whether what moving it costs was agreed to.
    pub fee: FeeAgreed,
    /// The rest.
    pub asked: ChangeAsked,
}

/// Whether what a move costs was agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FeeAgreed {
    /// It was.
    Yes,
    /// It was not: a move that costs something is refused.
    No,
}

/// More guests or fewer, with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeGuests {
    /// The station, as its stream tells it.
    pub station: Station,
    /// Its chefs.
    pub roster: Roster,
    /// Who comes.
    pub guests: Guests,
    /// The rest.
    pub asked: ChangeAsked,
}

/// Other extras, with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeMenu {
    /// All extras from now on.
    pub add_ons: Vec<AddOn>,
    /// The rest.
    pub asked: ChangeAsked,
}

/// A chef who is to cook, with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssignChef {
    /// Who.
    pub chef_id: ChefId,
    /// The chef, as the stream tells it.
    pub chef: Chef,
    /// Where the chef works.
    pub works: Works,
    /// The station, as its stream tells it.
    pub station: Station,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// A booking to take out again, with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreBooking {
    /// The station, as its stream tells it.
    pub station: Station,
    /// Its chefs.
    pub roster: Roster,
    /// Why; 500 characters at most.
    pub reason: Option<String>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// A request with every fact that the decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestBooking {
    /// The new booking's id.
    pub booking_id: BookingId,
    /// Who books.
    pub customer_id: CustomerId,
    /// The station that is asked.
    pub station_id: StationId,
    /// That station, as its stream tells it.
    pub station: Station,
    /// Its chefs.
    pub roster: Roster,
    /// Its prices and terms.
    pub price_list: PriceList,
    /// Where.
    pub venue: Venue,
    /// The tax place of the venue on the day.
    pub tax_place: TaxPlace,
    /// The way there.
    pub travel: Travel,
    /// Local start.
    pub start: NaiveDateTime,
    /// The party.
    pub guests: Guests,
    /// Extras.
    pub add_ons: Vec<AddOn>,
    /// A promo code, with how often it is used.
    pub promo: Option<PromoAsked>,
    /// Where the customer came from.
    pub source: Option<String>,
    /// Version of the terms that the customer accepted.
    pub terms_version: Option<String>,
    /// What the customer wrote, sealed.
    pub note: Option<Sealed>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}
