//! `hibachi replay verify --independent`: the log read a second time, by software that we did not write.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use domain::envelope::{StreamId, Version};
use domain::ids::TenantId;
use domain::station::Station;
use event_log::{Database, EventLog, Snapshot};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use tests::process::{Installation, SLUG};
use uuid::Uuid;

const INDEPENDENT: [&str; 5] = ["replay", "verify", "--org", SLUG, "--independent"];

#[tokio::test]
async fn a_year_of_bookings_is_the_same_for_both_readers_until_one_is_misled() {
    let installation = Installation::demo();
    let said = installation.well(&INDEPENDENT);
    let server = installation.postgres();
    let url = server.url("hibachi");
    let head = installation.head().await;
    let read = format!("postgres-es reads the same {head} events of ");
    assert!(said.lines().any(|line| line.starts_with(&read)), "{said}");

    let given = [&INDEPENDENT[..], &["--json", "--database-url", &url]].concat();
    let answer: Value = serde_json::from_str(&installation.well(&given)).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["independent"]["events"]),
        (&true.into(), &head.into())
    );
    let aggregates: BTreeMap<String, u64> =
        serde_json::from_value(answer["independent"]["aggregates"].clone()).unwrap();
    let mut superuser = installation.superuser().await;
    let kinds: Vec<String> = sqlx::query_scalar("select distinct aggregate_type from events")
        .fetch_all(&mut superuser)
        .await
        .unwrap();
    assert!(kinds.len() > 10, "{kinds:?}");
    let compared: BTreeSet<String> = aggregates.into_keys().collect();
    assert_eq!(compared, BTreeSet::from_iter(kinds));

    let station = mislead(&url, &mut superuser).await;
    let found = installation.run(&given);
    assert_eq!(found.code, Some(1), "{found:?}");
    let answer: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(answer["stream"], format!("station:{station}"));
    let finding = answer["finding"].as_str().unwrap();
    assert!(
        finding.ends_with(" is another for postgres-es than for our store"),
        "{finding}"
    );
    server.stop().unwrap();
}

/// Keeps a snapshot of a station that says something else than its events, as a fault of ours would, and names it.
async fn mislead(url: &str, superuser: &mut sqlx::PgConnection) -> String {
    let (tenant, station): (Uuid, String) = sqlx::query_as(
        "select tenant_id, aggregate_id from events where aggregate_type = 'station' and sequence = 1
         order by aggregate_id limit 1",
    )
    .fetch_one(superuser)
    .await
    .expect("there is a station");
    let options = PgConnectOptions::from_str(url).expect("it is an address");
    let database = Database::connect(options, 2).await.expect("the database answers");
    let log = EventLog::start(database.clone());
    let snapshot = Snapshot {
        version: Version(1),
        state: domain::canonical::json(&Station::default()),
    };
    let stream = StreamId::new("station", &station);
    log.keep_snapshot(TenantId(tenant), &stream, &domain::SOURCE_HASH, &snapshot)
        .await
        .expect("the log takes it");
    log.shut_down().await;
    database.close().await;
    station
}
