//! `hibachi bench`: lines for programs to read, and nothing left behind.

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::process::Installation;

#[tokio::test]
async fn a_measurement_prints_its_cases_as_json_and_leaves_no_database() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let printed = installation.well(&["bench", "append", "--seconds", "1", "--rounds", "1"]);
    let lines: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let case = |line: &Value| {
        assert_eq!(line["round"], 1, "{line}");
        assert!(line["events_per_s"].as_u64() > Some(0), "{line}");
        for setting in ["fsync", "synchronous_commit"] {
            assert_eq!(line["server"][setting], "on", "{line}");
        }
        (
            line["peer"].as_str().unwrap().to_owned(),
            line["clients"].as_u64().unwrap(),
        )
    };
    let mut cases: Vec<_> = lines.iter().map(case).collect();
    cases.sort();
    let expected = [("ours", 1), ("ours", 64), ("raw_row", 1), ("raw_row", 64)];
    assert_eq!(cases, expected.map(|(peer, clients)| (peer.to_owned(), clients)));

    let mut superuser = installation.superuser().await;
    let databases: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where not datistemplate order by 1")
            .fetch_all(&mut superuser)
            .await
            .unwrap();
    assert_eq!(databases, ["hibachi", "postgres"]);
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}
