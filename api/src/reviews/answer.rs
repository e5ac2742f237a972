//! What a customer does with a link.

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::review::{Answered, Invitation, ReviewAnswer};
use domain::review::{ExternalSite, ShownLinks, media};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{no_store, refuse, refused, unavailable};
use crate::app::App;

/// What each rating is called, from 1 on.
const LABELS: [&str; 5] = ["very unhappy", "could be better", "okay", "good", "great"];

/// `GET /api/v1/reviews/validate/{token}`: whether a link is good, and what to show with it.
pub(super) async fn validate(State(app): State<App>, Path(token): Path<String>) -> Response {
    let invitation = match app.commands.open_review(token.clone()).await {
        Ok(invitation) => invitation,
        Err(error) => return refused(&error),
    };
    match invited(&app, &token, &invitation).await {
        Ok(body) => (no_store(), axum::Json(body)).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn invited(app: &App, token: &str, invitation: &Invitation) -> Result<Value> {
    let organisations = app.database.organisations().await?;
    let company = organisations
        .iter()
        .find(|company| company.tenant == invitation.tenant);
    let ratings: Vec<Value> = (1..)
        .zip(LABELS)
        .map(|(rating, label)| json!({ "rating": rating, "label": label, "textRequired": rating <= 2 }))
        .collect();
    Ok(json!({
        "valid": true,
        "organisation": company.map(|company| company.name.as_str()),
        "eventOn": invitation.event_on,
        "expiresAt": invitation.expires_at,
        "ratings": ratings,
        "limits": {
            "textCharacters": 4_000, "nameCharacters": 60,
            "images": media::MAX_IMAGES, "imageBytes": media::MAX_IMAGE,
            "videos": media::MAX_VIDEOS, "videoBytes": media::MAX_VIDEO, "videoSeconds": media::MAX_SECONDS,
        },
        "links": links(token, &invitation.shown),
    }))
}

/// External sites, with the address that counts who goes on to them.
fn links(token: &str, shown: &ShownLinks) -> Vec<Value> {
    let link = |site: ExternalSite| {
        let word = site.as_str();
        json!({ "site": word, "path": format!("/api/v1/reviews/click/{token}/{word}") })
    };
    shown.links.iter().map(|shown| link(shown.site)).collect()
}

/// An answer as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sent {
    rating: i32,
    text: Option<String>,
    name: Option<String>,
    #[serde(default)]
    media: Vec<String>,
}

/// `POST /api/v1/reviews/submit/{token}`: the answer, as JSON.
pub(super) async fn submit(
    State(app): State<App>,
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
        Err(error) => refused(&error),
    }
}

/// What is shown to who has answered: the same links as before, and to the unhappy that somebody will call.
fn thanks(token: &str, answered: &Answered) -> Value {
    let unhappy = answered.rating.is_low();
    let message = if unhappy {
        "Thank you for telling us. Somebody will get in touch to put it right."
    } else {
        "Thank you for telling us."
    };
    json!({
        "submitted": true,
        "rating": answered.rating.number(),
        "message": message,
        "letUsFixIt": unhappy,
        "links": links(token, &answered.shown),
    })
}

/// `GET /api/v1/reviews/click/{token}/{site}`: on to an external site that was shown. That somebody went is kept, once.
pub(super) async fn click(
    State(app): State<App>,
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
        Err(error) => refused(&error),
    }
}
