//! What a figure depends on: machine, server, settings, flush time, program.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::postgres::PgPool;

use crate::installation::Local;

/// Flushes that are measured where `pg_test_fsync` is missing, and how long at most.
const FLUSHES: u32 = 1_000;
const FLUSHING: Duration = Duration::from_secs(1);
/// What Postgres writes at least: one page.
const PAGE: [u8; 8192] = [0x5a; 8192];

/// What every line of a run has in common.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Facts {
    /// Processors that this program may use; the server shares them when it is on the same machine.
    cores: usize,
    /// `debug` or `release`.
    profile: &'static str,
    /// What it was built from, when whoever built it said so: `HIBACHI_COMMIT`.
    commit: &'static str,
    server: Server,
}

#[derive(Debug, Clone, Serialize)]
struct Server {
    postgres: String,
    fsync: String,
    synchronous_commit: String,
    full_page_writes: String,
    wal_level: String,
    wal_sync_method: String,
    wal_compression: String,
    wal_buffers: String,
    max_wal_size: String,
    commit_delay: String,
    shared_buffers: String,
    /// Time of one flush of a page to disk; none where the disk is not on this machine.
    flush_us: Option<u64>,
    /// How that was found out.
    flush_method: String,
}

/// Whether this is a build that figures should be taken from.
pub(super) fn is_optimised() -> bool {
    !cfg!(debug_assertions)
}

impl Facts {
    /// Asks the server, and measures its disk.
    pub(super) async fn collect(owner: &PgPool, local: Option<&Local>) -> Result<Self> {
        let setting = async |name: &str| -> Result<String> {
            Ok(sqlx::query_scalar("select current_setting($1)")
                .bind(name)
                .fetch_one(owner)
                .await?)
        };
        let wal_sync_method = setting("wal_sync_method").await?;
        let (flush_us, flush_method) = match local.cloned() {
            Some(local) => {
                let sync_method = wal_sync_method.clone();
                tokio::task::spawn_blocking(move || flush(&local, &sync_method)).await??
            }
            None => (
                None,
                "not measured: the server is not this installation's".to_owned(),
            ),
        };
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(0, NonZeroUsize::get),
            profile: if is_optimised() { "release" } else { "debug" },
            commit: option_env!("HIBACHI_COMMIT").unwrap_or("unknown"),
            server: Server {
                postgres: setting("server_version").await?,
                fsync: setting("fsync").await?,
                synchronous_commit: setting("synchronous_commit").await?,
                full_page_writes: setting("full_page_writes").await?,
                wal_level: setting("wal_level").await?,
                wal_sync_method,
                wal_compression: setting("wal_compression").await?,
                wal_buffers: setting("wal_buffers").await?,
                max_wal_size: setting("max_wal_size").await?,
                commit_delay: setting("commit_delay").await?,
                shared_buffers: setting("shared_buffers").await?,
                flush_us,
                flush_method,
            },
        })
    }
}

/// The time of one flush on the disk of the data directory: by Postgres's own program, else by hand.
fn flush(local: &Local, sync_method: &str) -> Result<(Option<u64>, String)> {
    let file = Unlinked(local.data_dir.join(format!("flush-test-{}", std::process::id())));
    let program = local.programs.join("pg_test_fsync");
    if let Some(micros) = by_pg_test_fsync(&program, &file.0, sync_method) {
        return Ok((Some(micros), format!("pg_test_fsync, {sync_method}")));
    }
    let micros = by_hand(&file.0).context("cannot measure a flush in the data directory")?;
    Ok((Some(micros), "fdatasync of 8 KiB, median".to_owned()))
}

/// A file that is gone with the value.
struct Unlinked(PathBuf);

impl Drop for Unlinked {
    fn drop(&mut self) {
        // It may never have been there.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Reads the line of the server's own method, and no further: the rest of its tests takes a quarter of a minute.
/// None where there is no such program, or none that prints such a line.
fn by_pg_test_fsync(program: &Path, file: &Path, sync_method: &str) -> Option<u64> {
    let mut child = Command::new(program)
        .args(["--secs-per-test", "1", "--filename"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let found = child.stdout.take().and_then(|out| {
        BufReader::new(out)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| micros_of(&line, sync_method))
    });
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    found
}

/// The microseconds in `fdatasync   4003.916 ops/sec   250 usecs/op`.
fn micros_of(line: &str, sync_method: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [method, _, "ops/sec", micros, "usecs/op"] if *method == sync_method => micros.parse().ok(),
        _ => None,
    }
}

fn by_hand(path: &Path) -> Result<u64> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    let began = Instant::now();
    let mut micros = Vec::new();
    for _ in 0..FLUSHES {
        let one = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&PAGE)?;
        file.sync_data()?;
        micros.push(u64::try_from(one.elapsed().as_micros())?);
        if began.elapsed() > FLUSHING {
            break;
        }
    }
    micros.sort_unstable();
    Ok(micros[micros.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_servers_own_method_is_read() {
        let line = "        fdatasync                          4003.916 ops/sec     250 usecs/op";
        assert_eq!(micros_of(line, "fdatasync"), Some(250));
        assert_eq!(micros_of(line, "fsync"), None);
        assert_eq!(micros_of("        open_sync      n/a*", "open_sync"), None);
        assert_eq!(micros_of("1 second per test", "fdatasync"), None);
    }

    #[test]
    fn a_flush_is_measured_where_postgres_brings_no_program_for_it() {
        let place = std::env::temp_dir().join(format!("hibachi-flush-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let local = Local {
            data_dir: place.clone(),
            programs: place.join("nothing"),
        };
        let (micros, method) = flush(&local, "fdatasync").unwrap();
        assert!(micros.is_some());
        assert_eq!(method, "fdatasync of 8 KiB, median");
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
        std::fs::remove_dir(&place).unwrap();
    }
}
