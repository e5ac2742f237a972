//! `hibachi projections park`.

use anyhow::Result;
use clap::{Args, Subcommand};
use domain::envelope::Position;
use projections::{HeldBack, Projection};

use super::{Choice, Company};
use crate::app::App;
use crate::cli::{Verdict, say};

/// Lines of a list at most.
const LISTED: u32 = 1_000;
/// Waiting events that are read at a time.
const PAGE: u32 = 500;

/// Rows that wait behind an event that cannot be applied.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Park {
    /// What waits, since when and why.
    List(Only),
    /// The events that wait for a row.
    Show(One),
    /// Apply what waits again, after a fix, in its order.
    Retry(Only),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Only {
    #[command(flatten)]
    choice: Choice,
    /// Only what has this in its key or stream: an id.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct One {
    #[command(flatten)]
    choice: Choice,
    /// What the key or stream has in it: an id.
    #[arg(long, value_name = "KEY")]
    key: String,
}

impl Park {
    pub(super) async fn run(self) -> Result<Verdict> {
        match self {
            Self::List(only) => {
                let key = only.key.as_deref();
                only.choice
                    .each(
                        async |app: &App, company: &Company, chosen: &[&'static dyn Projection]| {
                            list(app, company, chosen, key).await
                        },
                    )
                    .await
            }
            Self::Show(one) => {
                let key = one.key.as_str();
                one.choice
                    .each(
                        async |app: &App, company: &Company, chosen: &[&'static dyn Projection]| {
                            show(app, company, chosen, key).await
                        },
                    )
                    .await
            }
            Self::Retry(only) => {
                let key = only.key.as_deref();
                only.choice
                    .each(
                        async |app: &App, company: &Company, chosen: &[&'static dyn Projection]| {
                            retry(app, company, chosen, key).await
                        },
                    )
                    .await
            }
        }
    }
}

async fn held_back(
    app: &App,
    company: &Company,
    projection: &dyn Projection,
    key: Option<&str>,
) -> Result<Vec<HeldBack>> {
    let mut held = projection.held_back(&app.views, company.tenant, LISTED).await?;
    held.retain(|held| key.is_none_or(|key| held.name.contains(key)));
    Ok(held)
}

fn line(company: &Company, projection: &dyn Projection, held: &HeldBack) {
    say(format_args!(
        "{} {} {}\n  since {} at position {}, {}: {}\n  {} events wait, tried {} times",
        company.slug,
        projection.name(),
        held.name,
        held.parked_at.format("%Y-%m-%d %H:%M:%S UTC"),
        held.position,
        held.event_type,
        held.reason,
        held.waiting,
        held.tries
    ));
}

async fn list(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
    key: Option<&str>,
) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        let held = held_back(app, company, *projection, key).await?;
        for held in &held {
            verdict = Verdict::FoundWrong;
            line(company, *projection, held);
        }
        if held.len() >= usize::try_from(LISTED)? {
            say(format_args!("{} {}: and more", company.slug, projection.name()));
        }
    }
    Ok(verdict)
}

async fn show(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
    key: &str,
) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        for held in held_back(app, company, *projection, Some(key)).await? {
            verdict = Verdict::FoundWrong;
            line(company, *projection, &held);
            let mut after = Position::START;
            loop {
                let waiting = projection
                    .waiting(&app.views, company.tenant, &held.name, after, PAGE)
                    .await?;
                let Some(last) = waiting.last() else { break };
                after = last.position;
                for event in &waiting {
                    let row = event.key.as_deref().unwrap_or("a row that it does not tell");
                    say(format_args!(
                        "  {:>10} {:<28} {} for {row}",
                        event.position.0, event.event_type, event.stream
                    ));
                }
            }
        }
    }
    Ok(verdict)
}

async fn retry(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
    key: Option<&str>,
) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        if held_back(app, company, *projection, key).await?.is_empty() {
            continue;
        }
        let retried = projection.retry(&app.views, company.tenant, key).await?;
        say(format_args!(
            "{} {}: {} of {} events applied, {} no longer wait",
            company.slug,
            retried.projection,
            retried.applied,
            retried.tried,
            retried.freed.len()
        ));
        for still in held_back(app, company, *projection, key).await? {
            verdict = Verdict::FoundWrong;
            line(company, *projection, &still);
        }
    }
    Ok(verdict)
}
