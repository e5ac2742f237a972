//! `hibachi projections list`.

use anyhow::Result;
use projections::{GenerationState, GenerationStatus, Projection};

use super::Company;
use crate::app::App;
use crate::cli::{Verdict, say};

pub(super) async fn list(
    app: &App,
    company: &Company,
    chosen: &[&'static dyn Projection],
) -> Result<Verdict> {
    say(format_args!(
        "{:<16} {:>10} {:>10} {:>8} {:>8}  state",
        company.slug, "generation", "position", "behind", "ms"
    ));
    let mut verdict = Verdict::Well;
    let generations = app.views.generations(company.tenant).await?;
    for status in app.views.status(company.tenant).await? {
        if !chosen.iter().any(|projection| projection.name() == status.name) {
            continue;
        }
        if status.state != projections::ProjectionState::Live || status.parked_keys > 0 {
            verdict = Verdict::FoundWrong;
        }
        say(format_args!(
            "{:<16} {:>10} {:>10} {:>8} {:>8}  {}",
            status.name, status.generation, status.position.0, status.lag_events, status.lag_ms, status.state
        ));
        if status.parked_keys > 0 {
            say(format_args!(
                "  {} keys are held back: `projections park list` says why",
                status.parked_keys
            ));
        }
        let others = generations.iter().filter(|generation| {
            generation.projection == status.name && generation.generation != status.generation
        });
        others.for_each(beside);
    }
    Ok(verdict)
}

/// A generation beside the one that answers.
fn beside(generation: &GenerationStatus) {
    let GenerationStatus {
        generation: number,
        position,
        head,
        fold_version,
        ..
    } = generation;
    let what = match generation.state {
        GenerationState::Building => {
            let percent = position.0.saturating_mul(100) / head.0.max(1);
            format!("building: {percent} %, {position} of {head} events")
        }
        GenerationState::Live => "live, for programs of that version".to_owned(),
        GenerationState::Retired => "retired: `projections rollback` goes back to it".to_owned(),
        GenerationState::Discarded => "discarded: its rows are being removed".to_owned(),
    };
    say(format_args!(
        "  {:<14} {number:>10} {:>10} fold version {fold_version}, {what}",
        "", position.0
    ));
}
