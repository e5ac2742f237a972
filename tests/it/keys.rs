//! Going over to another master key, by the command line, beside a running program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tests::process::{Client, Installation, Running, SLUG};
use uuid::Uuid;

const CUSTOMERS: &str = "{ customers(first: 100) { nodes { name email phone } } }";

/// What the program's people see of the customers, none of which may be lost.
async fn customers(client: &Client) -> Value {
    let seen = client.data(CUSTOMERS, json!({})).await["customers"]["nodes"].take();
    assert!(seen.as_array().is_some_and(|all| all.len() > 2), "{seen}");
    assert!(!seen.to_string().contains("erased"), "{seen}");
    seen
}

async fn found(client: &Client, email: &Value) -> Value {
    let search = "query($search: String!) { customers(first: 2, search: $search) { nodes { email } } }";
    client.data(search, json!({"search": email})).await["customers"]["nodes"].take()
}

fn listed(installation: &Installation) -> Value {
    let answer = installation.run(&["keys", "list", "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    serde_json::from_str(&answer.out).expect("--json answers JSON")
}

fn wraps(list: &Value, place: &str) -> Option<i64> {
    let mut keys = list["masterKeys"].as_array().expect("a list").iter();
    keys.find(|key| key["place"] == place)
        .and_then(|key| key["wraps"].as_i64())
}

fn rotate(installation: &Installation) -> Child {
    let mut command = installation.command(&["keys", "rotate", "--batch", "3"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program can be run")
}

/// Holds the key of the person in the middle, so that a rotation gets no further.
async fn hold_the_middle(installation: &Installation) -> PgConnection {
    let mut superuser = installation.superuser().await;
    superuser.execute("begin").await.expect("a transaction begins");
    let middle: Uuid = sqlx::query_scalar(
        "select subject_id from subject_keys order by subject_id
         offset (select count(*) / 2 from subject_keys) limit 1",
    )
    .fetch_one(&mut superuser)
    .await
    .expect("there are keys");
    sqlx::query("select from subject_keys where subject_id = $1 for update")
        .bind(middle)
        .execute(&mut superuser)
        .await
        .expect("it comes free");
    superuser
}

async fn until_somebody_waits(installation: &Installation) {
    let mut superuser = installation.superuser().await;
    for _ in 0..3000 {
        let waits: bool = sqlx::query_scalar(
            "select exists (select from pg_stat_activity
                 where wait_event_type = 'Lock' and query like '%subject_keys%for update%')",
        )
        .fetch_one(&mut superuser)
        .await
        .expect("the activity can be read");
        if waits {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no rotation comes so far");
}

async fn let_go(mut held: PgConnection) {
    held.execute("rollback").await.expect("it is let go");
    held.close().await.expect("the session ends");
}

/// Books as somebody new, which makes a key.
async fn book(client: &Client, key: &str) -> Value {
    let request = "mutation($input: BookingRequestInput!) { bookingRequest(input: $input) {
        replayed booking { id customer { name } } userErrors { code message } } }";
    let now: chrono::DateTime<chrono::Utc> = commands::ports::Clock::now(&commands::gateways::SystemClock);
    let day = now.date_naive() + chrono::Days::new(300);
    let input = json!({
        "idempotencyKey": key,
        "customer": {"name": format!("Guest {key}"), "email": format!("{key}@example.com")},
        "venue": {"street": "1 Main St", "city": "San Jose", "state": "CA", "zip": "95112"},
        "start": format!("{day}T18:00:00"),
        "guests": {"adults": 12, "children": 4},
    });
    let mut answer = client.data(request, json!({"input": input})).await;
    let booked = answer["bookingRequest"].take();
    assert_eq!(booked["userErrors"], json!([]), "{booked}");
    booked
}

fn files(installation: &Installation) -> Vec<String> {
    let secrets = fs::read_dir(installation.data_dir().join("secrets")).expect("there are secrets");
    let mut names: Vec<String> = secrets
        .map(|entry| {
            entry
                .expect("they can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.starts_with("master-key"))
        .collect();
    names.sort();
    names
}

async fn assert_all_is_there(running: &Running, client: &Client, before: &Value) {
    assert_eq!(&customers(client).await, before);
    assert_eq!(
        found(client, &before[0]["email"]).await[0]["email"],
        before[0]["email"]
    );
    // A program that starts now reads the same.
    let anew = running.sign_in("admin").await;
    assert_eq!(&customers(&anew).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_in_the_middle_loses_nothing_and_is_taken_up() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let admin = running.sign_in("admin").await;
    let booked = book(&admin, "before").await;
    let before = customers(&admin).await;
    let list = listed(&installation);
    let old_key = fs::read_to_string(installation.data_dir().join("secrets/master-key")).expect("a key");
    assert_eq!(files(&installation), ["master-key"]);
    assert_eq!(
        (list["masterKeys"].as_array().map(Vec::len), &list["destroyed"]),
        (Some(1), &json!(0))
    );

    let held = hold_the_middle(&installation).await;
    let mut rotating = rotate(&installation);
    until_somebody_waits(&installation).await;
    let second = installation.run(&["keys", "rotate"]);
    assert_eq!(second.code, Some(2), "{second:?}");
    assert!(second.err.contains("another rotation"), "{second:?}");
    rotating.kill().expect("it is ours");
    rotating.wait().expect("it is ours");
    let_go(held).await;

    let list = listed(&installation);
    let (newest, earlier) = (wraps(&list, "newest"), wraps(&list, "earlier"));
    assert!(newest > Some(2) && earlier > Some(2), "{list}");
    assert_eq!(files(&installation), ["master-key", "master-key.next"]);
    assert_all_is_there(&running, &admin, &before).await;
    // The program that knew the old key alone makes new persons' keys under the new one.
    book(&admin, "between").await;
    assert_eq!(wraps(&listed(&installation), "earlier"), earlier);
    let before = customers(&admin).await;

    let told = installation.well(&["keys", "rotate", "--batch", "3"]);
    assert!(told.contains("keys wrapped anew"), "{told}");
    assert_eq!(files(&installation), ["master-key"]);
    let key = installation.data_dir().join("secrets/master-key");
    let new_key = fs::read_to_string(&key).expect("a key");
    assert_ne!(new_key, old_key);
    assert_eq!(
        fs::metadata(&key).expect("a key").permissions().mode() & 0o777,
        0o600
    );
    let list = listed(&installation);
    assert_eq!(
        (list["masterKeys"].as_array().map(Vec::len), &list["unnamed"]),
        (Some(1), &json!(0))
    );
    assert!(!list.to_string().contains(new_key.trim()), "no key is shown");
    assert_all_is_there(&running, &admin, &before).await;
    let again = book(&admin, "before").await;
    assert_eq!(
        (&again["replayed"], &again["booking"]["id"]),
        (&json!(true), &booked["booking"]["id"]),
        "a replay is known as one"
    );

    let mut command = installation.command(&["keys", "list"]);
    command.env("HIBACHI_MASTER_KEY", old_key.trim());
    let with_old = tests::process::answer(command);
    assert_eq!(with_old.code, Some(1), "{with_old:?}");
    assert!(with_old.out.contains("missing"), "{with_old:?}");
    assert!(
        with_old
            .out
            .lines()
            .any(|line| line.contains("newest") && line.ends_with("wraps 0 keys")),
        "{with_old:?}"
    );
    let verified = installation.well(&["replay", "verify", "--org", SLUG]);
    assert!(verified.contains("as they were written"), "{verified}");
    let erasures = installation.well(&["replay", "erasures", "--org", SLUG]);
    assert!(erasures.contains("0 erasures"), "{erasures}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_from_the_environment_are_rotated_between_two_that_are_given() {
    let installation = Installation::demo();
    let postgres = installation.postgres();
    let first = fs::read_to_string(installation.data_dir().join("secrets/master-key")).expect("a key");
    let second = "ab".repeat(32);
    let run = |newest: &str, previous: Option<&str>, arguments: &[&str]| {
        let mut command = installation.command(arguments);
        command.env("HIBACHI_MASTER_KEY", newest);
        if let Some(previous) = previous {
            command.env("HIBACHI_MASTER_KEY_PREVIOUS", previous);
        }
        tests::process::answer(command)
    };
    let alone = run(&second, None, &["keys", "rotate"]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(alone.err.contains("HIBACHI_MASTER_KEY_PREVIOUS"), "{alone:?}");
    let rotated = run(&second, Some(first.trim()), &["keys", "rotate"]);
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert!(rotated.err.contains("take it away"), "{rotated:?}");
    let listed = run(&second, None, &["keys", "list"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let missing = run(first.trim(), None, &["keys", "list"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    drop(postgres);
}
