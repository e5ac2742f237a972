//! `hibachi tax report`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use domain::access::Viewer;
use futures::{StreamExt, pin_mut};
use projections::period::Period;
use projections::tax_export::{ExportAsk, ExportFormat, Holds, export};
use projections::tax_report::{TaxBasis, tax_report_on};
use projections::{At, ReadError};
use replays::moment::Moment;

use super::table::table;
use super::{Company, accountant, at, state};
use crate::app::App;
use crate::cli::{Verdict, write_out};
use crate::filing::filed_report;

#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    #[command(flatten)]
    company: Company,
    /// Two-letter state.
    #[arg(long, value_parser = state)]
    state: String,
    /// 2025-11, 2025-Q4, 2025 or 2025-04-01..2025-06-15.
    #[arg(long)]
    period: Period,
    /// By which day tax is counted.
    #[arg(long, value_enum, default_value_t = Basis::EventDate)]
    basis: Basis,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// The lines behind the summary: in CSV instead of it, in XLSX and JSON beside it.
    #[arg(long, conflicts_with = "summary")]
    detail: bool,
    /// The summary alone; so it is in CSV if nothing is said, while XLSX and JSON hold both.
    #[arg(long)]
    summary: bool,
    /// As it stood: a position, an instant with its zone, or head.
    #[arg(long, value_name = "POSITION|INSTANT", default_value = "head")]
    as_of: Moment,
    /// Where to write it, whole or not at all; the terminal where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Basis {
    /// The day of the event: what a return is made of, and what is closed.
    EventDate,
    /// The day that money moved, of parties that were held: a view, never closed, and no return.
    PaymentDate,
}

impl From<Basis> for TaxBasis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::EventDate => Self::EventDate,
            Basis::PaymentDate => Self::PaymentDate,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the summary, with columns that line up.
    Table,
    /// RFC 4180.
    Csv,
    /// A workbook.
    Xlsx,
    /// JSON.
    Json,
    /// A document to file.
    Pdf,
}

impl Report {
    pub(super) async fn run(self) -> Result<Verdict> {
        self.company
            .with(async |app, tenant| {
                app.views.catch_up(tenant).await?;
                let viewer = accountant(tenant);
                self.write(app, &viewer, at(app, tenant, self.as_of).await?).await
            })
            .await?;
        Ok(Verdict::Well)
    }

    async fn write(&self, app: &App, viewer: &Viewer, at: At) -> Result<()> {
        let format = match self.format {
            Format::Csv => ExportFormat::Csv,
            Format::Xlsx => ExportFormat::Xlsx,
            Format::Json => ExportFormat::Json,
            Format::Table | Format::Pdf => return self.write_summary(app, viewer, at).await,
        };
        let detail = self.detail || !self.summary && format != ExportFormat::Csv;
        let ask = ExportAsk {
            basis: self.basis.into(),
            state: self.state.clone(),
            period: self.period.clone(),
            format,
            holds: if detail { Holds::Detail } else { Holds::Summary },
            at,
        };
        let bytes = export(&app.views, viewer, &ask).await?.bytes();
        write(self.out.as_deref(), bytes).await
    }

    /// What has no lines.
    async fn write_summary(&self, app: &App, viewer: &Viewer, at: At) -> Result<()> {
        if self.detail {
            bail!("the lines are written as csv, xlsx or json");
        }
        let (basis, state, period) = (self.basis.into(), &self.state, self.period.clone());
        if self.format == Format::Table {
            let report = tax_report_on(&app.views, viewer, basis, state, period, at).await?;
            return write_out(&table(&report), self.out.as_deref());
        }
        let (_, pdf) = filed_report(app, viewer, basis, state, period, at).await?;
        let bytes = futures::stream::iter([Ok::<_, ReadError>(pdf)]);
        write(self.out.as_deref(), bytes).await
    }
}

/// Writes bytes to a file, or to the terminal where there is none.
pub(super) async fn write(
    out: Option<&Path>,
    bytes: impl futures::Stream<Item = Result<Vec<u8>, ReadError>>,
) -> Result<()> {
    match out {
        Some(path) => to_file(path, bytes).await,
        None => to(&mut std::io::stdout().lock(), bytes).await,
    }
}

/// Writes a file as its bytes come. It appears whole or not at all.
async fn to_file(path: &Path, bytes: impl futures::Stream<Item = Result<Vec<u8>, ReadError>>) -> Result<()> {
    let named = || format!("cannot write {}", path.display());
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = File::create(&beside).with_context(named)?;
    let mut written = to(&mut file, bytes).await;
    if written.is_ok() {
        written = std::fs::rename(&beside, path).map_err(Into::into);
    }
    written
        .inspect_err(|_| {
            // It may not be there; what is said is why the file is not.
            std::fs::remove_file(&beside).ok();
        })
        .with_context(named)
}

async fn to(
    out: &mut impl Write,
    bytes: impl futures::Stream<Item = Result<Vec<u8>, ReadError>>,
) -> Result<()> {
    pin_mut!(bytes);
    while let Some(piece) = bytes.next().await {
        match out.write_all(&piece?) {
            // Whoever has read enough may close the pipe.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    Ok(out.flush()?)
}
