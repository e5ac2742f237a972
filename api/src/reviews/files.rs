//! Pictures and videos in and out. What is served is never of a type that a browser runs, and never guessed at.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::review::StoredMedia;
use domain::access::Permission;
use domain::ids::{ReviewId, TenantId};
use domain::review::{Moderation, media};
use futures::StreamExt;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{LinkRefusals, Reviews, no_store, refuse, refused, unavailable};
use crate::app::App;
use crate::auth::Recognised;
use crate::rest::problem::{BodyRefusals, Refusals, RuleRefusals};

/// How long an upload waits for its turn, and a refusal for the rest of what is sent.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// Bytes of a refused upload that are read and dropped at most: a client that is cut off while it sends sees no refusal.
const PASSED_OVER: usize = 2 * media::MAX_VIDEO;

/// A file that was taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Uploaded {
    /// Its name, for the review's `media`.
    media: String,
    /// What it is.
    media_type: &'static str,
    /// How long it is, in bytes.
    bytes: i64,
}

/// `POST /api/v1/reviews/upload/{token}`: one picture or video, its bytes alone. The answer names it, for the review's
/// `media`.
#[utoipa::path(
    post,
    path = "/api/v1/reviews/upload/{token}",
    tag = "review",
    params(("token" = String, Path, description = "The secret of the link.")),
    request_body(
        content = Vec<u8>,
        content_type = "application/octet-stream",
        description = "A picture (JPEG, PNG or WebP, 10 MB) or a video (MP4 or MOV, 50 MB, 30 seconds). What it is, its bytes say."
    ),
    responses(
        (status = 201, description = "It was taken.", body = Uploaded),
        Refusals,
        BodyRefusals,
        RuleRefusals,
        LinkRefusals,
    )
)]
pub(super) async fn upload(
    State(reviews): State<Reviews>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let mut response = take(&reviews, token, &parts.headers, &mut body).await;
    if !response.status().is_success() {
        // Who is still sending hears nothing before it has sent all; then the connection ends.
        let _sent_or_cut_off = timeout(PATIENCE, pass_over(&mut body)).await;
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Reads the rest of a body and keeps nothing of it, within what a client may think reasonable.
async fn pass_over(body: &mut BodyDataStream) {
    let mut left = PASSED_OVER;
    while let Some(Ok(bytes)) = body.next().await {
        let Some(still_left) = left.checked_sub(bytes.len()) else {
            return;
        };
        left = still_left;
    }
}

/// The bytes of a body; none of one that is too long, or cut off.
async fn whole(body: &mut BodyDataStream) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.ok()?;
        if whole.len() + bytes.len() > media::MAX_VIDEO {
            return None;
        }
        whole.extend_from_slice(&bytes);
    }
    Some(whole)
}

async fn take(reviews: &Reviews, token: String, headers: &HeaderMap, body: &mut BodyDataStream) -> Response {
    // Nothing is read for a link that is not good.
    if let Err(error) = reviews.app.commands.check_review_link(token.clone()).await {
        return refused(error);
    }
    let too_large = || {
        let told = "a picture has at most 10 MB, a video 50 MB";
        refuse(StatusCode::PAYLOAD_TOO_LARGE, "MEDIA_TOO_LARGE", &["media"], told)
    };
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > media::MAX_VIDEO) {
        return too_large();
    }
    let Ok(Ok(_turn)) = timeout(PATIENCE, reviews.uploads.acquire()).await else {
        let told = "others are uploading; try again in a moment";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", &[], told);
    };
    // A body that is longer than it may be, or cut off, is not kept.
    let Some(bytes) = whole(body).await else {
        return too_large();
    };
    match reviews.app.commands.upload_review_media(token, bytes).await {
        Ok(media) => {
            let body = Uploaded {
                media: media.file_name(),
                media_type: media.kind.mime(),
                bytes: media.bytes,
            };
            (StatusCode::CREATED, no_store(), axum::Json(body)).into_response()
        }
        Err(error) => refused(error),
    }
}

/// `GET /api/v1/reviews/files/{organisation}/{review}/{file}`: for everybody once the review is approved; before that for
/// people of the company with review:read.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/files/{organisation}/{review}/{file}",
    tag = "review",
    params(
        ("organisation" = String, Path, description = "The company's short name."),
        ("review" = String, Path, description = "The review."),
        ("file" = String, Path, description = "Name of the picture or video."),
    ),
    responses(
        (
            status = 200,
            description = "The picture or video.",
            content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"),
                (Vec<u8> = "video/mp4"), (Vec<u8> = "video/quicktime"))
        ),
        Refusals,
    )
)]
pub(super) async fn fetch(
    State(app): State<Arc<App>>,
    Path((organisation, review, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let missing = || refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &[], "there is no such file");
    let Ok(review) = review.parse::<ReviewId>() else {
        return missing();
    };
    let tenant = match app.database.organisation_by_slug(&organisation).await {
        Ok(Some(company)) => company.tenant,
        Ok(None) => return missing(),
        Err(error) => return unavailable(&error),
    };
    let stored = match app.commands.review_media(tenant, review, &file).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return missing(),
        Err(error) => return refused(error),
    };
    let public = stored.moderation == Moderation::Approved;
    if !public && !may_see(&app, tenant, review, &headers).await {
        return missing();
    }
    served(stored, public.then_some("public, max-age=300"))
}

/// Whether whoever asks is a person of the company who may see reviews of that station.
async fn may_see(app: &App, tenant: TenantId, review: ReviewId, headers: &HeaderMap) -> bool {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(token) = token else {
        return false;
    };
    let recognised = app.auth.recognise(token).await;
    let Some(viewer) = recognised.ok().and_then(Recognised::full) else {
        return false;
    };
    let station = app.commands.review_station(tenant, review).await;
    let within_reach = matches!(station, Ok(Some(station)) if viewer.stations.covers(station));
    viewer.tenant == tenant && viewer.may(Permission::ReviewRead) && within_reach
}

fn served(stored: StoredMedia, cache: Option<&'static str>) -> Response {
    let name = format!("attachment; filename=\"{}\"", stored.media.file_name());
    let mut response = Body::from(stored.bytes).into_response();
    let headers = response.headers_mut();
    for (header, value) in [
        (header::CONTENT_TYPE, stored.media.kind.mime()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (header::CACHE_CONTROL, cache.unwrap_or("private, no-store")),
    ] {
        headers.insert(header, HeaderValue::from_static(value));
    }
    // A hash and an ending.
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    let anywhere = HeaderValue::from_static("cross-origin");
    headers.insert("cross-origin-resource-policy", anywhere);
    response
}
