//! A Postgres of the test's own, to be ended in ways that others must not see.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::str::FromStr;

use embedded_postgres::{Server, Settings};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio::task::block_in_place;

/// The database of a new cluster.
const DATABASE: &str = "postgres";

/// A server, migrated; ended when the value goes.
#[derive(Debug)]
pub struct PrivatePostgres {
    settings: Settings,
    server: Option<Server>,
    options: PgConnectOptions,
    // Last, so that it goes when the server has gone.
    _place: TempDir,
}

impl PrivatePostgres {
    /// Starts one in a directory that is gone afterwards. Needs a runtime of several threads.
    ///
    /// # Panics
    /// When it does not start, or the migrations do not apply.
    pub async fn new() -> Self {
        Self::within(&std::env::temp_dir(), &[]).await
    }

    /// Starts one in a directory within another, with settings of Postgres besides.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub async fn within(directory: &Path, extra: &[(&str, &str)]) -> Self {
        let place = tempfile::Builder::new()
            .prefix("hibachi-faults-")
            .tempdir_in(directory)
            .expect("a temporary directory can be made");
        // As root, Postgres runs as another user and has to pass through.
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let mut settings = Settings::new(place.path().join("data"));
        settings.extra_settings = extra
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let server = block_in_place(|| embedded_postgres::start(settings.clone()));
        let server = server.expect("a private server starts");
        let options = PgConnectOptions::from_str(&server.url(DATABASE)).expect("a server's URL is one");
        migrations::migrate(options.clone())
            .await
            .expect("the migrations apply to an empty database");
        Self {
            settings,
            server: Some(server),
            options,
            _place: place,
        }
    }

    /// How its superuser connects to it; the same after every start.
    pub fn superuser_options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Kills the postmaster and all processes that it started, at once.
    ///
    /// # Panics
    /// When it was not running.
    pub fn kill(&mut self) {
        let server = self.server.take().expect("it runs");
        let postmaster = pid(server.pid());
        // Held still first, so that it starts nothing more and lets no number of a child go.
        kill(postmaster, Signal::SIGSTOP).expect("it is our process");
        for child in children(postmaster) {
            end(child);
        }
        kill(postmaster, Signal::SIGKILL).expect("it is our process");
        // Waits for its end; that it did not end well is what was wanted.
        drop(block_in_place(|| server.stop()));
    }

    /// Kills one of the processes that the postmaster started, as the kernel does when memory runs out:
    /// the postmaster then ends all sessions and recovers. Says whether there was one to kill.
    ///
    /// # Panics
    /// When it was not running.
    pub fn kill_a_child(&self, which: usize) -> bool {
        let postmaster = pid(self.server.as_ref().expect("it runs").pid());
        let children = children(postmaster);
        let child = children.get(which.checked_rem(children.len()).unwrap_or(0));
        child.is_some_and(|child| end(*child))
    }

    /// Whether the postmaster still runs.
    pub fn is_running(&mut self) -> bool {
        self.server
            .as_mut()
            .is_some_and(|server| server.check_running().is_ok())
    }

    /// Starts it again over the same data, which recovers what was committed.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&mut self) {
        drop(self.server.take());
        let server = block_in_place(|| embedded_postgres::start(self.settings.clone()));
        self.server = Some(server.expect("the server recovers"));
    }

    /// What it wrote to its log so far.
    ///
    /// # Panics
    /// When there is no log.
    pub fn said(&self) -> String {
        let log = self.settings.data_dir.join("postgres.log");
        String::from_utf8_lossy(&fs::read(log).expect("a server has a log")).into_owned()
    }
}

fn pid(pid: Option<i32>) -> Pid {
    Pid::from_raw(pid.expect("a server that was started has a process"))
}

/// Kills a process; it may have ended by itself a moment before.
fn end(pid: Pid) -> bool {
    match kill(pid, Signal::SIGKILL) {
        Ok(()) => true,
        Err(Errno::ESRCH) => false,
        Err(error) => panic!("process {pid} cannot be killed: {error}"),
    }
}

/// The processes that another started; none where there is no /proc: a server's end them themselves when they
/// notice that it has gone.
fn children(parent: Pid) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .filter_map(|process| process.ok()?.file_name().to_str()?.parse().ok())
        .filter(|process| parent_of(*process) == Some(parent.as_raw()))
        .map(Pid::from_raw)
        .collect()
}

fn parent_of(process: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything; state and parent come after it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}
