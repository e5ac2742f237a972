//! `hibachi tax books`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use projections::books::{BooksFormat, books};
use replays::moment::Moment;

use super::{Company, accountant, at};
use crate::cli::Verdict;
use crate::cli::tax::report::write;

#[derive(Debug, Args)]
pub(in crate::cli) struct Books {
    #[command(flatten)]
    company: Company,
    /// How to write them.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// First day.
    #[arg(long, value_name = "DATE")]
    from: NaiveDate,
    /// Last day, inclusive.
    #[arg(long, value_name = "DATE")]
    to: NaiveDate,
    /// As they stood: a position, an instant with its zone, or head.
    #[arg(long, value_name = "POSITION|INSTANT", default_value = "head")]
    as_of: Moment,
    /// Where to write them, whole or not at all; the terminal where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A ledger for beancount, which also hledger reads.
    Beancount,
    /// A general journal: a record for each posting (RFC 4180).
    Csv,
}

impl Books {
    pub(super) async fn run(self) -> Result<Verdict> {
        if self.to < self.from {
            bail!("--to {} is before --from {}", self.to, self.from);
        }
        let format = match self.format {
            Format::Beancount => BooksFormat::Beancount,
            Format::Csv => BooksFormat::Csv,
        };
        self.company
            .with(async |app, tenant| {
                app.views.catch_up(tenant).await?;
                let (days, at) = ((self.from, self.to), at(app, tenant, self.as_of).await?);
                let file = books(&app.views, &accountant(tenant), format, days, at).await?;
                write(self.out.as_deref(), file.bytes()).await
            })
            .await?;
        Ok(Verdict::Well)
    }
}
