//! The event catalogue: the page that describes it is the code's, and whatever was once recorded can be read.

mod fields;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use domain::canonical;
use domain::decider::{Event, EventKind};
use domain::recorded::{DomainEvent, catalogue};
use serde_json::Value;

const INTRODUCTION: &str = "\
# Event catalogue

Written by `make catalogue` from the code; a test fails when it has drifted. Each line is a fact that the log may
hold: its name on the wire, the version of its payload's newest shape, and what it means to the business. A name is
never changed and an event never goes away; only the newest version is written, and each before it is still read
([ADR 9](adr/0009-how-events-evolve.md)). The payloads are the structs of `domain/src`, documented field by field; one
stored example of each version is in `tests/golden/events.ndjson`.
";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate is a folder of the workspace")
        .join(path)
}

fn page() -> String {
    let mut aggregates: Vec<(&str, Vec<EventKind>)> = Vec::new();
    for kind in catalogue() {
        let (aggregate, _) = kind
            .name
            .split_once('.')
            .expect("an event is named after its aggregate");
        match aggregates.last_mut() {
            Some((last, kinds)) if *last == aggregate => kinds.push(kind),
            Some(_) | None => aggregates.push((aggregate, vec![kind])),
        }
    }
    let mut page = INTRODUCTION.to_owned();
    for (aggregate, kinds) in aggregates {
        write!(
            page,
            "\n## {aggregate}\n\n| event | version | meaning |\n|---|---|---|\n"
        )
        .expect("a text grows");
        for EventKind {
            name,
            version,
            meaning,
        } in kinds
        {
            let before: Vec<String> = (1..version).rev().map(|before| before.to_string()).collect();
            let before = match before.join(", ") {
                none if none.is_empty() => none,
                versions => format!("; reads {versions}"),
            };
            writeln!(page, "| `{name}` | {version}{before} | {meaning} |").expect("a text grows");
        }
    }
    page
}

#[test]
fn the_page_is_what_the_code_says() {
    let path = file("docs/event-catalogue.md");
    let page = page();
    if env::var_os("HIBACHI_UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).expect("the page is there");
    assert!(
        committed == page,
        "docs/event-catalogue.md has drifted from the code: run `make catalogue`"
    );
}

/// One stored event, as it was written on the day its shape was released.
#[derive(Debug, Clone)]
pub(crate) struct Golden {
    pub(crate) name: String,
    pub(crate) version: u16,
    pub(crate) payload: Value,
}

/// Every one of them.
pub(crate) fn golden() -> Vec<Golden> {
    let lines = fs::read_to_string(file("tests/golden/events.ndjson")).expect("the golden events are there");
    let golden = |line: &str| {
        let mut line: Value = serde_json::from_str(line).expect("a golden line is JSON");
        let version = line["version"]
            .as_u64()
            .and_then(|version| version.try_into().ok());
        Golden {
            name: line["type"]
                .as_str()
                .expect("a golden line names its event")
                .to_owned(),
            version: version.expect("a golden line has a version"),
            payload: line["payload"].take(),
        }
    };
    lines.lines().map(golden).collect()
}

#[test]
fn every_event_that_was_ever_released_can_be_read_and_is_kept_in_its_newest_shape() {
    for Golden {
        name,
        version,
        payload,
    } in golden()
    {
        let event = DomainEvent::decode(&name, version, &canonical::json(&payload))
            .unwrap_or_else(|error| panic!("a golden line cannot be read: {error}"));
        assert_eq!(event.name(), name);
        let newest = payload_of(&event);
        let kept = DomainEvent::decode(&name, newest_version(&name), &newest);
        assert_eq!(kept, Ok(event), "{name} {version}");
    }
}

fn newest_version(name: &str) -> u16 {
    let kinds = catalogue();
    let kind = kinds.iter().find(|kind| kind.name == name);
    kind.expect("the event is in the catalogue").version
}

#[test]
fn a_version_that_was_never_released_is_an_error_that_names_it() {
    for EventKind { name, version, .. } in catalogue() {
        for version in [0, version + 1] {
            let unknown = DomainEvent::decode(name, version, "{}").unwrap_err();
            assert_eq!(
                unknown.to_string(),
                format!("unknown event {name} version {version}")
            );
        }
    }
}

/// Of each event every version from 1 to the newest, and nothing else.
#[test]
fn every_event_has_a_golden_line_for_each_of_its_versions() {
    let golden: BTreeSet<(String, u16)> = golden()
        .into_iter()
        .map(|golden| (golden.name, golden.version))
        .collect();
    let versions = |kind: EventKind| (1..=kind.version).map(move |version| (kind.name.to_owned(), version));
    let released: BTreeSet<(String, u16)> = catalogue().into_iter().flat_map(versions).collect();
    assert_eq!(golden, released);
}

/// A field that was renamed, dropped or is written in another form would change the stored text, and with it what
/// is hashed: it needs a new version. Of the lines of one version the last has every field that it has today.
#[test]
fn an_event_that_is_read_and_written_again_is_the_same_text() {
    let newest: BTreeMap<&str, u16> = catalogue().iter().map(|kind| (kind.name, kind.version)).collect();
    let last: BTreeMap<String, Golden> = golden()
        .into_iter()
        .map(|golden| (format!("{} {}", golden.name, golden.version), golden))
        .collect();
    for Golden {
        name,
        version,
        payload,
    } in last.into_values()
    {
        if newest[name.as_str()] != version {
            continue;
        }
        let stored = canonical::json(&payload);
        let event = DomainEvent::decode(&name, version, &stored).expect("golden lines can be read");
        assert_eq!(payload_of(&event), stored, "{name} version {version}");
    }
}

fn payload_of(event: &DomainEvent) -> String {
    match event {
        DomainEvent::Organisation(event) => event.payload(),
        DomainEvent::Station(event) => event.payload(),
        DomainEvent::Chef(event) => event.payload(),
        DomainEvent::User(event) => event.payload(),
        DomainEvent::Customer(event) => event.payload(),
        DomainEvent::Booking(event) => event.payload(),
        DomainEvent::Payment(event) => event.payload(),
        DomainEvent::PriceList(event) => event.payload(),
        DomainEvent::PromoCode(event) => event.payload(),
        DomainEvent::TaxRate(event) => event.payload(),
        DomainEvent::WorkItem(event) => event.payload(),
        DomainEvent::Escalation(event) => event.payload(),
        DomainEvent::Conversation(event) => event.payload(),
        DomainEvent::Message(event) => event.payload(),
        DomainEvent::MessageTemplate(event) => event.payload(),
        DomainEvent::Job(event) => event.payload(),
        DomainEvent::Review(event) => event.payload(),
        DomainEvent::TaxPeriod(event) => event.payload(),
        DomainEvent::Document(event) => event.payload(),
        DomainEvent::DocumentSeries(event) => event.payload(),
        DomainEvent::Lead(event) => event.payload(),
    }
}
