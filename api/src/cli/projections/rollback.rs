//! `hibachi projections rollback`.

use anyhow::{Result, ensure};
use projections::{GenerationState, Projection};

use super::{Bar, Company};
use crate::app::App;
use crate::cli::{Verdict, say};

/// Goes back where there is something to go back to. A read model that was asked for by its name must have it.
pub(super) async fn rollback(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
) -> Result<Verdict> {
    let generations = app.views.generations(company.tenant).await?;
    let can = |projection: &&&'static dyn Projection| {
        generations.iter().any(|generation| {
            generation.projection == projection.name() && generation.state == GenerationState::Retired
        })
    };
    let retired: Vec<_> = match chosen {
        [one] => vec![one],
        all => all.iter().filter(can).collect(),
    };
    ensure!(
        !retired.is_empty(),
        "no read model of {} has a generation to go back to",
        company.slug
    );
    for projection in retired {
        let bar = Bar::new(projection.name());
        let back = projection.roll_back(&app.views, company.tenant, &bar).await?;
        bar.0.finish_and_clear();
        say(format_args!(
            "{} {}: generation {} is live again at position {}; {} is kept",
            company.slug, back.projection, back.generation, back.position, back.instead_of
        ));
    }
    Ok(Verdict::Well)
}
