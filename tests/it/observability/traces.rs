//! Traces, sent to a collector.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use tests::collector::{Collector, attribute};
use tests::process::{Installation, Running};

use super::{Guest, book};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_can_be_followed_from_its_request_to_the_read_models() {
    let collector = Collector::start().await;
    let installation = Installation::demo();
    let mut command = installation.command(&["up", "--listen", "127.0.0.1:0"]);
    command
        .env("HIBACHI_OTLP_URL", collector.url())
        .env("HIBACHI_OTLP_HEADERS", "authorization=Bearer of-the-collector");
    let running = Running::start(command);
    let admin = running.sign_in("admin").await;
    let guest = Guest {
        name: "Zacharias Unverkennbar",
        email: "zacharias@traced.example",
        phone: "+14085550144",
        street: "99 Traced Ln",
        note: "by the back door",
    };
    let position = book(&admin, &guest).await["position"].to_string();
    let command = collector
        .span("the command", |span| {
            span.name == "command" && attribute(span, "position").as_deref() == Some(&position)
        })
        .await;
    let request = collector
        .span("its request", |span| span.span_id == command.parent_span_id)
        .await;
    assert_eq!(request.name, "request");
    assert_eq!(request.trace_id, command.trace_id);
    let id = attribute(&request, "id").expect("a request has its id");
    assert_eq!(attribute(&command, "request").as_deref(), Some(id.as_str()));
    for (name, value) in [("role", "ADMIN"), ("route", "/graphql"), ("method", "POST")] {
        assert_eq!(attribute(&request, name).as_deref(), Some(value), "{request:?}");
    }
    let append = collector
        .span("its append", |span| {
            span.name == "append" && span.parent_span_id == command.span_id
        })
        .await;
    assert_eq!(attribute(&append, "tenant"), attribute(&request, "tenant"));
    let batch = collector
        .span("its batch", |span| {
            span.name == "batch" && span.links.iter().any(|link| link.span_id == append.span_id)
        })
        .await;
    assert_eq!(attribute(&batch, "appends").as_deref(), Some("1"));
    let project = collector
        .span("its read models", |span| {
            span.name == "project" && attribute(span, "request").as_deref() == Some(id.as_str())
        })
        .await;
    assert_eq!(attribute(&project, "role").as_deref(), Some("ADMIN"));
    running.stop(Signal::SIGTERM);
    let all = collector.everything();
    assert!(all.contains("hibachi"), "it says who sends them");
    for nobody in [
        "Zacharias",
        "traced.example",
        "Traced Ln",
        "back door",
        "demo.test",
        "hibachi-demo-1",
    ] {
        assert!(!all.contains(nobody), "{nobody}");
    }
    let header = collector.header("authorization");
    assert!(header.iter().all(|value| value == "Bearer of-the-collector") && !header.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_does_not_answer_holds_nothing_up_and_is_told_of_once() {
    let installation = Installation::demo();
    let mut command = installation.command(&["up", "--listen", "127.0.0.1:0"]);
    // Nobody listens there.
    command.env("HIBACHI_OTLP_URL", "http://127.0.0.1:1");
    let running = Running::start(command);
    let admin = running.sign_in("admin").await;
    let began = Instant::now();
    // Longer than the exporter gathers before it sends.
    while began.elapsed() < Duration::from_secs(12) {
        let asked = Instant::now();
        admin.data("{ log { position } }", json!({})).await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let ended = running.stop(Signal::SIGTERM);
    assert_eq!(ended.status.code(), Some(0));
    let told = ended
        .err
        .iter()
        .filter(|line| line.contains("the collector does not take traces"));
    assert_eq!(told.count(), 1, "{:?}", ended.err);
}
