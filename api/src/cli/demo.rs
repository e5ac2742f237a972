//! `hibachi demo`.

use std::time::Instant;

use anyhow::Result;
use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::{Verdict, note, with_app};
use crate::demo;
use crate::installation::Location;

/// Fill a company with bookings that look like a year of business.
#[derive(Debug, Subcommand)]
pub(super) enum Demo {
    /// Make bookings with everything that follows from them. The same seed and dates make the same ones; given again, they
    /// go on where they were interrupted, and otherwise change nothing.
    Bookings(Bookings),
}

#[derive(Debug, Args)]
pub(super) struct Bookings {
    #[command(flatten)]
    location: Location,
    /// Slug of the company. The demo company is set up if it is asked for and is not there.
    #[arg(long, value_name = "SLUG", default_value = demo::SLUG)]
    org: String,
    /// How many to ask for.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Where chance begins.
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// First day of events, such as 2025-01-01.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Last day of events, inclusive, such as 2025-12-31.
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
}

impl Demo {
    pub(super) async fn run(self) -> Result<Verdict> {
        let Self::Bookings(ask) = self;
        with_app(&ask.location, async |app| {
            if ask.org == demo::SLUG && !demo::is_whole(&app).await? {
                demo::company(&app).await?;
            }
            let company = app.organisation(&ask.org).await?;
            let began = Instant::now();
            let plan = demo::Year {
                count: ask.count,
                seed: ask.seed,
                from: ask.from,
                to: ask.to,
            };
            let made = demo::bookings(&app, company.tenant, &plan).await?;
            app.views.catch_up(company.tenant).await?;
            note(format_args!("{made} in {} ms", began.elapsed().as_millis()));
            Ok(Verdict::Well)
        })
        .await
    }
}
