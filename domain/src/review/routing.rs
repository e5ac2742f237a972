//! Where customers are sent on to: which external sites, and to whom they are shown.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{Rating, ShownLinks};
use crate::decider::Refusal;
use crate::ids::StationId;
use crate::money::{Cents, RatePpm};
use crate::promo_code::Discount;

/// Version of [`REVIEW_RISK_TEXT`]: whoever acknowledges it names it.
pub const REVIEW_RISK_VERSION: &str = "2026-11";
/// What whoever lets only happy customers see external sites takes upon the company.
pub const REVIEW_RISK_TEXT: &str = "Showing links to public review sites only to customers who gave a high rating is \
    review gating. Google's policy on fake engagement forbids it, and may remove reviews or the profile. The US Federal \
    Trade Commission holds that it can deceive under section 5 of the FTC Act (15 U.S.C. 45) and under its rule on \
    consumer reviews and testimonials (16 CFR part 465), with civil penalties for each violation. Yelp forbids asking for \
    reviews altogether, so that no link to Yelp is shown in this mode. This acknowledgement ends after a year.";

/// Days that an acknowledgement of the risk holds.
const ACKNOWLEDGED_DAYS: i64 = 365;
/// Links of a company at most.
const MAX_LINKS: usize = 100;
/// Characters of an address at most.
const MAX_URL: usize = 500;

/// Who is shown links to external sites.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoutingMode {
    /// Everybody sees the same page and the same links, whatever the rating.
    #[default]
    Neutral,
    /// Links are shown with a rating of 4 or 5 only: against Google's policy, and possibly deceptive under the FTC Act.
    RatingGated,
}

impl RoutingMode {
    /// The word in rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::RatingGated => "rating_gated",
        }
    }
}

/// A site on which customers publish reviews themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalSite {
    /// The company's business profile at Google.
    Google,
    /// The company's page at Yelp.
    Yelp,
}

impl ExternalSite {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Google, Self::Yelp];

    /// The word in addresses, rows and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Yelp => "yelp",
        }
    }

    /// The site of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.as_str() == word)
    }

    /// The domains that its addresses are in.
    fn domains(self) -> &'static [&'static str] {
        match self {
            Self::Google => &["google.com", "g.page", "goo.gl"],
            Self::Yelp => &["yelp.com", "yelp.to"],
        }
    }
}

/// A link to an external site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalLink {
    /// Which site.
    pub site: ExternalSite,
    /// Where on it; `https`.
    pub url: String,
    /// For parties of this station; none for every station that has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
}

/// A link that a customer was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLink {
    /// Which site.
    pub site: ExternalSite,
    /// Where on it.
    pub url: String,
}

/// What staff may give to unhappy customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CouponTerms {
    /// What it takes off.
    pub discount: Discount,
    /// How many days it can be used.
    pub valid_days: i32,
}

/// How a company asks for reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewSettings {
    /// Links to external sites.
    pub links: Vec<ExternalLink>,
    /// What the address of the company's own review page begins with; none for the page of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
    /// What staff may give to unhappy customers.
    pub coupon: CouponTerms,
}

impl Default for ReviewSettings {
    fn default() -> Self {
        Self {
            links: Vec::new(),
            page_url: None,
            coupon: CouponTerms {
                discount: Discount::Percent {
                    rate_ppm: RatePpm(100_000),
                },
                valid_days: 180,
            },
        }
    }
}

/// Somebody has read and acknowledged the risk of a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskAcknowledgement {
    /// Version of the text.
    pub version: String,
    /// When.
    pub acknowledged_at: DateTime<Utc>,
    /// First instant at which it does not hold any more; the mode is neutral from then on.
    pub valid_until: DateTime<Utc>,
}

/// How a company goes about reviews: its settings, and whom it shows external sites to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPractice {
    /// Its settings.
    pub settings: ReviewSettings,
    /// The mode that was set last.
    pub mode: RoutingMode,
    /// The acknowledgement that it was set with.
    pub acknowledgement: Option<RiskAcknowledgement>,
}

/// Why a company cannot go about it so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutingError {
    /// No address, or one of another site.
    #[error("an address begins with https:// and is one of the site that it is of")]
    BadUrl,
    /// Two for the same.
    #[error("a company has at most 100 links, and one of a site for each station")]
    BadLinks,
    /// No address.
    #[error("the review page's address begins with https://, without ? and #")]
    BadPage,
    /// Nothing, or more than everything.
    #[error("a discount is above 0, and at most 100 % or {}", Cents::MAX_INPUT)]
    BadDiscount,
    /// Never, or for ever.
    #[error("a coupon can be used for 1 to 730 days")]
    BadDays,
    /// It is so already.
    #[error("it is so already: nothing would change")]
    Unchanged,
    /// The text was not read, or another version of it.
    #[error("acknowledge version {REVIEW_RISK_VERSION} of the risk text")]
    NotAcknowledged,
    /// Yelp.
    #[error("no link to Yelp is shown to happy customers only: remove it first")]
    YelpGated,
}

impl Refusal for RoutingError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadUrl | Self::BadPage => "INVALID_URL",
            Self::BadLinks => "INVALID_LINKS",
            Self::BadDiscount => "INVALID_DISCOUNT",
            Self::BadDays => "INVALID_DAYS",
            Self::Unchanged => "UNCHANGED",
            Self::NotAcknowledged => "RISK_NOT_ACKNOWLEDGED",
            Self::YelpGated => "YELP_LINK_REFUSED",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::BadUrl | Self::BadLinks | Self::YelpGated => &["links"],
            Self::BadPage => &["pageUrl"],
            Self::BadDiscount => &["coupon", "discount"],
            Self::BadDays => &["coupon", "validDays"],
            Self::Unchanged => &[],
            Self::NotAcknowledged => &["riskVersion"],
        }
    }
}

impl ReviewPractice {
    /// The mode that holds: gated only while its acknowledgement does.
    pub fn mode_at(&self, now: DateTime<Utc>) -> RoutingMode {
        let acknowledged = self
            .acknowledgement
            .as_ref()
            .is_some_and(|given| now < given.valid_until);
        match self.mode {
            RoutingMode::RatingGated if acknowledged => RoutingMode::RatingGated,
            RoutingMode::RatingGated | RoutingMode::Neutral => RoutingMode::Neutral,
        }
    }

    /// The links that a customer of a station is shown, before there is a rating or with one.
    pub fn shown(&self, station: StationId, rating: Option<Rating>, now: DateTime<Utc>) -> ShownLinks {
        let mode = self.mode_at(now);
        let show = match mode {
            RoutingMode::Neutral => true,
            RoutingMode::RatingGated => rating.is_some_and(Rating::is_happy),
        };
        let links = ExternalSite::ALL
            .into_iter()
            .filter(|_| show)
            .filter_map(|site| self.link(site, station));
        let given = self.acknowledgement.as_ref();
        ShownLinks {
            mode,
            risk_version: given
                .filter(|_| mode == RoutingMode::RatingGated)
                .map(|given| given.version.clone()),
            links: links.collect(),
        }
    }

    /// A station's own link to a site, or the company's.
    fn link(&self, site: ExternalSite, station: StationId) -> Option<ShownLink> {
        let of = |station_id: Option<StationId>| {
            let mut links = self.settings.links.iter();
            links.find(|link| link.site == site && link.station_id == station_id)
        };
        of(Some(station)).or_else(|| of(None)).map(|link| ShownLink {
            site,
            url: link.url.clone(),
        })
    }

    /// Checks other settings, without surrounding space.
    ///
    /// # Errors
    /// [`RoutingError`].
    pub fn change(&self, settings: ReviewSettings) -> Result<ReviewSettings, RoutingError> {
        let settings = settings.check()?;
        if settings == self.settings {
            return Err(RoutingError::Unchanged);
        }
        if self.mode == RoutingMode::RatingGated && settings.has_yelp() {
            return Err(RoutingError::YelpGated);
        }
        Ok(settings)
    }

    /// Checks another mode, and gives what was acknowledged for it. The gated one can be set again, to acknowledge its risk
    /// anew.
    ///
    /// # Errors
    /// [`RoutingError`].
    pub fn route(
        &self,
        mode: RoutingMode,
        risk_version: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<RiskAcknowledgement>, RoutingError> {
        match mode {
            RoutingMode::Neutral if self.mode == RoutingMode::Neutral => Err(RoutingError::Unchanged),
            RoutingMode::Neutral => Ok(None),
            RoutingMode::RatingGated if risk_version != Some(REVIEW_RISK_VERSION) => {
                Err(RoutingError::NotAcknowledged)
            }
            RoutingMode::RatingGated if self.settings.has_yelp() => Err(RoutingError::YelpGated),
            RoutingMode::RatingGated => Ok(Some(RiskAcknowledgement {
                version: REVIEW_RISK_VERSION.to_owned(),
                acknowledged_at: now,
                valid_until: now + Duration::days(ACKNOWLEDGED_DAYS),
            })),
        }
    }
}

impl ReviewSettings {
    fn has_yelp(&self) -> bool {
        self.links.iter().any(|link| link.site == ExternalSite::Yelp)
    }

    fn check(self) -> Result<Self, RoutingError> {
        let page_url = self.page_url.as_deref().map(str::trim);
        let page_url = page_url.filter(|url| !url.is_empty()).map(check_page);
        let places: BTreeSet<_> = self
            .links
            .iter()
            .map(|link| (link.site, link.station_id))
            .collect();
        if places.len() != self.links.len() || places.len() > MAX_LINKS {
            return Err(RoutingError::BadLinks);
        }
        let links = self.links.into_iter().map(check_link);
        let granted = match self.coupon.discount {
            Discount::Percent { rate_ppm } => (1..=1_000_000).contains(&rate_ppm.0),
            Discount::Fixed { amount_cents } => (Cents(1)..=Cents::MAX_INPUT).contains(&amount_cents),
        };
        if !granted {
            return Err(RoutingError::BadDiscount);
        }
        if !(1..=730).contains(&self.coupon.valid_days) {
            return Err(RoutingError::BadDays);
        }
        Ok(Self {
            links: links.collect::<Result<_, _>>()?,
            page_url: page_url.transpose()?,
            coupon: self.coupon,
        })
    }
}

fn check_link(link: ExternalLink) -> Result<ExternalLink, RoutingError> {
    let url = link.url.trim();
    let host = host(url).ok_or(RoutingError::BadUrl)?.to_ascii_lowercase();
    let is_of = |domain: &&str| {
        host.strip_suffix(*domain)
            .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
    };
    if !link.site.domains().iter().any(is_of) {
        return Err(RoutingError::BadUrl);
    }
    Ok(ExternalLink {
        url: url.to_owned(),
        ..link
    })
}

fn check_page(url: &str) -> Result<String, RoutingError> {
    if host(url).is_none() || url.contains(['?', '#']) {
        return Err(RoutingError::BadPage);
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The host of an `https` address, without anything that some programs would read otherwise.
fn host(url: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(c);
    if url.len() > MAX_URL || !url.chars().all(plain) {
        return None;
    }
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (host.contains('.') && host.chars().all(named) && !host.starts_with('.') && !host.ends_with('.'))
        .then_some(host)
}

#[cfg(test)]
mod tests;
