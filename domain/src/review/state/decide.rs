//! What a review decides, command by command.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use super::{Moderation, Review, ReviewStatus};
use crate::ids::MessageId;
use crate::review::{
    ExternalSite, IssueLink, IssuedBy, LINK_DAYS, Rating, ReviewApproved, ReviewCancelled,
    ReviewCancelledBecause, ReviewError, ReviewEvent, ReviewExpired, ReviewExternalClicked, ReviewLinkIssued,
    ReviewOpened, ReviewPractice, ReviewRejected, ReviewReminded, ReviewSubmitted, ReviewedParty, SentAs,
    SubmitReview, TOO_LATE_DAYS, media,
};

impl Review {
    pub(super) fn issue(&self, ask: IssueLink) -> Result<ReviewEvent, ReviewError> {
        let held_at = ask.held_at.ok_or(ReviewError::NotCompleted)?;
        let again = match ask.by {
            IssuedBy::Policy if self.issued.is_some() => return Err(ReviewError::Exists),
            IssuedBy::Policy if ask.now - held_at > Duration::days(TOO_LATE_DAYS) => {
                return Err(ReviewError::TooLate);
            }
            IssuedBy::Policy => None,
            IssuedBy::Staff => match self.waiting() {
                Err(ReviewError::LinkUsed) => return Err(ReviewError::LinkUsed),
                Ok((_, expires_at)) => Some(expires_at).filter(|end| ask.now < *end),
                Err(_) => None,
            },
        };
        let sent_as = match self.issued {
            None => SentAs::Request,
            Some(_) => SentAs::ByStaff,
        };
        Ok(ReviewEvent::LinkIssued(ReviewLinkIssued {
            party: ask.party,
            number: ask.number,
            event_on: ask.event_on,
            chefs: ask.chefs,
            sent_as,
            token_key: ask.token_key,
            message_id: ask.message_id,
            issued_at: ask.now,
            expires_at: again.unwrap_or(ask.now + Duration::days(LINK_DAYS)),
        }))
    }

    pub(super) fn remind(
        &self,
        number: i32,
        token_key: String,
        message_id: MessageId,
        now: DateTime<Utc>,
    ) -> Result<ReviewEvent, ReviewError> {
        let (party, _) = self.live(now)?;
        if number <= self.reminders {
            return Err(ReviewError::Reminded);
        }
        Ok(ReviewEvent::Reminded(ReviewReminded {
            party,
            number,
            token_key,
            message_id,
            reminded_at: now,
        }))
    }

    pub(super) fn open(
        &self,
        token_key: &str,
        practice: &ReviewPractice,
        now: DateTime<Utc>,
    ) -> Result<ReviewEvent, ReviewError> {
        let (issued, sent_as) = self.answerable(token_key, now)?;
        if self.status == Some(ReviewStatus::Opened) {
            return Err(ReviewError::Opened);
        }
        Ok(ReviewEvent::Opened(ReviewOpened {
            party: issued.party,
            sent_as,
            shown: practice.shown(issued.party.station_id, None, now),
            opened_at: now,
        }))
    }

    pub(super) fn submit(&self, ask: SubmitReview) -> Result<ReviewEvent, ReviewError> {
        let (issued, sent_as) = self.answerable(&ask.token_key, ask.now)?;
        let rating = Rating::new(ask.rating).ok_or(ReviewError::BadRating)?;
        if rating.is_low() && ask.text.is_none() {
            return Err(ReviewError::TextRequired);
        }
        let videos = ask.media.iter().filter(|media| media.kind.is_video()).count();
        let names: BTreeSet<_> = ask.media.iter().map(|media| &media.sha256).collect();
        if videos > media::MAX_VIDEOS
            || ask.media.len() - videos > media::MAX_IMAGES
            || names.len() < ask.media.len()
        {
            return Err(ReviewError::TooManyMedia);
        }
        Ok(ReviewEvent::Submitted(ReviewSubmitted {
            party: issued.party,
            number: issued.number.clone(),
            sent_as,
            rating,
            text: ask.text,
            public_name: ask.public_name,
            media: ask.media,
            shown: ask.practice.shown(issued.party.station_id, Some(rating), ask.now),
            submitted_at: ask.now,
        }))
    }

    pub(super) fn click(
        &self,
        token_key: &str,
        site: ExternalSite,
        now: DateTime<Utc>,
    ) -> Result<ReviewEvent, ReviewError> {
        let (issued, _) = self.holder(token_key)?;
        if self.shown(site).is_none() {
            return Err(ReviewError::NotShown);
        }
        if self.has_clicked(site) {
            return Err(ReviewError::Clicked);
        }
        Ok(ReviewEvent::ExternalClicked(ReviewExternalClicked {
            party: issued.party,
            site,
            clicked_at: now,
        }))
    }

    pub(super) fn approve(
        &self,
        reason: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<ReviewEvent, ReviewError> {
        let (party, _) = self.submitted()?;
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        if let Some(reason) = &reason {
            check_reason(reason)?;
        }
        if self.moderation == Moderation::Approved {
            return Err(ReviewError::Unchanged);
        }
        Ok(ReviewEvent::Approved(ReviewApproved {
            party,
            before: self.moderation,
            reason,
            approved_at: now,
        }))
    }

    pub(super) fn reject(
        &self,
        reason: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<ReviewEvent, ReviewError> {
        let (party, _) = self.submitted()?;
        let reason = reason.ok_or(ReviewError::BadReason)?;
        check_reason(&reason)?;
        if self.moderation == Moderation::Rejected {
            return Err(ReviewError::Unchanged);
        }
        Ok(ReviewEvent::Rejected(ReviewRejected {
            party,
            before: self.moderation,
            reason,
            rejected_at: now,
        }))
    }

    /// Whether a coupon can be granted.
    ///
    /// # Errors
    /// [`ReviewError::NotSubmitted`], [`ReviewError::NotLow`], [`ReviewError::CouponGranted`].
    pub fn unhappy(&self) -> Result<ReviewedParty, ReviewError> {
        let (party, rating) = self.submitted()?;
        if !rating.is_low() {
            return Err(ReviewError::NotLow);
        }
        if self.coupon.is_some() {
            return Err(ReviewError::CouponGranted);
        }
        Ok(party)
    }

    pub(super) fn cancel(
        &self,
        because: ReviewCancelledBecause,
        now: DateTime<Utc>,
    ) -> Result<ReviewEvent, ReviewError> {
        let (party, _) = self.waiting()?;
        Ok(ReviewEvent::Cancelled(ReviewCancelled {
            party,
            because,
            cancelled_at: now,
        }))
    }

    pub(super) fn expire(&self, now: DateTime<Utc>) -> Result<ReviewEvent, ReviewError> {
        let (party, expires_at) = self.waiting()?;
        if now < expires_at {
            return Err(ReviewError::NotExpired(expires_at));
        }
        Ok(ReviewEvent::Expired(ReviewExpired {
            party,
            expired_at: now,
        }))
    }
}

pub(super) fn check_reason(reason: &str) -> Result<(), ReviewError> {
    if (3..=500).contains(&reason.trim().chars().count()) {
        Ok(())
    } else {
        Err(ReviewError::BadReason)
    }
}
