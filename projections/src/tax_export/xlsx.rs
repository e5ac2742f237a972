//! An export as a workbook (ECMA-376): the summary with what it says of itself first, the lines behind it.
//!
//! Written from front to back in constant memory and without a file beside it: texts stand in their cells, and the sheet of
//! the summary is the first of the workbook and the last of the archive, for it holds the checksum of the lines.

mod cells;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::certificate::Certificate;
use super::columns::SUMMARY_COLUMNS;
use super::line::Line;
use crate::tax_cash::CashLineRow;
use crate::tax_ledger::TaxLineRow;
use crate::tax_report::{TaxBasis, TaxReport, TaxReportRow};

pub(crate) use self::cells::day;
use self::cells::{open_sheet, push_header, push_named, push_row, push_total};

/// Name of the first sheet.
pub(crate) const SUMMARY_SHEET: &str = "Summary";
/// Name of the sheet of the lines; a second one is called `Lines 2`.
pub(crate) const LINES_SHEET: &str = "Lines";
/// Lines of a sheet: spreadsheets end at 1,048,576 rows.
const SHEET_LINES: u64 = 1_000_000;
/// The least effort: a workbook is streamed to somebody who waits.
const LEVEL: i64 = 1;
/// Text that is given to the archive at a time.
const CHUNK: usize = 1 << 18;

/// Bytes of the archive that nobody has taken yet.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<u8>>>);

impl Taken {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Taken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A workbook in the making.
pub(crate) struct Workbook {
    archive: ZipWriter<StreamWriter<Taken>>,
    taken: Taken,
    xml: Vec<u8>,
    /// Sheets of lines so far.
    sheets: u64,
    /// Rows of the last of them, its header included.
    rows: u64,
    /// Columns of it.
    columns: usize,
    /// Lines of a sheet at most.
    sheet_lines: u64,
}

impl Workbook {
    /// A workbook without sheets.
    pub(crate) fn new() -> Self {
        Self::of_sheets_of(SHEET_LINES)
    }

    /// The same with so many lines on a sheet.
    pub(crate) fn of_sheets_of(sheet_lines: u64) -> Self {
        let taken = Taken::default();
        Self {
            archive: ZipWriter::new_stream(taken.clone()),
            taken,
            xml: Vec::new(),
            sheets: 0,
            rows: 0,
            columns: 0,
            sheet_lines,
        }
    }

    /// What has been written since it was asked last.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.taken.take()
    }

    /// The next line.
    pub(crate) fn line<L: Line>(&mut self, line: &L) -> io::Result<()> {
        if self.sheets == 0 || self.rows > self.sheet_lines {
            self.open_lines::<L>()?;
        }
        self.rows += 1;
        push_row(&mut self.xml, self.rows, L::COLUMNS, line);
        self.pass_on(CHUNK)
    }

    fn open_lines<L: Line>(&mut self) -> io::Result<()> {
        self.close_lines()?;
        self.sheets += 1;
        self.start(&format!("xl/worksheets/sheet{}.xml", self.sheets + 1))?;
        open_sheet(&mut self.xml, 1, L::COLUMNS);
        push_header(&mut self.xml, 1, L::COLUMNS);
        self.rows = 1;
        self.columns = L::COLUMNS.len();
        Ok(())
    }

    fn close_lines(&mut self) -> io::Result<()> {
        if self.sheets > 0 {
            let last = cells::reference(self.columns, self.rows.max(1));
            let close = format!("</sheetData><autoFilter ref=\"A1:{last}\"/></worksheet>");
            self.xml.extend_from_slice(close.as_bytes());
            self.pass_on(0)?;
        }
        Ok(())
    }

    /// The rest of the workbook: the last sheet of lines, the summary, and what holds them together.
    pub(crate) fn finish(mut self, report: &TaxReport, certificate: &Certificate) -> io::Result<Vec<u8>> {
        if certificate.lines.is_some() && self.sheets == 0 {
            match certificate.basis {
                TaxBasis::EventDate => self.open_lines::<TaxLineRow>()?,
                TaxBasis::PaymentDate => self.open_lines::<CashLineRow>()?,
            }
        }
        self.close_lines()?;
        self.start("xl/worksheets/sheet1.xml")?;
        let head = u64::try_from(certificate.fields().len()).expect("a certificate is short") + 2;
        open_sheet(&mut self.xml, head, &SUMMARY_COLUMNS);
        for (row, (name, value)) in (1..).zip(certificate.fields()) {
            push_named(&mut self.xml, row, name, &value);
        }
        push_header(&mut self.xml, head, &SUMMARY_COLUMNS);
        let rows: &[TaxReportRow] = &report.rows;
        let mut at = head;
        for row in rows {
            at += 1;
            push_row(&mut self.xml, at, &SUMMARY_COLUMNS, row);
        }
        push_total(&mut self.xml, at + 1, &SUMMARY_COLUMNS, &report.total);
        self.xml.extend_from_slice(b"</sheetData></worksheet>");
        self.pass_on(0)?;
        for (name, text) in cells::parts(self.sheets) {
            self.start(name)?;
            self.xml.extend_from_slice(text.as_bytes());
            self.pass_on(0)?;
        }
        self.archive.finish().map_err(io::Error::other)?;
        Ok(self.taken.take())
    }

    fn start(&mut self, name: &str) -> io::Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL));
        self.archive.start_file(name, options).map_err(io::Error::other)
    }

    fn pass_on(&mut self, more_than: usize) -> io::Result<()> {
        if self.xml.len() > more_than {
            self.archive.write_all(&self.xml)?;
            self.xml.clear();
        }
        Ok(())
    }
}
