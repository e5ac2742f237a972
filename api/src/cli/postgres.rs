//! `hibachi postgres`: the programs of Postgres on the private database.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use embedded_postgres::{Server, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use super::{Verdict, expect_installation};
use crate::installation::{DATABASE, Location};

/// How often to look whether the program has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Run a program of Postgres on the private database: psql, pg_dump, pg_restore, pg_basebackup.
#[derive(Debug, Args)]
pub(super) struct Postgres {
    #[command(flatten)]
    location: Location,
    /// Make the private server where there is none yet: to restore a dump into it.
    #[arg(long)]
    new: bool,
    /// The program, and what it is told. It finds the server, its superuser and the database in its environment (PGHOST,
    /// PGPORT, PGUSER, PGPASSWORD, PGDATABASE), and the programs of the server's own version first on its path.
    #[arg(required = true, last = true, value_name = "PROGRAM")]
    command: Vec<OsString>,
}

impl Postgres {
    pub(super) async fn run(self) -> Result<Verdict> {
        if self.location.database_url.is_some() {
            bail!("the database is one of your own: run the programs of Postgres on it as they are");
        }
        if !self.new {
            expect_installation(&self.location)?;
        }
        let settings = Settings::new(&self.location.data_dir);
        let server = tokio::task::spawn_blocking(move || embedded_postgres::start(settings)).await??;
        let name = Path::new(&self.command[0]).display().to_string();
        let ended = match command(&server, &self.command)?.spawn() {
            Ok(program) => wait(program).await,
            Err(error) => Err(error).with_context(|| format!("{name} cannot be run")),
        };
        tokio::task::spawn_blocking(move || server.stop())
            .await?
            .context("the private database did not stop")?;
        let ended = ended?;
        if !ended.success() {
            bail!("{name} did not end well ({ended})");
        }
        Ok(Verdict::Well)
    }
}

/// Waits for the program's end. Told to end, it passes that on; Ctrl-C reaches the program by itself, and what it does with
/// it is its own affair.
async fn wait(mut program: Child) -> Result<ExitStatus> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut told_to_end = signal(SignalKind::terminate())?;
    let pid = Pid::from_raw(i32::try_from(program.id())?);
    loop {
        // It has not been waited for before this, so that the number is still its own.
        if let Some(ended) = program.try_wait()? {
            return Ok(ended);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = interrupted.recv() => {}
            _ = told_to_end.recv() => kill(pid, Signal::SIGTERM)?,
        }
    }
}

/// The program with the server in its environment: no secret is among its arguments, where others would see it.
fn command(server: &Server, told: &[OsString]) -> Result<Command> {
    let mut path = vec![server.binaries().to_owned()];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(path).context("a directory on the path has a colon in its name")?;
    let own = server.binaries().join(&told[0]);
    let mut command = Command::new(if own.is_file() { own.as_os_str() } else { &told[0] });
    command
        .args(&told[1..])
        .env("PATH", path)
        .env("PGHOST", server.socket_dir())
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", server.superuser())
        .env("PGPASSWORD", server.password())
        .env("PGDATABASE", DATABASE);
    Ok(command)
}
