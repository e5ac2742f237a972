//! A command decides the same with its aggregate's snapshot, without it, and with a damaged one.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use commands::price_list::PriceChangeInput;
use commands::{Caller, CommandError, IdempotencyKey};
use domain::decider::Decider;
use domain::envelope::{StreamId, Version};
use domain::money::Cents;
use domain::price_list::{Confirmation, PriceList};
use event_log::Snapshot;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use tests::http::Server;
use tokio::time::sleep;

/// How long a snapshot may take that is kept aside.
const PATIENCE: Duration = Duration::from_secs(20);

struct Shop {
    server: Server,
    superuser: PgConnection,
    prices: StreamId,
    changes: i64,
}

impl Shop {
    async fn open() -> Self {
        let server = Server::start().await;
        Self {
            superuser: server.database().superuser().await,
            prices: StreamId::new(PriceList::STREAM, server.company.san_jose.to_string()),
            server,
            changes: 0,
        }
    }

    async fn version(&self) -> i64 {
        let log = &self.server.app.log;
        let events = log.read_stream(self.server.company.tenant, &self.prices).await;
        i64::try_from(events.expect("the log answers").len()).expect("few")
    }

    /// Changes a price that was seen at a version of the list.
    async fn change(&mut self, seen: i64) -> Result<(), CommandError> {
        self.changes += 1;
        // A load, and no memory of the one before.
        self.server.app.commands.forget();
        let caller = Caller::system(self.server.company.tenant, "test");
        let key = IdempotencyKey::from_client(&format!("change {}", self.changes)).expect("a key");
        let input = PriceChangeInput {
            station: self.server.company.san_jose,
            item: "adult".to_owned(),
            price_cents: Cents(6_000 + self.changes % 100),
            effective_from: Some(self.server.now() + TimeDelta::seconds(self.changes)),
            reason: "another price".to_owned(),
            confirmation: Confirmation::NotGiven,
            seen: Some(seen),
        };
        let done = self.server.app.commands.change_price(caller, key, input).await;
        done.map(drop)
    }

    /// Version of the snapshot that was kept since it was marked.
    async fn kept(&mut self) -> i64 {
        let began = Instant::now();
        loop {
            let found: Option<i64> = sqlx::query_scalar(
                "select version from snapshots
                 where aggregate_type = 'price_list' and aggregate_id = $1 and taken_at > 'epoch'",
            )
            .bind(&self.prices.id)
            .fetch_optional(&mut self.superuser)
            .await
            .expect("the database answers");
            if let Some(version) = found {
                return version;
            }
            assert!(began.elapsed() < PATIENCE, "no snapshot is kept");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The list is loaded as all its events make it: a change is refused at another version, and taken at its own.
    async fn assert_refuses(&mut self, case: &str) {
        let version = self.version().await;
        for wrong in [version - 1, version + 1] {
            let refused = self.change(wrong).await;
            let Err(CommandError::VersionConflict { actual }) = refused else {
                panic!("{case}: {refused:?}");
            };
            assert_eq!(actual, Version(version), "{case}");
        }
    }

    async fn assert_takes(&mut self, case: &str) {
        let version = self.version().await;
        self.change(version).await.expect(case);
        assert_eq!(self.version().await, version + 1, "{case}");
    }

    /// Spoils the snapshot in a way, once for each load, and sees that another is kept in its place.
    async fn assert_harmless(&mut self, case: &str, spoil: impl AsyncFn(&mut Self)) {
        let version = self.version().await;
        spoil(self).await;
        let refused = self.change(version + 1).await;
        assert!(
            matches!(refused, Err(CommandError::VersionConflict { actual: Version(found) }) if found == version),
            "{case}: {refused:?}"
        );
        assert_eq!(self.kept().await, version, "{case}");
        spoil(self).await;
        self.assert_takes(case).await;
        assert_eq!(self.kept().await, version, "{case}");
    }

    async fn update(&mut self, set: &str) {
        let sql =
            format!("update snapshots set {set}, taken_at = 'epoch' where aggregate_type = 'price_list'");
        let updated = self.superuser.execute(AssertSqlSafe(sql)).await;
        assert_eq!(updated.expect("the database answers").rows_affected(), 1, "{set}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_stream_gets_a_snapshot_that_changes_nothing_but_time() {
    let mut shop = Shop::open().await;
    let log = shop.server.app.log.clone();
    let tenant = shop.server.company.tenant;
    let opened = shop.version().await;
    for version in opened..=65 {
        shop.change(version).await.expect("the price may change");
    }
    assert_eq!(
        shop.kept().await,
        65,
        "the first load of more than 64 events keeps one"
    );
    shop.assert_refuses("with a snapshot").await;
    shop.assert_takes("with a snapshot").await;
    let loaded = log
        .load(tenant, &shop.prices, Some(&domain::SOURCE_HASH))
        .await
        .unwrap();
    assert_eq!(loaded.snapshot.expect("it is used").version, Version(65));
    assert_eq!(loaded.events.len(), 2);

    for damage in [
        "state = 'garbage'",
        "state = '{}'",
        "state = left(state, length(state) - 1)",
        "version = version + 1000",
        "version = version - 1",
        "schema_hash = sha256('other sources')",
    ] {
        shop.assert_harmless(damage, async |shop| shop.update(damage).await)
            .await;
    }
    // Whole by its digest, and yet no state of the aggregate.
    for state in ["[1, 2]", "null", "{\"items\": 7}", "not JSON", ""] {
        let snapshot = Snapshot {
            version: Version(10),
            state: state.to_owned(),
        };
        let spoil = async |shop: &mut Shop| {
            let schema = &domain::SOURCE_HASH;
            let kept = log.keep_snapshot(tenant, &shop.prices, schema, &snapshot);
            kept.await.expect("the log takes any text");
            shop.update("version = version").await;
        };
        shop.assert_harmless(state, spoil).await;
    }

    assert!(log.drop_snapshots(tenant).await.unwrap() >= 1);
    shop.assert_takes("thrown away").await;
    shop.server
        .assert_rebuild_changes_nothing(&shop.server.company)
        .await;
}
