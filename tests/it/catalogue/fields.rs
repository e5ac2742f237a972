//! The fields that a payload may do without, as the structs of `domain/src` have them: each has a stored example, or nobody
//! would hear of it when it can be read no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{file, golden};

/// The types of the domain, as its sources have them.
#[derive(Default)]
struct Sources {
    /// Fields of each struct: name, type, and whether it may be absent.
    structs: BTreeMap<String, Vec<(String, String, bool)>>,
    /// What the variants of each enum hold.
    enums: BTreeMap<String, String>,
    /// The payload of each event, by its wire name.
    payloads: BTreeMap<String, String>,
}

impl Sources {
    fn of(folder: &Path) -> Self {
        let mut read = Self::default();
        read.read_folder(folder);
        read
    }

    fn read_folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("a file of the sources").path();
            if path.is_dir() {
                self.read_folder(&path);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                self.read_file(&fs::read_to_string(&path).expect("a source is text"));
            }
        }
    }

    fn read_file(&mut self, text: &str) {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some((_, name)) = line.split_once(" = \"")
                && let Some((variant, _)) = line.split_once(") = \"")
                && let (Some((name, _)), Some((_, payload))) =
                    (name.split_once("\" v "), variant.rsplit_once('('))
            {
                self.payloads.insert(name.to_owned(), payload.to_owned());
            }
            let Some(name) = opened(line, "struct").or_else(|| opened(line, "enum")) else {
                continue;
            };
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            if line.contains("struct ") {
                self.structs.insert(name, fields(&body));
            } else {
                // A variant's own name is no type.
                let held = body.iter().filter(|line| !line.trim().starts_with("//"));
                let held = held.filter_map(|line| line.split_once(['(', ':']).map(|(_, held)| held));
                self.enums.insert(name, held.collect::<Vec<_>>().join(" "));
            }
        }
    }

    /// The types that a payload is made of.
    fn within(&self, name: &str, found: &mut BTreeSet<String>) {
        let holds: Vec<&str> = match (self.structs.get(name), self.enums.get(name)) {
            (Some(fields), _) => fields.iter().map(|(_, kind, _)| kind.as_str()).collect(),
            (None, Some(held)) => vec![held],
            (None, None) => return,
        };
        if found.insert(name.to_owned()) {
            for text in holds {
                let words = text.split(|letter: char| !letter.is_alphanumeric());
                words.for_each(|word| self.within(word, found));
            }
        }
    }
}

/// The name of the type that a line begins.
fn opened(line: &str, kind: &str) -> Option<String> {
    let (before, name) = line.strip_suffix(" {")?.split_once(&format!("{kind} "))?;
    (before.is_empty() || before.starts_with("pub")).then(|| name.to_owned())
}

fn fields(body: &[&str]) -> Vec<(String, String, bool)> {
    let mut fields = Vec::new();
    let mut has_default = false;
    for line in body.iter().map(|line| line.trim()) {
        let declared = line.strip_suffix(',').and_then(|line| line.split_once(": "));
        if line.starts_with("///") {
            continue;
        }
        if line.starts_with("#[") || declared.is_none() {
            has_default |= line.contains("default");
            continue;
        }
        if let Some((name, kind)) = declared {
            let name = name.rsplit(' ').next().expect("a field has a name");
            let optional = has_default || kind.starts_with("Option<");
            fields.push((name.to_owned(), kind.to_owned(), optional));
        }
        has_default = false;
    }
    fields
}

/// The fields of a payload that hold something, however deep.
fn filled(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let some = fields.iter().filter(|(_, value)| !value.is_null());
            some.for_each(|(field, value)| {
                found.insert(field.clone());
                filled(value, found);
            });
        }
        Value::Array(items) => items.iter().for_each(|item| filled(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_field_that_an_event_may_do_without_is_in_some_golden_line() {
    let sources = Sources::of(&file("domain/src"));
    let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in golden() {
        filled(&line.payload, stored.entry(line.name).or_default());
    }
    let mut wanted: BTreeMap<(String, String), Vec<&String>> = BTreeMap::new();
    for (event, payload) in &sources.payloads {
        let mut within = BTreeSet::new();
        sources.within(payload, &mut within);
        for name in within {
            let fields = sources.structs.get(&name).into_iter().flatten();
            for (field, _, _) in fields.filter(|(_, _, optional)| *optional) {
                wanted
                    .entry((name.clone(), field.clone()))
                    .or_default()
                    .push(event);
            }
        }
    }
    assert!(wanted.len() > 100, "the sources are read as they are: {wanted:?}");
    let is_stored = |events: &[&String], field: &String| {
        events.iter().any(|event| {
            let stored = stored.get(*event);
            stored.is_some_and(|stored| stored.contains(field))
        })
    };
    let missing: Vec<_> = wanted
        .iter()
        .filter(|((_, field), events)| !is_stored(events, field))
        .collect();
    assert!(
        missing.is_empty(),
        "tests/golden/events.ndjson has no example of {missing:?}"
    );
}
