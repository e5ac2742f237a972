//! What the documents name is there: commands with their options, figures, settings, and lines of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tests::process::{Installation, answer};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Crates of the program.
const SOURCES: [&str; 8] = [
    "api",
    "commands",
    "domain",
    "embedded-postgres",
    "event-log",
    "projections",
    "replays",
    "verifier",
];
/// What is called so and is no figure: roles of the database, a program of the tests.
const NO_FIGURES: [&str; 2] = ["hibachi_app", "hibachi_admin"];

/// The documents, by name. Decisions of their day name what there was then.
fn documents() -> Vec<(String, String)> {
    let mut paths = vec![PathBuf::from(PROJECT).join("README.md")];
    for entry in fs::read_dir(Path::new(PROJECT).join("docs")).expect("there are documents") {
        paths.push(entry.expect("the folder can be listed").path());
    }
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "md"));
    paths.sort();
    let read = |path: PathBuf| {
        let name = path
            .file_name()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        (name, fs::read_to_string(path).expect("a document is text"))
    };
    paths.into_iter().map(read).collect()
}

/// Everything that stands as code in a document: lines of blocks, joined where one goes on, and words between backticks.
fn code(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut in_block, mut begun) = (false, String::new());
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            let line = line.split(" # ").next().unwrap_or_default();
            match line.strip_suffix('\\') {
                Some(more) => begun.push_str(more),
                None => found.push(std::mem::take(&mut begun) + line),
            }
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

/// A command with those below it, and its options.
#[derive(Debug, Default)]
struct Tree {
    below: BTreeMap<String, Tree>,
    options: BTreeSet<String>,
}

impl Tree {
    /// What the program's help says of a command.
    fn of(installation: &Installation, path: &[&str]) -> Self {
        let help = answer(installation.command_anywhere(&[path, &["--help"]].concat()));
        assert_eq!(help.code, Some(0), "{path:?}: {help:?}");
        let mut tree = Self::default();
        let mut lists_commands = false;
        for line in help.out.lines() {
            if !line.starts_with(' ') {
                lists_commands = line == "Commands:";
            }
            let first = line.split_whitespace().next().unwrap_or_default();
            if lists_commands && line.starts_with("  ") && first != "help" {
                tree.below.insert(
                    first.to_owned(),
                    Self::of(installation, &[path, &[first]].concat()),
                );
            }
            let words = line.split([' ', ',', '=', '[', ']', '<']);
            tree.options
                .extend(words.filter(|word| word.starts_with("--")).map(str::to_owned));
        }
        tree
    }

    /// Whether a text is a command of it or of one below it, as it is spoken of where that is plain: `park retry`.
    fn knows(&self, told: &str) -> bool {
        let first = told.split(' ').next().unwrap_or_default();
        let here = self.below.contains_key(first) && self.refuses(told).is_none();
        here || self.below.values().any(|below| below.knows(told))
    }

    /// What is wrong with words after the program's name.
    fn refuses(&self, told: &str) -> Option<String> {
        let end = [" -- ", "|", ";", "&&", " > ", ")", "\u{2019}"];
        let told = end
            .iter()
            .fold(told, |told, end| told.split(end).next().unwrap_or(told));
        let mut here = self;
        for word in told.split_whitespace() {
            if word.contains('$') {
                break;
            }
            let word = word.trim_matches(['[', ']', '"', '\'', ',', '.', '…']);
            if word.starts_with("--") {
                let option = word.split('=').next().unwrap_or(word);
                if option.len() > 2 && !here.options.contains(option) {
                    return Some(format!("there is no option {option}"));
                }
            } else if let Some(below) = here.below.get(word) {
                here = below;
            } else if !here.below.is_empty() && !word.is_empty() {
                return Some(format!("there is no command {word}"));
            }
        }
        None
    }
}

/// What follows each `hibachi ` in a text that a person could type.
fn calls(code: &str) -> impl Iterator<Item = &str> {
    code.match_indices("hibachi ").filter_map(|(at, name)| {
        let before = code[..at].chars().next_back();
        let is_program = before.is_none_or(|before| " /($".contains(before));
        is_program.then(|| &code[at + name.len()..])
    })
}

/// What the program says stands as it says it: small words and nothing else.
fn is_said(code: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || " ,:'".contains(letter);
    code.contains(' ') && code.chars().all(plain) && !code.starts_with("hibachi ")
}

#[test]
fn every_command_and_line_of_the_log_that_a_document_names_is_there() {
    let installation = Installation::empty();
    let tree = Tree::of(&installation, &[]);
    let mut seen = 0;
    for (document, text) in documents() {
        for code in code(&text) {
            for call in calls(&code) {
                seen += 1;
                assert_eq!(tree.refuses(call), None, "{document}: hibachi {call}");
            }
        }
    }
    assert!(seen > 100, "{seen} commands");
    let (sources, mut lines) = (sources(), 0);
    let runbook = documents().into_iter().find(|(name, _)| name == "runbook.md");
    for said in code(&runbook.expect("there is one").1) {
        if is_said(&said) && !tree.knows(&said) {
            lines += 1;
            assert!(sources.contains(&said), "runbook.md: {said}");
        }
    }
    assert!(lines > 10, "{lines} lines of the log");
    assert_eq!(
        tree.refuses("replay verfy --org x").as_deref(),
        Some("there is no command verfy")
    );
    assert_eq!(
        tree.refuses("replay verify --organisation x").as_deref(),
        Some("there is no option --organisation")
    );
}

/// The words of a text that are made of such letters and begin so.
fn words<'a>(text: &'a str, prefix: &str, is_letter: fn(char) -> bool) -> BTreeSet<&'a str> {
    text.split(|letter| !is_letter(letter))
        .filter(|word| word.starts_with(prefix) && word.len() > prefix.len())
        .collect()
}

#[test]
fn every_figure_that_a_document_names_is_there() {
    let sources = sources();
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let quoted = |name: &str| sources.contains(&format!("\"{name}\""));
    // Some are put together of two parts; and a counter's samples have an ending that its name has not.
    let is_there = |name: &str| {
        let name = name.strip_suffix("_total").unwrap_or(name);
        let mut parts = name.match_indices('_');
        quoted(name) || parts.any(|(at, _)| quoted(&name[..at]) && quoted(&name[at + 1..]))
    };
    let mut seen = 0;
    for (document, text) in documents() {
        for code in code(&text) {
            let named = ["hibachi_", "process_"].map(|prefix| words(&code, prefix, is_letter));
            for name in named.iter().flatten().filter(|name| !NO_FIGURES.contains(name)) {
                seen += 1;
                assert!(is_there(name), "{document}: {name}");
            }
            // `…_lag_events` after a figure that begins as it does.
            let ending = code.strip_prefix('…').and_then(|more| more.split('{').next());
            if let Some(ending) = ending
                && ending.chars().all(is_letter)
            {
                let ending = ending.strip_suffix("_total").unwrap_or(ending);
                let known = sources.contains(&format!("{ending}\"")) || quoted(&ending[1..]);
                assert!(known, "{document}: {code}");
            }
        }
    }
    assert!(seen > 30, "{seen} figures");
}

/// All sources in some folders as one text.
fn sources_in(mut places: Vec<PathBuf>) -> String {
    let mut text = String::new();
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(place).expect("a crate has sources") {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                places.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                text.push_str(&fs::read_to_string(path).expect("a source is text"));
            }
        }
    }
    text
}

/// The program's sources as one text, with what the formatter broke put together.
fn sources() -> String {
    let of_crate = |name: &&str| Path::new(PROJECT).join(name).join("src");
    let text = sources_in(SOURCES.iter().map(of_crate).collect());
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.trim().trim_end_matches('\\'))
        .collect();
    lines.join("\n").replace(" \n", " ")
}

#[test]
fn every_setting_that_a_document_names_is_in_the_sources() {
    let sources = sources();
    for (document, text) in documents() {
        let is_letter =
            |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        for code in code(&text) {
            for name in words(&code, "HIBACHI_", is_letter) {
                assert!(sources.contains(name), "{document}: {name}");
            }
        }
    }
}

#[test]
fn every_test_that_shows_a_line_of_security_is_there() {
    let mut sources: BTreeMap<&str, String> = BTreeMap::new();
    let mut named = 0;
    let documents = documents();
    let (_, text) = documents
        .iter()
        .find(|(name, _)| name == "security.md")
        .expect("there is one");
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let shown_by = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        for test in shown_by.split('`').skip(1).step_by(2) {
            let (crate_name, path) = test.split_once(": ").unwrap_or(("tests", test));
            let (_, function) = path.rsplit_once("::").unwrap_or(("", path));
            let sources = sources
                .entry(crate_name)
                .or_insert_with(|| sources_in(vec![Path::new(PROJECT).join(crate_name)]));
            assert!(
                sources.contains(&format!("fn {function}(")),
                "{test} is not there"
            );
            named += 1;
        }
    }
    assert!(named > 100, "{named} tests are named");
}
