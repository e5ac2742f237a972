//! Somebody who appends one thing after another, at random but always the same for a seed: to a stream, to new
//! streams, to several at once, with claims and without.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::envelope::{Claim, Expectation, NewEvent, StreamId};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, StreamWrite};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

use crate::seed::random;

/// Streams that all writers of a tenant write to.
const SHARED: u32 = 4;
/// Keys that they compete for.
const KEYS: u32 = 8;
/// Rooms that they compete for, and how many fit into each.
const ROOMS: (u32, i32) = (2, 3);

/// One of a test's writers.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    /// The seed of the run.
    pub seed: u64,
    /// Its number, which no other of the run has.
    pub number: u32,
    /// Whose log it writes to.
    pub tenant: TenantId,
}

impl Writer {
    /// What it appends in a turn: the same however often it is asked, under the same command id.
    pub fn append(&self, turn: u32) -> Append {
        let mut random = random(self.seed, (u64::from(self.number) << 32) | u64::from(turn));
        let streams = self.streams(turn, &mut random);
        append(self.tenant, streams, &mut random)
    }

    fn streams(&self, turn: u32, random: &mut ChaCha8Rng) -> Vec<StreamWrite> {
        let own = format!("of {}", self.number);
        match random.random_range(0..100) {
            0..45 => vec![write(own, Expectation::Any, events(1, random))],
            45..60 => {
                let count = random.random_range(1..=4);
                let new = format!("{own} in turn {turn}");
                vec![write(new, Expectation::NoStream, events(count, random))]
            }
            60..80 => {
                let first = random.random_range(0..SHARED);
                let second = (first + random.random_range(1..SHARED)) % SHARED;
                [own, format!("shared {first}"), format!("shared {second}")]
                    .map(|stream| {
                        let count = random.random_range(1..=3);
                        write(stream, Expectation::Any, events(count, random))
                    })
                    .into()
            }
            80..87 => vec![claiming(own, vec![unique(random)], random)],
            87..94 => vec![claiming(own, vec![capacity(random)], random)],
            _ => vec![claiming(own, interval(random), random)],
        }
    }
}

/// An append with ids of its own.
pub fn append(tenant: TenantId, streams: Vec<StreamWrite>, random: &mut ChaCha8Rng) -> Append {
    Append {
        tenant,
        command_id: CommandId(Uuid::from_u128(random.random())),
        digest: random.random(),
        streams,
        reads: Vec::new(),
        erases: Vec::new(),
        meta: BTreeMap::from([("channel".to_owned(), "cli".to_owned())]),
    }
}

/// What an append writes to a stream of things.
pub fn write(stream: String, expected: Expectation, events: Vec<NewEvent>) -> StreamWrite {
    StreamWrite {
        stream: StreamId::new("thing", stream),
        expected,
        events,
    }
}

/// Events of up to some hundred bytes.
pub fn events(count: usize, random: &mut ChaCha8Rng) -> Vec<NewEvent> {
    (0..count)
        .map(|_| {
            let length = random.random_range(0..400);
            event(length, random)
        })
        .collect()
}

/// An event with a text of a length.
pub fn event(length: usize, random: &mut ChaCha8Rng) -> NewEvent {
    NewEvent {
        event_id: EventId(Uuid::from_u128(random.random())),
        event_type: "thing.happened",
        event_version: 1,
        payload: format!("{{\"text\":\"{}\"}}", "寿".repeat(length / 3)),
        claims: Vec::new(),
    }
}

fn claiming(stream: String, claims: Vec<Claim>, random: &mut ChaCha8Rng) -> StreamWrite {
    let claiming = NewEvent {
        claims,
        ..event(0, random)
    };
    write(stream, Expectation::Any, vec![claiming])
}

fn unique(random: &mut ChaCha8Rng) -> Claim {
    let scope = Cow::Borrowed("thing.key");
    let key = format!("key {}", random.random_range(0..KEYS));
    if random.random_bool(0.5) {
        Claim::TakeUnique { scope, key }
    } else {
        Claim::ReleaseUnique { scope, key }
    }
}

fn capacity(random: &mut ChaCha8Rng) -> Claim {
    let resource = format!("room {}", random.random_range(0..ROOMS.0));
    if random.random_bool(0.3) {
        return Claim::ReleaseCapacity { resource };
    }
    let (from, until) = span(random);
    Claim::TakeCapacity {
        resource,
        from,
        until,
        units: random.random_range(1..3),
        limit: ROOMS.1,
    }
}

/// Gives back what it has of a room, and mostly takes it for another time.
fn interval(random: &mut ChaCha8Rng) -> Vec<Claim> {
    let resource = format!("room {}", random.random_range(0..ROOMS.0));
    let release = Claim::ReleaseInterval {
        resource: resource.clone(),
    };
    if random.random_bool(0.3) {
        return vec![release];
    }
    let (from, until) = span(random);
    let take = Claim::TakeInterval {
        resource,
        from,
        until,
    };
    vec![release, take]
}

fn span(random: &mut ChaCha8Rng) -> (DateTime<Utc>, DateTime<Utc>) {
    let from = random.random_range(0..24);
    (hour(from), hour(from + random.random_range(1..4)))
}

/// An hour of the day that the rooms are taken for.
pub fn hour(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
}
