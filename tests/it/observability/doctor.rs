//! `hibachi doctor`: what it finds, and what it says to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::Executor;
use tests::process::{Installation, answer};

/// What is said of one thing: its state, what was found, and what to do.
fn finding(installation: &Installation, check: &str) -> (Option<i32>, String, String, String) {
    let told = installation.run(&["doctor", "--json"]);
    let all: Value = serde_json::from_str(&told.out).unwrap_or_else(|error| panic!("{error}: {told:?}"));
    assert_eq!(all["ok"], told.code == Some(0), "{told:?}");
    let findings = all["findings"].as_array().cloned().unwrap_or_default();
    let worst = findings.iter().filter(|finding| finding["check"] == check);
    let worst = worst.max_by_key(|finding| {
        ["well", "unknown", "warning", "wrong"]
            .iter()
            .position(|state| finding["state"] == *state)
    });
    let worst = worst.unwrap_or_else(|| panic!("{check} in {told:?}"));
    let text = |name: &str| worst[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(worst["state"] == "well", worst["do"].is_null(), "{worst}");
    (told.code, text("state"), text("found"), text("do"))
}

fn state(installation: &Installation, check: &str) -> String {
    finding(installation, check).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_found_and_what_to_do_is_said() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let began = Instant::now();
    let well = loop {
        let told = installation.run(&["doctor"]);
        if told.code == Some(0) {
            break told;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{told:?}");
    };
    for check in [
        "database",
        "durability",
        "clock",
        "disk",
        "keys",
        "backup",
        "read_models",
        "policies",
        "jobs",
    ] {
        assert!(
            well.out
                .lines()
                .any(|line| line.split_whitespace().nth(1) == Some(check)),
            "{check}: {well:?}"
        );
    }
    // Nobody has made a backup, and it is said so.
    let (code, state_of, found, to_do) = finding(&installation, "backup");
    assert_eq!((code, state_of.as_str()), (Some(0), "unknown"), "{found}");
    assert!(to_do.contains("hibachi backup mark"), "{to_do}");
    installation.well(&["backup", "mark"]);
    assert_eq!(state(&installation, "backup"), "well");

    let key = installation.data_dir().join("secrets/token-key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("it is ours");
    let (code, state_of, found, to_do) = finding(&installation, "keys");
    assert_eq!((code, state_of.as_str()), (Some(1), "wrong"));
    assert!(
        found.contains("token-key") && to_do.contains("chmod"),
        "{found}: {to_do}"
    );
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("it is ours");
    assert_eq!(state(&installation, "keys"), "well");

    let mut superuser = installation.superuser().await;
    let park = "insert into projection_parked (tenant_id, projection, generation, kind, name, position, event_type, reason, cause)
        select tenant_id, projection, generation, 'key', '\"x\"', 1, 'booking.requested', 'a test', 'refused'
        from projection_checkpoints where projection = 'booking_list' and status = 'live'";
    superuser.execute(park).await.expect("it can be parked");
    let (code, state_of, found, to_do) = finding(&installation, "read_models");
    assert_eq!((code, state_of.as_str()), (Some(1), "wrong"), "{found}");
    assert!(
        found.contains("booking_list") && to_do.contains("park list"),
        "{found}: {to_do}"
    );
    superuser
        .execute("delete from projection_parked")
        .await
        .expect("it can be let go");
    assert_eq!(state(&installation, "read_models"), "well");

    // The launcher keeps the server's own settings as they must be; a database's come before them.
    superuser
        .execute("alter database hibachi set synchronous_commit = off")
        .await
        .expect("it may");
    let (code, state_of, found, _) = finding(&installation, "durability");
    assert_eq!((code, state_of.as_str()), (Some(1), "wrong"));
    assert!(
        found.contains("synchronous_commit is off: a crash loses what was acknowledged"),
        "{found}"
    );
    superuser
        .execute("alter database hibachi reset synchronous_commit")
        .await
        .expect("it may");
    assert_eq!(state(&installation, "durability"), "well");
    drop(running);
}

#[test]
fn a_database_that_does_not_answer_is_found_wrong_and_the_rest_is_looked_at_all_the_same() {
    let installation = Installation::demo();
    let mut command = installation.command(&["doctor"]);
    // Nobody listens there.
    command.env(
        "DATABASE_URL",
        "postgres://nobody:hunter2-in-a-url@127.0.0.1:1/none",
    );
    let told = answer(command);
    assert_eq!(told.code, Some(1), "{told:?}");
    let wrong = told.out.lines().find(|line| line.starts_with("WRONG"));
    assert!(wrong.is_some_and(|line| line.contains("database")), "{told:?}");
    assert!(told.out.contains("keys") && told.out.contains("disk"), "{told:?}");
    assert!(
        !told.out.contains("hunter2") && !told.err.contains("hunter2"),
        "{told:?}"
    );
    let nowhere = Installation::empty().run(&["doctor"]);
    assert_eq!(
        nowhere.code,
        Some(2),
        "there is no installation to look at: {nowhere:?}"
    );
}
