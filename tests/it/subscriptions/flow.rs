//! What comes, in which order, and that nothing is lost or told twice.

use std::time::Duration;

use api::http::serve;
use rand::Rng;
use serde_json::{Value, json};
use tests::http::{Client, Server, party};
use tests::seed::{random, seed};

use super::{
    CHANGES, Events, Heard, OPEN_EVENTS, OPEN_SOCKET, Part, Socket, admin, after, both, change, chefs,
    figure, figure_becomes, happen, position, server,
};

#[tokio::test]
async fn whoever_follows_is_told_everything_in_the_order_of_the_log() {
    let server = server().await;
    let admin = admin(&server).await;
    let head = server.head(&server.company).await;
    let (mut socket, mut events) = both(&server, &admin, after(0)).await;
    let mut told = Vec::new();
    for expected in 1..=head {
        let change = events.change().await;
        assert_eq!(position(&change), expected);
        assert_eq!(socket.change("a").await, change);
        told.push(change);
    }
    // The trail says the same of each.
    let trail = "{ auditLog(first: 100) { nodes { position type entityType entityId recordedAt } } }";
    server.caught_up(&server.company).await;
    let mut trail = admin.data(trail, json!({})).await["auditLog"]["nodes"].take();
    let trail = trail.as_array_mut().expect("a list");
    trail.reverse();
    assert_eq!(&told, trail);
    let booked = admin
        .done("bookingRequest", "booking { id }", party("live"))
        .await;
    let mut requested = events.change().await;
    assert_eq!(socket.change("a").await, requested);
    // The customer is registered first.
    while requested["type"] != "booking.requested" {
        requested = events.change().await;
        assert_eq!(socket.change("a").await, requested);
    }
    assert_eq!(requested["entityId"], booked["booking"]["id"]);
    assert_eq!(requested["entityType"], "booking");
}

#[tokio::test]
async fn without_a_position_it_is_from_now_on_and_what_it_costs_is_said_once() {
    let server = server().await;
    let admin = admin(&server).await;
    let (mut socket, mut events) = both(&server, &admin, json!({})).await;
    let next = happen(&server.app, &server.company, "somebody").await;
    let (answer, id) = events.answer().await;
    assert_eq!((position(&change(&answer)), id), (next, Some(next.to_string())));
    assert_eq!(answer["extensions"]["cost"]["points"], 6);
    assert_eq!(socket.answer("a").await, answer);
    happen(&server.app, &server.company, "somebody else").await;
    assert_eq!(events.answer().await.0["extensions"], Value::Null);
    assert_eq!(figure(&server, OPEN_SOCKET).await, 1);
    assert_eq!(figure(&server, OPEN_EVENTS).await, 1);
    let sent = "hibachi_subscription_events_total{transport=\"sse\"}";
    figure_becomes(&server, sent, 2).await;
    socket.say(&json!({"type": "complete", "id": "a"})).await;
    drop(events);
    for open in [OPEN_SOCKET, OPEN_EVENTS] {
        figure_becomes(&server, open, 0).await;
    }
    // The name can be used again.
    socket.follow("a", CHANGES, &after(next)).await;
    assert_eq!(position(&socket.change("a").await), next + 1);
}

#[tokio::test]
async fn only_events_of_the_types_that_were_asked_for_come() {
    let server = server().await;
    let admin = admin(&server).await;
    let wanted = json!({"after": 0, "types": ["station.created", "user.created", "station.created"]});
    let (mut socket, mut events) = both(&server, &admin, wanted.clone()).await;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let change = events.change().await;
        assert_eq!(socket.change("a").await, change);
        kinds.push(change["type"].clone());
    }
    assert_eq!(
        json!(kinds),
        json!(["station.created", "station.created", "user.created"])
    );
    chefs(&server, 0..3).await;
    server.sign_in(domain::access::Role::Auditor).await;
    let change = events.change().await;
    assert_eq!(change["type"], "user.created");
    assert_eq!(socket.change("a").await, change);
    for (variables, code) in [
        (
            json!({"types": ["booking.requested", "booking.invented"]}),
            "BAD_USER_INPUT",
        ),
        (json!({"after": 1_000_000}), "POSITION_IN_FUTURE"),
    ] {
        let mut events = Events::begun(&admin, CHANGES, &variables).await;
        let (answer, _) = events.answer().await;
        assert_eq!(super::code(&answer), code, "{answer}");
        assert_eq!(
            [events.next().await, events.next().await],
            [Part::Complete, Part::Ended]
        );
        socket.follow("wrong", CHANGES, &variables).await;
        assert_eq!(super::code(&socket.answer("wrong").await), code);
        assert_eq!(socket.said().await, json!({"type": "complete", "id": "wrong"}));
    }
}

/// A connection, for as long as it lasts.
enum Line {
    Socket(Box<Socket>),
    Events(Events),
}

impl Line {
    async fn open(server: &Server, client: &Client, seen: i64, by_socket: bool) -> Self {
        if by_socket {
            let mut socket = Socket::of(server, client).await;
            socket.follow("a", CHANGES, &after(seen)).await;
            return Self::Socket(Box::new(socket));
        }
        // What it asked for at first stays the same: the header says how far it has come.
        let last = seen.to_string();
        Self::Events(Events::resumed(client, CHANGES, &after(0), Some(&last)).await)
    }

    async fn position(&mut self) -> i64 {
        match self {
            Self::Socket(socket) => position(&socket.change("a").await),
            Self::Events(events) => position(&events.change().await),
        }
    }
}

const WRITERS: usize = 4;
const EACH: usize = 30;

#[tokio::test]
async fn whoever_is_cut_off_goes_on_where_they_were_while_others_write() {
    let mut random = random(seed(), 0);
    let server = server().await;
    let admin = admin(&server).await;
    let began = server.head(&server.company).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        // Half of them through another program.
        let app = match writer % 2 {
            0 => server.app.clone(),
            _ => server.another_node().await,
        };
        let company = server.company.clone();
        writers.spawn(async move {
            for number in 0..EACH {
                happen(&app, &company, &format!("{writer}: {number}")).await;
            }
        });
    }
    let all = began + i64::try_from(WRITERS * EACH).expect("they are few");
    let (mut seen, mut cuts) = (0, 0);
    while seen < all {
        let mut line = Line::open(&server, &admin, seen, random.random_bool(0.5)).await;
        for _ in 0..random.random_range(1..40) {
            if seen == all {
                break;
            }
            let position = line.position().await;
            assert_eq!(position, seen + 1, "after {cuts} cuts");
            seen = position;
        }
        cuts += 1;
    }
    while let Some(written) = writers.join_next().await {
        written.expect("a writer writes");
    }
    assert_eq!(server.head(&server.company).await, all);
    assert!(cuts > 3);
}

#[tokio::test]
async fn whoever_reads_nothing_holds_nobody_up_and_misses_nothing() {
    let server = server().await;
    let admin = admin(&server).await;
    let (mut slow, mut slow_events) = both(&server, &admin, json!({})).await;
    let (mut socket, mut events) = both(&server, &admin, json!({})).await;
    let positions = chefs(&server, 0..60).await;
    for expected in &positions {
        assert_eq!(position(&socket.change("a").await), *expected);
        assert_eq!(position(&events.change().await), *expected);
    }
    for expected in &positions {
        assert_eq!(position(&slow.change("a").await), *expected);
        assert_eq!(position(&slow_events.change().await), *expected);
    }
}

#[tokio::test]
async fn what_another_program_writes_comes_as_well() {
    let server = server().await;
    let admin = admin(&server).await;
    let (mut socket, mut events) = both(&server, &admin, json!({})).await;
    let other = server.another_node().await;
    for name in ["one", "two"] {
        let there = happen(&other, &server.company, name).await;
        assert_eq!(position(&socket.change("a").await), there);
        assert_eq!(position(&events.change().await), there);
    }
}

#[tokio::test]
async fn a_program_that_ends_says_so_and_waits_for_nobody() {
    let server = server().await;
    let admin = admin(&server).await;
    let app = server.another_node().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("there is a port");
    let address = listener.local_addr().expect("a listener has an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let router = api::http::router(app.clone());
        let stopped = async {
            stopped.await.ok();
        };
        serve(&app, listener, router, stopped).await;
    });
    let mut socket = Socket::strange_at(address).await;
    socket.introduce(&admin).await;
    assert_eq!(socket.said().await["type"], "connection_ack");
    socket.follow("a", CHANGES, &json!({})).await;
    socket.settled().await;
    let mut stranger = Socket::strange_at(address).await;
    let elsewhere = admin.at(address);
    let mut events = Events::begun(&elsewhere, CHANGES, &json!({})).await;
    stop.send(()).expect("the program runs");
    for socket in [&mut socket, &mut stranger] {
        assert_eq!(
            socket.heard().await,
            Heard::Closed(1001, "UNAVAILABLE".to_owned())
        );
    }
    assert_eq!(super::code(&events.answer().await.0), "UNAVAILABLE");
    assert_eq!(
        [events.next().await, events.next().await],
        [Part::Complete, Part::Ended]
    );
    let ended = tokio::time::timeout(Duration::from_secs(20), serving).await;
    ended.expect("it waits for nobody").expect("it ends well");
}

#[tokio::test]
async fn a_read_model_that_is_built_anew_changes_nothing_for_whoever_follows() {
    let server = server().await;
    let admin = admin(&server).await;
    let (mut socket, mut events) = both(&server, &admin, json!({})).await;
    let before = happen(&server.app, &server.company, "before").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
    let behind = happen(&server.app, &server.company, "behind").await;
    for expected in [before, behind] {
        let change = events.change().await;
        assert_eq!(position(&change), expected);
        assert_eq!(socket.change("a").await, change);
        // What it names is found by it.
        server.caught_up(&server.company).await;
        let node = "query($id: ID!) { node(id: $id) { __typename } }";
        let node = admin.data(node, json!({"id": change["entityId"]})).await;
        assert_eq!(node["node"]["__typename"], "Chef");
    }
}
