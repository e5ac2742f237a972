//! `hibachi bench`: lines for programs to read, and nothing left behind, however it ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use embedded_postgres::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use tests::process::Installation;

/// What a program finds in every line, measured or summed up.
const FIELDS: [&str; 18] = [
    "peer",
    "case",
    "clients",
    "preloaded",
    "events",
    "loaded",
    "seconds",
    "events_per_s",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "p999_ms",
    "conflicts",
    "errors",
    "cpu_seconds",
    "cores",
    "profile",
    "commit",
];
/// What it finds of the server.
const SERVER: [&str; 12] = [
    "postgres",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "wal_sync_method",
    "wal_compression",
    "wal_buffers",
    "max_wal_size",
    "commit_delay",
    "shared_buffers",
    "flush_method",
];

/// Every line that a run printed, each with all its fields; those of the measurements, and those of the summary.
fn lines(printed: &str) -> (Vec<Value>, Vec<Value>) {
    let lines: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    for line in &lines {
        for field in FIELDS {
            assert!(line.get(field).is_some(), "{field} is missing: {line}");
        }
        for field in SERVER {
            assert!(line["server"][field].is_string(), "{field} is missing: {line}");
        }
        assert_eq!(
            (&line["server"]["fsync"], &line["server"]["synchronous_commit"]),
            (&"on".into(), &"on".into())
        );
        assert!(line["server"]["flush_us"].is_u64(), "{line}");
        assert!(line["events_per_s"].as_u64() > Some(0), "{line}");
        assert!(line["seconds"].is_number(), "{line}");
        assert_eq!(
            (&line["conflicts"], &line["errors"]),
            (&0.into(), &0.into()),
            "{line}"
        );
    }
    lines.into_iter().partition(|line| line.get("summary").is_none())
}

/// The cases and peers of lines.
fn cases(lines: &[Value]) -> BTreeSet<(String, String)> {
    let text = |line: &Value, field| {
        line[field]
            .as_str()
            .map(str::to_owned)
            .expect("the field is text")
    };
    let of = |line| (text(line, "case"), text(line, "peer"));
    let cases: BTreeSet<_> = lines.iter().map(of).collect();
    assert_eq!(cases.len(), lines.len(), "a case and peer comes twice");
    cases
}

fn expected(cases: &[(&str, &[&str])]) -> BTreeSet<(String, String)> {
    let of = |(case, peers): &(&str, &[&str])| {
        let case = (*case).to_owned();
        peers
            .iter()
            .map(move |peer| (case.clone(), (*peer).to_owned()))
            .collect::<Vec<_>>()
    };
    cases.iter().flat_map(of).collect()
}

async fn databases(server: &Server) -> Vec<String> {
    let mut superuser = PgConnection::connect(&server.url("postgres"))
        .await
        .expect("the server answers");
    let databases =
        sqlx::query_scalar("select datname::text from pg_database where not datistemplate order by 1")
            .fetch_all(&mut superuser)
            .await
            .expect("the superuser sees every database");
    superuser.close().await.expect("the server is there");
    databases
}

/// A measurement of thousands of rounds, with its first line read.
fn long_run(installation: &Installation) -> (Child, BufReader<ChildStdout>) {
    let ask = [
        "bench",
        "load",
        "--millis",
        "300",
        "--rounds",
        "9000",
        "--streams",
        "8",
    ];
    begin(installation.command(&ask))
}

fn begin(mut command: std::process::Command) -> (Child, BufReader<ChildStdout>) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program is built");
    let mut out = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("its output is text");
    assert!(line.contains(r#""round":1"#), "instead of a first line: {line}");
    (child, out)
}

fn send(child: &Child, signal: Signal) {
    let pid = child.id().try_into().expect("a process id is positive");
    kill(Pid::from_raw(pid), signal).expect("the program still runs");
}

#[tokio::test]
async fn appending_is_measured_beside_its_rivals_and_leaves_no_database() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let printed = installation.well(&[
        "bench",
        "append",
        "--millis",
        "20",
        "--rounds",
        "1",
        "--streams",
        "400",
        "--cold-streams",
        "400",
    ]);
    let (measured, summed) = lines(&printed);
    let new = ["ours", "postgres-es", "raw_row", "raw_batch", "copy"];
    let five = ["ours", "postgres-es", "raw_row"];
    let existing = ["ours", "postgres-es", "raw_row", "ours-cold", "postgres-es-cold"];
    let fair = ["ours", "raw_row"];
    let expected = expected(&[
        ("append_1ev_new_1", &new),
        ("append_1ev_new_16", &new),
        ("append_1ev_new_64", &new),
        ("append_1ev_existing_1", &existing),
        ("append_1ev_existing_16", &existing),
        ("append_1ev_existing_64", &existing),
        ("append_5ev_new_16", &five),
        ("append_fair_alone", &fair),
        ("append_fair_flooded", &fair),
        ("append_fair_flood", &fair),
    ]);
    assert_eq!(cases(&measured), expected);
    assert_eq!(cases(&summed), expected);
    for line in &measured {
        assert!(line["p50_ms"].is_number() && line["p99_ms"].is_number(), "{line}");
        let existing = line["case"].as_str().unwrap().contains("existing");
        // Twenty events, and those that the case has added.
        assert_eq!(line["loaded"].as_f64() >= Some(20.0), existing, "{line}");
    }
    let compared = |case: &str, peer: &str| {
        let line = summed
            .iter()
            .find(|line| line["case"] == case && line["peer"] == peer)
            .unwrap();
        let ratios: Vec<String> = line["ratios"].as_object().unwrap().keys().cloned().collect();
        let targets = line["targets"].as_array().unwrap();
        assert!(
            targets.iter().all(|target| target["reached"].is_boolean()),
            "{line}"
        );
        let text = |target: &Value| target["target"].as_str().unwrap().to_owned();
        (
            ratios.join(" "),
            targets.iter().map(text).collect::<Vec<_>>().join(" "),
        )
    };
    let beside = |ratios: &str, targets: &str| (ratios.to_owned(), targets.to_owned());
    assert_eq!(
        compared("append_1ev_new_64", "ours"),
        beside(
            "copy postgres-es raw_batch raw_row",
            "≥ 4 × postgres-es ≥ 1.5 × raw_row p99 ≤ 10 ms"
        )
    );
    // Each is compared with those that had as many streams.
    assert_eq!(
        compared("append_1ev_existing_64", "ours"),
        beside("postgres-es raw_row", "≥ 5 × postgres-es")
    );
    assert_eq!(
        compared("append_1ev_existing_64", "ours-cold"),
        beside("postgres-es-cold", "≥ 5 × postgres-es-cold")
    );
    assert_eq!(
        compared("append_1ev_existing_64", "postgres-es-cold"),
        beside("", "")
    );
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn loading_and_reading_are_measured_beside_their_rivals_in_every_round() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let printed = installation.well(&[
        "bench",
        "load",
        "--millis",
        "20",
        "--rounds",
        "2",
        "--streams",
        "8",
        "--preload",
        "30",
    ]);
    let (measured, summed) = lines(&printed);
    let peers = expected(&[("load_stream_100", &["ours", "postgres-es", "raw_row"])]);
    for round in [1, 2] {
        let of_round: Vec<Value> = measured
            .iter()
            .filter(|line| line["round"] == round)
            .cloned()
            .collect();
        assert_eq!(cases(&of_round), peers);
    }
    assert_eq!(cases(&summed), peers);
    for line in measured.iter().chain(&summed) {
        // Whole streams of twenty.
        assert_eq!(
            (&line["preloaded"], line["loaded"].as_f64()),
            (&40.into(), Some(100.0)),
            "{line}"
        );
    }

    let printed = installation.well(&["bench", "read", "--rounds", "1", "--events", "990"]);
    let (measured, summed) = lines(&printed);
    let peers = expected(&[
        ("read_all", &["ours", "postgres-es", "raw_batch", "copy"]),
        ("verify", &["ours"]),
    ]);
    assert_eq!(cases(&measured), peers);
    assert_eq!(cases(&summed), peers);
    for line in &measured {
        assert_eq!(
            (&line["events"], &line["p50_ms"]),
            (&1000.into(), &Value::Null),
            "{line}"
        );
    }
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
    let left: Vec<_> = std::fs::read_dir(installation.data_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left
            .iter()
            .any(|name| name.to_string_lossy().starts_with("flush")),
        "{left:?}"
    );
}

#[tokio::test]
async fn following_the_log_is_measured_beside_its_rival_and_with_many_companies() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let printed = installation.well(&[
        "bench",
        "project",
        "--millis",
        "100",
        "--rounds",
        "1",
        "--events",
        "250",
        "--tenants",
        "3",
        "--idle-seconds",
        "0",
    ]);
    let (idle, others): (Vec<&str>, Vec<&str>) =
        printed.lines().partition(|line| line.contains("tenants_3_idle"));
    let (measured, summary) = lines(&others.join("\n"));
    let all = expected(&[
        ("project_live", &["ours", "row_at_a_time"]),
        ("project_all", &["ours"]),
        ("visible_500", &["ours"]),
        ("tenants_3_catch_up", &["ours"]),
        ("tenants_3_visible", &["ours"]),
    ]);
    assert_eq!((cases(&measured), cases(&summary)), (all.clone(), all));
    // Nothing happens in that one; what it costs is told.
    let idle: Value = serde_json::from_str(idle[0]).expect("a line is JSON");
    assert_eq!((&idle["events"], &idle["errors"]), (&0.into(), &0.into()));
    assert!(idle["server_transactions"].is_u64(), "{idle}");
    assert!(idle["server_cpu_seconds"].is_number(), "{idle}");
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn a_run_that_is_stopped_drops_its_database_and_leaves_that_of_another_alone() {
    let installation = Installation::empty();
    let server = installation.postgres();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (mut first, _out) = long_run(&installation);
        let with_first = databases(&server).await;
        assert_eq!(with_first.len(), 3, "{with_first:?}");
        installation.well(&[
            "bench",
            "load",
            "--millis",
            "20",
            "--rounds",
            "1",
            "--streams",
            "8",
        ]);
        assert_eq!(databases(&server).await, with_first);
        send(&first, signal);
        assert_eq!(first.wait().unwrap().code(), Some(2));
        assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
    }
}

#[tokio::test]
async fn the_database_of_a_run_that_was_killed_is_dropped_by_the_next() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let (mut killed, _out) = long_run(&installation);
    send(&killed, Signal::SIGKILL);
    killed.wait().unwrap();
    let left = databases(&server).await;
    assert_eq!(left.len(), 3, "{left:?}");
    installation.well(&[
        "bench",
        "load",
        "--millis",
        "20",
        "--rounds",
        "1",
        "--streams",
        "8",
    ]);
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_run_and_its_database() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let (mut run, out) = begin(installation.command(&["bench", "load", "--millis", "20", "--streams", "8"]));
    drop(out);
    assert_eq!(run.wait().unwrap().code(), Some(2));
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn a_schema_that_cannot_be_made_leaves_no_database() {
    let installation = Installation::empty();
    let server = installation.postgres();
    // Every new database is a copy of this one: the log's table is there already, and is not the log's.
    let mut template = PgConnection::connect(&server.url("template1")).await.unwrap();
    template.execute("create table events ()").await.unwrap();
    template.close().await.unwrap();
    let answer = installation.run(&["bench", "load"]);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(
        answer.err.contains("cannot migrate the scratch database"),
        "{answer:?}"
    );
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[test]
fn a_case_that_there_is_not_is_refused_before_anything_is_made() {
    let installation = Installation::empty();
    let answer = installation.run(&["bench", "read", "--case", "write"]);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.err.contains("read_all, verify"), "{answer:?}");
    assert!(!installation.data_dir().exists());
}

#[tokio::test]
async fn exporting_tax_is_measured_beside_a_copy_of_the_same_rows() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let ask = [
        "bench", "export", "--millis", "20", "--rounds", "1", "--lines", "500",
    ];
    let (measured, summed) = lines(&installation.well(&ask));
    let peers = ["ours", "copy"];
    let expected = expected(&[
        ("export_csv", &peers),
        ("export_xlsx", &peers),
        ("export_csv_tenth", &peers),
        ("export_xlsx_tenth", &peers),
    ]);
    assert_eq!((cases(&measured), cases(&summed)), (expected.clone(), expected));
    for line in &measured {
        let is_tenth = line["case"].as_str().unwrap().ends_with("_tenth");
        assert_eq!(line["events"], if is_tenth { 50 } else { 500 }, "{line}");
        assert!(line["peak_mib"].is_u64(), "{line}");
    }
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn jobs_are_measured_and_a_quiet_company_beside_a_noisy_one() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let ask = [
        "bench", "jobs", "--millis", "300", "--rounds", "1", "--jobs", "30", "--noisy", "60",
    ];
    let (measured, summed) = lines(&installation.well(&ask));
    let ours = ["ours"];
    let expected = expected(&[
        ("jobs_burst", &ours),
        ("jobs_paced", &ours),
        ("jobs_quiet_alone", &ours),
        ("jobs_quiet_beside", &ours),
        ("jobs_noisy", &ours),
    ]);
    assert_eq!((cases(&measured), cases(&summed)), (expected.clone(), expected));
    for line in &measured {
        let case = line["case"].as_str().unwrap();
        let events = line["events"].as_u64().unwrap();
        match case {
            "jobs_burst" => assert_eq!(events, 30, "{line}"),
            "jobs_noisy" => assert_eq!(events, 60, "{line}"),
            _ => assert!(events > 0 && line["p99_ms"].is_number(), "{line}"),
        }
        assert_eq!(line["errors"], 0, "{line}");
    }
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn subscribers_are_measured_one_and_many() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let ask = [
        "bench",
        "live",
        "--millis",
        "500",
        "--rounds",
        "1",
        "--subscribers",
        "24",
        "--per-second",
        "20",
    ];
    let (measured, summed) = lines(&installation.well(&ask));
    let expected = expected(&[("live_alone", &["ours"]), ("live_many", &["ours"])]);
    assert_eq!((cases(&measured), cases(&summed)), (expected.clone(), expected));
    for line in &measured {
        let (events, clients) = (
            line["events"].as_u64().unwrap(),
            line["clients"].as_u64().unwrap(),
        );
        assert!(events > 0 && events % clients == 0, "{line}");
        assert!(
            line["p99_ms"].is_number() && line["peak_mib"].as_u64() > Some(0),
            "{line}"
        );
    }
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}

#[tokio::test]
async fn pages_are_measured_over_http_in_a_company_of_their_own() {
    let installation = Installation::empty();
    let server = installation.postgres();
    let ask = [
        "bench",
        "page",
        "--case",
        "page_1",
        "--case",
        "page_anew_1",
        "--millis",
        "200",
        "--rounds",
        "1",
        "--events",
        "1000",
    ];
    let (measured, summed) = lines(&installation.well(&ask));
    let expected = expected(&[("page_1", &["ours"]), ("page_anew_1", &["ours"])]);
    assert_eq!((cases(&measured), cases(&summed)), (expected.clone(), expected));
    for line in &measured {
        assert!(line["events"].as_u64() > Some(0) && line["errors"] == 0, "{line}");
    }
    assert_eq!(databases(&server).await, ["hibachi", "postgres"]);
}
