//! The arrows between the crates, and what the domain cannot even call: docs/ARCHITECTURE.md as a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every crate and those of ours that it may name. A crate that is not here has no place yet.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("migrations", &[]),
    ("embedded-postgres", &[]),
    ("event-log", &["domain"]),
    ("commands", &["domain", "event-log"]),
    ("projections", &["domain", "event-log"]),
    ("replays", &["domain", "event-log", "projections"]),
    // Nothing of ours: it is there to doubt the rest.
    ("verifier", &[]),
    ("api", EVERYTHING),
    ("tests", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "api",
    "commands",
    "domain",
    "embedded-postgres",
    "event-log",
    "migrations",
    "projections",
    "replays",
    "verifier",
];

/// What the domain could not stay pure with.
const IMPURE: &[&str] = &[
    "async-trait",
    "cqrs-es",
    "futures",
    "getrandom",
    "rand",
    "reqwest",
    "sqlx",
    "tokio",
    "tracing",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate is a folder of the workspace")
        .to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("the cargo that built this test runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "cargo {arguments:?}: {said}");
    String::from_utf8(done.stdout).expect("cargo writes UTF-8")
}

fn packages() -> Vec<Value> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo writes JSON");
    metadata["packages"]
        .as_array()
        .expect("a workspace has packages")
        .clone()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Each crate of the workspace with all it names in its manifest, development dependencies included.
fn dependencies() -> BTreeMap<String, Vec<Value>> {
    let of = |package: &Value| {
        let named = package["dependencies"].as_array().cloned().unwrap_or_default();
        (text(package, "name").to_owned(), named)
    };
    packages().iter().map(of).collect()
}

#[test]
fn every_crate_has_its_place_and_names_only_what_it_may() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let dependencies = dependencies();
    let here: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    let placed: BTreeSet<&str> = arrows.keys().copied().collect();
    assert_eq!(
        here, placed,
        "the workspace's crates, and those that have a place"
    );
    for (name, named) in &dependencies {
        for dependency in named.iter().map(|dependency| text(dependency, "name")) {
            let ours = placed.contains(dependency);
            assert!(
                !ours || arrows[name.as_str()].contains(&dependency),
                "{name} must not import {dependency}"
            );
        }
    }
}

#[test]
fn a_crate_is_called_as_its_folder() {
    for package in packages() {
        let name = text(&package, "name");
        assert_eq!(
            Path::new(text(&package, "manifest_path")),
            root().join(name).join("Cargo.toml")
        );
    }
}

#[test]
fn the_domain_names_neither_io_nor_async_nor_randomness() {
    for dependency in &dependencies()["domain"] {
        let name = text(dependency, "name");
        assert!(!IMPURE.contains(&name), "domain must do without {name}");
    }
}

#[test]
fn the_domain_built_alone_has_no_clock_and_makes_no_ids() {
    let tree = cargo(&[
        "tree",
        "-p",
        "domain",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--locked",
        "--offline",
        "-f",
        "{p}|{f}",
    ]);
    let mut seen = BTreeSet::new();
    for line in tree.lines() {
        let (package, features) = line.split_once('|').expect("as the format says");
        let name = package.split(' ').next().expect("a package has a name");
        let features: BTreeSet<&str> = features.trim_end_matches(" (*)").split(',').collect();
        let forbidden: &[&str] = match name {
            "chrono" => &["clock", "now"],
            "uuid" => &["v1", "v4", "v6", "v7", "rng", "fast-rng"],
            "rand" | "rand_core" | "getrandom" | "tokio" | "sqlx" => panic!("domain must do without {name}"),
            _ => &[],
        };
        for feature in forbidden {
            assert!(
                !features.contains(feature),
                "{name} must not have {feature} in the domain"
            );
        }
        seen.insert(name);
    }
    assert!(
        seen.contains("chrono") && seen.contains("uuid"),
        "the two that could tell time and make ids: {seen:?}"
    );
}

/// An adapter, a reader and a rival: our aggregates as cqrs-es knows them, the log as postgres-es reads it, and what
/// the benchmark measures us against.
#[test]
fn three_files_know_cqrs_es() {
    let sources = ARROWS
        .iter()
        .filter(|(name, _)| *name != "tests")
        .flat_map(|(name, _)| rust_files(&root().join(name).join("src")));
    let knowing: BTreeSet<PathBuf> = sources
        .filter(|file| {
            let text = fs::read_to_string(file).expect("a source file is text");
            text.contains("use cqrs_es::")
        })
        .collect();
    let expected = [
        "api/src/cli/bench/postgres_es.rs",
        "commands/src/root.rs",
        "replays/src/independent/reader.rs",
    ];
    assert_eq!(knowing, expected.map(|file| root().join(file)).into());
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder can be read") {
        let path = entry.expect("a source folder can be read").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_dependency_of_the_workspace_has_its_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let (_, section) = manifest
        .split_once("[workspace.dependencies]\n")
        .expect("dependencies are named once");
    let section = section
        .split("\n[")
        .next()
        .expect("split gives at least one part");
    let mut reason = Reason::Missing;
    let mut checked = 0;
    for line in section.lines() {
        if line.starts_with('#') {
            reason = Reason::Given;
        } else if line.is_empty() {
            reason = Reason::Missing;
        } else {
            assert_eq!(reason, Reason::Given, "no reason is given above: {line}");
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} dependencies were found");
}

/// Whether the lines at hand stand under a comment; an empty line ends what it speaks for.
#[derive(Debug, PartialEq, Eq)]
enum Reason {
    Given,
    Missing,
}
