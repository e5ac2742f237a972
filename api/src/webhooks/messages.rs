//! Messages from customers, as the providers of their channels hand them over: `POST /webhooks/meta` and `/webhooks/ringcentral`,
//! each also with a company's slug behind it.
//!
//! Whose word it is shows the provider's signature or token; whose company it is about the address, else the company that the
//! secret was given for, else the only company there is. Answered with 200 once each message is part of a conversation or known
//! to say nothing new; with 401 where nobody has proven to be the provider; with 503 where it could not be kept, so that the
//! provider tells again.

use std::sync::Arc;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::conversation::Received;
use commands::gateways::incoming::{
    IncomingMessage, Proven, SharedSecrets, check_meta_signature, check_ringcentral_token, prove_token,
    read_meta, read_ringcentral,
};
use domain::ids::TenantId;
use domain::organisation::WebhookRefusal;
use serde::Deserialize;

use super::plain;
use super::stripe::only_company;
use crate::app::App;

/// The largest notice of Meta's that is read, in bytes: it sends many in one.
pub(super) const LARGEST_META: usize = 3 << 20;

const META_SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
const VALIDATION: HeaderName = HeaderName::from_static("validation-token");
const VERIFICATION: HeaderName = HeaderName::from_static("verification-token");
/// The longest text that is sent back to whoever asks for it, in bytes. RingCentral takes no answer above 1,024 bytes.
const LONGEST_ECHO: usize = 256;

/// With which the providers of messages prove who they are; none for those that hand nothing over here.
#[derive(Debug, Clone, Default)]
pub struct MessageSecrets {
    /// The secrets of Meta's applications.
    pub meta: SharedSecrets,
    /// What Meta's subscriptions are verified by.
    pub meta_verify: SharedSecrets,
    /// What RingCentral's subscriptions are verified by.
    pub ringcentral: SharedSecrets,
}

/// What Meta asks with before it sends.
#[derive(Deserialize)]
pub(super) struct Handshake {
    #[serde(rename = "hub.mode")]
    mode: Option<String>,
    #[serde(rename = "hub.verify_token")]
    token: Option<String>,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
}

type Asked = Result<Query<Handshake>, QueryRejection>;

/// Meta asks whether this is where it should send: for any company.
pub(super) async fn meta_asks(State(app): State<Arc<App>>, handshake: Asked) -> Response {
    shake_hands(&app, None, handshake)
}

/// Meta asks whether this is where it should send: for the company of the address.
pub(super) async fn meta_asks_of(
    State(app): State<Arc<App>>,
    Path(organisation): Path<String>,
    handshake: Asked,
) -> Response {
    shake_hands(&app, Some(&organisation), handshake)
}

fn shake_hands(app: &App, at: Option<&str>, handshake: Asked) -> Response {
    let tokens = &app.message_secrets.meta_verify;
    if tokens.is_empty() {
        return nothing_here();
    }
    let no = || plain(StatusCode::FORBIDDEN, "this is not the token\n");
    let Ok(Query(Handshake {
        mode: Some(mode),
        token: Some(token),
        challenge: Some(challenge),
    })) = handshake
    else {
        return no();
    };
    let is_ours = prove_token(&token, tokens, at) != Proven::Nothing;
    if mode != "subscribe" || !is_ours || !may_echo(&challenge) {
        tracing::warn!("a subscription of Meta's is not confirmed");
        return no();
    }
    let as_text = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (as_text, challenge).into_response()
}

/// Whether a text of somebody else's may be sent back: short, and nothing but visible letters of ASCII.
fn may_echo(text: &str) -> bool {
    (1..=LONGEST_ECHO).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A notice of Meta's for any company.
pub(super) async fn meta(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(body, async |body| hear_meta(&app, None, &headers, body).await).await
}

/// A notice of Meta's for the company of the address.
pub(super) async fn meta_of(
    State(app): State<Arc<App>>,
    Path(organisation): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let at = Some(organisation.as_str());
    answer(body, async |body| hear_meta(&app, at, &headers, body).await).await
}

async fn hear_meta(app: &App, at: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Response> {
    let secrets = &app.message_secrets.meta;
    if secrets.is_empty() {
        return Ok(nothing_here());
    }
    let signature = text(headers, &META_SIGNATURE);
    let proven = match check_meta_signature(signature, body, secrets, at) {
        Ok(proven) => proven,
        Err(why) => return turn_away(app, at, "meta", why).await,
    };
    match read_meta(body) {
        Ok(messages) => keep(app, at, proven, messages).await,
        Err(_) => Ok(unreadable()),
    }
}

/// A notice of RingCentral's for any company.
pub(super) async fn ringcentral(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(body, async |body| {
        hear_ringcentral(&app, None, None, &headers, body).await
    })
    .await
}

/// A notice of RingCentral's for the company of the address.
pub(super) async fn ringcentral_of(
    State(app): State<Arc<App>>,
    Path(organisation): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let at = Some(organisation.as_str());
    answer(body, async |body| {
        hear_ringcentral(&app, at, None, &headers, body).await
    })
    .await
}

/// The same at an address with the token in it, which nobody else knows: there a subscription is confirmed.
pub(super) async fn ringcentral_secret(
    State(app): State<Arc<App>>,
    Path((organisation, token)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let at = Some(organisation.as_str());
    answer(body, async |body| {
        hear_ringcentral(&app, at, Some(&token), &headers, body).await
    })
    .await
}

async fn hear_ringcentral(
    app: &App,
    at: Option<&str>,
    in_address: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response> {
    let tokens = &app.message_secrets.ringcentral;
    if tokens.is_empty() {
        return Ok(nothing_here());
    }
    let sent = text(headers, &VERIFICATION);
    // The address confirms a subscription; only the header speaks for a message.
    if let Some(asked) = headers.get(VALIDATION) {
        let token = sent.or(in_address);
        return match check_ringcentral_token(token, tokens, at) {
            Ok(_) => Ok(confirm(asked)),
            Err(why) => turn_away(app, at, "ringcentral", why).await,
        };
    }
    let proven = match check_ringcentral_token(sent, tokens, at) {
        Ok(proven) => proven,
        Err(why) => return turn_away(app, at, "ringcentral", why).await,
    };
    match read_ringcentral(body) {
        Ok(message) => keep(app, at, proven, Vec::from_iter(message)).await,
        Err(_) => Ok(unreadable()),
    }
}

/// Sends a validation token back, as RingCentral wants it.
fn confirm(asked: &HeaderValue) -> Response {
    match asked.to_str() {
        Ok(token) if may_echo(token) => ([(VALIDATION, asked.clone())], "").into_response(),
        Ok(_) | Err(_) => plain(StatusCode::BAD_REQUEST, "this is no validation token\n"),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn nothing_here() -> Response {
    plain(StatusCode::NOT_FOUND, "no messages are heard here\n")
}

fn unreadable() -> Response {
    tracing::warn!("a notice of messages cannot be read");
    plain(StatusCode::BAD_REQUEST, "this is no notice\n")
}

/// What a notice is answered with: nothing is heard of what cannot be read, and what cannot be kept is told again.
async fn answer<F>(body: Result<Bytes, BytesRejection>, hear: F) -> Response
where
    F: AsyncFnOnce(&[u8]) -> Result<Response>,
{
    let body = match body {
        Ok(body) => body,
        Err(rejected) => {
            tracing::warn!(status = %rejected.status(), "a notice of messages cannot be read");
            let mut response = plain(rejected.status(), "the notice cannot be read\n");
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
            return response;
        }
    };
    match hear(&body).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a notice of messages is not kept; the provider tells again");
            plain(StatusCode::SERVICE_UNAVAILABLE, "try again later\n")
        }
    }
}

/// Keeps what customers wrote.
async fn keep(
    app: &App,
    at: Option<&str>,
    proven: Proven,
    messages: Vec<IncomingMessage>,
) -> Result<Response> {
    let slug = match (at, &proven) {
        (Some(slug), _) => Some(slug),
        (None, Proven::Of(slug)) => Some(slug.as_str()),
        (None, Proven::OfAny | Proven::Nothing) => None,
    };
    let Some(tenant) = company(app, slug).await? else {
        tracing::warn!("a notice of messages is of no company here");
        return Ok(plain(StatusCode::NOT_FOUND, "this is of no organisation here\n"));
    };
    let mut kept = false;
    for message in messages {
        kept |= app.commands.hear_message(tenant, message).await? == Received::Kept;
    }
    let said = if kept { "recorded\n" } else { "nothing new\n" };
    Ok(plain(StatusCode::OK, said))
}

async fn company(app: &App, slug: Option<&str>) -> Result<Option<TenantId>> {
    match slug {
        Some(slug) => {
            let found = app.database.organisation_by_slug(slug).await?;
            Ok(found.map(|found| found.tenant))
        }
        None => only_company(app).await,
    }
}

/// Logs that a notice was turned away, without a word of it, and notes it for the company, where that is known. Who cannot
/// prove to be the provider is not told which companies there are.
async fn turn_away(
    app: &App,
    at: Option<&str>,
    provider: &'static str,
    why: WebhookRefusal,
) -> Result<Response> {
    tracing::warn!(
        provider,
        why = why.as_str(),
        "a notice of messages is turned away"
    );
    if let Some(tenant) = company(app, at).await? {
        app.commands.note_refused_webhook(tenant, provider, why).await?;
    }
    Ok(plain(
        StatusCode::UNAUTHORIZED,
        "nobody has proven who says this\n",
    ))
}
