//! `hibachi tax close` and `hibachi tax reopen`.

use anyhow::{Result, bail};
use clap::Args;
use commands::tax_period::TaxPeriodAsk;
use commands::{CommandError, Written};
use projections::period::Period;

use super::report::Basis;
use super::{Company, caller, new_key, state};
use crate::cli::{Verdict, say};
use crate::tax_closing::{ClosingError, close, days};

#[derive(Debug, Args)]
pub(in crate::cli) struct Close {
    #[command(flatten)]
    company: Company,
    /// Two-letter state.
    #[arg(long, value_parser = state)]
    state: String,
    /// 2025-11, 2025-Q4, 2025 or 2025-04-01..2025-06-15.
    #[arg(long)]
    period: Period,
    /// By which day tax is counted: periods are closed by that of the event.
    #[arg(long, value_enum, default_value_t = Basis::EventDate, hide_possible_values = true)]
    basis: Basis,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Reopen {
    #[command(flatten)]
    company: Company,
    /// Two-letter state.
    #[arg(long, value_parser = state)]
    state: String,
    /// The period as it was closed.
    #[arg(long)]
    period: Period,
    /// Why; it is in the trail.
    #[arg(long)]
    reason: String,
}

impl Close {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        if self.basis == Basis::PaymentDate {
            bail!(
                "periods are closed by the date of the event: a report by date of payment is a view, and never closed"
            );
        }
        let done = self
            .company
            .with(async |app, tenant| {
                Ok(close(app, caller(tenant), new_key()?, &self.state, &self.period).await)
            })
            .await?;
        let done = match done {
            Err(ClosingError::Command(error)) => Err(error),
            Err(error @ (ClosingError::Read(_) | ClosingError::Policy(_))) => return Err(error.into()),
            Ok(written) => Ok(written),
        };
        told(done, format_args!("{} {} is closed", self.state, self.period))
    }
}

impl Reopen {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        let ask = TaxPeriodAsk {
            state: self.state.clone(),
            period: days(&self.period),
        };
        let done = self
            .company
            .with(async |app, tenant| {
                let reason = self.reason.clone();
                let done = app
                    .commands
                    .reopen_tax_period(caller(tenant), new_key()?, ask, reason);
                Ok(done.await)
            })
            .await?;
        told(done, format_args!("{} {} is open again", self.state, self.period))
    }
}

/// What a command came to: a refusal is something that was found wrong, and says what.
pub(super) fn told(done: Result<Written, CommandError>, well: std::fmt::Arguments<'_>) -> Result<Verdict> {
    match done {
        Ok(written) => {
            say(format_args!("{well}, at position {}", written.position));
            Ok(Verdict::Well)
        }
        Err(CommandError::Refused(refused)) => {
            say(format_args!("{}: {}", refused.code, refused.message));
            Ok(Verdict::FoundWrong)
        }
        Err(error) => Err(error.into()),
    }
}
