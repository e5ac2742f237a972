//! A page of bookings with what belongs to each: as many questions to the database however long it is, and the same rows as by
//! questions of their own.

use std::collections::BTreeMap;

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};

const BOOKINGS: usize = 12;
const PAGE: &str = "query($first: Int!) { bookings(first: $first, sort: START_ASC) { nodes {
    id number station { name } customer { name email } chefs { name } tax { tax { amount } }
    payments(first: 5) { nodes { id kind amount { minor } } pageInfo { hasNextPage } }
    documents(first: 3) { nodes { number } } ledger(first: 3) { nodes { amount { minor } } }
    audit(first: 10) { nodes { id summary actor { kind } } } } } }";

/// Bookings on one day each, with two payments, a note and an invoice each.
async fn booked(server: &Server, admin: &Client) {
    for number in 0..BOOKINGS {
        let on = json!({"start": format!("2026-03-{}T18:00:00", 10 + number)});
        let key = format!("party{number}");
        let booked = admin
            .done("bookingRequest", "booking { id }", with(party(&key), on))
            .await;
        let id = &booked["booking"]["id"];
        for (kind, cents) in [("DEPOSIT", 10_000), ("BALANCE", 5_000)] {
            let money = json!({
                "idempotencyKey": format!("{key} {kind}"), "bookingId": id, "kind": kind, "method": "ZELLE",
                "amountMinor": cents,
            });
            admin.done("paymentRecord", "", money).await;
        }
        let note = json!({"idempotencyKey": format!("{key} note"), "bookingId": id, "note": "gate code"});
        admin.done("bookingNoteAdd", "", note).await;
        let invoice = json!({"idempotencyKey": format!("{key} invoice"), "bookingId": id});
        admin.done("invoiceIssue", "", invoice).await;
    }
    server.quiet(&server.company).await;
    server.caught_up(&server.company).await;
}

/// How often each read model was asked, from the program's own figures.
async fn questions(server: &Server) -> BTreeMap<String, u64> {
    let figures = server.figures().await;
    let counts = figures
        .lines()
        .filter_map(|line| line.strip_prefix("hibachi_question_seconds_count"));
    counts
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, count)| (name.to_owned(), count.parse().expect("a count")))
        .collect()
}

/// The rows of a page, and how often which read model was asked for them.
async fn asked(server: &Server, client: &Client, first: usize) -> (Value, BTreeMap<String, u64>) {
    let before = questions(server).await;
    let page = client.data(PAGE, json!({"first": first})).await["bookings"]["nodes"].take();
    let mut asked = questions(server).await;
    asked.retain(|name, count| {
        *count -= before.get(name).copied().unwrap_or_default();
        *count > 0
    });
    (page, asked)
}

#[tokio::test]
async fn a_long_page_asks_no_more_often_than_a_short_one() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    booked(&server, &admin).await;
    let (short, few) = asked(&server, &admin, 2).await;
    let (long, many) = asked(&server, &admin, BOOKINGS).await;
    let rows = long.as_array().expect("there are rows");
    assert_eq!(rows.len(), BOOKINGS);
    assert_eq!(rows[..2], short.as_array().expect("there are rows")[..]);
    for row in rows {
        let lengths = ["payments", "documents", "ledger", "audit"].map(|list| {
            let nodes = row[list]["nodes"].as_array().expect("a list");
            nodes.len()
        });
        assert_eq!((lengths[0], lengths[1]), (2, 1), "{row}");
        assert!(lengths[3] >= 1, "{row}");
    }
    let names = |asked: &BTreeMap<String, u64>| asked.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&many), names(&few));
    assert!((5..=12).contains(&many.len()), "{many:?}");
    assert!(many.values().all(|count| *count == 1), "{many:?}");
}

#[tokio::test]
async fn what_belongs_to_each_is_what_it_would_be_alone_now_and_in_the_past() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    booked(&server, &admin).await;
    let page = "query($asOf: AsOf) { bookings(first: 12, asOf: $asOf) { readInfo { position } nodes { id
        payments(first: 1) { nodes { id kind } pageInfo { hasNextPage endCursor } totalCount { value } }
        audit(first: 1) { nodes { id summary } pageInfo { hasNextPage endCursor } }
        documents(first: 1) { nodes { number } pageInfo { hasNextPage } } } } }";
    let now = admin.data(page, json!({})).await["bookings"].take();
    let as_of = json!({"asOf": {"position": now["readInfo"]["position"]}});
    let then = admin.data(page, as_of).await["bookings"].take();
    assert_eq!(then["nodes"], now["nodes"]);
    for row in now["nodes"].as_array().expect("there are rows") {
        assert_eq!(row["payments"]["totalCount"]["value"], 2);
        assert_eq!(row["payments"]["nodes"][0]["kind"], "BALANCE");
        for list in ["payments", "audit"] {
            assert_eq!(row[list]["pageInfo"]["hasNextPage"], true, "{row}");
        }
        assert_eq!(row["documents"]["pageInfo"]["hasNextPage"], false, "{row}");
        let next = "query($id: ID!, $payments: String!, $audit: String!) { booking(id: $id) {
            payments(first: 1, after: $payments) { nodes { kind } pageInfo { hasNextPage } }
            audit(first: 1, after: $audit) { nodes { id } } } }";
        let cursors = json!({
            "id": row["id"], "payments": row["payments"]["pageInfo"]["endCursor"],
            "audit": row["audit"]["pageInfo"]["endCursor"],
        });
        let next = admin.data(next, cursors).await["booking"].take();
        assert_eq!(
            next["payments"],
            json!({"nodes": [{"kind": "DEPOSIT"}], "pageInfo": {"hasNextPage": false}})
        );
        assert_ne!(
            next["audit"]["nodes"][0]["id"], row["audit"]["nodes"][0]["id"],
            "{row}"
        );
        assert!(next["audit"]["nodes"][0]["id"].is_string(), "{next}");
    }
}
