//! Why a booking refuses.

use chrono::{DateTime, NaiveDate, Utc};

use crate::chef::Unavailable;
use crate::decider::Refusal;
use crate::money::Cents;
use crate::promo_code::PromoRefusal;
use crate::quote::QuoteError;

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
    /// The promo code cannot be used.
    #[error(transparent)]
    Promo(#[from] PromoRefusal),
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
    /// Too short or too long.
    #[error("the reason for deleting a booking has 10 to 500 characters")]
    BadDeletionReason,
    /// No event is held on that day.
    #[error("the station is closed on {on}")]
    Closed {
        /// The local day.
        on: NaiveDate,
    },
    /// The station has chefs, but too few of them work then.
    #[error("{needed} chefs are needed and {working} work at that time; choose another slot")]
    NoChef {
        /// Chefs that the party needs.
        needed: i32,
        /// Chefs of the station who work then.
        working: i32,
    },
    /// Put away.
    #[error("the booking was deleted; restore it first")]
    Deleted,
    /// Not put away.
    #[error("the booking is not deleted")]
    NotDeleted,
    /// Put away too long ago.
    #[error(
        "a booking can be restored for 30 days, and one that awaits its deposit until its start; this one could until {until}"
    )]
    RestoreTooLate {
        /// Until when it could.
        until: DateTime<Utc>,
    },
    /// So near to the start that only staff changes it.
    #[error("a booking is not changed any more from {hours} hours before its start; ask the staff")]
    ChangesLocked {
        /// Hours before the start.
        hours: i64,
    },
    /// Staff says why.
    #[error("say why in 3 to 500 characters: the change is of the company's own, or close to the start")]
    ReasonRequired,
    /// It is so already.
    #[error("the booking is so already: nothing would change")]
    Unchanged,
    /// Moved as often as the terms have it.
    #[error("the terms let a booking be moved {times} times; it has been")]
    ReschedulesUsedUp {
        /// How often.
        times: i32,
    },
    /// Too near to the start.
    #[error("the terms let a booking be moved until {hours} hours before its start")]
    RescheduleTooLate {
        /// Hours before the start.
        hours: i64,
    },
    /// It costs something.
    #[error("moving this booking costs {fee}; say that this is agreed to")]
    FeeRequired {
        /// What it costs, in cents.
        fee: Cents,
    },
    /// Earlier than it is, or too late.
    #[error("the deposit is due by {before}; it can be put off to a later instant before the start")]
    BadDueAt {
        /// Until when it must come.
        before: DateTime<Utc>,
    },
    /// Works elsewhere.
    #[error("the chef does not work at this station")]
    ChefNotAtStation,
    /// Off, or not at work.
    #[error("the chef {0}")]
    ChefUnavailable(Unavailable),
    /// Another party has the chef.
    #[error("the chef cooks at another party at that time")]
    ChefConflict,
    /// As many parties as the chef cooks.
    #[error("the chef cooks as many parties on that day or in that week as the chef's limit allows")]
    ChefCapReached,
    /// Assigned already.
    #[error("the chef is assigned to this booking already")]
    ChefAssignedAlready,
    /// Not assigned.
    #[error("the chef is not assigned to this booking")]
    ChefNotAssigned,
    /// As many as the party needs.
    #[error("the party needs {needed} chefs, and has them")]
    EnoughChefs {
        /// Chefs that the party needs.
        needed: i32,
    },
    /// More than anybody reads.
    #[error("a booking has at most {max} notes")]
    TooManyNotes {
        /// How many.
        max: i32,
    },
    /// Nothing written.
    #[error("a note has 1 to 4,000 characters")]
    EmptyNote,
    /// Empty or too long.
    #[error("a version of the terms has 1 to 60 characters")]
    BadTermsVersion,
}

impl Refusal for BookingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound | Self::StationNotFound => "NOT_FOUND",
            Self::Quote(quote) => quote.code(),
            Self::Promo(promo) => promo.code(),
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
            Self::BadReason | Self::BadDeletionReason => "INVALID_REASON",
            Self::Closed { .. } => "STATION_CLOSED",
            Self::NoChef { .. } => "NO_CHEF",
            Self::Deleted => "BOOKING_DELETED",
            Self::NotDeleted => "NOT_DELETED",
            Self::RestoreTooLate { .. } => "RESTORE_TOO_LATE",
            Self::ChangesLocked { .. } => "CHANGES_LOCKED",
            Self::ReasonRequired => "REASON_REQUIRED",
            Self::Unchanged => "UNCHANGED",
            Self::ReschedulesUsedUp { .. } => "RESCHEDULES_USED_UP",
            Self::RescheduleTooLate { .. } => "RESCHEDULE_TOO_LATE",
            Self::FeeRequired { .. } => "FEE_REQUIRED",
            Self::BadDueAt { .. } => "INVALID_DUE_AT",
            Self::ChefNotAtStation => "CHEF_NOT_AT_STATION",
            Self::ChefUnavailable(_) => "CHEF_UNAVAILABLE",
            Self::ChefConflict => "CHEF_CONFLICT",
            Self::ChefCapReached => "CHEF_CAP_REACHED",
            Self::ChefAssignedAlready => "CHEF_ALREADY_ASSIGNED",
            Self::ChefNotAssigned => "CHEF_NOT_ASSIGNED",
            Self::EnoughChefs { .. } => "ENOUGH_CHEFS",
            Self::TooManyNotes { .. } => "TOO_MANY_NOTES",
            Self::EmptyNote => "INVALID_NOTE",
            Self::BadTermsVersion => "INVALID_TERMS_VERSION",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::WrongState { .. } | Self::DepositShort { .. } | Self::Unchanged => &[],
            Self::NotFound
            | Self::NotYetHeld { .. }
            | Self::NotYetDue { .. }
            | Self::Deleted
            | Self::NotDeleted
            | Self::RestoreTooLate { .. }
            | Self::ChangesLocked { .. }
            | Self::EnoughChefs { .. } => &["bookingId"],
            Self::StationNotFound => &["stationId"],
            Self::Quote(quote) => quote.field(),
            Self::Promo(promo) => promo.field(),
            Self::NotASlot { .. }
            | Self::TooSoon { .. }
            | Self::TooFar { .. }
            | Self::SlotUnavailable
            | Self::Closed { .. }
            | Self::NoChef { .. }
            | Self::ReschedulesUsedUp { .. }
            | Self::RescheduleTooLate { .. } => &["start"],
            Self::PartyTooLarge { .. } => &["guests"],
            Self::TooLong { what: "a source", .. } => &["source"],
            Self::TooLong {
                what: "a terms version",
                ..
            } => &["termsVersion"],
            Self::TooLong { what: "a reason", .. } => &["reason"],
            Self::TooLong { .. } | Self::TooManyNotes { .. } | Self::EmptyNote => &["note"],
            Self::BadReason | Self::BadDeletionReason | Self::ReasonRequired => &["reason"],
            Self::FeeRequired { .. } => &["acceptFee"],
            Self::BadDueAt { .. } => &["dueAt"],
            Self::ChefNotAtStation
            | Self::ChefUnavailable(_)
            | Self::ChefConflict
            | Self::ChefCapReached
            | Self::ChefAssignedAlready
            | Self::ChefNotAssigned => &["chefId"],
            Self::BadTermsVersion => &["termsVersion"],
        }
    }
}
