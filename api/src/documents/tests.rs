use chrono::NaiveDate;
use domain::document::{
    Account, CreditBody, DocumentBody, DocumentIssued, InvoiceBody, Issuer, Party, ReceiptBody,
};
use domain::envelope::{Position, Sealed};
use domain::guests::Guests;
use domain::ids::{BookingId, CustomerId, PaymentId, RefundId, StationId, SubjectId};
use domain::money::{Cents, RatePpm};
use domain::payment::{BookingMoney, PaymentKind, PaymentMethod, RefundKind};
use domain::quote::{LineKind, QuoteLine};
use domain::schedule::EventTime;
use lopdf::{Document, Object};
use proptest::prelude::*;
use uuid::Uuid;

use super::customer::pages;
use super::font::{Face, Fonts};
use super::sheet::{Mark, Paper};
use super::{Contact, Personal, document};

const NAME: &str = "Zoë Quintanilla-Sørensen";

fn line(kind: LineKind, label: &str, quantity: i32, unit: i64) -> QuoteLine {
    QuoteLine {
        kind,
        item: "item".to_owned(),
        label: label.to_owned(),
        quantity,
        unit_cents: Cents(unit),
        total_cents: Cents(unit * i64::from(quantity)),
    }
}

fn sealed() -> Sealed {
    Sealed {
        subject: SubjectId(Uuid::nil()),
        sealed: String::new(),
    }
}

fn contact(name: &str, street: &str) -> Contact {
    Contact {
        name: Personal::Text(name.to_owned()),
        street: Personal::Text(street.to_owned()),
    }
}

fn ours() -> Contact {
    contact(NAME, "1742 Wisteria Hollow Ln")
}

fn money(paid: i64, refunded: i64) -> BookingMoney {
    BookingMoney {
        paid_cents: Cents(paid),
        refunded_cents: Cents(refunded),
        waived_cents: Cents(refunded),
        ..BookingMoney::default()
    }
}

fn issued(number: &str, account: Account, body: DocumentBody) -> DocumentIssued {
    let start = "2026-03-14T18:00:00".parse().unwrap();
    DocumentIssued {
        number: number.parse().unwrap(),
        issued_on: "2026-02-10".parse().unwrap(),
        issued_at: "2026-02-10T18:00:00Z".parse().unwrap(),
        as_of: Position(1_234),
        issuer: Issuer {
            organisation: "My Hibachi".to_owned(),
            station: "San Jose".to_owned(),
            station_id: StationId(Uuid::nil()),
        },
        party: Party {
            booking_id: BookingId(Uuid::nil()),
            number: "4K7QX-93ZPA".to_owned(),
            customer_id: CustomerId(Uuid::nil()),
            name: Some(sealed()),
            start: EventTime::resolve(start, chrono_tz::America::Los_Angeles),
            guests: Guests {
                adults: 12,
                children: 4,
                under6: 1,
            },
            street: sealed(),
            city: "San Jose".to_owned(),
            state: "CA".to_owned(),
            zip: "95112".to_owned(),
        },
        account,
        body,
    }
}

fn invoice_of(lines: Vec<QuoteLine>, money: BookingMoney) -> DocumentIssued {
    let total = lines.iter().map(|line| line.total_cents).sum();
    let body = InvoiceBody {
        lines,
        deposit_cents: Cents(10_000),
        deposit_due_at: Some("2026-02-11T18:00:00Z".parse().unwrap()),
        methods: vec![PaymentMethod::Zelle, PaymentMethod::Cash, PaymentMethod::Card],
        card_fee_ppm: RatePpm(30_000),
        replaces: None,
    };
    issued(
        "INV-2026-000123",
        Account::of(total, money),
        DocumentBody::Invoice(body),
    )
}

fn invoice() -> DocumentIssued {
    let lines = vec![
        line(LineKind::Guests, "Adult", 12, 5_995),
        line(LineKind::Guests, "Child 6 to 12", 4, 2_995),
        line(LineKind::AddOn, "Yum-yum sauce", 2, 599),
        line(LineKind::Discount, "Promo code SPRING", 1, -5_118),
    ];
    invoice_of(lines, money(10_000, 0))
}

fn receipt() -> DocumentIssued {
    let body = ReceiptBody {
        payment_id: PaymentId(Uuid::nil()),
        payment_kind: PaymentKind::Deposit,
        method: PaymentMethod::Card,
        received_on: "2026-02-09".parse().unwrap(),
        amount_cents: Cents(10_000),
        tip_cents: Cents(2_000),
        fee_cents: Cents(360),
    };
    issued(
        "REC-2026-000007",
        Account::of(Cents(85_118), money(10_000, 0)),
        DocumentBody::Receipt(body),
    )
}

fn credit() -> DocumentIssued {
    let body = CreditBody {
        payment_id: PaymentId(Uuid::nil()),
        refund_id: RefundId(Uuid::nil()),
        method: PaymentMethod::Zelle,
        refund_kind: RefundKind::PriceAdjustment,
        refunded_on: "2026-03-20".parse().unwrap(),
        amount_cents: Cents(5_000),
        tip_cents: Cents::ZERO,
        fee_cents: Cents::ZERO,
        receipt: Some("REC-2026-000007".parse().unwrap()),
    };
    issued(
        "CRN-2026-000001",
        Account::of(Cents(85_118), money(85_118, 5_000)),
        DocumentBody::CreditNote(body),
    )
}

/// Every text of each page, as another library reads it.
fn read(bytes: &[u8]) -> Vec<String> {
    let document = Document::load_mem(bytes).unwrap();
    let pages = document.get_pages();
    pages
        .keys()
        .map(|page| document.extract_text(&[*page]).unwrap())
        .collect()
}

fn assert_shows(bytes: &[u8], texts: &[&str]) {
    let shown = read(bytes).join("\n");
    // Sentences wrap at the edge of the page.
    let words: Vec<&str> = shown.split_whitespace().collect();
    let flowing = words.join(" ");
    for text in texts {
        assert!(
            shown.contains(text) || flowing.contains(text),
            "{text} is not in\n{shown}"
        );
    }
}

#[test]
fn an_invoice_shows_what_is_charged_and_what_is_left() {
    let bytes = document(&invoice(), &ours());
    assert_shows(
        &bytes,
        &[
            "Invoice",
            "INV-2026-000123",
            NAME,
            "1742 Wisteria Hollow Ln",
            "Saturday, March 14, 2026",
            "6:00 PM, 17 guests",
            "San Jose, CA 95112",
            "Booking 4K7QX-93ZPA",
            "Issued February 10, 2026",
            "$719.40",
            "$851.18",
            "-$51.18",
            "$800.00",
            "-$100.00",
            "$700.00",
            "By Zelle, in cash or by card.",
            "adds a fee of 3.00 %",
            "A deposit of $100.00 is due by February 11, 2026, 10:00 AM.",
            "Page 1 of 1",
        ],
    );
    let shown = read(&bytes).join("\n").to_lowercase();
    let lines = shown.lines().filter(|line| line.contains("tax"));
    assert_eq!(
        lines.collect::<Vec<_>>().len(),
        1,
        "tax is inside, and said to be: {shown}"
    );
}

#[test]
fn a_receipt_and_a_credit_note_show_what_moved_and_where_the_booking_stands() {
    assert_shows(
        &document(&receipt(), &ours()),
        &[
            "Receipt",
            "REC-2026-000007",
            "Deposit",
            "$100.00",
            "$20.00",
            "$3.60",
            "$123.60",
            "Received by card on February 9, 2026",
            "$751.18",
        ],
    );
    assert_shows(
        &document(&credit(), &ours()),
        &[
            "Credit note",
            "CRN-2026-000001",
            "Given back by Zelle on March 20, 2026: the price was lowered.",
            "Of the payment that receipt REC-2026-000007 is for.",
            "$50.00",
            "-$851.18",
            "$0.00",
        ],
    );
}

#[test]
fn a_corrected_invoice_names_the_one_that_it_replaces() {
    let mut corrected = invoice();
    if let DocumentBody::Invoice(body) = &mut corrected.body {
        body.replaces = Some("INV-2026-000001".parse().unwrap());
    }
    let bytes = document(&corrected, &ours());
    assert_shows(&bytes, &["Corrected invoice", "Replaces INV-2026-000001"]);
}

#[test]
fn what_is_erased_or_withheld_says_so_and_nothing_else_changes() {
    let known = read(&document(&invoice(), &ours())).join("\n");
    for (state, word) in [
        (Personal::Erased, "[erased]"),
        (Personal::Withheld, "[not shown]"),
    ] {
        let gone = Contact {
            name: state.clone(),
            street: state,
        };
        let shown = read(&document(&invoice(), &gone)).join("\n");
        assert_eq!(
            known.replace(NAME, word).replace("1742 Wisteria Hollow Ln", word),
            shown
        );
    }
}

#[test]
fn the_same_document_is_the_same_bytes_and_knows_no_time_but_its_day() {
    for of in [invoice(), receipt(), credit()] {
        let bytes = document(&of, &ours());
        assert_eq!(bytes, document(&of, &ours()));
        let read = Document::load_mem(&bytes).unwrap();
        let info = read.trailer.get(b"Info").and_then(Object::as_reference).unwrap();
        let info = read.get_dictionary(info).unwrap();
        for date in [b"CreationDate".as_slice(), b"ModDate"] {
            let date = info.get(date).and_then(Object::as_str).unwrap();
            assert!(date.starts_with(b"D:20260210000000"), "{date:?}");
        }
        assert_shows(&bytes, &[&of.number.to_string()]);
    }
}

#[test]
fn long_invoices_go_on_under_the_same_head_and_count_their_pages() {
    let label = "Another extra, with everything that anybody could want to know of it in one long line";
    let lines: Vec<QuoteLine> = (1..=90)
        .map(|number| line(LineKind::AddOn, &format!("{label} {number}"), 1, number))
        .collect();
    let bytes = document(&invoice_of(lines, money(0, 0)), &ours());
    let pages = read(&bytes);
    assert!(pages.len() >= 3, "{}", pages.len());
    for (number, page) in (1..).zip(&pages) {
        assert!(
            page.contains(&format!("Page {number} of {}", pages.len())),
            "{page}"
        );
    }
    let heads = pages.iter().filter(|page| page.contains("DESCRIPTION")).count();
    assert!(heads >= pages.len() - 1, "the last may hold the totals alone");
    let all = pages.join("\n");
    for number in 1..=90 {
        assert!(
            all.contains(&format!("${}", Cents(number))),
            "line {number} is there"
        );
    }
    assert!(all.contains("$40.95"), "and the total");
}

#[test]
fn names_keep_their_accents_and_what_the_fonts_lack_is_a_box() {
    let fonts = Fonts::load();
    for name in [
        "Nguyễn Thị Ánh",
        "Łukasz Żółć",
        "Ģirts Ķēniņš",
        "Ελένη",
        "Юлия",
        "İpek Şahin",
        "Zoe\u{308}",
    ] {
        let line = fonts.line(Face::Regular, 950, name);
        let boxes = fonts.line(Face::Regular, 950, "□");
        assert!(
            line.glyphs
                .iter()
                .all(|glyph| glyph.id != 0 && glyph.id != boxes.glyphs[0].id),
            "{name}"
        );
    }
    for name in ["王小明", "👩‍🍳", "\u{10ffff}", "\u{feff}\u{0}\u{7}"] {
        let line = fonts.line(Face::Regular, 950, name);
        assert!(line.glyphs.iter().all(|glyph| glyph.id != 0), "{name}");
        document(&invoice(), &contact(name, name));
    }
    let boxes = fonts.line(Face::Regular, 950, "王王").width;
    assert_eq!(boxes, 2 * fonts.line(Face::Regular, 950, "□").width);
}

#[test]
fn figures_are_of_one_width() {
    let fonts = Fonts::load();
    let width = |text: &str| fonts.line(Face::Regular, 950, text).width;
    assert_eq!(width("$111.11"), width("$888.88"));
}

/// Whatever is on a page is on it.
fn assert_on_paper(of: &DocumentIssued, contact: &Contact) {
    let Paper { width, height } = Paper::LETTER;
    let fonts = Fonts::load();
    for mark in pages(&fonts, of, contact).iter().flatten() {
        let (x, y, wide, high) = match mark {
            Mark::Text { x, y, line, .. } => (*x, *y - line.size, line.width, line.size),
            Mark::Box {
                x, y, width, height, ..
            } => (*x, *y, *width, *height),
        };
        assert!(x >= 0 && y >= 0, "{mark:?}");
        assert!(x + wide <= width && y + high <= height, "{mark:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn nothing_runs_out_of_the_page_and_nothing_crashes(
        name in any::<String>(),
        street in "\\PC{0,300}",
        label in "[ -~é王\u{300}]{0,400}",
        city in "[A-Za-z]{0,200}",
        amounts in prop::collection::vec(0_i64..1_000_000_000_000, 0..12),
        paid in 0_i64..1_000_000_000_000,
    ) {
        let lines = amounts.iter().map(|amount| line(LineKind::AddOn, &label, 1, *amount)).collect();
        let mut of = invoice_of(lines, money(paid, paid / 2));
        of.party.city = city.clone();
        of.issuer.organisation = city;
        let whose = contact(&name, &street);
        assert_on_paper(&of, &whose);
        let bytes = document(&of, &whose);
        prop_assert!(bytes.starts_with(b"%PDF"));
    }
}

mod report {
    use projections::ReadInfo;
    use projections::tax_report::{TaxReport, TaxReportRow};

    use super::*;
    use crate::documents::{Filing, tax_report};

    fn row(county: &str, city: Option<&str>, tax: i64) -> TaxReportRow {
        TaxReportRow {
            county: county.to_owned(),
            city: city.map(str::to_owned),
            rate_ppm: Some(RatePpm(91_250)),
            orders: 3,
            gross_cents: Cents(tax * 12),
            taxable_cents: Cents(tax * 11),
            tax_cents: Cents(tax),
            net_tax_cents: Cents(tax),
            ..TaxReportRow::default()
        }
    }

    fn report(rows: Vec<TaxReportRow>) -> TaxReport {
        let sum = |of: fn(&TaxReportRow) -> Cents| rows.iter().map(of).sum();
        let total = TaxReportRow {
            orders: rows.iter().map(|row| row.orders).sum(),
            gross_cents: sum(|row| row.gross_cents),
            taxable_cents: sum(|row| row.taxable_cents),
            tax_cents: sum(|row| row.tax_cents),
            net_tax_cents: sum(|row| row.net_tax_cents),
            ..TaxReportRow::default()
        };
        TaxReport {
            state: "CA".to_owned(),
            period: "2026-Q1".parse().unwrap(),
            rows,
            total,
            unresolved: 2,
            unconfirmed: 1,
            position: Position(4_711),
            checksum: "ab".repeat(32),
            info: ReadInfo {
                position: Position(4_711),
                recorded_at: None,
                lag_events: 0,
                lag_ms: 0,
                stale: false,
                incomplete: false,
            },
        }
    }

    fn filing() -> Filing {
        Filing {
            organisation: "My Hibachi".to_owned(),
            basis: "date of the event".to_owned(),
            head_hash: Some("cd".repeat(32)),
            certificate: Vec::new(),
            on: NaiveDate::from_ymd_opt(2026, 4, 2).unwrap(),
        }
    }

    #[test]
    fn a_report_shows_its_rows_their_sum_and_what_proves_them() {
        let rows = vec![
            row("Santa Clara", None, 123_456),
            row("Santa Clara", Some("Campbell"), 7_118),
        ];
        let report = report(rows);
        let bytes = tax_report(&report, &filing());
        assert_eq!(bytes, tax_report(&report, &filing()));
        assert_shows(
            &bytes,
            &[
                "Sales tax report",
                "CA · 2026-Q1",
                "Basis: date of the event",
                "Santa Clara",
                "Campbell",
                "9.125 %",
                "1,234.56",
                "71.18",
                "1,305.74",
                "2 parties have no known rate",
                "1 party has a place that a person must confirm",
                "log position 4711",
                &"ab".repeat(32),
                &"cd".repeat(32),
            ],
        );
    }

    #[test]
    fn a_report_of_every_county_goes_over_pages() {
        let rows = (0..160).map(|number| row(&format!("County {number}"), None, 100 + number));
        let bytes = tax_report(&report(rows.collect()), &filing());
        let pages = read(&bytes);
        assert!(pages.len() >= 3);
        assert!(
            pages.iter().all(|page| page.contains(&"ab".repeat(32))),
            "each page proves itself"
        );
        assert!(pages.join("\n").contains("County 159"));
    }
}
