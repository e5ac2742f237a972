//! `hibachi projections swap`.

use anyhow::{Result, ensure};
use projections::{Finish, GenerationState, Projection};

use super::rebuild::tell;
use super::{Bar, Company};
use crate::app::App;
use crate::cli::Verdict;

/// Swaps in what waits. Of a read model that was not asked for by its name, nothing need wait.
pub(super) async fn swap(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
) -> Result<Verdict> {
    let generations = app.views.generations(company.tenant).await?;
    let waits = |projection: &&&'static dyn Projection| {
        generations.iter().any(|generation| {
            generation.projection == projection.name() && generation.state == GenerationState::Building
        })
    };
    let waiting: Vec<_> = match chosen {
        [one] => vec![one],
        all => all.iter().filter(waits).collect(),
    };
    ensure!(
        !waiting.is_empty(),
        "nothing of {} waits to be swapped in; `projections rebuild --hold` builds it",
        company.slug
    );
    let mut verdict = Verdict::Well;
    for projection in waiting {
        let bar = Bar::new(projection.name());
        let swapped = projection.swap(&app.views, company.tenant, &bar).await?;
        if tell(company, &swapped, Finish::Swap, &bar) == Verdict::FoundWrong {
            verdict = Verdict::FoundWrong;
        }
    }
    Ok(verdict)
}
