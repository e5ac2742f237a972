//! The tax report of a period as an accountant files it: what is owed to whom, and what proves it.

use domain::money::Cents;
use projections::tax_report::{TaxBasis, TaxReport, TaxReportRow};

use super::flow::{
    ACCENT, BAND, BODY, Column, DARK, Flow, GREY, LABEL, Row, SMALL, STRONG, Side, Style, style,
};
use super::font::{Face, Fonts};
use super::sheet::{About, Paper, write};
use super::words;

const MARGIN: i32 = 4_000;
const TITLE: Style = style(Face::SemiBold, 1_800, 2_400, DARK);
const FIGURES: Style = style(Face::Regular, 780, 1_100, DARK);
const SUM: Style = style(Face::SemiBold, 780, 1_100, DARK);
const GREY_BODY: Style = Style { ink: GREY, ..BODY };

/// What a report is filed with beside its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// Name of the company.
    pub organisation: String,
    /// What is owed to customers, by the books of every state on the last day of the period, in cents.
    pub deposits_held: Cents,
    /// What is owed to the staff, by the same books, in cents.
    pub tips_payable: Cents,
    /// Hash of the log's head at the report's position, hexadecimal; none where it is not told.
    pub head_hash: Option<String>,
    /// What the document says of itself to programs that hold it against the log: `NAME=value`.
    pub certificate: Vec<String>,
    /// Day that the report is made on.
    pub on: chrono::NaiveDate,
}

/// What a report by the date of payment is, and is not.
const VIEW: &str = "This is a view and not what a return is made of: returns are made, and periods are closed, by the date of the \
                    event.";
const OF_PAYMENTS: &str = "Of parties that were held it counts what was paid and given back in the period, at the places and \
                           rates as of the log position. What is not paid is not in it.";

/// The report as PDF: the same report and filing are the same bytes.
pub fn tax_report(report: &TaxReport, filing: &Filing) -> Vec<u8> {
    let fonts = Fonts::load();
    let paper = Paper::LETTER_LANDSCAPE;
    let name = named(report.basis);
    let title = format!("{name}, {}, {}", report.state, report.period);
    let mut flow = Flow::new(
        &fonts,
        paper,
        MARGIN,
        format!("{title} · {}", filing.organisation),
    );
    head(&mut flow, report, filing);
    summary(&mut flow, report);
    notes(&mut flow, report);
    liabilities(&mut flow, report, filing);
    let mut foot = vec![format!(
        "{} · log position {} · checksum of the rows {}",
        filing.organisation, report.position, report.checksum
    )];
    foot.extend(
        filing
            .head_hash
            .as_ref()
            .map(|hash| format!("Head of the log {hash}")),
    );
    let about = About {
        title,
        author: filing.organisation.clone(),
        id: match report.basis {
            TaxBasis::EventDate => format!("{} {} {}", report.state, report.period, report.checksum),
            TaxBasis::PaymentDate => {
                let basis = report.basis.as_str();
                format!("{} {} {basis} {}", report.state, report.period, report.checksum)
            }
        },
        keywords: filing.certificate.clone(),
        on: filing.on,
    };
    write(&fonts, paper, &flow.finish(&foot), about)
}

fn named(basis: TaxBasis) -> &'static str {
    match basis {
        TaxBasis::EventDate => "Sales tax report",
        TaxBasis::PaymentDate => "Sales tax by date of payment",
    }
}

/// By which date tax belongs to a period, in words.
fn basis_words(basis: TaxBasis) -> &'static str {
    match basis {
        TaxBasis::EventDate => "date of the event (accrual)",
        TaxBasis::PaymentDate => "date of payment (cash), a view",
    }
}

fn head(flow: &mut Flow<'_>, report: &TaxReport, filing: &Filing) {
    let (left, right, width, top) = (flow.left(), flow.right(), flow.width(), flow.y);
    flow.fill(left, top, 3_600, 260, ACCENT);
    let top = top + 1_000;
    let half = width / 2 - 1_000;
    let mut named = flow.text(left, top, half, Side::Left, TITLE, named(report.basis));
    named += flow.text(
        left,
        top + named,
        half,
        Side::Left,
        GREY_BODY,
        &filing.organisation,
    );
    let facts = [
        (STRONG, format!("{} · {}", report.state, report.period)),
        (GREY_BODY, format!("Basis: {}", basis_words(report.basis))),
        (
            GREY_BODY,
            format!(
                "As of log position {}, {}",
                report.position,
                words::day(filing.on)
            ),
        ),
    ];
    let mut told = 0;
    for (style, fact) in facts {
        told += flow.text(right, top + told, half, Side::Right, style, &fact);
    }
    flow.y = top + named.max(told) + 1_200;
}

fn columns(width: i32) -> Vec<Column> {
    let figure = |head, width| Column {
        head,
        width,
        side: Side::Right,
    };
    let figures = [
        figure("RATE", 4_700),
        figure("ORDERS", 3_900),
        figure("GROSS", 6_600),
        figure("NON-TAXABLE (TIPS)", 5_900),
        figure("TAXABLE", 6_600),
        figure("TAXABLE AFTER REFUNDS", 6_600),
        figure("TAX", 5_600),
        figure("REFUNDED TAX", 5_600),
        figure("NET TAX", 5_600),
        figure("VARIANCE", 4_900),
    ];
    let taken: i32 = figures.iter().map(|column| column.width).sum();
    let place = |head| Column {
        head,
        width: (width - taken) / 2,
        side: Side::Left,
    };
    let mut columns = vec![place("COUNTY"), place("CITY")];
    columns.extend(figures);
    columns
}

fn row(row: &TaxReportRow, style: Style, band: bool) -> Row {
    let rate = match row.rate_ppm {
        Some(rate) => words::percent(rate),
        None if band => String::new(),
        None => "none known".to_owned(),
    };
    let figures = [
        row.gross_cents,
        row.non_taxable_cents,
        row.taxable_cents,
        row.net_taxable_cents(),
        row.tax_cents,
        row.refunded_tax_cents,
        row.net_tax_cents,
        row.variance_cents,
    ];
    let mut cells = vec![
        if band {
            "Total".to_owned()
        } else {
            row.county.clone()
        },
        row.city.clone().unwrap_or_default(),
        rate,
        words::count(row.orders),
    ];
    cells.extend(figures.map(words::figure));
    Row {
        cells,
        style,
        band: band.then_some(BAND),
    }
}

fn summary(flow: &mut Flow<'_>, report: &TaxReport) {
    let columns = columns(flow.width());
    let mut rows: Vec<Row> = report.rows.iter().map(|line| row(line, FIGURES, false)).collect();
    rows.push(row(&report.total, SUM, true));
    flow.table(&columns, &rows);
}

/// What is open, and how to read the figures.
fn notes(flow: &mut Flow<'_>, report: &TaxReport) {
    // All of them, with the longest on two lines.
    let lines = match report.basis {
        TaxBasis::EventDate => 4,
        TaxBasis::PaymentDate => 7,
    };
    flow.ensure(1_600 + LABEL.leading + 200 + lines * BODY.leading + 400 + 2 * SMALL.leading);
    flow.gap(1_600);
    flow.paragraph(LABEL, "NOTES");
    flow.gap(200);
    let until = match report.basis {
        TaxBasis::EventDate => ": the period cannot be closed yet.",
        TaxBasis::PaymentDate => {
            flow.paragraph(STRONG, VIEW);
            flow.paragraph(BODY, OF_PAYMENTS);
            "."
        }
    };
    let parties = |count: i64| match count {
        1 => "1 party has".to_owned(),
        count => format!("{} parties have", words::count(count)),
    };
    if report.unresolved > 0 {
        let text = format!("{} no known rate{until}", parties(report.unresolved));
        flow.paragraph(STRONG, &text);
    }
    if report.unconfirmed > 0 {
        let text = format!(
            "{} a place that a person must confirm{until}",
            parties(report.unconfirmed)
        );
        flow.paragraph(STRONG, &text);
    }
    if report.unresolved == 0 && report.unconfirmed == 0 {
        flow.paragraph(BODY, "Every party has a known rate and a confirmed place.");
    }
    let variance = report.total.variance_cents;
    let more = if variance < Cents::ZERO { "less" } else { "more" };
    let text = if variance == Cents::ZERO {
        "Every total is the sum of its rows.".to_owned()
    } else {
        format!(
            "Every total is the sum of its rows. Tax is taken out of each party's price to the cent; the rate times what \
             is taxable after refunds gives {} {more}, which is the variance.",
            words::dollars(Cents(variance.0.saturating_abs()))
        )
    };
    flow.paragraph(BODY, &text);
    flow.gap(400);
    flow.paragraph(
        SMALL,
        "Gross is what was charged, tips and tax included. Gross is non-taxable, taxable and tax together. Net tax is tax \
         less refunded tax. Amounts are in US dollars.",
    );
}

/// What the company holds that is not its own when the period ends: no part of the tax, and asked for with it.
fn liabilities(flow: &mut Flow<'_>, report: &TaxReport, filing: &Filing) {
    flow.ensure(1_200 + LABEL.leading + 200 + 2 * BODY.leading);
    flow.gap(1_200);
    let until = report.period.until();
    flow.paragraph(LABEL, &format!("OWED ON {}", words::day(until).to_uppercase()));
    flow.gap(200);
    let text = format!(
        "Customer deposits held {} and tips payable {}, in all states, by the books up to that day.",
        words::dollars(filing.deposits_held),
        words::dollars(filing.tips_payable)
    );
    flow.paragraph(BODY, &text);
}
