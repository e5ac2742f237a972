//! `hibachi tax`: what an accountant takes away, and what shows that it is right.

mod books;
mod check;
mod closing;
mod rates;
mod report;
mod table;
mod vectors;

use anyhow::Result;
use clap::{Args, Subcommand};
use commands::{Caller, IdempotencyKey};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use domain::place::is_state;
use projections::At;
use replays::moment::Moment;

use super::{Verdict, expect_installation, tenant, with_app};
use crate::app::App;
use crate::installation::Location;

/// Tax reports, and what they rest on.
#[derive(Debug, Subcommand)]
pub(super) enum Tax {
    /// The tax of a state and a period: a summary by jurisdiction, or the lines behind it.
    Report(report::Report),
    /// Hold a file of a report against the log.
    Check(check::Check),
    /// Close a period: its report stays as it is, and what is found later goes to a day that is open.
    Close(closing::Close),
    /// Open a closed period again, with a reason.
    Reopen(closing::Reopen),
    /// Tax rates as a file.
    #[command(subcommand)]
    Rates(rates::Rates),
    /// The books, in double entry, for a bookkeeping program.
    Books(books::Books),
    /// Run published cases, or your own, through the arithmetic that bookings are taxed by.
    Vectors(vectors::Vectors),
}

/// Whose tax.
#[derive(Debug, Args)]
struct Company {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
}

impl Company {
    /// Runs a command over the company.
    async fn with<T>(&self, work: impl AsyncFnOnce(&App, TenantId) -> Result<T>) -> Result<T> {
        expect_installation(&self.location)?;
        with_app(&self.location, async |app| {
            let tenant = tenant(&app, &self.org).await?;
            work(&app, tenant).await
        })
        .await
    }
}

impl Tax {
    pub(super) async fn run(self) -> Result<Verdict> {
        match self {
            Self::Report(report) => report.run().await,
            Self::Check(check) => check.run().await,
            Self::Close(close) => close.run().await,
            Self::Reopen(reopen) => reopen.run().await,
            Self::Rates(rates) => rates.run().await,
            Self::Books(books) => books.run().await,
            Self::Vectors(vectors) => vectors.run(),
        }
    }
}

/// A state by its code.
fn state(text: &str) -> Result<String, String> {
    if is_state(text) {
        return Ok(text.to_owned());
    }
    Err("a state has two capital letters, such as CA".to_owned())
}

/// When an answer is asked for.
async fn at(app: &App, tenant: TenantId, moment: Moment) -> Result<At> {
    Ok(match moment {
        Moment::Head => At::NOW,
        Moment::Position(position) => At::AsOf(position),
        Moment::Instant(instant) => At::AsOf(app.views.as_of_instant(tenant, instant).await?),
    })
}

/// The operator, who has the installation's secrets, in what is written.
fn caller(tenant: TenantId) -> Caller {
    Caller::system(tenant, "hibachi tax")
}

/// A key that nobody has used: each run is a command of its own.
fn new_key() -> Result<IdempotencyKey> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(IdempotencyKey::from_client(&hex::encode(bytes))?)
}

/// Whoever has the installation's secrets reads and exports as an accountant of the whole company.
fn accountant(tenant: TenantId) -> Viewer {
    Viewer {
        tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Accountant,
        stations: StationScope::All,
        through: None,
    }
}
