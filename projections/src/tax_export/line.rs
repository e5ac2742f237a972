//! A line of an export, on either basis.

use chrono::NaiveDate;
use domain::envelope::Position;
use domain::money::Cents;

use super::cell::{ColumnOf, push_record};
use super::columns::{LINE_COLUMNS, PAYMENT_COLUMNS, texts};
use crate::tax_cash::CashLineRow;
use crate::tax_ledger::TaxLineRow;
use crate::tax_report::{TaxBasis, TaxReportRow};

/// A line of a file.
pub(crate) trait Line: Sized + 'static {
    /// What they are read from.
    const TABLE: &'static str;
    /// Their columns.
    const COLUMNS: &'static [ColumnOf<Self>];

    /// Its place among the lines.
    fn place(&self) -> Place;
    /// What it adds to the report.
    fn sums(&self) -> Sums;

    /// Appends it as a CSV file has it.
    fn push_record(&self, out: &mut Vec<u8>) {
        push_record(out, Self::COLUMNS.iter().map(|column| (column.cell)(self)));
    }
}

/// The place of a line among the others: of one by the day of payment its booking's request and its day come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    booking: Position,
    on: Option<NaiveDate>,
    pub(crate) position: Position,
}

impl Place {
    /// The place of a line that was read; none where it cannot be told.
    pub(crate) fn read(basis: TaxBasis, cells: &[String]) -> Option<Self> {
        let (names, booking, on): (Vec<&str>, _, _) = match basis {
            TaxBasis::EventDate => (names(&LINE_COLUMNS), Position::START, None),
            TaxBasis::PaymentDate => {
                let names = names(&PAYMENT_COLUMNS);
                let booking = Position(cell(&names, cells, "booking_position")?.parse().ok()?);
                let on = cell(&names, cells, "paid_date")?.parse().ok()?;
                (names, booking, Some(on))
            }
        };
        Some(Self {
            booking,
            on,
            position: Position(cell(&names, cells, "position")?.parse().ok()?),
        })
    }
}

fn names<R>(columns: &[ColumnOf<R>]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

fn cell<'a>(names: &[&str], cells: &'a [String], name: &str) -> Option<&'a str> {
    let at = names.iter().position(|known| *known == name)?;
    cells.get(at).map(String::as_str)
}

/// A line as the log has it, to be held against a file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) place: Place,
    pub(crate) cells: Vec<String>,
    pub(crate) record: Vec<u8>,
}

impl Expected {
    pub(crate) fn of<L: Line>(line: &L) -> Self {
        let mut record = Vec::new();
        line.push_record(&mut record);
        Self {
            place: line.place(),
            cells: texts(L::COLUMNS, line),
            record,
        }
    }
}

impl Line for TaxLineRow {
    const TABLE: &'static str = "tax_ledger";
    const COLUMNS: &'static [ColumnOf<Self>] = &LINE_COLUMNS;

    fn place(&self) -> Place {
        Place {
            booking: Position::START,
            on: None,
            position: self.position,
        }
    }

    fn sums(&self) -> Sums {
        Sums {
            orders: self.orders,
            gross: self.gross_cents,
            non_taxable: self.non_taxable_cents,
            taxable: self.taxable_cents,
            tax: self.tax_cents,
            refunded: self.refund_cents,
            refunded_non_taxable: self.refunded_non_taxable_cents,
            refunded_taxable: self.refunded_net_cents,
            refunded_tax: self.refunded_tax_cents,
        }
    }
}

impl Line for CashLineRow {
    const TABLE: &'static str = "tax_cash";
    const COLUMNS: &'static [ColumnOf<Self>] = &PAYMENT_COLUMNS;

    fn place(&self) -> Place {
        Place {
            booking: self.booking_position,
            on: Some(self.paid_on),
            position: self.position,
        }
    }

    fn sums(&self) -> Sums {
        let figures = self.figures;
        Sums {
            orders: self.orders,
            gross: figures.gross_cents,
            non_taxable: figures.non_taxable_cents,
            taxable: figures.net_cents,
            tax: figures.tax_cents,
            refunded: figures.refund_cents,
            refunded_non_taxable: figures.refunded_non_taxable_cents,
            refunded_taxable: figures.refunded_net_cents,
            refunded_tax: figures.refunded_tax_cents,
        }
    }
}

/// What lines must come to as the report does: all that it sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    orders: i64,
    gross: Cents,
    non_taxable: Cents,
    taxable: Cents,
    tax: Cents,
    refunded: Cents,
    refunded_non_taxable: Cents,
    refunded_taxable: Cents,
    refunded_tax: Cents,
}

impl Sums {
    /// Those of a report.
    pub(crate) fn of(total: &TaxReportRow) -> Self {
        Self {
            orders: total.orders,
            gross: total.gross_cents,
            non_taxable: total.non_taxable_cents,
            taxable: total.taxable_cents,
            tax: total.tax_cents,
            refunded: total.refunded_cents,
            refunded_non_taxable: total.refunded_non_taxable_cents,
            refunded_taxable: total.refunded_taxable_cents,
            refunded_tax: total.refunded_tax_cents,
        }
    }

    /// Takes in those of a line.
    pub(crate) fn add(&mut self, line: Self) {
        self.orders += line.orders;
        self.gross += line.gross;
        self.non_taxable += line.non_taxable;
        self.taxable += line.taxable;
        self.tax += line.tax;
        self.refunded += line.refunded;
        self.refunded_non_taxable += line.refunded_non_taxable;
        self.refunded_taxable += line.refunded_taxable;
        self.refunded_tax += line.refunded_tax;
    }
}
