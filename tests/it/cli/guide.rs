//! The auditor's guide tells the truth: each command in it is run on the demo company and says what stands below it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use tests::process::{Installation, profile_dir};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/auditors-guide.md");
/// What opens a block of commands with their output.
const OPENING: &str = "```console";
const CLOSING: &str = "```";
/// What stands before a command.
const PROMPT: &str = "$ ";

/// Runs a line of the guide in the shell, in the directory that the lines before it have left.
fn run(installation: &Installation, line: &str) -> String {
    let mut path = vec![profile_dir()];
    path.extend(env::split_paths(&env::var_os("PATH").expect("there is a path")));
    let done = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{line}")])
        .current_dir(installation.place())
        .env("PATH", env::join_paths(path).expect("its parts are paths"))
        .env("HIBACHI_DATA_DIR", installation.data_dir())
        .env("COLUMNS", "120")
        .env_remove("DATABASE_URL")
        .env_remove("HIBACHI_SIGNING_KEY")
        .output()
        .expect("the shell runs");
    String::from_utf8(done.stdout).expect("the output is text")
}

/// How the lines of an output begin: what is the same for every installation on every day, whatever was booked there.
fn beginnings(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(beginning).collect()
}

/// The first word of a line that is no number, id or hash.
fn beginning(line: &str) -> Option<&str> {
    let words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut words = words.filter(|word| !word.is_empty());
    words.find(|word| !word.contains(|letter: char| letter.is_ascii_digit()))
}

#[tokio::test]
async fn the_auditors_guide_shows_what_its_commands_say() {
    let installation = Installation::demo();
    tests::process::verifier();
    let running = installation.up(&[]);
    let guide = fs::read_to_string(GUIDE).expect("the guide is there");
    let mut told = String::new();
    let mut lines = guide.lines().peekable();
    let mut commands = 0;
    while let Some(line) = lines.next() {
        told.push_str(line);
        told.push('\n');
        if line != OPENING {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != CLOSING) {
            let command = line.strip_prefix(PROMPT);
            let command = command.unwrap_or_else(|| panic!("a command comes first: {line}"));
            let mut said = String::new();
            while let Some(output) = lines.next_if(|line| *line != CLOSING && !line.starts_with(PROMPT)) {
                said.push_str(output);
                said.push('\n');
            }
            let says = run(&installation, command);
            if env::var_os("HIBACHI_UPDATE").is_none() {
                assert_eq!(beginnings(&says), beginnings(&said), "{command}\n{says}");
            }
            told.push_str(line);
            told.push('\n');
            told.push_str(&says);
            if !says.is_empty() && !says.ends_with('\n') {
                told.push('\n');
            }
            commands += 1;
        }
    }
    assert!(commands > 8, "{commands} commands");
    if env::var_os("HIBACHI_UPDATE").is_some() {
        fs::write(PathBuf::from(GUIDE), told).expect("the guide can be written");
    }
    drop(running);
}
