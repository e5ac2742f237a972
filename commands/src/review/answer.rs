//! What customers do with a link: open it, answer, go on to an external site. The token is all that they need, and all
//! that they have.

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::StationScope;
use domain::decider::{Decider, Refusal};
use domain::envelope::{Actor, ActorKind, Channel, StreamId};
use domain::ids::{ReviewId, StationId, SubjectId, TenantId};
use domain::organisation::Organisation;
use domain::review::{
    ExternalSite, REVIEW_TOKEN, Rating, Review, ReviewCommand, ReviewError, ReviewLinkIssued, ReviewPractice,
    ReviewStatus, ShownLinks, SubmitReview, check_public_name, check_text,
};
use serde::Serialize;

use super::{tenant_of, token_key};
use crate::execute::{Plan, to_the_end};
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// What a link that is good invites to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The company.
    pub tenant: TenantId,
    /// The station that served.
    pub station_id: StationId,
    /// Local date of the party.
    pub event_on: NaiveDate,
    /// First instant at which the link is not good any more.
    pub expires_at: DateTime<Utc>,
    /// External sites to show.
    pub shown: ShownLinks,
}

/// A customer's answer, as it was typed.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewAnswer {
    /// From 1 to 5.
    pub rating: i32,
    /// What the customer wrote.
    pub text: Option<String>,
    /// How the customer wants to be called where it is published.
    pub name: Option<String>,
    /// Names of pictures and videos, as their upload gave them.
    pub media: Vec<String>,
}

/// What a customer is told who has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The rating that was given.
    pub rating: Rating,
    /// External sites to show.
    pub shown: ShownLinks,
}

/// The review that a token leads to.
pub(super) struct Found {
    pub(super) review_id: ReviewId,
    pub(super) token_key: String,
    pub(super) caller: Caller,
    pub(super) loaded: Loaded<Review>,
}

impl Commands {
    /// The review that a token leads to, and the customer as a caller.
    pub(super) async fn review_of(&self, token: &str) -> Result<Found, CommandError> {
        let unknown = || CommandError::refused(ReviewError::LinkUnknown);
        let tenant = tenant_of(token).ok_or_else(unknown)?;
        let token_key = token_key(token);
        let holder = self.log.unique_holder(tenant, REVIEW_TOKEN, &token_key).await?;
        let review_id: ReviewId = holder
            .and_then(|holder| holder.id.parse().ok())
            .ok_or_else(unknown)?;
        let system = Caller::system(tenant, "review");
        let loaded = self.load::<Review>(&system, &review_id.to_string()).await?;
        let (issued, _) = loaded.state.holder(&token_key).map_err(CommandError::refused)?;
        let caller = customer(tenant, issued);
        Ok(Found {
            review_id,
            token_key,
            caller,
            loaded,
        })
    }

    /// How a company goes about reviews.
    pub(super) async fn review_practice(&self, caller: &Caller) -> Result<ReviewPractice, CommandError> {
        let id = organisation_id(caller.tenant);
        let loaded = self.load::<Organisation>(caller, &id).await?;
        Ok(loaded.state.reviews().clone())
    }

    /// What a link invites to. The first time it is opened is kept, with the external sites that are shown for it.
    ///
    /// # Errors
    /// `LINK_UNKNOWN`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`.
    pub async fn open_review(&self, token: String) -> Result<Invitation, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let found = this.review_of(&token).await?;
            let now = this.ports.now();
            let practice = this.review_practice(&found.caller).await?;
            let (issued, _) = found
                .loaded
                .state
                .answerable(&found.token_key, now)
                .map_err(CommandError::refused)?;
            let invitation = Invitation {
                tenant: found.caller.tenant,
                station_id: issued.party.station_id,
                event_on: issued.event_on,
                expires_at: found.loaded.state.expires_at().unwrap_or(now),
                shown: practice.shown(issued.party.station_id, None, now),
            };
            if found.loaded.state.status() == Some(ReviewStatus::Pending) {
                let command = ReviewCommand::Open {
                    token_key: found.token_key.clone(),
                    practice,
                    now,
                };
                this.note(&found, "review_open", &found.token_key, command)
                    .await?;
            }
            Ok(invitation)
        })
        .await
    }

    /// Whether a link can be answered by. Nothing is kept of it.
    ///
    /// # Errors
    /// `LINK_UNKNOWN`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`.
    pub async fn check_review_link(&self, token: String) -> Result<(), CommandError> {
        let found = self.review_of(&token).await?;
        let now = self.ports.now();
        let answerable = found.loaded.state.answerable(&found.token_key, now);
        answerable.map(|_| ()).map_err(CommandError::refused)
    }

    /// Takes a customer's answer. The same answer again is the same answer.
    ///
    /// # Errors
    /// `LINK_UNKNOWN`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`, `INVALID_RATING`, `TEXT_REQUIRED`, `INVALID_TEXT`,
    /// `INVALID_NAME`, `TOO_MANY_MEDIA`, `MEDIA_NOT_FOUND`.
    pub async fn submit_review(&self, token: String, answer: ReviewAnswer) -> Result<Answered, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let found = this.review_of(&token).await?;
            let key = IdempotencyKey::of_reaction("review_submit", &found.token_key);
            let done = this
                .run(&found.caller, &key, "review_submit", &answer, || {
                    this.plan_answer(&found, &answer)
                })
                .await;
            match done {
                Ok(_) => {}
                // Answered otherwise before.
                Err(CommandError::IdempotencyMismatch) => {
                    return Err(CommandError::refused(ReviewError::LinkUsed));
                }
                Err(error) => return Err(error),
            }
            let rating = Rating::new(answer.rating);
            let rating = rating.ok_or_else(|| CommandError::refused(ReviewError::BadRating))?;
            let now = this.ports.now();
            let practice = this.review_practice(&found.caller).await?;
            let station = found.loaded.state.issued().map(|issued| issued.party.station_id);
            let missing = || CommandError::refused(ReviewError::NotFound);
            Ok(Answered {
                rating,
                shown: practice.shown(station.ok_or_else(missing)?, Some(rating), now),
            })
        })
        .await
    }

    async fn plan_answer(&self, found: &Found, answer: &ReviewAnswer) -> Result<Plan, CommandError> {
        let (caller, id) = (&found.caller, found.review_id.to_string());
        let loaded = self.load::<Review>(caller, &id).await?;
        let now = self.ports.now();
        let (issued, _) = loaded
            .state
            .answerable(&found.token_key, now)
            .map_err(CommandError::refused)?;
        let text = check_text(answer.text.as_deref()).map_err(CommandError::refused)?;
        let name = check_public_name(answer.name.as_deref()).map_err(CommandError::refused)?;
        let media = self
            .uploaded(caller.tenant, found.review_id, &answer.media)
            .await?;
        let subject = SubjectId(issued.party.customer_id.0);
        let sealer = self.vault.sealer(caller.tenant, subject).await?;
        let stream = StreamId::new(Review::STREAM, id.clone());
        let command = ReviewCommand::Submit(Box::new(SubmitReview {
            token_key: found.token_key.clone(),
            rating: answer.rating,
            text: text.map(|text| sealer.seal(&stream, "text", &text)),
            public_name: name.map(|name| sealer.seal(&stream, "public_name", &name)),
            media,
            practice: self.review_practice(caller).await?,
            now,
        }));
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Review>(self, id, loaded.version, events))
    }

    /// Where a customer goes on to from the review. The first time for each site is kept.
    ///
    /// # Errors
    /// `LINK_UNKNOWN`, `SITE_NOT_SHOWN`.
    pub async fn follow_review_link(
        &self,
        token: String,
        site: ExternalSite,
    ) -> Result<String, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let found = this.review_of(&token).await?;
            let not_shown = || CommandError::refused(ReviewError::NotShown);
            let url = found.loaded.state.shown(site).ok_or_else(not_shown)?.to_owned();
            if !found.loaded.state.has_clicked(site) {
                let command = ReviewCommand::Click {
                    token_key: found.token_key.clone(),
                    site,
                    now: this.ports.now(),
                };
                let cause = format!("{} {}", found.review_id, site.as_str());
                this.note(&found, "review_click", &cause, command).await?;
            }
            Ok(url)
        })
        .await
    }

    /// Keeps what a customer has done, unless somebody was faster.
    async fn note(
        &self,
        found: &Found,
        operation: &'static str,
        cause: &str,
        command: ReviewCommand,
    ) -> Result<(), CommandError> {
        let key = IdempotencyKey::of_reaction(operation, cause);
        let done = self
            .write_review(&found.caller, &key, operation, found.review_id, command)
            .await;
        match done {
            Ok(_) => Ok(()),
            Err(CommandError::Refused(refused))
                if refused.code == ReviewError::Opened.code()
                    || refused.code == ReviewError::Clicked.code() =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn customer(tenant: TenantId, issued: &ReviewLinkIssued) -> Caller {
    Caller {
        tenant,
        actor: Actor {
            kind: ActorKind::Customer,
            id: issued.party.customer_id.to_string(),
            role: None,
        },
        stations: StationScope::All,
        channel: Channel::Rest,
        request_id: None,
        causation: None,
        correlation: None,
        through: None,
    }
}
