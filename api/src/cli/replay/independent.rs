//! What `hibachi replay verify --independent` says.

use anyhow::{Result, bail};
use domain::ids::TenantId;
use replays::independent::{Address, Compared, Disagreement, IndependentError, compare};
use serde_json::{Value, json};

use crate::app::App;
use crate::cli::projections::Bar;

/// Reads the log a second time, through postgres-es; what comes of it, or where it differs.
pub(super) async fn read_again(
    app: &App,
    tenant: TenantId,
    address: &Address,
) -> Result<Result<Compared, Disagreement>> {
    let bar = Bar::new("independent");
    let compared = compare(&app.log, tenant, address, &bar).await;
    bar.0.finish_and_clear();
    match compared {
        Ok(compared) => Ok(Ok(compared)),
        Err(IndependentError::Disagreement(found)) => Ok(Err(found)),
        Err(error) => bail!(error),
    }
}

/// How many aggregates of each kind, for programs.
pub(super) fn in_json(compared: &Compared) -> Value {
    json!({ "aggregates": compared.aggregates, "events": compared.events })
}

/// The same, for people.
pub(super) fn in_words(compared: &Compared) -> String {
    let counts: Vec<String> = compared
        .aggregates
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    let all: u64 = compared.aggregates.values().sum();
    format!(
        "postgres-es reads the same {} events of {all} aggregates to the same states: {}",
        compared.events,
        counts.join(", ")
    )
}
