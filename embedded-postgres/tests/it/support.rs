use embedded_postgres::{Server, Settings, start};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A directory that everyone may enter, as the parent of a data directory has to be.
pub(crate) fn open_place() -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("it is ours");
    place
}

pub(crate) fn started(data_dir: &Path) -> Server {
    start(Settings::new(data_dir)).expect("a server starts")
}

pub(crate) fn query(server: &Server, sql: &str) -> String {
    query_url(&server.url("postgres"), server.binaries(), sql).expect("the query succeeds")
}

pub(crate) fn query_url(url: &str, binaries: &Path, sql: &str) -> Result<String, String> {
    let own = binaries.join("psql");
    let psql = if own.is_file() { own } else { PathBuf::from("psql") };
    let output = Command::new(psql)
        .args(["-XAtw", "-c", sql, url])
        .output()
        .expect("psql is installed");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A directory with programs that say they are of a version, and do nothing else.
pub(crate) fn pretend_binaries(directory: &Path, version: &str) {
    fs::create_dir_all(directory).expect("the place is ours");
    script(
        &directory.join("postgres"),
        &format!("echo 'postgres (PostgreSQL) {version}'"),
    );
    script(&directory.join("initdb"), "exit 1");
}

pub(crate) fn script(path: &Path, body: &str) {
    fs::write(path, format!("#!/bin/sh\n{body}\n")).expect("the place is ours");
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
}

pub(crate) fn with_postgres() -> Command {
    Command::new(env!("CARGO_BIN_EXE_with-postgres"))
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it exists").mode() & 0o777
}

pub(crate) fn exists(pid: i32) -> bool {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok()
}

/// Of the server that another process runs in a data directory.
pub(crate) fn postmaster_of(data_dir: &Path) -> Option<i32> {
    let text = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

pub(crate) fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !happened() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn skipped(why: &str) {
    writeln!(std::io::stderr(), "skipped: {why}").expect("standard error is open");
}
