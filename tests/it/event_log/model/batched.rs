//! The model against batches: appends that come together come to what they would one after the other, in the order in
//! which they were asked, and a batch is one block of each tenant that wrote, whoever of it lost.

use std::collections::{BTreeMap, BTreeSet};

use domain::envelope::{Claim, Expectation, Version};
use domain::ids::{CommandId, EventId, SubjectId, TenantId};
use event_log::{Append, EventLog, Outcome, Receipt, StreamWrite};
use futures::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sqlx::postgres::PgConnection;
use tests::seed::{remark, seed};
use uuid::Uuid;

use super::super::{World, stream};
use super::{Model, OUTCOMES, claims, event, expectation, name, new_tenant, runner};

const TENANTS: usize = 3;
const ROUNDS: u64 = 150;
/// Appends of a round at most.
const APPENDS: usize = 48;
/// Streams of a tenant.
const STREAMS: u8 = 48;
/// Rounds that have the same resources; those of the next are free again.
const AGE: u64 = 4;

/// What an append takes a stream to hold.
#[derive(Debug, Clone)]
enum Taken {
    /// What it holds.
    AsItIs,
    Otherwise(Expectation),
}

/// An append before it is known what the streams hold.
#[derive(Debug, Clone)]
struct Drawn {
    tenant: usize,
    /// Of the commands so far, which one comes again, and whether with the same digest.
    again: Option<(prop::sample::Index, bool)>,
    writes: Vec<(u8, Taken, Vec<Vec<Claim>>)>,
    guards: Vec<(u8, Option<i64>)>,
    erases: bool,
}

/// Where nothing but versions is expected the log has another statement than where they are unknown.
fn drawn(versions_only: bool) -> impl Strategy<Value = Drawn> {
    let other = expectation().prop_filter("only versions", move |expected| match expected {
        Expectation::NoStream | Expectation::Exact(_) => true,
        Expectation::Exists | Expectation::Any => !versions_only,
    });
    let taken = prop_oneof![6 => Just(Taken::AsItIs), 1 => other.prop_map(Taken::Otherwise)];
    let write = (0..STREAMS, taken, prop::collection::vec(claims(), 0..4));
    let guard = (
        0..STREAMS,
        prop_oneof![4 => Just(None), 1 => (0_i64..4).prop_map(Some)],
    );
    (
        0..TENANTS,
        prop::option::weighted(0.15, (any::<prop::sample::Index>(), prop::bool::weighted(0.7))),
        prop::collection::vec(write, 0..=3),
        prop::collection::vec(guard, 0..=2),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(tenant, again, writes, guards, erases)| Drawn {
            tenant,
            again,
            writes,
            guards,
            erases,
        })
}

/// The claims of a round: those on what the rounds of another age have are on something else.
fn of_age(claim: Claim, age: u64) -> Claim {
    let mut claim = claim;
    let named = match &mut claim {
        Claim::TakeUnique { key, .. } | Claim::ReleaseUnique { key, .. } => key,
        Claim::TakeCapacity { resource, .. }
        | Claim::ReleaseCapacity { resource }
        | Claim::TakeInterval { resource, .. }
        | Claim::ReleaseInterval { resource } => resource,
    };
    *named = format!("{named} of {age}");
    claim
}

/// What the appends of a round touch, of each tenant.
#[derive(Default)]
struct Touched {
    written: BTreeSet<u8>,
    guarded: BTreeSet<u8>,
    commands: BTreeSet<CommandId>,
}

/// A tenant with its model, and what it was asked and has acknowledged.
struct Company {
    tenant: TenantId,
    model: Model,
    asked: Vec<Append>,
    acknowledged: Vec<(Append, Receipt)>,
}

/// Numbers that nobody had before.
#[derive(Default)]
struct Numbers(u128);

impl Numbers {
    fn next(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

impl Company {
    /// The append that was drawn, if it touches nothing of those before it in the round.
    fn append(
        &self,
        drawn: &Drawn,
        touched: &mut Touched,
        numbers: &mut Numbers,
        age: u64,
    ) -> Option<Append> {
        let id = |number: u8| stream(&format!("stream {number}"));
        let written: BTreeSet<u8> = drawn.writes.iter().map(|(number, ..)| *number).collect();
        let guarded: BTreeSet<u8> = drawn.guards.iter().map(|(number, _)| *number).collect();
        let mut append = Append {
            tenant: self.tenant,
            command_id: CommandId(numbers.next()),
            digest: [0; 32],
            streams: Vec::new(),
            reads: Vec::new(),
            erases: Vec::new(),
            meta: BTreeMap::new(),
        };
        if let (Some((index, same)), false) = (drawn.again, self.asked.is_empty()) {
            let first = index.get(&self.asked);
            (append.command_id, append.digest) = (first.command_id, first.digest);
            append.digest[1] += u8::from(!same);
        }
        let free = written.len() == drawn.writes.len()
            && guarded.len() == drawn.guards.len()
            && written.is_disjoint(&guarded)
            && written.is_disjoint(&touched.written)
            && written.is_disjoint(&touched.guarded)
            && guarded.is_disjoint(&touched.written)
            && !touched.commands.contains(&append.command_id);
        if !free {
            return None;
        }
        touched.written.extend(written);
        touched.guarded.extend(guarded);
        touched.commands.insert(append.command_id);
        for (number, taken, claims) in &drawn.writes {
            let stream = id(*number);
            let expected = match taken {
                Taken::AsItIs => match self.model.version(&stream) {
                    0 => Expectation::NoStream,
                    version => Expectation::Exact(Version(version)),
                },
                Taken::Otherwise(expected) => *expected,
            };
            let new_event = |claims: &Vec<Claim>| {
                let claims = claims.iter().cloned().map(|claim| of_age(claim, age)).collect();
                let mut event = event(claims);
                event.event_id = EventId(numbers.next());
                event
            };
            append.streams.push(StreamWrite {
                stream,
                expected,
                events: claims.iter().map(new_event).collect(),
            });
        }
        for (number, other) in &drawn.guards {
            let stream = id(*number);
            let version = other.unwrap_or_else(|| self.model.version(&stream));
            append.reads.push((stream, Version(version)));
        }
        if drawn.erases {
            append.erases = vec![SubjectId(numbers.next()), SubjectId(Uuid::from_u128(u128::MAX))];
        }
        Some(append)
    }

    async fn head(&self, log: &EventLog) -> (i64, i64) {
        let head = log.head(self.tenant).await.expect("the log answers");
        (head.block, head.position.0)
    }

    /// What was acknowledged is remembered under its key, and comes again when it is asked again.
    async fn assert_remembered(&self, log: &EventLog) {
        for together in self.acknowledged.chunks(100) {
            let again = join_all(together.iter().map(|(append, _)| log.append(append.clone()))).await;
            for ((append, receipt), again) in together.iter().zip(again) {
                assert_eq!(again, Ok(Outcome::Replayed(receipt.clone())), "{append:?}");
                let kept = log.command(self.tenant, append.command_id).await;
                let kept = kept.expect("the result can be read").expect("there is a result");
                assert_eq!(
                    (kept.digest, kept.first, kept.last, &kept.streams),
                    (append.digest, receipt.first, receipt.last, &receipt.streams)
                );
            }
        }
    }

    /// What the tables beside the events hold is what the model does, and whose keys are gone.
    async fn assert_stored(&self, superuser: &mut PgConnection) {
        let held = &self.model.held;
        let intervals = held.intervals.values().map(Vec::len).sum();
        for (table, count) in [
            ("commands", self.acknowledged.len()),
            ("claims_unique", held.unique.len()),
            ("claims_capacity", held.capacity.len()),
            ("claims_interval", intervals),
        ] {
            let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "select count(*) from {table} where tenant_id = $1"
            )))
            .bind(self.tenant.0)
            .fetch_one(&mut *superuser)
            .await
            .expect("a superuser may look");
            assert_eq!(usize::try_from(rows), Ok(count), "{table}");
        }
        let erased: Vec<Uuid> = sqlx::query_scalar(
            "select subject_id from subject_keys where tenant_id = $1 and erased_at is not null",
        )
        .bind(self.tenant.0)
        .fetch_all(superuser)
        .await
        .expect("a superuser may look");
        let told = self.acknowledged.iter().flat_map(|(append, _)| &append.erases);
        assert_eq!(
            erased.into_iter().collect::<BTreeSet<_>>(),
            told.map(|subject| subject.0).collect()
        );
    }
}

#[tokio::test]
async fn whatever_comes_together_comes_to_what_it_would_one_by_one_and_to_one_block() {
    let mut runner = runner(seed());
    let world = World::new().await;
    let log = &world.log;
    let mut companies = Vec::new();
    for number in 1..=TENANTS {
        let number = u128::try_from(number).expect("a handful");
        companies.push(Company {
            tenant: new_tenant(log, number).await,
            model: Model::default(),
            asked: Vec::new(),
            acknowledged: Vec::new(),
        });
    }
    let mut numbers = Numbers::default();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..ROUNDS {
        let drawn = prop::collection::vec(drawn(round % 2 == 0), 1..APPENDS)
            .new_tree(&mut runner)
            .expect("there are appends")
            .current();
        let mut touched: [Touched; TENANTS] = Default::default();
        let asked: Vec<(usize, Append)> = drawn
            .iter()
            .filter_map(|drawn| {
                let of = drawn.tenant;
                let append = companies[of].append(drawn, &mut touched[of], &mut numbers, round / AGE);
                append.map(|append| (of, append))
            })
            .collect();
        let mut before = Vec::new();
        for company in &companies {
            before.push(company.head(log).await);
        }
        let said = join_all(asked.iter().map(|(_, append)| log.append(append.clone()))).await;
        for ((of, append), said) in asked.into_iter().zip(said) {
            let company = &mut companies[of];
            let expected = company.model.append(&append);
            assert_eq!(said, Ok(expected.clone()), "round {round}, of {append:#?}");
            *counts.entry(name(&expected)).or_default() += 1;
            if let Outcome::Appended(receipt) = expected {
                company.acknowledged.push((append.clone(), receipt));
            }
            company.asked.push(append);
        }
        for (company, (block, position)) in companies.iter().zip(before) {
            let grew = i64::from(company.model.position > position);
            assert_eq!(
                company.head(log).await,
                (block + grew, company.model.position),
                "round {round} of {}",
                company.tenant
            );
        }
    }
    remark(format_args!("{counts:?}"));
    for outcome in OUTCOMES {
        assert!(counts.contains_key(outcome), "{outcome} has not come up");
    }
    let mut superuser = world.test.superuser().await;
    for company in &companies {
        company.assert_stored(&mut superuser).await;
        company.assert_remembered(log).await;
        assert_eq!(company.head(log).await.1, company.model.position);
        let verified = replays::verify(log, company.tenant, &()).await;
        verified.expect("the chain verifies");
    }
}
