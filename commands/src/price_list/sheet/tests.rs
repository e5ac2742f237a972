use super::*;

fn priced(item: &str, label: &str) -> SheetRow {
    SheetRow {
        line: 2,
        item: item.to_owned(),
        label: label.to_owned(),
        kind: ItemKind::AddOn,
        price_cents: Cents(2_505),
        min_cents: Cents(0),
        max_cents: Cents(1_000_000_000),
        effective_from: Some("2026-05-01T07:00:00.5Z".parse().unwrap()),
    }
}

#[test]
fn what_is_written_is_read_back() {
    for label in [
        "Noodle tray",
        "=SUM(A1)",
        "+1",
        "-1",
        "@home",
        "'quoted",
        "'=both",
        "''",
        "with, comma and \"quotes\"",
        "two\nlines",
        "Ünïcode 麺",
        "",
    ] {
        let rows = [priced("noodles", label)];
        let text = write_sheet(&rows);
        let read = read_sheet(&text).unwrap();
        assert_eq!((read.rows.as_slice(), read.bad.len()), (&rows[..], 0), "{text}");
        let cells = csv::Reader::from_reader(text.as_bytes())
            .into_records()
            .next()
            .unwrap()
            .unwrap();
        assert!(!cells.iter().any(|cell| cell.starts_with(FORMULA)), "{text}");
    }
}

#[test]
fn the_file_is_rfc_4180_with_plain_decimals() {
    let text = write_sheet(&[SheetRow {
        effective_from: None,
        ..priced("sauce", "Sauce, hot")
    }]);
    assert_eq!(
        text,
        "item,label,kind,price,min,max,effective_from\r\nsauce,\"Sauce, hot\",add_on,25.05,0.00,10000000.00,\r\n"
    );
}

#[test]
fn each_bad_row_is_named_by_its_line_and_reason() {
    let head = HEADER.join(",");
    let text = format!(
        "\u{feff}{head}\nadult,Adult,adult,59.95,30,120,\na,b,c\n\"two\nlines\",x,add_on,free,0,1,\nx,y,drink,1,1,1,\nx,y,add_on,1,1,1,tomorrow\nx,y,add_on,1.005,1,1,\nx,y,add_on,1,-1,1,\n"
    );
    for text in [text.clone(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
        assert_bad_rows(&text);
    }
}

fn assert_bad_rows(text: &str) {
    let read = read_sheet(text).unwrap();
    assert_eq!(read.rows.len(), 1);
    assert_eq!(read.rows[0].price_cents, Cents(5_995));
    assert_eq!((read.rows[0].line, read.rows[0].effective_from), (2, None));
    let told: Vec<(u64, bool)> = read
        .bad
        .iter()
        .zip(["7 fields", "price", "no kind", "effective_from", "price", "min"])
        .map(|(bad, word)| (bad.line, bad.message.contains(word)))
        .collect();
    assert_eq!(
        told,
        [(3, true), (4, true), (6, true), (7, true), (8, true), (9, true)]
    );
    let refused = refused_rows(&read.bad);
    assert_eq!(
        (refused.code, refused.field.as_slice()),
        ("INVALID_ROWS", &["csv"][..])
    );
    assert!(refused.message.starts_with("line 3: ") && refused.message.ends_with("and 1 more"));
}

#[test]
fn a_file_that_is_no_price_list_is_refused_whole() {
    let code = |text: &str| read_sheet(text).unwrap_err().code;
    assert_eq!(code(""), "INVALID_HEADER");
    assert_eq!(code("item,price\nadult,1\n"), "INVALID_HEADER");
    let long = format!("{}\n{}", HEADER.join(","), "x,y,add_on,1,1,1,\n".repeat(2_001));
    assert_eq!(code(&long), "TOO_MANY_ROWS");
}
