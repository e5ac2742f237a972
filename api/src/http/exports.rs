//! Files for accountants, streamed.
//!
//! `GET /exports/tax`: the tax report of a period. Needs tax:export. Parameters: `state`, `period`, `format` (csv, xlsx,
//! json or pdf), `part` (summary or detail), `basis` (event-date, or payment-date: a view), `asOf` (a position, or an instant
//! with its zone).
//!
//! `GET /exports/books`: the books of some days in double entry. Needs money:read and tax:export. Parameters: `from` and
//! `to` (days, inclusive), `format` (csv or beancount), `asOf`.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use domain::access::Viewer;
use domain::envelope::Position;
use domain::place::is_state;
use futures::TryStreamExt;
use projections::At;
use projections::books::{BooksFormat, books as books_of};
use projections::period::Period;
use projections::tax_export::{ExportAsk, ExportFormat, Holds, export, file_part, head_of};
use projections::tax_report::TaxBasis;
use replays::moment::Moment;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::Server;
use super::files::{PERIOD, Refused, given, read};
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
    basis: Option<String>,
    as_of: Option<String>,
}

/// What the address of the books asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BooksAsked {
    from: String,
    to: String,
    format: String,
    as_of: Option<String>,
}

/// How many take the books at the same time: each holds a connection, however slowly it reads.
static AT_ONCE: Semaphore = Semaphore::const_new(4);
/// Seconds after which one of them may be through.
const SHORTLY: u32 = 5;

pub(super) async fn tax(
    State(server): State<Server>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let file = async |app: &App, viewer: &Viewer| answer(app, viewer, read(asked)?).await;
    given(&server.app, &headers, PERIOD, file).await
}

pub(super) async fn books(
    State(server): State<Server>,
    headers: HeaderMap,
    asked: Result<Query<BooksAsked>, QueryRejection>,
) -> Response {
    let file = async |app: &App, viewer: &Viewer| answer_books(app, viewer, read(asked)?).await;
    given(&server.app, &headers, PERIOD, file).await
}

async fn answer(app: &App, viewer: &Viewer, asked: Asked) -> Result<Response, Refused> {
    if !is_state(&asked.state) {
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
    let basis = asked
        .basis
        .as_deref()
        .map_or(Some(TaxBasis::EventDate), TaxBasis::parse)
        .ok_or_else(|| Refused::bad("BAD_USER_INPUT", "basis is event-date or payment-date"))?;
    let at = at(app, viewer, asked.as_of.as_deref()).await?;
    let Some(format) = ExportFormat::parse(&asked.format) else {
        return match (asked.format.as_str(), holds) {
            ("pdf", Holds::Summary) => pdf(app, viewer, basis, &asked.state, period, at).await,
            ("pdf", Holds::Detail) => Err(Refused::bad("BAD_USER_INPUT", "a PDF holds the summary")),
            _ => Err(Refused::bad("BAD_USER_INPUT", "format is csv, xlsx, json or pdf")),
        };
    };
    let ask = ExportAsk {
        basis,
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

async fn answer_books(app: &App, viewer: &Viewer, asked: BooksAsked) -> Result<Response, Refused> {
    let day = |name: &str, text: &str| {
        let told = format!("{name} is a day, such as 2026-01-31");
        text.parse::<NaiveDate>()
            .map_err(|_| Refused::bad("BAD_USER_INPUT", told))
    };
    let days = (day("from", &asked.from)?, day("to", &asked.to)?);
    if days.1 < days.0 {
        return Err(Refused::bad("INVALID_PERIOD", "to is before from"));
    }
    let format = BooksFormat::parse(&asked.format)
        .ok_or_else(|| Refused::bad("BAD_USER_INPUT", "format is csv or beancount"))?;
    let at = at(app, viewer, asked.as_of.as_deref()).await?;
    let busy = |_| Refused::later(SHORTLY, "BUSY", "others are taking the books now; ask again");
    let place = AT_ONCE.try_acquire().map_err(busy)?;
    let books = books_of(&app.views, viewer, format, days, at).await?;
    let file = Told {
        media_type: format.media_type(),
        name: format.file_name(days),
        position: books.position,
        head: books.head.clone(),
    };
    let bytes = books
        .bytes()
        .inspect_ok(move |_| {
            // The place is taken until the last piece is.
            let _ = &place;
        })
        .inspect_err(|error| tracing::error!(%error, "books are cut short"));
    file.with(Body::from_stream(bytes))
}

async fn pdf(
    app: &App,
    viewer: &Viewer,
    basis: TaxBasis,
    state: &str,
    period: Period,
    at: At,
) -> Result<Response, Refused> {
    let (report, bytes) = filed_report(app, viewer, basis, state, period, at).await?;
    let file = Told {
        media_type: "application/pdf",
        name: format!("tax-{state}-{}{}.pdf", report.period, file_part(basis)),
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
