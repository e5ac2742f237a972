//! Conversations: what the assistant answers, when it is silent, and what is heard once.

mod answers;

use std::sync::Arc;

use async_trait::async_trait;
use commands::assistant::{CompanyFacts, Question};
use commands::conversation::ReceivedMessage;
use commands::ports::Assistant;
use commands::{Caller, CommandError};
use domain::access::Role;
use domain::conversation::{ConversationChannel, ConversationEvent, MessageAuthor};
use domain::envelope::Position;
use domain::recorded::{DomainEvent, Recorded};
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};
use tokio::sync::Semaphore;

const CONVERSATION: &str = "conversation { id version channel assistantActive messageCount
    messages { author text intent humanOnly humanWord } escalation { id status code severity source } }";

async fn say(client: &Client, key: &str, conversation: Option<&Value>, text: &str) -> Value {
    let input =
        json!({"idempotencyKey": key, "conversationId": conversation.map(|said| &said["id"]), "text": text});
    client.done("messagePost", CONVERSATION, input).await["conversation"].take()
}

fn last(conversation: &Value) -> &Value {
    let messages = conversation["messages"].as_array().expect("messages");
    messages.last().expect("something was said")
}

/// What was said, by whom, in order.
fn authors(conversation: &Value) -> Vec<&str> {
    let messages = conversation["messages"].as_array().expect("messages");
    messages
        .iter()
        .filter_map(|message| message["author"].as_str())
        .collect()
}

fn act(key: &str, escalation: &Value) -> Value {
    json!({"idempotencyKey": key, "escalationId": escalation["id"]})
}

/// Every event of the company's log.
async fn events(server: &Server) -> Vec<Recorded> {
    let stored = server
        .app
        .log
        .read(server.company.tenant, Position::START, 2_000, None)
        .await;
    let stored = stored.expect("the log answers");
    let events = stored.into_iter().map(Recorded::try_from);
    events.collect::<Result<_, _>>().expect("the log can be read")
}

/// Says what it is told to, as often as it is let.
struct Told {
    says: String,
    turns: Semaphore,
}

impl Told {
    fn at_once(says: &str) -> Arc<Self> {
        Arc::new(Self {
            says: says.to_owned(),
            turns: Semaphore::new(1_000),
        })
    }
}

#[async_trait]
impl Assistant for Told {
    async fn answer(&self, _: &Question, _: &CompanyFacts) -> Option<String> {
        self.turns.acquire().await.expect("it is open").forget();
        Some(self.says.clone())
    }
}

#[tokio::test]
async fn a_word_for_a_person_silences_the_assistant_until_it_may_go_on() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let silent = say(&support, "person", None, "I want to talk to a real person").await;
    assert_eq!(authors(&silent), ["customer"]);
    assert_eq!(
        (
            &silent["assistantActive"],
            &silent["escalation"]["status"],
            &silent["escalation"]["source"]
        ),
        (&json!(false), &json!("OPEN"), &json!("KEYWORD"))
    );
    assert_eq!(
        (&last(&silent)["humanOnly"], &last(&silent)["humanWord"]),
        (&json!(true), &json!("person"))
    );
    let still = say(&support, "hello", Some(&silent), "hello??").await;
    assert_eq!(authors(&still), ["customer", "customer"]);
    let back = say(&support, "price", Some(&silent), "ok, what is the price then?").await;
    assert_eq!(authors(&back), ["customer", "customer", "customer", "assistant"]);
    assert_eq!(
        (&back["assistantActive"], &back["escalation"]),
        (&json!(true), &Value::Null)
    );
    // Price per person is no wish for one.
    let sense = say(&support, "sense", None, "what is the price per person?").await;
    assert_eq!(authors(&sense), ["customer", "assistant"]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn while_a_person_has_joined_the_assistant_says_nothing_until_staff_says_so() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let silent = say(&support, "angry", None, "I am angry about yesterday").await;
    let call = silent["escalation"].clone();
    support.done("escalationJoin", "", act("join", &call)).await;
    let resumable = say(&support, "price", Some(&silent), "and what is the price?").await;
    assert_eq!(authors(&resumable), ["customer", "customer"]);
    assert_eq!(resumable["escalation"]["status"], "JOINED");
    let staff = json!({
        "idempotencyKey": "staff", "conversationId": silent["id"], "author": "STAFF", "text": "I am sorry, I see to it",
    });
    let staff = support.done("messagePost", CONVERSATION, staff).await["conversation"].take();
    assert_eq!(last(&staff)["author"], "staff");
    let resume = json!({"idempotencyKey": "resume", "conversationId": silent["id"]});
    let resumed = support
        .done("assistantResume", CONVERSATION, resume.clone())
        .await["conversation"]
        .take();
    assert_eq!(resumed["assistantActive"], true);
    let again = with(resume, json!({"idempotencyKey": "again"}));
    assert_eq!(support.refused("assistantResume", again).await, "WRONG_STATE");
    let answered = say(&support, "vegan", Some(&silent), "do you have vegan food?").await;
    assert_eq!(last(&answered)["author"], "assistant");
    // Joined once more, and resolved: that ends the silence too.
    let of = json!({"id": call["id"]});
    let status = "query($id: ID!) { node(id: $id) { ... on Escalation { status } } }";
    assert_eq!(support.data(status, of).await["node"]["status"], "ASSIGNED");
    support.done("escalationJoin", "", act("join again", &call)).await;
    let resolve = with(act("resolve", &call), json!({"note": "made good"}));
    support.done("escalationResolve", "", resolve).await;
    let over = say(&support, "menu", Some(&silent), "what is on the menu?").await;
    assert_eq!(last(&over)["author"], "assistant");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Whoever wins, after a person has joined the assistant is not heard.
#[tokio::test]
async fn a_person_who_joins_while_the_assistant_thinks_is_not_talked_over() {
    let thinking = Arc::new(Told {
        says: "Ask me anything.".to_owned(),
        turns: Semaphore::new(0),
    });
    let assistant = thinking.clone();
    let server = Server::start_as(move |app| api::app::App {
        commands: app.commands.answering_with(assistant),
        ..app
    })
    .await;
    let support = server.sign_in(Role::CustomerSupport).await;
    for round in 0..12 {
        let key = |what: &str| format!("{what} {round}");
        let begun = json!({"idempotencyKey": key("begin"), "author": "STAFF", "text": "how can we help?"});
        let begun = support.done("messagePost", CONVERSATION, begun).await["conversation"].take();
        let call = json!({
            "idempotencyKey": key("call"), "conversationId": begun["id"], "reason": "it looks difficult",
        });
        let call = support.done("escalationOpen", "escalation { id }", call).await["escalation"].take();
        let resume = json!({"idempotencyKey": key("resume"), "conversationId": begun["id"]});
        support.done("assistantResume", "", resume).await;
        let (asking, ask_key) = (support.clone(), key("ask"));
        let said = begun.clone();
        let asked =
            tokio::spawn(async move { say(&asking, &ask_key, Some(&said), "what is the price?").await });
        let (joining, join) = (support.clone(), act(&key("join"), &call));
        let joined = tokio::spawn(async move { joining.done("escalationJoin", "", join).await });
        if round % 2 == 0 {
            thinking.turns.add_permits(1);
            joined.await.expect("somebody joins");
        } else {
            joined.await.expect("somebody joins");
            thinking.turns.add_permits(1);
        }
        asked.await.expect("the customer is heard");
    }
    let (mut joined, mut talked_over) = (std::collections::BTreeSet::new(), Vec::new());
    for event in events(&server).await {
        let DomainEvent::Conversation(happened) = &event.event else {
            continue;
        };
        match happened {
            ConversationEvent::AssistantSilenced(silenced)
                if silenced.by == domain::conversation::SilencedBy::Person =>
            {
                joined.insert(event.stream.id.clone());
            }
            ConversationEvent::MessagePosted(posted)
                if posted.author == MessageAuthor::Assistant && joined.contains(&event.stream.id) =>
            {
                talked_over.push(event.position);
            }
            ConversationEvent::Started(_)
            | ConversationEvent::MessagePosted(_)
            | ConversationEvent::AssistantSilenced(_)
            | ConversationEvent::AssistantResumed(_)
            | ConversationEvent::AnswerSent(_)
            | ConversationEvent::AnswerUndelivered(_) => {}
        }
    }
    assert_eq!((joined.len(), talked_over), (12, vec![]));
}

#[tokio::test]
async fn any_text_is_heard_and_none_is_kept_in_clear() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let longest = "né ".repeat(3_333) + "x";
    for (key, text) in [
        ("longest", longest.as_str()),
        ("emoji", "🎉🎉🎉"),
        ("sql", "'; DROP TABLE log_events; --"),
        ("script", "<script>alert('x')</script>"),
        ("nul", "a\u{0}b"),
        ("format", "{{7*7}} ${x} %s %n"),
    ] {
        let said = say(&support, key, None, text).await;
        assert_eq!(said["messages"][0]["text"], text.trim(), "{key}");
        assert_eq!(authors(&said), ["customer", "assistant"], "{key}");
    }
    let too_long = "x".repeat(10_001);
    for (key, text, code) in [
        ("empty", "", "INVALID_TEXT"),
        ("space", " \n\t ", "INVALID_TEXT"),
        ("too long", too_long.as_str(), "INVALID_TEXT"),
    ] {
        let input = json!({"idempotencyKey": key, "text": text});
        assert_eq!(support.refused("messagePost", input).await, code, "{key}");
    }
    let nobody = "01930000-0000-7000-8000-000000000001";
    let ask = |more: Value| with(json!({"idempotencyKey": "k", "text": "hi"}), more);
    for (more, code) in [
        (json!({"channel": "pigeon"}), "INVALID_CHANNEL"),
        (
            json!({"conversationId": global_id("Conversation", nobody)}),
            "NOT_FOUND",
        ),
        (json!({"conversationId": "what"}), "NOT_FOUND"),
        (json!({"customerId": global_id("Customer", nobody)}), "NOT_FOUND"),
        (json!({"stationId": global_id("Station", nobody)}), "NOT_FOUND"),
    ] {
        assert_eq!(
            support.refused("messagePost", ask(more.clone())).await,
            code,
            "{more}"
        );
    }
    let stored = server
        .app
        .log
        .read(server.company.tenant, Position::START, 2_000, None)
        .await
        .expect("the log answers");
    assert!(stored.iter().all(|event| !event.payload.contains("DROP TABLE")));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_providers_message_is_heard_once_and_a_thread_is_one_conversation() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let commands = &server.app.commands;
    let received = |external_id: &str, text: &str| ReceivedMessage {
        channel: ConversationChannel::Sms,
        thread: "keyed hash of a number".to_owned(),
        external_id: external_id.to_owned(),
        from: None,
        text: text.to_owned(),
        customer_id: None,
        station_id: None,
    };
    let provider = || Caller::system(server.company.tenant, "provider");
    let first = commands
        .receive_message(provider(), received("SM1", "what is the price?"))
        .await;
    let first = first.expect("it is heard");
    let again = commands
        .receive_message(provider(), received("SM1", "what is the price?"))
        .await;
    let again = again.expect("it was heard");
    assert!(again.replayed && again.position == first.position);
    let other = commands
        .receive_message(provider(), received("SM1", "something else"))
        .await;
    assert!(
        matches!(other, Err(CommandError::IdempotencyMismatch)),
        "{other:?}"
    );
    let second = commands
        .receive_message(provider(), received("SM2", "and the menu?"))
        .await;
    let second = second.expect("it is heard");
    assert_eq!(first.id_of("conversation"), second.id_of("conversation"));
    for (id, code) in [
        ("", "INVALID_EXTERNAL_ID"),
        (&*"x".repeat(256), "INVALID_EXTERNAL_ID"),
    ] {
        let refused = commands.receive_message(provider(), received(id, "hi")).await;
        assert!(
            matches!(&refused, Err(CommandError::Refused(refused)) if refused.code == code),
            "{refused:?}"
        );
    }
    server.caught_up(&server.company).await;
    let id = global_id("Conversation", first.id_of("conversation"));
    let query = format!(
        "query($id: ID!) {{ {} }}",
        CONVERSATION.replacen("conversation", "conversation(id: $id)", 1)
    );
    let heard = support.data(&query, json!({"id": id})).await["conversation"].take();
    assert_eq!(
        authors(&heard),
        ["customer", "assistant", "customer", "assistant"]
    );
    assert_eq!(heard["channel"], "sms");
    let list = "{ conversations(first: 5) { nodes { id messages(last: 2) { text position } } totalCount { value } } }";
    let listed = support.data(list, json!({})).await["conversations"].take();
    assert_eq!(
        (&listed["nodes"][0]["id"], &listed["totalCount"]["value"]),
        (&json!(id), &json!(1))
    );
    let before = "query($id: ID!, $before: LogPosition!) { conversation(id: $id) {
        messages(last: 2, before: $before) { author } } }";
    let position = &listed["nodes"][0]["messages"][0]["position"];
    let earlier = support.data(before, json!({"id": id, "before": position})).await;
    assert_eq!(authors(&earlier["conversation"]), ["customer", "assistant"]);
}

#[tokio::test]
async fn what_a_customer_said_goes_with_the_customer() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let object = "booking { id customer { id } }";
    let mut booked = admin.done("bookingRequest", object, party("party")).await["booking"].take();
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": booked["id"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    let customer = booked["customer"]["id"].take();
    let input = json!({
        "idempotencyKey": "said", "text": "my gate code is 4711, is March 14 free?", "customerId": customer,
    });
    let said = admin.done("messagePost", CONVERSATION, input).await["conversation"].take();
    assert!(
        said["messages"][0]["text"]
            .as_str()
            .expect("a text")
            .contains("4711")
    );
    let erase = json!({"idempotencyKey": "erase", "customerId": customer, "reason": "asked to be forgotten"});
    admin.done("customerErase", "", erase).await;
    server.caught_up(&server.company).await;
    let query = format!(
        "query($id: ID!) {{ {} }}",
        CONVERSATION.replacen("conversation", "conversation(id: $id)", 1)
    );
    let left = admin.data(&query, json!({"id": said["id"]})).await["conversation"].take();
    let texts: Vec<&Value> = left["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| &message["text"])
        .collect();
    assert_eq!(texts, ["[erased]", "[erased]"]);
    let late = json!({"idempotencyKey": "late", "conversationId": said["id"], "text": "hello?"});
    assert_eq!(admin.refused("messagePost", late).await, "CUSTOMER_ERASED");
}
