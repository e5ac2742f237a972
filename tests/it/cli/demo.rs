//! `hibachi demo bookings`: the same seed and dates make the same bookings.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Connection, Row};
use tests::process::Installation;

const YEAR: [&str; 10] = [
    "demo",
    "bookings",
    "--count",
    "50",
    "--seed",
    "7",
    "--from",
    "2025-01-01",
    "--to",
    "2025-12-31",
];

/// Adds the year to a copy of the demo company. What it appended, and the log's head.
async fn year(installation: &Installation) -> (Vec<Vec<String>>, i64) {
    let postgres = installation.postgres();
    let before = installation.head().await;
    installation.well(&YEAR);
    let events = appended(installation, before).await;
    let head = installation.head().await;
    postgres.stop().expect("its Postgres ends in order");
    (events, head)
}

/// What was appended after a position.
///
/// Of an event: stream, sequence, type, version, event id, command id, metadata and payload. Left out are the
/// instant of recording, which is the database's, what is sealed, which no two installations seal alike, and the
/// streams that were there before: their deposits fall due by the real clock.
async fn appended(installation: &Installation, before: i64) -> Vec<Vec<String>> {
    let mut superuser = installation.superuser().await;
    let rows = sqlx::query(
        "select aggregate_type, aggregate_id, sequence::text, event_type, event_version, event_id::text,
            command_id::text, metadata::text, payload::text
        from events e
        where not exists (
            select from events first
            where first.tenant_id = e.tenant_id and first.aggregate_type = e.aggregate_type
                and first.aggregate_id = e.aggregate_id and first.position <= $1
        )
        order by position",
    )
    .bind(before)
    .fetch_all(&mut superuser)
    .await
    .expect("the log can be read");
    let event = |row: &sqlx::postgres::PgRow| {
        let mut fields: Vec<String> = (0..9).map(|field| row.get(field)).collect();
        let payload = fields.pop().expect("there are nine");
        let mut payload: Value = serde_json::from_str(&payload).expect("a payload is JSON");
        unseal(&mut payload);
        fields.push(payload.to_string());
        fields
    };
    superuser.close().await.expect("the session ends");
    rows.iter().map(event).collect()
}

/// How many events there are of each type, and what their amounts come to in cents.
fn counts_and_sums(events: &[Vec<String>]) -> BTreeMap<String, (usize, i64)> {
    let mut summed: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for event in events {
        let payload: Value = serde_json::from_str(&event[8]).expect("a payload is JSON");
        let (count, sum) = summed.entry(event[3].clone()).or_default();
        *count += 1;
        *sum += cents(&payload);
    }
    summed
}

fn cents(value: &Value) -> i64 {
    match value {
        Value::Object(fields) => {
            let own = fields.iter().filter(|(name, _)| name.ends_with("_cents"));
            let own: i64 = own.filter_map(|(_, amount)| amount.as_i64()).sum();
            own + fields.values().map(cents).sum::<i64>()
        }
        Value::Array(items) => items.iter().map(cents).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn unseal(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("sealed");
            fields.values_mut().for_each(unseal);
        }
        Value::Array(items) => items.iter_mut().for_each(unseal),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_makes_the_same_events_in_two_installations_and_nothing_when_repeated() {
    let (one, other) = (Installation::demo(), Installation::demo());
    let (first, head) = year(&one).await;
    let (second, _) = year(&other).await;
    assert!(first.len() > 200, "{} events", first.len());
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(a, b);
    }
    assert_eq!(first.len(), second.len());
    let count = |name: &str| first.iter().filter(|event| event[3] == name).count();
    // Some are turned away.
    assert!((45..=50).contains(&count("booking.requested")));
    assert!(count("booking.completed") > 25);
    assert!(
        first.iter().any(|event| event[8].contains("\"subject\"")),
        "people are sealed"
    );

    let (again, same_head) = year(&one).await;
    assert_eq!((again.len(), same_head), (0, head));
}

/// Starts a command and ends it, and nothing else, at once when the log has come so far. Whether it was amid its work.
async fn killed_at(installation: &Installation, arguments: &[&str], position: i64) -> bool {
    let mut command = installation.command(arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child: Child = child.expect("the program can be run");
    let deadline = Instant::now() + Duration::from_secs(100);
    while reached(installation).await < position && child.try_wait().expect("it is our child").is_none() {
        assert!(Instant::now() < deadline, "the log does not come to {position}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // SIGKILL.
    let amid = child.kill().is_ok() && child.wait().expect("it is our child").code().is_none();
    assert!(amid || reached(installation).await >= position);
    amid
}

/// How far the demo company's log has come; 0 while there is none.
async fn reached(installation: &Installation) -> i64 {
    let mut superuser = installation.superuser().await;
    let head = sqlx::query_scalar(
        "select position from log_head join organisations using (tenant_id) where slug = 'my-hibachi'",
    )
    .fetch_optional(&mut superuser)
    .await;
    superuser.close().await.expect("the session ends");
    head.expect("the log can be read").unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_that_was_killed_again_and_again_comes_to_what_an_undisturbed_one_does() {
    let (one, other) = (Installation::demo(), Installation::demo());
    let (undisturbed, head) = year(&one).await;
    let postgres = other.postgres();
    let before = other.head().await;
    let whole = head - before;
    let mut killed = 0;
    for share in [1, 5, 9] {
        killed += usize::from(killed_at(&other, &YEAR, before + whole * share / 10).await);
    }
    assert!(killed > 1, "{killed} of three were killed amid their work");
    other.well(&YEAR);
    let resumed = appended(&other, before).await;
    assert_eq!(counts_and_sums(&resumed), counts_and_sums(&undisturbed));
    let ends = other.head().await;
    other.well(&YEAR);
    assert_eq!(other.head().await, ends, "what came to its end is left alone");
    let checked = other.well(&["projections", "check"]);
    assert!(
        checked.lines().all(|line| line.ends_with(", 0 differ")),
        "{checked}"
    );
    postgres.stop().expect("its Postgres ends in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_company_that_was_killed_in_its_set_up_is_whole_after_the_next_start() {
    let whole = Installation::demo();
    let postgres = whole.postgres();
    let expected = counts_and_sums(&appended(&whole, 0).await);
    postgres.stop().expect("its Postgres ends in order");

    let installation = Installation::empty();
    let postgres = installation.postgres();
    let one = [
        "demo",
        "bookings",
        "--count",
        "1",
        "--from",
        "2025-01-01",
        "--to",
        "2025-01-31",
    ];
    // It makes the database and its tables.
    installation.run(&["projections", "list"]);
    for position in [40, 900] {
        killed_at(&installation, &one, position).await;
    }
    installation.well(&one);
    let made = counts_and_sums(&appended(&installation, 0).await);
    for set_up in [
        "organisation.created",
        "station.created",
        "chef.registered",
        "price_list.item_added",
        "price_list.price_changed",
        "promo_code.created",
        "tax_rate.set",
        "user.created",
        "tax_period.closed",
    ] {
        assert!(expected.contains_key(set_up), "{set_up}: {expected:?}");
        assert_eq!(
            made.get(set_up).map(|(count, _)| count),
            expected.get(set_up).map(|(count, _)| count),
            "{set_up}"
        );
    }
    // The plan's is the same; what fell due between the two foundings, and the one booking more, are not.
    let count = |of: &BTreeMap<String, (usize, i64)>, name: &str| of.get(name).map_or(0, |(count, _)| *count);
    for (name, least) in [
        ("booking.requested", 150),
        ("booking.completed", 100),
        ("document.issued", 30),
    ] {
        let (made, expected) = (count(&made, name), count(&expected, name));
        assert!(
            made >= least && made.abs_diff(expected) <= 5,
            "{name}: {made} and {expected}"
        );
    }
    postgres.stop().expect("its Postgres ends in order");
}
