//! What goes with every answer: what a browser must not make of it, and whether it is made smaller on the way.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Response as HttpResponse, header};
use axum::response::Response;
use tower_http::compression::predicate::Predicate;

use super::edge::Transport;

/// What has no policy of its own is nothing that a browser runs, shows in a frame, or loads something for.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// What no page of ours needs of a browser.
const NO_DEVICES: HeaderValue =
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// For a year, once it was told that TLS ends before it.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds what an answer does not say of itself.
pub(super) async fn shielded(State(transport): State<Transport>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    let usual = [
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, NOTHING),
        (PERMISSIONS_POLICY, NO_DEVICES),
    ];
    for (name, value) in usual {
        headers.entry(name).or_insert(value);
    }
    match transport {
        Transport::Tls => {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_TLS);
        }
        Transport::Plain => {}
    }
    response
}

/// Less than this is not worth it: it fits into a packet.
const WORTH_IT: u64 = 1_024;

/// Which answers are made smaller: texts that anybody may read. How small a text becomes tells of what is in it, so that an
/// answer that has a secret beside words which somebody else chose is never among them (BREACH); and none that is sent bit by
/// bit, as events are, since nothing of it would come before its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicTexts;

impl Predicate for PublicTexts {
    fn should_compress<B>(&self, response: &HttpResponse<B>) -> bool
    where
        B: axum::body::HttpBody,
    {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let public = text(header::CACHE_CONTROL).is_some_and(|value| value.starts_with("public"));
        let kind = text(header::CONTENT_TYPE).unwrap_or_default();
        let is_text = kind.starts_with("application/json") || kind.starts_with("text/html");
        let large = response
            .body()
            .size_hint()
            .exact()
            .is_some_and(|bytes| bytes >= WORTH_IT);
        public && is_text && large
    }
}
