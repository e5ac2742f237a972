//! The parts of a workbook as XML.

use chrono::NaiveDate;

use super::{LINES_SHEET, SUMMARY_SHEET};
use crate::tax_export::cell::{Cell, CellKind, ColumnOf, legible};

/// Styles, by their place in `styles.xml`.
const PLAIN: u8 = 0;
const MONEY: u8 = 1;
const RATE: u8 = 2;
const DATE: u8 = 3;
const BOLD: u8 = 4;
const BOLD_MONEY: u8 = 5;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

fn style(kind: CellKind) -> u8 {
    match kind {
        CellKind::Text | CellKind::Count => PLAIN,
        CellKind::Money => MONEY,
        CellKind::Rate => RATE,
        CellKind::Date => DATE,
    }
}

/// `A1`, `AB17`: a column counted from 1, and a row.
pub(super) fn reference(column: usize, row: u64) -> String {
    let mut letters = Vec::new();
    let mut left = column;
    while left > 0 {
        let place = u8::try_from((left - 1) % 26).expect("there are 26 letters");
        letters.insert(0, b'A' + place);
        left = (left - 1) / 26;
    }
    format!("{}{row}", String::from_utf8(letters).expect("letters are text"))
}

/// A sheet up to its first row, with the rows above one frozen.
pub(super) fn open_sheet<R>(xml: &mut Vec<u8>, frozen: u64, columns: &[ColumnOf<R>]) {
    let below = reference(1, frozen + 1);
    let mut text = format!(
        "{PROLOGUE}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"{frozen}\" \
         topLeftCell=\"{below}\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><cols>"
    );
    for (place, column) in (1..).zip(columns) {
        let width = if place == 1 {
            20
        } else {
            column.name.len().max(11) + 2
        };
        text += &format!("<col min=\"{place}\" max=\"{place}\" width=\"{width}\" customWidth=\"1\"/>");
    }
    text += "</cols><sheetData>";
    xml.extend_from_slice(text.as_bytes());
}

fn open_row(xml: &mut Vec<u8>, row: u64) {
    xml.extend_from_slice(b"<row r=\"");
    push_number(xml, row);
    xml.extend_from_slice(b"\">");
}

fn push_number(xml: &mut Vec<u8>, number: u64) {
    Cell::Count(i64::try_from(number).expect("rows of a sheet are few")).push(xml);
}

/// A row of a table.
pub(super) fn push_row<R>(xml: &mut Vec<u8>, row: u64, columns: &[ColumnOf<R>], of: &R) {
    open_row(xml, row);
    for (place, column) in (1..).zip(columns) {
        push_cell(xml, (place, row), &(column.cell)(of), style(column.kind));
    }
    xml.extend_from_slice(b"</row>");
}

/// The names of a table's columns.
pub(super) fn push_header<R>(xml: &mut Vec<u8>, row: u64, columns: &[ColumnOf<R>]) {
    open_row(xml, row);
    for (place, column) in (1..).zip(columns) {
        push_cell(xml, (place, row), &Cell::text(column.name), BOLD);
    }
    xml.extend_from_slice(b"</row>");
}

/// The sums of a table.
pub(super) fn push_total<R>(xml: &mut Vec<u8>, row: u64, columns: &[ColumnOf<R>], total: &R) {
    open_row(xml, row);
    for (place, column) in (1..).zip(columns) {
        let cell = (column.cell)(total);
        let bold = if column.kind == CellKind::Money {
            BOLD_MONEY
        } else {
            BOLD
        };
        push_cell(xml, (place, row), if place == 1 { &TOTAL } else { &cell }, bold);
    }
    xml.extend_from_slice(b"</row>");
}

const TOTAL: Cell<'static> = Cell::Text(std::borrow::Cow::Borrowed(crate::tax_export::csv::TOTAL));

/// A field of the certificate.
pub(super) fn push_named(xml: &mut Vec<u8>, row: u64, name: &str, value: &str) {
    open_row(xml, row);
    push_cell(xml, (1, row), &Cell::text(name), BOLD);
    push_cell(xml, (2, row), &Cell::text(value), PLAIN);
    xml.extend_from_slice(b"</row>");
}

fn push_cell(xml: &mut Vec<u8>, (column, row): (usize, u64), cell: &Cell<'_>, style: u8) {
    if *cell == Cell::Empty {
        return;
    }
    xml.extend_from_slice(b"<c r=\"");
    push_letters(xml, column);
    push_number(xml, row);
    xml.extend_from_slice(b"\" s=\"");
    push_number(xml, u64::from(style));
    match cell {
        Cell::Text(text) => {
            xml.extend_from_slice(b"\" t=\"inlineStr\"><is><t xml:space=\"preserve\">");
            push_escaped(xml, &legible(text));
            xml.extend_from_slice(b"</t></is></c>");
        }
        Cell::Date(date) => {
            xml.extend_from_slice(b"\"><v>");
            Cell::Count(serial(*date)).push(xml);
            xml.extend_from_slice(b"</v></c>");
        }
        Cell::Empty | Cell::Money(_) | Cell::Rate(_) | Cell::Count(_) => {
            xml.extend_from_slice(b"\"><v>");
            cell.push(xml);
            xml.extend_from_slice(b"</v></c>");
        }
    }
}

fn push_letters(xml: &mut Vec<u8>, column: usize) {
    match u8::try_from(column) {
        Ok(few @ 1..=26) => xml.push(b'@' + few),
        Ok(_) | Err(_) => {
            let named = reference(column, 0);
            xml.extend_from_slice(named.trim_end_matches('0').as_bytes());
        }
    }
}

/// The day that spreadsheets count from: day 1 is 1900-01-01, and 1900 is taken for a leap year.
fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(1899, 12, 30).expect("it is a day")
}

fn serial(date: NaiveDate) -> i64 {
    (date - epoch()).num_days()
}

/// The day of a serial number.
pub(crate) fn day(serial: i64) -> Option<NaiveDate> {
    epoch().checked_add_signed(chrono::Duration::try_days(serial)?)
}

fn push_escaped(xml: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '\r']) {
        let (plain, special) = rest.split_at(at);
        xml.extend_from_slice(plain.as_bytes());
        let mut letters = special.chars();
        let entity: &[u8] = match letters.next() {
            Some('&') => b"&amp;",
            Some('<') => b"&lt;",
            Some('>') => b"&gt;",
            _ => b"&#13;",
        };
        xml.extend_from_slice(entity);
        rest = letters.as_str();
    }
    xml.extend_from_slice(rest.as_bytes());
}

/// What holds a summary and so many sheets of lines together, by the names of its files.
pub(super) fn parts(sheets: u64) -> [(&'static str, String); 5] {
    let numbers = 1..=sheets + 1;
    let types: String = numbers.clone().map(override_of).collect();
    let named: String = numbers.clone().map(sheet_of).collect();
    let relations: String = numbers.map(relation_of).collect();
    let styles = sheets + 2;
    let package = "http://schemas.openxmlformats.org/package/2006";
    let of_type = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    [
        (
            "[Content_Types].xml",
            format!(
                "{PROLOGUE}<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
                 ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" \
                 ContentType=\"{of_type}.sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" \
                 ContentType=\"{of_type}.styles+xml\"/>{types}</Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{PROLOGUE}<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "{PROLOGUE}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>{named}</sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "{PROLOGUE}<Relationships xmlns=\"{package}/relationships\">{relations}<Relationship Id=\"rId{styles}\" \
                 Type=\"{RELATIONS}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        ("xl/styles.xml", styles_part()),
    ]
}

fn override_of(number: u64) -> String {
    format!(
        "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" \
         ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
    )
}

fn sheet_of(number: u64) -> String {
    let name = match number {
        1 => SUMMARY_SHEET.to_owned(),
        2 => LINES_SHEET.to_owned(),
        more => format!("{LINES_SHEET} {}", more - 1),
    };
    format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>")
}

fn relation_of(number: u64) -> String {
    format!(
        "<Relationship Id=\"rId{number}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{number}.xml\"/>"
    )
}

fn styles_part() -> String {
    let format_of = |format: u16, font: u8| {
        format!(
            "<xf numFmtId=\"{format}\" fontId=\"{font}\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFont=\"1\"/>"
        )
    };
    let formats: String = [(0, 0), (4, 0), (164, 0), (165, 0), (0, 1), (4, 1)]
        .into_iter()
        .map(|(format, font)| format_of(format, font))
        .collect();
    format!(
        "{PROLOGUE}<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"2\"><numFmt numFmtId=\"164\" formatCode=\"0.0000%\"/>\
         <numFmt numFmtId=\"165\" formatCode=\"yyyy\\-mm\\-dd\"/></numFmts><fonts count=\"2\"><font><sz val=\"11\"/>\
         <name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts><fills count=\"2\">\
         <fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
         <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count=\"1\">\
         <xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs><cellXfs count=\"6\">{formats}</cellXfs>\
         <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_and_days_are_counted_as_spreadsheets_do() {
        let named: Vec<String> = [1, 26, 27, 52, 53, 702, 703]
            .map(|column| reference(column, 7))
            .into();
        assert_eq!(named, ["A7", "Z7", "AA7", "AZ7", "BA7", "ZZ7", "AAA7"]);
        assert_eq!(serial("2026-08-14".parse().unwrap()), 46_248);
        assert_eq!(day(46_248), "2026-08-14".parse().ok());
    }

    #[test]
    fn text_is_escaped() {
        let mut xml = Vec::new();
        push_escaped(&mut xml, "a<b>&\"c\"\r\n");
        assert_eq!(xml, b"a&lt;b&gt;&amp;\"c\"&#13;\n");
    }
}
