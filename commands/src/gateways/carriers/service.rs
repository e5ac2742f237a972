//! What the services that text have in common: requests over HTTP with a time limit, and what an answer means.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};
use serde_json::Value;

use super::CarrierSetupError;
use crate::ports::CarrierError;

/// How long one request may take, where nobody has said otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(6);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 1 << 20;

/// A secret of an account, or what else nobody needs to see; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// The credential of a text; none for an empty one, or one that fits in no header.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    pub(in crate::gateways) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// A service behind an address.
#[derive(Debug, Clone)]
pub(super) struct Service {
    base: Url,
    http: Client,
}

/// What a service answers.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Its body, where that is JSON.
    pub(super) body: Value,
}

impl Service {
    /// A service at an address that a secret may be sent to: by HTTPS, or on this machine.
    pub(super) fn at(url: &str, timeout: Duration) -> Result<Self, CarrierSetupError> {
        let base = Url::parse(url.trim()).map_err(|_| CarrierSetupError("the address is none"))?;
        let here = match base.host_str() {
            Some(host) => is_here(host),
            None => return Err(CarrierSetupError("the address has no host")),
        };
        let scheme_fits = base.scheme() == "https" || (here && base.scheme() == "http");
        if !scheme_fits {
            return Err(CarrierSetupError("the address is not https"));
        }
        let client = Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(redirect::Policy::none())
            .user_agent("hibachi");
        let client = if here { client.no_proxy() } else { client };
        let http = client
            .build()
            .map_err(|_| CarrierSetupError("the client cannot be set up"))?;
        Ok(Self { base, http })
    }

    /// A POST to a place below the address.
    pub(super) fn post(&self, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.http.post(url)
    }
}

/// Whether a host is this machine.
pub(in crate::gateways) fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1")
}

/// Sends a request once.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, CarrierError> {
    let unreachable = |_: reqwest::Error| CarrierError::Unreachable;
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(CarrierError::Unreachable);
        }
        body.extend_from_slice(&chunk);
    }
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Answer { status, body })
}

/// What an answer that is no success means, as far as its status tells.
pub(super) fn refused(status: StatusCode) -> CarrierError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            CarrierError::Misconfigured
        }
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => CarrierError::Unreachable,
        status if status.is_client_error() => CarrierError::Refused,
        _ => CarrierError::Unreachable,
    }
}

/// An id, as text or as a number.
pub(super) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
