//! Jobs: a message that was asked for goes out once, whatever happens to whoever carries it.

mod consent;
mod kill;
mod kill_reactions;
mod mail;
mod recurring;
mod shares;
mod texts;

use std::sync::Arc;
use std::time::Duration;

use api::app::App;
use commands::jobs::JobSettings;
use commands::ports::CarrierError;
use domain::access::Role;
use domain::decider::{Decider, Event};
use domain::envelope::{Expectation, NewEvent, Position, StreamId};
use domain::ids::{CommandId, CustomerId, EventId, MessageId, SubjectId, TenantId};
use domain::job::JobEvent;
use domain::message::{
    Message, MessageChannel, MessageEvent, MessageKind, MessageRequested, SuppressedBecause,
};
use domain::recorded::{DomainEvent, Recorded};
use event_log::{Append, Opened, Outcome, StreamWrite};
use serde_json::{Value, json};
use tests::carrier::Double;
use tests::http::{Client, Company, Server, global_id, party, with};
use uuid::Uuid;

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
const ALL: [MessageChannel; 3] = [
    MessageChannel::Email,
    MessageChannel::Sms,
    MessageChannel::Whatsapp,
];

/// A company whose messages a double takes, and that has a customer.
async fn open(double: &Arc<Double>, settings: JobSettings) -> (Server, Client, CustomerId) {
    let carrier = double.clone();
    let server = Server::start_as(move |app| App {
        commands: app.commands.sending_through(carrier).doing_jobs(settings),
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    let customer = book(&server, &admin, json!({})).await;
    (server, admin, customer)
}

/// Somebody who books, as a customer.
async fn book(server: &Server, admin: &Client, more: Value) -> CustomerId {
    admin
        .done("bookingRequest", "booking { id }", with(party("sam"), more))
        .await;
    let events = events(server, server.company.tenant).await;
    let registered = events
        .iter()
        .find(|event| matches!(event.event, DomainEvent::Customer(_)));
    let registered = registered.and_then(|event| event.stream.id.parse().ok());
    registered.expect("who books is a customer")
}

/// All that has happened in a company.
async fn events(server: &Server, tenant: TenantId) -> Vec<Recorded> {
    let mut events = Vec::new();
    let mut after = Position::START;
    loop {
        let page = server.app.log.read(tenant, after, 500, None).await;
        let page = page.expect("the log answers");
        let Some(last) = page.last() else { return events };
        after = last.position;
        events.extend(
            page.into_iter()
                .map(|event| Recorded::try_from(event).expect("it can be read")),
        );
    }
}

/// What a message is for, of an event of one.
fn message_kind(event: &DomainEvent) -> Option<MessageKind> {
    let DomainEvent::Message(event) = event else {
        return None;
    };
    Some(match event {
        MessageEvent::Requested(requested) => requested.kind,
        MessageEvent::Sent(sent) => sent.kind,
        MessageEvent::Suppressed(suppressed) => suppressed.kind,
        MessageEvent::Failed(failed) => failed.kind,
    })
}

/// What has happened to a company's jobs and to the messages that these tests ask for, by name.
async fn told(server: &Server, tenant: TenantId) -> Vec<&'static str> {
    let events = events(server, tenant).await;
    let ours = |event: &&Recorded| {
        matches!(event.event, DomainEvent::Job(_))
            || message_kind(&event.event) == Some(MessageKind::ReviewRequest)
    };
    events
        .iter()
        .filter(ours)
        .map(|event| event.event.name())
        .collect()
}

fn message(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(
        0x0193_0000_0000_7000_8000_0000_0000_0000 + number,
    ))
}

/// Asks for messages to a customer, in one append.
async fn ask(
    server: &Server,
    tenant: TenantId,
    customer: CustomerId,
    numbers: std::ops::Range<u128>,
    change: impl Fn(&mut MessageRequested),
) {
    let mut streams = Vec::new();
    for number in numbers.clone() {
        let stream = StreamId::new(Message::STREAM, message(number).to_string());
        let link = json!({"review_link": format!("https://review.test/{number}")}).to_string();
        let sealed = server
            .app
            .vault
            .seal(tenant, SubjectId(customer.0), &stream, "variables", &link)
            .await;
        let mut requested = MessageRequested {
            kind: MessageKind::ReviewRequest,
            customer_id: customer,
            booking_id: None,
            station_id: None,
            preferred: None,
            variables: Some(sealed.expect("the customer has a key")),
            due_at: "2020-01-01T00:00:00Z".parse().expect("an instant"),
        };
        change(&mut requested);
        let event = MessageEvent::Requested(requested);
        streams.push(StreamWrite {
            stream,
            expected: Expectation::NoStream,
            events: vec![NewEvent {
                event_id: EventId(Uuid::new_v5(&tenant.0, format!("event {number}").as_bytes())),
                event_type: event.name(),
                event_version: event.version(),
                payload: event.payload(),
                claims: Vec::new(),
            }],
        });
    }
    let meta = [
        ("actor_kind", "policy"),
        ("actor_id", "test"),
        ("channel", "policy"),
        ("correlation_id", "because of the test"),
    ];
    let asked = server
        .app
        .log
        .append(Append {
            tenant,
            command_id: CommandId(Uuid::new_v5(&tenant.0, format!("ask {numbers:?}").as_bytes())),
            digest: [0; 32],
            streams,
            reads: Vec::new(),
            erases: Vec::new(),
            meta: meta
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
        })
        .await
        .expect("the log takes it");
    assert!(matches!(asked, Outcome::Appended(_)), "{asked:?}");
}

/// The booking that there is.
async fn booking(server: &Server) -> Option<domain::ids::BookingId> {
    let events = events(server, server.company.tenant).await;
    let requested = events
        .iter()
        .find(|event| matches!(event.event, DomainEvent::Booking(_)));
    requested.and_then(|event| event.stream.id.parse().ok())
}

/// Waits until something is so.
async fn until<F>(what: &str, mut ask: F)
where
    F: AsyncFnMut() -> bool,
{
    let waited = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "{what}");
}

async fn until_told(server: &Server, names: &[&str]) {
    until(&format!("{names:?}"), async || {
        told(server, server.company.tenant).await.ends_with(names)
    })
    .await;
}

/// The one job that has failed.
async fn job(server: &Server, admin: &Client) -> Value {
    server.caught_up(&server.company).await;
    let query = "{ jobs(first: 10) { nodes { id version task subjectId status attempts code retryAt reason }
        totalCount { value } } }";
    let found = admin.data(query, json!({})).await;
    assert_eq!(found["jobs"]["totalCount"]["value"], 1, "{found}");
    found["jobs"]["nodes"][0].clone()
}

#[tokio::test]
async fn a_message_that_is_asked_for_goes_out_once_and_is_kept_sealed() {
    let double = Arc::new(Double::of(&ALL));
    let (server, _, customer) = open(&double, JobSettings::default()).await;
    let tenant = server.company.tenant;
    let party = booking(&server).await;
    ask(&server, tenant, customer, 1..2, |asked| asked.booking_id = party).await;
    until_told(&server, &["message.requested", "message.sent"]).await;
    let [letter] = &double.taken()[..] else {
        panic!("it goes out once: {:?}", double.taken())
    };
    assert_eq!(
        (letter.to.as_str(), letter.channel),
        ("sam@example.com", MessageChannel::Email)
    );
    assert_eq!(
        letter.text,
        "Hello Guest sam, thank you for having us on Saturday, March 14, 2026. How was it? It takes a minute to say: \
         https://review.test/1"
    );
    let events = events(&server, tenant).await;
    let event = events.last().expect("there are events");
    let DomainEvent::Message(MessageEvent::Sent(sent)) = &event.event else {
        panic!("it is told: {event:?}")
    };
    assert_eq!(
        (sent.carrier.as_str(), sent.carrier_id.as_deref()),
        ("double", Some("double-1"))
    );
    assert_eq!(event.meta.correlation_id, "because of the test");
    assert!(event.meta.causation_id.is_some());
    let opened = server
        .app
        .vault
        .open(tenant, &event.stream, "text", &sent.text)
        .await;
    assert_eq!(opened.expect("it opens"), Opened::Text(letter.text.clone()));
    let stored = serde_json::to_string(sent).expect("an event is JSON");
    assert!(
        !stored.contains("Guest") && !stored.contains("review.test"),
        "{stored}"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
    assert_eq!(double.taken().len(), 1);
}

#[tokio::test]
async fn what_fails_is_tried_again_until_it_waits_for_a_person_who_lets_it_go_on() {
    let double = Arc::new(Double::of(&ALL));
    let settings = JobSettings {
        most_attempts: std::num::NonZeroU16::new(3).expect("three is not nothing"),
        ..JobSettings::default()
    };
    let (server, mut admin, customer) = open(&double, settings).await;
    let party = booking(&server).await;
    double.answer(Some(CarrierError::Unreachable));
    ask(&server, server.company.tenant, customer, 1..2, |asked| {
        asked.booking_id = party
    })
    .await;
    until_told(&server, &["message.requested", "job.failed"]).await;
    let retrying = job(&server, &admin).await;
    assert_eq!(
        (&retrying["status"], &retrying["attempts"]),
        (&json!("RETRYING"), &json!(1))
    );
    let retry = json!({"idempotencyKey": "early", "jobId": retrying["id"]});
    assert_eq!(admin.refused("jobRetry", retry).await, "WRONG_STATE");
    // Half a minute and up to a quarter more, then twice as long.
    server.set_clock("2026-02-10T18:00:29Z");
    assert_eq!(
        server
            .app
            .commands
            .do_jobs(server.company.tenant)
            .await
            .expect("it goes on"),
        0
    );
    server.set_clock("2026-02-10T18:00:38Z");
    until_told(&server, &["job.failed", "job.failed"]).await;
    server.set_clock("2026-02-10T18:02:00Z");
    until_told(&server, &["job.failed", "job.died", "message.failed"]).await;
    admin.sign_in_again().await;
    let dead = job(&server, &admin).await;
    assert_eq!(
        (
            &dead["status"],
            &dead["attempts"],
            &dead["code"],
            &dead["retryAt"]
        ),
        (&json!("DEAD"), &json!(3), &json!("UNREACHABLE"), &Value::Null)
    );
    assert_eq!(dead["subjectId"], global_id("Message", message(1)));

    double.answer(None);
    let stale = json!({"idempotencyKey": "stale", "jobId": dead["id"], "expectedVersion": 1});
    assert_eq!(admin.refused("jobRetry", stale).await, "VERSION_CONFLICT");
    let retry = json!({"idempotencyKey": "again", "jobId": dead["id"], "expectedVersion": dead["version"]});
    admin.done("jobRetry", "job { status }", retry.clone()).await;
    until_told(&server, &["job.retried", "message.sent", "job.completed"]).await;
    assert_eq!(
        admin.done("jobRetry", "job { status }", retry).await["replayed"],
        true
    );
    assert_eq!(job(&server, &admin).await["status"], "COMPLETED");
    assert_eq!(double.taken().len(), 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again_and_may_be_given_up() {
    let double = Arc::new(Double::of(&ALL));
    let (server, admin, customer) = open(&double, JobSettings::default()).await;
    let party = booking(&server).await;
    double.answer(Some(CarrierError::Refused));
    ask(&server, server.company.tenant, customer, 1..2, |asked| {
        asked.booking_id = party
    })
    .await;
    until_told(&server, &["message.requested", "job.died", "message.failed"]).await;
    let dead = job(&server, &admin).await;
    assert_eq!((&dead["attempts"], &dead["code"]), (&json!(1), &json!("REFUSED")));
    let drop =
        |key: &str, reason: &str| json!({"idempotencyKey": key, "jobId": dead["id"], "reason": reason});
    assert_eq!(
        admin.refused("jobDrop", drop("short", "x")).await,
        "INVALID_REASON"
    );
    let dropped = admin
        .done(
            "jobDrop",
            "job { status reason }",
            drop("drop", "nobody's number"),
        )
        .await;
    assert_eq!(
        dropped["job"],
        json!({"status": "DROPPED", "reason": "nobody's number"})
    );
    assert_eq!(
        admin.refused("jobDrop", drop("twice", "again")).await,
        "WRONG_STATE"
    );
    let unknown = json!({"idempotencyKey": "u", "jobId": global_id("Job", Uuid::nil())});
    assert_eq!(admin.refused("jobRetry", unknown).await, "NOT_FOUND");
    let shown = admin
        .data(
            "query($id: ID!) { job(id: $id) { status } }",
            json!({"id": dead["id"]}),
        )
        .await;
    assert_eq!(shown["job"]["status"], "DROPPED");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_message_whose_words_miss_something_waits_for_a_person() {
    let double = Arc::new(Double::of(&ALL));
    let (server, admin, customer) = open(&double, JobSettings::default()).await;
    ask(&server, server.company.tenant, customer, 1..2, |_| {}).await;
    until_told(&server, &["job.died", "message.failed"]).await;
    assert_eq!(job(&server, &admin).await["code"], "MISSING_VARIABLE");
    assert_eq!(double.taken().len(), 0);
}
