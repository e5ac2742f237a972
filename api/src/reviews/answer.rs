//! What a customer does with a link.

use std::sync::Arc;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::review::{Answered, Invitation, ReviewAnswer};
use domain::review::{ExternalSite, ShownLinks, media};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LinkRefusals, no_store, refuse, refused, unavailable};
use crate::app::App;
use crate::rest::problem::{BodyRefusals, Refusals, RuleRefusals};
use crate::rest::values::whole;
use chrono::{DateTime, NaiveDate, Utc};

/// What each rating is called, from 1 on.
const LABELS: [&str; 5] = ["very unhappy", "could be better", "okay", "good", "great"];

/// What a good link invites to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Invited {
    /// Always true.
    valid: bool,
    /// Name of the company.
    organisation: Option<String>,
    /// Local date of the party.
    event_on: NaiveDate,
    /// First instant at which the link is not good any more, in UTC.
    expires_at: DateTime<Utc>,
    /// What can be answered, from 1 on.
    ratings: Vec<OfferedRating>,
    /// What an answer may be at most.
    limits: Limits,
    /// External sites to show.
    links: Vec<SiteLink>,
}

/// A rating.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OfferedRating {
    /// From 1 to 5.
    rating: i32,
    /// What it is called.
    label: &'static str,
    /// Whether it needs words.
    text_required: bool,
}

/// What an answer may be at most.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Limits {
    /// Characters of the text.
    text_characters: usize,
    /// Characters of the name.
    name_characters: usize,
    /// Pictures.
    images: usize,
    /// Bytes of a picture.
    image_bytes: usize,
    /// Videos.
    videos: usize,
    /// Bytes of a video.
    video_bytes: usize,
    /// Seconds of a video.
    video_seconds: u64,
}

/// An external site to go on to.
#[derive(Serialize, ToSchema)]
struct SiteLink {
    /// The site, in small letters.
    site: &'static str,
    /// The address that counts who goes on to it.
    path: String,
}

/// What is said to who has answered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Thanks {
    /// Always true.
    submitted: bool,
    /// The rating that was given, from 1 to 5.
    rating: i32,
    /// A sentence to show.
    message: &'static str,
    /// Whether somebody will get in touch to put it right.
    let_us_fix_it: bool,
    /// External sites to show.
    links: Vec<SiteLink>,
}

/// `GET /api/v1/reviews/validate/{token}`: whether a link is good, and what to show with it.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/validate/{token}",
    tag = "review",
    params(("token" = String, Path, description = "The secret of the link.")),
    responses(
        (status = 200, description = "The link is good.", body = Invited),
        Refusals,
        LinkRefusals,
    )
)]
pub(super) async fn validate(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let invitation = match app.commands.open_review(token.clone()).await {
        Ok(invitation) => invitation,
        Err(error) => return refused(error),
    };
    match invited(&app, &token, &invitation).await {
        Ok(body) => (no_store(), axum::Json(body)).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn invited(app: &App, token: &str, invitation: &Invitation) -> Result<Invited> {
    let organisations = app.database.organisations().await?;
    let company = organisations
        .iter()
        .find(|company| company.tenant == invitation.tenant);
    let ratings = (1..).zip(LABELS).map(|(rating, label)| OfferedRating {
        rating,
        label,
        text_required: rating <= 2,
    });
    Ok(Invited {
        valid: true,
        organisation: company.map(|company| company.name.clone()),
        event_on: invitation.event_on,
        expires_at: invitation.expires_at,
        ratings: ratings.collect(),
        limits: Limits {
            text_characters: 4_000,
            name_characters: 60,
            images: media::MAX_IMAGES,
            image_bytes: media::MAX_IMAGE,
            videos: media::MAX_VIDEOS,
            video_bytes: media::MAX_VIDEO,
            video_seconds: media::MAX_SECONDS,
        },
        links: links(token, &invitation.shown),
    })
}

/// External sites, with the address that counts who goes on to them.
fn links(token: &str, shown: &ShownLinks) -> Vec<SiteLink> {
    let link = |site: ExternalSite| SiteLink {
        site: site.as_str(),
        path: format!("/api/v1/reviews/click/{token}/{}", site.as_str()),
    };
    shown.links.iter().map(|shown| link(shown.site)).collect()
}

/// An answer as it is sent.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ReviewSent)]
struct Sent {
    /// From 1, very unhappy, to 5, great.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 5)]
    rating: i32,
    /// What the customer writes, at most 4,000 characters; a rating of 1 or 2 needs it. Sealed.
    text: Option<String>,
    /// How the customer wants to be called where it is published, at most 60 characters. Sealed.
    name: Option<String>,
    /// Names of pictures and videos, as their upload gave them.
    #[serde(default)]
    media: Vec<String>,
}

/// `POST /api/v1/reviews/submit/{token}`: the answer, as JSON. The same answer again is answered as before.
#[utoipa::path(
    post,
    path = "/api/v1/reviews/submit/{token}",
    tag = "review",
    params(("token" = String, Path, description = "The secret of the link.")),
    request_body = Sent,
    responses(
        (status = 200, description = "It was taken.", body = Thanks),
        Refusals,
        BodyRefusals,
        RuleRefusals,
        LinkRefusals,
    )
)]
pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let content = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = content.unwrap_or_default().split(';').next().unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        let told = "send the answer as application/json";
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            &[],
            told,
        );
    }
    let body = match body {
        Ok(body) => body,
        Err(rejected) => {
            let mut response = refuse(rejected.status(), "BAD_REQUEST", &[], "the answer cannot be read");
            let close = header::HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
            return response;
        }
    };
    let sent: Sent = match serde_json::from_slice(&body) {
        Ok(sent) => sent,
        Err(error) => {
            let told =
                format!("the answer is {{\"rating\": 1 to 5, \"text\", \"name\", \"media\"}}: {error}");
            return refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", &[], &told);
        }
    };
    let answer = ReviewAnswer {
        rating: sent.rating,
        text: sent.text,
        name: sent.name,
        media: sent.media,
    };
    match app.commands.submit_review(token.clone(), answer).await {
        Ok(answered) => (no_store(), axum::Json(thanks(&token, &answered))).into_response(),
        Err(error) => refused(error),
    }
}

/// What is shown to who has answered: the same links as before, and to the unhappy that somebody will call.
fn thanks(token: &str, answered: &Answered) -> Thanks {
    let unhappy = answered.rating.is_low();
    let message = if unhappy {
        "Thank you for telling us. Somebody will get in touch to put it right."
    } else {
        "Thank you for telling us."
    };
    Thanks {
        submitted: true,
        rating: answered.rating.number(),
        message,
        let_us_fix_it: unhappy,
        links: links(token, &answered.shown),
    }
}

/// `GET /api/v1/reviews/click/{token}/{site}`: on to an external site that was shown. That somebody went is kept, once.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/click/{token}/{site}",
    tag = "review",
    params(
        ("token" = String, Path, description = "The secret of the link."),
        ("site" = String, Path, description = "The site, in small letters, as the links of an answer name it."),
    ),
    responses(
        (status = 303, description = "The site."),
        Refusals,
        LinkRefusals,
    )
)]
pub(super) async fn click(
    State(app): State<Arc<App>>,
    method: Method,
    Path((token, site)): Path<(String, String)>,
) -> Response {
    let unknown = || {
        refuse(
            StatusCode::NOT_FOUND,
            "SITE_NOT_SHOWN",
            &["site"],
            "there is no such site",
        )
    };
    // A program that only looks whether the address is good goes nowhere.
    let Some(site) = ExternalSite::parse(&site).filter(|_| method == Method::GET) else {
        return unknown();
    };
    match app.commands.follow_review_link(token, site).await {
        Ok(url) => match header::HeaderValue::from_str(&url) {
            Ok(to) => (StatusCode::SEE_OTHER, no_store(), [(header::LOCATION, to)]).into_response(),
            Err(_) => unknown(),
        },
        Err(error) => refused(error),
    }
}
