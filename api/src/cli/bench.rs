//! `hibachi bench`: each line of the answer is one measurement as JSON, and at the end one line for each case and peer.
//! Rivals run in the same run, in the same program, on the same server, in a scratch database that is dropped at the
//! end. What the cases are and how to read the lines: `docs/benchmarks.md`.

mod append;
mod asof;
mod beside;
mod business;
mod county;
mod export;
mod facts;
mod jobs;
mod latencies;
mod live;
mod load;
mod ours;
mod page;
mod postgres_es;
mod project;
mod raw;
mod read;
mod rebuild;
mod report;
mod served;
mod server_use;
mod tab;
mod target;
mod work;
mod world;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

pub(super) use self::live::LiveClients;

use self::facts::{Facts, is_optimised};
use self::report::Report;
use self::world::{ES_EVENTS, RAW_ROW, RAW_STREAM, World};
use super::serve::stop_signal;
use super::{Verdict, note};
use crate::installation::{Location, Scratch};

/// Events of a stream that is loaded before it is written: what the published figures have.
const STREAM: u32 = 20;

/// Measure: JSON lines on standard output, a table on standard error.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// Appending: to new streams, to existing ones, and beside another tenant's flood.
    Append(append::AppendBench),
    /// Loading a stream.
    Load(load::LoadBench),
    /// Reading and verifying the whole log.
    Read(read::ReadBench),
    /// Read models that follow the log: catching up, and until what was appended is seen.
    Project(project::ProjectBench),
    /// Read models that are built anew, beside one that is written row by row.
    Rebuild(rebuild::RebuildBench),
    /// Tax reports as of a position.
    #[command(name = "asof")]
    AsOf(asof::AsOfBench),
    /// Tax lines written to CSV and XLSX, beside a copy of the same rows.
    Export(export::ExportBench),
    /// Jobs: how many, how soon, and a quiet company's beside a noisy one's.
    Jobs(jobs::JobsBench),
    /// Subscribers: the server's memory with them, and how soon they are told of what happens.
    Live(live::LiveBench),
    /// A page of bookings with what belongs to each, over HTTP, beside PostGraphile over the same tables.
    Page(page::PageBench),
}

/// What every measurement is told.
#[derive(Debug, Args)]
struct Ask {
    #[command(flatten)]
    location: Location,
    /// Seconds that each case is measured in each round.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Milliseconds instead of seconds, for a first look.
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    millis: Option<u64>,
    /// Rounds; cases and peers take turns.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only the cases whose names begin so. May be given more than once.
    #[arg(long = "case", value_name = "PREFIX")]
    cases: Vec<String>,
    /// Events that are in the log and in the rivals' tables before anything is measured: whether the cost grows with
    /// them.
    #[arg(long, value_name = "N", default_value_t = 0)]
    preload: u64,
}

impl Ask {
    fn time(&self) -> Duration {
        self.millis
            .map_or_else(|| Duration::from_secs(self.seconds), Duration::from_millis)
    }

    fn wants(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|prefix| case.starts_with(prefix))
    }

    /// Refuses a prefix that no case begins with.
    fn check(&self, cases: &[&str]) -> Result<()> {
        for prefix in &self.cases {
            if !cases.iter().any(|case| case.starts_with(prefix)) {
                bail!("no case begins with {prefix}; there are {}", cases.join(", "));
            }
        }
        Ok(())
    }
}

impl Bench {
    pub(super) async fn run(self) -> Result<Verdict> {
        let (ask, cases) = self.asks();
        ask.check(&cases)?;
        let stop = stop_signal()?;
        let scratch = Scratch::create(&ask.location).await?;
        if !is_optimised() {
            note("this is a debug build: its figures are of no use");
        }
        let measured = self.measure(&scratch, stop).await;
        let removed = scratch.remove().await;
        if let (Err(_), Err(error)) = (&measured, &removed) {
            note(format_args!("{error:#}"));
        }
        let verdict = measured?;
        removed?;
        Ok(verdict)
    }

    fn asks(&self) -> (&Ask, Vec<&'static str>) {
        match self {
            Self::Append(append) => (&append.ask, append::cases()),
            Self::Load(load) => (&load.ask, load::CASES.to_vec()),
            Self::Read(read) => (&read.ask, read::CASES.to_vec()),
            Self::Project(project) => (&project.ask, project::CASES.to_vec()),
            Self::Rebuild(rebuild) => (&rebuild.ask, rebuild::CASES.to_vec()),
            Self::AsOf(asof) => (&asof.ask, asof::CASES.to_vec()),
            Self::Export(export) => (&export.ask, export::CASES.to_vec()),
            Self::Jobs(jobs) => (&jobs.ask, jobs::CASES.to_vec()),
            Self::Live(live) => (&live.ask, live::CASES.to_vec()),
            Self::Page(page) => (&page.ask, page::CASES.to_vec()),
        }
    }

    async fn measure(&self, scratch: &Scratch, stop: impl Future<Output = ()>) -> Result<Verdict> {
        let (ask, _) = self.asks();
        let world = World::open(scratch, ask.time()).await?;
        let verdict = tokio::select! {
            verdict = self.cases(&world, scratch) => verdict,
            () = stop => Err(anyhow::anyhow!("stopped before the end")),
        };
        world.close().await;
        verdict
    }

    async fn cases(&self, world: &World, scratch: &Scratch) -> Result<Verdict> {
        let (ask, _) = self.asks();
        let facts = Facts::collect(&world.owner, scratch.local.as_ref()).await?;
        let tabs = ask.preload.div_ceil(u64::from(STREAM));
        if tabs > 0 {
            world.fill(tabs, STREAM).await?;
            world.copy_to(&[ES_EVENTS, RAW_STREAM, RAW_ROW], 0).await?;
        }
        let mut report = Report::new(facts, tabs * u64::from(STREAM));
        match self {
            Self::Append(append) => append.measure(world, &mut report).await?,
            Self::Load(load) => load.measure(world, &mut report).await?,
            Self::Read(read) => read.measure(world, &mut report).await?,
            Self::Project(project) => project.measure(world, &mut report).await?,
            Self::Rebuild(rebuild) => rebuild.measure(world, &mut report).await?,
            Self::AsOf(asof) => asof.measure(world, &mut report).await?,
            Self::Export(export) => export.measure(world, &mut report).await?,
            Self::Jobs(jobs) => jobs.measure(world, &mut report).await?,
            Self::Live(live) => live.measure(world, scratch, &mut report).await?,
            Self::Page(page) => page.measure(world, scratch, &mut report).await?,
        }
        report.finish()
    }
}
