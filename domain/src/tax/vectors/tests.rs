use proptest::prelude::*;

use super::*;

fn published() -> Vec<Vec<String>> {
    let file = include_bytes!("../../../data/tax_vectors.csv");
    let mut reader = csv::Reader::from_reader(file.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

fn read(row: &[String]) -> Result<Vector, BadVector> {
    Vector::read(&row.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn every_asserted_case_comes_out_and_no_negative_control_does() {
    let (mut asserted, mut controls) = (0, 0);
    for row in published() {
        let vector = read(&row).unwrap();
        let outcome = vector.run().unwrap();
        assert!(outcome.holds, "{row:?}: {outcome:?}");
        match vector.used_as {
            Use::Assert => asserted += 1,
            Use::NegativeControl => controls += 1,
        }
    }
    assert_eq!((asserted, controls), (102, 8));
}

/// Every place of a row where a figure that counts stands.
fn figures(row: &[String]) -> Vec<(usize, usize)> {
    let of_field = |field: usize| {
        let digits = row[field]
            .char_indices()
            .filter(|(_, letter)| letter.is_ascii_digit());
        digits.map(move |(at, _)| (field, at)).collect::<Vec<_>>()
    };
    [4, 5].into_iter().flat_map(of_field).collect()
}

#[test]
fn a_changed_figure_of_an_asserted_case_does_not_come_out() {
    let mut changed = 0;
    for row in published() {
        // Somebody's mistake may become right by a change.
        if row[7] != "assert" {
            continue;
        }
        for (field, at) in figures(&row) {
            let mut wrong = row.clone();
            let digit = if &wrong[field][at..=at] == "1" { "2" } else { "1" };
            wrong[field].replace_range(at..=at, digit);
            let outcome = read(&wrong).unwrap().run().unwrap();
            assert!(!outcome.holds, "{wrong:?}");
            changed += 1;
        }
    }
    assert!(changed > 300, "{changed}");
}

fn case(kind: &str, used_as: &str, gross: &str, rate: &str, extra: &str) -> Result<Outcome, BadVector> {
    let row = [
        "X1", kind, gross, rate, "780.00", "71.18", "", used_as, "", "", extra,
    ];
    Vector::read(&row).and_then(|vector| vector.run())
}

#[test]
fn a_row_that_is_no_case_says_why() {
    let good = case("inclusive", "assert", "851.18", "9.125", "").unwrap();
    assert!(good.holds && good.comes_out);
    assert_eq!(
        good.ours.map(|ours| ours.tax_cents),
        Some(crate::money::Cents(7_118))
    );
    let control = case("inclusive", "negative_control", "851.18", "9.125", "").unwrap();
    assert!(control.comes_out && !control.holds);
    let said = |outcome: Result<Outcome, BadVector>| outcome.unwrap_err().to_string();
    assert!(said(case("exclusive", "assert", "1", "9", "")).contains("split_components"));
    assert!(said(case("inclusive", "perhaps", "1", "9", "")).contains("perhaps"));
    for gross in [
        "",
        "-",
        "1.",
        ".5",
        "1.234",
        "1,00",
        "1e3",
        "$5",
        "99999999999999999999",
    ] {
        let error = said(case("inclusive", "assert", gross, "9", ""));
        assert!(error.starts_with("gross:"), "{gross}: {error}");
    }
    for rate in ["", "9.12345", "-1", "101", "9%"] {
        let error = said(case("inclusive", "assert", "1.00", rate, ""));
        assert!(error.starts_with("rate_percent:"), "{rate}: {error}");
    }
    for (kind, extra) in [
        ("prorate", "{"),
        ("prorate", ""),
        ("prorate", "{\"weights\":[-1],\"total\":5,\"expected\":[5]}"),
        ("prorate", "{\"weights\":[1],\"total\":\"5\",\"expected\":[5]}"),
        ("aggregate", "{\"orders\":7}"),
    ] {
        let error = said(case(kind, "assert", "851.18", "9.125", extra));
        assert!(error.starts_with("extra:"), "{extra}: {error}");
    }
    assert_eq!(Vector::read(&["X1", "inclusive"]), Err(BadVector::Fields(2)));
    let cents = said(case("inclusive_scale0", "assert", "1.50", "9", ""));
    assert!(cents.contains("with cents"), "{cents}");
}

proptest! {
    #[test]
    fn no_row_makes_it_panic(
        kind in 0_usize..13, gross in "-?[0-9]{0,16}(\\.[0-9]{0,2})?", rate in "[0-9]{0,3}(\\.[0-9]{0,4})?",
        extra in "(\\{\"(weights|orders|refunds|components|payments)\":[\\[0-9,\\]\"]{0,12}\\})?",
    ) {
        let (kind, _) = Kind::ALL[kind];
        let row = ["X1", kind, &gross, &rate, &gross, &gross, "", "assert", "", "", &extra];
        if let Ok(vector) = Vector::read(&row) {
            let _ = vector.run();
        }
    }
}
