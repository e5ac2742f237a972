//! A full disk: a small file system of the test's own, where the machine lets us mount one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::envelope::Expectation;
use event_log::{Database, EventLog, LogError};
use rand::Rng;
use rand::distr::{Alphanumeric, SampleString};
use sqlx::{ConnectOptions, Executor};
use tempfile::TempDir;
use tests::private_postgres::PrivatePostgres;
use tests::seed::{random, remark, seed};
use tests::writer::{append, event, write};
use tokio::time::{Duration, Instant, sleep};

use super::invariants::{Attempt, Fate, assert_hold};
use super::{TENANT, open_logs};

/// Size of the file system, in MiB; a new cluster takes about 60.
const SIZE: usize = 176;
/// What is left for the appends, in MiB.
const LEFT: usize = 24;
/// Events of this many bytes fill it quickly.
const EVENT: usize = 96 * 1024;
/// Appends in a row that find no room: then it is full and stays so.
const FULL: usize = 3;
/// Appends that get through once there is room again.
const AFTER: usize = 20;
/// Segments of the server's log that it may have room for.
const SEGMENTS: usize = 8;
/// What the server says of a full disk.
const FULL_DISK: [&str; 2] = ["No space left on device", "Check free disk space"];
const PATIENCE: Duration = Duration::from_secs(60);

/// A file system in memory, gone with the value.
struct SmallDisk {
    place: TempDir,
}

impl SmallDisk {
    /// None where mounting is not permitted.
    fn mount() -> Option<Self> {
        let place = tempfile::Builder::new()
            .prefix("hibachi-disk-")
            .tempdir()
            .expect("a temporary directory can be made");
        let mounted = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={SIZE}m,mode=0755"),
                "hibachi-test",
            ])
            .arg(place.path())
            .output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self { place });
        }
        remark(format_args!(
            "skipped: this machine does not let the test mount a file system"
        ));
        None
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leaves only so much, in MiB.
    fn fill_but(&self, left: usize) {
        let mut ballast = fs::File::create(self.ballast()).expect("there is room");
        let chunk = vec![0; 1024 * 1024];
        while self.free() > left {
            ballast.write_all(&chunk).expect("there is room");
        }
    }

    /// What is free, in MiB.
    fn free(&self) -> usize {
        let stat = nix::sys::statvfs::statvfs(self.path()).expect("it is mounted");
        let bytes = stat.blocks_available() * stat.fragment_size();
        usize::try_from(bytes / (1024 * 1024)).expect("it is small")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        drop(unmounted);
    }
}

/// Appends one after another until as many have failed, or got through, as are wanted.
struct Filler {
    log: EventLog,
    random: rand_chacha::ChaCha8Rng,
    attempts: Vec<Attempt>,
}

impl Filler {
    async fn append(&mut self) -> Result<(), LogError> {
        let stream = format!("big {}", self.random.random_range(0..8));
        let mut event = event(0, &mut self.random);
        // At random, or the database would make it small.
        let text = Alphanumeric.sample_string(&mut self.random, EVENT);
        event.payload = format!("{{\"text\":\"{text}\"}}");
        let writes = vec![write(stream, Expectation::Any, vec![event])];
        let append = append(TENANT, writes, &mut self.random);
        let answer = self.log.append(append.clone()).await;
        let fate = answer.as_ref().map_or(Fate::Unknown, Fate::of);
        self.attempts.push(Attempt { append, fate });
        answer.map(drop)
    }

    async fn until_full(&mut self) -> Vec<LogError> {
        let deadline = Instant::now() + PATIENCE;
        let (mut errors, mut in_a_row) = (Vec::new(), 0);
        while in_a_row < FULL {
            assert!(Instant::now() < deadline, "the disk does not get full");
            match self.append().await {
                Ok(()) => in_a_row = 0,
                Err(error) => {
                    in_a_row += 1;
                    errors.push(error);
                }
            }
        }
        errors
    }

    async fn until_done(&mut self, wanted: usize) {
        let deadline = Instant::now() + PATIENCE;
        let mut done = 0;
        while done < wanted {
            assert!(Instant::now() < deadline, "{done} appends only");
            match self.append().await {
                Ok(()) => done += 1,
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// Whether the server has got over it. Without room for its own log it cannot recover either, and ends; then it is
/// started again.
fn ended(postgres: &mut PrivatePostgres) -> &'static str {
    if postgres.is_running() {
        "survived"
    } else {
        postgres.start();
        "was started again"
    }
}

/// A server on a small disk, with a client.
async fn start(disk: &SmallDisk, seed: u64) -> (PrivatePostgres, Filler) {
    let settings = [("max_wal_size", "32MB"), ("min_wal_size", "32MB")];
    let postgres = PrivatePostgres::within(disk.path(), &settings).await;
    open_logs(postgres.superuser_options()).await;
    let database = Database::connect(postgres.superuser_options(), 2)
        .await
        .expect("the database takes connections");
    let mut filler = Filler {
        log: EventLog::start(database),
        random: random(seed, 0),
        attempts: Vec::new(),
    };
    filler.until_done(AFTER).await;
    (postgres, filler)
}

fn assert_unavailable(errors: &[LogError]) {
    let unavailable = |error: &LogError| matches!(error, LogError::Unavailable { .. });
    assert!(errors.iter().all(unavailable), "{errors:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_for_events_refuses_clearly_and_loses_nothing() {
    let seed = seed();
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let (mut postgres, mut filler) = start(&disk, seed).await;
    disk.fill_but(LEFT);
    let errors = filler.until_full().await;
    assert_unavailable(&errors);
    let said = postgres.said();
    assert!(FULL_DISK.iter().any(|words| said.contains(words)), "{said}");
    let (full_after, free) = (filler.attempts.len(), disk.free());

    fs::remove_file(disk.ballast()).expect("it is ours");
    let end = ended(&mut postgres);
    filler.until_done(AFTER).await;
    remark(format_args!(
        "full after {full_after} appends with {free} MiB left, {} refused; Postgres {end}",
        errors.len()
    ));
    let attempts = std::mem::take(&mut filler.attempts);
    filler.log.shut_down().await;
    assert_hold(postgres.superuser_options(), attempts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_for_the_servers_own_log_loses_nothing() {
    let seed = seed();
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let (mut postgres, mut filler) = start(&disk, seed).await;
    disk.fill_but(0);
    // Each turn of the server's log needs a segment, until there is no room for one.
    let mut superuser = postgres.superuser_options().connect().await.unwrap();
    let mut errors = Vec::new();
    for _ in 0..SEGMENTS {
        if superuser.execute("select pg_switch_wal()").await.is_err() {
            break;
        }
        errors.extend(filler.append().await.err());
    }
    errors.extend(filler.until_full().await);
    assert_unavailable(&errors);
    let said = postgres.said();
    assert!(said.contains("PANIC"), "{said}");

    fs::remove_file(disk.ballast()).expect("it is ours");
    let end = ended(&mut postgres);
    filler.until_done(AFTER).await;
    remark(format_args!(
        "{} refused; Postgres {end}, after {} panics",
        errors.len(),
        said.matches("PANIC").count()
    ));
    let attempts = std::mem::take(&mut filler.attempts);
    filler.log.shut_down().await;
    assert_hold(postgres.superuser_options(), attempts).await;
}
