//! The same key gives the same result, whatever happens to the connection.

use std::net::SocketAddr;

use domain::access::Role;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, mutation, party, with};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const BOOKING: &str = "booking { id version status }";

#[tokio::test]
async fn a_key_that_was_used_for_something_else_is_refused() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = admin.done("bookingRequest", BOOKING, party("key")).await;
    let head = server.head(&server.company).await;
    for fields in [
        json!({"guests": {"adults": 13, "children": 4}}),
        json!({"start": "2026-03-15T18:00:00"}),
        json!({"note": "by the pool"}),
    ] {
        let other = with(party("key"), fields);
        assert_eq!(
            admin.refused("bookingRequest", other).await,
            "IDEMPOTENCY_MISMATCH"
        );
    }
    let cancel =
        json!({"idempotencyKey": "key", "bookingId": first["booking"]["id"], "reason": "plans changed"});
    assert_eq!(
        admin.refused("bookingCancel", cancel).await,
        "IDEMPOTENCY_MISMATCH"
    );
    assert_eq!(server.head(&server.company).await, head);
    let again = admin.done("bookingRequest", BOOKING, party("key")).await;
    assert_eq!(
        (&again["booking"], &again["replayed"]),
        (&first["booking"], &json!(true))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_result_of_a_key_stays_while_the_booking_goes_on() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = admin.done("bookingRequest", BOOKING, party("key")).await;
    let cancel =
        json!({"idempotencyKey": "cancel", "bookingId": first["booking"]["id"], "reason": "plans changed"});
    let cancelled = admin.done("bookingCancel", BOOKING, cancel.clone()).await;
    for (command, input, first) in [
        ("bookingCancel", cancel, &cancelled),
        ("bookingRequest", party("key"), &first),
    ] {
        let again = admin.done(command, BOOKING, input).await;
        assert_eq!(
            (&again["position"], &again["booking"]["id"], &again["replayed"]),
            (&first["position"], &first["booking"]["id"], &json!(true))
        );
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_key_of_a_refused_command_may_be_used_for_a_better_one() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", BOOKING, party("first")).await;
    assert_eq!(
        admin.refused("bookingRequest", party("key")).await,
        "SLOT_UNAVAILABLE"
    );
    let better = with(party("key"), json!({"start": "2026-03-15T18:00:00"}));
    let done = admin.done("bookingRequest", BOOKING, better.clone()).await;
    assert_eq!(done["replayed"], false);
    let again = admin.done("bookingRequest", BOOKING, better).await;
    assert_eq!(again["replayed"], true);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn the_same_key_means_two_things_to_two_companies() {
    let server = Server::start().await;
    let neighbour = server.neighbour().await;
    let all = domain::access::StationScope::All;
    let other = server.sign_in_at(&neighbour, Role::Admin, all).await;
    let admin = server.sign_in(Role::Admin).await;
    let ours = admin.done("bookingRequest", BOOKING, party("key")).await;
    let theirs = other.done("bookingRequest", BOOKING, party("key")).await;
    assert_eq!(theirs["replayed"], false);
    assert_ne!(ours["booking"]["id"], theirs["booking"]["id"]);
    server.assert_rebuild_changes_nothing(&neighbour).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_with_one_key_at_once_write_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.head(&server.company).await;
    let answers = join_all((0..8).map(|_| admin.done("bookingRequest", BOOKING, party("one")))).await;
    let first: Vec<&Value> = answers
        .iter()
        .filter(|answer| answer["replayed"] == false)
        .collect();
    assert_eq!(first.len(), 1, "{answers:?}");
    for answer in &answers {
        assert_eq!(
            (&answer["booking"]["id"], &answer["position"]),
            (&first[0]["booking"]["id"], &first[0]["position"])
        );
    }
    assert_eq!(server.head(&server.company).await, before + 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_bodies_with_one_key_at_once_one_is_done() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let before = server.head(&server.company).await;
    let sacramento = json!({
        "stationId": global_id("Station", server.company.sacramento),
        "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let asked = (1..=8).map(|adults| {
        let input = with(
            with(party("one"), sacramento.clone()),
            json!({"guests": {"adults": adults}}),
        );
        admin.command("bookingRequest", BOOKING, input)
    });
    let answers = join_all(asked).await;
    let done = answers
        .iter()
        .filter(|answer| answer["position"].is_i64())
        .count();
    let mismatched = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "IDEMPOTENCY_MISMATCH")
        .count();
    assert_eq!((done, mismatched), (1, 7), "{answers:?}");
    assert_eq!(server.head(&server.company).await, before + 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_version_that_is_not_the_one_that_was_seen_is_told() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", BOOKING, party("a")).await["booking"]["id"].take();
    let money = json!({
        "idempotencyKey": "money", "bookingId": booking, "kind": "OTHER", "method": "CASH", "amountMinor": 1,
    });
    let payment = admin.done("paymentRecord", "payment { id }", money).await["payment"]["id"].take();
    let head = server.head(&server.company).await;
    let action = |id: &Value| json!({"idempotencyKey": "stale", "expectedVersion": 3, "bookingId": id});
    let price = json!({
        "idempotencyKey": "stale", "expectedVersion": 3, "item": "adult", "priceMinor": 6_500,
        "stationId": global_id("Station", server.company.san_jose), "reason": "dearer",
    });
    let verify =
        json!({"idempotencyKey": "stale", "expectedVersion": 3, "paymentId": payment, "accept": true});
    for (command, input, version) in [
        ("bookingComplete", action(&booking), "1"),
        (
            "bookingCancel",
            with(action(&booking), json!({"reason": "plans changed"})),
            "1",
        ),
        ("paymentVerify", verify, "1"),
        ("priceChange", price, "4"),
    ] {
        let payload = admin.command(command, "", input).await;
        let told = &payload["userErrors"][0];
        assert_eq!(
            (&told["code"], &told["field"]),
            (&json!("VERSION_CONFLICT"), &json!(["expectedVersion"])),
            "{command}"
        );
        let message = told["message"].as_str().unwrap_or_default();
        assert!(message.ends_with(&format!("version {version}")), "{message}");
    }
    assert_eq!(server.head(&server.company).await, head);
    let seen = json!({"idempotencyKey": "seen", "bookingId": booking, "reason": "plans changed", "expectedVersion": 1});
    let done = admin.done("bookingCancel", BOOKING, seen).await;
    assert_eq!(done["booking"]["version"], 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_saw_the_same_version_one_changes_it() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = admin.done("bookingRequest", BOOKING, party("a")).await["booking"]["id"].take();
    let asked = (0..6).map(|number| {
        let cancel = json!({
            "idempotencyKey": format!("cancel {number}"), "bookingId": booking, "expectedVersion": 1,
            "reason": "plans changed",
        });
        admin.command("bookingCancel", BOOKING, cancel)
    });
    let answers = join_all(asked).await;
    let done = answers
        .iter()
        .filter(|answer| answer["position"].is_i64())
        .count();
    let conflicts = answers
        .iter()
        .filter(|answer| answer["userErrors"][0]["code"] == "VERSION_CONFLICT")
        .count();
    assert_eq!((done, conflicts), (1, 5), "{answers:?}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Where a client hangs up.
#[derive(Debug, Clone, Copy)]
enum HangUp {
    /// With this much of the body sent, in hundredths.
    Within(usize),
    /// As soon as all of it is sent.
    AfterSending,
    /// As soon as the log has taken the command.
    AfterAppend,
}

/// A party on a day of its own, where three chefs are free.
fn apart(server: &Server, number: i64) -> Value {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day") + chrono::Duration::days(number);
    with(
        party(&format!("hang-up-{number}")),
        json!({
            "start": format!("{day}T18:00:00"),
            "stationId": global_id("Station", server.company.sacramento),
            "venue": {"street": "1 Main St", "city": "Sacramento", "state": "CA", "zip": "95814"},
        }),
    )
}

/// Sends a request over a connection of its own, as much of it as is wanted, and closes it.
async fn hang_up(address: SocketAddr, client: &Client, input: &Value, server: &Server, when: HangUp) {
    let body =
        json!({"query": mutation("bookingRequest", BOOKING), "variables": {"input": input}}).to_string();
    let token = client.token.as_deref().expect("somebody who has signed in");
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let sent = match when {
        HangUp::Within(hundredths) => body.len() * hundredths / 100,
        HangUp::AfterSending | HangUp::AfterAppend => body.len(),
    };
    let mut appended = server.app.log.appended();
    let mut connection = TcpStream::connect(address).await.expect("the program listens");
    connection.write_all(head.as_bytes()).await.expect("it reads");
    connection
        .write_all(&body.as_bytes()[..sent])
        .await
        .expect("it reads");
    if matches!(when, HangUp::AfterAppend) {
        appended.recv().await.expect("the log tells what it takes");
    }
    drop(connection);
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_the_whole_booking_or_nothing_and_may_ask_again() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let moments = [
        HangUp::Within(0),
        HangUp::Within(50),
        HangUp::Within(99),
        HangUp::AfterSending,
        HangUp::AfterSending,
        HangUp::AfterAppend,
        HangUp::AfterAppend,
    ];
    for (number, when) in (1..).zip(moments) {
        let input = apart(&server, number);
        let before = server.head(&server.company).await;
        hang_up(server.address(), &admin, &input, &server, when).await;
        let after = server.head(&server.company).await;
        assert!(
            [before, before + 2].contains(&after),
            "{when:?}: {before}, {after}"
        );
        let answer = admin.done("bookingRequest", BOOKING, input).await;
        match when {
            HangUp::Within(_) => assert_eq!(answer["replayed"], false, "{when:?}"),
            HangUp::AfterSending => {}
            HangUp::AfterAppend => assert_eq!(answer["replayed"], true, "{when:?}"),
        }
        assert_eq!(server.head(&server.company).await, before + 2, "{when:?}");
    }
    assert_booked(&server, &admin, 7).await;
}

#[tokio::test]
async fn a_request_that_is_given_up_at_any_moment_is_done_whole_or_not_at_all() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let rounds = 14;
    for number in 1..=rounds {
        let input = apart(&server, number);
        let before = server.head(&server.company).await;
        {
            let request = admin.command("bookingRequest", BOOKING, input.clone());
            tokio::select! {
                biased;
                () = let_others_run(1 << (number + 3)) => {}
                _ = request => {}
            }
        }
        let after = server.head(&server.company).await;
        assert!([before, before + 2].contains(&after), "{before}, {after}");
        admin.done("bookingRequest", BOOKING, input).await;
        assert_eq!(server.head(&server.company).await, before + 2);
    }
    assert_booked(&server, &admin, rounds).await;
}

/// Steps back so many times.
async fn let_others_run(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

/// So many bookings, each of a customer of its own, and nothing half done.
async fn assert_booked(server: &Server, admin: &Client, count: i64) {
    server.caught_up(&server.company).await;
    let counts = "{ bookings(first: 1) { totalCount { value } } customers(first: 1) { totalCount { value } }
        leads(first: 1) { totalCount { value } } }";
    let counts = admin.data(counts, json!({})).await;
    let total = |list: &str| counts[list]["totalCount"]["value"].as_i64();
    assert_eq!(
        (total("bookings"), total("customers"), total("leads")),
        (Some(count), Some(count), Some(0))
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_refused_request_that_was_given_up_leaves_its_lead_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", BOOKING, party("first")).await;
    let before = server.head(&server.company).await;
    let late = party("late");
    hang_up(server.address(), &admin, &late, &server, HangUp::AfterAppend).await;
    assert_eq!(server.head(&server.company).await, before + 1);
    assert_eq!(admin.refused("bookingRequest", late).await, "SLOT_UNAVAILABLE");
    assert_eq!(server.head(&server.company).await, before + 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
