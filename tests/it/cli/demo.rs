//! `hibachi demo bookings`: the same seed and dates make the same bookings.

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
///
/// Of an event: stream, sequence, type, version, event id, command id, metadata and payload. Left out are the
/// instant of recording, which is the database's, what is sealed, which no two installations seal alike, and the
/// streams that were there before: their deposits fall due by the real clock.
async fn year(installation: &Installation) -> (Vec<Vec<String>>, i64) {
    let postgres = installation.postgres();
    let before = installation.head().await;
    installation.well(&YEAR);
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
    let events = rows.iter().map(event).collect();
    let head = installation.head().await;
    superuser.close().await.expect("the session ends");
    postgres.stop().expect("its Postgres ends in order");
    (events, head)
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
