//! Closing a period of tax: the order of the steps, which the write side and the read side take in turn.

use std::time::Duration;

use commands::tax_period::{ReportToClose, TaxPeriodAsk};
use commands::{Caller, CommandError, IdempotencyKey, Written};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use domain::tax_period::{TaxDays, UnresolvedTax};
use projections::period::Period;
use projections::tax_report::{tax_report, unresolved};
use projections::{At, ReadError};
use tokio::time::Instant;

use crate::app::App;

/// How long to wait for what follows payments, and how often to look.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Why a period was not closed.
#[derive(Debug, thiserror::Error)]
pub enum ClosingError {
    /// A rule forbids it, or the log is out of reach.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The report cannot be made.
    #[error("the report cannot be made")]
    Read(#[from] ReadError),
    /// What follows payments cannot go on.
    #[error("what follows payments cannot go on")]
    Policy(#[from] commands::policies::PolicyError),
}

/// The days of a period, as the log names them.
pub fn days(period: &Period) -> TaxDays {
    TaxDays {
        name: period.to_string(),
        from: period.from(),
        until: period.until(),
    }
}

/// Closes a period: brings up what follows payments, looks for what is unresolved, lets no more lines be added, makes the
/// report and writes down what it comes to.
///
/// # Errors
/// `TAX_PERIOD_UNRESOLVED` with what is, and the other refusals of a period; [`ClosingError`] when something is out of
/// reach: asked again under the same key, it goes on.
pub async fn close(
    app: &App,
    caller: Caller,
    key: IdempotencyKey,
    state: &str,
    period: &Period,
) -> Result<Written, ClosingError> {
    let tenant = caller.tenant;
    let ask = TaxPeriodAsk {
        state: state.to_owned(),
        period: days(period),
    };
    app.commands.may_close(&caller, &ask).await?;
    // Looked at before anything is written: a refusal leaves nothing behind but where somebody was faster.
    let (mut report, mut unresolved) = look(app, tenant, state, period).await?;
    if unresolved.is_empty() {
        let (begin, key) = (ask.clone(), key.clone());
        let closing = app.commands.begin_closing(caller.clone(), key, begin).await?;
        (report, unresolved) = look(app, tenant, state, period).await?;
        report.closing = Some(closing);
    }
    Ok(app
        .commands
        .close_tax_period(caller, key, ask, report, unresolved)
        .await?)
}

/// What the report of a period comes to as of now, and what is unresolved in it.
async fn look(
    app: &App,
    tenant: TenantId,
    state: &str,
    period: &Period,
) -> Result<(ReportToClose, UnresolvedTax), ClosingError> {
    let events_behind = followed(app, tenant).await?;
    let head = app.log.head(tenant).await.map_err(CommandError::from)?.position;
    let (viewer, at) = (everything(tenant), At::AsOf(head));
    let report = tax_report(&app.views, &viewer, state, period.clone(), at).await?;
    let open = unresolved(&app.views, &viewer, state, period, at).await?.value;
    let unresolved = UnresolvedTax {
        events_behind,
        ..open
    };
    let report = ReportToClose {
        closing: None,
        position: report.position,
        net_tax_cents: report.total.net_tax_cents,
        checksum: report.checksum,
    };
    Ok((report, unresolved))
}

/// Lets what follows payments go on to the end of the log, and says how many events it is still behind: none, unless
/// somebody else keeps it from going on.
async fn followed(app: &App, tenant: TenantId) -> Result<i64, ClosingError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // One policy may write what another has to look at.
        Box::pin(app.commands.react(tenant)).await?;
        let behind = app.commands.tax_events_behind(tenant).await?;
        if behind == 0 || Instant::now() >= deadline {
            return Ok(behind);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whoever sees the tax of all stations: a period is closed for the whole company.
fn everything(tenant: TenantId) -> Viewer {
    Viewer {
        tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Auditor,
        stations: StationScope::All,
        through: None,
    }
}
