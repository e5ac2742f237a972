//! The binary `hibachi` as its user meets it: started in a data directory of its own, with a private Postgres,
//! and known only by what it prints, answers and leaves behind.

mod binary;
mod client;
mod demo;
mod running;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

pub use binary::{profile_dir, verifier};
pub use client::Client;
pub use running::Running;

/// Slug of the demo company.
pub const SLUG: &str = "my-hibachi";

/// What would reach another installation than the test's own.
const FOREIGN: [&str; 17] = [
    "DATABASE_URL",
    "HIBACHI_DATA_DIR",
    "HIBACHI_MASTER_KEY",
    "HIBACHI_TOKEN_KEY",
    "HIBACHI_TOKEN_KEY_PREVIOUS",
    "HIBACHI_SIGNING_KEY",
    "HIBACHI_SIGN_HEADS_EVERY",
    "HIBACHI_DATABASE_KEY",
    "HIBACHI_MESSAGES",
    "HIBACHI_SMTP_URL",
    "HIBACHI_RINGCENTRAL_CLIENT_ID",
    "HIBACHI_WHATSAPP_TOKEN",
    "HIBACHI_LOG",
    "HIBACHI_LOG_FORMAT",
    "HIBACHI_OTLP_URL",
    "HIBACHI_METRICS_LISTEN",
    "HIBACHI_SLOW_STATEMENT_MS",
];

/// A data directory, gone with the value.
#[derive(Debug)]
pub struct Installation {
    place: TempDir,
    program: PathBuf,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it said beside that.
    pub err: String,
}

impl Installation {
    /// A place for an installation, with nothing in it yet.
    ///
    /// # Panics
    /// When there is no temporary directory, or the program cannot be built.
    pub fn empty() -> Self {
        let place = tempfile::Builder::new().prefix("hibachi-cli-").tempdir();
        let place = place.expect("a temporary directory can be made");
        // As root, Postgres runs as another user and has to pass through.
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("it is ours");
        Self {
            place,
            program: binary::hibachi(),
        }
    }

    /// An installation with the demo company, stopped: a copy of one that `hibachi up --demo` made.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn demo() -> Self {
        let installation = Self::empty();
        demo::copy_to(&installation);
        installation
    }

    /// The directory that everything of the test may be put in.
    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.place().join("data")
    }

    /// The program itself.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command over the data directory, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_anywhere(arguments);
        command.arg("--data-dir").arg(self.data_dir());
        command
    }

    /// A command that is not told of the data directory, not started.
    pub fn command_anywhere(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.args(arguments).current_dir(self.place());
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command over the data directory to its end.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        answer(self.command(arguments))
    }

    /// Runs a command that must end well, and gives what it printed.
    ///
    /// # Panics
    /// When it does not.
    pub fn well(&self, arguments: &[&str]) -> String {
        let answer = self.run(arguments);
        assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
        answer.out
    }

    /// Starts `hibachi up` on a free port, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not get there.
    pub fn up(&self, more: &[&str]) -> Running {
        let mut command = self.command(&["up", "--listen", "127.0.0.1:0"]);
        command.args(more);
        Running::start(command)
    }

    /// Its Postgres alone, which commands then adopt.
    ///
    /// # Panics
    /// When it does not start.
    pub fn postgres(&self) -> embedded_postgres::Server {
        let settings = embedded_postgres::Settings::new(self.data_dir());
        embedded_postgres::start(settings).expect("a private server starts")
    }

    /// The process id of its Postgres, from the file that a stopped server removes.
    pub fn postmaster(&self) -> Option<i32> {
        let text = fs::read_to_string(self.data_dir().join("postgres/postmaster.pid")).ok()?;
        text.lines().next()?.parse().ok()
    }

    /// A superuser's connection to its running Postgres: past row-level security, for looking and for lying.
    ///
    /// # Panics
    /// When the server is not running.
    pub async fn superuser(&self) -> PgConnection {
        let password = fs::read_to_string(self.data_dir().join("secrets/postgres-password"))
            .expect("the superuser's password is in its file");
        PgConnectOptions::new_without_pgpass()
            .host(
                self.data_dir()
                    .join("run")
                    .to_str()
                    .expect("a path of the test's is text"),
            )
            .port(5432)
            .username("hibachi_admin")
            .password(password.trim())
            .database("hibachi")
            .connect()
            .await
            .expect("the private server takes connections")
    }

    /// Position of the last event in the demo company's log. Its Postgres must be running.
    ///
    /// # Panics
    /// When it is not.
    pub async fn head(&self) -> i64 {
        let mut superuser = self.superuser().await;
        let head = sqlx::query_scalar(
            "select position from log_head join organisations using (tenant_id) where slug = $1",
        )
        .bind(SLUG)
        .fetch_one(&mut superuser)
        .await
        .expect("the demo company has a log");
        superuser.close().await.expect("the session ends");
        head
    }
}

/// Runs a command to its end.
///
/// # Panics
/// When the program cannot be run, or writes anything but text.
pub fn answer(mut command: Command) -> Answer {
    let output = command.output().expect("the program can be run");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes text");
    Answer {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
