//! Snapshots: a load comes to the same with them, without them, and with any that are damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::app::App;
use commands::gateways::{SystemClock, SystemIds, ZipDirectory};
use commands::ports::Ports;
use domain::decider::{Decider, Event, EventKind};
use domain::envelope::{Expectation, NewEvent, StreamId, Version};
use domain::ids::TenantId;
use domain::recorded::{KindVisitor, catalogue, visit_kind};
use event_log::{EventLog, LoadedStream, MasterKey, SchemaHash, Snapshot, StreamWrite};
use serde_json::Value;
use sqlx::Executor;
use tests::database::TestDatabase;

use crate::catalogue::golden;

use super::{OTHER_TENANT, TENANT, World, append, event, stream, write};

const SCHEMA: SchemaHash = [1; 32];
/// Streams of each kind that are looked at.
const OF_EACH_KIND: usize = 40;

/// A state and its version.
type Folded = (Value, Version);

/// Folds a stream up to a version, from its snapshot if it has one.
struct Fold<'a> {
    loaded: &'a LoadedStream,
    up_to: Version,
}

impl KindVisitor for Fold<'_> {
    type Output = Folded;

    fn visit<D: Decider>(self) -> Folded {
        let (mut state, mut version) = match &self.loaded.snapshot {
            Some(snapshot) => (
                serde_json::from_str(&snapshot.state).expect("the state can be read back"),
                snapshot.version,
            ),
            None => (D::default(), Version(0)),
        };
        for event in self
            .loaded
            .events
            .iter()
            .filter(|event| event.sequence <= self.up_to)
        {
            let read = D::Event::decode(&event.event_type, event.event_version, &event.payload);
            state.evolve(&read.expect("the demo's events are known"));
            version = event.sequence;
        }
        (
            serde_json::to_value(&state).expect("a state can be written"),
            version,
        )
    }
}

fn fold(stream: &StreamId, loaded: &LoadedStream, up_to: Version) -> Folded {
    visit_kind(&stream.kind, Fold { loaded, up_to }).expect("the kind is known")
}

/// A company with bookings in every state.
struct Demo {
    test: TestDatabase,
    log: EventLog,
    tenant: TenantId,
    streams: Vec<StreamId>,
}

impl Demo {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let ports = Ports {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds::default()),
            places: Arc::new(ZipDirectory),
        };
        let app = App::compose(test.database().await, MasterKey::new([7; 32]), [8; 32], ports);
        api::demo::company(&app)
            .await
            .expect("the demo company can be made");
        let company = app.organisation(api::demo::SLUG).await.expect("it is there");
        append_rest(&app.log, company.tenant).await;
        let mut streams: Vec<StreamId> = Vec::new();
        loop {
            let page = app
                .log
                .streams(company.tenant, streams.last(), 500)
                .await
                .expect("the log answers");
            if page.is_empty() {
                break;
            }
            streams.extend(page);
        }
        let mut of_its_kind = BTreeMap::new();
        streams.retain(|stream| {
            let before: &mut usize = of_its_kind.entry(stream.kind.clone()).or_default();
            *before += 1;
            *before <= OF_EACH_KIND
        });
        Self {
            test,
            log: app.log,
            tenant: company.tenant,
            streams,
        }
    }

    async fn load(&self, stream: &StreamId, schema: Option<&SchemaHash>) -> LoadedStream {
        let loaded = self.log.load(self.tenant, stream, schema).await;
        loaded.expect("a load never fails for its snapshot")
    }

    /// Every stream as it is without snapshots.
    async fn whole(&self) -> Vec<Folded> {
        let mut whole = Vec::new();
        for stream in &self.streams {
            whole.push(fold(stream, &self.load(stream, None).await, Version(i64::MAX)));
        }
        whole
    }

    /// Keeps a snapshot of each stream, of half its events.
    async fn keep_halves(&self) {
        for stream in &self.streams {
            let all = self.load(stream, None).await;
            let half = all.events[all.events.len() / 2].sequence;
            let (state, version) = fold(stream, &all, half);
            let state = state.to_string();
            let snapshot = Snapshot { version, state };
            let kept = self.log.keep_snapshot(self.tenant, stream, &SCHEMA, &snapshot);
            kept.await.expect("the log takes any text");
        }
    }

    /// Loads every stream, and says how many had a snapshot that was used.
    async fn assert_all_load_as(&self, whole: &[Folded]) -> usize {
        let mut used = 0;
        for (stream, whole) in self.streams.iter().zip(whole) {
            let loaded = self.load(stream, Some(&SCHEMA)).await;
            used += usize::from(loaded.snapshot.is_some());
            assert_eq!(&fold(stream, &loaded, Version(i64::MAX)), whole, "{stream}");
        }
        used
    }
}

/// What the demo company has none of, or none when no request of its year is refused.
async fn append_rest(log: &EventLog, tenant: TenantId) {
    let names: BTreeMap<String, &'static str> = catalogue()
        .iter()
        .map(|kind| (kind.name.to_owned(), kind.name))
        .collect();
    let mut number = 0;
    let mut of = |kind: &'static str| {
        let events = golden().into_iter().filter(|event| {
            let dot = event.name.split_once('.');
            dot.is_some_and(|(of, _)| of == kind)
        });
        let events = events.map(|golden| {
            number += 1;
            NewEvent {
                event_type: names[&golden.name],
                event_version: golden.version,
                payload: domain::canonical::json(&golden.payload),
                ..event(number)
            }
        });
        StreamWrite {
            stream: StreamId::new(kind, "a"),
            expected: Expectation::NoStream,
            events: events.collect(),
        }
    };
    let streams = [
        "lead",
        "document",
        "document_series",
        "tax_period",
        "review",
        "message",
        "job",
    ]
    .map(&mut of);
    let append = event_log::Append {
        tenant,
        ..append(1, streams.to_vec())
    };
    log.append(append).await.expect("the log answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_aggregate_of_a_company_is_the_same_with_without_and_with_damaged_snapshots() {
    let demo = Demo::new().await;
    let mut kinds = BTreeMap::new();
    for stream in &demo.streams {
        *kinds.entry(stream.kind.as_ref()).or_insert(0) += 1;
    }
    let of = |event: EventKind| event.name.split_once('.').expect("names have a dot").0;
    for kind in catalogue().into_iter().map(of) {
        assert!(kinds.contains_key(kind), "no {kind}: {kinds:?}");
    }
    let whole = demo.whole().await;
    assert_eq!(demo.assert_all_load_as(&whole).await, 0, "none was kept yet");

    demo.keep_halves().await;
    assert_eq!(demo.assert_all_load_as(&whole).await, demo.streams.len());

    let mut superuser = demo.test.superuser().await;
    let addresses: i64 = sqlx::query_scalar("select count(*) from snapshots where state like '%@%'")
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert_eq!(addresses, 0, "a snapshot holds an e-mail address in clear");

    let keep = "create temporary table kept as select * from snapshots";
    superuser.execute(keep).await.unwrap();
    for damage in [
        "update snapshots set state = 'garbage'",
        "update snapshots set state = '{}'",
        "update snapshots set state = ''",
        "update snapshots set state = left(state, length(state) / 2)",
        "update snapshots set state = regexp_replace(state, '[0-9]', '7')
             where state <> regexp_replace(state, '[0-9]', '7')",
        "update snapshots set version = version + 1000",
        "update snapshots set version = version + 1",
        "update snapshots set schema_hash = sha256('another')",
        "update snapshots set digest = sha256('another')",
        // A document and its series may have one id: the other's whose turn comes next is told by its kind too.
        "update snapshots s set state = o.state, digest = o.digest, version = o.version
             from (select state, digest, version, lead(aggregate_type) over turns as kind, lead(aggregate_id) over turns as id
                   from snapshots window turns as (order by aggregate_type, aggregate_id)) o
             where (s.aggregate_type, s.aggregate_id) = (o.kind, o.id)",
    ] {
        let again = "truncate snapshots; insert into snapshots select * from kept";
        superuser.execute(again).await.unwrap();
        let damaged = superuser.execute(damage).await.unwrap().rows_affected();
        assert!(damaged > 0, "{damage}");
        let used = demo.assert_all_load_as(&whole).await;
        assert_eq!(used + usize::try_from(damaged).unwrap(), demo.streams.len(), "{damage}");
    }

    demo.keep_halves().await;
    let dropped = demo.log.drop_snapshots(demo.tenant).await.unwrap();
    assert_eq!(usize::try_from(dropped).unwrap(), demo.streams.len());
    assert_eq!(demo.assert_all_load_as(&whole).await, 0);
}

#[tokio::test]
async fn a_snapshot_spares_the_events_before_it_and_is_its_companys_alone() {
    let world = World::new().await;
    let events = (1..=10).map(event).collect();
    world
        .appended(append(1, vec![write("a", Expectation::NoStream, events)]))
        .await;
    let snapshot = |version| Snapshot {
        version: Version(version),
        state: format!("\"{version} of them\""),
    };
    let sequences =
        |loaded: &LoadedStream| -> Vec<i64> { loaded.events.iter().map(|event| event.sequence.0).collect() };
    for version in [4, 10, 7] {
        let kept = snapshot(version);
        world
            .log
            .keep_snapshot(TENANT, &stream("a"), &SCHEMA, &kept)
            .await
            .unwrap();
        let loaded = world.log.load(TENANT, &stream("a"), Some(&SCHEMA)).await.unwrap();
        assert_eq!(sequences(&loaded), (version + 1..=10).collect::<Vec<i64>>());
        assert_eq!(loaded.snapshot, Some(kept));
    }
    let other_schema = world
        .log
        .load(TENANT, &stream("a"), Some(&[2; 32]))
        .await
        .unwrap();
    assert_eq!(other_schema.snapshot, None);
    assert_eq!(sequences(&other_schema), (1..=10).collect::<Vec<i64>>());
    for (tenant, id) in [(OTHER_TENANT, "a"), (TENANT, "b")] {
        let elsewhere = world.log.load(tenant, &stream(id), Some(&SCHEMA)).await.unwrap();
        assert_eq!((elsewhere.snapshot, elsewhere.events), (None, vec![]));
    }
    assert_eq!(world.log.drop_snapshots(OTHER_TENANT).await.unwrap(), 0);
    assert_eq!(world.log.drop_snapshots(TENANT).await.unwrap(), 1);
}
