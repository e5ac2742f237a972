//! What everybody may read: reviews that a person of the company has approved.

#![expect(
    unused_qualifications,
    reason = "what utoipa writes for a handler names its arguments in full"
)]

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{StationId, TenantId};
use domain::review::Review;
use event_log::{Opened, SealedField};
use projections::review_list::{self, ReviewRow};
use projections::{Cursor, ReadError, Slice};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{media_path, refuse, unavailable};
use crate::app::App;
use crate::rest::cached;
use crate::rest::problem::Refusals;

/// Seconds for which a page may be kept.
const KEPT: u32 = 60;

/// Reviews of a page, where nobody says how many.
const USUAL: u16 = 20;
/// Reviews of a page at most.
const MOST: u16 = 100;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// How many reviews; 20 where absent.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 100)]
    first: Option<u16>,
    /// The `next` of an earlier page.
    #[param(value_type = String, required = false)]
    after: Option<String>,
    /// Of this station alone.
    #[param(value_type = Uuid, required = false)]
    station: Option<StationId>,
}

/// Reviews that are published.
#[derive(Serialize, ToSchema)]
struct Published {
    /// The reviews, the latest first.
    reviews: Vec<PublishedReview>,
    /// How many there are in all.
    total: u64,
    /// What to ask the next page after; null at the end.
    next: Option<String>,
}

/// A review that is published.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PublishedReview {
    /// From 1 to 5.
    rating: i32,
    /// What the customer wrote.
    text: Option<String>,
    /// How the customer wants to be called.
    name: Option<String>,
    /// What the company answers.
    reply: Option<String>,
    /// The day of the answer, by UTC.
    submitted_on: Option<NaiveDate>,
    /// The station that served.
    station_id: Uuid,
    /// Pictures and videos.
    media: Vec<PublishedMedia>,
}

/// A picture or video of a review.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PublishedMedia {
    /// Where it is fetched from.
    path: String,
    /// What it is.
    media_type: &'static str,
}

/// `GET /api/v1/reviews/published/{organisation}`, with `first`, `after` and `station`: the latest first.
///
/// May be kept for a minute.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/published/{organisation}",
    tag = "review",
    params(("organisation" = String, Path, description = "The company's short name."), Asked),
    responses(
        (status = 200, description = "A page of reviews.", body = Published),
        (status = 304, description = "What `If-None-Match` names is still so."),
        Refusals,
    )
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(organisation): Path<String>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let bad = |told: &str| refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", &[], told);
    let Ok(Query(asked)) = asked else {
        return bad("first is a number, station an id");
    };
    let first = asked.first.unwrap_or(USUAL);
    if !(1..=MOST).contains(&first) {
        return bad("first is a number from 1 to 100");
    }
    let tenant = match app.database.organisation_by_slug(&organisation).await {
        Ok(Some(company)) => company.tenant,
        Ok(None) => {
            return refuse(
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                &[],
                "there is no such company",
            );
        }
        Err(error) => return unavailable(&error),
    };
    let slice = Slice {
        after: asked.after.map(Cursor::from),
        first,
    };
    match page(&app, (tenant, &organisation), asked.station, slice).await {
        Ok(page) => cached::public(&headers, KEPT, &page).into_response(),
        Err(ReadError::BadCursor(_)) => bad("after is a cursor of an earlier page"),
        Err(error) => unavailable(&error),
    }
}

async fn page(
    app: &App,
    (tenant, slug): (TenantId, &str),
    station: Option<StationId>,
    slice: Slice,
) -> Result<Published, ReadError> {
    let total = review_list::published_count(&app.views, tenant, station).await?;
    let page = review_list::published(&app.views, tenant, station, slice).await?;
    let rows: Vec<ReviewRow> = page.rows.into_iter().map(|listed| listed.row).collect();
    let texts = texts(app, tenant, &rows).await?;
    let reviews = rows.iter().zip(texts).map(|(row, [text, name, reply])| {
        let media = row.media.iter().map(|media| PublishedMedia {
            path: media_path(slug, row.review_id, media),
            media_type: media.kind.mime(),
        });
        PublishedReview {
            rating: row.rating,
            text,
            name,
            reply,
            submitted_on: row.submitted_at.map(|at| at.date_naive()),
            station_id: row.station_id.0,
            media: media.collect(),
        }
    });
    let next = page
        .end
        .filter(|_| page.has_next)
        .map(|cursor| cursor.to_string());
    Ok(Published {
        reviews: reviews.collect(),
        total: total.value,
        next,
    })
}

type Texts = [Option<String>; 3];

/// Text, name and reply of each review, opened together; none of what was erased.
async fn texts(app: &App, tenant: TenantId, rows: &[ReviewRow]) -> Result<Vec<Texts>, ReadError> {
    let streams: Vec<StreamId> = rows
        .iter()
        .map(|row| StreamId::new(Review::STREAM, row.review_id.to_string()))
        .collect();
    let parts = |row: &ReviewRow| -> [(&'static str, Option<Sealed>); 3] {
        [
            ("text", row.text.clone()),
            ("public_name", row.public_name.clone()),
            ("reply", row.reply.clone()),
        ]
    };
    let sealed: Vec<_> = rows.iter().map(parts).collect();
    let mut fields = Vec::new();
    for (stream, parts) in streams.iter().zip(&sealed) {
        let of = parts.iter().filter_map(|(field, sealed)| {
            let sealed = sealed.as_ref()?;
            Some(SealedField {
                stream,
                field,
                sealed,
            })
        });
        fields.extend(of);
    }
    let mut opened = app.vault.open_many(tenant, &fields).await?.into_iter();
    let mut text = |sealed: &Option<Sealed>| match sealed.as_ref().and_then(|_| opened.next()) {
        Some(Opened::Text(text)) => Some(text),
        Some(Opened::Erased) | None => None,
    };
    Ok(sealed
        .iter()
        .map(|[(_, said), (_, name), (_, reply)]| [text(said), text(name), text(reply)])
        .collect())
}
