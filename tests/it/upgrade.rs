//! A database that was made before the migrations of today, with a company's data in it, brought up to date.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::envelope::{Claim, Expectation, NewEvent, Position, Sealed, StreamId, Version};
use domain::ids::{CommandId, EventId, SubjectId, TenantId};
use event_log::{Append, EventLog, MasterKey, Opened, Outcome, Receipt, StreamWrite, SystemEntropy, Vault};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};
use tests::database::TestDatabase;
use tests::writer::hour;
use uuid::Uuid;

const TENANT: TenantId = TenantId(Uuid::from_u128(0x1001));
const PERSON: SubjectId = SubjectId(Uuid::from_u128(7));

/// The migrations of the first release.
const RELEASED: [i64; 13] = [1, 2, 3, 4, 20, 21, 22, 23, 24, 25, 29, 30, 40];

/// The person's data key (bytes 0 to 31) as the first release wrapped it under the master key of 32 ones, in hex.
const WRAPPED_KEY: &str = "1111111111111111111111111111111111111111111111111ab86466519b1dd38baab49b483a06743eadfec4eca6f7\
     95f43181fff57b35def7d5c89f13759a617323f47136c3326d";
/// `Zoë`, as it sealed the field `name` of the stream `thing:a` under that key.
const SEALED_NAME: &str = "CwWyCJ8U23giIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiJ9XrbSEaF/NLRItQ7cDc8AUk8Pww";

/// Makes what the first release would have made, and what it would have written: three commands over two streams
/// in two blocks, a unique key, two of three places in a room from ten to twelve, and a person's key.
async fn make_as_released(connection: &mut PgConnection) {
    connection
        .execute("drop schema public cascade; create schema public")
        .await
        .expect("the database answers");
    let released = migrations::MIGRATOR
        .iter()
        .filter(|migration| RELEASED.contains(&migration.version))
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!(released.len(), RELEASED.len());
    Migrator::with_migrations(released)
        .run(&mut *connection)
        .await
        .expect("the database answers");
    connection
        .execute(
            "insert into organisations (tenant_id, slug, name)
             values ('00000000-0000-0000-0000-000000001001', 'one', 'Company');
             insert into log_head (tenant_id, position, recorded_at, block, block_hash)
             values ('00000000-0000-0000-0000-000000001001', 0, clock_timestamp(), 0, decode(repeat('00', 32), 'hex'))",
        )
        .await
        .expect("the database answers");
    sqlx::query(
        "insert into subject_keys (tenant_id, subject_id, wrapped_key) values ($1, $2, decode($3, 'hex'))",
    )
    .bind(TENANT.0)
    .bind(PERSON.0)
    .bind(WRAPPED_KEY)
    .execute(&mut *connection)
    .await
    .expect("the database answers");
    connection
        .execute("set role hibachi_app")
        .await
        .expect("the database answers");
    append_as_released(connection, &[command(1), command(2)]).await;
    append_as_released(connection, &[command(3)]).await;
    connection
        .execute("reset role")
        .await
        .expect("the database answers");
}

fn digest(number: u8) -> [u8; 32] {
    [number; 32]
}

fn stream(id: &str) -> StreamId {
    StreamId::new("thing", id)
}

fn take_key() -> Claim {
    Claim::TakeUnique {
        scope: Cow::Borrowed("thing.key"),
        key: "k".to_owned(),
    }
}

fn take_places(units: i32) -> Claim {
    Claim::TakeCapacity {
        resource: "room".to_owned(),
        from: hour(10),
        until: hour(12),
        units,
        limit: 3,
    }
}

/// What a command of the first release wrote, as an append of today.
fn command(number: u8) -> Append {
    let event = |event: u128, payload: &str, claims| NewEvent {
        event_id: EventId(Uuid::from_u128(u128::from(number) << 8 | event)),
        event_type: "thing.happened",
        event_version: 1,
        payload: payload.to_owned(),
        claims,
    };
    let write = |id, expected, events| StreamWrite {
        stream: stream(id),
        expected,
        events,
    };
    let name = format!("{{\"name\":{{\"sealed\":\"{SEALED_NAME}\",\"subject\":\"{PERSON}\"}}}}");
    let streams = match number {
        1 => vec![write(
            "a",
            Expectation::NoStream,
            vec![
                event(1, &name, vec![take_key()]),
                event(2, "{\"text\":\"naïve “ünïcode” 寿司 🍣\"}", vec![]),
            ],
        )],
        2 => vec![write(
            "b",
            Expectation::Any,
            vec![event(1, "{}", vec![take_places(2)])],
        )],
        _ => vec![
            write("b", Expectation::Exists, vec![event(1, "{}", vec![])]),
            write(
                "a",
                Expectation::Exact(Version(2)),
                vec![event(2, "[1, 2]", vec![])],
            ),
        ],
    };
    Append {
        tenant: TENANT,
        command_id: CommandId(Uuid::from_u128(u128::from(number))),
        digest: digest(number),
        streams,
        reads: Vec::new(),
        erases: Vec::new(),
        meta: BTreeMap::from([("channel".to_owned(), "cli".to_owned())]),
    }
}

/// The arrays that `append_batch` took from the first release on, counted from 1.
#[derive(Default)]
struct Arrays {
    command: Vec<Uuid>,
    digest: Vec<Vec<u8>>,
    metadata: Vec<String>,
    events_of: Vec<i32>,
    s_append: Vec<i32>,
    s_kind: Vec<String>,
    s_id: Vec<String>,
    s_expected: Vec<i64>,
    s_events: Vec<Option<i32>>,
    e_append: Vec<i32>,
    e_stream: Vec<i32>,
    e_id: Vec<Uuid>,
    e_type: Vec<String>,
    e_version: Vec<String>,
    e_payload: Vec<String>,
    c_append: Vec<i32>,
    c_stream: Vec<i32>,
    c_action: Vec<String>,
    c_name: Vec<String>,
    c_key: Vec<Option<String>>,
    c_from: Vec<Option<DateTime<Utc>>>,
    c_until: Vec<Option<DateTime<Utc>>>,
    c_units: Vec<Option<i32>>,
    c_limit: Vec<Option<i32>>,
}

fn count(length: usize) -> i32 {
    i32::try_from(length).expect("a handful")
}

impl Arrays {
    fn push(&mut self, append: &Append) {
        self.command.push(append.command_id.0);
        self.digest.push(append.digest.into());
        self.metadata.push(domain::canonical::json(&append.meta));
        let events = append.streams.iter().map(|write| write.events.len());
        self.events_of.push(count(events.sum()));
        let number = count(self.command.len());
        for write in &append.streams {
            self.s_append.push(number);
            self.s_kind.push(write.stream.kind.to_string());
            self.s_id.push(write.stream.id.clone());
            self.s_expected.push(match write.expected {
                Expectation::NoStream => 0,
                Expectation::Exact(Version(version)) => version,
                Expectation::Exists => -2,
                Expectation::Any => -1,
            });
            self.s_events.push(Some(count(write.events.len())));
            for event in &write.events {
                self.push_event(number, event);
            }
        }
    }

    fn push_event(&mut self, number: i32, event: &NewEvent) {
        let stream = count(self.s_id.len());
        self.e_append.push(number);
        self.e_stream.push(stream);
        self.e_id.push(event.event_id.0);
        self.e_type.push(event.event_type.to_owned());
        self.e_version.push(event.event_version.to_string());
        self.e_payload.push(event.payload.clone());
        for claim in &event.claims {
            self.c_append.push(number);
            self.c_stream.push(stream);
            self.push_claim(claim);
        }
    }

    fn push_claim(&mut self, claim: &Claim) {
        let (action, name, key, taken) = match claim {
            Claim::TakeUnique { scope, key } => ("take_unique", scope.to_string(), Some(key.clone()), None),
            Claim::TakeCapacity {
                resource,
                from,
                until,
                units,
                limit,
            } => {
                let taken = Some((*from, *until, *units, *limit));
                ("take_capacity", resource.clone(), None, taken)
            }
            other @ (Claim::TakeInterval { .. }
            | Claim::ReleaseUnique { .. }
            | Claim::ReleaseCapacity { .. }
            | Claim::ReleaseInterval { .. }) => {
                panic!("the first release's data has no {other:?}")
            }
        };
        self.c_action.push(action.to_owned());
        self.c_name.push(name);
        self.c_key.push(key);
        self.c_from.push(taken.map(|(from, ..)| from));
        self.c_until.push(taken.map(|(_, until, ..)| until));
        self.c_units.push(taken.map(|(.., units, _)| units));
        self.c_limit.push(taken.map(|(.., limit)| limit));
    }
}

/// Appends a batch as the first release did.
async fn append_as_released(connection: &mut PgConnection, appends: &[Append]) {
    let mut arrays = Arrays::default();
    for append in appends {
        arrays.push(append);
    }
    let outcomes: Vec<String> = sqlx::query_scalar(
        "select r_outcome from append_batch(
             $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
             $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)",
    )
    .bind([TENANT.0])
    .bind([count(arrays.command.len())])
    .bind([count(arrays.s_id.len())])
    .bind([count(arrays.e_id.len())])
    .bind([count(arrays.c_name.len())])
    .bind(arrays.command)
    .bind(arrays.digest)
    .bind(arrays.metadata)
    .bind(arrays.events_of)
    .bind(arrays.s_append)
    .bind(arrays.s_kind)
    .bind(arrays.s_id)
    .bind(arrays.s_expected)
    .bind(arrays.s_events)
    .bind(arrays.e_append)
    .bind(arrays.e_stream)
    .bind(arrays.e_id)
    .bind(arrays.e_type)
    .bind(arrays.e_version)
    .bind(arrays.e_payload)
    .bind(arrays.c_append)
    .bind(arrays.c_stream)
    .bind(arrays.c_action)
    .bind(arrays.c_name)
    .bind(arrays.c_key)
    .bind(arrays.c_from)
    .bind(arrays.c_until)
    .bind(arrays.c_units)
    .bind(arrays.c_limit)
    .fetch_all(connection)
    .await
    .expect("the database answers");
    assert_eq!(outcomes, vec!["appended"; appends.len()]);
}

/// Every byte of the log, as the first release's columns hold it.
async fn bytes(connection: &mut PgConnection) -> Vec<String> {
    let mut bytes = Vec::new();
    for sql in [
        "select concat_ws('|', tenant_id, position, aggregate_type, aggregate_id, sequence, event_type, event_version,
             payload::text, metadata::text, event_id, command_id, extract(epoch from recorded_at),
             encode(leaf_hash, 'hex')) as line
         from events order by tenant_id, position",
        "select concat_ws('|', tenant_id, block, first_position, last_position, encode(merkle_root, 'hex'),
             encode(block_hash, 'hex'), extract(epoch from closed_at)) as line
         from log_blocks order by tenant_id, block",
        "select concat_ws('|', tenant_id, position, extract(epoch from recorded_at), block,
             encode(block_hash, 'hex')) as line
         from log_head order by tenant_id",
    ] {
        for row in connection.fetch_all(sql).await.expect("the database answers") {
            bytes.push(row.get("line"));
        }
    }
    bytes
}

fn receipt(first: i64, last: i64, streams: &[(&str, i64)]) -> Receipt {
    Receipt {
        first: Position(first),
        last: Position(last),
        streams: streams
            .iter()
            .map(|(id, version)| (stream(id), Version(*version)))
            .collect(),
    }
}

/// An append of today's, of one event.
async fn appended(
    log: &EventLog,
    number: u8,
    id: &str,
    expected: Expectation,
    claims: Vec<Claim>,
) -> Outcome {
    let mut append = command(number);
    append.streams = vec![StreamWrite {
        stream: stream(id),
        expected,
        events: vec![NewEvent {
            event_id: EventId(Uuid::from_u128(u128::from(number))),
            event_type: "thing.happened",
            event_version: 1,
            payload: "{}".to_owned(),
            claims,
        }],
    }];
    log.append(append).await.expect("the database answers")
}

#[tokio::test]
async fn a_database_of_the_first_release_is_brought_up_to_date_with_all_it_holds() {
    let test = TestDatabase::new().await;
    let mut superuser = test.superuser().await;
    make_as_released(&mut superuser).await;
    let before = bytes(&mut superuser).await;
    assert_eq!(before.len(), 5 + 2 + 1);

    let migrations = migrations::migrate(test.superuser_options()).await.unwrap();
    assert!(migrations >= RELEASED.len());
    assert_eq!(
        bytes(&mut superuser).await,
        before,
        "not a byte of the log has changed"
    );
    assert_eq!(
        migrations::migrate(test.superuser_options()).await.unwrap(),
        migrations
    );
    assert_eq!(bytes(&mut superuser).await, before);

    let log = test.log().await;
    let verified = replays::verify(&log, TENANT, &()).await.unwrap();
    assert_eq!((verified.events, verified.blocks), (5, 2));
    let at_first = [
        (1, receipt(1, 2, &[("a", 2)])),
        (2, receipt(3, 3, &[("b", 1)])),
        (3, receipt(4, 5, &[("b", 2), ("a", 3)])),
    ];
    for (number, first) in at_first {
        let again = log.append(command(number)).await.unwrap();
        assert_eq!(again, Outcome::Replayed(first), "command {number}");
    }
    let mut other = command(1);
    other.digest = digest(9);
    assert_eq!(log.append(other).await.unwrap(), Outcome::IdempotencyMismatch);

    let refused = |claim| Outcome::ClaimRefused { claim };
    let c = async |number, claim| appended(&log, number, "c", Expectation::NoStream, vec![claim]).await;
    assert_eq!(c(11, take_key()).await, refused(take_key()));
    assert_eq!(c(12, take_places(2)).await, refused(take_places(2)));
    assert_eq!(
        c(13, take_places(1)).await,
        Outcome::Appended(receipt(6, 6, &[("c", 1)]))
    );
    let stale = appended(&log, 14, "a", Expectation::Exact(Version(2)), vec![]).await;
    assert!(matches!(
        stale,
        Outcome::Conflict {
            actual: Version(3),
            ..
        }
    ));
    assert_eq!(
        appended(&log, 15, "a", Expectation::Exact(Version(3)), vec![]).await,
        Outcome::Appended(receipt(7, 7, &[("a", 4)]))
    );
    assert_eq!(replays::verify(&log, TENANT, &()).await.unwrap().events, 7);

    let vault = Vault::new(
        test.database().await,
        MasterKey::new([1; 32]),
        Arc::new(SystemEntropy),
    );
    let name = Sealed {
        subject: PERSON,
        sealed: SEALED_NAME.to_owned(),
    };
    let opened = vault.open(TENANT, &stream("a"), "name", &name).await;
    assert_eq!(opened, Ok(Opened::Text("Zoë".to_owned())));
}
