//! `hibachi projections`.

use anyhow::Result;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use projections::{Progress, Projection, projection, registry};

use super::{Verdict, expect_installation, note, say, with_app};
use crate::app::App;
use crate::installation::Location;

/// The read models.
#[derive(Debug, Subcommand)]
pub(super) enum Projections {
    /// Where each stands.
    List(Choice),
    /// Build them anew from the log, without a pause for readers.
    Rebuild(Choice),
    /// Compare them with what the log gives.
    Check(Choice),
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
            Self::List(choice) => choice.each(list).await,
            Self::Rebuild(choice) => choice.each(rebuild).await,
            Self::Check(choice) => choice.each(check).await,
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

async fn list(app: &App, company: &Company, chosen: &[&'static dyn Projection]) -> Result<Verdict> {
    say(format_args!(
        "{:<16} {:>10} {:>10} {:>8} {:>8}  state",
        company.slug, "generation", "position", "behind", "ms"
    ));
    let mut verdict = Verdict::Well;
    for status in app.views.status(company.tenant).await? {
        if !chosen.iter().any(|projection| projection.name() == status.name) {
            continue;
        }
        if status.state != projections::ProjectionState::Live {
            verdict = Verdict::FoundWrong;
        }
        say(format_args!(
            "{:<16} {:>10} {:>10} {:>8} {:>8}  {}",
            status.name, status.generation, status.position.0, status.lag_events, status.lag_ms, status.state
        ));
    }
    Ok(verdict)
}

async fn rebuild(app: &App, company: &Company, chosen: &[&'static dyn Projection]) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        let bar = Bar::new(projection.name());
        let rebuilt = projection.rebuild(&app.views, company.tenant, &bar).await?;
        bar.0.finish_and_clear();
        let differing = rebuilt.differences.as_ref().map_or(0, Vec::len);
        say(format_args!(
            "{} {}: {} rows at position {}, generation {}",
            company.slug, rebuilt.projection, rebuilt.rows, rebuilt.position, rebuilt.generation
        ));
        if differing > 0 {
            verdict = Verdict::FoundWrong;
            note(format_args!(
                "{}: the generation before differed in {differing} rows",
                rebuilt.projection
            ));
        }
    }
    Ok(verdict)
}

async fn check(app: &App, company: &Company, chosen: &[&'static dyn Projection]) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        let bar = Bar::new(projection.name());
        let checked = projection.check(&app.views, company.tenant, &bar).await?;
        bar.0.finish_and_clear();
        say(format_args!(
            "{} {}: {} rows at position {}, {} differ",
            company.slug,
            checked.projection,
            checked.rows,
            checked.position,
            checked.differences.len()
        ));
        for difference in &checked.differences {
            verdict = Verdict::FoundWrong;
            let shown =
                |row: &Option<serde_json::Value>| row.as_ref().map_or("none".to_owned(), ToString::to_string);
            say(format_args!(
                "  {}\n    stored {}\n    log    {}",
                difference.key,
                shown(&difference.live),
                shown(&difference.refolded)
            ));
        }
    }
    Ok(verdict)
}

/// A bar at the terminal: events, events a second, time left.
pub(super) struct Bar(pub(super) ProgressBar);

impl Bar {
    pub(super) fn new(name: &'static str) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix:<16} {wide_bar} {human_pos}/{human_len} events, {per_sec}, {eta} left",
        );
        let bar = ProgressBar::new(0).with_prefix(name);
        bar.set_style(style.expect("the template is well formed"));
        Self(bar)
    }
}

impl Progress for Bar {
    fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}
