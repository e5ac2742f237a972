//! The event log's contract, on a real Postgres.

mod append;
mod batches;
mod cancel;
mod claims;
mod concurrency;
mod cqrs_es;
mod guards;
mod independent;
mod interleaving;
mod isolation;
mod model;
mod pool;
mod privileges;
mod proof;
mod read;
mod snapshot;
mod vault;

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::envelope::{Claim, Expectation, NewEvent, Position, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, EventLog, Outcome, Receipt, StreamWrite};
use tests::database::TestDatabase;
use uuid::Uuid;

/// The tenant that most tests write as.
const TENANT: TenantId = TenantId(Uuid::from_u128(0x1001));
/// Another one.
const OTHER_TENANT: TenantId = TenantId(Uuid::from_u128(0x1002));

struct World {
    test: TestDatabase,
    log: EventLog,
}

impl World {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let log = test.log().await;
        for (tenant, slug) in [(TENANT, "one"), (OTHER_TENANT, "two")] {
            log.database()
                .create_organisation(tenant, slug, "Company")
                .await
                .expect("the slugs are free");
        }
        Self { test, log }
    }

    async fn appended(&self, append: Append) -> Receipt {
        let outcome = self.log.append(append).await.expect("the log answers");
        let Outcome::Appended(receipt) = outcome else {
            panic!("not appended: {outcome:?}");
        };
        receipt
    }
}

fn stream(id: &str) -> StreamId {
    StreamId::new("thing", id)
}

fn event(id: u128) -> NewEvent {
    NewEvent {
        event_id: EventId(Uuid::from_u128(id)),
        event_type: "thing.happened",
        event_version: 1,
        payload: format!("{{\"number\":{id},\"text\":\"naïve “ünïcode” 寿司 🍣\"}}"),
        claims: Vec::new(),
    }
}

fn claiming(id: u128, claims: Vec<Claim>) -> NewEvent {
    NewEvent { claims, ..event(id) }
}

fn write(stream_id: &str, expected: Expectation, events: Vec<NewEvent>) -> StreamWrite {
    StreamWrite {
        stream: stream(stream_id),
        expected,
        events,
    }
}

/// An append under a command id, with a digest that is the command's number too.
fn append(command: u128, streams: Vec<StreamWrite>) -> Append {
    let id = Uuid::from_u128(command);
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(id.as_bytes());
    Append {
        tenant: TENANT,
        command_id: CommandId(id),
        digest,
        streams,
        reads: Vec::new(),
        erases: Vec::new(),
        meta: BTreeMap::from([("channel".to_owned(), "cli".to_owned())]),
    }
}

/// An append of one event to one stream.
fn one(command: u128, stream_id: &str, expected: Expectation) -> Append {
    append(command, vec![write(stream_id, expected, vec![event(command)])])
}

fn exact(version: i64) -> Expectation {
    Expectation::Exact(Version(version))
}

fn conflict(stream_id: &str, actual: i64) -> Outcome {
    Outcome::Conflict {
        stream: stream(stream_id),
        actual: Version(actual),
    }
}

fn take_unique(key: &str) -> Claim {
    Claim::TakeUnique {
        scope: Cow::Borrowed("thing.key"),
        key: key.to_owned(),
    }
}

fn at(position: i64) -> Position {
    Position(position)
}
