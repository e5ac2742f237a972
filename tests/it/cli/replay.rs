//! `hibachi replay verify`: proof, and what a lie does to it.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::Executor;
use tests::process::{Installation, SLUG};

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
    let log = auditor.data("{ log { position headHash } }", json!({})).await;
    let answer: Value = serde_json::from_str(&installation.well(&VERIFY_JSON)).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["events"], &answer["head"]),
        (&json!(true), &json!(head), &log["log"]["headHash"])
    );

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
        format!("{SLUG}: position {position}: the stored event does not match its hash\n")
    );
    let json = installation.run(&VERIFY_JSON);
    assert_eq!(json.code, Some(1), "{json:?}");
    let answer: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["position"]),
        (&json!(false), &json!(position))
    );
    assert_eq!((text.err, json.err), (String::new(), String::new()));
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}
