//! The list of error codes that integrators go by names every code that the program can answer with, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Words in capitals in the rules and commands that are no code of an answer.
const NO_CODES: [&str; 15] = [
    "ACCOUNTANT",
    "ADMIN",
    "AUDITOR",
    "AVAILABILITY_ABANDONED",
    "CHEF",
    "CUSTOMER_SUPPORT",
    "MSNV",
    "NOTHING_NEW",
    "OUT_DIR",
    "QUOTE_ABANDONED",
    "RIFF",
    "SCREAMING_SNAKE_CASE",
    "STATION_MANAGER",
    "SUPER_ADMIN",
    "WEBP",
];
/// What stands before a code in the API, where most words in capitals are something else.
const BEFORE_A_CODE: [&str; 5] = ["coded(", "fault(", "bad(", "UserError::new(", "code: "];

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate is a folder of the workspace")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry of it").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// The quoted words in capitals of a crate's sources without their tests, each with what stands before it.
fn capitals(crate_name: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    sources(&project().join(crate_name).join("src"), &mut files);
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source is text");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut parts = text.split('"');
        let mut before = parts.next().unwrap_or_default();
        for part in parts {
            if is_capitals(part) {
                found.push((before.trim_end().to_owned() + " ", part.to_owned()));
            }
            before = part;
        }
    }
    found
}

fn is_capitals(word: &str) -> bool {
    word.len() > 3
        && word.starts_with(|letter: char| letter.is_ascii_uppercase())
        && word
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

/// Whether what stands before a word of the API makes it a code: a call that takes one, or a status.
fn makes_a_code(before: &str) -> bool {
    let before = before.trim_end();
    let status = before
        .strip_suffix(',')
        .and_then(|before| before.rsplit("::").next());
    let of_status = before.contains("StatusCode::") && status.is_some_and(is_capitals);
    of_status || BEFORE_A_CODE.iter().any(|call| before.ends_with(call.trim_end()))
}

/// The codes of the list's tables.
fn listed() -> BTreeSet<String> {
    let page = fs::read_to_string(project().join("docs/api-errors.md")).expect("there is a list");
    let first = |line: &str| {
        let (code, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(code.to_owned())
    };
    page.lines().filter_map(first).collect()
}

#[test]
fn the_list_of_error_codes_has_every_code_of_the_program_and_no_other() {
    let rules: Vec<(String, String)> = ["domain", "commands"].into_iter().flat_map(capitals).collect();
    let api = capitals("api");
    let of_rules = rules.iter().map(|(_, word)| word.clone());
    let of_api = api.iter().filter(|(before, _)| makes_a_code(before));
    let codes: BTreeSet<String> = of_rules
        .filter(|word| !NO_CODES.contains(&word.as_str()))
        .chain(of_api.map(|(_, word)| word.clone()))
        .collect();
    let known: BTreeSet<String> = rules.into_iter().chain(api).map(|(_, word)| word).collect();
    let listed = listed();
    let missing: Vec<&String> = codes.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "docs/api-errors.md has no line for {missing:?}"
    );
    let gone: Vec<&String> = listed.difference(&known).collect();
    assert!(
        gone.is_empty(),
        "docs/api-errors.md has codes that nobody answers with: {gone:?}"
    );
}
