//! Reviews: one of each party that was held, asked for by a secret link, answered once, published when a person approves.

mod error;
mod event;
pub mod media;
mod routing;
mod state;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::envelope::Sealed;
use crate::ids::{BookingId, ChefId, MessageId, PromoCodeId, ReviewId};
use crate::promo_code::Discount;

pub use error::ReviewError;
pub use event::{
    ReviewApproved, ReviewCancelled, ReviewCancelledBecause, ReviewCouponGranted, ReviewEvent, ReviewExpired,
    ReviewExternalClicked, ReviewLinkIssued, ReviewOpened, ReviewRejected, ReviewReminded, ReviewReplied,
    ReviewSubmitted, ReviewedParty, SentAs, ShownLinks,
};
pub use media::{MediaKind, ReviewMedia};
pub use routing::{
    CouponTerms, ExternalLink, ExternalSite, REVIEW_RISK_TEXT, REVIEW_RISK_VERSION, ReviewPractice,
    ReviewSettings, RiskAcknowledgement, RoutingError, RoutingMode, ShownLink,
};
pub use state::{Moderation, Review, ReviewStatus};

/// What the token of a link is unique in: who has the token finds the review by it.
pub const REVIEW_TOKEN: &str = "review.token";

/// Hours after a party was held that its customer is asked.
pub const ASK_AFTER_HOURS: i64 = 24;
/// Days that a link is good.
pub const LINK_DAYS: i64 = 30;
/// Days after the link that reminders go out: on day 3 and day 7, the link itself being day 1.
pub const REMIND_AFTER_DAYS: [i64; 2] = [2, 6];
/// Days after a party was held from which nobody is asked any more of our own accord: whoever is asked that late has
/// forgotten.
pub const TOO_LATE_DAYS: i64 = 14;

/// How a customer liked it: 1, very unhappy; 2, could be better; 3, okay; 4, good; 5, great.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Rating(i32);

impl Rating {
    /// The highest rating at which somebody should ring the customer up at once.
    const LOW: i32 = 2;
    /// The lowest rating of whom is happy.
    const HAPPY: i32 = 4;

    /// The rating of a number; none but for 1 to 5.
    pub fn new(number: i32) -> Option<Self> {
        (1..=5).contains(&number).then_some(Self(number))
    }

    /// From 1 to 5.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Whether it asks for an escalation, and for words: 1 or 2.
    pub fn is_low(self) -> bool {
        self.0 <= Self::LOW
    }

    /// Whether the customer is happy: 4 or 5.
    pub fn is_happy(self) -> bool {
        self.0 >= Self::HAPPY
    }
}

impl TryFrom<i32> for Rating {
    type Error = &'static str;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        Self::new(number).ok_or("a rating is 1 to 5")
    }
}

impl From<Rating> for i32 {
    fn from(rating: Rating) -> Self {
        rating.0
    }
}

impl ReviewId {
    /// The review of a booking: always the same one.
    pub fn of(booking: BookingId) -> Self {
        const REVIEWS: Uuid = Uuid::from_u128(0x3a51_c7e2_6b0d_4f94_a1f7_8e29_0c4d_b615);
        Self(Uuid::new_v5(&REVIEWS, booking.0.as_bytes()))
    }
}

/// Who lets a link be issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum IssuedBy {
    /// The company's policy, a day after the party: once.
    Policy,
    /// A person of the company: again, where the customer has not answered yet.
    Staff,
}

/// A link to issue, with every fact that it is decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IssueLink {
    /// The party.
    pub party: ReviewedParty,
    /// Number of its booking.
    pub number: String,
    /// Local date of the party.
    pub event_on: NaiveDate,
    /// Who cooked, where chefs were assigned.
    pub chefs: Vec<ChefId>,
    /// When it began; none where it was not held.
    pub held_at: Option<DateTime<Utc>>,
    /// Who lets it be issued.
    pub by: IssuedBy,
    /// SHA-256 of the token, hexadecimal.
    pub token_key: String,
    /// The message that takes it to the customer, where one does.
    pub message_id: Option<MessageId>,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// A customer's answer, its words sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmitReview {
    /// SHA-256 of the token that it came with, hexadecimal.
    pub token_key: String,
    /// From 1 to 5, as it was typed.
    pub rating: i32,
    /// What the customer wrote; none where that is blank.
    pub text: Option<Sealed>,
    /// How the customer wants to be called where it is published.
    pub public_name: Option<Sealed>,
    /// Pictures and a video.
    pub media: Vec<ReviewMedia>,
    /// How the company goes about external sites.
    pub practice: ReviewPractice,
    /// The time of asking.
    pub now: DateTime<Utc>,
}

/// What can be asked of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ReviewCommand {
    /// Ask the customer.
    IssueLink(Box<IssueLink>),
    /// Ask once more.
    Remind {
        /// Which reminder: 1 or 2.
        number: i32,
        /// SHA-256 of its token, hexadecimal.
        token_key: String,
        /// The message that takes it to the customer.
        message_id: MessageId,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// The customer has opened a link.
    Open {
        /// SHA-256 of its token, hexadecimal.
        token_key: String,
        /// How the company goes about external sites.
        practice: ReviewPractice,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// The customer answers.
    Submit(Box<SubmitReview>),
    /// The customer follows a link to an external site.
    Click {
        /// SHA-256 of the token that it came with, hexadecimal.
        token_key: String,
        /// Where to.
        site: ExternalSite,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Nobody has answered in time.
    Expire {
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// It is not wanted any more.
    Cancel {
        /// Why.
        because: ReviewCancelledBecause,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Publish it.
    Approve {
        /// Why, where there is something to say.
        reason: Option<String>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Keep it from being published.
    Reject {
        /// Why; 3 to 500 characters.
        reason: Option<String>,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Answer the customer where it is published.
    Reply {
        /// The answer, sealed.
        text: Sealed,
        /// The time of asking.
        now: DateTime<Utc>,
    },
    /// Give a promo code to a customer who was unhappy.
    GrantCoupon {
        /// The code that is made with it.
        promo_id: PromoCodeId,
        /// Its text.
        code: String,
        /// What it takes off.
        discount: Discount,
        /// Until when it can be used, exclusive.
        ends_at: DateTime<Utc>,
        /// Why; 3 to 500 characters.
        reason: String,
        /// The time of asking.
        now: DateTime<Utc>,
    },
}

/// What somebody wrote, without surrounding space; none where that is nothing.
///
/// # Errors
/// [`ReviewError::BadText`] beyond 4,000 characters.
pub fn check_text(text: Option<&str>) -> Result<Option<String>, ReviewError> {
    check_length(text, 4_000, ReviewError::BadText)
}

/// A name to be published under, without surrounding space; none where that is nothing.
///
/// # Errors
/// [`ReviewError::BadName`] beyond 60 characters.
pub fn check_public_name(name: Option<&str>) -> Result<Option<String>, ReviewError> {
    check_length(name, 60, ReviewError::BadName)
}

fn check_length(
    text: Option<&str>,
    longest: usize,
    long: ReviewError,
) -> Result<Option<String>, ReviewError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > longest => Err(long),
        text => Ok(text.map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests;
