//! What is sent: bodies, questions in an address, and keys. What has another shape than is described is refused before
//! anything is done, with the field at fault.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::IdempotencyKey;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::http::{is_json, text_header};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

/// Why a body is not taken. Of one that was not read to its end the connection is of no further use.
pub(super) struct BadBody {
    problem: Problem,
    unread: bool,
}

impl IntoResponse for BadBody {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if self.unread {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = BadBody;

    async fn from_request(request: Request, state: &S) -> Result<Self, BadBody> {
        let read = |problem| BadBody {
            problem,
            unread: false,
        };
        if !is_json(request.headers()) {
            let told = "send the body as application/json";
            return Err(BadBody {
                problem: Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", told),
                unread: true,
            });
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejected| {
            let problem = if rejected.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let told = "the body is longer than is taken";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", told)
            } else {
                Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", "the body was cut off")
            };
            BadBody {
                problem,
                unread: true,
            }
        })?;
        let parsed =
            Json::<T>::from_bytes(&bytes).map_err(|rejected| read(misshapen(&rejected.body_text())))?;
        Ok(Self(parsed.0))
    }
}

/// A question in an address.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(asked) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejected| misshapen(&rejected.body_text()))?;
        Ok(Self(asked))
    }
}

/// The problem that the framework's text tells of, with the field at fault where it names one.
fn misshapen(told: &str) -> Problem {
    let problem = Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", told);
    match field_of(told) {
        Some(field) => problem.of_field(&[field.as_str()]),
        None => problem,
    }
}

/// The field that a text of the framework begins with: `Failed to …: venue.zip: missing field`.
fn field_of(told: &str) -> Option<String> {
    let (_, rest) = told.split_once(": ")?;
    let (field, _) = rest.split_once(": ")?;
    let path = |byte: u8| byte.is_ascii_alphanumeric() || b"._[]".contains(&byte);
    (!field.is_empty() && field.bytes().all(path)).then(|| field.to_owned())
}

/// The key under which a command is given.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        let told = "send an Idempotency-Key, a random UUID: the same key gives the same answer";
        let missing = Problem::new(StatusCode::BAD_REQUEST, "IDEMPOTENCY_KEY_REQUIRED", told);
        return Err(missing.of_field(&["Idempotency-Key"]));
    }
    let text = text_header(headers, &IDEMPOTENCY_KEY).unwrap_or_default();
    Ok(IdempotencyKey::from_visitor(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_at_fault_is_read_off_what_the_framework_says() {
        let field = |told| field_of(told);
        let told = "Failed to deserialize the JSON body into the target type: venue.zip: missing field `zip` at line 1";
        assert_eq!(field(told).as_deref(), Some("venue.zip"));
        let told = "Failed to deserialize query string: guests: invalid digit found in string";
        assert_eq!(field(told).as_deref(), Some("guests"));
        assert_eq!(
            field("Failed to parse the request body as JSON: EOF while parsing"),
            None
        );
    }
}
