//! Following what happens, over sockets and by server-sent events, as a client of the admin API would.

mod dashboard;
mod ends;
mod events;
mod flow;
mod many;
mod protocol;
mod rights;
mod socket;

use std::time::Duration;

use api::app::App;
use api::live::{Live, LiveSettings};
use commands::{Caller, IdempotencyKey};
use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Company, Server};

use events::{Events, Part};
use socket::{Heard, Socket};

/// How long to wait for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

const CHANGES: &str = "subscription($after: LogPosition, $types: [String!]) {
    changes(after: $after, types: $types) { position type entityType entityId recordedAt } }";

/// The program, looking often at who still stands.
async fn server() -> Server {
    with(|settings| settings).await
}

/// The same, with other settings.
async fn with(change: impl FnOnce(LiveSettings) -> LiveSettings + Send + 'static) -> Server {
    Server::start_as(|app| App {
        live: Live::new(change(LiveSettings {
            check_every: Duration::from_millis(100),
            ..LiveSettings::default()
        })),
        ..app
    })
    .await
}

/// Something happens: a chef joins the company. Gives the position.
async fn happen(app: &App, company: &Company, name: &str) -> i64 {
    let caller = Caller::system(company.tenant, "test");
    let key = IdempotencyKey::of_reaction("test", name);
    let done = app.commands.register_chef(caller, key, name.to_owned()).await;
    done.expect("the chef can be registered").position.0
}

async fn chefs(server: &Server, names: std::ops::Range<usize>) -> Vec<i64> {
    let mut positions = Vec::new();
    for name in names {
        positions.push(happen(&server.app, &server.company, &format!("chef {name}")).await);
    }
    positions
}

fn position(change: &Value) -> i64 {
    change["position"].as_i64().expect("a change has a position")
}

/// What an answer says has happened.
fn change(payload: &Value) -> Value {
    assert_eq!(payload["errors"], Value::Null, "{payload}");
    payload["data"]["changes"].clone()
}

/// A figure of the program.
async fn figure(server: &Server, name: &str) -> i64 {
    let text = server.figures().await;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().expect("a figure is a number"))
}

/// Waits until a figure is what it must become.
async fn figure_becomes(server: &Server, name: &str, value: i64) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while figure(server, name).await != value {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(
        waited.await.is_ok(),
        "{name} is {} and not {value}",
        figure(server, name).await
    );
}

const OPEN_SOCKET: &str = "hibachi_subscriptions{transport=\"websocket\"}";
const OPEN_EVENTS: &str = "hibachi_subscriptions{transport=\"sse\"}";

/// The code of the first error of an answer.
fn code(payload: &Value) -> &str {
    payload["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

/// Follows changes over a socket of its own, and by events.
async fn both(server: &Server, client: &Client, variables: Value) -> (Socket, Events) {
    let mut socket = Socket::of(server, client).await;
    socket.follow("a", CHANGES, &variables).await;
    if variables["after"].is_null() {
        socket.settled().await;
    }
    let events = Events::begun(client, CHANGES, &variables).await;
    (socket, events)
}

async fn admin(server: &Server) -> Client {
    server.sign_in(Role::Admin).await
}

fn after(position: i64) -> Value {
    json!({"after": position})
}
