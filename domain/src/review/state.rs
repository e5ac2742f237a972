//! The review as its stream tells it, and how it decides.

mod decide;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    ExternalSite, Rating, ReviewCommand, ReviewCouponGranted, ReviewError, ReviewEvent, ReviewLinkIssued,
    ReviewMedia, ReviewReplied, ReviewedParty, SentAs, ShownLink, ShownLinks,
};
use crate::decider::Decider;
use crate::ids::ChefId;
use decide::check_reason;

/// Where a review stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// Asked for, and no link opened yet.
    Pending,
    /// The customer has opened a link and not answered.
    Opened,
    /// Answered.
    Submitted,
    /// Not answered in time.
    Expired,
    /// Called off.
    Cancelled,
}

impl ReviewStatus {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Opened,
        Self::Submitted,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Opened => "opened",
            Self::Submitted => "submitted",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Whether a review may be published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moderation {
    /// Nobody has looked at it yet.
    #[default]
    Awaiting,
    /// It may.
    Approved,
    /// It may not.
    Rejected,
}

impl Moderation {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// A review.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    issued: Option<ReviewLinkIssued>,
    status: Option<ReviewStatus>,
    /// What each of its links came with, by the hash of its token.
    tokens: BTreeMap<String, SentAs>,
    reminders: i32,
    expires_at: Option<DateTime<Utc>>,
    rating: Option<Rating>,
    media: Vec<ReviewMedia>,
    shown: Vec<ShownLink>,
    clicked: BTreeSet<ExternalSite>,
    moderation: Moderation,
    coupon: Option<ReviewCouponGranted>,
}

impl Review {
    /// How it was asked for first, once it was.
    pub fn issued(&self) -> Option<&ReviewLinkIssued> {
        self.issued.as_ref()
    }

    /// Where it stands, once it was asked for.
    pub fn status(&self) -> Option<ReviewStatus> {
        self.status
    }

    /// First instant at which no link of it is good any more.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
    }

    /// The rating, once it was answered.
    pub fn rating(&self) -> Option<Rating> {
        self.rating
    }

    /// Pictures and videos that it was answered with.
    pub fn media(&self) -> &[ReviewMedia] {
        &self.media
    }

    /// Whether it may be published.
    pub fn moderation(&self) -> Moderation {
        self.moderation
    }

    /// The address of an external site as the customer was shown it last.
    pub fn shown(&self, site: ExternalSite) -> Option<&str> {
        let mut shown = self.shown.iter().rev();
        shown.find(|link| link.site == site).map(|link| link.url.as_str())
    }

    /// Whether the customer has followed the link to an external site.
    pub fn has_clicked(&self, site: ExternalSite) -> bool {
        self.clicked.contains(&site)
    }

    /// Whose token it is: what the link came with, and the party.
    ///
    /// # Errors
    /// [`ReviewError::LinkUnknown`] for a token of another review, or none.
    pub fn holder(&self, token_key: &str) -> Result<(&ReviewLinkIssued, SentAs), ReviewError> {
        let sent_as = self.tokens.get(token_key).copied();
        self.issued.as_ref().zip(sent_as).ok_or(ReviewError::LinkUnknown)
    }

    /// What the link of a token came with, while it can be answered by.
    ///
    /// # Errors
    /// [`ReviewError::LinkUnknown`], [`ReviewError::LinkUsed`], [`ReviewError::LinkExpired`],
    /// [`ReviewError::LinkCancelled`].
    pub fn answerable(
        &self,
        token_key: &str,
        now: DateTime<Utc>,
    ) -> Result<(&ReviewLinkIssued, SentAs), ReviewError> {
        let holder = self.holder(token_key)?;
        self.live(now)?;
        Ok(holder)
    }

    /// The party, while the customer can still answer.
    fn live(&self, now: DateTime<Utc>) -> Result<(ReviewedParty, DateTime<Utc>), ReviewError> {
        let (party, expires_at) = self.waiting()?;
        if now >= expires_at {
            return Err(ReviewError::LinkExpired(expires_at));
        }
        Ok((party, expires_at))
    }

    /// The party, while nobody has answered, called it off or said that it is over.
    fn waiting(&self) -> Result<(ReviewedParty, DateTime<Utc>), ReviewError> {
        let (issued, expires_at) = self
            .issued
            .as_ref()
            .zip(self.expires_at)
            .ok_or(ReviewError::NotFound)?;
        match self.status {
            Some(ReviewStatus::Pending | ReviewStatus::Opened) | None => Ok((issued.party, expires_at)),
            Some(ReviewStatus::Submitted) => Err(ReviewError::LinkUsed),
            Some(ReviewStatus::Expired) => Err(ReviewError::LinkExpired(expires_at)),
            Some(ReviewStatus::Cancelled) => Err(ReviewError::LinkCancelled),
        }
    }

    fn submitted(&self) -> Result<(ReviewedParty, Rating), ReviewError> {
        let issued = self.issued.as_ref().ok_or(ReviewError::NotFound)?;
        let rating = self.rating.ok_or(ReviewError::NotSubmitted)?;
        Ok((issued.party, rating))
    }

    /// Who cooked, where chefs were assigned.
    pub fn chefs(&self) -> &[ChefId] {
        self.issued.as_ref().map_or(&[], |issued| &issued.chefs)
    }

    fn show(&mut self, shown: &ShownLinks) {
        self.shown.extend(shown.links.iter().cloned());
    }
}

impl Decider for Review {
    const STREAM: &'static str = "review";
    type Command = ReviewCommand;
    type Event = ReviewEvent;
    type Error = ReviewError;

    fn decide(&self, command: ReviewCommand) -> Result<Vec<ReviewEvent>, ReviewError> {
        let event = match command {
            ReviewCommand::IssueLink(ask) => self.issue(*ask)?,
            ReviewCommand::Remind {
                number,
                token_key,
                message_id,
                now,
            } => self.remind(number, token_key, message_id, now)?,
            ReviewCommand::Open {
                token_key,
                practice,
                now,
            } => self.open(&token_key, &practice, now)?,
            ReviewCommand::Submit(ask) => self.submit(*ask)?,
            ReviewCommand::Click { token_key, site, now } => self.click(&token_key, site, now)?,
            ReviewCommand::Expire { now } => self.expire(now)?,
            ReviewCommand::Cancel { because, now } => self.cancel(because, now)?,
            ReviewCommand::Approve { reason, now } => self.approve(reason, now)?,
            ReviewCommand::Reject { reason, now } => self.reject(reason, now)?,
            ReviewCommand::Reply { text, now } => ReviewEvent::Replied(ReviewReplied {
                party: self.submitted()?.0,
                text,
                replied_at: now,
            }),
            ReviewCommand::GrantCoupon {
                promo_id,
                code,
                discount,
                ends_at,
                reason,
                now,
            } => {
                let party = self.unhappy()?;
                check_reason(&reason)?;
                ReviewEvent::CouponGranted(ReviewCouponGranted {
                    party,
                    promo_id,
                    code,
                    discount,
                    ends_at,
                    reason,
                    granted_at: now,
                })
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &ReviewEvent) {
        match event {
            ReviewEvent::LinkIssued(issued) => {
                self.tokens.insert(issued.token_key.clone(), issued.sent_as);
                self.expires_at = Some(issued.expires_at);
                match self.status {
                    // A further link changes nothing but that there is one.
                    Some(ReviewStatus::Opened | ReviewStatus::Submitted) => {}
                    Some(ReviewStatus::Pending | ReviewStatus::Expired | ReviewStatus::Cancelled) | None => {
                        self.status = Some(ReviewStatus::Pending);
                    }
                }
                self.issued.get_or_insert_with(|| issued.clone());
            }
            ReviewEvent::Reminded(reminded) => {
                self.tokens.insert(reminded.token_key.clone(), reminded.sent_as());
                self.reminders = reminded.number;
            }
            ReviewEvent::Opened(opened) => {
                self.status = Some(ReviewStatus::Opened);
                self.show(&opened.shown);
            }
            ReviewEvent::Submitted(submitted) => {
                self.status = Some(ReviewStatus::Submitted);
                self.rating = Some(submitted.rating);
                self.media.clone_from(&submitted.media);
                self.show(&submitted.shown);
            }
            ReviewEvent::ExternalClicked(clicked) => {
                self.clicked.insert(clicked.site);
            }
            ReviewEvent::Expired(_) => self.status = Some(ReviewStatus::Expired),
            ReviewEvent::Cancelled(_) => self.status = Some(ReviewStatus::Cancelled),
            ReviewEvent::Approved(_) => self.moderation = Moderation::Approved,
            ReviewEvent::Rejected(_) => self.moderation = Moderation::Rejected,
            ReviewEvent::Replied(_) => {}
            ReviewEvent::CouponGranted(granted) => self.coupon = Some(granted.clone()),
        }
    }
}
