//! What is said out of turn, too late or too much, and how it is answered.

use std::time::Duration;

use api::app::App;
use api::live::LiveSettings;
use api::throttle::{Allowance, Throttle};
use chrono::{SecondsFormat, TimeDelta};
use futures::StreamExt;
use serde_json::{Value, json};
use tests::http::Server;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::socket::request;
use super::{
    CHANGES, Events, Heard, OPEN_SOCKET, Socket, admin, after, both, chefs, figure, figure_becomes, position,
    server, with,
};

/// The code with which a socket is closed, whatever was said before.
async fn closed(socket: &mut Socket) -> u16 {
    loop {
        if let Heard::Closed(code, _) = socket.heard().await {
            return code;
        }
    }
}

#[tokio::test]
async fn whoever_does_not_keep_to_the_protocol_is_told_how_by_a_code() {
    let server = server().await;
    let admin = admin(&server).await;
    let subscribe = json!({"type": "subscribe", "id": "a", "payload": {"query": CHANGES}});
    let init = |payload: Value| json!({"type": "connection_init", "payload": payload});
    for (said, code) in [
        (subscribe.clone(), 4401),
        (init(json!({})), 4403),
        (init(json!({"authorization": "Bearer of bad news"})), 4403),
        (init(json!({"authorization": admin.token})), 4403),
        (init(json!({"authorization": 7})), 4400),
        (json!({"type": "connection_terminate"}), 4400),
        (json!("connection_init"), 4400),
    ] {
        let mut socket = Socket::strange(&server).await;
        socket.settled().await;
        socket.say(&said).await;
        assert_eq!(closed(&mut socket).await, code, "{said}");
    }
    let again = init(json!({"authorization": format!("Bearer {}", admin.token.clone().expect("a token"))}));
    let mut odd = subscribe.clone();
    odd["payload"] = json!({"query": 7});
    for (said, code) in [
        (Message::text(again.to_string()), 4429),
        (Message::text(odd.to_string()), 4400),
        (Message::text("{"), 4400),
        (Message::binary(vec![1, 2]), 4400),
        (Message::text(format!("\"{}\"", "x".repeat(300_000))), 1009),
    ] {
        let mut socket = Socket::of(&server, &admin).await;
        socket.write(said.clone()).await;
        assert_eq!(closed(&mut socket).await, code);
    }
    let mut socket = Socket::of(&server, &admin).await;
    socket.say(&subscribe).await;
    socket.settled().await;
    socket.say(&subscribe).await;
    assert_eq!(
        socket.heard().await,
        Heard::Closed(4409, "Subscriber for a already exists".to_owned())
    );
    let mut strange = Socket::opened(request(server.address(), None))
        .await
        .expect("it is taken, and closed");
    assert_eq!(closed(&mut strange).await, 4406);
    let other = Socket::opened(request(server.address(), Some("graphql-ws"))).await;
    match other {
        // The client finds out by itself that nobody speaks it.
        Err(Error::Protocol(_)) => {}
        Ok(mut socket) => assert_eq!(closed(&mut socket).await, 4406),
        Err(error) => panic!("{error}"),
    }
    let plain = server
        .nobody()
        .get("/graphql/live")
        .send()
        .await
        .expect("it answers");
    assert_eq!(plain.status().as_u16(), 400);
    figure_becomes(&server, OPEN_SOCKET, 0).await;
}

#[tokio::test]
async fn a_header_shows_who_it_is_as_well_and_a_wrong_one_opens_nothing() {
    let server = server().await;
    let admin = admin(&server).await;
    let mut asked = request(server.address(), Some("graphql-transport-ws"));
    let token = admin.token.clone().expect("a token");
    let bearer = format!("Bearer {token}").parse().expect("it is a header");
    asked.headers_mut().insert("authorization", bearer);
    asked.headers_mut().insert(
        "origin",
        "https://elsewhere.example".parse().expect("it is a header"),
    );
    let mut socket = Socket::opened(asked).await.expect("it is taken");
    socket.say(&json!({"type": "connection_init"})).await;
    assert_eq!(socket.said().await, json!({"type": "connection_ack"}));
    let shown = |bearer: &str| {
        let mut asked = request(server.address(), Some("graphql-transport-ws"));
        let bearer = bearer.parse().expect("it is a header");
        asked.headers_mut().insert("authorization", bearer);
        asked
    };
    let mut socket = Socket::opened(shown("Bearer of bad news"))
        .await
        .expect("it is taken, and closed");
    socket.say(&json!({"type": "connection_init"})).await;
    assert_eq!(
        socket.heard().await,
        Heard::Closed(4403, "UNAUTHENTICATED".to_owned())
    );
    match Socket::opened(shown("Basic instinct")).await {
        Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 401),
        Ok(_) | Err(_) => panic!("it is refused"),
    }
}

#[tokio::test]
async fn only_one_field_of_a_subscription_is_followed_and_only_here() {
    let server = server().await;
    let admin = admin(&server).await;
    let mut socket = Socket::of(&server, &admin).await;
    let aliases: String = (0..60).map(|number| format!("a{number}: position ")).collect();
    let many = format!("subscription {{ changes {{ {aliases} }} }}");
    for (query, code) in [
        ("{ viewer { role } }", "OPERATION_ELSEWHERE"),
        (
            "mutation { signOut { userErrors { code } } }",
            "OPERATION_ELSEWHERE",
        ),
        (
            "subscription { changes { position } dashboardChanged { readInfo { position } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "subscription { ...F } fragment F on Subscription { changes { position } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes { number } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_VALIDATION_FAILED"),
        (many.as_str(), "GRAPHQL_VALIDATION_FAILED"),
    ] {
        assert_eq!(socket.refused("a", query, &json!({})).await, code, "{query}");
        assert_eq!(
            Events::refused(&admin, query, &json!({})).await,
            (400, code.to_owned()),
            "{query}"
        );
    }
    let answer = admin.graphql(CHANGES, json!({})).await;
    assert_eq!(super::code(&answer), "OPERATION_ELSEWHERE", "{answer}");
    let form = admin
        .post("/graphql/stream")
        .body("query=")
        .send()
        .await
        .expect("it answers");
    assert_eq!(form.status().as_u16(), 415);
    let odd = Events::asked(&admin, CHANGES, &json!({}), Some("seven")).await;
    assert_eq!(odd.status().as_u16(), 400);
    let got = admin.get("/graphql/stream").send().await.expect("it answers");
    assert_eq!(got.status().as_u16(), 405);
}

#[tokio::test]
async fn whoever_follows_too_much_is_told_so_until_something_else_is_over() {
    let settings = |settings| LiveSettings {
        per_credential: 2,
        ..settings
    };
    let server = with(settings).await;
    let admin = admin(&server).await;
    let auditor = server.sign_in(domain::access::Role::Auditor).await;
    let mut socket = Socket::of(&server, &admin).await;
    socket.follow("a", CHANGES, &json!({})).await;
    let events = Events::begun(&admin, CHANGES, &json!({})).await;
    assert_eq!(
        socket.refused("b", CHANGES, &json!({})).await,
        "TOO_MANY_SUBSCRIPTIONS"
    );
    let refused = Events::refused(&admin, CHANGES, &json!({})).await;
    assert_eq!(refused, (429, "TOO_MANY_SUBSCRIPTIONS".to_owned()));
    let other = Events::begun(&auditor, CHANGES, &after(0)).await;
    let _second = Socket::of(&server, &admin).await;
    let mut third = Socket::strange(&server).await;
    third.introduce(&admin).await;
    assert_eq!(
        third.heard().await,
        Heard::Closed(1013, "TOO_MANY_SUBSCRIPTIONS".to_owned())
    );
    assert_eq!(figure(&server, "hibachi_subscriptions_refused_total").await, 3);
    socket.say(&json!({"type": "complete", "id": "a"})).await;
    socket.follow("c", CHANGES, &json!({})).await;
    socket.settled().await;
    drop((events, other));
}

#[tokio::test]
async fn whoever_has_nothing_left_of_an_allowance_begins_nothing_and_hears_on() {
    const MINE: Allowance = Allowance {
        burst: 1_000,
        per_second: 100,
    };
    let server = Server::start_as(|app| App {
        throttle: Some(Throttle::new(MINE, MINE)),
        ..app
    })
    .await;
    let admin = admin(&server).await;
    let (mut socket, mut events) = both(&server, &admin, json!({})).await;
    let costly = "{ bookings(first: 50) { nodes { id number status } } }";
    while admin.graphql(costly, json!({})).await["errors"] == Value::Null {}
    // What is left pays for none of the one or the other.
    while Events::asked(&admin, CHANGES, &json!({}), None)
        .await
        .status()
        .as_u16()
        == 200
    {}

    let refused = Events::asked(&admin, CHANGES, &json!({}), None).await;
    assert_eq!(refused.status().as_u16(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(
        Events::refused(&admin, CHANGES, &json!({})).await,
        (429, "THROTTLED".to_owned())
    );
    assert_eq!(socket.refused("b", CHANGES, &json!({})).await, "THROTTLED");

    let positions = chefs(&server, 0..3).await;
    for expected in positions {
        assert_eq!(position(&socket.change("a").await), expected);
        assert_eq!(position(&events.change().await), expected);
    }
    let then = server.now() + TimeDelta::seconds(1);
    server.set_clock(&then.to_rfc3339_opts(SecondsFormat::Millis, true));
    socket.follow("b", CHANGES, &json!({})).await;
    socket.settled().await;
}

#[tokio::test]
async fn a_socket_on_which_nobody_says_who_it_is_or_lives_is_given_up() {
    let settings = |settings| LiveSettings {
        init_within: Duration::from_millis(300),
        keep_alive: Duration::from_millis(100),
        patience: Duration::from_millis(1_000),
        ..settings
    };
    let server = with(settings).await;
    let admin = admin(&server).await;
    let mut silent = Socket::strange(&server).await;
    assert_eq!(closed(&mut silent).await, 4408);
    let mut socket = Socket::of(&server, &admin).await;
    socket.follow("a", CHANGES, &json!({})).await;
    // Whoever reads answers what keeps it alive; so it lives for longer than its peer's patience.
    let lives = tokio::time::timeout(Duration::from_millis(2_500), async {
        while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = socket.0.next().await {}
    });
    assert!(lives.await.is_err(), "it was closed");
    assert_eq!(figure(&server, OPEN_SOCKET).await, 1);
    // Nobody reads any more.
    figure_becomes(&server, OPEN_SOCKET, 0).await;
    drop(socket);
}

#[tokio::test]
async fn what_is_quiet_is_kept_alive_by_comments() {
    let settings = |settings| LiveSettings {
        keep_alive: Duration::from_millis(50),
        ..settings
    };
    let server: Server = with(settings).await;
    let admin = admin(&server).await;
    let mut response = Events::asked(&admin, CHANGES, &json!({}), None).await;
    let chunk = response
        .chunk()
        .await
        .expect("it goes on")
        .expect("something comes");
    assert_eq!(&chunk[..], b":\n\n");
}
