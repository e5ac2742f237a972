//! `hibachi projections check`.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use projections::{Checked, Extent, Projection, Sample};
use serde_json::Value;

use super::{Bar, Choice, Company};
use crate::app::App;
use crate::checking::random_seed;
use crate::cli::{Verdict, note, say};

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    choice: Choice,
    /// Only so many rows of each, drawn at random from the table and from the log.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    sample: Option<u32>,
    /// Draws the same rows again: the number that a check before has said.
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    seed: Option<u64>,
    /// Rows in memory at a time, about. A read model that has more takes as many passes over the log.
    #[arg(
        long,
        value_name = "ROWS",
        default_value_t = 100_000,
        conflicts_with = "sample",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    rows_at_once: u64,
}

impl Check {
    pub(super) async fn run(self) -> Result<Verdict> {
        let extent = match self.sample {
            Some(keys) => {
                let seed = match self.seed {
                    Some(seed) => seed,
                    None => random_seed().context("the operating system gives no randomness")?,
                };
                note(format_args!("drawn by --seed {seed}"));
                Extent::Sample(Sample {
                    keys,
                    seed,
                    pause: Duration::ZERO,
                })
            }
            None => Extent::Whole {
                rows_at_once: self.rows_at_once,
            },
        };
        self.choice
            .each(
                async |app: &App, company: &Company, chosen: &[&'static dyn Projection]| {
                    check(app, company, chosen, extent).await
                },
            )
            .await
    }
}

async fn check(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
    extent: Extent,
) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        let bar = Bar::new(projection.name());
        let checked = projection
            .check_as(&app.views, company.tenant, extent, &bar)
            .await?;
        bar.0.finish_and_clear();
        tell(company, &checked);
        if checked.differing > 0 {
            verdict = Verdict::FoundWrong;
        }
    }
    Ok(verdict)
}

fn tell(company: &Company, checked: &Checked) {
    let (rows, differing) = (checked.rows, checked.differing);
    say(format_args!(
        "{} {}: {rows} rows{} at position {}, {differing} differ",
        company.slug,
        checked.projection,
        if checked.is_sample {
            " of them all, drawn at random,"
        } else {
            ""
        },
        checked.position,
    ));
    for difference in &checked.differences {
        let shown = |row: &Option<Value>| row.as_ref().map_or("none".to_owned(), ToString::to_string);
        say(format_args!(
            "  {}\n    stored {}\n    log    {}",
            difference.key,
            shown(&difference.live),
            shown(&difference.refolded)
        ));
    }
    let unshown = differing.saturating_sub(u64::try_from(checked.differences.len()).unwrap_or(differing));
    if unshown > 0 {
        say(format_args!("  and {unshown} more"));
    }
}
