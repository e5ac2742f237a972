//! `hibachi tax`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use domain::access::{Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use projections::period::Period;
use projections::{At, tax_report};

use super::{Verdict, expect_installation, tenant, with_app, write_out};
use crate::installation::Location;

/// Tax reports.
#[derive(Debug, Subcommand)]
pub(super) enum Tax {
    /// The tax of a state and a period, by jurisdiction.
    Report(Report),
}

#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Two-letter state.
    #[arg(long)]
    state: String,
    /// 2025-11, 2025-Q4, 2025 or 2025-04-01..2025-06-15.
    #[arg(long)]
    period: Period,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to write it; the terminal where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// RFC 4180.
    Csv,
}

impl Tax {
    pub(super) async fn run(self) -> Result<Verdict> {
        let Self::Report(ask) = self;
        expect_installation(&ask.location)?;
        with_app(&ask.location, async |app| {
            let tenant = tenant(&app, &ask.org).await?;
            app.views.catch_up(tenant).await?;
            let viewer = operator(tenant);
            let report =
                tax_report::tax_report(&app.views, &viewer, &ask.state, ask.period.clone(), At::NOW).await?;
            let mut text = Vec::new();
            match ask.format {
                Format::Csv => report.write_csv(&mut text)?,
            }
            let text = String::from_utf8(text).context("a report is text")?;
            write_out(&text, ask.out.as_deref())?;
            Ok(Verdict::Well)
        })
        .await
    }
}

/// Whoever has the installation's secrets reads as an auditor.
pub(super) fn operator(tenant: TenantId) -> Viewer {
    Viewer {
        tenant,
        user: UserId(uuid::Uuid::nil()),
        role: Role::Auditor,
        stations: StationScope::All,
    }
}
