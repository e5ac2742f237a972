//! Our log as a cqrs-es event store: what that crate asks of the stores that it knows, asked of ours.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use commands::gateways::{SystemClock, SystemIds, ZipDirectory};
use commands::ports::Ports;
use commands::root::{LogStore, Root, RootEvent};
use commands::{Caller, Commands};
use cqrs_es::{Aggregate, AggregateContext, AggregateError, CqrsFramework, EventEnvelope, EventStore, Query};
use domain::access::{Role, StationScope};
use domain::decider::{Decider, Event};
use domain::envelope::{Expectation, NewEvent, Position, Sealed, StreamId};
use domain::ids::{ChefId, EventId, StationId, SubjectId, TenantId};
use domain::organisation::{
    Organisation, OrganisationCommand, OrganisationCreated, OrganisationError, OrganisationEvent,
    StationAdded,
};
use domain::station::{
    Station, StationChefJoined, StationCommand, StationCreated, StationEvent, StationSettings,
};
use domain::user::{User, UserCreated, UserEvent};
use event_log::{MasterKey, StreamWrite, SystemEntropy, Vault};
use futures::future::join_all;
use uuid::Uuid;

use super::{OTHER_TENANT, TENANT, World, append};

fn store(world: &World, tenant: TenantId) -> LogStore {
    let ports = Ports {
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds::default()),
        places: Arc::new(ZipDirectory),
    };
    let database = world.log.database().clone();
    let vault = Vault::new(database, MasterKey::new([1; 32]), Arc::new(SystemEntropy));
    let commands = Commands::new(world.log.clone(), Arc::new(vault), ports);
    LogStore::new(commands, Caller::system(tenant, "test"))
}

fn created() -> OrganisationCreated {
    OrganisationCreated {
        name: "My Hibachi".to_owned(),
        slug: "my-hibachi".to_owned(),
    }
}

fn station_added(n: u128) -> OrganisationEvent {
    OrganisationEvent::StationAdded(StationAdded {
        station_id: StationId(Uuid::from_u128(n)),
        zip: "95112".parse().expect("it is well formed"),
    })
}

fn opened() -> StationCreated {
    StationCreated {
        name: "San José".to_owned(),
        zone: chrono_tz::America::Los_Angeles,
        zip: "95112".parse().expect("it is well formed"),
        state: "CA".to_owned(),
        settings: StationSettings::default(),
    }
}

fn joins(n: u128) -> StationChefJoined {
    StationChefJoined {
        chef_id: ChefId(Uuid::from_u128(n)),
        counted_at: None,
    }
}

async fn head(world: &World) -> Position {
    world.log.head(TENANT).await.expect("the store answers").position
}

async fn load<D: Decider>(store: &LogStore, id: &str) -> D {
    let mut context = EventStore::<Root<D>>::load_aggregate(store, id)
        .await
        .expect("the store answers");
    context.aggregate().0.clone()
}

async fn events<D: Decider>(store: &LogStore, id: &str) -> Vec<EventEnvelope<Root<D>>> {
    EventStore::<Root<D>>::load_events(store, id)
        .await
        .expect("the store answers")
}

async fn commit<D: Decider>(
    store: &LogStore,
    id: &str,
    events: &[D::Event],
    metadata: &HashMap<String, String>,
) -> Vec<EventEnvelope<Root<D>>> {
    let context = EventStore::<Root<D>>::load_aggregate(store, id)
        .await
        .expect("the store answers");
    let events = events.iter().cloned().map(RootEvent).collect();
    store
        .commit(events, context, metadata.clone())
        .await
        .expect("the store answers")
}

/// What cqrs-es asks of every store, of one kind of aggregate: its events in two commits.
async fn keeps<D: Decider + PartialEq + Debug>(world: &World, first: &[D::Event], then: &[D::Event]) {
    let store = store(world, TENANT);
    let (id, kind) = ("a b/ç", D::STREAM);
    assert!(events::<D>(&store, id).await.is_empty(), "{kind}");
    assert_eq!(load::<D>(&store, id).await, D::default(), "{kind}");
    let metadata = HashMap::from([("time".to_owned(), "2026-03-18T12:32:45.930Z".to_owned())]);
    let mut committed = commit::<D>(&store, id, first, &metadata).await;
    committed.extend(commit::<D>(&store, id, then, &metadata).await);
    let stored = events::<D>(&store, id).await;
    let all: Vec<&D::Event> = first.iter().chain(then).collect();
    assert_eq!((committed.len(), stored.len()), (all.len(), all.len()));
    for ((committed, stored), (event, sequence)) in committed.iter().zip(&stored).zip(all.iter().zip(1..)) {
        for envelope in [committed, stored] {
            assert_eq!(
                (envelope.aggregate_id.as_str(), envelope.sequence),
                (id, sequence)
            );
            assert_eq!(&envelope.payload.0, *event);
            assert_eq!(envelope.metadata["time"], metadata["time"]);
        }
        assert_eq!(committed.metadata, stored.metadata);
    }
    let mut state = D::default();
    let mut root = Root::<D>::default();
    for event in all {
        state.evolve(event);
        root.apply(RootEvent(event.clone()));
    }
    assert_eq!((load::<D>(&store, id).await, root.0), (state.clone(), state));
    assert!(events::<D>(&store, "another").await.is_empty());
    assert!(
        events::<D>(&self::store(world, OTHER_TENANT), id)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn aggregates_are_kept_event_by_event_with_their_metadata() {
    let world = World::new().await;
    let stations: Vec<OrganisationEvent> = (1..=3).map(station_added).collect();
    keeps::<Organisation>(&world, &[OrganisationEvent::Created(created())], &stations).await;
    let chefs: Vec<StationEvent> = (1..=4).map(|n| StationEvent::ChefJoined(joins(n))).collect();
    keeps::<Station>(&world, &[StationEvent::Created(opened())], &chefs).await;
    keeps::<User>(&world, &[user("k")], &[]).await;
}

fn user(email_key: &str) -> UserEvent {
    UserEvent::Created(UserCreated {
        email: Sealed {
            subject: SubjectId(Uuid::nil()),
            sealed: String::new(),
        },
        email_key: email_key.to_owned(),
        role: Role::Auditor,
        stations: StationScope::All,
    })
}

#[tokio::test]
async fn a_commit_of_no_events_writes_nothing() {
    let world = World::new().await;
    let store = store(&world, TENANT);
    assert!(
        commit::<Station>(&store, "s", &[], &HashMap::new())
            .await
            .is_empty()
    );
    commit::<Station>(&store, "s", &[StationEvent::Created(opened())], &HashMap::new()).await;
    assert!(
        commit::<Station>(&store, "s", &[], &HashMap::new())
            .await
            .is_empty()
    );
    assert_eq!(head(&world).await, Position(1));
}

#[tokio::test]
async fn whoever_was_overtaken_conflicts_and_writes_nothing() {
    let world = World::new().await;
    let store = store(&world, TENANT);
    for (version, event) in [
        (0, StationEvent::Created(opened())),
        (1, StationEvent::ChefJoined(joins(1))),
    ] {
        let context = || EventStore::<Root<Station>>::load_aggregate(&store, "s");
        let (faster, slower) = (context().await.unwrap(), context().await.unwrap());
        let commit = |context| store.commit(vec![RootEvent(event.clone())], context, HashMap::new());
        assert_eq!(commit(faster).await.unwrap()[0].sequence, version + 1);
        let overtaken = commit(slower).await;
        assert!(
            matches!(overtaken, Err(AggregateError::AggregateConflict)),
            "{overtaken:?}"
        );
    }
    assert_eq!(events::<Station>(&store, "s").await.len(), 2);
    assert_eq!(head(&world).await, Position(2));
}

#[tokio::test]
async fn metadata_is_kept_beside_who_it_was_and_cannot_say_otherwise() {
    let world = World::new().await;
    let store = store(&world, TENANT);
    let given = HashMap::from(
        [
            ("app_version", "1.2"),
            ("actor_id", "somebody else"),
            ("channel", "webhook"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let committed = commit::<Station>(&store, "s", &[StationEvent::Created(opened())], &given).await;
    let stored = &events::<Station>(&store, "s").await[0].metadata;
    assert_eq!(stored, &committed[0].metadata);
    let said = ["app_version", "actor_kind", "actor_id", "channel"].map(|name| stored[name].as_str());
    assert_eq!(said, ["1.2", "system", "test", "cli"]);
}

/// Every envelope that the framework told a query of.
#[derive(Clone)]
struct Told<D: Decider>(Arc<Mutex<Vec<EventEnvelope<Root<D>>>>>);

#[async_trait]
impl<D: Decider> Query<Root<D>> for Told<D> {
    async fn dispatch(&self, id: &str, events: &[EventEnvelope<Root<D>>]) {
        assert!(events.iter().all(|event| event.aggregate_id == id));
        self.0
            .lock()
            .expect("nobody panics with it")
            .extend(events.iter().cloned());
    }
}

#[tokio::test]
async fn the_framework_of_cqrs_es_runs_commands_on_our_log() {
    let world = World::new().await;
    let told = Told::<Organisation>(Arc::default());
    let framework = CqrsFramework::new(store(&world, TENANT), vec![Box::new(told.clone())], ());
    let metadata = HashMap::from([("ticket".to_owned(), "42".to_owned())]);
    framework
        .execute_with_metadata("o", OrganisationCommand::Create(created()), metadata)
        .await
        .unwrap();
    let OrganisationEvent::StationAdded(added) = station_added(1) else {
        panic!("a station is added")
    };
    framework
        .execute("o", OrganisationCommand::AddStation(added))
        .await
        .unwrap();
    let refused = framework
        .execute("o", OrganisationCommand::Create(created()))
        .await;
    assert!(
        matches!(
            &refused,
            Err(AggregateError::UserError(OrganisationError::Exists))
        ),
        "{refused:?}"
    );
    assert_eq!(head(&world).await, Position(2));
    let told = told.0.lock().unwrap();
    let said: Vec<_> = told
        .iter()
        .map(|envelope| {
            (
                envelope.sequence,
                envelope.payload.0.name(),
                envelope.metadata.get("ticket"),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (1, "organisation.created", Some(&"42".to_owned())),
            (2, "organisation.station_added", None)
        ]
    );
}

#[tokio::test]
async fn commands_at_once_on_one_aggregate_are_done_or_conflict() {
    let world = World::new().await;
    let framework = CqrsFramework::<Root<Station>, _>::new(store(&world, TENANT), vec![], ());
    framework
        .execute("s", StationCommand::Create(opened()))
        .await
        .unwrap();
    let commands = (1..=16).map(|n| framework.execute("s", StationCommand::JoinChef(joins(n))));
    let done = join_all(commands).await;
    let conflicts = done
        .iter()
        .filter(|done| matches!(done, Err(AggregateError::AggregateConflict)))
        .count();
    let well = done.iter().filter(|done| done.is_ok()).count();
    assert_eq!(well + conflicts, 16, "{done:?}");
    let store = store(&world, TENANT);
    let sequences: Vec<usize> = events::<Station>(&store, "s")
        .await
        .iter()
        .map(|event| event.sequence)
        .collect();
    assert_eq!(sequences, (1..=well + 1).collect::<Vec<_>>());
    assert_eq!(
        load::<Station>(&store, "s").await.chef_count(),
        i32::try_from(well).unwrap()
    );
}

#[tokio::test]
async fn what_cannot_be_loaded_or_kept_says_what_it_was() {
    let world = World::new().await;
    let store = store(&world, TENANT);
    let unknown = NewEvent {
        event_id: EventId(Uuid::from_u128(1)),
        event_type: "station.flew_away",
        event_version: 1,
        payload: "{}".to_owned(),
        claims: vec![],
    };
    let stream = StreamWrite {
        stream: StreamId::new(Station::STREAM, "s"),
        expected: Expectation::NoStream,
        events: vec![unknown],
    };
    world.appended(append(1, vec![stream])).await;
    let unreadable = EventStore::<Root<Station>>::load_aggregate(&store, "s")
        .await
        .err();
    let Some(AggregateError::DeserializationError(why)) = unreadable else {
        panic!("{unreadable:?}")
    };
    assert_eq!(why.to_string(), "unknown event station.flew_away version 1");

    commit::<User>(&store, "one", &[user("k")], &HashMap::new()).await;
    let other = EventStore::<Root<User>>::load_aggregate(&store, "two")
        .await
        .unwrap();
    let taken = store
        .commit(vec![RootEvent(user("k"))], other, HashMap::new())
        .await;
    assert!(
        matches!(&taken, Err(AggregateError::UnexpectedError(why)) if why.to_string().contains("user.email")),
        "{taken:?}"
    );

    world.log.database().close().await;
    let unreachable = EventStore::<Root<User>>::load_events(&store, "one").await;
    assert!(
        matches!(unreachable, Err(AggregateError::DatabaseConnectionError(_))),
        "{unreachable:?}"
    );
}
