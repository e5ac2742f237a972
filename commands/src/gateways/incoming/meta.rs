//! Messages as Meta tells of them: WhatsApp, Messenger and Instagram, in batches, signed over the raw bytes
//! (developers.facebook.com, "Validate payloads"). The signature has no time: a message is told apart by its id.

use domain::conversation::ConversationChannel;
use domain::organisation::WebhookRefusal;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::secrets::{Proven, SharedSecrets};
use super::{IncomingMessage, NoticeUnreadable, in_brackets};

/// Whom the signature of a notice speaks for: `sha256=` and the HMAC of the raw bytes by the application's secret.
///
/// # Errors
/// [`WebhookRefusal::Unsigned`] without one that can be read, [`WebhookRefusal::Forged`] with one that is none of ours.
pub fn check_meta_signature(
    header: Option<&str>,
    body: &[u8],
    secrets: &SharedSecrets,
    at: Option<&str>,
) -> Result<Proven, WebhookRefusal> {
    let mut signature = [0; 32];
    let digits = header.and_then(|header| header.strip_prefix("sha256="));
    hex::decode_to_slice(digits.ok_or(WebhookRefusal::Unsigned)?, &mut signature)
        .map_err(|_| WebhookRefusal::Unsigned)?;
    let fits = |secret: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    };
    match secrets.prove(at, fits) {
        Proven::Nothing => Err(WebhookRefusal::Forged),
        proven @ (Proven::OfAny | Proven::Of(_)) => Ok(proven),
    }
}

/// The messages of a notice, in their order; those alone that customers wrote.
///
/// # Errors
/// [`NoticeUnreadable`] for what is no notice.
pub fn read_meta(body: &[u8]) -> Result<Vec<IncomingMessage>, NoticeUnreadable> {
    let notice: Value = serde_json::from_slice(body).map_err(|_| NoticeUnreadable)?;
    let object = notice["object"].as_str().ok_or(NoticeUnreadable)?;
    let entries = notice["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(match object {
        "whatsapp_business_account" => entries.iter().flat_map(whatsapp).collect(),
        "page" => of_pages(entries, ConversationChannel::Messenger),
        "instagram" => of_pages(entries, ConversationChannel::Instagram),
        _ => Vec::new(),
    })
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn whatsapp(entry: &Value) -> Vec<IncomingMessage> {
    let changes = list(&entry["changes"]).iter();
    let messages = changes
        .filter(|change| change["field"] == "messages")
        .flat_map(|change| list(&change["value"]["messages"]));
    messages.filter_map(whatsapp_message).collect()
}

fn whatsapp_message(message: &Value) -> Option<IncomingMessage> {
    let kind = message["type"].as_str()?;
    let of_kind = &message[kind];
    let text = match kind {
        "text" => of_kind["body"].as_str()?.to_owned(),
        "button" => of_kind["text"].as_str()?.to_owned(),
        "interactive" => {
            let chosen = of_kind["button_reply"]["title"]
                .as_str()
                .or(of_kind["list_reply"]["title"].as_str());
            chosen.map_or_else(|| in_brackets(kind, None), str::to_owned)
        }
        // A mark at a message that was said before; and that somebody has another number now.
        "reaction" | "system" => return None,
        "document" => in_brackets(kind, of_kind["caption"].as_str().or(of_kind["filename"].as_str())),
        kind => in_brackets(kind, of_kind["caption"].as_str()),
    };
    Some(IncomingMessage {
        provider: "meta",
        channel: ConversationChannel::Whatsapp,
        sender: message["from"].as_str()?.to_owned(),
        external_id: message["id"].as_str()?.to_owned(),
        text,
    })
}

fn of_pages(entries: &[Value], channel: ConversationChannel) -> Vec<IncomingMessage> {
    let events = entries.iter().flat_map(|entry| list(&entry["messaging"]));
    events.filter_map(|event| page_message(event, channel)).collect()
}

fn page_message(event: &Value, channel: ConversationChannel) -> Option<IncomingMessage> {
    let (message, postback) = (&event["message"], &event["postback"]);
    let (id, text) = if message.is_object() {
        // What the company said itself comes back; what was taken back says nothing any more.
        if message["is_echo"] == true || message["is_deleted"] == true {
            return None;
        }
        let words = message["text"].as_str().filter(|words| !words.trim().is_empty());
        let attached = list(&message["attachments"]).first();
        let text = match (attached.and_then(|attached| attached["type"].as_str()), words) {
            (Some(kind), words) => in_brackets(kind, words),
            (None, Some(words)) => words.to_owned(),
            (None, None) => in_brackets("", None),
        };
        (message["mid"].as_str()?, text)
    } else {
        (postback["mid"].as_str()?, postback["title"].as_str()?.to_owned())
    };
    Some(IncomingMessage {
        provider: "meta",
        channel,
        sender: event["sender"]["id"].as_str()?.to_owned(),
        external_id: id.to_owned(),
        text,
    })
}
