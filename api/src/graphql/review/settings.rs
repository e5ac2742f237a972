//! How a company asks for reviews.

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::ids::StationId;
use domain::review::{
    CouponTerms, ExternalLink as DomainLink, REVIEW_RISK_TEXT, REVIEW_RISK_VERSION, ReviewPractice,
    ReviewSettings as DomainSettings,
};

use super::{ExternalSite, RoutingMode};
use crate::graphql::error::{UserError, refused_question};
use crate::graphql::id::{global, local};
use crate::graphql::promo_code::{Discount, DiscountInput};
use crate::graphql::session::{app, caller};

/// A link to an external site.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ExternalLink {
    /// Which site.
    site: ExternalSite,
    /// Where on it.
    url: String,
    /// Opaque id of the station whose customers it is for; null for every station that has none of its own.
    station_id: Option<ID>,
}

/// What staff may give to unhappy customers.
#[derive(SimpleObject)]
pub(in crate::graphql) struct ReviewCoupon {
    /// What it takes off food and service.
    discount: Discount,
    /// How many days it can be used.
    valid_days: i32,
}

/// How a company asks for reviews.
#[derive(Description)]
pub(in crate::graphql) struct ReviewSettings {
    practice: ReviewPractice,
    now: DateTime<Utc>,
}

impl ReviewSettings {
    pub(super) fn new(practice: ReviewPractice, now: DateTime<Utc>) -> Self {
        Self { practice, now }
    }
}

#[Object(use_type_description)]
impl ReviewSettings {
    /// Links to external sites.
    async fn links(&self) -> Vec<ExternalLink> {
        let links = self.practice.settings.links.iter();
        let link = |link: &DomainLink| ExternalLink {
            site: link.site.into(),
            url: link.url.clone(),
            station_id: link.station_id.map(global),
        };
        links.map(link).collect()
    }
    /// What the address of the company's own review page begins with, a link's token after it; null for the page of this
    /// server.
    async fn page_url(&self) -> Option<&str> {
        self.practice.settings.page_url.as_deref()
    }
    /// What staff may give to unhappy customers.
    async fn coupon(&self) -> ReviewCoupon {
        let coupon = self.practice.settings.coupon;
        ReviewCoupon {
            discount: coupon.discount.into(),
            valid_days: coupon.valid_days,
        }
    }
    /// Whom external sites are shown to now: neutral, unless the gated mode's risk was acknowledged within a year.
    async fn routing_mode(&self) -> RoutingMode {
        self.practice.mode_at(self.now).into()
    }
    /// Version of the risk text that was acknowledged last.
    async fn risk_acknowledged_version(&self) -> Option<&str> {
        let given = self.practice.acknowledgement.as_ref()?;
        Some(&given.version)
    }
    /// First instant at which the acknowledgement does not hold any more.
    async fn risk_acknowledged_until(&self) -> Option<DateTime<Utc>> {
        self.practice
            .acknowledgement
            .as_ref()
            .map(|given| given.valid_until)
    }
    /// What has to be acknowledged for the gated mode.
    async fn risk_text(&self) -> &str {
        REVIEW_RISK_TEXT
    }
    /// Version of that text.
    async fn risk_version(&self) -> &str {
        REVIEW_RISK_VERSION
    }
}

/// Questions about how a company asks for reviews.
#[derive(Default)]
pub(in crate::graphql) struct ReviewSettingsQuery;

#[Object]
impl ReviewSettingsQuery {
    /// How the company asks for reviews. Needs review:read.
    async fn review_settings(&self, ctx: &Context<'_>) -> Result<ReviewSettings> {
        let app = app(ctx);
        let practice = app.commands.review_settings(caller(ctx)?).await;
        let practice = practice.map_err(refused_question)?;
        Ok(ReviewSettings::new(practice, app.clock.now()))
    }
}

/// A link to an external site.
#[derive(InputObject)]
pub(in crate::graphql) struct ExternalLinkInput {
    /// Which site.
    site: ExternalSite,
    /// Where on it: an https address of that site.
    url: String,
    /// Opaque id of the station whose customers it is for; absent for every station that has none of its own.
    station_id: Option<ID>,
}

/// What staff may give to unhappy customers.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewCouponInput {
    /// What it takes off food and service.
    discount: DiscountInput,
    /// How many days it can be used, 1 to 730.
    valid_days: i32,
}

/// How the company is to ask for reviews: all of it.
#[derive(InputObject)]
pub(in crate::graphql) struct ReviewSettingsChangeInput {
    /// The same key gives the same result.
    pub(super) idempotency_key: ID,
    /// Links to external sites, at most 100; of a site one for each station, and one for all others.
    links: Vec<ExternalLinkInput>,
    /// What the address of the company's own review page begins with; absent for the page of this server.
    page_url: Option<String>,
    /// What staff may give to unhappy customers.
    coupon: ReviewCouponInput,
}

impl ReviewSettingsChangeInput {
    pub(super) fn read(self) -> std::result::Result<DomainSettings, UserError> {
        let link = |link: ExternalLinkInput| {
            let unknown = || UserError::new("NOT_FOUND", &["links", "stationId"], "there is no such station");
            let station = link.station_id.as_ref();
            Ok(DomainLink {
                site: link.site.into(),
                url: link.url.clone(),
                station_id: station
                    .map(|id| local::<StationId>(id).ok_or_else(unknown))
                    .transpose()?,
            })
        };
        Ok(DomainSettings {
            links: self
                .links
                .into_iter()
                .map(link)
                .collect::<std::result::Result<_, UserError>>()?,
            page_url: self.page_url,
            coupon: CouponTerms {
                discount: self.coupon.discount.read(&["coupon", "discount"])?,
                valid_days: self.coupon.valid_days,
            },
        })
    }
}
