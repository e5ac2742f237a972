//! `hibachi bench load`.

use anyhow::Result;
use clap::Args;

use super::postgres_es::PostgresEs;
use super::report::{OURS, Report};
use super::world::{ES_EVENTS, RAW_STREAM, Streams, World};
use super::{Ask, ours, postgres_es, raw};

/// Events of each stream.
const LENGTH: u32 = 100;
/// One stream after another, as one command after another would load them.
const CLIENTS: u32 = 1;

const CASE: &str = "load_stream_100";
/// Every case's name.
pub(super) const CASES: [&str; 1] = [CASE];

#[derive(Debug, Args)]
pub(in crate::cli) struct LoadBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Streams of 100 events, taken in turn.
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    streams: u64,
}

impl LoadBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let before = world.head().await?;
        let ids = world.fill(self.streams, LENGTH).await?;
        world.copy_to(&[ES_EVENTS, RAW_STREAM], before).await?;
        let tabs = || Streams::new(&ids, LENGTH);
        let rival =
            PostgresEs::connect(&world.options, CLIENTS, world.ids.clone(), world.ours.tenant).await?;
        let pool = raw::connect(&world.options, CLIENTS).await?;
        for round in 1..=self.ask.rounds {
            let work = ours::Load(world.ours.clone(), tabs());
            let measured = world.measure(&work, CLIENTS).await?;
            report.add(CASE, OURS, CLIENTS, round, &measured)?;

            let work = postgres_es::Load(rival.clone(), tabs());
            let measured = world.measure(&work, CLIENTS).await?;
            report.add(CASE, "postgres-es", CLIENTS, round, &measured)?;

            let work = raw::Load(pool.clone(), tabs());
            let measured = world.measure(&work, CLIENTS).await?;
            report.add(CASE, "raw_row", CLIENTS, round, &measured)?;
        }
        rival.close().await;
        pool.close().await;
        Ok(())
    }
}
