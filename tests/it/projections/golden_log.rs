//! Random logs made of the stored examples of events: every type and version there is, about a few things that they all
//! have in common.

use std::collections::BTreeMap;

use domain::canonical;
use domain::envelope::{Expectation, NewEvent, Position, StreamId};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, EventLog, Outcome, StreamWrite};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use uuid::Uuid;

/// Events of one append at most.
const APPENDED: usize = 8;

/// An example of an event.
struct Example {
    name: &'static str,
    version: u16,
    payload: Value,
}

/// The examples, and the number of the next id.
pub(crate) struct GoldenLog {
    examples: Vec<Example>,
    next: u128,
}

impl GoldenLog {
    pub(crate) fn new() -> Self {
        let kinds = domain::recorded::catalogue();
        let example = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("each line is JSON");
            let name = line["type"].as_str().expect("an event has a type");
            let kind = kinds.iter().find(|kind| kind.name == name);
            Example {
                name: kind.expect("examples are of events that there are").name,
                version: u16::try_from(line["version"].as_u64().expect("a version")).expect("a small one"),
                payload: line["payload"].clone(),
            }
        };
        let lines = include_str!("../../golden/events.ndjson").lines();
        Self {
            examples: lines.map(example).collect(),
            next: 1,
        }
    }

    /// The names of the events that logs are made of.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.examples.iter().map(|example| example.name).collect()
    }

    /// Appends random events and says where the log ends then.
    pub(crate) async fn grow(
        &mut self,
        log: &EventLog,
        tenant: TenantId,
        random: &mut ChaCha8Rng,
        events: usize,
    ) -> Position {
        let mut end = log.head(tenant).await.expect("the log answers").position;
        let mut left = events;
        while left > 0 {
            let count = random.random_range(1..=left.min(APPENDED));
            left -= count;
            let mut streams: BTreeMap<(String, String), Vec<NewEvent>> = BTreeMap::new();
            for _ in 0..count {
                let (stream, event) = self.event(random);
                streams.entry(stream).or_default().push(event);
            }
            end = self.append(log, tenant, streams).await;
        }
        end
    }

    fn event(&mut self, random: &mut ChaCha8Rng) -> ((String, String), NewEvent) {
        let example = self.examples.choose(random).expect("there are examples");
        let mut payload = example.payload.clone();
        // All sums of an event by the same factor: what adds up goes on to.
        let factor = random.random_range(0..30);
        vary(&mut payload, "", factor, random);
        let kind = example.name.split_once('.').expect("names have a dot").0;
        let stream = match kind {
            "tax_rate" => {
                // A file that was read names no county: it is of the stream that it is in.
                let county = payload["jurisdiction"]["county"].as_str();
                format!("CA/{}", county.unwrap_or("Santa Clara").to_lowercase())
            }
            kind => one_of(kind, random).to_string(),
        };
        let (name, version) = (example.name, example.version);
        let event = NewEvent {
            event_id: EventId(self.id()),
            event_type: name,
            event_version: version,
            payload: canonical::json(&payload),
            claims: vec![],
        };
        ((kind.to_owned(), stream), event)
    }

    fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    async fn append(
        &mut self,
        log: &EventLog,
        tenant: TenantId,
        streams: BTreeMap<(String, String), Vec<NewEvent>>,
    ) -> Position {
        let write = |((kind, id), events): ((String, String), Vec<NewEvent>)| StreamWrite {
            stream: StreamId {
                kind: kind.into(),
                id,
            },
            expected: Expectation::Any,
            events,
        };
        let meta = [
            ("actor_kind", "user"),
            ("actor_id", "u1"),
            ("actor_role", "ADMIN"),
            ("channel", "graphql"),
            ("correlation_id", "c"),
        ];
        let append = Append {
            tenant,
            command_id: CommandId(self.id()),
            digest: [0; 32],
            streams: streams.into_iter().map(write).collect(),
            reads: vec![],
            erases: vec![],
            meta: BTreeMap::from(meta.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        };
        let outcome = log.append(append).await.expect("the log takes it");
        let Outcome::Appended(receipt) = outcome else {
            panic!("{outcome:?}");
        };
        receipt.last
    }
}

/// One of the few things of a kind.
fn one_of(kind: &str, random: &mut ChaCha8Rng) -> Uuid {
    let things = match kind {
        "booking" | "payment" => 6,
        "customer" | "lead" => 3,
        _ => 2,
    };
    let kind: u128 = kind.bytes().map(u128::from).sum();
    Uuid::from_u128((0x0193_0000_0000_7000_8000 << 48) | kind << 16 | random.random_range(0..things))
}

/// Another event of the same shape: of other things, other sums and other places.
fn vary(value: &mut Value, field: &str, factor: i64, random: &mut ChaCha8Rng) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                vary(value, field, factor, random);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| vary(item, field, factor, random)),
        Value::String(text) => match (field, Uuid::parse_str(text)) {
            (_, Ok(_)) => {
                let kind = field.strip_suffix("_id").unwrap_or(field);
                *text = one_of(kind, random).to_string();
            }
            ("county", Err(_)) => {
                let counties = ["Santa Clara", "Alameda", "Sacramento"];
                *text = (*counties.choose(random).expect("there are counties")).to_owned();
            }
            ("event_on", Err(_)) => *text = format!("2026-03-{:02}", random.random_range(1..=20)),
            (_, Err(_)) => {}
        },
        Value::Number(cents) if field.ends_with("_cents") => {
            *value = json!(cents.as_i64().expect("whole cents") * factor);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
