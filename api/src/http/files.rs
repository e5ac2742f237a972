//! Files for people and programs that are signed in: what stands before each of them, and how one is refused.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use domain::access::Viewer;
use projections::ReadError;

use super::{REQUEST_ID, credential, failure, session, tell_left, text_header, throttled, unrecognised};
use crate::app::App;
use crate::auth::SignedInAs;

/// Points that a document costs: about what it takes to read one.
pub(super) const DOCUMENT: u32 = 200;
/// Points that a file of a whole period costs, however much was done in it.
pub(super) const PERIOD: u32 = 5_000;

/// Why no file is given.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    told: String,
    /// Seconds after which it is worth asking again.
    retry_after: Option<u32>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, told: impl std::fmt::Display) -> Self {
        Self {
            status,
            code,
            told: told.to_string(),
            retry_after: None,
        }
    }

    pub(super) fn bad(code: &'static str, told: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, told)
    }

    pub(super) fn missing(noun: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            format_args!("there is no such {noun}"),
        )
    }

    pub(super) fn later(seconds: u32, code: &'static str, told: impl std::fmt::Display) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, told)
        }
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", error),
            ReadError::StaleRead { .. } => Self::later(1, "STALE_READ", error),
            ReadError::AsOfInFuture { .. } | ReadError::InstantInFuture { .. } => {
                Self::bad("AS_OF_IN_FUTURE", error)
            }
            ReadError::Log(_) => {
                tracing::error!(%error, "a file is not given");
                Self::later(1, "UNAVAILABLE", "this cannot be answered now; ask again")
            }
            ReadError::BadCursor(_) | ReadError::Unreadable { .. } => {
                tracing::error!(%error, "a file is not given");
                let told = "this cannot be made whole, and asking again does not help: name the request id to your operator";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", told)
            }
        }
    }
}

/// What an address asks for, where it can be read.
pub(super) fn read<Q>(asked: Result<Query<Q>, QueryRejection>) -> Result<Q, Refused> {
    match asked {
        Ok(Query(asked)) => Ok(asked),
        Err(rejected) => Err(Refused::bad("BAD_USER_INPUT", rejected.body_text())),
    }
}

/// Gives a file to whoever is signed in all the way and has so many points left, or says why not.
pub(super) async fn given(
    app: &App,
    headers: &HeaderMap,
    points: u32,
    file: impl AsyncFnOnce(&App, &Viewer) -> Result<Response, Refused>,
) -> Response {
    let request_id = text_header(headers, &REQUEST_ID).unwrap_or_default();
    let session = match session(app, headers, request_id).await {
        Ok(session) => session,
        Err(error) => return unrecognised(error, request_id),
    };
    let who = credential(&session);
    let (viewer, signed_in) = match session.recognised {
        Some(recognised) => (recognised.viewer, recognised.signed_in),
        None => {
            return failure(
                StatusCode::UNAUTHORIZED,
                "UNAUTHENTICATED",
                "sign in first",
                request_id,
            );
        }
    };
    let spent = match &app.throttle {
        Some(throttle) => throttle.spend(&who, points, app.clock.now()),
        None => Ok(Vec::new()),
    };
    let left = match spent {
        Ok(left) => left,
        Err(short) => {
            app.figures.requests.throttled(short.whose);
            let mut refused = throttled(&short, request_id);
            tell_left(refused.headers_mut(), &short.left);
            return refused;
        }
    };
    let answer = match signed_in {
        SignedInAs::Full => file(app, &viewer).await,
        SignedInAs::WithoutSecondFactor => Err(Refused::new(
            StatusCode::FORBIDDEN,
            "SECOND_FACTOR_MISSING",
            "the company demands a second factor of your role: set one up first",
        )),
    };
    let mut response = answer.unwrap_or_else(|refused| {
        let mut response = failure(refused.status, refused.code, &refused.told, request_id);
        if let Some(seconds) = refused.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    });
    tell_left(response.headers_mut(), &left);
    response
}
