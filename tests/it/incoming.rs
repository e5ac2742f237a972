//! Customers' messages as the providers of their channels hand them over: whose word it is, and that each is heard once.

mod delivered;
mod secrets;
mod senders;

use std::collections::BTreeSet;

use api::app::App;
use api::webhooks::MessageSecrets;
use commands::gateways::incoming::SharedSecrets;
use domain::access::Role;
use domain::conversation::{ConversationChannel, ConversationEvent, MessageAuthor};
use domain::customer::CustomerEvent;
use domain::envelope::Position;
use domain::ids::CustomerId;
use domain::organisation::OrganisationEvent;
use domain::recorded::{DomainEvent, Recorded};
use event_log::Opened;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::http::{Client, Company, Server, global_id, party, with};

const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
const RINGCENTRAL_TOKEN: &str = "vtok_test_0001";

/// A program that hears messages by these secrets.
async fn open_with(meta: &'static str, ringcentral: &'static str) -> Server {
    Server::start_as(move |app| App {
        message_secrets: MessageSecrets {
            meta: SharedSecrets::parse(meta),
            meta_verify: SharedSecrets::parse("vt_test"),
            ringcentral: SharedSecrets::parse(ringcentral),
        },
        ..app
    })
    .await
}

async fn open() -> Server {
    open_with("0123456789abcdef0123456789abcdef secret", RINGCENTRAL_TOKEN).await
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Posts a body under headers; the status and the text of the answer.
async fn post(
    to: &Client,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> (u16, String) {
    let request = headers.iter().fold(to.post(path), |request, (name, value)| {
        request.header(*name, *value)
    });
    let answer = request.body(body).send().await.expect("the program answers");
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

/// Hands over a notice of Meta's, signed.
async fn tell_meta(to: &Client, notice: &Value) -> (u16, String) {
    let body = notice.to_string();
    let signed = signature(APP_SECRET, &body);
    post(to, "/webhooks/meta", &[("X-Hub-Signature-256", &signed)], body).await
}

/// Hands over a notice of RingCentral's, with its token.
async fn tell_ringcentral(to: &Client, notice: &Value) -> (u16, String) {
    let token = [("Verification-Token", RINGCENTRAL_TOKEN)];
    post(to, "/webhooks/ringcentral", &token, notice.to_string()).await
}

/// A WhatsApp message.
fn whatsapp(id: &str, from: &str, text: &str) -> Value {
    let message = json!({"from": from, "id": id, "timestamp": "1", "type": "text", "text": {"body": text}});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        {"field": "messages", "value": {"messaging_product": "whatsapp", "messages": [message]}},
    ]}]})
}

/// A text message.
fn sms(id: &str, from: &str, text: &str) -> Value {
    json!({
        "uuid": id, "event": "/restapi/v1.0/account/1/extension/2/message-store/instant?type=SMS", "body": {
            "id": id, "type": "SMS", "direction": "Inbound", "subject": text, "from": {"phoneNumber": from},
            "attachments": [{"id": "1", "type": "Text", "contentType": "text/plain"}],
        },
    })
}

async fn events(server: &Server, company: &Company) -> Vec<Recorded> {
    let log = &server.app.log;
    let events = log.read(company.tenant, Position::START, 10_000, None).await;
    let events = events.expect("the log answers").into_iter();
    events
        .map(|event| Recorded::try_from(event).expect("it can be read"))
        .collect()
}

/// What a customer said.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    conversation: String,
    channel: ConversationChannel,
    text: String,
}

/// What customers have said, in order; erased where it opens no more.
async fn said(server: &Server, company: &Company) -> Vec<Said> {
    let mut said = Vec::new();
    for event in events(server, company).await {
        let DomainEvent::Conversation(ConversationEvent::MessagePosted(posted)) = &event.event else {
            continue;
        };
        if posted.author != MessageAuthor::Customer {
            continue;
        }
        let vault = &server.app.vault;
        let opened = vault
            .open(company.tenant, &event.stream, "text", &posted.text)
            .await;
        said.push(Said {
            conversation: event.stream.id.clone(),
            channel: posted.channel,
            text: match opened.expect("it opens") {
                Opened::Text(text) => text,
                Opened::Erased => "erased".to_owned(),
            },
        });
    }
    said
}

/// With whom conversations were begun.
async fn begun(server: &Server) -> Vec<Option<CustomerId>> {
    let events = events(server, &server.company).await;
    let begun = events.iter().filter_map(|event| {
        let DomainEvent::Conversation(ConversationEvent::Started(started)) = &event.event else {
            return None;
        };
        Some(started.customer_id)
    });
    begun.collect()
}

/// The notices that were turned away, as the log has them.
async fn refused(server: &Server, company: &Company) -> Vec<(String, &'static str)> {
    let events = events(server, company).await;
    let refused = events.iter().filter_map(|event| {
        let DomainEvent::Organisation(OrganisationEvent::WebhookRefused(refused)) = &event.event else {
            return None;
        };
        Some((refused.provider.clone(), refused.why.as_str()))
    });
    refused.collect()
}

#[tokio::test]
async fn a_message_that_is_told_sixteen_times_at_once_is_heard_once() {
    let server = open().await;
    let client = server.nobody();
    for (notice, told) in [
        (
            whatsapp("wamid.1", "14085550123", "how much for 12 adults?"),
            "meta",
        ),
        (
            sms("77", "+14085550123", "how much for 12 adults?"),
            "ringcentral",
        ),
    ] {
        let tell = async || match told {
            "meta" => tell_meta(&client, &notice).await,
            _ => tell_ringcentral(&client, &notice).await,
        };
        let answers = futures::future::join_all((0..16).map(|_| tell())).await;
        for (status, said) in &answers {
            assert_eq!(*status, 200, "{said}");
        }
        let recorded = answers.iter().filter(|(_, said)| said == "recorded\n").count();
        assert!(recorded >= 1);
        assert_eq!(tell().await, (200, "nothing new\n".to_owned()));
    }
    let said = said(&server, &server.company).await;
    let channels: Vec<ConversationChannel> = said.iter().map(|said| said.channel).collect();
    assert_eq!(
        channels,
        [ConversationChannel::Whatsapp, ConversationChannel::Sms]
    );
    assert_eq!(begun(&server).await.len(), 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn sixteen_messages_of_one_sender_at_once_are_one_conversation() {
    let server = open().await;
    let client = server.nobody();
    let notices: Vec<Value> = (0..16)
        .map(|number| {
            whatsapp(
                &format!("wamid.{number}"),
                "14085550123",
                &format!("line {number}"),
            )
        })
        .collect();
    let mut left: Vec<&Value> = notices.iter().collect();
    // What cannot be kept while so many write is told again, as the provider does.
    for _ in 0..20 {
        let answers = futures::future::join_all(left.iter().map(|notice| tell_meta(&client, notice))).await;
        left = left
            .into_iter()
            .zip(answers)
            .filter_map(|(notice, (status, said))| {
                assert!(status == 200 || status == 503, "{status} {said}");
                (status == 503).then_some(notice)
            })
            .collect();
        if left.is_empty() {
            break;
        }
    }
    let said = said(&server, &server.company).await;
    let texts: BTreeSet<&str> = said.iter().map(|said| said.text.as_str()).collect();
    assert_eq!((said.len(), texts.len()), (16, 16));
    assert_eq!(begun(&server).await, [None]);
}

#[tokio::test]
async fn what_is_no_text_is_kept_as_what_it_is() {
    let server = open().await;
    let client = server.nobody();
    let image = json!({"from": "14085550123", "id": "w1", "type": "image", "image": {"id": "9", "caption": "our yard"}});
    let voice = json!({"from": "14085550123", "id": "w2", "type": "audio", "audio": {"id": "9"}});
    let notice = json!({"object": "whatsapp_business_account", "entry": [{"changes": [
        {"field": "messages", "value": {"messages": [image, voice], "statuses": [{"id": "w0", "status": "read"}]}},
    ]}]});
    assert_eq!(tell_meta(&client, &notice).await.0, 200);
    let long = "x".repeat(10_001);
    let huge_id = "m".repeat(400);
    let page = json!({"object": "instagram", "entry": [{"messaging": [
        {"sender": {"id": "1"}, "message": {"mid": huge_id, "text": long}},
        {"sender": {"id": "1"}, "message": {"mid": "m2", "text": "  "}},
    ]}]});
    assert_eq!(tell_meta(&client, &page).await.0, 200);
    assert_eq!(tell_meta(&client, &page).await.1, "nothing new\n");
    let nothing = json!({"object": "page", "entry": [{"messaging": [{"sender": {"id": "1"}, "read": {}}]}]});
    assert_eq!(
        tell_meta(&client, &nothing).await,
        (200, "nothing new\n".to_owned())
    );
    let said = said(&server, &server.company).await;
    let texts: Vec<usize> = said.iter().map(|said| said.text.chars().count()).collect();
    assert_eq!(
        (said[0].text.as_str(), said[1].text.as_str()),
        ("[a picture] our yard", "[a recording]")
    );
    assert_eq!(texts[2..], [10_000, 28]);
}
