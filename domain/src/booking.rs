//! Bookings: from a request that holds its place, over the deposit, to an event that was held.

mod event;
mod released;
mod state;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;

use crate::decider::Refusal;
use crate::envelope::Sealed;
use crate::guests::Guests;
use crate::ids::{BookingId, CustomerId, PaymentId, StationId};
use crate::money::Cents;
use crate::place::{Travel, Venue};
use crate::price_list::PriceList;
use crate::quote::{AddOn, QuoteError};
use crate::station::Station;
use crate::tax_rate::TaxPlace;

pub use event::{
    BookingCancelled, BookingCompleted, BookingConfirmed, BookingEvent, BookingExpired, BookingRequested,
    CancelledBy, HeldTax, RefundRule,
};
pub use released::BookingCancelledV1;
pub use state::{Booking, BookingStatus};

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
    Complete {
        /// What the staff noted; at most 500 characters.
        note: Option<String>,
        /// The time of asking; not before the event's start.
        now: DateTime<Utc>,
    },
    /// Somebody calls it off.
    Cancel {
        /// Who does.
        by: CancelledBy,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// The deposit did not come in time.
    Expire {
        /// The time of asking; not before the deposit was due.
        now: DateTime<Utc>,
    },
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
    /// Where the customer came from.
    pub source: Option<String>,
    /// Version of the terms that the customer accepted.
    pub terms_version: Option<String>,
    /// What the customer wrote, sealed.
    pub note: Option<Sealed>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// Why a booking refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookingError {
    /// It is there already.
    #[error("the booking exists already")]
    Exists,
    /// There is no such booking.
    #[error("there is no such booking")]
    NotFound,
    /// There is no such station.
    #[error("there is no such station")]
    StationNotFound,
    /// The party cannot be priced or served.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// Not a start that the station offers.
    #[error("the station starts events at {offered}")]
    NotASlot {
        /// Local times on offer.
        offered: String,
    },
    /// Too near.
    #[error("a booking is made at least {lead_hours} hours ahead")]
    TooSoon {
        /// Hours that it must lie ahead.
        lead_hours: i64,
    },
    /// Too far.
    #[error("a booking is made at most {horizon_days} days ahead")]
    TooFar {
        /// Days ahead that can be booked.
        horizon_days: i64,
    },
    /// More chefs than the station has at all.
    #[error("{guests} guests need {needed} chefs; the station has {chefs}")]
    PartyTooLarge {
        /// The party.
        guests: i32,
        /// Chefs that it needs.
        needed: i32,
        /// Chefs at the station.
        chefs: i32,
    },
    /// Somebody else has the place.
    #[error("the station has no free chef at that time; choose another slot")]
    SlotUnavailable,
    /// Too long.
    #[error("{what} has at most {max} characters")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// How long it may be.
        max: usize,
    },
    /// Not what can be done now.
    #[error("a booking that is {status} cannot be {wanted}")]
    WrongState {
        /// What it is.
        status: &'static str,
        /// What was asked.
        wanted: &'static str,
    },
    /// Less came than the deposit.
    #[error("the deposit is {deposit}; {captured} has been captured")]
    DepositShort {
        /// The deposit.
        deposit: Cents,
        /// What has come.
        captured: Cents,
    },
    /// The event has not begun.
    #[error("the event starts at {start}; it can be completed from then on")]
    NotYetHeld {
        /// Its start.
        start: DateTime<Utc>,
    },
    /// The deposit is not due yet.
    #[error("the deposit is due at {due_at}; the booking holds its place until then")]
    NotYetDue {
        /// When it is due.
        due_at: DateTime<Utc>,
    },
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
}

impl Refusal for BookingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound | Self::StationNotFound => "NOT_FOUND",
            Self::Quote(quote) => quote.code(),
            Self::NotASlot { .. } => "NOT_A_SLOT",
            Self::TooSoon { .. } => "TOO_SOON",
            Self::TooFar { .. } => "TOO_FAR_AHEAD",
            Self::PartyTooLarge { .. } => "TOO_MANY_GUESTS",
            Self::SlotUnavailable => "SLOT_UNAVAILABLE",
            Self::TooLong { .. } => "TOO_LONG",
            Self::WrongState { .. } => "WRONG_STATE",
            Self::DepositShort { .. } => "DEPOSIT_SHORT",
            Self::NotYetHeld { .. } => "NOT_YET_HELD",
            Self::NotYetDue { .. } => "NOT_YET_DUE",
            Self::BadReason => "INVALID_REASON",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::WrongState { .. } | Self::DepositShort { .. } => &[],
            Self::NotFound | Self::NotYetHeld { .. } | Self::NotYetDue { .. } => &["bookingId"],
            Self::StationNotFound => &["stationId"],
            Self::Quote(quote) => quote.field(),
            Self::NotASlot { .. } | Self::TooSoon { .. } | Self::TooFar { .. } | Self::SlotUnavailable => {
                &["start"]
            }
            Self::PartyTooLarge { .. } => &["guests"],
            Self::TooLong { what: "a source", .. } => &["source"],
            Self::TooLong {
                what: "a terms version",
                ..
            } => &["termsVersion"],
            Self::TooLong { .. } => &["note"],
            Self::BadReason => &["reason"],
        }
    }
}
