//! `GET /exports/tax`: the tax report of a period as a file, streamed. Needs tax:export.
//!
//! Parameters: `state`, `period`, `format` (csv, xlsx, json or pdf), `part` (summary or detail), `asOf` (a position, or an
//! instant with its zone).

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::access::Viewer;
use domain::envelope::Position;
use futures::TryStreamExt;
use projections::period::Period;
use projections::tax_export::{ExportAsk, ExportFormat, Holds, export, head_of};
use projections::{At, ReadError};
use replays::moment::Moment;
use serde::Deserialize;

use super::{REQUEST_ID, Server, failure, session, text_header};
use crate::app::App;
use crate::filing::filed_report;

const POSITION: HeaderName = HeaderName::from_static("x-log-position");
const HEAD: HeaderName = HeaderName::from_static("x-log-head");

/// What the address asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Asked {
    state: String,
    period: String,
    format: String,
    part: Option<String>,
    as_of: Option<String>,
}

/// Why nothing is exported: status, code, sentence.
struct Refused(StatusCode, &'static str, String);

impl Refused {
    fn bad(code: &'static str, why: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, code, why.to_string())
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        let told = error.to_string();
        match error {
            ReadError::Forbidden(_) => Self(StatusCode::FORBIDDEN, "FORBIDDEN", told),
            ReadError::StaleRead { .. } => Self(StatusCode::SERVICE_UNAVAILABLE, "STALE_READ", told),
            ReadError::AsOfInFuture { .. } | ReadError::InstantInFuture { .. } => {
                Self::bad("AS_OF_IN_FUTURE", told)
            }
            ReadError::BadCursor(_) | ReadError::Log(_) | ReadError::Unreadable { .. } => {
                tracing::error!(%error, "an export is not answered");
                let told = "this cannot be exported now".to_owned();
                Self(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", told)
            }
        }
    }
}

pub(super) async fn tax(
    State(server): State<Server>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let request_id = text_header(&headers, &REQUEST_ID).unwrap_or_default().to_owned();
    let viewer = match session(&server.app, &headers, &request_id) {
        Ok(session) => session.viewer,
        Err(error) => {
            let told = error.to_string();
            return failure(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", &told, &request_id);
        }
    };
    let Some(viewer) = viewer else {
        return failure(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "sign in first",
            &request_id,
        );
    };
    let answer = match asked {
        Ok(Query(asked)) => answer(&server.app, &viewer, asked).await,
        Err(rejected) => Err(Refused::bad("BAD_USER_INPUT", rejected.body_text())),
    };
    answer.unwrap_or_else(|Refused(status, code, told)| failure(status, code, &told, &request_id))
}

async fn answer(app: &App, viewer: &Viewer, asked: Asked) -> Result<Response, Refused> {
    let is_state = asked.state.len() == 2 && asked.state.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_state {
        return Err(Refused::bad(
            "INVALID_STATE",
            "a state has two capital letters, such as CA",
        ));
    }
    let period: Period = asked
        .period
        .parse()
        .map_err(|error| Refused::bad("INVALID_PERIOD", error))?;
    let holds = match asked.part.as_deref() {
        None | Some("summary") => Holds::Summary,
        Some("detail") => Holds::Detail,
        Some(_) => return Err(Refused::bad("BAD_USER_INPUT", "part is summary or detail")),
    };
    let at = at(app, viewer, asked.as_of.as_deref()).await?;
    let Some(format) = ExportFormat::parse(&asked.format) else {
        return match (asked.format.as_str(), holds) {
            ("pdf", Holds::Summary) => pdf(app, viewer, &asked.state, period, at).await,
            ("pdf", Holds::Detail) => Err(Refused::bad("BAD_USER_INPUT", "a PDF holds the summary")),
            _ => Err(Refused::bad("BAD_USER_INPUT", "format is csv, xlsx, json or pdf")),
        };
    };
    let ask = ExportAsk {
        state: asked.state,
        period,
        format,
        holds,
        at,
    };
    let export = export(&app.views, viewer, &ask).await?;
    let file = Told {
        media_type: format.media_type(),
        name: ask.file_name(),
        position: export.position,
        head: export.head.clone(),
    };
    // An error on the way cuts the body short: it has no certificate then, and the client sees that it is not whole.
    let bytes = export
        .bytes()
        .inspect_err(|error| tracing::error!(%error, "an export is cut short"));
    file.with(Body::from_stream(bytes))
}

async fn pdf(app: &App, viewer: &Viewer, state: &str, period: Period, at: At) -> Result<Response, Refused> {
    let (report, bytes) = filed_report(app, viewer, state, period, at).await?;
    let file = Told {
        media_type: "application/pdf",
        name: format!("tax-{state}-{}.pdf", report.period),
        position: report.position,
        head: head_of(&app.views, viewer.tenant, report.position).await?,
    };
    file.with(Body::from(bytes))
}

/// What an answer says of the file that is its body.
struct Told {
    media_type: &'static str,
    name: String,
    position: Position,
    head: String,
}

impl Told {
    fn with(self, body: Body) -> Result<Response, Refused> {
        let told = [
            (header::CONTENT_TYPE, self.media_type.to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}\"", self.name),
            ),
            (header::CACHE_CONTROL, "private, no-store".to_owned()),
            (POSITION, self.position.to_string()),
            (HEAD, self.head),
        ];
        let mut response = body.into_response();
        for (name, value) in told {
            let value =
                HeaderValue::from_str(&value).map_err(|error| Refused::bad("BAD_USER_INPUT", error))?;
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}

async fn at(app: &App, viewer: &Viewer, as_of: Option<&str>) -> Result<At, Refused> {
    let moment = as_of.map_or(Ok(Moment::Head), str::parse::<Moment>);
    Ok(
        match moment.map_err(|error| Refused::bad("BAD_USER_INPUT", error))? {
            Moment::Head => At::NOW,
            Moment::Position(Position(position)) => At::AsOf(Position(position)),
            Moment::Instant(instant) => At::AsOf(app.views.as_of_instant(viewer.tenant, instant).await?),
        },
    )
}
