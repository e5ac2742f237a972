//! `GET /documents/{number}.pdf`: an invoice, a receipt or a credit note. Needs payment:read.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::document::DocumentNumber;
use projections::ReadError;

use super::{REQUEST_ID, Server, failure, session, text_header, unrecognised};
use crate::documents;

/// The document of a number, to be shown or kept by whoever asked and by nobody on the way.
pub(super) async fn pdf(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Response {
    let request_id = text_header(&headers, &REQUEST_ID).unwrap_or_default().to_owned();
    let refuse = |status, code, told: &str| failure(status, code, told, &request_id);
    let viewer = match session(&server.app, &headers, &request_id).await {
        Ok(session) => session.into_viewer(),
        Err(error) => return unrecognised(error, &request_id),
    };
    let Some(viewer) = viewer else {
        return refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "sign in first");
    };
    let missing = || refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "there is no such document");
    let number = file.strip_suffix(".pdf").map(str::parse::<DocumentNumber>);
    let Some(Ok(number)) = number else {
        return missing();
    };
    match documents::pdf(&server.app, &viewer, number).await {
        Ok(Some(bytes)) => shown(number, bytes),
        Ok(None) => missing(),
        Err(error @ ReadError::Forbidden(_)) => {
            refuse(StatusCode::FORBIDDEN, "FORBIDDEN", &error.to_string())
        }
        Err(error) => {
            tracing::error!(%error, "a document is not answered");
            let told = "this cannot be answered now";
            refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", told)
        }
    }
}

fn shown(number: DocumentNumber, bytes: Vec<u8>) -> Response {
    let name = format!("inline; filename=\"{number}.pdf\"");
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    // A number is letters, digits and hyphens.
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
