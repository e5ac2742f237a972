//! Where the binary is. It is another package's, so that Cargo neither builds nor names it for these tests:
//! `make test` builds it first, and whoever runs them otherwise gets it built when it is older than its sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The directory of the profile that the tests were built with, `target/debug`.
///
/// # Panics
/// When the test is not where Cargo puts tests.
pub fn profile_dir() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows where it is");
    let deps = own.parent().expect("a program is in a directory");
    deps.parent().expect("Cargo puts tests into deps/").to_owned()
}

/// The program, built if need be.
pub(super) fn hibachi() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| find("hibachi")).clone()
}

/// The verifier that shares no code with it, built if need be.
///
/// # Panics
/// When it does not build.
pub fn verifier() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| find("hibachi-verifier")).clone()
}

fn find(name: &str) -> PathBuf {
    let program = profile_dir().join(name);
    if !is_fresh(&program) {
        build();
    }
    program
}

/// Builds the programs, and none of the tests, which are being run.
fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let directory = profile_dir();
    let name = directory.file_name().and_then(|name| name.to_str());
    let profile = match name.expect("a profile has a name") {
        "debug" => "test",
        other => other,
    };
    let target = directory.parent().expect("Cargo puts profiles into a directory");
    let built = Command::new(cargo)
        .args(["build", "-q", "--workspace", "--bins", "--profile", profile])
        .arg("--target-dir")
        .arg(target)
        // Build scripts that look at it would run again, and all that is built on them.
        .env_remove("CARGO_MANIFEST_DIR")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the cargo that built this test runs");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "the program does not build: {said}");
}

/// Whether the program is there and newer than all that it was built from, which Cargo notes beside it.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let (Some(built), Ok(notes)) = (changed(program), fs::read_to_string(program.with_extension("d"))) else {
        return false;
    };
    // As in a makefile: the target, a colon, and its sources, with the spaces in their names escaped.
    let sources = notes.split_once(": ").map_or("", |(_, sources)| sources);
    let sources = sources.replace("\\ ", "\0");
    sources
        .split_whitespace()
        .map(|source| changed(Path::new(&source.replace('\0', " "))))
        .all(|source: Option<SystemTime>| source.is_some_and(|source| source <= built))
}
