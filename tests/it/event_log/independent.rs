//! The independent reader: postgres-es reads our events table unmodified.

use std::convert::Infallible;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::PersistedEventRepository;
use cqrs_es::{Aggregate, DomainEvent};
use domain::envelope::Expectation;
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx_08::postgres::{PgConnectOptions, PgPoolOptions};

use super::{TENANT, World, append, event, write};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Thing;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Happened {
    number: u64,
}

impl DomainEvent for Happened {
    fn event_type(&self) -> String {
        "thing.happened".to_owned()
    }
    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Thing {
    const TYPE: &'static str = "thing";
    type Command = ();
    type Event = Happened;
    type Error = Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        _command: Self::Command,
        _services: &Self::Services,
        _sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, _event: Self::Event) {}
}

#[tokio::test]
async fn postgres_es_reads_a_stream_of_ours() {
    let world = World::new().await;
    world
        .appended(append(
            1,
            vec![write("a", Expectation::NoStream, vec![event(1), event(2)])],
        ))
        .await;
    let ours = world.test.superuser_options();
    let mut options = PgConnectOptions::new()
        .port(ours.get_port())
        .username(ours.get_username())
        .database(ours.get_database().unwrap())
        .options([
            ("role", "hibachi_app".to_owned()),
            ("hibachi.tenant", TENANT.to_string()),
        ]);
    options = match ours.get_socket() {
        Some(socket) => options.socket(socket),
        None => options.host(ours.get_host()),
    };
    if let Some(password) = password() {
        options = options.password(&password);
    }
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .unwrap();
    let events = PostgresEventRepository::new(pool)
        .get_events::<Thing>("a")
        .await
        .unwrap();
    assert_eq!(events.len(), 2);
    for (event, number) in events.iter().zip(1..) {
        assert_eq!(
            (event.aggregate_type.as_str(), event.aggregate_id.as_str()),
            ("thing", "a")
        );
        assert_eq!(event.sequence, number);
        assert_eq!(
            (event.event_type.as_str(), event.event_version.as_str()),
            ("thing.happened", "1")
        );
        assert_eq!(event.payload["number"], number);
        assert_eq!(event.metadata["channel"], "cli");
    }
}

/// The server's password, which our own options keep to themselves.
fn password() -> Option<String> {
    let url = std::env::var(tests::database::SERVER).ok()?;
    let (_, after_scheme) = url.split_once("://")?;
    let (user, _) = after_scheme.split_once('@')?;
    user.split_once(':').map(|(_, password)| password.to_owned())
}
