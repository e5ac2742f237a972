//! The subscribers, in a process of their own: told on standard input who they are and up to where they follow.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use clap::Args;
use commands::gateways::SystemClock;
use commands::ports::Clock;
use futures::{SinkExt, StreamExt};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, block_in_place, spawn_blocking};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::cli::{Verdict, say};

/// That all of them follow.
pub(super) const READY: &str = "ready";
const QUERY: &str = "subscription { changes { position recordedAt } }";
/// How long one may take to begin, and to hear of the last.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(in crate::cli) struct LiveClients {
    /// Where the server listens.
    #[arg(long, value_name = "ADDR")]
    server: String,
    /// How many follow.
    #[arg(long, value_name = "N")]
    subscribers: usize,
}

/// What one has been told: up to where, and how long after it was recorded.
struct Told {
    position: i64,
    micros: u64,
}

impl LiveClients {
    /// Follows until everybody was told of everything, and prints how long each took to hear of each.
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        let mut tokens = Vec::new();
        loop {
            let token = block_in_place(line)?;
            if token.is_empty() {
                break;
            }
            tokens.push(token);
        }
        ensure!(!tokens.is_empty(), "nobody follows");
        let http = reqwest::Client::builder().no_proxy().build()?;
        // The last position, once it is known.
        let (until, known) = watch::channel(None);
        let (ready, mut are_ready) = mpsc::channel(64);
        let mut all = JoinSet::new();
        for number in 0..self.subscribers {
            let token = tokens[number % tokens.len()].clone();
            let (server, http, ready, known) =
                (self.server.clone(), http.clone(), ready.clone(), known.clone());
            all.spawn(async move {
                let mut line = match number % 2 {
                    0 => Line::events(&http, &server, &token).await?,
                    _ => Line::socket(&server, &token).await?,
                };
                ready.send(()).await.context("nobody waits for it")?;
                line.follow(known).await
            });
        }
        for _ in 0..self.subscribers {
            let began = timeout(PATIENCE, async {
                tokio::select! {
                    _ = are_ready.recv() => Ok(()),
                    Some(ended) = all.join_next() => ended?.map(|_| ()),
                }
            });
            began.await.context("a subscriber does not begin in time")??;
        }
        say(READY);
        let last = spawn_blocking(line).await??;
        until.send_replace(Some(last.parse::<i64>()?));
        let mut latencies = String::new();
        while let Some(told) = timeout(PATIENCE, all.join_next())
            .await
            .context("not all were told in time")?
        {
            for micros in told?? {
                latencies.push_str(&micros.to_string());
                latencies.push(' ');
            }
        }
        say(latencies);
        Ok(Verdict::Well)
    }
}

/// The next line of standard input.
fn line() -> Result<String> {
    let mut line = String::new();
    let bytes = std::io::stdin().read_line(&mut line)?;
    ensure!(bytes > 0, "nobody says any more who follows, and up to where");
    Ok(line.trim_end().to_owned())
}

/// How one follows.
enum Line {
    Events(reqwest::Response, String),
    Socket(Box<WebSocketStream<TcpStream>>),
}

impl Line {
    async fn events(http: &reqwest::Client, server: &str, token: &str) -> Result<Self> {
        let asked = http
            .post(format!("http://{server}/graphql/stream"))
            .bearer_auth(token);
        let response = asked.json(&json!({"query": QUERY})).send().await?;
        ensure!(
            response.status().is_success(),
            "it is refused: {}",
            response.text().await?
        );
        Ok(Self::Events(response, String::new()))
    }

    async fn socket(server: &str, token: &str) -> Result<Self> {
        let mut request = format!("ws://{server}/graphql/live").into_client_request()?;
        let protocol = "graphql-transport-ws".parse()?;
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(server).await?;
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        let init =
            json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {token}")}});
        let subscribe = json!({"type": "subscribe", "id": "1", "payload": {"query": QUERY}});
        for said in [init, subscribe, json!({"type": "ping"})] {
            socket.send(Message::text(said.to_string())).await?;
        }
        for expected in ["connection_ack", "pong"] {
            let said = said(&mut socket).await?;
            ensure!(said["type"] == expected, "the server says {said}");
        }
        Ok(Self::Socket(Box::new(socket)))
    }

    /// Follows until everything was told, and says how long after it was recorded.
    async fn follow(&mut self, mut until: watch::Receiver<Option<i64>>) -> Result<Vec<u64>> {
        let (mut latencies, mut seen) = (Vec::new(), 0);
        loop {
            if until.borrow_and_update().is_some_and(|until| seen >= until) {
                return Ok(latencies);
            }
            tokio::select! {
                told = self.told() => {
                    let told = told?;
                    seen = told.position;
                    latencies.push(told.micros);
                }
                known = until.changed() => known?,
            }
        }
    }

    async fn told(&mut self) -> Result<Told> {
        match self {
            Self::Events(response, read) => loop {
                if let Some((part, rest)) = read.split_once("\n\n") {
                    let data = part.lines().find_map(|line| line.strip_prefix("data:"));
                    let told = data
                        .map(|data| Told::of(&serde_json::from_str(data)?))
                        .transpose()?;
                    *read = rest.to_owned();
                    match told {
                        Some(told) => return Ok(told),
                        None => continue,
                    }
                }
                let bytes = response.chunk().await?.context("the stream has ended")?;
                read.push_str(std::str::from_utf8(&bytes)?);
            },
            Self::Socket(socket) => Told::of(&said(socket).await?["payload"]),
        }
    }
}

async fn said(socket: &mut WebSocketStream<TcpStream>) -> Result<Value> {
    loop {
        match socket.next().await.context("the socket has ended")?? {
            Message::Text(text) => return Ok(serde_json::from_str(&text)?),
            Message::Ping(_) | Message::Pong(_) => {}
            other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                anyhow::bail!("the server says {other}");
            }
        }
    }
}

impl Told {
    fn of(answer: &Value) -> Result<Self> {
        let change = &answer["data"]["changes"];
        let position = change["position"].as_i64();
        let recorded: DateTime<Utc> = serde_json::from_value(change["recordedAt"].clone())?;
        let waited = SystemClock.now() - recorded;
        Ok(Self {
            position: position.with_context(|| format!("the server answers {answer}"))?,
            // A clock that was set back meanwhile tells nothing.
            micros: waited
                .num_microseconds()
                .and_then(|micros| u64::try_from(micros).ok())
                .unwrap_or(0),
        })
    }
}
