//! Whether an export says what the log says: everything in it is made again from the log at the position that it names.

use std::path::{Path, PathBuf};

use domain::access::{Role, StationScope, Viewer};
use domain::ids::{TenantId, UserId};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::certificate::{Certificate, Seal, Sealing};
use super::columns::{SUMMARY_COLUMNS, line_columns, texts, total_texts};
use super::line::{Expected, Place};
use super::read::{Found, Said, Unreadable, read};
use super::{lines, summary_seal};
use crate::engine::{ProjectionError, ReadError, ReadModels, beside};
use crate::tax_report::{TaxBasis, TaxReport, of_log, tax_report_of_log};

/// Differences that are named; of more, only how many there are is said.
const NAMED: usize = 50;
/// Rows of the file that are read ahead.
const AHEAD: usize = 1_024;

/// Something in an export that the log does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `certificate`, `summary row 3`, `line 17 (position 9912)`.
    pub place: String,
    /// Which column, or field of the certificate.
    pub column: String,
    /// What the file says; empty where it says nothing.
    pub file: String,
    /// What the log says; empty where it says nothing.
    pub log: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What the file says of itself.
    pub certificate: Certificate,
    /// The first differences; none where the log says the same.
    pub differences: Vec<Difference>,
    /// How many there are.
    pub count: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file is no export.
    #[error(transparent)]
    File(#[from] Unreadable),
    /// The report cannot be made again.
    #[error(transparent)]
    Report(#[from] ReadError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ProjectionError),
}

/// Differences as they are found.
#[derive(Default)]
struct Differences {
    named: Vec<Difference>,
    count: u64,
}

impl Differences {
    fn add(
        &mut self,
        place: impl Into<String>,
        column: &str,
        file: impl Into<String>,
        log: impl Into<String>,
    ) {
        self.count += 1;
        if self.named.len() < NAMED {
            self.named.push(Difference {
                place: place.into(),
                column: column.to_owned(),
                file: file.into(),
                log: log.into(),
            });
        }
    }

    fn field(&mut self, name: &str, file: &str, log: &str) {
        if file != log {
            self.add("certificate", name, file, log);
        }
    }

    /// Compares the cells of a row.
    fn row(
        &mut self,
        place: &str,
        columns: impl Iterator<Item = &'static str>,
        file: &[String],
        log: &[String],
    ) {
        for (at, column) in columns.enumerate() {
            let (file, log) = (file.get(at), log.get(at));
            if file != log {
                let said = |cell: Option<&String>| cell.cloned().unwrap_or_default();
                self.add(place, column, said(file), said(log));
            }
        }
        for beside in file.iter().skip(log.len()).filter(|cell| !cell.is_empty()) {
            self.add(place, "beside the table", beside.as_str(), "");
        }
    }
}

/// Holds a file against a company's log.
///
/// # Errors
/// [`CheckError`] when the file is no export of ours, or the log does not answer.
pub async fn check(models: &ReadModels, tenant: TenantId, path: &Path) -> Result<Checked, CheckError> {
    let file = path.to_owned();
    // What it is of stands at its end.
    let Said { certificate, strays } = beside(move || read(&file, &mut |_| true)).await?;
    let mut found = Differences::default();
    for stray in strays {
        found.add("certificate", &stray.name, stray.found, stray.expected);
    }
    let before = found.count;
    found.field("COMPANY", &certificate.company.to_string(), &tenant.to_string());
    let head = models.log().head(tenant).await.map_err(ReadError::from)?.position;
    if certificate.position > head {
        found.add(
            "certificate",
            "POSITION",
            certificate.position.to_string(),
            format!("the log ends at {head}"),
        );
    }
    if found.count > before {
        return Ok(checked(certificate, found));
    }
    let hash = models.log().hash_at(tenant, certificate.position).await;
    let hash = hash
        .map_err(ReadError::from)?
        .map(hex::encode)
        .unwrap_or_default();
    found.field("HEAD", &certificate.head, &hash);

    let viewer = Viewer {
        tenant,
        user: UserId(Uuid::nil()),
        role: Role::Auditor,
        stations: certificate
            .stations
            .clone()
            .map_or(StationScope::All, StationScope::Only),
        through: None,
    };
    let report = tax_report_of_log(
        models,
        &viewer,
        certificate.basis,
        &certificate.state,
        certificate.period.clone(),
        certificate.position,
    )
    .await?;
    if let Some(seal) = &certificate.summary {
        compare_seals(
            &mut found,
            ["SUMMARY_ROWS", "SUMMARY_CHECKSUM"],
            seal,
            &summary_seal(&report),
        );
    }
    compare_rows(
        models,
        &viewer,
        &certificate,
        &report,
        path.to_owned(),
        &mut found,
    )
    .await?;
    Ok(checked(certificate, found))
}

fn checked(certificate: Certificate, found: Differences) -> Checked {
    Checked {
        certificate,
        differences: found.named,
        count: found.count,
    }
}

fn compare_seals(found: &mut Differences, [rows, checksum]: [&str; 2], file: &Seal, log: &Seal) {
    found.field(rows, &file.rows.to_string(), &log.rows.to_string());
    found.field(checksum, &file.checksum, &log.checksum);
}

/// The lines that the log has for what a file says it is of.
async fn expected<'a>(
    models: &'a ReadModels,
    viewer: &Viewer,
    certificate: &Certificate,
) -> Result<BoxStream<'a, Result<Expected, ProjectionError>>, ProjectionError> {
    let (state, period, position) = (&certificate.state, &certificate.period, certificate.position);
    Ok(match certificate.basis {
        TaxBasis::EventDate => {
            let lines = lines::of_log(models, viewer, state, period, position).await?;
            lines.map_ok(|line| Expected::of(&line)).boxed()
        }
        TaxBasis::PaymentDate => {
            let lines = of_log(models, viewer, state, period, position);
            lines.map_ok(|line| Expected::of(&line)).boxed()
        }
    })
}

/// Goes through the rows of the file and those of the log side by side.
async fn compare_rows(
    models: &ReadModels,
    viewer: &Viewer,
    certificate: &Certificate,
    report: &TaxReport,
    path: PathBuf,
    found: &mut Differences,
) -> Result<(), CheckError> {
    let (rows, mut read_rows) = mpsc::channel::<Found>(AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        // Nobody reads on where the comparison has ended.
        read(&path, &mut |row| rows.blocking_send(row).is_ok()).map(drop)
    });
    let mut stored = expected(models, viewer, certificate).await?;
    let mut summary = Summary::new(report);
    let mut lines = Lines::of(certificate.basis);
    let mut next: Option<Expected> = None;
    while let Some(row) = read_rows.recv().await {
        match row {
            Found::Summary(cells) => summary.row(found, &cells),
            Found::Total(cells) => summary.total(found, &cells),
            Found::Line(cells) => {
                if next.is_none() && !lines.ended {
                    next = lines.next(&mut stored).await?;
                }
                // What the log has before it is missing from the file.
                let place = Place::read(certificate.basis, &cells);
                while let (Some(at), Some(expected)) = (place, &next)
                    && expected.place < at
                {
                    missing(found, expected);
                    next = lines.next(&mut stored).await?;
                }
                lines.compare(found, &cells, place, &mut next);
            }
        }
    }
    match reading.await {
        Ok(read) => read?,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
    if let Some(seal) = &certificate.lines {
        if next.is_none() && !lines.ended {
            next = lines.next(&mut stored).await?;
        }
        while let Some(expected) = next {
            missing(found, &expected);
            next = lines.next(&mut stored).await?;
        }
        compare_seals(found, ["LINES", "LINES_CHECKSUM"], seal, &lines.sealing.seal());
    } else if lines.read > 0 {
        found.add("certificate", "LINES", "", lines.read.to_string());
    }
    if certificate.summary.is_some() {
        summary.end(found);
    }
    Ok(())
}

/// A line of the log that the file has not.
fn missing(found: &mut Differences, expected: &Expected) {
    let place = format!("position {}", expected.place.position);
    found.add(place, "line", "", expected.cells.join(","));
}

/// The summary, as far as it has been compared.
struct Summary<'a> {
    report: &'a TaxReport,
    rows: usize,
    has_total: bool,
}

impl<'a> Summary<'a> {
    fn new(report: &'a TaxReport) -> Self {
        Self {
            report,
            rows: 0,
            has_total: false,
        }
    }

    fn row(&mut self, found: &mut Differences, cells: &[String]) {
        let expected = self.report.rows.get(self.rows);
        self.rows += 1;
        let place = format!("summary row {}", self.rows);
        match expected {
            Some(row) => found.row(&place, names(), cells, &texts(&SUMMARY_COLUMNS, row)),
            None => found.add(place, "row", cells.join(","), ""),
        }
    }

    fn total(&mut self, found: &mut Differences, cells: &[String]) {
        self.has_total = true;
        found.row("summary total", names(), cells, &total_texts(&self.report.total));
    }

    fn end(self, found: &mut Differences) {
        for (place, row) in (1..).zip(&self.report.rows).skip(self.rows) {
            let place = format!("summary row {place}");
            found.add(place, "row", "", texts(&SUMMARY_COLUMNS, row).join(","));
        }
        if !self.has_total {
            found.add(
                "summary total",
                "row",
                "",
                total_texts(&self.report.total).join(","),
            );
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    SUMMARY_COLUMNS.iter().map(|column| column.name)
}

/// The lines, as far as they have been compared.
struct Lines {
    names: Vec<&'static str>,
    /// Those of the file.
    read: u64,
    /// Those of the log.
    sealing: Sealing,
    ended: bool,
}

impl Lines {
    fn of(basis: TaxBasis) -> Self {
        Self {
            names: line_columns(basis).map(|(name, _)| name).collect(),
            read: 0,
            sealing: Sealing::default(),
            ended: false,
        }
    }

    /// The log's next line.
    async fn next(
        &mut self,
        stored: &mut BoxStream<'_, Result<Expected, ProjectionError>>,
    ) -> Result<Option<Expected>, ProjectionError> {
        let next = stored.try_next().await?;
        match &next {
            Some(line) => self.sealing.take(&line.record),
            None => self.ended = true,
        }
        Ok(next)
    }

    /// Compares a line of the file with the log's next, which it is or comes before.
    fn compare(
        &mut self,
        found: &mut Differences,
        cells: &[String],
        at: Option<Place>,
        next: &mut Option<Expected>,
    ) {
        self.read += 1;
        let place = format!("line {}", self.read);
        match next.take() {
            // A place that cannot be read is one that was changed.
            Some(log) if at.is_none_or(|at| at == log.place) => {
                let place = format!("{place} (position {})", log.place.position);
                found.row(&place, self.names.iter().copied(), cells, &log.cells);
            }
            other => {
                *next = other;
                found.add(place, "line", cells.join(","), "");
            }
        }
    }
}
