//! The tax report of a period as a file that can be held against the log: CSV, a workbook or JSON, in constant memory.
//!
//! What stands in the files, and how their checksums are made, is in `docs/tax-export.md`.

mod cell;
mod certificate;
mod check;
mod columns;
mod csv;
mod encode;
mod json;
mod line;
mod lines;
mod read;
mod xlsx;

use std::fmt;

use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::ids::TenantId;
use futures::Stream;
use futures::stream::try_unfold;
use tokio::sync::mpsc::Receiver;

use crate::engine::{At, ReadError, ReadModels, beside};
use crate::period::Period;
use crate::tax_cash::CashLineRow;
use crate::tax_ledger::TaxLineRow;
use crate::tax_report::{TaxBasis, TaxReport, tax_report_on, up_to};

pub use cell::CellKind;
pub(crate) use cell::{Cell, legible, push_record};
pub use certificate::{BadCertificate, Certificate, FORMAT, FORMAT_BY_PAYMENT, Seal};
pub(crate) use certificate::{Sealing, stations_text};
pub use check::{CheckError, Checked, Difference, check};
pub use columns::{line_columns, summary_columns, summary_texts};
pub use read::Unreadable;

use encode::Encoder;
use line::Line;

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// One table (RFC 4180).
    Csv,
    /// A workbook: the summary first, the lines behind it.
    Xlsx,
    /// Both tables.
    Json,
}

impl ExportFormat {
    /// The format of a word, which is also how its files are called.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Json => "application/json",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holds {
    /// A row for each jurisdiction and rate.
    Summary,
    /// The lines behind it. In CSV, which has one table, the lines alone; otherwise the summary as well.
    Detail,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportAsk {
    /// When tax is counted.
    pub basis: TaxBasis,
    /// Two-letter state.
    pub state: String,
    /// Which days.
    pub period: Period,
    /// How it is written.
    pub format: ExportFormat,
    /// What it holds.
    pub holds: Holds,
    /// Now, or as of a position.
    pub at: At,
}

impl ExportAsk {
    /// What a file of it is called.
    pub fn file_name(&self) -> String {
        let part = match self.holds {
            Holds::Summary => "",
            Holds::Detail => "-detail",
        };
        let basis = file_part(self.basis);
        format!("tax-{}-{}{basis}{part}.{}", self.state, self.period, self.format)
    }

    fn has_summary(&self) -> bool {
        self.format != ExportFormat::Csv || self.holds == Holds::Summary
    }
}

/// What the names of files say of a basis: nothing of the one that a return is made of.
pub fn file_part(basis: TaxBasis) -> &'static str {
    match basis {
        TaxBasis::EventDate => "",
        TaxBasis::PaymentDate => "-by-payment-date",
    }
}

/// An export that has begun: what it is of is known, its bytes are still to come.
pub struct Export {
    /// The last position of the log that it holds.
    pub position: Position,
    /// Hash of the log there, as hexadecimal digits.
    pub head: String,
    state: State,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// What is left to write.
struct State {
    encoder: Encoder,
    lines: Option<Pages>,
}

/// Lines as they are read.
enum Pages {
    ByEvent(Receiver<Result<Vec<TaxLineRow>, ReadError>>),
    ByPayment(Receiver<Result<Vec<CashLineRow>, ReadError>>),
}

impl Pages {
    /// The next page as it is written; the encoder alone where there is none.
    async fn next(&mut self, encoder: Encoder) -> Result<(Encoder, Option<Vec<u8>>), ReadError> {
        match self {
            Self::ByEvent(pages) => written(encoder, pages.recv().await).await,
            Self::ByPayment(pages) => written(encoder, pages.recv().await).await,
        }
    }
}

async fn written<L: Line + Send>(
    mut encoder: Encoder,
    page: Option<Result<Vec<L>, ReadError>>,
) -> Result<(Encoder, Option<Vec<u8>>), ReadError> {
    let Some(page) = page else {
        return Ok((encoder, None));
    };
    let page = page?;
    // To write a page takes long enough to hold up whoever shares the thread.
    let (encoder, bytes) = beside(move || {
        let bytes = encoder.lines(&page);
        (encoder, bytes)
    })
    .await;
    Ok((encoder, Some(bytes?)))
}

/// Begins an export: of the report, whose position is the export's, and of the lines up to there.
///
/// # Errors
/// [`ReadError`] when the viewer may not export tax, or there is no answer.
pub async fn export(models: &ReadModels, viewer: &Viewer, ask: &ExportAsk) -> Result<Export, ReadError> {
    viewer.require(Permission::TaxExport)?;
    let report = tax_report_on(models, viewer, ask.basis, &ask.state, ask.period.clone(), ask.at).await?;
    require_whole(&report)?;
    let position = report.position;
    let head = head_of(models, viewer.tenant, position).await?;
    let mut certificate = certificate_of(&report, viewer, &head);
    if !ask.has_summary() {
        certificate.summary = None;
    }
    let lines = match ask.holds {
        Holds::Summary => None,
        Holds::Detail => Some(match ask.basis {
            TaxBasis::EventDate => {
                Pages::ByEvent(lines::up_to(models, viewer, &ask.state, &ask.period, position))
            }
            TaxBasis::PaymentDate => {
                Pages::ByPayment(up_to(models, viewer, &ask.state, &ask.period, position))
            }
        }),
    };
    Ok(Export {
        position,
        head,
        state: State {
            encoder: Encoder::new(ask.format, ask.holds, report, certificate),
            lines,
        },
    })
}

/// Refuses a report that lacks events: nobody files it.
///
/// # Errors
/// [`ReadError::Unreadable`] when it does.
pub fn require_whole(report: &TaxReport) -> Result<(), ReadError> {
    if report.info.incomplete {
        return Err(ReadError::Unreadable {
            table: match report.basis {
                TaxBasis::EventDate => "tax_summary",
                TaxBasis::PaymentDate => "tax_cash",
            },
            reason: "it lacks events that cannot be applied: an export would not be whole".to_owned(),
        });
    }
    Ok(())
}

/// What a report says of itself, without lines, where the log has a hash at its position.
pub fn certificate_of(report: &TaxReport, viewer: &Viewer, head: &str) -> Certificate {
    Certificate {
        basis: report.basis,
        company: viewer.tenant,
        state: report.state.clone(),
        period: report.period.clone(),
        stations: viewer.stations.only().map(<[_]>::to_vec),
        position: report.position,
        head: head.to_owned(),
        summary: Some(summary_seal(report)),
        lines: None,
    }
}

/// The hash of a log at a position, as hexadecimal digits.
///
/// # Errors
/// [`ReadError`] when the log is damaged there, or does not answer.
pub async fn head_of(models: &ReadModels, tenant: TenantId, position: Position) -> Result<String, ReadError> {
    let hash = models.log().hash_at(tenant, position).await?;
    let hash = hash.ok_or_else(|| ReadError::Unreadable {
        table: "log_blocks",
        reason: format!("position {position} is in no block"),
    })?;
    Ok(hex::encode(hash))
}

fn summary_seal(report: &TaxReport) -> Seal {
    Seal {
        rows: u64::try_from(report.rows.len()).expect("a report fits memory"),
        checksum: report.checksum.clone(),
    }
}

impl Export {
    /// Its bytes, as they are made; memory holds a few pages of lines, however many there are. The stream ends with its
    /// first error: what came before it is no whole file then, and has no certificate.
    pub fn bytes(self) -> impl Stream<Item = Result<Vec<u8>, ReadError>> + Send + 'static {
        try_unfold(Some(self.state), async |state| {
            let Some(State { encoder, lines }) = state else {
                return Ok(None);
            };
            let Some(mut lines) = lines else {
                let last = beside(move || encoder.finish()).await?;
                return Ok(Some((last, None)));
            };
            let (encoder, bytes) = lines.next(encoder).await?;
            let lines = bytes.is_some().then_some(lines);
            let state = State { encoder, lines };
            Ok(Some((bytes.unwrap_or_default(), Some(state))))
        })
    }
}

#[cfg(test)]
mod tests;
