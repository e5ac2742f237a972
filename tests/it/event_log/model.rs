//! The log against a model of it in memory: whatever is appended, both come to the same.

mod batched;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::envelope::{Claim, Expectation, NewEvent, Position, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, EventLog, Outcome, Receipt, StreamWrite};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tests::seed::{remark, seed};
use tests::writer::hour;
use uuid::Uuid;

use super::{World, stream};

/// Logs that are compared.
const LOGS: u32 = 48;
/// Appends to each at most.
const APPENDS: usize = 40;
const STREAMS: [&str; 4] = ["a", "b", "c", "d"];
/// Units of a room.
const ROOM: i32 = 3;

type Span = (DateTime<Utc>, DateTime<Utc>);
/// Of a room, a stream and an instant: until when, and how many units.
type Capacity = BTreeMap<(String, StreamId, DateTime<Utc>), (DateTime<Utc>, i32)>;

/// What is held, and by which stream.
#[derive(Debug, Clone, Default)]
struct Held {
    unique: HashMap<String, StreamId>,
    capacity: Capacity,
    intervals: BTreeMap<(String, StreamId), Vec<Span>>,
}

impl Held {
    /// Whether the claim is granted.
    fn apply(&mut self, holder: &StreamId, claim: &Claim) -> bool {
        match claim {
            Claim::TakeUnique { key, .. } => {
                self.unique.entry(key.clone()).or_insert_with(|| holder.clone()) == holder
            }
            Claim::ReleaseUnique { key, .. } => {
                if self.unique.get(key) == Some(holder) {
                    self.unique.remove(key);
                }
                true
            }
            Claim::TakeCapacity {
                resource,
                from,
                until,
                units,
                limit,
            } => {
                let place = (resource.clone(), holder.clone(), *from);
                self.capacity.remove(&place);
                let granted = self.peak(resource, (*from, *until)) + units <= *limit;
                self.capacity.insert(place, (*until, *units));
                granted
            }
            Claim::ReleaseCapacity { resource } => {
                self.capacity
                    .retain(|(held, by, _), _| held != resource || by != holder);
                true
            }
            Claim::TakeInterval {
                resource,
                from,
                until,
            } => {
                let overlaps = |(begins, ends): &Span| begins < until && ends > from;
                let mut others = self
                    .intervals
                    .iter()
                    .filter(|((held, by), _)| held == resource && by != holder)
                    .flat_map(|(_, spans)| spans);
                let granted = !others.any(overlaps);
                let own = (resource.clone(), holder.clone());
                self.intervals.entry(own).or_default().push((*from, *until));
                granted
            }
            Claim::ReleaseInterval { resource } => {
                self.intervals.remove(&(resource.clone(), holder.clone()));
                true
            }
        }
    }

    /// Most units taken at an hour of the span: every claim starts and ends on one.
    fn peak(&self, resource: &str, (from, until): Span) -> i32 {
        let taken = |at: DateTime<Utc>| -> i32 {
            self.capacity
                .iter()
                .filter(|((held, _, begins), (ends, _))| held == resource && *begins <= at && at < *ends)
                .map(|(_, (_, units))| units)
                .sum()
        };
        let hours = (0..24).map(hour).filter(|at| *at >= from && *at < until);
        hours.map(taken).max().unwrap_or(0)
    }
}

/// A log without a database.
#[derive(Debug, Default)]
struct Model {
    position: i64,
    versions: HashMap<StreamId, i64>,
    commands: HashMap<CommandId, ([u8; 32], Receipt)>,
    held: Held,
}

impl Model {
    fn append(&mut self, append: &Append) -> Outcome {
        if let Some((digest, receipt)) = self.commands.get(&append.command_id) {
            return if *digest == append.digest {
                Outcome::Replayed(receipt.clone())
            } else {
                Outcome::IdempotencyMismatch
            };
        }
        if let Some((stream, actual)) = self.conflict(append) {
            return Outcome::Conflict { stream, actual };
        }
        let mut held = self.held.clone();
        for write in &append.streams {
            for claim in write.events.iter().flat_map(|event| &event.claims) {
                if !held.apply(&write.stream, claim) {
                    return Outcome::ClaimRefused { claim: claim.clone() };
                }
            }
        }
        self.held = held;
        let first = Position(self.position).next();
        let mut streams = Vec::new();
        for write in &append.streams {
            let events = i64::try_from(write.events.len()).expect("a handful");
            self.position += events;
            let version = self.versions.entry(write.stream.clone()).or_default();
            *version += events;
            streams.push((write.stream.clone(), Version(*version)));
        }
        let receipt = Receipt {
            first,
            last: Position(self.position),
            streams,
        };
        self.commands
            .insert(append.command_id, (append.digest, receipt.clone()));
        Outcome::Appended(receipt)
    }

    fn version(&self, stream: &StreamId) -> i64 {
        self.versions.get(stream).copied().unwrap_or(0)
    }

    fn conflict(&self, append: &Append) -> Option<(StreamId, Version)> {
        let writes = append.streams.iter().map(|write| {
            let actual = self.version(&write.stream);
            let holds = match write.expected {
                Expectation::NoStream => actual == 0,
                Expectation::Exact(version) => actual == version.0,
                Expectation::Exists => actual > 0,
                Expectation::Any => true,
            };
            (&write.stream, holds)
        });
        let reads = append
            .reads
            .iter()
            .map(|(stream, version)| (stream, self.version(stream) == version.0));
        writes
            .chain(reads)
            .find(|(_, holds)| !holds)
            .map(|(stream, _)| (stream.clone(), Version(self.version(stream))))
    }
}

fn expectation() -> impl Strategy<Value = Expectation> {
    prop_oneof![
        1 => Just(Expectation::NoStream),
        1 => (0_i64..6).prop_map(|version| Expectation::Exact(Version(version))),
        1 => Just(Expectation::Exists),
        8 => Just(Expectation::Any),
    ]
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let scope = || Cow::Borrowed("thing.key");
    let key = || (0_u8..3).prop_map(|key| format!("key {key}"));
    let room = || (0_u8..2).prop_map(|room| format!("room {room}"));
    let span = || (0_i64..8, 1_i64..4).prop_map(|(from, hours)| (hour(from), hour(from + hours)));
    prop_oneof![
        4 => Just(vec![]),
        2 => key().prop_map(move |key| vec![Claim::TakeUnique { scope: scope(), key }]),
        1 => key().prop_map(move |key| vec![Claim::ReleaseUnique { scope: scope(), key }]),
        3 => (room(), span(), 1_i32..=ROOM).prop_map(|(resource, (from, until), units)| {
            vec![Claim::TakeCapacity { resource, from, until, units, limit: ROOM }]
        }),
        1 => room().prop_map(|resource| vec![Claim::ReleaseCapacity { resource }]),
        // What a stream has of a resource is given back before it takes another time.
        3 => (room(), span()).prop_map(|(resource, (from, until))| {
            let release = Claim::ReleaseInterval { resource: resource.clone() };
            vec![release, Claim::TakeInterval { resource, from, until }]
        }),
        1 => room().prop_map(|resource| vec![Claim::ReleaseInterval { resource }]),
    ]
}

/// An append but for its tenant and the ids of its events.
fn any_append() -> impl Strategy<Value = Append> {
    let chosen = prop::sample::subsequence(STREAMS.to_vec(), 0..=3).prop_shuffle();
    let write = (expectation(), prop::collection::vec(claims(), 1..4));
    let writes = prop::collection::vec(write, 3);
    let reads = prop::collection::vec((prop::sample::select(STREAMS.to_vec()), 0_i64..4), 0..2);
    (0_u128..30, 0_u8..8, chosen, writes, reads).prop_map(|(command, body, chosen, writes, reads)| {
        let writes = chosen.iter().zip(writes);
        let streams: Vec<StreamWrite> = writes
            .map(|(id, (expected, claims))| StreamWrite {
                stream: stream(id),
                expected,
                events: claims.into_iter().map(event).collect(),
            })
            .collect();
        let written: BTreeSet<&str> = chosen.iter().copied().collect();
        Append {
            tenant: TenantId(Uuid::nil()),
            command_id: CommandId(Uuid::from_u128(command)),
            // One in eight of those that come again is another command.
            digest: [u8::from(body == 0); 32],
            streams,
            reads: reads
                .into_iter()
                .filter(|(id, _)| !written.contains(id))
                .map(|(id, version)| (stream(id), Version(version)))
                .collect(),
            erases: Vec::new(),
            meta: BTreeMap::new(),
        }
    })
}

fn event(claims: Vec<Claim>) -> NewEvent {
    NewEvent {
        event_id: EventId(Uuid::nil()),
        event_type: "thing.happened",
        event_version: 1,
        payload: "{}".to_owned(),
        claims,
    }
}

/// Gives every event an id of its own.
fn identified(mut append: Append, tenant: TenantId, next: &mut u128) -> Append {
    append.tenant = tenant;
    for event in append.streams.iter_mut().flat_map(|write| &mut write.events) {
        *next += 1;
        event.event_id = EventId(Uuid::from_u128(*next));
    }
    append
}

/// The first append that the two do not agree on, with what the log and the model say.
async fn disagreement(log: &EventLog, tenant: TenantId, appends: &[Append]) -> Option<String> {
    let mut model = Model::default();
    let mut next = 0;
    for append in appends {
        let append = identified(append.clone(), tenant, &mut next);
        let expected = Ok(model.append(&append));
        let said = log.append(append.clone()).await;
        if said != expected {
            return Some(format!(
                "the log says {said:?},\nthe model {expected:?},\nof {append:?}"
            ));
        }
    }
    None
}

async fn new_tenant(log: &EventLog, number: u128) -> TenantId {
    let tenant = TenantId(Uuid::from_u128(0x2000 + number));
    log.database()
        .create_organisation(tenant, &format!("number-{number}"), "Company")
        .await
        .expect("the slug is free");
    tenant
}

/// What draws appends, from a seed.
fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
    )
}

#[tokio::test]
async fn whatever_is_appended_the_log_and_its_model_come_to_the_same() {
    let mut runner = runner(seed());
    let world = World::new().await;
    let log = &world.log;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut tenants = 0;
    for _ in 0..LOGS {
        let appends = prop::collection::vec(any_append(), 1..APPENDS);
        let mut tree = appends.new_tree(&mut runner).expect("there are appends");
        let mut appends = tree.current();
        tenants += 1;
        let tenant = new_tenant(log, tenants).await;
        let mut found = disagreement(log, tenant, &appends).await;
        if found.is_none() {
            count(&mut counts, tenant, &appends);
            let verified = replays::verify(log, tenant, &()).await;
            verified.expect("the chain verifies");
            continue;
        }
        // The least that they do not agree on.
        let mut smaller = tree.simplify();
        while smaller {
            tenants += 1;
            let tenant = new_tenant(log, tenants).await;
            let still = disagreement(log, tenant, &tree.current()).await;
            smaller = if still.is_some() {
                (found, appends) = (still, tree.current());
                tree.simplify()
            } else {
                tree.complicate()
            };
        }
        panic!("{}\nafter {appends:#?}", found.unwrap_or_default());
    }
    remark(format_args!("{counts:?}"));
    for outcome in OUTCOMES {
        assert!(counts.contains_key(outcome), "{outcome} has not come up");
    }
}

const OUTCOMES: [&str; 5] = ["appended", "replayed", "conflict", "refused", "mismatch"];

/// The outcome's word.
fn name(outcome: &Outcome) -> &'static str {
    let which = match outcome {
        Outcome::Appended(_) => 0,
        Outcome::Replayed(_) => 1,
        Outcome::Conflict { .. } => 2,
        Outcome::ClaimRefused { .. } => 3,
        Outcome::IdempotencyMismatch => 4,
    };
    OUTCOMES[which]
}

fn count(counts: &mut BTreeMap<&str, usize>, tenant: TenantId, appends: &[Append]) {
    let mut model = Model::default();
    let mut next = 0;
    for append in appends {
        let outcome = model.append(&identified(append.clone(), tenant, &mut next));
        *counts.entry(name(&outcome)).or_default() += 1;
    }
}
