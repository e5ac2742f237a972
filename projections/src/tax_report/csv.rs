//! The tax report as a file (RFC 4180).

use std::io::Write;

use domain::money::RatePpm;

use super::{TaxReport, TaxReportRow};

/// Names of the columns, in order.
const HEADER: [&str; 11] = [
    "county",
    "city",
    "rate",
    "orders",
    "gross",
    "non_taxable",
    "taxable",
    "tax",
    "refunded_tax",
    "net_tax",
    "variance",
];

impl TaxReport {
    /// Writes the report as CSV: the header, a record for each row, and three that say in their first field
    /// what they are: `TOTAL`, with the sums; `POSITION`, with the log's position in the second field; and
    /// `CHECKSUM`, with the checksum of the rows there. Every record has all fields.
    ///
    /// Amounts are plain decimals in dollars with a point, rates plain decimal fractions. Names that a
    /// spreadsheet would take for a formula are led by an apostrophe.
    ///
    /// # Errors
    /// [`csv::Error`] when the writer fails.
    pub fn write_csv(&self, to: impl Write) -> Result<(), csv::Error> {
        let mut file = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(to);
        file.write_record(HEADER)?;
        for row in &self.rows {
            file.write_record(record(row))?;
        }
        let total = TaxReportRow {
            county: "TOTAL".to_owned(),
            ..self.total.clone()
        };
        file.write_record(record(&total))?;
        file.write_record(trailer("POSITION", self.position.to_string()))?;
        file.write_record(trailer("CHECKSUM", self.checksum.clone()))?;
        file.flush()?;
        Ok(())
    }
}

fn record(row: &TaxReportRow) -> [String; 11] {
    [
        text(&row.county),
        text(row.city.as_deref().unwrap_or_default()),
        row.rate_ppm.as_ref().map(RatePpm::to_string).unwrap_or_default(),
        row.orders.to_string(),
        row.gross_cents.to_string(),
        row.non_taxable_cents.to_string(),
        row.taxable_cents.to_string(),
        row.tax_cents.to_string(),
        row.refunded_tax_cents.to_string(),
        row.net_tax_cents.to_string(),
        row.variance_cents.to_string(),
    ]
}

fn trailer(name: &str, value: String) -> [String; 11] {
    let mut fields: [String; 11] = Default::default();
    name.clone_into(&mut fields[0]);
    fields[1] = value;
    fields
}

/// Text that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
