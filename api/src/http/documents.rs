//! `GET /documents/{number}.pdf`: an invoice, a receipt or a credit note. Needs payment:read.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::access::Viewer;
use domain::document::DocumentNumber;

use super::Server;
use super::files::{DOCUMENT, Refused, given};
use crate::app::App;
use crate::documents;

/// The document of a number, to be shown or kept by whoever asked and by nobody on the way.
pub(super) async fn pdf(
    State(server): State<Server>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Response {
    let document = async |app: &App, viewer: &Viewer| {
        let missing = || Refused::missing("document");
        let number = file.strip_suffix(".pdf").map(str::parse::<DocumentNumber>);
        let Some(Ok(number)) = number else {
            return Err(missing());
        };
        let bytes = documents::pdf(app, viewer, number).await?;
        Ok(shown(number, bytes.ok_or_else(missing)?))
    };
    given(&server.app, &headers, DOCUMENT, document).await
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
