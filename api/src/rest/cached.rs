//! What everybody may keep for a while: with a tag by which they learn that it is still so.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// An answer that everybody may keep for so many seconds, or that what somebody has is still so. The tag is a weak one: the
/// same words are the same whether they were made smaller on the way or not.
pub(crate) fn public<T: Serialize>(
    headers: &HeaderMap,
    seconds: u32,
    answer: &T,
) -> Result<Response, Problem> {
    let bytes = serde_json::to_vec(answer).map_err(|error| Problem::unavailable(&error))?;
    let tag = format!("W/\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|known| known.trim() == tag || known.trim() == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], Body::from(bytes)).into_response()
    };
    let cache = format!("public, max-age={seconds}");
    for (name, value) in [(header::CACHE_CONTROL, cache), (header::ETAG, tag)] {
        // Digits and hexadecimal digits.
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// An answer for whoever asked, which nobody keeps on the way.
pub(crate) fn private<T: Serialize>(status: StatusCode, answer: T) -> Response {
    let cache = [(header::CACHE_CONTROL, "private, no-store")];
    (status, cache, axum::Json(answer)).into_response()
}
