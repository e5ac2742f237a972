//! `hibachi bench append`.

use anyhow::Result;
use clap::Args;

use super::county::{self, Known};
use super::ours::{self, Ours};
use super::postgres_es::{self, PostgresEs};
use super::raw;
use super::report::{OURS, OURS_COLD, RIVAL_COLD, Report};
use super::world::{ES_EVENTS, RAW_STREAM, Streams, World};
use super::{Ask, STREAM};

/// Clients of the tenant that floods.
const FLOOD: u32 = 64;

#[derive(Debug, Args)]
pub(in crate::cli) struct AppendBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Streams that the cases on existing streams take in turn, made anew for each; the program remembers them all. They
    /// grow by an event each time round: with too few, who is faster has longer ones to load.
    #[arg(long, value_name = "N", default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(64..=4_000))]
    streams: u64,
    /// The same for peers that end with `-cold`, made once. From 5,000 on the program has forgotten each before it meets
    /// it again.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(64..))]
    cold_streams: u64,
}

/// What one operation of a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// So many events to a new stream.
    New(u32),
    /// Load an existing stream, decide, append one event.
    Existing,
}

/// One client beside another tenant's flood: how fast it is alone, then beside it, and how fast the flood is.
const FAIR: [&str; 3] = ["append_fair_alone", "append_fair_flooded", "append_fair_flood"];

const CASES: [(&str, Operation, u32); 7] = [
    ("append_1ev_new_1", Operation::New(1), 1),
    ("append_1ev_new_16", Operation::New(1), 16),
    ("append_1ev_new_64", Operation::New(1), 64),
    ("append_1ev_existing_1", Operation::Existing, 1),
    ("append_1ev_existing_16", Operation::Existing, 16),
    ("append_1ev_existing_64", Operation::Existing, 64),
    ("append_5ev_new_16", Operation::New(5), 16),
];

/// Every case's name.
pub(super) fn cases() -> Vec<&'static str> {
    CASES.iter().map(|(name, ..)| *name).chain(FAIR).collect()
}

/// Streams that are not remembered, as they grow in the log and in the rival's table.
struct Cold {
    ours: Streams,
    rival: Streams,
}

/// A case in a round.
struct Turn {
    case: &'static str,
    clients: u32,
    round: u32,
}

impl AppendBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let mut cold = None;
        for round in 1..=self.ask.rounds {
            for (case, operation, clients) in CASES {
                if !self.ask.wants(case) {
                    continue;
                }
                let turn = Turn { case, clients, round };
                match operation {
                    Operation::New(events) => turn.on_new(world, report, events).await?,
                    Operation::Existing => {
                        turn.existing(world, report, self.streams).await?;
                        let cold = match &mut cold {
                            Some(cold) => cold,
                            none => none.insert(Cold::make(world, self.cold_streams).await?),
                        };
                        turn.cold(world, report, cold).await?;
                    }
                }
            }
            if FAIR.iter().any(|case| self.ask.wants(case)) {
                fair(world, report, round).await?;
            }
        }
        Ok(())
    }
}

impl Cold {
    async fn make(world: &World, streams: u64) -> Result<Self> {
        let before = world.head().await?;
        let ids = world.ours.fill_counties(streams, STREAM, Known::No).await?;
        world.copy_to(&[ES_EVENTS], before).await?;
        Ok(Self {
            ours: Streams::new(&ids, STREAM),
            rival: Streams::new(&ids, STREAM),
        })
    }
}

impl Turn {
    async fn on_new(&self, world: &World, report: &mut Report, events: u32) -> Result<()> {
        let Self { case, clients, round } = *self;
        let work = ours::New(world.ours.clone(), events);
        let measured = world.measure(&work, clients).await?;
        report.add(case, OURS, clients, round, &measured)?;

        let rival = self.rival(world).await?;
        let measured = world
            .measure(&postgres_es::New(rival.clone(), events), clients)
            .await?;
        rival.close().await;
        report.add(case, "postgres-es", clients, round, &measured)?;

        let pool = raw::connect(&world.options, clients).await?;
        let ids = world.ids.clone();
        let work = raw::NewRows(pool.clone(), ids.clone(), events);
        let measured = world.measure(&work, clients).await?;
        report.add(case, "raw_row", clients, round, &measured)?;
        if events == 1 {
            let work = raw::NewBatches(pool.clone(), ids.clone());
            let measured = world.measure(&work, clients).await?;
            report.add(case, "raw_batch", clients, round, &measured)?;
            raw::empty_bulk(&pool).await?;

            let measured = world.measure(&raw::NewCopies(pool.clone(), ids), clients).await?;
            report.add(case, "copy", clients, round, &measured)?;
            raw::empty_bulk(&pool).await?;
        }
        pool.close().await;
        Ok(())
    }

    /// Streams that were met a moment ago.
    async fn existing(&self, world: &World, report: &mut Report, streams: u64) -> Result<()> {
        let Self { case, clients, round } = *self;
        let before = world.head().await?;
        let ids = world.ours.fill_counties(streams, STREAM, Known::Yes).await?;
        world.copy_to(&[ES_EVENTS, RAW_STREAM], before).await?;
        let streams = || Streams::new(&ids, STREAM);
        let work = county::Existing(world.ours.clone(), streams());
        let measured = world.measure(&work, clients).await?;
        report.add(case, OURS, clients, round, &measured)?;

        let rival = self.rival(world).await?;
        let work = postgres_es::Existing(rival.clone(), streams());
        let measured = world.measure(&work, clients).await?;
        rival.close().await;
        report.add(case, "postgres-es", clients, round, &measured)?;

        let pool = raw::connect(&world.options, clients).await?;
        let work = raw::Existing(pool.clone(), streams());
        let measured = world.measure(&work, clients).await?;
        pool.close().await;
        report.add(case, "raw_row", clients, round, &measured)
    }

    /// Streams that were not met, or so long ago that they are forgotten.
    async fn cold(&self, world: &World, report: &mut Report, cold: &Cold) -> Result<()> {
        let Self { case, clients, round } = *self;
        let work = county::Existing(world.ours.clone(), cold.ours.clone());
        let measured = world.measure(&work, clients).await?;
        report.add(case, OURS_COLD, clients, round, &measured)?;

        let rival = self.rival(world).await?;
        let work = postgres_es::Existing(rival.clone(), cold.rival.clone());
        let measured = world.measure(&work, clients).await?;
        rival.close().await;
        report.add(case, RIVAL_COLD, clients, round, &measured)
    }

    async fn rival(&self, world: &World) -> Result<PostgresEs> {
        PostgresEs::connect(&world.options, self.clients, world.ids.clone(), world.ours.tenant).await
    }
}

/// One client of one tenant alone, and again while another tenant floods the same log. Rows know no tenants; they
/// tell how much of it is the machine.
async fn fair(world: &World, report: &mut Report, round: u32) -> Result<()> {
    let new = |ours: &Ours| ours::New(ours.clone(), 1);
    let [alone, flooded, flood] = FAIR;
    let measured = world.measure(&new(&world.other), 1).await?;
    report.add(alone, OURS, 1, round, &measured)?;
    let (one, many) = world
        .measure_beside(&new(&world.other), &new(&world.ours), FLOOD)
        .await?;
    report.add(flooded, OURS, 1, round, &one)?;
    report.add(flood, OURS, FLOOD, round, &many)?;

    let pool = raw::connect(&world.options, 1).await?;
    let flooding = raw::connect(&world.options, FLOOD).await?;
    let row = raw::NewRows(pool.clone(), world.ids.clone(), 1);
    let rows = raw::NewRows(flooding.clone(), world.ids.clone(), 1);
    let measured = world.measure(&row, 1).await?;
    report.add(alone, "raw_row", 1, round, &measured)?;
    let (one, many) = world.measure_beside(&row, &rows, FLOOD).await?;
    report.add(flooded, "raw_row", 1, round, &one)?;
    report.add(flood, "raw_row", FLOOD, round, &many)?;
    pool.close().await;
    flooding.close().await;
    Ok(())
}
