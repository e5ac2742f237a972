//! The other commands of `hibachi tax`: cases, checks, books, rates and closings.

use std::fs;

use chrono::{Datelike, Days};
use commands::gateways::SystemClock;
use commands::ports::Clock;
use tests::process::{Answer, Installation, SLUG, answer};

use crate::cli::assert_cannot_run;

const PUBLISHED: &str = include_str!("../../../../domain/data/tax_vectors.csv");

fn vectors(installation: &Installation, text: &str) -> Answer {
    let file = installation.place().join("vectors.csv");
    fs::write(&file, text).expect("the test's own world");
    answer(installation.command_anywhere(&["tax", "vectors", file.to_str().expect("the test's own world")]))
}

#[test]
fn published_cases_hold_and_an_accountants_own_are_told_row_by_row() {
    let installation = Installation::empty();
    let published = vectors(&installation, PUBLISHED);
    assert_eq!(
        (published.code, published.err.as_str()),
        (Some(0), ""),
        "{published:?}"
    );
    assert_eq!(published.out.lines().count(), 111);
    assert!(
        published.out.ends_with("110 cases, 0 do not hold\n"),
        "{}",
        published.out
    );

    let header = PUBLISHED.lines().next().unwrap();
    let own = |rows: &str| vectors(&installation, &format!("{header}\n{rows}\n"));
    let right = "A1,inclusive,851.18,9.125,780.00,71.18,,assert,,,";
    let wrong = "A2,inclusive,851.18,9.125,780.01,71.17,,assert,,,";
    let control = "A3,inclusive,851.18,9.125,780.00,71.18,,negative_control,,,";
    let mixed = own(&format!("{right}\n{wrong}\n{control}"));
    assert_eq!((mixed.code, mixed.err.as_str()), (Some(1), ""), "{mixed:?}");
    let lines: Vec<&str> = mixed.out.lines().collect();
    assert_eq!(
        lines,
        [
            "line 2: A1 (assert) holds",
            "line 3: A2 (assert) does not hold: it does not come out; we get net 780.00 and tax 71.18",
            "line 4: A3 (negative_control) does not hold: it comes out and must not; we get net 780.00 and tax 71.18",
            "3 cases, 2 do not hold",
        ]
    );
    let bad = own(&format!(
        "{right}\nA4,inclusive,1.234,9.125,1,0,,assert,,,\nA5,exclusive,1,1,1,0,,assert,,,\nA6"
    ));
    assert_eq!((bad.code, bad.out.as_str()), (Some(2), ""), "{bad:?}");
    let told: Vec<&str> = bad.err.lines().collect();
    assert!(told[0].starts_with("line 3: gross: \"1.234\""), "{told:?}");
    assert!(
        told[1].starts_with("line 4: there is no kind \"exclusive\""),
        "{told:?}"
    );
    assert!(
        told[2].starts_with("line 5: a row has 11 fields, this one has 1"),
        "{told:?}"
    );
    assert!(told[3].ends_with("3 rows are no cases"), "{told:?}");
    let other = vectors(&installation, "a,b\n1,2\n");
    assert_cannot_run(&other, "the columns must be id,kind,gross");
    let missing = answer(installation.command_anywhere(&["tax", "vectors", "nowhere.csv"]));
    assert_cannot_run(&missing, "nowhere.csv");
    assert!(!installation.data_dir().exists());
}

/// The demo company's Postgres, so that no command starts one of its own; and its last 340 days.
fn demo() -> (Installation, embedded_postgres::Server, String) {
    let installation = Installation::demo();
    let server = installation.postgres();
    let today = SystemClock.now().date_naive();
    let period = format!("{}..{today}", today - Days::new(340));
    (installation, server, period)
}

#[test]
fn every_file_of_a_report_proves_itself_and_a_changed_figure_is_named() {
    let (installation, _server, period) = demo();
    let report = [
        "tax", "report", "--org", SLUG, "--state", "CA", "--period", &period, "--format",
    ];
    let check = |name: &str| installation.run(&["tax", "check", name, "--org", SLUG]);
    for (format, more) in [
        ("csv", "--summary"),
        ("csv", "--detail"),
        ("xlsx", "--detail"),
        ("xlsx", "--summary"),
        ("json", "--detail"),
        ("json", "--as-of=head"),
    ] {
        let name = format!("tax{more}.{format}");
        installation.well(&[report.as_slice(), &[format, more, "--out", &name]].concat());
        let checked = check(&name);
        assert_eq!(
            (checked.code, checked.err.as_str()),
            (Some(0), ""),
            "{name}: {checked:?}"
        );
        assert!(
            checked.out.contains("and the log says the same"),
            "{}",
            checked.out
        );
    }
    let file = installation.place().join("tax--detail.csv");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.lines().count() > 100, "{}", text.lines().count());
    // The first cent of tax that is a one.
    let (at, _) = text
        .match_indices(".11,")
        .next()
        .expect("some amount has eleven cents");
    let mut changed = text.clone();
    changed.replace_range(at..at + 3, ".12");
    fs::write(&file, &changed).unwrap();
    let checked = check("tax--detail.csv");
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let row = changed[..at].lines().count() - 1;
    assert!(
        checked.out.contains(&format!("line {row} (position")),
        "{}",
        checked.out
    );
    assert!(
        checked.out.contains("LINES_CHECKSUM") || checked.out.contains(" difference"),
        "{}",
        checked.out
    );
    fs::write(&file, "no export").unwrap();
    assert_cannot_run(&check("tax--detail.csv"), "columns");

    let table = installation.well(&[report.as_slice(), &["table"]].concat());
    assert!(
        table.starts_with("Sales tax of CA, ") && table.contains("TOTAL"),
        "{table}"
    );
    let detail = installation.run(&[report.as_slice(), &["table", "--detail"]].concat());
    assert_cannot_run(&detail, "csv, xlsx or json");
    installation.well(&[report.as_slice(), &["pdf", "--out", "tax.pdf"]].concat());
    let pdf = installation.place().join("tax.pdf");
    let document = fs::read(&pdf).unwrap();
    assert!(document.starts_with(b"%PDF-"));
    assert_eq!(check("tax.pdf").code, Some(0), "{:?}", check("tax.pdf"));
    let mut changed = document.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&pdf, &changed).unwrap();
    assert_eq!(check("tax.pdf").code, Some(1), "{:?}", check("tax.pdf"));
    // Where the check reads it: a PDF says what it is in two places.
    let after = |name: &[u8], from: usize| {
        let rest = &document[from..];
        let found = rest.windows(name.len()).position(|part| part == name);
        from + found.expect("it says its position") + name.len()
    };
    let at = after(b"POSITION=", after(b"<pdf:Keywords>", 0));
    let mut beyond = document.clone();
    let digits = beyond[at..].iter_mut().take_while(|byte| byte.is_ascii_digit());
    digits.for_each(|digit| *digit = b'9');
    fs::write(&pdf, &beyond).unwrap();
    let checked = check("tax.pdf");
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.out.contains("the log ends at"), "{checked:?}");
    fs::write(&pdf, b"%PDF-1.7 of somebody else").unwrap();
    assert_cannot_run(&check("tax.pdf"), "hibachi-tax-report/1");
}

#[test]
fn a_report_by_the_day_of_payment_is_a_view_and_its_files_prove_themselves_all_the_same() {
    let (installation, _server, period) = demo();
    let report = |basis: &str, more: &[&str]| {
        let ask = [
            "tax", "report", "--org", SLUG, "--state", "CA", "--period", &period, "--basis", basis,
        ];
        installation.well(&[ask.as_slice(), more].concat())
    };
    let check = |name: &str| installation.run(&["tax", "check", name, "--org", SLUG]);
    for (format, more) in [
        ("csv", "--summary"),
        ("csv", "--detail"),
        ("xlsx", "--detail"),
        ("json", "--detail"),
        ("pdf", "--summary"),
    ] {
        let name = format!("view{more}.{format}");
        report("payment-date", &["--format", format, more, "--out", &name]);
        let well = check(&name);
        assert_eq!((well.code, well.err.as_str()), (Some(0), ""), "{name}: {well:?}");
        assert!(
            well.out.contains(" by date of payment at position ")
                && well.out.contains("the log says the same"),
            "{}",
            well.out
        );
        let file = installation.place().join(&name);
        let mut bytes = fs::read(&file).unwrap();
        // A digit of a figure where it is text, and otherwise any byte in the midst.
        let text = String::from_utf8(bytes.clone()).ok().filter(|_| format != "pdf");
        let at = text.map_or(bytes.len() / 2, |text| {
            text.match_indices('.')
                .map(|(at, _)| at + 1)
                .find(|at| text.as_bytes()[*at].is_ascii_digit())
                .expect("there is an amount")
        });
        bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
        fs::write(&file, &bytes).unwrap();
        let changed = check(&name);
        assert!(matches!(changed.code, Some(1 | 2)), "{name}: {changed:?}");
    }
    let csv = report("payment-date", &[]);
    assert!(csv.contains("FORMAT,hibachi-tax-report/2,"), "{csv}");
    assert!(csv.contains("\r\nBASIS,payment-date,"), "{csv}");
    // What is filed says nothing of it, as it always did.
    let filed = report("event-date", &[]);
    assert!(
        filed.contains("FORMAT,hibachi-tax-report/1,") && !filed.contains("BASIS"),
        "{filed}"
    );
    let ask = [
        "tax", "report", "--org", SLUG, "--state", "CA", "--period", &period,
    ];
    assert_eq!(installation.well(&ask), filed);

    let table = report("payment-date", &["--format", "table"]);
    assert!(
        table.contains(" by date of payment, as of log position "),
        "{table}"
    );
    assert!(
        table.contains("This is a view: returns are made, and periods are closed, by the date of the event."),
        "{table}"
    );
    assert!(!table.contains("cannot be closed"), "{table}");
    // A view is closed on no day.
    let close = ["tax", "close", "--org", SLUG, "--state", "CA", "--period", "2001"];
    let closed = installation.run(&[close.as_slice(), &["--basis", "payment-date"]].concat());
    assert_eq!((closed.code, closed.out.as_str()), (Some(2), ""), "{closed:?}");
    assert!(
        closed.err.contains("periods are closed by the date of the event"),
        "{closed:?}"
    );
    installation.well(&[close.as_slice(), &["--basis", "event-date"]].concat());
}

#[test]
fn the_books_of_the_demo_company_balance_in_both_formats() {
    let (installation, _server, _) = demo();
    let ask = |format: &str| {
        installation.well(&[
            "tax",
            "books",
            "--org",
            SLUG,
            "--format",
            format,
            "--from",
            "2000-01-01",
            "--to",
            "2100-01-01",
        ])
    };
    let amount = |text: &str| {
        text.replace('.', "")
            .parse::<i64>()
            .expect("an amount has two places")
    };
    let ledger = ask("beancount");
    let postings = ledger
        .lines()
        .filter(|line| line.ends_with(" USD") && line.starts_with("  "));
    let amounts = postings.map(|line| amount(line.split_whitespace().nth(1).unwrap()));
    let (count, sum) = amounts.fold((0, 0), |(count, sum), cents| (count + 1, sum + cents));
    assert!(count > 300 && sum == 0, "{count} postings come to {sum}");
    assert!(ledger.contains("\n; POSTINGS_CHECKSUM "), "{ledger}");
    let journal = ask("csv");
    let side = |text: &str| if text.is_empty() { 0 } else { amount(text) };
    let mut balance = 0;
    for record in csv::Reader::from_reader(journal.as_bytes()).records() {
        let record = record.unwrap();
        if record[0].contains('-') {
            balance += side(&record[5]) - side(&record[6]);
        }
    }
    assert_eq!(balance, 0);
    let backwards = installation.run(&[
        "tax",
        "books",
        "--org",
        SLUG,
        "--from",
        "2026-02-01",
        "--to",
        "2026-01-01",
    ]);
    assert_cannot_run(&backwards, "is before");

    // As of a position in the past there is less, and the same for ever.
    let as_of = |moment: &str| {
        let ask = [
            "tax",
            "books",
            "--org",
            SLUG,
            "--from",
            "2000-01-01",
            "--to",
            "2100-01-01",
        ];
        installation.run(&[ask.as_slice(), &["--as-of", moment]].concat())
    };
    let before = as_of("500");
    assert_eq!(before.code, Some(0), "{before:?}");
    assert!(before.out.contains("\r\nPOSITION,500,"), "{}", before.out);
    assert!(before.out.lines().count() < journal.lines().count());
    assert_eq!(as_of("500"), before);
    assert_cannot_run(&as_of("99999999"), "there is no answer as of 99999999 yet");
    let moment = as_of("yesterday");
    assert_eq!((moment.code, moment.out.as_str()), (Some(2), ""), "{moment:?}");
}

#[test]
fn a_state_that_is_none_is_no_state_without_tax() {
    let (installation, _server, _) = demo();
    for (command, state) in [
        ("report", "california"),
        ("report", "ca"),
        ("close", "Ca"),
        ("reopen", "C4"),
    ] {
        let refused = installation.run(&[
            "tax", command, "--org", SLUG, "--state", state, "--period", "2026",
        ]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{refused:?}");
        assert!(
            refused.err.contains("a state has two capital letters"),
            "{refused:?}"
        );
    }
}

#[test]
fn rates_go_out_and_in_and_a_period_that_is_not_over_stays_open() {
    let (installation, _server, _) = demo();
    let rates = installation.well(&["tax", "rates", "export", "--org", SLUG]);
    assert!(
        rates.starts_with("state,county,city,rate,effective_from"),
        "{rates}"
    );
    let file = installation.place().join("rates.csv");
    fs::write(&file, &rates).unwrap();
    let import = |name: &str| installation.run(&["tax", "rates", "import", name, "--org", SLUG]);
    let known = import("rates.csv");
    assert_eq!(known.code, Some(1), "{known:?}");
    assert!(known.out.starts_with("UNCHANGED: "), "{known:?}");
    let header = rates.lines().next().unwrap();
    let more = format!("{header}\r\nNV,Clark,,0.08375,2026-01-01,,by hand,\r\n");
    fs::write(&file, &more).unwrap();
    let taken = import("rates.csv");
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let now = installation.well(&["tax", "rates", "export", "--org", SLUG, "--state", "NV"]);
    assert_eq!(now.lines().count(), 2, "{now}");
    fs::write(&file, format!("{header}\r\nNV,Clark,,8.375,2026-01-01,,,\r\n")).unwrap();
    let bad = import("rates.csv");
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert!(bad.out.starts_with("line 2: "), "{bad:?}");

    let today = SystemClock.now().date_naive();
    let quarter = format!("{}-Q{}", today.year(), today.month().div_ceil(3));
    let close = [
        "tax", "close", "--org", SLUG, "--state", "CA", "--period", &quarter,
    ];
    let refused = installation.run(&close);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.out.contains("it can be closed from the day after on"),
        "{refused:?}"
    );
    // Long before the company was there.
    let empty = |command: &str, more: &[&str]| {
        let ask = ["tax", command, "--org", SLUG, "--state", "CA", "--period", "2001"];
        installation.run(&[ask.as_slice(), more].concat())
    };
    let closed = empty("close", &[]);
    assert_eq!(closed.code, Some(0), "{closed:?}");
    assert!(
        closed.out.starts_with("CA 2001 is closed, at position "),
        "{closed:?}"
    );
    assert_eq!(empty("close", &[]).code, Some(1));
    let reopened = empty("reopen", &["--reason", "an invoice was found"]);
    assert_eq!(reopened.code, Some(0), "{reopened:?}");
    let again = empty("reopen", &["--reason", "an invoice was found"]);
    assert_eq!(again.code, Some(1), "{again:?}");
}
