//! Text messages as RingCentral tells of them (developers.ringcentral.com, "Instant Message Event"). It signs nothing: whoever
//! knows the subscription's verification token is believed.

use domain::conversation::ConversationChannel;
use domain::customer::fold_phone;
use domain::organisation::WebhookRefusal;
use serde_json::Value;

use super::secrets::{Proven, SharedSecrets, prove_token};
use super::{IncomingMessage, NoticeUnreadable, in_brackets};

/// Whom the token of a notice speaks for.
///
/// # Errors
/// [`WebhookRefusal::Unsigned`] without a token, [`WebhookRefusal::Forged`] with one that is none of ours.
pub fn check_ringcentral_token(
    token: Option<&str>,
    tokens: &SharedSecrets,
    at: Option<&str>,
) -> Result<Proven, WebhookRefusal> {
    match prove_token(token.ok_or(WebhookRefusal::Unsigned)?, tokens, at) {
        Proven::Nothing => Err(WebhookRefusal::Forged),
        proven @ (Proven::OfAny | Proven::Of(_)) => Ok(proven),
    }
}

/// The text message that a notice tells of; none for one that tells of something else, or of what the company sent.
///
/// # Errors
/// [`NoticeUnreadable`] for what is no notice.
pub fn read_ringcentral(body: &[u8]) -> Result<Option<IncomingMessage>, NoticeUnreadable> {
    let notice: Value = serde_json::from_slice(body).map_err(|_| NoticeUnreadable)?;
    if !notice.is_object() {
        return Err(NoticeUnreadable);
    }
    Ok(message(&notice["body"]))
}

fn message(body: &Value) -> Option<IncomingMessage> {
    let field = |name: &str| body[name].as_str().unwrap_or_default();
    if field("direction") != "Inbound" || !matches!(field("type"), "SMS" | "MMS") {
        return None;
    }
    let sender = body["from"]["phoneNumber"].as_str()?;
    let external_id = match &body["id"] {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let words = Some(field("subject")).filter(|words| !words.trim().is_empty());
    let text = match (attached(body), words) {
        (Some(kind), words) => in_brackets(&kind, words),
        (None, Some(words)) => words.to_owned(),
        (None, None) => in_brackets("", None),
    };
    Some(IncomingMessage {
        provider: "ringcentral",
        channel: ConversationChannel::Sms,
        // A short code, or a name, stays as it is.
        sender: fold_phone(sender).unwrap_or_else(|_| sender.to_owned()),
        external_id,
        text,
    })
}

/// What is attached beside the text, as the first half of its media type.
fn attached(body: &Value) -> Option<String> {
    let attachments = body["attachments"].as_array()?;
    let other = attachments.iter().find(|attachment| {
        let is_text = attachment["type"] == "Text";
        let media_type = attachment["contentType"].as_str().unwrap_or_default();
        !is_text && media_type != "text/plain" && media_type != "application/smil"
    })?;
    let media_type = other["contentType"].as_str().unwrap_or_default();
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    Some(match kind {
        "image" | "video" | "audio" => kind.to_owned(),
        _ => "file".to_owned(),
    })
}
