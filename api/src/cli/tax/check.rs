//! `hibachi tax check`.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use projections::tax_export::{Checked, check};

use super::Company;
use crate::cli::{Verdict, say};
use crate::filing::{check_document, is_document};

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// A file that `hibachi tax report` has written, as CSV, XLSX, JSON or PDF.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    company: Company,
}

impl Check {
    pub(super) async fn run(self) -> Result<Verdict> {
        let checked = self
            .company
            .with(async |app, tenant| {
                let named = || format!("cannot read {}", self.file.display());
                let mut start = Vec::new();
                let file = File::open(&self.file).with_context(named)?;
                file.take(8).read_to_end(&mut start).with_context(named)?;
                if !is_document(&start) {
                    return Ok(check(&app.views, tenant, &self.file).await?);
                }
                let document = std::fs::read(&self.file).with_context(named)?;
                Ok(check_document(app, tenant, &document).await??)
            })
            .await?;
        Ok(tell(&checked))
    }
}

fn tell(checked: &Checked) -> Verdict {
    let certificate = &checked.certificate;
    let of = format!(
        "{} {} at position {}",
        certificate.state, certificate.period, certificate.position
    );
    if checked.count == 0 {
        let rows = |seal: Option<&projections::tax_export::Seal>| seal.map_or(0, |seal| seal.rows);
        say(format_args!(
            "{of}: {} rows and {} lines, and the log says the same",
            rows(certificate.summary.as_ref()),
            rows(certificate.lines.as_ref()),
        ));
        return Verdict::Well;
    }
    say(format_args!("{of}: {} differences", checked.count));
    for difference in &checked.differences {
        say(format_args!(
            "{}, {}: the file says {:?}, the log {:?}",
            difference.place, difference.column, difference.file, difference.log
        ));
    }
    let named = u64::try_from(checked.differences.len()).unwrap_or(u64::MAX);
    if named < checked.count {
        say(format_args!("and {} more", checked.count - named));
    }
    Verdict::FoundWrong
}
