//! What was answered is answered again without a question to the read models, until something happens; to those who see the same,
//! and to nobody else.

use chrono::TimeDelta;
use domain::access::{Role, StationScope};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::http::{Client, Server, party};

const PAGE: &str = "{ bookings(first: 10) { nodes { id number customer { name } notes { text }
    payments(first: 5) { nodes { amount { minor } } } audit(first: 10) { nodes { summary } } } } }";

/// How often a figure that begins so was counted.
async fn counted(server: &Server, name: &str) -> u64 {
    let figures = server.figures().await;
    let counts = figures.lines().filter(|line| line.starts_with(name));
    counts
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(_, count)| count.parse::<u64>().expect("a count"))
        .sum()
}

/// What a question comes to, and whether it was answered from memory.
async fn asked(server: &Server, client: &Client, query: &str) -> (String, bool) {
    let figures = [
        "hibachi_graphql_answers_total{source=\"remembered\"}",
        "hibachi_question_seconds_count",
    ];
    let [given, questions] = figures;
    let before = (counted(server, given).await, counted(server, questions).await);
    let text = client.text(query, &json!({})).await;
    let remembered = counted(server, given).await > before.0;
    let looked = counted(server, questions).await > before.1;
    assert_ne!(remembered, looked, "{text}");
    (text, remembered)
}

/// A question that was asked often enough to be remembered.
async fn remembered(server: &Server, client: &Client, query: &str) -> String {
    let (first, _) = asked(server, client, query).await;
    asked(server, client, query).await;
    let (again, remembered) = asked(server, client, query).await;
    assert!(remembered, "{again}");
    assert_eq!(again, first);
    again
}

async fn booked(server: &Server, admin: &Client) -> Value {
    let booked = admin
        .done("bookingRequest", "booking { id customer { id } }", party("p1"))
        .await;
    settle(server).await;
    booked["booking"].clone()
}

/// Waits until the read models hold everything.
async fn settle(server: &Server) {
    server.quiet(&server.company).await;
    server.caught_up(&server.company).await;
}

#[tokio::test]
async fn an_answer_is_given_again_until_something_happens() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin).await;
    let before = remembered(&server, &admin, PAGE).await;
    let note = json!({"idempotencyKey": "n1", "bookingId": booking["id"], "note": "gate code"});
    admin.done("bookingNoteAdd", "", note).await;
    settle(&server).await;
    let (after, was_remembered) = asked(&server, &admin, PAGE).await;
    assert!(!was_remembered);
    assert_ne!(after, before);
    assert!(after.contains("gate code"), "{after}");
    let (again, was_remembered) = asked(&server, &admin, PAGE).await;
    assert!(was_remembered);
    assert_eq!(again, after);
}

#[tokio::test]
async fn it_is_given_to_those_who_see_the_same_and_to_nobody_else() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    booked(&server, &admin).await;
    let company = &server.company;
    let at_one = StationScope::Only(vec![company.san_jose]);
    let at_none = StationScope::Only(Vec::new());
    let others = [
        server.sign_in_at(company, Role::StationManager, at_one).await,
        server.sign_in_at(company, Role::CustomerSupport, at_none).await,
        server.sign_in(Role::Auditor).await,
        server.sign_in(Role::Chef).await,
    ];
    let elsewhere = server.sign_in(Role::Admin).await;
    settle(&server).await;
    let query = "{ bookings(first: 10) { nodes { number customer { name } } } }";
    let text = remembered(&server, &admin, query).await;
    assert_eq!(asked(&server, &elsewhere, query).await, (text.clone(), true));
    let neighbour = server.neighbour().await;
    let stranger = server
        .sign_in_at(&neighbour, Role::Admin, StationScope::All)
        .await;
    let mut seen = Vec::new();
    for other in others.iter().chain([&stranger]) {
        let given = counted(&server, "hibachi_graphql_answers_total{source=\"remembered\"}").await;
        seen.push(other.text(query, &json!({})).await);
        let now = counted(&server, "hibachi_graphql_answers_total{source=\"remembered\"}").await;
        assert_eq!(now, given, "{seen:?}");
    }
    assert_eq!(seen[0], text, "the manager of the station sees the same");
    assert_eq!(seen[2], text, "the auditor sees the same");
    assert!(seen[1].contains("\"nodes\":[]"), "{}", seen[1]);
    assert!(seen[3].contains("FORBIDDEN"), "{}", seen[3]);
    assert!(seen[4].contains("\"nodes\":[]"), "{}", seen[4]);
    let variables = json!({"first": 1});
    let one = admin
        .text(
            "query($first: Int!) { bookings(first: $first) { nodes { number } } }",
            &variables,
        )
        .await;
    assert!(
        !one.contains("customer"),
        "another question has another answer: {one}"
    );
}

#[tokio::test]
async fn who_is_erased_is_in_no_answer_any_more() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin).await;
    let query = "{ bookings(first: 10) { nodes { customer { name email phone } venue { street } } } }";
    let name = party("p1")["customer"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    assert!(remembered(&server, &admin, query).await.contains(&name));
    let cancel = json!({"idempotencyKey": "c1", "bookingId": booking["id"], "reason": "the family moves"});
    admin.done("bookingCancel", "", cancel).await;
    settle(&server).await;
    assert!(remembered(&server, &admin, query).await.contains(&name));
    let erase = json!({
        "idempotencyKey": "e1", "customerId": booking["customer"]["id"], "reason": "asked for it by letter",
    });
    admin.done("customerErase", "", erase).await;
    // Not waited for: the key is gone with the event, whatever the read models hold.
    for _ in 0..3 {
        let text = admin.text(query, &json!({})).await;
        assert!(!text.contains(&name), "{text}");
    }
}

#[tokio::test]
async fn what_depends_on_the_time_or_on_who_asks_is_made_anew() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::SuperAdmin).await;
    booked(&server, &admin).await;
    let ends = server.now() + TimeDelta::days(2);
    let terms = json!({"discount": {"amountMinor": 5_000}, "endsAt": ends});
    let code = json!({"idempotencyKey": "c1", "code": "SPRING", "terms": terms});
    admin.done("promoCodeCreate", "", code).await;
    settle(&server).await;
    let queries = [
        "{ promoCodes(first: 5) { nodes { code active } } bookings(first: 1) { nodes { number } } }",
        "{ sessions { current } bookings(first: 1) { nodes { number } } }",
    ];
    for query in queries {
        for _ in 0..4 {
            let (text, remembered) = asked(&server, &admin, query).await;
            assert!(!remembered && text.contains("number"), "{text}");
        }
    }
    let before = admin.text(queries[0], &json!({})).await;
    assert!(before.contains("\"active\":true"), "{before}");
    server.set_clock(&(server.now() + TimeDelta::days(3)).to_rfc3339());
    let mut admin = admin;
    admin.sign_in_again().await;
    let after = admin.text(queries[0], &json!({})).await;
    assert!(after.contains("\"active\":false"), "{after}");
}

#[tokio::test]
async fn what_there_was_after_a_wait_in_vain_is_for_nobody_else() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    booked(&server, &admin).await;
    let later = server.head(&server.company).await + 1;
    let query = format!(
        "{{ bookings(first: 1, fresh: {{atLeast: {later}, waitMs: 50, allowStale: true}}) {{
            nodes {{ number }} readInfo {{ stale }} }} }}"
    );
    for _ in 0..4 {
        let (text, remembered) = asked(&server, &admin, &query).await;
        assert!(!remembered && text.contains("\"stale\":true"), "{text}");
    }
}

#[tokio::test]
async fn what_many_ask_at_once_is_made_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin).await;
    remembered(&server, &admin, PAGE).await;
    let note = json!({"idempotencyKey": "n1", "bookingId": booking["id"], "note": "gate code"});
    admin.done("bookingNoteAdd", "", note).await;
    settle(&server).await;
    let pages = "hibachi_question_seconds_count{of=\"booking_list\",what=\"page\"}";
    let before = counted(&server, pages).await;
    let texts = join_all((0..20).map(|_| async { admin.text(PAGE, &json!({})).await })).await;
    assert!(texts[0].contains("gate code"), "{}", texts[0]);
    assert!(texts.iter().all(|text| *text == texts[0]));
    assert_eq!(counted(&server, pages).await, before + 1);
}

#[tokio::test]
async fn nothing_is_remembered_where_no_memory_is_given() {
    let server = Server::start_as(|app| api::app::App {
        answer_memory: 0,
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    booked(&server, &admin).await;
    for _ in 0..4 {
        let (text, remembered) = asked(&server, &admin, PAGE).await;
        assert!(!remembered, "{text}");
    }
}
