//! `hibachi replay verify`: proof, and what a lie does to it.

use std::collections::BTreeMap;
use std::str::FromStr;

use domain::envelope::{Expectation, NewEvent, Position, StreamId};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, Database, EventLog, Outcome, StreamWrite};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::PgConnectOptions;
use tests::process::{Client, Installation, SLUG};
use uuid::Uuid;

use super::assert_cannot_run;

const VERIFY: [&str; 4] = ["replay", "verify", "--org", SLUG];
const VERIFY_JSON: [&str; 5] = ["replay", "verify", "--org", SLUG, "--json"];

#[tokio::test]
async fn a_log_is_proved_and_one_changed_byte_is_named_by_its_position() {
    let installation = Installation::demo();
    let proved = installation.well(&VERIFY);
    assert_eq!(
        installation.postmaster(),
        None,
        "what was started for the proof is stopped"
    );

    let running = installation.up(&[]);
    let head = installation.head().await;
    assert!(
        proved.starts_with(&format!("{SLUG}: {head} events in ")),
        "{proved}"
    );
    let auditor = running.sign_in("auditor").await;
    let log = signed_log(&auditor).await;
    let kept: Value = serde_json::from_str(log["log"]["signedHead"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&kept["block_hash"], &kept["position"]),
        (&log["log"]["headHash"], &json!(head)),
        "the head is signed once the program is up"
    );
    let answer: Value = serde_json::from_str(&installation.well(&VERIFY_JSON)).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["events"], &answer["head"]),
        (&json!(true), &json!(head), &log["log"]["headHash"])
    );
    assert_eq!(
        (&answer["signed_heads"], &answer["trusted_keys"]),
        (&json!(1), &json!([kept["key_id"]]))
    );
    assert!(answer["claims"].as_i64().unwrap() > 0, "{answer}");

    let mut superuser = installation.superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .unwrap();
    let lie = "update events
        set payload = replace(payload::text, '\"amount_cents\":10000', '\"amount_cents\":10001')::json
        where position = (
            select position from events where event_type = 'payment.verified'
                and payload::text like '%\"amount_cents\":10000,%' and position > $1 / 2
            order by position limit 1
        ) returning position";
    let position: i64 = sqlx::query_scalar(lie)
        .bind(head)
        .fetch_one(&mut superuser)
        .await
        .unwrap();

    let text = installation.run(&VERIFY);
    assert_eq!(text.code, Some(1), "{text:?}");
    assert_eq!(
        text.out,
        format!(
            "{SLUG}: position {position}: the stored event does not match its hash: its payload was changed\n"
        )
    );
    let json = installation.run(&VERIFY_JSON);
    assert_eq!(json.code, Some(1), "{json:?}");
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["position"], &answer["lie"]),
        (&json!(false), &json!(position), &json!("changed_payload"))
    );
    let unsigned = installation.run(&["replay", "sign-head", "--org", SLUG, "--out", "head.json"]);
    // Checked from the kept head on, which is the last one: there is nothing new to be found.
    assert_eq!(unsigned.code, Some(0), "{unsigned:?}");
    assert_eq!((text.err, json.err), (String::new(), String::new()));
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}

/// The log, once its head was signed on schedule.
async fn signed_log(auditor: &Client) -> Value {
    for _ in 0..600 {
        let log = auditor
            .data("{ log { position headHash signedHead } }", json!({}))
            .await;
        if log["log"]["signedHead"].is_string() {
            return log;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no head was signed in 30 seconds");
}

#[tokio::test]
async fn a_signed_head_and_a_proof_are_files_that_an_auditor_checks_elsewhere() {
    let installation = Installation::demo();
    let file = |name: &str| installation.place().join(name);
    // The demo's closed quarter stands on one.
    let before: Value = serde_json::from_str(&installation.well(&VERIFY_JSON)).unwrap();
    let said = installation.well(&["replay", "sign-head", "--org", SLUG, "--out", "head.json"]);
    let head = std::fs::read_to_string(file("head.json")).unwrap();
    let signed: Value = serde_json::from_str(&head).unwrap();
    let key = signed["public_key"].as_str().unwrap();
    let position = signed["position"].as_i64().unwrap();
    assert_eq!(
        said,
        format!(
            "{SLUG}: signed the head of position {position}, block {}, under the key {}\npublic key {key}\n",
            signed["block"],
            signed["key_id"].as_str().unwrap()
        )
    );
    let trusted = verifier::public_key(key).unwrap();
    assert_eq!(verifier::check_head(&head, &trusted).unwrap().position, position);

    installation.well(&[
        "replay",
        "prove",
        "--org",
        SLUG,
        "--position",
        "2",
        "--out",
        "proof.json",
        "--head",
        "head.json",
    ]);
    let proof = std::fs::read_to_string(file("proof.json")).unwrap();
    let checked = verifier::check_proof(&proof, &trusted).unwrap();
    assert_eq!((checked.position, checked.head.position), (2, position));
    // To the terminal, under a head that is signed for it.
    let shown = installation.well(&["replay", "prove", "--org", SLUG, "--position", "2"]);
    assert!(verifier::check_proof(&shown, &trusted).is_ok(), "{shown}");

    std::fs::write(file("key"), key).unwrap();
    let against = [
        "replay",
        "verify",
        "--org",
        SLUG,
        "--json",
        "--against",
        "head.json",
    ];
    for trusting in [&[][..], &["--public-key", key], &["--public-key", "key"]] {
        let answer: Value = serde_json::from_str(&installation.well(&[&against, trusting].concat())).unwrap();
        let known = before["signed_heads"].as_i64().unwrap();
        assert_eq!(answer["signed_heads"], known + 1, "{answer}");
    }
    let other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let forged = installation.run(&[&against[..], &["--public-key", other]].concat());
    assert_eq!(forged.code, Some(1), "{forged:?}");
    let answer: Value = serde_json::from_str(&forged.out).unwrap();
    assert_eq!(answer["lie"], "forged_signature");

    std::fs::write(file("head.json"), head.replace("\"block\": ", "\"block\": 1")).unwrap();
    let altered = installation.run(&["replay", "verify", "--org", SLUG, "--against", "head.json"]);
    assert_eq!(altered.code, Some(1), "{altered:?}");
    assert!(
        altered.out.contains("the signature of the head is forged"),
        "{altered:?}"
    );
    std::fs::write(file("head.json"), "{}").unwrap();
    assert_cannot_run(
        &installation.run(&["replay", "verify", "--org", SLUG, "--against", "head.json"]),
        "head.json does not count",
    );
    assert_cannot_run(
        &installation.run(&["replay", "prove", "--org", SLUG, "--position", "0"]),
        "there is no event at position 0",
    );
    assert_cannot_run(
        &installation.run(&["replay", "verify", "--org", SLUG, "--public-key", "nowhere"]),
        "neither 64 hexadecimal digits nor a file",
    );
}

#[tokio::test]
async fn claims_that_the_log_does_not_know_and_claims_that_are_gone_are_named() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let mut superuser = installation.superuser().await;
    superuser
        .execute(
            "insert into claims_unique (tenant_id, scope, key, holder_kind, holder_id)
             select tenant_id, 'customer.email', 'forged', 'customer', 'nobody' from log_head",
        )
        .await
        .unwrap();
    let found = installation.run(&VERIFY);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(
        found
            .out
            .contains("a claim is held that is not of the log: customer.email forged of customer:nobody"),
        "{found:?}"
    );
    superuser
        .execute(
            "delete from claims_unique where key = 'forged';
             delete from claims_unique where ctid = (select ctid from claims_unique limit 1)",
        )
        .await
        .unwrap();
    let found = installation.run(&VERIFY_JSON);
    assert_eq!(found.code, Some(1), "{found:?}");
    let answer: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(answer["lie"], "missing_claim", "{answer}");
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}

#[tokio::test]
async fn an_event_that_this_program_does_not_know_is_found_and_named() {
    let installation = Installation::demo();
    let server = installation.postgres();
    let url = server.url("hibachi");
    let tenant = sqlx::query_scalar("select tenant_id from log_head")
        .fetch_one(&mut installation.superuser().await)
        .await
        .unwrap();
    let position = teleport(&url, TenantId(tenant)).await;
    let said = format!("position {position}: unknown event booking.teleported version 7");
    let at = ["--database-url", &url];
    let text = installation.run(&[&VERIFY[..], &at].concat());
    assert_eq!(
        (text.code, &text.out),
        (Some(1), &format!("{SLUG}: {said}\n")),
        "{text:?}"
    );
    for json in [
        &[&VERIFY_JSON[..], &at].concat(),
        &[&VERIFY_JSON[..], &["--independent"], &at].concat(),
    ] {
        let json = installation.run(json);
        assert_eq!(json.code, Some(1), "{json:?}");
        let answer: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(
            answer,
            json!({ "ok": false, "position": position.0, "lie": "unknown_event", "finding": said })
        );
    }
    server.stop().unwrap();
}

/// Appends what only a newer program would.
async fn teleport(url: &str, tenant: TenantId) -> Position {
    let options = PgConnectOptions::from_str(url).expect("it is an address");
    let database = Database::connect(options, 2).await.expect("the database answers");
    let log = EventLog::start(database.clone());
    let event = NewEvent {
        event_id: EventId(Uuid::from_u128(1)),
        event_type: "booking.teleported",
        event_version: 7,
        payload: "{}".to_owned(),
        claims: vec![],
    };
    let append = Append {
        tenant,
        command_id: CommandId(Uuid::from_u128(1)),
        digest: [0; 32],
        streams: vec![StreamWrite {
            stream: StreamId::new("booking", "far away"),
            expected: Expectation::Any,
            events: vec![event],
        }],
        reads: vec![],
        erases: vec![],
        meta: BTreeMap::new(),
    };
    let outcome = log.append(append).await.expect("the log takes it");
    let Outcome::Appended(receipt) = outcome else {
        panic!("{outcome:?}")
    };
    log.shut_down().await;
    database.close().await;
    receipt.last
}
