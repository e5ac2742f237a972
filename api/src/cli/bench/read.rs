//! `hibachi bench read`.

use anyhow::{Result, ensure};
use clap::Args;

use super::postgres_es::PostgresEs;
use super::report::{OURS, Report};
use super::work::{Measured, Work, once};
use super::world::{ES_EVENTS, World};
use super::{Ask, STREAM, ours, postgres_es, raw};

const READ_ALL: &str = "read_all";
const VERIFY: &str = "verify";
/// Every case's name.
pub(super) const CASES: [&str; 2] = [READ_ALL, VERIFY];

#[derive(Debug, Args)]
pub(in crate::cli) struct ReadBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Events to read, written first, in streams of twenty; beyond those of `--preload`.
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..))]
    events: u64,
}

impl ReadBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let before = world.head().await?;
        world
            .fill(self.events.div_ceil(u64::from(STREAM)), STREAM)
            .await?;
        world.copy_to(&[ES_EVENTS], before).await?;
        let events = world.head().await?.unsigned_abs();
        let rival = PostgresEs::connect(&world.options, 1, world.ids.clone(), world.ours.tenant).await?;
        let pool = raw::connect(&world.options, 1).await?;
        let tenant = world.ours.tenant;
        for round in 1..=self.ask.rounds {
            if self.ask.wants(READ_ALL) {
                let measured = all(world, &ours::ReadAll(world.ours.clone()), events).await?;
                report.add(READ_ALL, OURS, 1, round, &measured)?;
                let measured = all(world, &postgres_es::ReadAll(rival.clone()), events).await?;
                report.add(READ_ALL, "postgres-es", 1, round, &measured)?;
                let measured = all(world, &raw::ReadPages(pool.clone(), tenant), events).await?;
                report.add(READ_ALL, "raw_batch", 1, round, &measured)?;
                let measured = all(world, &raw::CopyOut(pool.clone(), tenant), events).await?;
                report.add(READ_ALL, "copy", 1, round, &measured)?;
            }
            if self.ask.wants(VERIFY) {
                let measured = all(world, &ours::Verify(world.ours.clone()), events).await?;
                report.add(VERIFY, OURS, 1, round, &measured)?;
            }
        }
        rival.close().await;
        pool.close().await;
        Ok(())
    }
}

/// Reads to the end once, which must be all there is.
async fn all<W: Work>(world: &World, work: &W, events: u64) -> Result<Measured> {
    world.settle().await;
    let measured = once(work).await?;
    ensure!(
        measured.errors > 0 || measured.events == events,
        "{} of {events} events were read",
        measured.events
    );
    Ok(measured)
}
