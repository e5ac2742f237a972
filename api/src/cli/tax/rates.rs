//! `hibachi tax rates import` and `hibachi tax rates export`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use commands::tax_rate::TaxRatesImport;
use domain::tax_rate::csv::write;
use projections::{At, tax_rates};

use super::closing::told;
use super::{Company, accountant, caller, new_key, state};
use crate::cli::{Verdict, say, write_out};

/// Tax rates as a file.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Rates {
    /// Take a CSV file of rates: all rows or none.
    Import(Import),
    /// Write every rate there is, those of the past included, as such a file.
    Export(Export),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The file: state, county, city, rate, effective_from, effective_until, source, zips.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    company: Company,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    company: Company,
    /// Two-letter state; all where absent.
    #[arg(long, value_parser = state)]
    state: Option<String>,
    /// Where to write them, whole or not at all; the terminal where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Rates {
    pub(in crate::cli) async fn run(self) -> Result<Verdict> {
        match self {
            Self::Import(import) => import.run().await,
            Self::Export(export) => export.run().await,
        }
    }
}

impl Import {
    async fn run(self) -> Result<Verdict> {
        let named = || format!("cannot read {}", self.file.display());
        let text = std::fs::read_to_string(&self.file).with_context(named)?;
        let done = self
            .company
            .with(async |app, tenant| {
                Ok(app
                    .commands
                    .import_tax_rates(caller(tenant), new_key()?, text)
                    .await)
            })
            .await?;
        let done = match done {
            Ok(TaxRatesImport::BadRows(rows)) => {
                for row in rows {
                    say(format_args!("line {}: {}: {}", row.line, row.code, row.reason));
                }
                return Ok(Verdict::FoundWrong);
            }
            Ok(TaxRatesImport::Taken(written)) => Ok(written),
            Err(error) => Err(error),
        };
        told(
            done,
            format_args!("the rates of {} are in force", self.file.display()),
        )
    }
}

impl Export {
    async fn run(self) -> Result<Verdict> {
        let rates = self
            .company
            .with(async |app, tenant| {
                app.views.catch_up(tenant).await?;
                let viewer = accountant(tenant);
                Ok(tax_rates::every(&app.views, &viewer, self.state.clone(), At::NOW).await?)
            })
            .await?;
        write_out(&write(&rates.value), self.out.as_deref())?;
        Ok(Verdict::Well)
    }
}
