//! One way to write an export for each format.

use std::io;

use super::cell::push_record;
use super::certificate::{Certificate, Sealing, format_of};
use super::columns::{SUMMARY_COLUMNS, line_columns};
use super::json::{push_certificate, push_object, push_string};
use super::line::{Line, Sums};
use super::xlsx::Workbook;
use super::{ExportFormat, Holds, csv};
use crate::engine::ReadError;
use crate::tax_cash::CashLineRow;
use crate::tax_ledger::TaxLineRow;
use crate::tax_report::{TaxBasis, TaxReport, TaxReportRow};

/// Writes an export: the lines as they come, and at the end what it says of itself.
pub(super) struct Encoder {
    holds: Holds,
    report: TaxReport,
    certificate: Certificate,
    sealing: Sealing,
    /// What the lines come to.
    sums: Sums,
    form: Form,
    record: Vec<u8>,
}

enum Form {
    Csv,
    Json,
    Xlsx(Box<Workbook>),
}

impl Encoder {
    pub(super) fn new(
        format: ExportFormat,
        holds: Holds,
        report: TaxReport,
        certificate: Certificate,
    ) -> Self {
        let form = match format {
            ExportFormat::Csv => Form::Csv,
            ExportFormat::Json => Form::Json,
            ExportFormat::Xlsx => Form::Xlsx(Box::new(Workbook::new())),
        };
        Self {
            holds,
            report,
            certificate,
            sealing: Sealing::default(),
            sums: Sums::default(),
            form,
            record: Vec::new(),
        }
    }

    /// Writes the next lines.
    pub(super) fn lines<L: Line>(&mut self, lines: &[L]) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::new();
        for line in lines {
            if self.sealing.is_empty() {
                self.begin(&mut out);
            }
            self.record.clear();
            line.push_record(&mut self.record);
            match &mut self.form {
                Form::Csv => out.extend_from_slice(&self.record),
                Form::Json => {
                    out.extend_from_slice(if self.sealing.is_empty() { b"\n" } else { b",\n" });
                    push_object(&mut out, L::COLUMNS, line);
                }
                Form::Xlsx(workbook) => workbook.line(line).map_err(|error| unwritten(L::TABLE, &error))?,
            }
            self.sealing.take(&self.record);
            self.sums.add(line.sums());
        }
        if let Form::Xlsx(workbook) = &mut self.form {
            out = workbook.take();
        }
        Ok(out)
    }

    /// What comes before the first line.
    fn begin(&self, out: &mut Vec<u8>) {
        match self.form {
            Form::Csv => csv::header(out, line_columns(self.report.basis).map(|(name, _)| name)),
            Form::Json => {
                summary_json(out, &self.report);
                out.extend_from_slice(b",\n\"lines\":[");
            }
            Form::Xlsx(_) => {}
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// [`ReadError::Unreadable`] when the lines do not come to what the report does: then one of the two read models is
    /// wrong, and nothing is certified.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, ReadError> {
        let mut out = Vec::new();
        let table = match self.report.basis {
            TaxBasis::EventDate => TaxLineRow::TABLE,
            TaxBasis::PaymentDate => CashLineRow::TABLE,
        };
        if self.holds == Holds::Detail {
            if self.sealing.is_empty() {
                self.begin(&mut out);
            }
            let reported = Sums::of(&self.report.total);
            if self.sums != reported {
                let (lines, report) = (self.sums, reported);
                return Err(ReadError::Unreadable {
                    table,
                    reason: format!("its lines come to {lines:?} and the report to {report:?}"),
                });
            }
            self.certificate.lines = Some(self.sealing.seal());
        }
        match (self.form, self.holds) {
            (Form::Csv, Holds::Summary) => summary_csv(&mut out, &self.report, &self.certificate),
            (Form::Csv, Holds::Detail) => {
                let columns = line_columns(self.report.basis).count();
                csv::footer(&mut out, &self.certificate, columns);
            }
            (Form::Json, holds) => {
                if holds == Holds::Summary {
                    summary_json(&mut out, &self.report);
                } else {
                    out.extend_from_slice(b"\n]");
                }
                out.extend_from_slice(b",\n\"certificate\":");
                push_certificate(&mut out, &self.certificate);
                out.extend_from_slice(b"}\n");
            }
            (Form::Xlsx(workbook), _) => {
                out = workbook
                    .finish(&self.report, &self.certificate)
                    .map_err(|error| unwritten(table, &error))?;
            }
        }
        Ok(out)
    }
}

/// The one table of a summary.
fn summary_csv(out: &mut Vec<u8>, report: &TaxReport, certificate: &Certificate) {
    csv::header(out, SUMMARY_COLUMNS.iter().map(|column| column.name));
    let cells = |row| SUMMARY_COLUMNS.iter().map(move |column| (column.cell)(row));
    for row in &report.rows {
        push_record(out, cells(row));
    }
    let total = TaxReportRow {
        county: csv::TOTAL.to_owned(),
        ..report.total.clone()
    };
    push_record(out, cells(&total));
    csv::footer(out, certificate, SUMMARY_COLUMNS.len());
}

/// What JSON begins with, up to the sums.
fn summary_json(out: &mut Vec<u8>, report: &TaxReport) {
    out.extend_from_slice(b"{\"format\":");
    push_string(out, format_of(report.basis));
    out.extend_from_slice(b",\n\"summary\":[");
    for (place, row) in report.rows.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"\n" } else { b",\n" });
        push_object(out, &SUMMARY_COLUMNS, row);
    }
    out.extend_from_slice(b"\n],\n\"total\":");
    push_object(out, &SUMMARY_COLUMNS, &report.total);
}

fn unwritten(table: &'static str, error: &io::Error) -> ReadError {
    ReadError::Unreadable {
        table,
        reason: format!("its lines cannot be written: {error}"),
    }
}
