//! Connections that are opened and say nothing, or hardly anything: none is held for long, and others are answered.

use std::fs;
use std::time::{Duration, Instant};

use api::app::App;
use api::http::Patience;
use domain::access::Role;
use serde_json::json;
use tests::http::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Files that the test and the program, which are one process here, need beside those connections.
const SPARE: usize = 2_000;
/// How many connections an attack opens, where the system lets it.
const ATTACK: usize = 10_000;

async fn server(patience: Patience) -> Server {
    Server::start_as(|app| App { patience, ..app }).await
}

/// What comes back on a connection until it ends.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection that is reset has ended as well.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_or_a_body_that_does_not_come_ends_its_connection() {
    let server = server(Patience {
        connections: 64,
        head: Duration::from_millis(700),
        request: Duration::from_millis(900),
    })
    .await;
    for (about, sent, told) in [
        ("nothing", "", ""),
        ("half a head", "POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: ", ""),
        (
            "half a body",
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"query\": ",
            "HTTP/1.1 504",
        ),
    ] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(server.address()).await.expect("it listens");
        stream.write_all(sent.as_bytes()).await.expect("it is sent");
        let answer = tokio::time::timeout(Duration::from_secs(5), until_closed(stream)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{about}: it is held open"));
        assert!(answer.starts_with(told), "{about}: {answer}");
        assert_eq!(
            answer.contains("\"code\":\"TIMED_OUT\""),
            !told.is_empty(),
            "{about}: {answer}"
        );
        assert!(began.elapsed() >= Duration::from_millis(600), "{about}: at once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_a_byte_at_a_time_is_given_up_after_the_same_time() {
    let server = server(Patience {
        connections: 64,
        head: Duration::from_secs(5),
        request: Duration::from_secs(1),
    })
    .await;
    let began = Instant::now();
    let mut stream = TcpStream::connect(server.address()).await.expect("it listens");
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = [0; 12];
    loop {
        stream.write_all(b" ").await.expect("it is sent");
        let read = tokio::time::timeout(Duration::from_millis(100), stream.read_exact(&mut answer)).await;
        if read.is_ok() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "it is still read");
    }
    assert_eq!(&answer, b"HTTP/1.1 504");
}

fn most_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.unwrap_or(1_024)
}

fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Ten thousand, where the system has so many files for one process: both ends of each are in this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stderr, reason = "figures belong in the test's output")]
async fn thousands_of_half_open_connections_keep_nobody_else_waiting_for_long() {
    let attack = ATTACK.min(most_files().saturating_sub(SPARE) / 2);
    let server = server(Patience {
        connections: 8_192,
        head: Duration::from_secs(3),
        request: Duration::from_secs(10),
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    let before = resident_kib();
    let mut open = Vec::with_capacity(attack);
    for _ in 0..attack {
        let connecting =
            tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(server.address())).await;
        let mut stream = connecting
            .expect("there is room before the listener")
            .expect("it listens");
        stream.write_all(b"POST /graphql HTTP/1.1\r\nhost: x").await.ok();
        open.push(stream);
    }
    let during = resident_kib();
    let began = Instant::now();
    admin.data("{ log { position } }", json!({})).await;
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(8), "{waited:?}");
    let mut cut = 0;
    for stream in open {
        let ended = tokio::time::timeout(Duration::from_secs(10), until_closed(stream)).await;
        cut += usize::from(ended.is_ok());
    }
    assert_eq!(cut, attack, "every one of them is ended");
    eprintln!(
        "{attack} half-open connections: {} KiB each for both ends, a request amid them took {} ms",
        during.saturating_sub(before) / attack.max(1),
        waited.as_millis()
    );
    let figures = server.figures().await;
    let connections = figures
        .lines()
        .find_map(|line| line.strip_prefix("hibachi_http_connections "));
    assert!(
        connections
            .and_then(|open| open.parse().ok())
            .is_some_and(|open: i64| open < 100),
        "{connections:?}"
    );
}
