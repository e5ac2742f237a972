//! The command line. Exit code 0: well; 1: something wrong was found; 2: it could not run.

mod backup;
mod bench;
mod company;
mod demo;
mod doctor;
mod documents;
mod jobs;
mod keys;
mod memory;
mod postgres;
mod prices;
mod projections;
mod replay;
mod serve;
mod tax;
mod up;
mod user;
mod watching;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use domain::ids::TenantId;

use crate::app::App;
use crate::installation::{Installation, Location};
use crate::observing::Logs;

/// Bookings, payments, prices and tax for chefs who cook at the customer's place.
#[derive(Debug, Parser)]
#[command(
    name = "hibachi",
    version,
    about,
    after_help = "Exit code 0: well; 1: something is wrong, and it says what; 2: it could not run."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything: a private database, the read models, the policies and the API.
    Up(up::Up),
    /// Serve the API alone.
    Serve(serve::Serve),
    /// Run the read models and the policies alone.
    Work(serve::Work),
    /// Bring the database's schema up to date.
    Migrate(serve::Migrate),
    /// Fill a company with bookings that look like a year of business.
    #[command(subcommand)]
    Demo(demo::Demo),
    /// The companies of the installation.
    #[command(subcommand)]
    Company(company::Company),
    /// People who sign in.
    #[command(subcommand)]
    User(user::User),
    /// Price lists as files.
    #[command(subcommand)]
    Prices(prices::Prices),
    /// Tax reports.
    #[command(subcommand)]
    Tax(tax::Tax),
    /// Invoices, receipts and credit notes.
    #[command(subcommand)]
    Documents(documents::Documents),
    /// What is done beside the commands, and went wrong.
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Prove and replay the log.
    #[command(subcommand)]
    Replay(replay::Replay),
    /// The read models.
    #[command(subcommand)]
    Projections(projections::Projections),
    /// The keys that seal personal data.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Look whether all is well, and say what to do where it is not.
    Doctor(doctor::Doctor),
    /// What is known of backups.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Run a program of Postgres on the private database: psql, pg_dump, pg_restore, pg_basebackup.
    Postgres(postgres::Postgres),
    /// Measure: JSON lines on standard output, a table on standard error.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// The subscribers of `bench live`, which starts them itself.
    #[command(hide = true)]
    BenchLiveClients(bench::LiveClients),
}

/// How a command ended that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// All is well.
    Well,
    /// It found something wrong and has said what.
    FoundWrong,
}

/// Stack of each thread that answers requests, in bytes: a schema of nested objects is resolved in deep frames where nothing
/// is inlined. Pages of it that nobody touches cost nothing.
const STACK: usize = 8 << 20;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(STACK)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return cannot_run(&error.into()),
    };
    let traces = match Logs::from_environment().and_then(|logs| logs.start(runtime.handle())) {
        Ok(traces) => traces,
        Err(error) => return cannot_run(&error),
    };
    let ended = runtime.block_on(run(cli.command));
    // What is still to be sent goes before the runtime does.
    drop(traces);
    match ended {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::FoundWrong) => ExitCode::from(1),
        Err(error) => cannot_run(&error),
    }
}

async fn run(command: Command) -> Result<Verdict> {
    match command {
        Command::Up(up) => up.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Work(work) => work.run().await,
        Command::Migrate(migrate) => migrate.run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Company(company) => company.run().await,
        Command::User(user) => user.run().await,
        Command::Prices(prices) => prices.run().await,
        Command::Tax(tax) => tax.run().await,
        Command::Documents(documents) => documents.run().await,
        Command::Jobs(jobs) => jobs.run().await,
        Command::Replay(replay) => replay.run().await,
        Command::Projections(projections) => projections.run().await,
        Command::Keys(keys) => keys.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Backup(backup) => backup.run(),
        Command::Postgres(postgres) => postgres.run().await,
        Command::Bench(bench) => bench.run().await,
        Command::BenchLiveClients(clients) => clients.run().await,
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // Help and version are answers; anything else is a command that cannot run.
    let code = if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    };
    if error.print().is_err() {
        return ExitCode::from(2);
    }
    code
}

#[expect(
    clippy::print_stderr,
    reason = "the one line that says why the program could not run"
)]
fn cannot_run(error: &anyhow::Error) -> ExitCode {
    eprintln!("hibachi: {error:#}");
    ExitCode::from(2)
}

/// Says what the command line answers.
fn say(line: impl std::fmt::Display) {
    print(std::io::stdout().lock(), &line);
}

/// Says what a person at the terminal should know, beside the answer.
fn note(line: impl std::fmt::Display) {
    print(std::io::stderr().lock(), &line);
}

/// Whoever has read enough may close the pipe: what a command comes to does not depend on who reads it.
fn print(mut out: impl std::io::Write, line: &impl std::fmt::Display) {
    match writeln!(out, "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            panic!("the answer cannot be written: {error}")
        }
        Ok(()) | Err(_) => {}
    }
}

/// Refuses to make an installation for a command that looks at one.
fn expect_installation(location: &Location) -> Result<()> {
    if location.database_url.is_none() && !location.data_dir.exists() {
        bail!(
            "there is no installation at {}: `hibachi up` makes one",
            location.data_dir.display()
        );
    }
    Ok(())
}

/// Runs a command against an installation that is opened for its duration.
async fn with_app<T, F>(location: &Location, work: F) -> Result<T>
where
    F: AsyncFnOnce(App) -> Result<T>,
{
    with_installation(location, async |app, _| work(app).await).await
}

/// As [`with_app`], for work that also connects by itself.
async fn with_installation<T, F>(location: &Location, work: F) -> Result<T>
where
    F: AsyncFnOnce(App, &Installation) -> Result<T>,
{
    let installation = Installation::open(location).await?;
    let app = App::connect(&installation).await?;
    let database = app.database.clone();
    let done = work(app, &installation).await;
    database.close().await;
    let closed = installation.close().await;
    let done = done?;
    closed?;
    Ok(done)
}

/// The tenant of a slug.
async fn tenant(app: &App, slug: &str) -> Result<TenantId> {
    Ok(app.organisation(slug).await?.tenant)
}

/// Writes an answer to a file, or to the terminal where there is none. A file appears whole or not at all.
fn write_out(text: &str, out: Option<&std::path::Path>) -> Result<()> {
    let Some(path) = out else {
        say(text.trim_end_matches('\n'));
        return Ok(());
    };
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written
        .inspect_err(|_| {
            // It may not be there; what is said is why the file is not.
            std::fs::remove_file(&beside).ok();
        })
        .with_context(|| format!("cannot write {}", path.display()))
}
