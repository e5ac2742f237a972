//! `hibachi bench export`: tax lines written to CSV and to a workbook, in how much memory, beside a copy of the same rows.
//! What is counted are lines; the bytes go nowhere.

use std::sync::Arc;

use anyhow::{Result, ensure};
use clap::Args;
use domain::access::{Role, StationScope, Viewer};
use domain::ids::UserId;
use futures::{TryStreamExt, pin_mut};
use projections::tax_export::{ExportAsk, ExportFormat, Holds, export};
use projections::tax_report::TaxBasis;
use projections::{At, ReadModels, Unwatched, projection};
use sqlx::Executor;
use sqlx::postgres::PgPool;
use uuid::Uuid;

use super::Ask;
use super::business::Business;
use super::report::{OURS, Report};
use super::work::{Done, Measured, Miss, Work, once};
use super::world::World;
use crate::cli::memory;

const CSV: &str = "export_csv";
const XLSX: &str = "export_xlsx";
const CSV_TENTH: &str = "export_csv_tenth";
const XLSX_TENTH: &str = "export_xlsx_tenth";
/// Every case's name: of all lines, and of a tenth of them, so that what grows with the lines is seen.
pub(super) const CASES: [&str; 4] = [CSV, XLSX, CSV_TENTH, XLSX_TENTH];

const COPY: &str = "copy";
/// The same rows in the same order, as the server itself writes them.
const ROWS: &str = "copy (
    select * from tax_ledger where generation in (
        select generation from projection_checkpoints where projection = 'tax_ledger' and status = 'live'
    ) order by position
) to stdout (format csv)";

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportBench {
    #[command(flatten)]
    pub(super) ask: Ask,
    /// Lines that are written first, each of a party that was held.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    lines: u64,
}

impl ExportBench {
    pub(super) async fn measure(&self, world: &World, report: &mut Report) -> Result<()> {
        let tenth = self.lines.div_ceil(10);
        let sizes = [
            (
                tenth,
                [(CSV_TENTH, ExportFormat::Csv), (XLSX_TENTH, ExportFormat::Xlsx)],
            ),
            (self.lines, [(CSV, ExportFormat::Csv), (XLSX, ExportFormat::Xlsx)]),
        ];
        let business = Business::open(&world.ours).await?;
        let mut written = 0;
        for (lines, cases) in sizes {
            if !cases.iter().any(|(case, _)| self.ask.wants(case)) {
                continue;
            }
            business.fill_held(lines - written).await?;
            written = lines;
            self.measure_size(world, report, lines, cases).await?;
        }
        Ok(())
    }

    /// Measures exports of so many lines, which are in the log.
    async fn measure_size(
        &self,
        world: &World,
        report: &mut Report,
        lines: u64,
        cases: [(&'static str, ExportFormat); 2],
    ) -> Result<()> {
        let models = ReadModels::new(world.ours.log.clone());
        for view in ["tax_ledger", "tax_summary"] {
            projection(view)?
                .rebuild(&models, world.ours.tenant, &Unwatched)
                .await?;
        }
        world.owner.execute("vacuum (analyze) tax_ledger").await?;
        for round in 1..=self.ask.rounds {
            for (case, format) in cases {
                if !self.ask.wants(case) {
                    continue;
                }
                let ours = Exported {
                    models: models.clone(),
                    viewer: viewer(world),
                    ask: Arc::new(ask(format)?),
                    lines,
                };
                report.add(case, OURS, 1, round, &self.timed(world, &ours).await?)?;
                let copied = Copied {
                    owner: world.owner.clone(),
                    lines,
                };
                report.add(case, COPY, 1, round, &self.timed(world, &copied).await?)?;
            }
        }
        Ok(())
    }

    async fn timed<W: Work>(&self, world: &World, work: &W) -> Result<Measured> {
        world.settle().await;
        memory::forget_peak();
        // What filling has left behind is no part of it.
        let before = memory::peak();
        let mut measured = once(work).await?;
        ensure!(measured.errors == 0, "{:?}", measured.first_error);
        measured.peak_mib = memory::peak();
        measured.grown_mib = measured
            .peak_mib
            .zip(before)
            .map(|(peak, before)| peak.saturating_sub(before));
        Ok(measured)
    }
}

fn viewer(world: &World) -> Viewer {
    Viewer {
        tenant: world.ours.tenant,
        user: UserId(Uuid::nil()),
        role: Role::Accountant,
        stations: StationScope::All,
        through: None,
    }
}

fn ask(format: ExportFormat) -> Result<ExportAsk> {
    Ok(ExportAsk {
        basis: TaxBasis::EventDate,
        state: "CA".to_owned(),
        period: "2026".parse()?,
        format,
        holds: Holds::Detail,
        at: At::NOW,
    })
}

/// A whole export, from the report to the certificate.
#[derive(Clone)]
struct Exported {
    models: ReadModels,
    viewer: Viewer,
    ask: Arc<ExportAsk>,
    lines: u64,
}

impl Work for Exported {
    async fn once(&self) -> Result<Done, Miss> {
        let bytes = export(&self.models, &self.viewer, &self.ask).await?.bytes();
        pin_mut!(bytes);
        let mut written = 0;
        while let Some(piece) = bytes.try_next().await? {
            written += piece.len();
        }
        let lines = usize::try_from(self.lines).unwrap_or(usize::MAX);
        if written < lines {
            return Err(Miss::Failed(anyhow::anyhow!(
                "{written} bytes are no {lines} lines"
            )));
        }
        Ok(Done {
            events: self.lines,
            loaded: 0,
        })
    }
}

/// The server's own.
#[derive(Clone)]
struct Copied {
    owner: PgPool,
    lines: u64,
}

impl Work for Copied {
    async fn once(&self) -> Result<Done, Miss> {
        let mut connection = self.owner.acquire().await?;
        let mut messages = connection.copy_out_raw(ROWS).await?;
        let mut rows = 0;
        while let Some(message) = messages.try_next().await? {
            rows += u64::from(!message.is_empty());
        }
        if rows != self.lines {
            return Err(Miss::Failed(anyhow::anyhow!(
                "{rows} rows are no {} lines",
                self.lines
            )));
        }
        Ok(Done {
            events: rows,
            loaded: 0,
        })
    }
}
