//! `hibachi projections rebuild`.

use anyhow::Result;
use clap::Args;
use projections::{Finish, GenerationState, Projection, Rebuilt};

use super::{Bar, Choice, Company};
use crate::app::App;
use crate::cli::memory::peak;
use crate::cli::{Verdict, note, say};

#[derive(Debug, Args)]
pub(in crate::cli) struct Rebuild {
    #[command(flatten)]
    choice: Choice,
    /// Only those whose rows an older version of their fold has made.
    #[arg(long)]
    outdated: bool,
    /// Build, catch up and compare, and leave the live ones as they are until `projections swap`.
    #[arg(long)]
    hold: bool,
    /// Memory that the rows of one read model may take, about. What is beyond is written to the database and read again.
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    memory_mb: u32,
}

impl Rebuild {
    pub(super) async fn run(self) -> Result<Verdict> {
        let how = projections::Rebuild {
            memory: usize::try_from(self.memory_mb)? << 20,
            finish: if self.hold { Finish::Hold } else { Finish::Swap },
        };
        let outdated = self.outdated;
        self.choice
            .each(
                async |app: &App, company: &Company, chosen: &[&'static dyn Projection]| {
                    let chosen = if outdated {
                        only_outdated(app, company, chosen).await?
                    } else {
                        chosen.to_vec()
                    };
                    rebuild(app, company, &chosen, how).await
                },
            )
            .await
    }
}

/// Those whose live generation is of an older fold.
async fn only_outdated(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
) -> Result<Vec<&'static dyn Projection>> {
    let generations = app.views.generations(company.tenant).await?;
    let is_outdated = |projection: &&'static dyn Projection| {
        generations.iter().any(|generation| {
            generation.projection == projection.name()
                && generation.state == GenerationState::Live
                && generation.fold_version < projection.fold_version()
        })
    };
    Ok(chosen.iter().copied().filter(is_outdated).collect())
}

async fn rebuild(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
    how: projections::Rebuild,
) -> Result<Verdict> {
    let mut verdict = Verdict::Well;
    for projection in chosen {
        let bar = Bar::new(projection.name());
        let rebuilt = projection
            .rebuild_as(&app.views, company.tenant, how, &bar)
            .await?;
        if tell(company, &rebuilt, how.finish, &bar) == Verdict::FoundWrong {
            verdict = Verdict::FoundWrong;
        }
    }
    Ok(verdict)
}

/// Says what was built and what it differs in.
pub(super) fn tell(company: &Company, rebuilt: &Rebuilt, finish: Finish, bar: &Bar) -> Verdict {
    let rate = bar.rate();
    bar.0.finish_and_clear();
    let resumed = if rebuilt.resumed_at.0 > 0 {
        format!(", taken up at {}", rebuilt.resumed_at)
    } else {
        String::new()
    };
    let held = match finish {
        Finish::Swap => "",
        Finish::Hold => ", held",
    };
    let memory = peak().map_or_else(String::new, |mib| format!(", peak memory {mib} MiB"));
    say(format_args!(
        "{} {}: {} rows at position {}, generation {}{resumed}{held}; {rate} events/s{memory}",
        company.slug, rebuilt.projection, rebuilt.rows, rebuilt.position, rebuilt.generation
    ));
    match rebuilt.differing {
        Some(differing) if differing > 0 => {
            note(format_args!(
                "{}: the generation before differed in {differing} rows",
                rebuilt.projection
            ));
            Verdict::FoundWrong
        }
        Some(_) | None => Verdict::Well,
    }
}
