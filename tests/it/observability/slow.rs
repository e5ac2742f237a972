//! What takes the database too long is told by the name of the question.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::process::{Installation, Running};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_question_is_told_by_its_name_with_the_request_it_was_for() {
    let installation = Installation::demo();
    let mut command = installation.command(&["up", "--listen", "127.0.0.1:0"]);
    command
        .env("HIBACHI_SLOW_STATEMENT_MS", "1")
        .env("HIBACHI_LOG_FORMAT", "json");
    let running = Running::start(command);
    let admin = running.sign_in("admin").await;
    for _ in 0..20 {
        let page = "{ bookings(first: 50) { nodes { id number customer { name email } } } auditLog(first: 50) { nodes { position } } }";
        admin.ask(page, &json!({})).await.expect("it answers");
    }
    let ended = running.stop(Signal::SIGTERM);
    let lines: Vec<Value> = ended
        .err
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let slow = lines.iter().find(|line| {
        line["fields"]["question"]
            .as_str()
            .is_some_and(|question| question.ends_with(".page"))
            && line["span"].is_object()
    });
    let slow = slow.unwrap_or_else(|| panic!("nothing is slow in {:?}", ended.err));
    assert!(slow["fields"]["ms"].as_u64() >= Some(1), "{slow}");
    assert_eq!(
        (&slow["level"], &slow["spans"][0]["name"]),
        (&json!("WARN"), &json!("request")),
        "{slow}"
    );
    let told = ended.err.join("\n");
    assert!(!told.contains("@"), "nobody's address is told: {told}");
}
