//! The guides tell the truth: each command in them is run on the demo company and says what stands below it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::iter::Peekable;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use tests::process::{Installation, profile_dir};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Where the guides say that the program listens.
const ADDRESS: &str = "http://127.0.0.1:8080";
/// What opens a block of commands with their output.
const OPENING: &str = "```console";
const CLOSING: &str = "```";
/// What stands before a command.
const PROMPT: &str = "$ ";
/// What stands before each further line of a command.
const CONTINUED: &str = "> ";

/// A command of a guide, and what stands below it.
struct Shown {
    /// Its lines as they stand in the guide, prompts and all.
    lines: Vec<String>,
    /// What it is said to say.
    said: String,
}

impl Shown {
    /// The next command of a block; none at its end.
    fn next<'a>(lines: &mut Peekable<impl Iterator<Item = &'a str>>) -> Option<Self> {
        let first = lines.next_if(|line| *line != CLOSING)?;
        assert!(first.starts_with(PROMPT), "a command comes first: {first}");
        let mut shown = Self {
            lines: vec![first.to_owned()],
            said: String::new(),
        };
        while let Some(line) = lines.next_if(|line| line.starts_with(CONTINUED)) {
            shown.lines.push(line.to_owned());
        }
        while let Some(line) = lines.next_if(|line| *line != CLOSING && !line.starts_with(PROMPT)) {
            writeln!(shown.said, "{line}").expect("a text grows");
        }
        Some(shown)
    }

    /// What the shell is given.
    fn command(&self) -> String {
        let unprompted: Vec<&str> = self.lines.iter().map(|line| &line[PROMPT.len()..]).collect();
        unprompted.join("\n")
    }
}

/// Runs a command of a guide in a shell, in the directory that the commands before it have left.
fn run(installation: &Installation, shell: &str, command: &str) -> String {
    let mut path = vec![profile_dir()];
    path.extend(env::split_paths(&env::var_os("PATH").expect("there is a path")));
    let done = Command::new(shell)
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(installation.place())
        .env("PATH", env::join_paths(path).expect("its parts are paths"))
        .env("HIBACHI_DATA_DIR", installation.data_dir())
        .env("COLUMNS", "120")
        .env("NO_PROXY", "127.0.0.1")
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
    let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    let words = words.filter(|word| !is_booking_number(word));
    let mut words = words
        .flat_map(|word| word.split('-'))
        .filter(|word| !word.is_empty());
    words.find(|word| !word.contains(|letter: char| letter.is_ascii_digit()))
}

/// `7XBSB-BASH1`; not all of them have a digit in each half.
fn is_booking_number(word: &str) -> bool {
    let halves: Vec<&str> = word.split('-').collect();
    let of_number = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit();
    halves.len() == 2
        && halves
            .iter()
            .all(|half| half.len() == 5 && half.chars().all(of_number))
}

#[test]
fn a_line_begins_with_its_first_word_whatever_was_booked() {
    assert_eq!(
        beginning("ESHNE-GB6KG,corrected_from,2024-07-13"),
        Some("corrected")
    );
    assert_eq!(beginning("7XBSB-BASHT"), None);
    assert_eq!(beginning("2655  booking.requested"), Some("booking"));
    assert_eq!(beginning("by-hand 1"), Some("by"));
}

/// Runs each command of a guide on the demo company, and holds what it says to what stands there. Where `HIBACHI_UPDATE`
/// is set, what it says takes that place.
fn shows_what_its_commands_say(name: &str) {
    let installation = Installation::demo();
    tests::process::verifier();
    let here = installation.place().join("domain");
    symlink(Path::new(PROJECT).join("domain"), here).expect("the place is ours");
    let running = installation.up(&[]);
    let path = PathBuf::from(PROJECT).join("docs").join(name);
    let guide = fs::read_to_string(&path).expect("the guide is there");
    let updates = env::var_os("HIBACHI_UPDATE").is_some();
    let mut told = String::new();
    let mut lines = guide.lines().peekable();
    let mut commands = 0;
    while let Some(line) = lines.next() {
        writeln!(told, "{line}").expect("a text grows");
        if line != OPENING {
            continue;
        }
        while let Some(shown) = Shown::next(&mut lines) {
            let command = shown.command().replace(ADDRESS, &running.url);
            let says = run(&installation, "sh", &command)
                .replace(&running.url, ADDRESS)
                .replace("\r\n", "\n");
            if !updates {
                assert_eq!(beginnings(&says), beginnings(&shown.said), "{command}\n{says}");
            }
            for line in shown.lines {
                writeln!(told, "{line}").expect("a text grows");
            }
            told.push_str(&says);
            if !says.is_empty() && !says.ends_with('\n') {
                told.push('\n');
            }
            commands += 1;
        }
    }
    assert!(commands > 8, "{commands} commands");
    if updates {
        fs::write(path, told).expect("the guide can be written");
    }
    drop(running);
}

#[tokio::test]
async fn the_auditors_guide_shows_what_its_commands_say() {
    shows_what_its_commands_say("auditors-guide.md");
}

#[tokio::test]
async fn the_guide_for_clients_shows_what_its_commands_say() {
    shows_what_its_commands_say("api-guide.md");
}

#[tokio::test]
async fn the_guide_for_customers_pages_shows_what_its_commands_say() {
    shows_what_its_commands_say("rest-guide.md");
}

#[tokio::test]
async fn the_accountants_guide_shows_what_its_commands_say() {
    shows_what_its_commands_say("accountants-guide.md");
}

/// The README's first block of commands after its heading `## The tour`.
fn tour(readme: &str) -> &str {
    let (_, after) = readme.split_once("## The tour").expect("there is a tour");
    let (_, block) = after.split_once("```sh\n").expect("it has commands");
    let (commands, _) = block.split_once(CLOSING).expect("they end");
    commands
}

/// The words of a text in capitals that stand as a value of `"code":`.
fn codes(text: &str) -> Vec<&str> {
    let coded = text.split("\"code\":\"").skip(1);
    coded.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn the_tour_of_the_readme_runs_as_it_stands() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let readme = fs::read_to_string(PathBuf::from(PROJECT).join("README.md")).expect("there is one");
    let place = installation.place().to_str().expect("its path is text");
    // The same but where the program is, where it listens, what shows long texts, and where files are put down.
    let commands = tour(&readme)
        .replace("target/release/hibachi", "command hibachi")
        .replace(ADDRESS, &running.url)
        .replace(" | less", "")
        .replace("/tmp/", &format!("{place}/"));
    let says = run(&installation, "bash", &commands);
    assert_eq!(codes(&says), ["SLOT_UNAVAILABLE", "NOT_YET_HELD"], "{says}");
    for told in [
        "\"status\":\"CONFIRMED\"",
        "\"status\":\"COMPLETED\"",
        "and the log says the same",
        "are as they were written",
        "; check it with hibachi-verifier",
    ] {
        assert!(says.contains(told), "{told} is not in\n{says}");
    }
    for wrong in ["\"errors\"", "error:", "not found"] {
        assert!(!says.contains(wrong), "{wrong} is in\n{says}");
    }
    let invoice = fs::read(installation.place().join("invoice.pdf")).expect("the invoice is there");
    assert!(invoice.starts_with(b"%PDF-"));
    drop(running);
}
