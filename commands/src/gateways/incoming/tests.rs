use domain::conversation::ConversationChannel;
use domain::organisation::WebhookRefusal;
use domain::router::{self, Intent};
use serde_json::{Value, json};

use super::*;

const VECTORS: &str = include_str!("../../../../tests/golden/webhook_vectors.json");

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn signatures_with_known_answers_are_judged_so() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let signed = vectors["meta"].as_array().unwrap().iter();
    let signed: Vec<&Value> = signed.filter(|vector| vector["payload"].is_string()).collect();
    assert_eq!(signed.len(), 3);
    for vector in signed {
        let secrets = SharedSecrets::parse(text(&vector["app_secret"]));
        let judge =
            |body: &str| check_meta_signature(Some(text(&vector["header"])), body.as_bytes(), &secrets, None);
        let body = text(&vector["payload"]);
        let accepted = vector["expect"] == "accept";
        assert_eq!(judge(body).is_ok(), accepted, "{}", vector["name"]);
        assert!(judge(&format!("{body} ")).is_err());
    }
}

#[test]
fn what_is_no_signature_is_none_and_anothers_is_forged() {
    let good = "sha256=0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914";
    let check = |header: Option<&str>, secrets: &str| {
        check_meta_signature(header, b"test", &SharedSecrets::parse(secrets), None)
    };
    assert_eq!(check(Some(good), "old, secret\n"), Ok(Proven::OfAny));
    assert_eq!(check(Some(good), "other"), Err(WebhookRefusal::Forged));
    assert_eq!(check(Some(good), ""), Err(WebhookRefusal::Forged));
    let half = &good[..39];
    let longer = format!("{good}00");
    for header in [None, Some(""), Some("sha256="), Some(half), Some(longer.as_str())] {
        assert_eq!(
            check(header, "secret"),
            Err(WebhookRefusal::Unsigned),
            "{header:?}"
        );
    }
}

#[test]
fn a_secret_of_one_company_proves_nothing_at_anothers_address() {
    let tokens = SharedSecrets::parse("ours:one, two theirs:three :four empty:");
    let prove = |token: &str, at: Option<&str>| prove_token(token, &tokens, at);
    assert_eq!(prove("one", Some("ours")), Proven::Of("ours".to_owned()));
    assert_eq!(prove("one", None), Proven::Of("ours".to_owned()));
    assert_eq!(prove("one", Some("theirs")), Proven::Nothing);
    assert_eq!(prove("two", Some("theirs")), Proven::OfAny);
    for token in ["", "on", "onee", "ours:one", "four"] {
        assert_eq!(prove(token, None), Proven::Nothing, "{token}");
    }
    assert_eq!(format!("{tokens:?}"), "SharedSecrets(4 secrets)");
}

#[test]
fn whatsapp_messages_are_read_and_the_rest_is_passed_over() {
    let message = |id: &str, kind: &str, content: Value| json!({"from": "14085550123", "id": id, "type": kind, kind: content});
    let value = json!({
        "messaging_product": "whatsapp",
        "messages": [
            message("1", "text", json!({"body": "Hi, 你好"})),
            message("2", "image", json!({"id": "9", "caption": "our yard"})),
            message("3", "location", json!({"latitude": 37.3, "longitude": -121.9})),
            message("4", "document", json!({"filename": "menu.pdf"})),
            message("5", "interactive", json!({"button_reply": {"id": "x", "title": "Yes"}})),
            message("6", "reaction", json!({"message_id": "1", "emoji": "👍"})),
            message("7", "unsupported", json!({})),
            {"type": "text"},
        ],
        "statuses": [{"id": "wamid.x", "status": "read"}],
    });
    let notice = json!({"object": "whatsapp_business_account", "entry": [
        {"id": "1", "changes": [{"field": "messages", "value": value}, {"field": "account_update", "value": {}}]},
        {"id": "2"},
    ]});
    let read = read_meta(notice.to_string().as_bytes()).unwrap();
    let said: Vec<(&str, &str)> = read
        .iter()
        .map(|message| (message.external_id.as_str(), message.text.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("1", "Hi, 你好"),
            ("2", "[a picture] our yard"),
            ("3", "[a point on a map]"),
            ("4", "[a file] menu.pdf"),
            ("5", "Yes"),
            ("7", "[something that is not text]"),
        ]
    );
    assert!(read.iter().all(|message| {
        message.sender == "14085550123" && message.channel == ConversationChannel::Whatsapp
    }));
}

#[test]
fn messages_to_pages_are_read_and_what_the_company_said_itself_is_not() {
    let event =
        |message: Value| json!({"sender": {"id": "2002"}, "recipient": {"id": "1001"}, "message": message});
    let notice = |object: &str| {
        json!({"object": object, "entry": [{"id": "1001", "messaging": [
            event(json!({"mid": "m_1", "text": "Hibachi for 12 on Saturday?"})),
            event(json!({"mid": "m_2", "text": "ours", "is_echo": true})),
            event(json!({"mid": "m_3", "is_deleted": true})),
            event(json!({"mid": "m_4", "attachments": [{"type": "audio", "payload": {"url": "https://x.test"}}]})),
            {"sender": {"id": "2002"}, "read": {"watermark": 1}},
            {"sender": {"id": "2002"}, "postback": {"mid": "m_5", "title": "Get started", "payload": "START"}},
        ]}]})
        .to_string()
    };
    for (object, channel) in [
        ("page", ConversationChannel::Messenger),
        ("instagram", ConversationChannel::Instagram),
    ] {
        let read = read_meta(notice(object).as_bytes()).unwrap();
        let said: Vec<(&str, &str)> = read
            .iter()
            .map(|message| (message.external_id.as_str(), message.text.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("m_1", "Hibachi for 12 on Saturday?"),
                ("m_4", "[a recording]"),
                ("m_5", "Get started")
            ]
        );
        assert!(
            read.iter()
                .all(|message| message.channel == channel && message.sender == "2002")
        );
    }
    assert_eq!(read_meta(notice("user").as_bytes()).map(|read| read.len()), Ok(0));
    for nothing in ["test", "[]", "{}", "null", "{\"object\":1}"] {
        assert_eq!(
            read_meta(nothing.as_bytes()).err(),
            Some(NoticeUnreadable),
            "{nothing}"
        );
    }
}

#[test]
fn a_text_message_is_read_and_what_the_company_sent_is_not() {
    let notice = |change: &dyn Fn(&mut Value)| {
        let mut notice = json!({
            "uuid": "1", "event": "/restapi/v1.0/account/1/extension/2/message-store/instant?type=SMS",
            "subscriptionId": "s", "body": {
                "id": 12_345, "type": "SMS", "direction": "Inbound", "subject": "Do you come to 95112?",
                "from": {"phoneNumber": "+14085550123"}, "to": [{"phoneNumber": "+16505550100"}],
                "attachments": [{"id": "1", "type": "Text", "contentType": "text/plain"}],
            },
        });
        change(&mut notice);
        read_ringcentral(notice.to_string().as_bytes()).unwrap()
    };
    let said = notice(&|_| {}).unwrap();
    assert_eq!(
        (
            said.sender.as_str(),
            said.external_id.as_str(),
            said.text.as_str()
        ),
        ("14085550123", "12345", "Do you come to 95112?")
    );
    let picture = notice(&|notice| {
        notice["body"]["type"] = json!("MMS");
        notice["body"]["subject"] = json!("");
        notice["body"]["attachments"] = json!([{"type": "MmsAttachment", "contentType": "image/jpeg"}]);
    });
    assert_eq!(picture.unwrap().text, "[a picture]");
    assert!(notice(&|notice| notice["body"]["direction"] = json!("Outbound")).is_none());
    assert!(notice(&|notice| notice["body"]["type"] = json!("Fax")).is_none());
    assert!(
        notice(&|notice| notice["body"] = json!({"changes": [{"type": "SMS", "newCount": 1}]})).is_none()
    );
    assert_eq!(read_ringcentral(b"test").err(), Some(NoticeUnreadable));
}

/// Otherwise the assistant would answer a picture as if it had been asked for something.
#[test]
fn what_is_told_in_brackets_asks_for_nothing() {
    let kinds = [
        "image", "video", "audio", "sticker", "document", "location", "contacts", "order", "new",
    ];
    for kind in kinds {
        let verdict = router::hear(&in_brackets(kind, None));
        assert_eq!(
            (verdict.intent, verdict.human_word),
            (Intent::Other, None),
            "{kind}"
        );
    }
}
