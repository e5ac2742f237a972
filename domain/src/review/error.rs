//! Why a review refuses.

use chrono::{DateTime, Utc};

use crate::decider::Refusal;

/// Why a review refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// There is no such review.
    #[error("there is no such review")]
    NotFound,
    /// Asked for already.
    #[error("the customer was asked for a review already")]
    Exists,
    /// The party was not held, or its booking was put away.
    #[error("only of a party that was held can a review be asked for")]
    NotCompleted,
    /// Asked for too long after the party.
    #[error("the party was held too long ago to ask for a review")]
    TooLate,
    /// The reminder went out already.
    #[error("the customer was reminded already")]
    Reminded,
    /// Nobody has this token.
    #[error("this link is none of ours")]
    LinkUnknown,
    /// Answered.
    #[error("this link was used: the review is in, thank you")]
    LinkUsed,
    /// Over.
    #[error("this link was good until {0}")]
    LinkExpired(DateTime<Utc>),
    /// Called off.
    #[error("this link was called off")]
    LinkCancelled,
    /// Opened before: the first time counts.
    #[error("the link was opened already")]
    Opened,
    /// Not over yet.
    #[error("the link is good until {0}")]
    NotExpired(DateTime<Utc>),
    /// None of 1 to 5.
    #[error("a rating is 1 to 5")]
    BadRating,
    /// A low rating without words.
    #[error("please say what went wrong, so that we can put it right")]
    TextRequired,
    /// Too long.
    #[error("a text has at most 4,000 characters")]
    BadText,
    /// Too long.
    #[error("a name has at most 60 characters")]
    BadName,
    /// Too many.
    #[error("a review has at most 5 pictures and one video")]
    TooManyMedia,
    /// Not uploaded, or uploaded to another review.
    #[error("there is no such picture or video; upload it first")]
    MediaNotFound,
    /// That site was not shown to this customer.
    #[error("this site was not shown with the link")]
    NotShown,
    /// Followed before: the first time counts.
    #[error("the site was visited already")]
    Clicked,
    /// Nobody has answered yet.
    #[error("the customer has not answered yet")]
    NotSubmitted,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// Too short or too long.
    #[error("a reason has 3 to 500 characters")]
    BadReason,
    /// Nothing, or too much.
    #[error("a reply has 1 to 4,000 characters")]
    BadReply,
    /// The customer was not unhappy.
    #[error("a coupon is for customers who rate 1 or 2: one for a good rating would be bought")]
    NotLow,
    /// Granted already.
    #[error("the customer has a coupon for this review already")]
    CouponGranted,
}

impl Refusal for ReviewError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Exists => "ALREADY_EXISTS",
            Self::NotCompleted => "REVIEW_NOT_COMPLETED",
            Self::TooLate => "REVIEW_TOO_LATE",
            Self::Reminded => "ALREADY_REMINDED",
            Self::LinkUnknown => "LINK_UNKNOWN",
            Self::LinkUsed => "LINK_USED",
            Self::LinkExpired(_) => "LINK_EXPIRED",
            Self::LinkCancelled => "LINK_CANCELLED",
            Self::Opened => "LINK_OPENED",
            Self::NotExpired(_) => "LINK_NOT_EXPIRED",
            Self::BadRating => "INVALID_RATING",
            Self::TextRequired => "TEXT_REQUIRED",
            Self::BadText | Self::BadReply => "INVALID_TEXT",
            Self::BadName => "INVALID_NAME",
            Self::TooManyMedia => "TOO_MANY_MEDIA",
            Self::MediaNotFound => "MEDIA_NOT_FOUND",
            Self::NotShown => "SITE_NOT_SHOWN",
            Self::Clicked => "SITE_VISITED",
            Self::NotSubmitted => "REVIEW_NOT_SUBMITTED",
            Self::Unchanged => "UNCHANGED",
            Self::BadReason => "INVALID_REASON",
            Self::NotLow => "REVIEW_NOT_LOW",
            Self::CouponGranted => "COUPON_GRANTED",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::NotFound | Self::NotSubmitted | Self::NotLow | Self::CouponGranted => &["reviewId"],
            Self::NotCompleted | Self::TooLate | Self::Exists => &["bookingId"],
            Self::LinkUnknown | Self::LinkUsed | Self::LinkExpired(_) | Self::LinkCancelled => &["token"],
            Self::Reminded | Self::Opened | Self::NotExpired(_) | Self::Clicked | Self::Unchanged => &[],
            Self::BadRating => &["rating"],
            Self::TextRequired | Self::BadText | Self::BadReply => &["text"],
            Self::BadName => &["name"],
            Self::TooManyMedia | Self::MediaNotFound => &["media"],
            Self::NotShown => &["site"],
            Self::BadReason => &["reason"],
        }
    }
}
