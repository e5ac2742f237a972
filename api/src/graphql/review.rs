//! Reviews.

mod mutation;
mod settings;
mod stats;

use async_graphql::{Context, Description, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{BookingId, ChefId, CustomerId, ReviewId, StationId};
use domain::review::{
    ExternalSite as DomainSite, Moderation as DomainModeration, Review as Aggregate,
    ReviewStatus as DomainStatus, RoutingMode as DomainMode,
};
use projections::review_list::{self, AnsweredThrough, ReviewFilter as Filter, ReviewRow};
use projections::{At, booking_list};

use super::booking::Booking;
use super::chef::Chef;
use super::connection::{connection, counter};
use super::error::{coded, unread};
use super::id::{Noun, global, local};
use super::loaders::Loaders;
use super::read::{AsOf, Freshness, at, cost, slice};
use super::scalar::{BigInt, LocalDate};
use super::session::{app, viewer, views};

pub(super) use mutation::{ReviewMutation, ReviewSettingsMutation};
pub(super) use settings::ReviewSettingsQuery;
pub(super) use stats::{ReviewStatsQuery, stars};

/// Where a review stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub(super) enum ReviewStatus {
    /// The customer was asked.
    Pending,
    /// The customer has opened a link and not answered.
    Opened,
    /// The customer has answered.
    Submitted,
    /// The customer did not answer in time.
    Expired,
    /// The question was called off.
    Cancelled,
}

/// Whether a review may be published.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainModeration")]
pub(super) enum Moderation {
    /// Nobody has decided yet.
    Awaiting,
    /// It may.
    Approved,
    /// It may not.
    Rejected,
}

/// A site on which customers publish reviews themselves.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainSite")]
pub(super) enum ExternalSite {
    /// The company's business profile at Google.
    Google,
    /// The company's page at Yelp.
    Yelp,
}

/// Whom external sites are shown to.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainMode")]
pub(super) enum RoutingMode {
    /// Everybody sees the same page and the same links.
    Neutral,
    /// Links are shown with a rating of 4 or 5 only: against Google's policy, and possibly deceptive under the FTC Act.
    RatingGated,
}

/// The message that a link came with.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ReviewMessage {
    /// The first question.
    Request,
    /// The first reminder, on day 3.
    FirstReminder,
    /// The second reminder, on day 7.
    SecondReminder,
    /// A further link that a person of the company gave out.
    ByStaff,
}

impl ReviewMessage {
    fn of(through: AnsweredThrough) -> Option<Self> {
        match through {
            AnsweredThrough::Nothing => None,
            AnsweredThrough::Request => Some(Self::Request),
            AnsweredThrough::FirstReminder => Some(Self::FirstReminder),
            AnsweredThrough::SecondReminder => Some(Self::SecondReminder),
            AnsweredThrough::ByStaff => Some(Self::ByStaff),
        }
    }
}

/// A picture or a video of a review.
#[derive(SimpleObject)]
pub(super) struct ReviewMedia {
    /// Where it is fetched from, on this server: by everybody once the review is approved, before that with an access token
    /// and review:read.
    path: String,
    /// Its media type, as its bytes say.
    media_type: &'static str,
    /// Its size in bytes.
    size: BigInt,
}

/// What a customer says of a party.
#[derive(Clone, Description)]
pub(super) struct Review {
    pub(super) row: ReviewRow,
    pub(super) at: At,
}

impl Review {
    async fn text_of(
        &self,
        ctx: &Context<'_>,
        field: &'static str,
        sealed: &Option<Sealed>,
    ) -> Result<Option<String>> {
        let stream = StreamId::new(Aggregate::STREAM, self.row.review_id.to_string());
        match sealed {
            Some(sealed) => {
                let loaders = ctx.data_unchecked::<Loaders>();
                Ok(Some(loaders.text_or_erased(stream, field, sealed).await?))
            }
            None => Ok(None),
        }
    }
}

#[Object(use_type_description)]
impl Review {
    /// Opaque id.
    pub(super) async fn id(&self) -> ID {
        global(self.row.review_id)
    }
    /// Number of changes so far: what `expectedVersion` compares.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }
    /// The booking of the party, put away or not. Needs booking:read.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Booking> {
        let (id, at) = (self.row.booking_id, self.at);
        if let Some((row, info)) = ctx.data_unchecked::<Loaders>().booking(id, at).await? {
            return Ok(Booking { row, at, info });
        }
        let found = booking_list::whether_put_away_or_not(views(ctx), viewer(ctx)?, id, at);
        let found = found.await.map_err(unread)?;
        let row = found.value.ok_or_else(super::error::behind)?;
        Ok(Booking {
            row,
            at,
            info: found.info,
        })
    }
    /// That booking's number.
    async fn booking_number(&self) -> &str {
        &self.row.number
    }
    /// Local date of the party.
    async fn event_on(&self) -> LocalDate {
        LocalDate(self.row.event_on)
    }
    /// Who cooked. Needs station:read.
    async fn chefs(&self, ctx: &Context<'_>) -> Result<Vec<Chef>> {
        let (ids, at) = (self.row.chefs.ids::<ChefId>(), self.at);
        let rows = ctx.data_unchecked::<Loaders>().chefs(&ids, at).await?;
        Ok(rows.into_iter().map(|row| Chef { row, at }).collect())
    }
    /// Where it stands.
    async fn status(&self) -> ReviewStatus {
        self.row.status.into()
    }
    /// From 1 (very unhappy) to 5 (great); null while there is no answer.
    async fn rating(&self) -> Option<i32> {
        Some(self.row.rating).filter(|rating| *rating > 0)
    }
    /// What the customer wrote; `[erased]` once their data was erased.
    async fn text(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text_of(ctx, "text", &self.row.text).await
    }
    /// How the customer wants to be called where it is published; `[erased]` once their data was erased.
    async fn public_name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text_of(ctx, "public_name", &self.row.public_name).await
    }
    /// Pictures and videos.
    async fn media(&self, ctx: &Context<'_>) -> Result<Vec<ReviewMedia>> {
        let (slug, review) = (
            crate::reviews::slug_of(app(ctx), viewer(ctx)?.tenant).await,
            self.row.review_id,
        );
        let slug = slug.map_err(|error| super::error::fault("INTERNAL", &*error))?;
        let media = self.row.media.iter().map(|media| ReviewMedia {
            path: crate::reviews::media_path(&slug, review, media),
            media_type: media.kind.mime(),
            size: BigInt(media.bytes),
        });
        Ok(media.collect())
    }
    /// Whether it may be published.
    async fn moderation(&self) -> Moderation {
        self.row.moderation.into()
    }
    /// Why that was decided so.
    async fn moderation_reason(&self) -> Option<&str> {
        self.row.moderation_reason.as_deref()
    }
    /// When that was decided.
    async fn moderated_at(&self) -> Option<DateTime<Utc>> {
        self.row.moderated_at
    }
    /// Addresses on external sites that the customer was shown, each site's last.
    async fn shown_external_links(&self) -> Vec<&str> {
        self.row.shown.iter().map(|link| link.url.as_str()).collect()
    }
    /// External sites that the customer went on to.
    async fn clicked_external_sites(&self) -> Vec<ExternalSite> {
        self.row.clicked.iter().copied().map(Into::into).collect()
    }
    /// How the company went about external sites when it showed them last; null while no link was opened.
    async fn routing_mode(&self) -> Option<RoutingMode> {
        self.row.routing_mode.map(Into::into)
    }
    /// Version of the risk text that was acknowledged for that mode; null for the neutral one.
    async fn risk_version(&self) -> Option<&str> {
        self.row.risk_version.as_deref()
    }
    /// Reminders that went out so far.
    async fn reminders(&self) -> i32 {
        self.row.reminders
    }
    /// The message through whose link the customer answered; null while there is no answer.
    async fn answered_through(&self) -> Option<ReviewMessage> {
        ReviewMessage::of(self.row.answered_through)
    }
    /// Whether a person of the company was called for its rating.
    async fn escalated(&self) -> bool {
        self.row.escalated > 0
    }
    /// When the customer was asked first.
    async fn issued_at(&self) -> DateTime<Utc> {
        self.row.issued_at
    }
    /// First instant at which no link of it is good any more.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.row.expires_at
    }
    /// When a link was opened first.
    async fn opened_at(&self) -> Option<DateTime<Utc>> {
        self.row.opened_at
    }
    /// When the customer answered.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        self.row.submitted_at
    }
    /// When it expired or was called off.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.row.ended_at
    }
    /// The company's answer; `[erased]` once the customer's data was erased.
    async fn reply(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.text_of(ctx, "reply", &self.row.reply).await
    }
    /// When the company answered.
    async fn replied_at(&self) -> Option<DateTime<Utc>> {
        self.row.replied_at
    }
    /// The promo code that the customer was given for it.
    async fn coupon(&self) -> Option<&str> {
        self.row.coupon.as_deref()
    }
}

connection!(
    ReviewConnection,
    ReviewEdge,
    Review,
    "Reviews, the latest answer first; what is not answered stands where it was asked for."
);

/// Which reviews.
#[derive(Default, InputObject)]
pub(super) struct ReviewFilter {
    /// That stand at any of these.
    status: Option<Vec<ReviewStatus>>,
    /// Of which this was decided. Those that await it are those that were answered.
    moderation: Option<Moderation>,
    /// Rated so or better, 1 to 5.
    min_rating: Option<i32>,
    /// Rated so or worse, 1 to 5.
    max_rating: Option<i32>,
    /// Of parties that this chef cooked for.
    chef_id: Option<ID>,
    /// Of parties of this station.
    station_id: Option<ID>,
    /// Of this booking.
    booking_id: Option<ID>,
    /// Of this customer's parties.
    customer_id: Option<ID>,
}

impl ReviewFilter {
    fn read(self) -> Result<Filter> {
        fn id<N: Noun>(id: Option<ID>, noun: &str) -> Result<Option<N>> {
            let unknown = || coded("NOT_FOUND", format!("there is no such {noun}"));
            id.map(|id| local::<N>(&id).ok_or_else(unknown)).transpose()
        }
        let status = self.status.unwrap_or_default();
        Ok(Filter {
            status: status.into_iter().map(DomainStatus::from).collect(),
            moderation: self.moderation.map(DomainModeration::from),
            min_rating: self.min_rating,
            max_rating: self.max_rating,
            chef_id: id::<ChefId>(self.chef_id, "chef")?,
            station_id: id::<StationId>(self.station_id, "station")?,
            booking_id: id::<BookingId>(self.booking_id, "booking")?,
            customer_id: id::<CustomerId>(self.customer_id, "customer")?,
        })
    }
}

/// Questions about reviews.
#[derive(Default)]
pub(super) struct ReviewQuery;

#[Object]
impl ReviewQuery {
    /// Reviews of parties within reach, the latest answer first. Needs review:read.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor that the page comes after.")] after: Option<String>,
        #[graphql(desc = "Which reviews; all that are in reach otherwise.")] filter: Option<ReviewFilter>,
        #[graphql(desc = "As of a time in the past: the same answer for ever. Not with `fresh`.")]
        as_of: Option<AsOf>,
        #[graphql(desc = "How fresh the answer must be. Not with `asOf`.")] fresh: Option<Freshness>,
    ) -> Result<ReviewConnection> {
        let (views, viewer) = (views(ctx), viewer(ctx)?);
        let filter = filter.unwrap_or_default().read()?;
        let at = at(ctx, as_of, fresh).await?;
        let slice = slice(first, after)?;
        let previous = slice.after.is_some();
        let page = review_list::page(views, viewer, filter.clone(), slice, at)
            .await
            .map_err(unread)?;
        let counter = counter(
            (views.clone(), viewer.clone(), filter),
            move |(views, viewer, filter)| async move { review_list::count(&views, &viewer, filter, at).await },
        );
        Ok(ReviewConnection::new(page, previous, counter, move |row| {
            Review { row, at }
        }))
    }
}

/// A review as it is at a time; none where there is none within reach.
pub(super) async fn one(ctx: &Context<'_>, id: ReviewId, at: At) -> Result<Option<Review>> {
    let found = review_list::one(views(ctx), viewer(ctx)?, id, at).await;
    let found = found.map_err(unread)?;
    Ok(found.value.map(|row| Review { row, at }))
}
