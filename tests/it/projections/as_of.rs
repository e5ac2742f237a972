//! Answers as of a position or an instant: what a rebuild stopped there gives, the same for ever, whatever is kept in
//! memory.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use commands::gateways::SystemClock;
use commands::ports::Clock;
use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::EventLog;
use projections::tax_report::tax_report;
use projections::{At, Batch, Projection, Ran, ReadError, ReadModels, Unwatched, projection, registry};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use tests::database::TestDatabase;
use tests::seed::{random, remark, seed};
use uuid::Uuid;

use super::company::{Company, TENANT, auditor};
use super::golden_log::GoldenLog;

/// Random logs, each of a company of its own.
const LOGS: u64 = 5;
/// Places at which the runners are compared, in each of them.
const STOPS: usize = 4;

/// A read model at a place in a log, by name: its rows.
type Seen = Vec<(&'static str, Vec<Value>)>;

/// The rows of a read model as its fold alone makes them of the events.
async fn refolded(
    log: &EventLog,
    tenant: TenantId,
    projection: &dyn Projection,
    until: Position,
) -> Vec<Value> {
    let limit = u32::try_from(until.0).expect("a short log");
    let mut folding = projection.folding();
    if limit > 0 {
        for event in log
            .read(tenant, Position::START, limit, None)
            .await
            .expect("the log answers")
        {
            folding.apply(&event).expect("every event is one of ours");
        }
    }
    folding.rows().collect()
}

/// The rows that are stored, in the order of the others.
async fn stored(superuser: &mut PgConnection, tenant: TenantId, name: &str, like: &[Value]) -> Vec<Value> {
    let sql = format!(
        "select (to_jsonb(t) - 'tenant_id' - 'generation')::text from {name} t
         join projection_checkpoints c on c.tenant_id = t.tenant_id and c.generation = t.generation
             and c.projection = '{name}' and c.status = 'live'
         where t.tenant_id = $1"
    );
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(tenant.0)
        .fetch_all(superuser)
        .await
        .expect("a superuser reads everything");
    let mut rows: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::from_str(row).expect("a row is JSON"))
        .collect();
    // Postgres writes an instant in its own way; what it is has been compared by the self-check.
    let place = |row: &Value| {
        like.iter()
            .position(|other| same(other, row))
            .unwrap_or(usize::MAX)
    };
    rows.sort_by_cached_key(place);
    rows
}

/// Whether two values are the same but for how their instants are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, value)| b.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::String(a), Value::String(b)) => {
            let instant = |text: &str| text.parse::<DateTime<Utc>>().ok();
            a == b || instant(a).is_some_and(|a| Some(a) == instant(b))
        }
        _ => a == b,
    }
}

/// Brings every read model to a place, in batches of random sizes, and no further.
async fn run_to(
    models: &ReadModels,
    tenant: TenantId,
    from: Position,
    to: Position,
    random: &mut ChaCha8Rng,
) {
    for projection in registry() {
        let mut at = from;
        while at < to {
            let left = u32::try_from(to.0 - at.0).expect("a short log");
            let limit = random.random_range(1..=left);
            let batch = Batch::read(models, tenant, at, limit)
                .await
                .expect("the log answers");
            match projection.apply(models, tenant, &batch).await {
                Ok(Ran::To(reached)) => at = reached,
                other => panic!("{} at {at}: {other:?}", projection.name()),
            }
        }
    }
}

async fn as_of(
    models: &ReadModels,
    tenant: TenantId,
    projection: &dyn Projection,
    at: Position,
) -> Vec<Value> {
    let answer = projection
        .as_of(models, tenant, at)
        .await
        .expect("it can be asked");
    assert_eq!((answer.info.position, answer.info.lag_events), (at, 0));
    answer.value
}

#[tokio::test]
async fn as_of_a_position_is_a_rebuild_and_a_live_runner_stopped_there() {
    let seed = seed();
    let database = TestDatabase::new().await;
    let log = database.log().await;
    let mut superuser = database.superuser().await;
    let mut events = GoldenLog::new();
    let wanted: BTreeSet<&str> = registry()
        .iter()
        .flat_map(|projection| projection.event_types())
        .copied()
        .collect();
    let made: BTreeSet<&str> = events.names().into_iter().collect();
    assert!(
        wanted.is_subset(&made),
        "every event that a fold looks at is made"
    );
    let mut cases = 0_u64;
    for number in 0..LOGS {
        let mut random = random(seed, number);
        let tenant = TenantId(Uuid::from_u128(0xa0 + u128::from(number)));
        let slug = format!("company-{number}");
        log.database()
            .create_organisation(tenant, &slug, "A company")
            .await
            .expect("the database answers");
        // One that folds anew each time and a part of the keys at a time, one with room for little, one with room for
        // everything.
        let rooms = [(0, 20_000), (40_000, 512 << 20), (64 << 20, 512 << 20)];
        let models = rooms.map(|(kept, folded)| ReadModels::new(log.clone()).with_as_of_memory(kept, folded));
        let mut seen: Vec<(Position, Seen)> = vec![(Position::START, Seen::new())];
        for _ in 0..STOPS {
            let from = seen.last().expect("the start").0;
            let many = random.random_range(1..40);
            let to = events.grow(&log, tenant, &mut random, many).await;
            run_to(&models[2], tenant, from, to, &mut random).await;
            let mut rows = Seen::new();
            for projection in registry() {
                let name = projection.name();
                let folded = refolded(&log, tenant, *projection, to).await;
                let live = stored(&mut superuser, tenant, name, &folded).await;
                assert!(
                    live.len() == folded.len() && live.iter().zip(&folded).all(|(a, b)| same(a, b)),
                    "{name} at {to}: live {live:?}, folded {folded:?}"
                );
                rows.push((name, folded));
            }
            seen.push((to, rows));
        }
        for projection in registry() {
            let rebuilt = projection
                .rebuild(&models[0], tenant, &Unwatched)
                .await
                .expect("it can be built anew");
            assert_eq!(rebuilt.differences, Some(vec![]), "{}", projection.name());
        }
        // In an order of its own, and at places where nobody stopped.
        for _ in 0..seen.len() {
            let (at, rows) = &seen[random.random_range(0..seen.len())];
            let between = Position(random.random_range(0..=seen.last().expect("the start").0.0));
            for projection in registry() {
                let right = rows.iter().find(|(name, _)| *name == projection.name());
                let elsewhere = refolded(&log, tenant, *projection, between).await;
                for models in &models {
                    let answered = as_of(models, tenant, *projection, *at).await;
                    let right = right.map_or(&[][..], |(_, rows)| rows);
                    assert_eq!(answered, right, "{} as of {at}", projection.name());
                    let answered = as_of(models, tenant, *projection, between).await;
                    assert_eq!(answered, elsewhere, "{} as of {between}", projection.name());
                    cases += 2;
                }
            }
        }
        let [none, little, all] = models.map(|models| models.as_of_memory());
        assert_eq!(none.states, 0);
        assert!(
            little.bytes <= 40_000 && all.states >= little.states,
            "{little:?} {all:?}"
        );
    }
    remark(format_args!("as of a position: {cases} cases"));
}

/// All that a tax report says, as text.
async fn report(models: &ReadModels, position: Position) -> String {
    let period = "2026-12".parse().expect("a month");
    let report = tax_report(models, &auditor(), "CA", period, At::AsOf(position)).await;
    format!("{:?}", report.expect("it can be asked"))
}

#[tokio::test]
async fn a_tax_report_as_of_an_instant_says_the_same_after_more_has_happened() {
    let company = Company::busy(12).await;
    let instant = company
        .log
        .head(TENANT)
        .await
        .expect("the log answers")
        .recorded_at;
    let then = company
        .models
        .as_of_instant(TENANT, instant)
        .await
        .expect("it has passed");
    let first = report(&company.models, then).await;
    assert!(first.contains("checksum"), "{first}");
    for n in 20..24 {
        company.request(n).await;
        company.pay(n).await;
        company.complete(n).await;
    }
    company
        .models
        .catch_up(TENANT)
        .await
        .expect("the read models follow");
    let elsewhere = ReadModels::new(company.log.clone());
    for models in [&company.models, &elsewhere] {
        let again = models
            .as_of_instant(TENANT, instant)
            .await
            .expect("it has passed");
        assert_eq!(again, then);
        assert_eq!(report(models, again).await, first);
        let head = company.log.head(TENANT).await.expect("the log answers").position;
        assert_ne!(report(models, head).await, first);
    }
}

#[tokio::test]
async fn an_instant_is_answered_once_it_has_passed_and_never_in_another_way() {
    let company = Company::new().await;
    company.open().await;
    let models = &company.models;
    let to_come = SystemClock.now() + TimeDelta::hours(1);
    let refused = models.as_of_instant(TENANT, to_come).await;
    assert!(
        matches!(refused, Err(ReadError::InstantInFuture { asked, now }) if asked == to_come && now < to_come),
        "{refused:?}"
    );
    // The log is ahead of a clock that was set back: events go on to be recorded at the last one's instant.
    let mut superuser = company.database.superuser().await;
    let ahead: DateTime<Utc> = sqlx::query_scalar(
        "update log_head set recorded_at = clock_timestamp() + '1 hour' returning recorded_at",
    )
    .fetch_one(&mut superuser)
    .await
    .expect("the superuser may lie");
    let head = company.log.head(TENANT).await.expect("the log answers").position;
    let before = ahead - TimeDelta::microseconds(1);
    assert_eq!(
        models
            .as_of_instant(TENANT, before)
            .await
            .expect("no event comes before"),
        head
    );
    let unsettled = models.as_of_instant(TENANT, ahead).await;
    assert!(
        matches!(unsettled, Err(ReadError::InstantInFuture { .. })),
        "{unsettled:?}"
    );
    company.request(1).await;
    assert_eq!(
        models
            .as_of_instant(TENANT, before)
            .await
            .expect("no event came before"),
        head
    );
}

#[tokio::test]
async fn events_of_one_instant_are_in_an_answer_together() {
    let database = TestDatabase::new().await;
    let log = database.log().await;
    log.database()
        .create_organisation(TENANT, "ours", "Ours")
        .await
        .expect("the database answers");
    let models = ReadModels::new(log.clone());
    let mut random = random(7, 0);
    let mut events = GoldenLog::new();
    let last = events.grow(&log, TENANT, &mut random, 60).await;
    let limit = u32::try_from(last.0).expect("a short log");
    let all = log
        .read(TENANT, Position::START, limit, None)
        .await
        .expect("the log answers");
    let mut together = 0;
    for event in &all {
        let of_instant = all.iter().filter(|other| other.recorded_at == event.recorded_at);
        let newest = of_instant.map(|other| other.position).max().expect("itself");
        together += newest.0 - event.position.0;
        let found = models.as_of_instant(TENANT, event.recorded_at).await;
        assert_eq!(found.expect("it has passed"), newest);
    }
    assert!(together > 0, "some were recorded at the same instant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_is_under_way_does_not_change_what_was_answered() {
    let database = TestDatabase::new().await;
    let log = database.log().await;
    log.database()
        .create_organisation(TENANT, "ours", "Ours")
        .await
        .expect("the database answers");
    let writer = tokio::spawn({
        let log = log.clone();
        async move {
            let mut random = random(8, 0);
            GoldenLog::new().grow(&log, TENANT, &mut random, 1_500).await
        }
    });
    let models = ReadModels::new(log.clone());
    let mut answered = Vec::new();
    while !writer.is_finished() {
        let now = SystemClock.now();
        match models.as_of_instant(TENANT, now).await {
            Ok(position) => answered.push((now, position)),
            Err(ReadError::InstantInFuture { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    writer.await.expect("the writer wrote");
    assert!(answered.len() > 20, "{}", answered.len());
    for (instant, position) in answered {
        assert_eq!(
            models
                .as_of_instant(TENANT, instant)
                .await
                .expect("it has passed"),
            position
        );
    }
}

#[tokio::test]
async fn who_asks_for_the_same_at_the_same_time_gets_the_same() {
    let company = Company::busy(20).await;
    let head = company.log.head(TENANT).await.expect("the log answers").position;
    for memory in [0, 64 << 20] {
        let models = ReadModels::new(company.log.clone()).with_as_of_memory(memory, 512 << 20);
        let list = projection("booking_list").expect("there is one");
        let right = refolded(&company.log, TENANT, list, head).await;
        let asked = futures::future::join_all((0..16).map(|_| as_of(&models, TENANT, list, head))).await;
        assert!(asked.iter().all(|rows| *rows == right));
        assert_eq!(models.as_of_memory().states, usize::from(memory > 0));
    }
}

#[tokio::test]
async fn stored_rows_answer_only_where_they_are_this_programs_and_what_they_lack_is_folded() {
    let company = Company::busy(8).await;
    let reached = company
        .models
        .catch_up(TENANT)
        .await
        .expect("the read models follow");
    for n in 9..12 {
        company.request(n).await;
        company.pay(n).await;
    }
    let head = company.log.head(TENANT).await.expect("the log answers").position;
    let written_once = ["audit_trail", "tax_ledger", "price_history", "booking_ledger"];
    let mut superuser = company.database.superuser().await;
    for broken in [false, true] {
        if broken {
            for name in written_once {
                let sql = format!(
                    "update projection_checkpoints set fold_version = 99 where projection = '{name}'; delete from {name}"
                );
                superuser
                    .execute(AssertSqlSafe(sql))
                    .await
                    .expect("a superuser may");
            }
        }
        for at in [Position(5), reached, Position(reached.0 + 1), head] {
            for name in written_once {
                let model = projection(name).expect("there is one");
                let right = refolded(&company.log, TENANT, model, at).await;
                let answered = as_of(&company.models, TENANT, model, at).await;
                assert_eq!(answered, right, "{name} as of {at}");
            }
        }
    }
}
