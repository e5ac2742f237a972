//! Answers go out by the channel that the customer wrote by: each once, at whatever hour to who has just written, and seen where
//! they do not arrive.

use std::sync::Arc;
use std::time::Duration;

use commands::ports::{CarrierError, Letter};
use domain::message::MessageChannel;
use tests::carrier::Double;

use super::*;

const ANNA: &str = "14085550177";
/// Ten in the evening in San Jose.
const NIGHT: &str = "2026-02-11T06:00:00Z";
const THREAD: &str = "conversations(first: 10) { nodes { id undeliveredCount messages(last: 5) {
    author text channel delivery undeliveredBecause undeliveredCode } } }";

/// A program whose double takes text messages.
async fn open_for(double: &Arc<Double>) -> (Server, Client) {
    let carrier = double.clone();
    let server = Server::start_as(move |app| App {
        commands: app.commands.sending_through(carrier),
        message_secrets: MessageSecrets {
            meta: SharedSecrets::parse(APP_SECRET),
            meta_verify: SharedSecrets::parse("vt_test"),
            ringcentral: SharedSecrets::parse(RINGCENTRAL_TOKEN),
        },
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    (server, admin)
}

fn texts() -> Arc<Double> {
    Arc::new(Double::of(&[MessageChannel::Sms]))
}

/// Does what is due, until nothing is.
async fn settled(server: &Server) {
    for _ in 0..3 {
        let done = server.app.commands.do_jobs(server.company.tenant).await;
        done.expect("jobs go on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.caught_up(&server.company).await;
}

/// Waits until so many were taken.
async fn taken(double: &Double, count: usize) -> Vec<Letter> {
    let waited = async {
        while double.taken().len() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), waited).await;
    assert!(in_time.is_ok(), "{:?}", double.taken());
    double.taken()
}

/// What was said in the only conversation, with what became of the company's part.
async fn thread(server: &Server, admin: &Client) -> Value {
    server.caught_up(&server.company).await;
    let mut answer = admin.data(&format!("{{ {THREAD} }}"), json!({})).await;
    answer["conversations"]["nodes"][0].take()
}

/// Where each of the company's messages stands.
fn deliveries(thread: &Value) -> Vec<Value> {
    let messages = thread["messages"].as_array().expect("messages");
    let ours = messages.iter().filter(|message| message["author"] != "customer");
    ours.map(|message| message["delivery"].clone()).collect()
}

async fn reply(admin: &Client, key: &str, thread: &Value, text: &str) {
    let input = json!({
        "idempotencyKey": key, "conversationId": thread["id"], "author": "STAFF", "text": text,
    });
    admin.done("messagePost", "conversation { id }", input).await;
}

/// How often which events of delivery are in the log.
async fn told(server: &Server) -> [usize; 2] {
    let events = events(server, &server.company).await;
    let count = |wanted: fn(&ConversationEvent) -> bool| {
        let of = |event: &&Recorded| matches!(&event.event, DomainEvent::Conversation(one) if wanted(one));
        events.iter().filter(of).count()
    };
    [
        count(|event| matches!(event, ConversationEvent::AnswerSent(_))),
        count(|event| matches!(event, ConversationEvent::AnswerUndelivered(_))),
    ]
}

/// Waits until so many were sent, and so many not.
async fn until_told(server: &Server, expected: [usize; 2]) {
    let waited = async {
        while told(server).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), waited).await;
    assert!(in_time.is_ok(), "{:?}", told(server).await);
    server.caught_up(&server.company).await;
}

#[tokio::test]
async fn an_answer_goes_out_once_though_the_message_is_told_twice() {
    let double = texts();
    let (server, mut admin) = open_for(&double).await;
    // At night, too: she has just written.
    server.set_clock(NIGHT);
    admin.sign_in_again().await;
    for _ in 0..2 {
        let heard = tell_ringcentral(&admin, &sms("1", "(408) 555-0177", "how much is it per person?")).await;
        assert_eq!(heard.0, 200);
    }
    let first = taken(&double, 1).await.remove(0);
    assert_eq!(
        (first.to.as_str(), first.channel, first.kind),
        (ANNA, MessageChannel::Sms, None)
    );
    let seen = thread(&server, &admin).await;
    let said = seen["messages"][1]["text"].as_str().expect("an answer");
    assert_eq!(said, first.text);
    reply(&admin, "r", &seen, "Shall we say Saturday?").await;
    taken(&double, 2).await;
    until_told(&server, [2, 0]).await;
    settled(&server).await;
    let both = double.taken();
    assert_eq!((both.len(), both[1].text.as_str()), (2, "Shall we say Saturday?"));
    assert_ne!(both[0].message_id, both[1].message_id);
    let seen = thread(&server, &admin).await;
    assert_eq!(deliveries(&seen), ["SENT", "SENT"]);
    assert_eq!(
        (told(&server).await, &seen["undeliveredCount"]),
        ([2, 0], &json!(0))
    );
    // Her number is nowhere in the log in clear.
    for event in events(&server, &server.company).await {
        assert!(!format!("{event:?}").contains("5550177"), "{event:?}");
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_is_said_on_the_companys_pages_stays_there() {
    let double = texts();
    let (server, admin) = open_for(&double).await;
    let asks = json!({"idempotencyKey": "a", "author": "CUSTOMER", "text": "how much is it per person?"});
    admin.done("messagePost", "conversation { id }", asks).await;
    // No service takes WhatsApp messages here, and nobody answers by Instagram.
    let seen = thread(&server, &admin).await;
    reply(&admin, "r", &seen, "Hello!").await;
    settled(&server).await;
    let seen = thread(&server, &admin).await;
    assert_eq!(deliveries(&seen), [Value::Null, Value::Null]);
    assert_eq!((double.taken().len(), told(&server).await), (0, [0, 0]));
}

#[tokio::test]
async fn an_answer_that_comes_late_at_night_waits_for_the_morning() {
    let double = texts();
    let (server, mut admin) = open_for(&double).await;
    server.set_clock("2026-02-11T05:40:00Z");
    admin.sign_in_again().await;
    tell_ringcentral(&admin, &sms("1", "(408) 555-0177", "I want to speak to a person")).await;
    server.set_clock(NIGHT);
    admin.sign_in_again().await;
    let seen = thread(&server, &admin).await;
    reply(&admin, "r", &seen, "Here I am").await;
    settled(&server).await;
    assert_eq!(double.taken().len(), 0);
    assert_eq!(deliveries(&thread(&server, &admin).await), ["WAITING"]);
    server.set_clock("2026-02-11T16:00:00Z");
    admin.sign_in_again().await;
    assert_eq!(taken(&double, 1).await[0].text, "Here I am");
    until_told(&server, [1, 0]).await;
    assert_eq!(deliveries(&thread(&server, &admin).await), ["SENT"]);
}

#[tokio::test]
async fn who_wants_no_more_texts_gets_no_answer() {
    let double = texts();
    let (server, admin) = open_for(&double).await;
    tell_ringcentral(&admin, &sms("1", "(408) 555-0177", "I want to speak to a person")).await;
    tell_ringcentral(&admin, &sms("2", "(408) 555-0177", "STOP")).await;
    let seen = thread(&server, &admin).await;
    reply(&admin, "r", &seen, "We are sorry").await;
    settled(&server).await;
    assert_eq!(double.taken().len(), 0);
    tell_ringcentral(&admin, &sms("3", "(408) 555-0177", "I want to speak to a person")).await;
    reply(&admin, "s", &seen, "Here I am").await;
    assert_eq!(taken(&double, 1).await[0].text, "Here I am");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_seen_and_can_be_tried_again() {
    let double = texts();
    let (server, admin) = open_for(&double).await;
    double.answer(Some(CarrierError::Refused));
    tell_ringcentral(&admin, &sms("1", "(408) 555-0177", "I want to speak to a person")).await;
    // Nobody takes WhatsApp messages.
    tell_meta(
        &admin,
        &whatsapp("2", "14085550188", "I want to speak to a person"),
    )
    .await;
    server.caught_up(&server.company).await;
    let mut answer = admin
        .data("{ conversations(first: 10) { nodes { id channel } } }", json!({}))
        .await;
    for each in answer["conversations"]["nodes"].take().as_array().expect("two") {
        let key = each["channel"].as_str().expect("a channel");
        reply(&admin, key, each, "Here I am").await;
    }
    until_told(&server, [0, 2]).await;
    let query = format!("{{ {THREAD} jobs(first: 10) {{ nodes {{ id version task status code }} }} }}");
    let seen = admin.data(&query, json!({})).await;
    let mut why: Vec<[&Value; 2]> = Vec::new();
    for conversation in seen["conversations"]["nodes"].as_array().expect("two") {
        assert_eq!(conversation["undeliveredCount"], 1);
        let last = conversation["messages"]
            .as_array()
            .and_then(|all| all.last())
            .expect("an answer");
        assert_eq!(last["delivery"], "UNDELIVERED");
        why.push([&last["undeliveredBecause"], &last["undeliveredCode"]]);
    }
    why.sort_by_key(|[because, _]| because.to_string());
    assert_eq!(
        why,
        [
            [&json!("failed"), &json!("REFUSED")],
            [&json!("no_carrier"), &Value::Null]
        ]
    );
    let job = &seen["jobs"]["nodes"][0];
    assert_eq!(
        (&job["task"], &job["status"]),
        (&json!("SEND_ANSWER"), &json!("DEAD"))
    );
    double.answer(None);
    let again = json!({"idempotencyKey": "again", "jobId": job["id"]});
    admin.done("jobRetry", "job { id }", again).await;
    assert_eq!(taken(&double, 1).await[0].text, "Here I am");
    until_told(&server, [1, 2]).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}
