//! `hibachi tax check`.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use projections::tax_export::{Checked, check};
use projections::tax_report::TaxBasis;

use super::Company;
use crate::cli::{Verdict, say};
use crate::filing::{check_document, is_document};

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// A file that `hibachi tax report` has written, as CSV, XLSX, JSON or PDF, on either basis.
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
    let basis = match certificate.basis {
        TaxBasis::EventDate => "",
        TaxBasis::PaymentDate => " by date of payment",
    };
    let of = format!(
        "{} {}{basis} at position {}",
        certificate.state, certificate.period, certificate.position
    );
    if checked.count == 0 {
        let summary = certificate.summary.as_ref();
        let lines = certificate.lines.as_ref();
        let held = [
            summary.map(|seal| format!("{} rows of the summary", seal.rows)),
            lines.map(|seal| format!("{} lines", seal.rows)),
        ];
        let held: Vec<String> = held.into_iter().flatten().collect();
        say(format_args!(
            "{of}: {}, and the log says the same",
            held.join(" and ")
        ));
        return Verdict::Well;
    }
    match checked.count {
        1 => say(format_args!("{of}: 1 difference")),
        count => say(format_args!("{of}: {count} differences")),
    }
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
