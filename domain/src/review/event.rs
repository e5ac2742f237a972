//! What happens to a review.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::{ExternalSite, Moderation, REVIEW_TOKEN, Rating, ReviewMedia, RoutingMode, ShownLink};
use crate::envelope::{Claim, Sealed};
use crate::ids::{BookingId, ChefId, CustomerId, MessageId, PromoCodeId, StationId};
use crate::promo_code::Discount;

crate::events! {
    /// What can happen to a review.
    pub enum ReviewEvent {
        "A customer was asked how it was." LinkIssued(ReviewLinkIssued) = "review.link_issued" v 1, claims;
        "A customer who has not answered was asked again." Reminded(ReviewReminded) = "review.reminded" v 1, claims;
        "The customer opened a link for the first time." Opened(ReviewOpened) = "review.opened" v 1;
        "The customer said how it was." Submitted(ReviewSubmitted) = "review.submitted" v 1;
        "The customer went on to an external site." ExternalClicked(ReviewExternalClicked) = "review.external_clicked" v 1;
        "The customer did not answer in time." Expired(ReviewExpired) = "review.expired" v 1;
        "The question was called off." Cancelled(ReviewCancelled) = "review.cancelled" v 1;
        "The review may be published." Approved(ReviewApproved) = "review.approved" v 1;
        "The review may not be published." Rejected(ReviewRejected) = "review.rejected" v 1;
        "The company answered the customer." Replied(ReviewReplied) = "review.replied" v 1;
        "An unhappy customer was given a promo code." CouponGranted(ReviewCouponGranted) = "review.coupon_granted" v 1;
    }
}

impl ReviewEvent {
    /// The party that it is about.
    pub fn party(&self) -> ReviewedParty {
        match self {
            Self::LinkIssued(issued) => issued.party,
            Self::Reminded(reminded) => reminded.party,
            Self::Opened(opened) => opened.party,
            Self::Submitted(submitted) => submitted.party,
            Self::ExternalClicked(clicked) => clicked.party,
            Self::Expired(expired) => expired.party,
            Self::Cancelled(cancelled) => cancelled.party,
            Self::Approved(approved) => approved.party,
            Self::Rejected(rejected) => rejected.party,
            Self::Replied(replied) => replied.party,
            Self::CouponGranted(granted) => granted.party,
        }
    }
}

/// The party that a review is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewedParty {
    /// Its booking.
    pub booking_id: BookingId,
    /// Who booked.
    pub customer_id: CustomerId,
    /// The station that served.
    pub station_id: StationId,
}

/// The message that a link came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentAs {
    /// The first question.
    Request,
    /// The first reminder, on day 3.
    FirstReminder,
    /// The second reminder, on day 7.
    SecondReminder,
    /// A further link that a person of the company gave out.
    ByStaff,
}

impl SentAs {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::Request,
        Self::FirstReminder,
        Self::SecondReminder,
        Self::ByStaff,
    ];

    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::FirstReminder => "first_reminder",
            Self::SecondReminder => "second_reminder",
            Self::ByStaff => "by_staff",
        }
    }
}

/// What a customer was shown of external sites, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLinks {
    /// How the company went about it then.
    pub mode: RoutingMode,
    /// Version of the risk text that was acknowledged for a mode other than neutral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_version: Option<String>,
    /// What was shown.
    pub links: Vec<ShownLink>,
}

fn take(token_key: &str) -> Vec<Claim> {
    vec![Claim::TakeUnique {
        scope: REVIEW_TOKEN.into(),
        key: token_key.to_owned(),
    }]
}

/// A customer was asked how it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewLinkIssued {
    /// The party.
    pub party: ReviewedParty,
    /// Number of its booking.
    pub number: String,
    /// Local date of the party.
    pub event_on: NaiveDate,
    /// Who cooked, where chefs were assigned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chefs: Vec<ChefId>,
    /// Whether it is the first question, or a further link of staff.
    pub sent_as: SentAs,
    /// SHA-256 of the link's token, hexadecimal.
    pub token_key: String,
    /// The message that takes it to the customer; none where staff hand it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// When.
    pub issued_at: DateTime<Utc>,
    /// First instant at which no link of the review is good any more.
    pub expires_at: DateTime<Utc>,
}

impl ReviewLinkIssued {
    fn claims(&self) -> Vec<Claim> {
        take(&self.token_key)
    }
}

/// A customer who has not answered was asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewReminded {
    /// The party.
    pub party: ReviewedParty,
    /// Which reminder: 1 or 2.
    pub number: i32,
    /// SHA-256 of its link's token, hexadecimal.
    pub token_key: String,
    /// The message that takes it to the customer.
    pub message_id: MessageId,
    /// When.
    pub reminded_at: DateTime<Utc>,
}

impl ReviewReminded {
    fn claims(&self) -> Vec<Claim> {
        take(&self.token_key)
    }

    /// The message that its link came with.
    pub fn sent_as(&self) -> SentAs {
        if self.number <= 1 {
            SentAs::FirstReminder
        } else {
            SentAs::SecondReminder
        }
    }
}

/// The customer opened a link for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewOpened {
    /// The party.
    pub party: ReviewedParty,
    /// The message that the link came with.
    pub sent_as: SentAs,
    /// The external sites that the page shows.
    pub shown: ShownLinks,
    /// When.
    pub opened_at: DateTime<Utc>,
}

/// The customer said how it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewSubmitted {
    /// The party.
    pub party: ReviewedParty,
    /// Number of its booking.
    pub number: String,
    /// The message that the link came with.
    pub sent_as: SentAs,
    /// From 1 to 5.
    pub rating: Rating,
    /// What the customer wrote, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Sealed>,
    /// How the customer wants to be called where it is published, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_name: Option<Sealed>,
    /// Pictures and a video.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<ReviewMedia>,
    /// The external sites that the customer is shown with the thanks.
    pub shown: ShownLinks,
    /// When.
    pub submitted_at: DateTime<Utc>,
}

/// The customer went on to an external site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewExternalClicked {
    /// The party.
    pub party: ReviewedParty,
    /// Which site.
    pub site: ExternalSite,
    /// When.
    pub clicked_at: DateTime<Utc>,
}

/// The customer did not answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewExpired {
    /// The party.
    pub party: ReviewedParty,
    /// When.
    pub expired_at: DateTime<Utc>,
}

/// Why a review is not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewCancelledBecause {
    /// The booking was called off.
    BookingCancelled,
    /// The booking was put away.
    BookingDeleted,
    /// The customer's data was erased.
    CustomerErased,
}

impl ReviewCancelledBecause {
    /// The words in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BookingCancelled => "the booking was cancelled",
            Self::BookingDeleted => "the booking was deleted",
            Self::CustomerErased => "the customer was erased",
        }
    }
}

/// The question was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCancelled {
    /// The party.
    pub party: ReviewedParty,
    /// Why.
    pub because: ReviewCancelledBecause,
    /// When.
    pub cancelled_at: DateTime<Utc>,
}

/// The review may be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewApproved {
    /// The party.
    pub party: ReviewedParty,
    /// What was decided before.
    pub before: Moderation,
    /// Why, where there was something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub approved_at: DateTime<Utc>,
}

/// The review may not be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRejected {
    /// The party.
    pub party: ReviewedParty,
    /// What was decided before.
    pub before: Moderation,
    /// Why.
    pub reason: String,
    /// When.
    pub rejected_at: DateTime<Utc>,
}

/// The company answered the customer. A later answer takes the place of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewReplied {
    /// The party.
    pub party: ReviewedParty,
    /// The answer, sealed: it may speak of the customer.
    pub text: Sealed,
    /// When.
    pub replied_at: DateTime<Utc>,
}

/// An unhappy customer was given a promo code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewCouponGranted {
    /// The party.
    pub party: ReviewedParty,
    /// The code, which is made with it.
    pub promo_id: PromoCodeId,
    /// Its text.
    pub code: String,
    /// What it takes off.
    pub discount: Discount,
    /// Until when it can be used, exclusive.
    pub ends_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// When.
    pub granted_at: DateTime<Utc>,
}
