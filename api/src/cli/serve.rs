//! `hibachi serve`, `work` and `migrate`: the parts of the program apart, for production.

use std::net::SocketAddr;
use std::num::NonZeroU16;

use anyhow::{Context, Result};
use clap::Args;
use commands::jobs::JobSettings;
use event_log::Retention;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::watching::{Asking, Watched, Watching};
use super::{Verdict, note, say, with_app, with_installation};
use crate::app::App;
use crate::checking::CheckEvery;
use crate::http;
use crate::installation::{Installation, Location};
use crate::signing::SignHeads;

/// Serve the API alone.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    location: Location,
    #[command(flatten)]
    past: Past,
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    watching: Watching,
    #[command(flatten)]
    asking: Asking,
}

/// What answers as of a time in the past may take.
#[derive(Debug, Args)]
pub(super) struct Past {
    /// Memory for states of read models in the past, so that a time near by is answered at once.
    #[arg(
        long,
        value_name = "MIB",
        env = "HIBACHI_AS_OF_MEMORY",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(0..=4096)
    )]
    as_of_memory: u16,
}

/// What one such state takes at most while it is folded: what is larger is folded in parts.
const LARGEST_STATE: usize = 512 << 20;

impl Past {
    /// The program, with so much memory for the past.
    pub(super) fn by(&self, app: App) -> App {
        let kept = usize::from(self.as_of_memory) << 20;
        App {
            views: app.views.with_as_of_memory(kept, LARGEST_STATE),
            ..app
        }
    }
}

impl Serve {
    pub(super) async fn run(self) -> Result<Verdict> {
        let listener = listen(self.listen).await?;
        let figures = self.watching.listen().await?;
        with_app(&self.location, async |app| {
            let here = format!("http://{}", listener.local_addr()?);
            let app = self.asking.by(self.past.by(app.reached_at(&here)));
            let stop = stop_signal()?;
            let watched = Watched::by(figures, &app)?;
            say(format_args!("ready http://{}", listener.local_addr()?));
            serve(app, listener, stop).await;
            watched.stop().await;
            Ok(())
        })
        .await?;
        Ok(Verdict::Well)
    }
}

/// Run the read models, the policies and the jobs alone.
#[derive(Debug, Args)]
pub(super) struct Work {
    #[command(flatten)]
    location: Location,
    #[command(flatten)]
    keep: Keep,
    #[command(flatten)]
    sign_heads: SignHeads,
    #[command(flatten)]
    check_every: CheckEvery,
    #[command(flatten)]
    attempts: Attempts,
    #[command(flatten)]
    watching: Watching,
}

/// How often things are tried.
#[derive(Debug, Args)]
pub(super) struct Attempts {
    /// How often a job is tried before it waits for a person.
    #[arg(
        long,
        value_name = "COUNT",
        env = "HIBACHI_JOB_ATTEMPTS",
        default_value = "10"
    )]
    job_attempts: NonZeroU16,
}

impl Attempts {
    /// The program, trying so often.
    pub(super) fn by(&self, app: App) -> App {
        let settings = JobSettings {
            most_attempts: self.job_attempts,
            ..JobSettings::default()
        };
        App {
            commands: app.commands.doing_jobs(settings),
            ..app
        }
    }
}

/// How long things are kept.
#[derive(Debug, Args)]
pub(super) struct Keep {
    /// How long a command that is sent again is answered with its first result; at least 30.
    #[arg(
        long,
        value_name = "DAYS",
        env = "HIBACHI_KEEP_RESULTS_DAYS",
        default_value = "90",
        value_parser = retention
    )]
    keep_results_days: Retention,
}

impl Keep {
    /// The program, keeping things so long.
    pub(super) fn by(&self, app: App) -> App {
        App {
            retention: self.keep_results_days,
            ..app
        }
    }
}

fn retention(text: &str) -> Result<Retention, String> {
    let days: u32 = text
        .parse()
        .map_err(|_| "this is not a number of days".to_owned())?;
    Retention::days(days).map_err(|error| error.to_string())
}

impl Work {
    pub(super) async fn run(self) -> Result<Verdict> {
        let figures = self.watching.listen().await?;
        with_installation(&self.location, async |app, installation| {
            let stop = stop_signal()?;
            let app = self.sign_heads.by(self.keep.by(app), installation);
            let app = self.attempts.by(self.check_every.by(app)).queueing_what_recurs();
            let watched = Watched::by(figures, &app)?;
            let workers = app.start_workers();
            note("working; stop with Ctrl-C");
            stop.await;
            workers.stop().await;
            watched.stop().await;
            Ok(())
        })
        .await?;
        Ok(Verdict::Well)
    }
}

/// Bring the database's schema up to date.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    location: Location,
}

impl Migrate {
    pub(super) async fn run(self) -> Result<Verdict> {
        // Opening an installation migrates it.
        Installation::open(&self.location).await?.close().await?;
        note("the schema is up to date");
        Ok(Verdict::Well)
    }
}

/// Takes the address, before anything slow is done for nothing.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// Serves until told to stop, then lets requests finish.
pub(super) async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()>) {
    let router = http::router(app.clone());
    http::serve(&app, listener, router, stop).await;
}

/// Waits for Ctrl-C or SIGTERM. Either is heard from the call on: whoever reads `ready` may send one at once.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
