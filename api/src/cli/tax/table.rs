//! The summary for a person at the terminal.

use projections::tax_export::{CellKind, summary_columns, summary_texts};
use projections::tax_report::{TaxBasis, TaxReport};

/// The report as lines of text: columns that line up, the sums below, and what is to be done before it can be filed.
pub(super) fn table(report: &TaxReport) -> String {
    let mut rows = vec![summary_columns().map(|(name, _)| name.to_owned()).collect()];
    rows.extend(summary_texts(report));
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let kinds: Vec<CellKind> = summary_columns().map(|(_, kind)| kind).collect();
    let (basis, until_rate, until_place, view) = match report.basis {
        TaxBasis::EventDate => {
            let closed = ": the period cannot be closed before";
            ("", format!("{closed} it is loaded"), closed, "")
        }
        TaxBasis::PaymentDate => (" by date of payment", String::new(), "", VIEW),
    };
    let mut text = format!(
        "Sales tax of {}, {}{basis}, as of log position {}\n\n",
        report.state, report.period, report.position
    );
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .zip(&kinds)
            .map(|((cell, width), kind)| match kind {
                CellKind::Text => format!("{cell:<width$}"),
                CellKind::Date | CellKind::Money | CellKind::Rate | CellKind::Count => {
                    format!("{cell:>width$}")
                }
            });
        let line: Vec<String> = cells.collect();
        text += line.join("  ").trim_end();
        text.push('\n');
    }
    if report.unresolved > 0 {
        text += &format!("\n{} no known rate{until_rate}.\n", parties(report.unresolved));
    }
    if report.unconfirmed > 0 {
        text += &format!(
            "\n{} a place that a person must confirm{until_place}.\n",
            parties(report.unconfirmed)
        );
    }
    text + view
}

const VIEW: &str = "\nThis is a view: returns are made, and periods are closed, by the date of the event.\n";

/// So many parties, and a verb.
fn parties(count: i64) -> String {
    match count {
        1 => "1 party has".to_owned(),
        count => format!("{count} parties have"),
    }
}
