//! What people of the company do with reviews: publish or keep back, answer, make good; and how they are asked for.

use chrono::Duration;
use domain::access::Permission;
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::ids::{PromoCodeId, ReviewId, SubjectId};
use domain::money::Cents;
use domain::organisation::OrganisationCommand;
use domain::promo_code::{PromoAudience, PromoCode, PromoCodeCommand, PromoCodeError, PromoTerms};
use domain::review::{
    Review, ReviewCommand, ReviewError, ReviewPractice, ReviewSettings, RoutingMode, check_text,
};
use serde::Serialize;

use crate::execute::{Plan, UNIQUE, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Whether a review is published.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewModerate {
    /// Which review.
    pub review_id: ReviewId,
    /// The version that the client saw; none opts out.
    pub expected_version: Option<i64>,
    /// What is decided.
    pub verdict: Verdict,
    /// Why; needed to keep it from being published.
    pub reason: Option<String>,
}

/// What is decided of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It is published.
    Approve,
    /// It is not.
    Reject,
}

impl Commands {
    /// Publishes a review, or keeps it from being published. What was decided can be decided otherwise.
    ///
    /// # Errors
    /// `NOT_FOUND`, `REVIEW_NOT_SUBMITTED`, `INVALID_REASON`, `UNCHANGED`.
    pub async fn moderate_review(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        ask: ReviewModerate,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ReviewWrite)?;
            this.run(&caller, &key, "review_moderate", &ask, || async {
                let loaded = this
                    .reach_review(&caller, ask.review_id, ask.expected_version)
                    .await?;
                let (reason, now) = (ask.reason.clone(), this.ports.now());
                let command = match ask.verdict {
                    Verdict::Approve => ReviewCommand::Approve { reason, now },
                    Verdict::Reject => ReviewCommand::Reject { reason, now },
                };
                let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Review>(&this, ask.review_id.to_string(), loaded.version, events))
            })
            .await
        })
        .await
    }

    /// Answers a customer where the review is published. A later answer takes the place of an earlier one.
    ///
    /// # Errors
    /// `NOT_FOUND`, `REVIEW_NOT_SUBMITTED`, `INVALID_TEXT`, `CUSTOMER_ERASED`.
    pub async fn reply_to_review(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        review_id: ReviewId,
        seen: Option<i64>,
        text: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ReviewWrite)?;
            this.run(
                &caller,
                &key,
                "review_reply",
                &(review_id, seen, &text),
                || async {
                    let loaded = this.reach_review(&caller, review_id, seen).await?;
                    let text = check_text(Some(&text)).ok().flatten();
                    let text = text.ok_or_else(|| CommandError::refused(ReviewError::BadReply))?;
                    let subject = SubjectId(customer_of(&loaded)?.0);
                    let stream = StreamId::new(Review::STREAM, review_id.to_string());
                    let command = ReviewCommand::Reply {
                        text: this
                            .vault
                            .seal(caller.tenant, subject, &stream, "reply", &text)
                            .await?,
                        now: this.ports.now(),
                    };
                    let events = loaded.state.decide(command).map_err(CommandError::refused)?;
                    Ok(Plan::default().write::<Review>(&this, review_id.to_string(), loaded.version, events))
                },
            )
            .await
        })
        .await
    }

    /// Gives an unhappy customer a promo code of their own, for one booking, as the company's settings have it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `REVIEW_NOT_SUBMITTED`, `REVIEW_NOT_LOW`, `COUPON_GRANTED`, `INVALID_REASON`, `CUSTOMER_ERASED`.
    pub async fn grant_review_coupon(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        review_id: ReviewId,
        seen: Option<i64>,
        reason: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ReviewWrite)?;
            let promo_id = PromoCodeId(this.ports.id());
            let code = this.coupon_code();
            let body = (review_id, seen, &reason);
            this.run(&caller, &key, "review_coupon_grant", &body, || async {
                let loaded = this.reach_review(&caller, review_id, seen).await?;
                this.plan_coupon(&caller, (review_id, &loaded), (promo_id, &code), &reason)
                    .await
            })
            .await
        })
        .await
    }

    async fn plan_coupon(
        &self,
        caller: &Caller,
        (review_id, loaded): (ReviewId, &Loaded<Review>),
        (promo_id, code): (PromoCodeId, &str),
        reason: &str,
    ) -> Result<Plan, CommandError> {
        let party = loaded.state.unhappy().map_err(CommandError::refused)?;
        let customer = self
            .load::<domain::customer::Customer>(caller, &party.customer_id.to_string())
            .await?;
        customer.state.known().map_err(CommandError::refused)?;
        let now = self.ports.now();
        let coupon = self.review_practice(caller).await?.settings.coupon;
        let ends_at = now + Duration::days(i64::from(coupon.valid_days));
        let granted = ReviewCommand::GrantCoupon {
            promo_id,
            code: code.to_owned(),
            discount: coupon.discount,
            ends_at,
            reason: reason.to_owned(),
            now,
        };
        let granted = loaded.state.decide(granted).map_err(CommandError::refused)?;
        let made = PromoCodeCommand::Create {
            code: code.to_owned(),
            terms: PromoTerms {
                discount: coupon.discount,
                starts_at: now,
                ends_at: Some(ends_at),
                minimum_cents: Cents::ZERO,
                limit_total: Some(1),
                limit_per_customer: Some(1),
                audience: PromoAudience::Everybody,
                stations: Vec::new(),
                customer_id: Some(party.customer_id),
            },
            now,
        };
        let made = PromoCode::default().decide(made).map_err(CommandError::refused)?;
        Ok(Plan::default()
            .write::<Review>(self, review_id.to_string(), loaded.version, granted)
            .write::<PromoCode>(self, promo_id.to_string(), Version(0), made)
            .on_refused_claim(UNIQUE, PromoCodeError::TextTaken))
    }

    /// The text of a coupon: forty random bits, in letters and digits that are not mistaken for each other.
    fn coupon_code(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letters = self.vault.secret();
        let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
        format!("SORRY-{}", letters.iter().take(8).map(letter).collect::<String>())
    }

    /// Changes how the company asks for reviews: the external sites, the page, and what staff may give to the unhappy.
    ///
    /// # Errors
    /// `INVALID_URL`, `INVALID_LINKS`, `INVALID_DISCOUNT`, `INVALID_DAYS`, `YELP_LINK_REFUSED`, `UNCHANGED`.
    pub async fn change_review_settings(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        settings: ReviewSettings,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::StationWrite)?;
            this.run(&caller, &key, "review_settings_change", &settings, || {
                let change = OrganisationCommand::ChangeReviewSettings {
                    settings: settings.clone(),
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, change)
            })
            .await
        })
        .await
    }

    /// Chooses whom external review sites are shown to. Showing them to happy customers only needs the present risk text
    /// acknowledged, and holds for a year. For a super administrator alone.
    ///
    /// # Errors
    /// `RISK_NOT_ACKNOWLEDGED`, `YELP_LINK_REFUSED`, `UNCHANGED`.
    pub async fn route_reviews(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        mode: RoutingMode,
        risk_version: Option<String>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::UserWrite)?;
            let asked = (mode, &risk_version);
            this.run(&caller, &key, "review_routing_set", &asked, || {
                let route = OrganisationCommand::RouteReviews {
                    mode,
                    risk_version: risk_version.clone(),
                    now: this.ports.now(),
                };
                this.plan_organisation(&caller, route)
            })
            .await
        })
        .await
    }

    /// How the company asks for reviews.
    ///
    /// # Errors
    /// [`CommandError::Forbidden`], or when the log is out of reach.
    pub async fn review_settings(&self, caller: Caller) -> Result<ReviewPractice, CommandError> {
        caller.require(Permission::ReviewRead)?;
        self.review_practice(&caller).await
    }

    /// A review within the caller's reach, at the version that was seen.
    async fn reach_review(
        &self,
        caller: &Caller,
        id: ReviewId,
        seen: Option<i64>,
    ) -> Result<Loaded<Review>, CommandError> {
        let loaded = self.load::<Review>(caller, &id.to_string()).await?;
        let missing = || CommandError::refused(ReviewError::NotFound);
        let station = loaded.state.issued().ok_or_else(missing)?.party.station_id;
        caller.reach(station, ReviewError::NotFound.into())?;
        loaded.expect(seen)?;
        Ok(loaded)
    }
}

fn customer_of(loaded: &Loaded<Review>) -> Result<domain::ids::CustomerId, CommandError> {
    let issued = loaded.state.issued();
    let issued = issued.ok_or_else(|| CommandError::refused(ReviewError::NotFound))?;
    Ok(issued.party.customer_id)
}
