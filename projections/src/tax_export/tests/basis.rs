//! Files of one basis are none of the other.

use super::*;

/// What is filed says what it always said, and the view says that it is one.
#[test]
fn a_certificate_names_the_basis_where_it_is_the_day_of_payment() {
    let text = |basis, holds| String::from_utf8(encoded_on(basis, ExportFormat::Csv, holds)).unwrap();
    let company = "COMPANY,00000000-0000-0000-0000-000000000005";
    for holds in [Holds::Summary, Holds::Detail] {
        let records = |basis| {
            let text = text(basis, holds);
            let records = text.lines().map(|line| line.trim_end_matches(',').to_owned());
            records
                .skip_while(|line| !line.starts_with("FORMAT,"))
                .collect::<Vec<_>>()
        };
        let filed = records(TaxBasis::EventDate);
        assert_eq!(
            (filed.len(), &filed[..2]),
            (
                11,
                ["FORMAT,hibachi-tax-report/1", company]
                    .map(str::to_owned)
                    .as_slice()
            )
        );
        let view = records(TaxBasis::PaymentDate);
        let named = ["FORMAT,hibachi-tax-report/2", "BASIS,payment-date", company];
        assert_eq!(
            (view.len(), &view[..3]),
            (12, named.map(str::to_owned).as_slice())
        );
    }
    let view = text(TaxBasis::PaymentDate, Holds::Summary);
    let refused = |text: &str| {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("export");
        fs::write(&path, text).unwrap();
        match read(&path, &mut |_| true) {
            Ok(said) => format!("{:?}", said.strays),
            Err(error) => error.to_string(),
        }
    };
    let of_event = view.replace("BASIS,payment-date", "BASIS,event-date");
    assert!(refused(&of_event).contains("does not say its BASIS"));
    let unsaid = view.replace("BASIS,payment-date,,,,,,,,,,,,,\r\n", "");
    assert!(
        refused(&unsaid).contains("does not say its BASIS"),
        "{}",
        refused(&unsaid)
    );
    let old = view.replace("hibachi-tax-report/2", "hibachi-tax-report/1");
    assert!(refused(&old).contains("name: \"BASIS\""), "{}", refused(&old));
}

/// An empty table has no line that says of which sort it is.
#[test]
fn a_table_of_the_other_basis_is_named() {
    let empty = |basis| {
        let bytes = match basis {
            TaxBasis::EventDate => encoded_of::<TaxLineRow>(&[], ExportFormat::Csv, Holds::Detail),
            TaxBasis::PaymentDate => encoded_of::<CashLineRow>(&[], ExportFormat::Csv, Holds::Detail),
        };
        let text = String::from_utf8(bytes).unwrap();
        let (header, rest) = text.split_once("\r\n").unwrap();
        let records: Vec<String> = rest
            .lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .collect();
        (header.to_owned(), records)
    };
    let ((events, _), (_, view)) = (empty(TaxBasis::EventDate), empty(TaxBasis::PaymentDate));
    let columns = events.split(',').count();
    let mut text = events;
    for record in view {
        let fields = record.split(',').count();
        text += &format!("\r\n{record}{}", ",".repeat(columns - fields));
    }
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("export");
    fs::write(&path, text + "\r\n").unwrap();
    let strays = read(&path, &mut |_| true).unwrap().strays;
    assert_eq!(strays.len(), 1, "{strays:?}");
    assert_eq!(
        (strays[0].found.as_str(), strays[0].expected.as_str()),
        ("event-date", "payment-date")
    );
}
