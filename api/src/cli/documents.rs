//! `hibachi documents`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use domain::access::{Role, StationScope, Viewer};
use domain::document::DocumentNumber;
use domain::ids::UserId;

use super::{Verdict, expect_installation, note, tenant, with_app};
use crate::documents;
use crate::installation::Location;

/// Invoices, receipts and credit notes.
#[derive(Debug, Subcommand)]
pub(super) enum Documents {
    /// Write a document as PDF: the same document is the same file, for ever.
    Pdf(Pdf),
}

#[derive(Debug, Args)]
pub(super) struct Pdf {
    #[command(flatten)]
    location: Location,
    /// Slug of the company.
    #[arg(long, value_name = "SLUG")]
    org: String,
    /// Number of the document, such as INV-2026-000123.
    #[arg(value_name = "NUMBER")]
    number: DocumentNumber,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Documents {
    pub(super) async fn run(self) -> Result<Verdict> {
        let Self::Pdf(ask) = self;
        expect_installation(&ask.location)?;
        with_app(&ask.location, async |app| {
            let tenant = tenant(&app, &ask.org).await?;
            app.views.catch_up(tenant).await?;
            // Whoever has the installation's secrets reads as an auditor.
            let viewer = Viewer {
                tenant,
                user: UserId(uuid::Uuid::nil()),
                role: Role::Auditor,
                stations: StationScope::All,
                through: None,
            };
            let Some(bytes) = documents::pdf(&app, &viewer, ask.number).await? else {
                note(format!("there is no document {}", ask.number));
                return Ok(Verdict::FoundWrong);
            };
            let beside = ask.out.with_extension(format!("{}.part", std::process::id()));
            let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, &ask.out));
            written
                .inspect_err(|_| {
                    // It may not be there; what is said is why the file is not.
                    std::fs::remove_file(&beside).ok();
                })
                .with_context(|| format!("cannot write {}", ask.out.display()))?;
            Ok(Verdict::Well)
        })
        .await
    }
}
