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
use uuid::Uuid;

use super::{Contact, Personal, document};

mod paper;
mod report;

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
            "adds a fee of 3%;",
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

/// More has come than is owed, for whatever reason.
#[test]
fn nobody_is_asked_for_less_than_nothing() {
    let over = invoice_of(vec![line(LineKind::Guests, "Adult", 1, 6_000)], money(10_000, 0));
    let bytes = document(&over, &ours());
    assert_shows(&bytes, &["Paid too much", "$40.00", "more has come than is owed"]);
    let shown = read(&bytes).join("\n");
    assert!(
        !shown.contains("-$40.00") && !shown.contains("Balance due"),
        "{shown}"
    );
}

/// A kindness lowers no price: what was given back is not asked for again, and that is all that is said.
#[test]
fn a_kindness_is_not_called_a_lower_price() {
    let mut kind = credit();
    if let DocumentBody::CreditNote(body) = &mut kind.body {
        body.refund_kind = RefundKind::Goodwill;
    }
    let shown = read(&document(&kind, &ours())).join("\n");
    assert!(
        shown.contains("Not owed any more") && !shown.to_lowercase().contains("reduced"),
        "{shown}"
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
