//! Why a lead refuses.

use super::{FOLLOW_UP_WITHIN_DAYS, LeadStatus};
use crate::decider::Refusal;

/// Why a lead refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeadError {
    /// It is there already.
    #[error("the lead exists already")]
    Exists,
    /// There is no such lead.
    #[error("there is no such lead")]
    NotFound,
    /// Its personal data is gone.
    #[error("this lead's data has been erased: there is nobody to call")]
    Purged,
    /// It is won or lost.
    #[error("the lead is {} already", .0.as_str())]
    Over(LeadStatus),
    /// New is what it was before somebody called.
    #[error("a lead is new only before somebody has called")]
    NewAgain,
    /// What was said needs a call in which it was.
    #[error("a note of 1 to 4,000 characters goes with the status CONTACTED")]
    NoteOfNoCall,
    /// A booking is what wins.
    #[error("a booking goes with the status WON")]
    BookingOfNoWin,
    /// What goes on has not been given up.
    #[error("a reason goes with the status LOST")]
    ReasonOfNoLoss,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// In the past, or too far away.
    #[error("a lead is to be called within {FOLLOW_UP_WITHIN_DAYS} days from now")]
    BadDueAt,
    /// What is won or lost is called no more.
    #[error("a lead that is won or lost is not to be called again")]
    FollowUpOfNone,
    /// Nobody was to call.
    #[error("the lead is not to be called: there is nothing to do")]
    NoFollowUp,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// Nobody agreed to be called.
    #[error("a person who left by themselves is kept only with their consent: name the version of its text")]
    ConsentRequired,
    /// Not the name of a version.
    #[error("a version of a text has 1 to 60 characters")]
    BadTextVersion,
    /// Too long.
    #[error("a source has at most 200 characters")]
    BadSource,
    /// Its personal data is a customer's, and goes with theirs.
    #[error("this lead's data is a customer's: it goes when the customer is erased")]
    OfCustomer,
    /// Its time is not over.
    #[error("this lead's data is kept for longer")]
    StillKept,
}

impl Refusal for LeadError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::Purged => "LEAD_PURGED",
            Self::Over(_) => "WRONG_STATE",
            Self::NewAgain => "INVALID_STATUS",
            Self::NoteOfNoCall => "INVALID_NOTE",
            Self::BookingOfNoWin => "INVALID_BOOKING",
            Self::ReasonOfNoLoss | Self::BadReason => "INVALID_REASON",
            Self::BadDueAt | Self::FollowUpOfNone => "INVALID_DUE_AT",
            Self::NoFollowUp => "NO_FOLLOW_UP",
            Self::Unchanged => "UNCHANGED",
            Self::ConsentRequired => "CONSENT_REQUIRED",
            Self::BadTextVersion => "INVALID_TEXT_VERSION",
            Self::BadSource => "INVALID_SOURCE",
            Self::OfCustomer => "LEAD_OF_CUSTOMER",
            Self::StillKept => "NOT_YET_DUE",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::Unchanged | Self::OfCustomer | Self::StillKept => &[],
            Self::NotFound | Self::Purged => &["leadId"],
            Self::Over(_) | Self::NewAgain => &["status"],
            Self::NoteOfNoCall => &["note"],
            Self::BookingOfNoWin => &["bookingId"],
            Self::ReasonOfNoLoss | Self::BadReason => &["reason"],
            Self::BadDueAt | Self::FollowUpOfNone => &["followUpAt"],
            Self::NoFollowUp => &["followUpDone"],
            Self::ConsentRequired | Self::BadTextVersion => &["consentTextVersion"],
            Self::BadSource => &["source"],
        }
    }
}
