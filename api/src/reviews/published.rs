//! What everybody may read: reviews that a person of the company has approved.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::decider::Decider;
use domain::envelope::{Sealed, StreamId};
use domain::ids::{StationId, TenantId};
use domain::review::Review;
use event_log::{Opened, SealedField};
use projections::review_list::{self, ReviewRow};
use projections::{Cursor, ReadError, Slice};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{media_path, refuse, unavailable};
use crate::app::App;

/// Reviews of a page, where nobody says how many.
const USUAL: u16 = 20;
/// Reviews of a page at most.
const MOST: u16 = 100;

/// Which page.
#[derive(Deserialize)]
pub(super) struct Asked {
    first: Option<u16>,
    after: Option<String>,
    station: Option<StationId>,
}

/// `GET /api/v1/reviews/published/{organisation}`, with `first`, `after` and `station`: the latest first.
pub(super) async fn list(
    State(app): State<App>,
    Path(organisation): Path<String>,
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
        Ok(body) => {
            let cache = HeaderValue::from_static("public, max-age=60");
            ([(header::CACHE_CONTROL, cache)], axum::Json(body)).into_response()
        }
        Err(ReadError::BadCursor(_)) => bad("after is a cursor of an earlier page"),
        Err(error) => unavailable(&error),
    }
}

async fn page(
    app: &App,
    (tenant, slug): (TenantId, &str),
    station: Option<StationId>,
    slice: Slice,
) -> Result<Value, ReadError> {
    let total = review_list::published_count(&app.views, tenant, station).await?;
    let page = review_list::published(&app.views, tenant, station, slice).await?;
    let rows: Vec<ReviewRow> = page.rows.into_iter().map(|listed| listed.row).collect();
    let texts = texts(app, tenant, &rows).await?;
    let reviews: Vec<Value> = rows
        .iter()
        .zip(texts)
        .map(|(row, [text, name, reply])| {
            let media = row.media.iter().map(|media| {
                json!({
                    "path": media_path(slug, row.review_id, media), "mediaType": media.kind.mime(),
                })
            });
            json!({
                "rating": row.rating,
                "text": text,
                "name": name,
                "reply": reply,
                "submittedOn": row.submitted_at.map(|at| at.date_naive()),
                "stationId": row.station_id,
                "media": media.collect::<Vec<_>>(),
            })
        })
        .collect();
    let next = page
        .end
        .filter(|_| page.has_next)
        .map(|cursor| cursor.to_string());
    Ok(json!({ "reviews": reviews, "total": total.value, "next": next }))
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
