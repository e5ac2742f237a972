//! Commands on reviews.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use commands::review::{Notify, ReviewModerate, Verdict};
use commands::{CommandError, IdempotencyKey, Written};
use domain::decider::Decider;
use domain::ids::{BookingId, ReviewId};
use domain::review::Review as Aggregate;

use super::settings::{ReviewSettings, ReviewSettingsChangeInput};
use super::{Review, RoutingMode, one};
use crate::graphql::connection::payload;
use crate::graphql::error::{UserError, outcome, refused_question};
use crate::graphql::id::local;
use crate::graphql::read::after as read_after;
use crate::graphql::scalar::LogPosition;
use crate::graphql::session::{app, caller, under_key};

/// A link to give out.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewLinkIssueInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The booking of a party that was held.
    booking_id: ID,
    /// Whether the customer is sent the link too.
    #[graphql(default = true)]
    notify: bool,
}

/// A decision whether a review is published.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewModerateInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The review.
    review_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Whether it is published.
    approve: bool,
    /// Why, 3 to 500 characters; needed where it is not published.
    reason: Option<String>,
}

/// An answer to a customer.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewReplyInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The review.
    review_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// The answer, 1 to 4,000 characters. It is published with the review.
    text: String,
}

/// A promo code for an unhappy customer.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewCouponGrantInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// The review.
    review_id: ID,
    /// The version that you saw; null opts out.
    expected_version: Option<i32>,
    /// Why; 3 to 500 characters.
    reason: String,
}

/// Whom external sites are to be shown to.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewRoutingSetInput {
    /// The same key gives the same result.
    idempotency_key: ID,
    /// To whom.
    mode: RoutingMode,
    /// Version of `riskText`, which you have read: acknowledges it for a year. Needed for the gated mode.
    risk_version: Option<String>,
}

payload!(ReviewPayload, review: Review);
payload!(ReviewSettingsPayload, review_settings: ReviewSettings);

/// What a link's command came to.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ReviewLinkPayload {
    /// The review as it is after the command; null when it was refused.
    review: Option<Review>,
    /// The address, told once: a repeat of the command does not know it. Whoever has it can answer for the customer.
    link: Option<String>,
    /// Why it was refused; empty when it was not. Nothing is half done.
    user_errors: Vec<UserError>,
    /// Position of the command's last event in the log: pass it as `atLeast` to read what it wrote.
    position: Option<LogPosition>,
    /// Whether this is the result of an earlier command with the same key.
    replayed: bool,
}

impl ReviewLinkPayload {
    fn refused(error: UserError) -> Self {
        Self {
            review: None,
            link: None,
            user_errors: vec![error],
            position: None,
            replayed: false,
        }
    }
}

async fn written(ctx: &Context<'_>, written: &Written) -> Result<Option<Review>> {
    match written.id_of(Aggregate::STREAM).parse::<ReviewId>() {
        Ok(id) => one(ctx, id, read_after(written.position)).await,
        Err(_) => Ok(None),
    }
}

impl ReviewPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        Ok(match outcome(done)? {
            Ok(done) => Self::written(written(ctx, &done).await?, &done),
            Err(refused) => Self::refused(refused),
        })
    }

    fn unknown() -> Self {
        Self::refused(UserError::not_found("reviewId", "review"))
    }
}

impl ReviewSettingsPayload {
    async fn of(ctx: &Context<'_>, done: std::result::Result<Written, CommandError>) -> Result<Self> {
        let written = match outcome(done)? {
            Ok(written) => written,
            Err(refused) => return Ok(Self::refused(refused)),
        };
        let app = app(ctx);
        let practice = app.commands.review_settings(caller(ctx)?).await;
        let settings = ReviewSettings::new(practice.map_err(refused_question)?, app.clock.now());
        Ok(Self::written(Some(settings), &written))
    }
}

/// Commands on reviews.
#[derive(Default)]
pub(in crate::graphql) struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Asks the customer of a party that was held for a review, or gives out a further link while there is no answer. Needs
    /// review:write.
    async fn review_link_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ReviewLinkIssueInput,
    ) -> Result<ReviewLinkPayload> {
        let caller = caller(ctx)?;
        let Some(booking) = local::<BookingId>(&input.booking_id) else {
            return Ok(ReviewLinkPayload::refused(UserError::not_found(
                "bookingId",
                "booking",
            )));
        };
        let notify = if input.notify {
            Notify::Customer
        } else {
            Notify::Nobody
        };
        let done = match IdempotencyKey::from_client(&input.idempotency_key) {
            Ok(key) => Box::pin(app(ctx).commands.issue_review_link(caller, key, booking, notify)).await,
            Err(error) => Err(error),
        };
        Ok(match outcome(done)? {
            Ok((done, link)) => ReviewLinkPayload {
                review: written(ctx, &done).await?,
                link,
                user_errors: Vec::new(),
                position: Some(done.position.into()),
                replayed: done.replayed,
            },
            Err(refused) => ReviewLinkPayload::refused(refused),
        })
    }

    /// Publishes a review, or keeps it from being published; what was decided can be decided otherwise. To keep back what
    /// is bad for being bad is deceptive under 16 CFR 465.7. Needs review:write.
    async fn review_moderate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ReviewModerateInput,
    ) -> Result<ReviewPayload> {
        let caller = caller(ctx)?;
        let Some(review_id) = local::<ReviewId>(&input.review_id) else {
            return Ok(ReviewPayload::unknown());
        };
        let ask = ReviewModerate {
            review_id,
            expected_version: input.expected_version.map(i64::from),
            verdict: if input.approve {
                Verdict::Approve
            } else {
                Verdict::Reject
            },
            reason: input.reason,
        };
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx).commands.moderate_review(caller, key, ask)
        })
        .await;
        ReviewPayload::of(ctx, done).await
    }

    /// Answers a customer where the review is published; a later answer takes the place of an earlier one. Needs
    /// review:write.
    async fn review_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ReviewReplyInput,
    ) -> Result<ReviewPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<ReviewId>(&input.review_id) else {
            return Ok(ReviewPayload::unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .reply_to_review(caller, key, id, seen, input.text)
        })
        .await;
        ReviewPayload::of(ctx, done).await
    }

    /// Gives a customer who rated 1 or 2 a promo code of their own, for one booking, as `reviewSettings.coupon` has it.
    /// Once for each review. Needs review:write.
    async fn review_coupon_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: ReviewCouponGrantInput,
    ) -> Result<ReviewPayload> {
        let caller = caller(ctx)?;
        let Some(id) = local::<ReviewId>(&input.review_id) else {
            return Ok(ReviewPayload::unknown());
        };
        let seen = input.expected_version.map(i64::from);
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .grant_review_coupon(caller, key, id, seen, input.reason)
        })
        .await;
        ReviewPayload::of(ctx, done).await
    }
}

/// Commands on how the company asks for reviews.
#[derive(Default)]
pub(in crate::graphql) struct ReviewSettingsMutation;

#[Object]
impl ReviewSettingsMutation {
    /// Changes how the company asks for reviews. Links to Yelp are refused while the gated mode is set. Needs
    /// station:write.
    async fn review_settings_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")]
        input: ReviewSettingsChangeInput,
    ) -> Result<ReviewSettingsPayload> {
        let caller = caller(ctx)?;
        let key = input.idempotency_key.clone();
        let settings = match input.read() {
            Ok(settings) => settings,
            Err(refused) => return Ok(ReviewSettingsPayload::refused(refused)),
        };
        let done = under_key(&key, |key| {
            app(ctx).commands.change_review_settings(caller, key, settings)
        })
        .await;
        ReviewSettingsPayload::of(ctx, done).await
    }

    /// Chooses whom external sites are shown to. The gated mode needs the present risk text acknowledged, and holds for a
    /// year. Needs user:write, which is a super administrator's.
    async fn review_routing_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and the key that it is done under once.")] input: ReviewRoutingSetInput,
    ) -> Result<ReviewSettingsPayload> {
        let caller = caller(ctx)?;
        let done = under_key(&input.idempotency_key, |key| {
            app(ctx)
                .commands
                .route_reviews(caller, key, input.mode.into(), input.risk_version)
        })
        .await;
        ReviewSettingsPayload::of(ctx, done).await
    }
}
