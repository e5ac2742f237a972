//! Files that somebody has changed: what is read of them says so.

use std::io::{Cursor, Read, Write};

use super::*;

/// Somebody has written into a file what no export says.
#[test]
fn what_stands_beside_the_tables_is_named() {
    let strays = |bytes: &[u8]| {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("export");
        fs::write(&path, bytes).unwrap();
        read(&path, &mut |_| true).map(|said| said.strays)
    };
    let named = |text: &str| -> Vec<(String, String)> {
        let strays = strays(text.as_bytes()).unwrap();
        strays
            .into_iter()
            .map(|stray| (stray.name, stray.found))
            .collect()
    };
    let text = |format| String::from_utf8(encoded(format, Holds::Summary)).unwrap();
    let csv = text(ExportFormat::Csv);
    let audited = csv.replace("STATE,CA,,", "STATE,CA,audited,");
    assert_eq!(
        named(&audited),
        [("beside STATE".to_owned(), "audited".to_owned())]
    );
    let other = csv.replace("POSITION,42", "POSITION,042");
    assert_eq!(named(&other), [("POSITION".to_owned(), "042".to_owned())]);

    let json = text(ExportFormat::Json);
    let other = json.replacen("hibachi-tax-report/1", "hibachi-tax-report/2", 1);
    assert_eq!(
        named(&other),
        [("format".to_owned(), "hibachi-tax-report/2".to_owned())]
    );
    let more = json.replacen('{', "{\"audited\":true,", 1);
    assert_eq!(named(&more), [("audited".to_owned(), "something".to_owned())]);
    let field = json.replacen("{\"FORMAT\"", "{\"AUDITOR\":\"me\",\"FORMAT\"", 1);
    assert_eq!(named(&field), [("AUDITOR".to_owned(), "me".to_owned())]);
    for twice in [
        json.replacen("\"tax\":", "\"tax\":\"0.00\",\"tax\":", 1),
        json.replacen("\"total\":", "\"total\":{},\"total\":", 1),
        json.replacen("\"HEAD\":", "\"HEAD\":\"\",\"HEAD\":", 1),
    ] {
        let error = strays(twice.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("twice") || error.contains("has no"), "{error}");
    }
}

/// A workbook whose first sheet somebody has edited.
fn edited(bytes: &[u8], edit: impl Fn(&str) -> String) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut written = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        if name == "xl/worksheets/sheet1.xml" {
            let changed = edit(&text);
            assert_ne!(changed, text);
            text = changed;
        }
        written
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        written.write_all(text.as_bytes()).unwrap();
    }
    written.finish().unwrap().into_inner()
}

/// What another program reads in a file of a format; none where it reads nothing.
fn of_others(format: ExportFormat, bytes: &[u8]) -> Option<String> {
    if format == ExportFormat::Json {
        let read: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
        return read.map(|value| value.to_string());
    }
    let reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let records: Result<Vec<::csv::StringRecord>, _> = reader.into_records().collect();
    records.ok().map(|records| format!("{records:?}"))
}

/// Whoever changes a byte is found out: what is read is compared with the log to the last cell, so it is enough that
/// something else is read, or nothing.
#[test]
fn a_changed_byte_is_read_or_changes_nothing_that_anybody_reads() {
    let texts = ALL
        .into_iter()
        .filter(|(format, _)| *format != ExportFormat::Xlsx);
    for (format, holds) in texts {
        assert_found_out(format, &encoded(format, holds));
    }
}

#[test]
fn a_changed_byte_of_a_file_by_the_day_of_payment_is_read_as_well() {
    let texts = [
        (ExportFormat::Csv, Holds::Summary),
        (ExportFormat::Csv, Holds::Detail),
        (ExportFormat::Json, Holds::Detail),
    ];
    for (format, holds) in texts {
        assert_found_out(format, &encoded_on(TaxBasis::PaymentDate, format, holds));
    }
}

fn assert_found_out(format: ExportFormat, bytes: &[u8]) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("export");
    let reading = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut found = Vec::new();
        let said = read(&path, &mut |row| {
            found.push(row);
            true
        });
        said.ok().map(|said| (said, found))
    };
    let (ours, theirs) = (reading(bytes), of_others(format, bytes));
    assert!(ours.is_some() && theirs.is_some());
    let mut seen = 0;
    for (at, byte) in bytes.iter().enumerate() {
        // Another digit, and the letter in the other case or a sign near by.
        for other in [if *byte == b'7' { b'8' } else { b'7' }, byte ^ 0x20] {
            let mut changed = bytes.to_vec();
            changed[at] = other;
            if reading(&changed) != ours {
                seen += 1;
                continue;
            }
            let around = String::from_utf8_lossy(&changed[at.saturating_sub(20)..=at]);
            assert_eq!(
                of_others(format, &changed),
                theirs,
                "{format}, byte {at}: {around:?}"
            );
        }
    }
    assert!(seen > bytes.len(), "{format}: {seen} of {}", bytes.len());
}

/// What a spreadsheet computes when it opens the file is not what stands in it.
#[test]
fn a_computed_cell_and_a_word_beside_the_certificate_of_a_workbook_are_named() {
    let workbook = encoded(ExportFormat::Xlsx, Holds::Summary);
    let strays = |bytes: &[u8]| {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("export");
        fs::write(&path, bytes).unwrap();
        let strays = read(&path, &mut |_| true).unwrap().strays.into_iter();
        strays.map(|stray| (stray.name, stray.found)).collect::<Vec<_>>()
    };
    assert_eq!(strays(&workbook), []);
    let computed = edited(&workbook, |xml| {
        xml.replacen("<v>851.18</v>", "<f>2*1000</f><v>851.18</v>", 1)
    });
    assert_eq!(
        strays(&computed),
        [("Summary, row 14, column 5".to_owned(), "=2*1000".to_owned())]
    );
    let word = "<c r=\"D3\" t=\"inlineStr\"><is><t>audited</t></is></c></row>";
    let beside = edited(&workbook, |xml| {
        let (before, after) = xml.split_once("<row r=\"4\"").unwrap();
        let before = before.strip_suffix("</row>").unwrap();
        format!("{before}{word}<row r=\"4\"{after}")
    });
    assert_eq!(
        strays(&beside),
        [("beside STATE".to_owned(), "audited".to_owned())]
    );
}

/// The apostrophe that keeps a name from being a formula was taken away.
#[test]
fn a_formula_that_nothing_leads_is_not_the_text_that_was_written() {
    let csv = String::from_utf8(encoded(ExportFormat::Csv, Holds::Detail)).unwrap();
    let (_, before) = read_back(csv.as_bytes());
    for (led, bare) in [("\"'=HYPERLINK", "\"=HYPERLINK"), ("\"'@San", "\"@San")] {
        assert!(csv.contains(led), "{csv}");
        let (_, after) = read_back(csv.replace(led, bare).as_bytes());
        assert_ne!(after, before, "{bare}");
    }
}
