//! `hibachi projections`.

mod bar;
mod check;
mod list;
mod park;
mod rebuild;
mod rollback;
mod swap;

use anyhow::Result;
use clap::{Args, Subcommand};
use projections::{Projection, projection, registry};

pub(super) use self::bar::Bar;
use super::{Verdict, expect_installation, with_app};
use crate::app::App;
use crate::installation::Location;

/// The read models.
#[derive(Debug, Subcommand)]
pub(super) enum Projections {
    /// Where each stands, and the generations that it has beside the live one.
    List(Choice),
    /// Build them anew from the log, without a pause for readers. One that was cut off is taken up where it was.
    Rebuild(rebuild::Rebuild),
    /// Make those the live ones that `rebuild --hold` has built, with what has come since.
    Swap(Choice),
    /// Make the generation before the live one live again. The one that was live is kept in its turn.
    Rollback(Choice),
    /// Compare them with what the log gives: all rows, or some that are drawn at random.
    Check(check::Check),
    /// What waits behind events that cannot be applied.
    #[command(subcommand)]
    Park(park::Park),
}

#[derive(Debug, Args)]
pub(super) struct Choice {
    #[command(flatten)]
    location: Location,
    /// Slug of the company; every company where absent.
    #[arg(long, value_name = "SLUG")]
    org: Option<String>,
    /// Only this one.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

impl Projections {
    pub(super) async fn run(self) -> Result<Verdict> {
        match self {
            Self::List(choice) => choice.each(list::list).await,
            Self::Rebuild(rebuild) => rebuild.run().await,
            Self::Swap(choice) => choice.each(swap::swap).await,
            Self::Rollback(choice) => choice.each(rollback::rollback).await,
            Self::Check(check) => check.run().await,
            Self::Park(park) => park.run().await,
        }
    }
}

type Company = event_log::Organisation;

impl Choice {
    async fn each(
        self,
        work: impl AsyncFn(&App, &Company, &[&'static dyn Projection]) -> Result<Verdict>,
    ) -> Result<Verdict> {
        let chosen: Vec<&'static dyn Projection> = match &self.only {
            Some(name) => vec![projection(name)?],
            None => registry().to_vec(),
        };
        expect_installation(&self.location)?;
        with_app(&self.location, async |app| {
            let companies = match &self.org {
                Some(slug) => vec![app.organisation(slug).await?],
                None => app.database.organisations().await?,
            };
            let mut verdict = Verdict::Well;
            for company in companies {
                if work(&app, &company, &chosen).await? == Verdict::FoundWrong {
                    verdict = Verdict::FoundWrong;
                }
            }
            Ok(verdict)
        })
        .await
    }
}
