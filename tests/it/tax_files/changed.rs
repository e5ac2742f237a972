//! Every cell of an export changed once, and every row taken out: each is found.

use std::io::{Cursor, Read, Write};

use projections::tax_export::{Checked, check};
use projections::tax_report::TaxBasis;
use serde_json::Value;
use tests::http::{Client, Server};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::{export_on, held, save};

const BASES: [TaxBasis; 2] = [TaxBasis::EventDate, TaxBasis::PaymentDate];

/// Another text of the same sort.
fn other(text: &str) -> String {
    match text
        .char_indices()
        .rev()
        .find(|(_, letter)| letter.is_ascii_alphanumeric())
    {
        Some((at, letter)) => {
            let changed = match letter {
                '1' => '2',
                '0'..='9' => '1',
                'a' => 'b',
                _ => 'a',
            };
            format!("{}{changed}{}", &text[..at], &text[at + 1..])
        }
        None => format!("{text}1"),
    }
}

/// What a check finds in bytes; none where they are refused as no export at all, which is a finding too.
async fn found(server: &Server, place: &tempfile::TempDir, bytes: &[u8]) -> Option<Checked> {
    let path = save(place, "changed", bytes);
    check(&server.app.views, server.company.tenant, &path).await.ok()
}

async fn assert_found(server: &Server, place: &tempfile::TempDir, bytes: &[u8], what: &str) {
    if let Some(checked) = found(server, place, bytes).await {
        assert!(checked.count > 0, "{what} was changed, and nobody sees it");
    }
}

#[tokio::test]
async fn a_changed_cell_of_a_csv_file_is_found_wherever_it_is() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let place = tempfile::tempdir().unwrap();
    for (basis, part) in BASES
        .into_iter()
        .flat_map(|basis| ["summary", "detail"].map(|part| (basis, part)))
    {
        let certified = 11 + usize::from(basis == TaxBasis::PaymentDate);
        let (bytes, _) = export_on(&admin, basis, ["csv", part], None).await;
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes.as_slice());
        let records: Vec<csv::StringRecord> = reader.into_records().map(|record| record.unwrap()).collect();
        let written = |records: &[csv::StringRecord]| {
            let mut writer = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(Vec::new());
            records
                .iter()
                .for_each(|record| writer.write_record(record).unwrap());
            writer.into_inner().unwrap()
        };
        let same = found(&server, &place, &written(&records)).await.unwrap();
        assert_eq!(same.count, 0, "{:?}", same.differences);
        let mut named = 0;
        for (row, record) in records.iter().enumerate() {
            for column in 0..record.len() {
                // What stands beside a field of the certificate is nothing that the file says.
                if row + certified >= records.len() && column > 1 {
                    continue;
                }
                let mut changed = records.clone();
                let cells = record.iter().enumerate();
                changed[row] = cells
                    .map(|(at, cell)| {
                        if at == column {
                            other(cell)
                        } else {
                            cell.to_owned()
                        }
                    })
                    .collect();
                let what = format!("{basis:?}, {part}, row {row}, column {column}");
                let checked = found(&server, &place, &written(&changed)).await;
                if let Some(checked) = checked {
                    assert!(checked.count > 0, "{what}");
                    let name = &records[0][column];
                    named += u32::from(
                        checked
                            .differences
                            .iter()
                            .any(|difference| difference.column == *name),
                    );
                }
            }
            if row > 0 {
                let mut shorter = records.clone();
                shorter.remove(row);
                assert_found(
                    &server,
                    &place,
                    &written(&shorter),
                    &format!("{part}, row {row} gone"),
                )
                .await;
            }
        }
        assert!(named > 25, "{named} are named by their column");
    }
}

#[tokio::test]
async fn a_changed_value_of_a_json_file_is_found_wherever_it_is() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let place = tempfile::tempdir().unwrap();
    for basis in BASES {
        assert_each_value_is_found(&server, &place, &admin, basis).await;
    }
}

async fn assert_each_value_is_found(
    server: &Server,
    place: &tempfile::TempDir,
    admin: &Client,
    basis: TaxBasis,
) {
    let (bytes, _) = export_on(admin, basis, ["json", "detail"], None).await;
    let document: Value = serde_json::from_slice(&bytes).expect("it is JSON");
    let again = serde_json::to_vec_pretty(&document).expect("it is JSON");
    let same = found(server, place, &again).await.expect("it is an export");
    assert_eq!(same.count, 0, "{:?}", same.differences);
    let mut leaves = Vec::new();
    collect(&document, String::new(), &mut leaves);
    // The format is named twice, for who looks at the start of the file alone.
    leaves.retain(|leaf| leaf != "/format");
    assert!(leaves.len() > 100);
    for leaf in leaves {
        let mut changed = document.clone();
        let value = changed.pointer_mut(&leaf).expect("the leaf is there");
        *value = match value {
            Value::String(text) => Value::String(other(text)),
            Value::Number(number) => Value::from(number.as_i64().expect("counts are whole") + 1),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Value::String("x".to_owned())
            }
        };
        let bytes = serde_json::to_vec(&changed).expect("it is JSON");
        assert_found(server, place, &bytes, &leaf).await;
    }
}

fn collect(value: &Value, path: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, value)| collect(value, format!("{path}/{name}"), leaves));
        }
        Value::Array(values) => {
            values
                .iter()
                .enumerate()
                .for_each(|(at, value)| collect(value, format!("{path}/{at}"), leaves));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => leaves.push(path),
    }
}

/// The parts of a workbook.
fn parts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("the test's own world");
    let mut parts = Vec::new();
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).expect("the test's own world");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("the test's own world");
        parts.push((file.name().expect("the test's own world").into_owned(), text));
    }
    parts
}

fn archived(parts: &[(String, String)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive
            .start_file(name, SimpleFileOptions::default())
            .expect("the test's own world");
        archive.write_all(text.as_bytes()).expect("the test's own world");
    }
    archive.finish().expect("the test's own world").into_inner()
}

#[tokio::test]
async fn a_changed_cell_of_a_workbook_is_found_wherever_it_is() {
    let server = Server::start().await;
    let admin = held(&server).await;
    let place = tempfile::tempdir().unwrap();
    for basis in BASES {
        assert_each_cell_is_found(&server, &place, &admin, basis).await;
    }
}

async fn assert_each_cell_is_found(
    server: &Server,
    place: &tempfile::TempDir,
    admin: &Client,
    basis: TaxBasis,
) {
    let (bytes, _) = export_on(admin, basis, ["xlsx", "detail"], None).await;
    let parts = parts(&bytes);
    let same = found(server, place, &archived(&parts))
        .await
        .expect("it is an export");
    assert_eq!(same.count, 0, "{:?}", same.differences);
    let mut cells = 0;
    for (sheet, (name, xml)) in parts.iter().enumerate() {
        if !name.starts_with("xl/worksheets/") {
            continue;
        }
        for (open, close) in [("<v>", "</v>"), ("preserve\">", "</t>")] {
            for (at, _) in xml.match_indices(open) {
                let start = at + open.len();
                let end = start + xml[start..].find(close).expect("a cell ends");
                let mut changed = parts.clone();
                changed[sheet]
                    .1
                    .replace_range(start..end, &other(&xml[start..end]));
                assert_found(
                    server,
                    place,
                    &archived(&changed),
                    &format!("{name}: {}", &xml[at..end]),
                )
                .await;
                cells += 1;
            }
        }
    }
    assert!(cells > 100, "{cells} cells");
}
