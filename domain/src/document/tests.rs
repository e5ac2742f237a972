use proptest::prelude::*;

use super::series::{DocumentSeries, DocumentSeriesCommand, DocumentSeriesError};
use super::*;
use crate::envelope::{Position, Sealed};
use crate::guests::Guests;
use crate::ids::{BookingId, CustomerId, RefundId, StationId, SubjectId};
use crate::money::RatePpm;
use crate::payment::{BookingMoney, PaymentKind, PaymentMethod, RefundKind};
use crate::quote::{LineKind, QuoteLine};
use crate::schedule::EventTime;
use uuid::Uuid;

const BOOKING: BookingId = BookingId(Uuid::from_u128(1));
const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(2));

fn number(text: &str) -> DocumentNumber {
    text.parse().unwrap()
}

fn line(total: i64) -> QuoteLine {
    QuoteLine {
        kind: LineKind::Guests,
        item: "adult".to_owned(),
        label: "Adult".to_owned(),
        quantity: 1,
        unit_cents: Cents(total),
        total_cents: Cents(total),
    }
}

fn sealed(text: &str) -> Sealed {
    Sealed {
        subject: SubjectId(Uuid::from_u128(3)),
        sealed: text.to_owned(),
    }
}

fn issued(text: &str, account: Account, body: DocumentBody) -> DocumentIssued {
    DocumentIssued {
        number: number(text),
        issued_on: "2026-02-10".parse().unwrap(),
        issued_at: "2026-02-10T18:00:00Z".parse().unwrap(),
        as_of: Position(7),
        issuer: Issuer {
            organisation: "My Hibachi".to_owned(),
            station: "San Jose".to_owned(),
            station_id: StationId(Uuid::from_u128(4)),
        },
        party: Party {
            booking_id: BOOKING,
            number: "ABCDE-12345".to_owned(),
            customer_id: CustomerId(Uuid::from_u128(3)),
            name: Some(sealed("name")),
            start: EventTime::resolve(
                "2026-03-14T18:00:00".parse().unwrap(),
                chrono_tz::America::Los_Angeles,
            ),
            guests: Guests {
                adults: 12,
                children: 4,
                under6: 0,
            },
            street: sealed("street"),
            city: "San Jose".to_owned(),
            state: "CA".to_owned(),
            zip: "95112".to_owned(),
        },
        account,
        body,
    }
}

fn invoice(text: &str, total: i64, paid: i64) -> DocumentIssued {
    let body = InvoiceBody {
        lines: vec![line(total)],
        deposit_cents: Cents(100),
        deposit_due_at: None,
        methods: vec![PaymentMethod::Cash],
        card_fee_ppm: RatePpm(30_000),
        replaces: None,
    };
    let account = Account::of(Cents(total), money(paid, 0));
    issued(text, account, DocumentBody::Invoice(body))
}

fn receipt(text: &str, payment: PaymentId) -> DocumentIssued {
    let body = ReceiptBody {
        payment_id: payment,
        payment_kind: PaymentKind::Deposit,
        method: PaymentMethod::Zelle,
        received_on: "2026-02-10".parse().unwrap(),
        amount_cents: Cents(100),
        tip_cents: Cents(20),
        fee_cents: Cents(4),
    };
    let account = Account::of(Cents(1_000), money(100, 0));
    issued(text, account, DocumentBody::Receipt(body))
}

fn money(paid: i64, refunded: i64) -> BookingMoney {
    BookingMoney {
        paid_cents: Cents(paid),
        refunded_cents: Cents(refunded),
        waived_cents: Cents(refunded),
        ..BookingMoney::default()
    }
}

fn credit(text: &str, refund: u128) -> DocumentIssued {
    let body = CreditBody {
        payment_id: PAYMENT,
        refund_id: RefundId(Uuid::from_u128(refund)),
        method: PaymentMethod::Zelle,
        refund_kind: RefundKind::PriceAdjustment,
        refunded_on: "2026-02-11".parse().unwrap(),
        amount_cents: Cents(50),
        tip_cents: Cents::ZERO,
        fee_cents: Cents::ZERO,
        receipt: Some(number("REC-2026-000001")),
    };
    let account = Account::of(Cents(1_000), money(100, 50));
    issued(text, account, DocumentBody::CreditNote(body))
}

fn issue(documents: &mut Documents, document: DocumentIssued) -> Result<(), DocumentError> {
    let events = documents.decide(DocumentCommand::Issue(Box::new(document)))?;
    events.iter().for_each(|event| documents.evolve(event));
    Ok(())
}

#[test]
fn an_invoice_holds_until_what_it_charges_changes() {
    let mut documents = Documents::default();
    assert_eq!(documents.invoice(), None);
    issue(&mut documents, invoice("INV-2026-000001", 1_000, 0)).unwrap();
    let again = issue(&mut documents, invoice("INV-2026-000002", 1_000, 100));
    let first = number("INV-2026-000001");
    assert_eq!(
        again,
        Err(DocumentError::AlreadyIssued(first)),
        "a payment has a receipt"
    );
    issue(&mut documents, invoice("INV-2026-000002", 1_200, 100)).unwrap();
    assert_eq!(documents.invoice(), Some(number("INV-2026-000002")));
    let mut moved = invoice("INV-2026-000003", 1_200, 100);
    moved.party.street = sealed("another street");
    issue(&mut documents, moved).unwrap();
    assert_eq!(documents.invoice(), Some(number("INV-2026-000003")));
}

#[test]
fn a_payment_has_one_receipt_and_each_refund_one_credit_note() {
    let mut documents = Documents::default();
    issue(&mut documents, receipt("REC-2026-000001", PAYMENT)).unwrap();
    let first = number("REC-2026-000001");
    assert_eq!(documents.receipt(PAYMENT), Some(first));
    assert_eq!(
        issue(&mut documents, receipt("REC-2026-000002", PAYMENT)),
        Err(DocumentError::AlreadyIssued(first))
    );
    let other = PaymentId(Uuid::from_u128(9));
    issue(&mut documents, receipt("REC-2026-000002", other)).unwrap();
    issue(&mut documents, credit("CRN-2026-000001", 1)).unwrap();
    issue(&mut documents, credit("CRN-2026-000002", 2)).unwrap();
    let again = issue(&mut documents, credit("CRN-2026-000003", 1));
    assert_eq!(
        again,
        Err(DocumentError::AlreadyIssued(number("CRN-2026-000001")))
    );
}

#[test]
fn figures_that_disagree_are_never_issued() {
    let mut documents = Documents::default();
    let mut wrong = invoice("INV-2026-000001", 1_000, 0);
    wrong.account.balance_cents = Cents(999);
    assert_eq!(issue(&mut documents, wrong), Err(DocumentError::FiguresDisagree));
    let mut wrong = invoice("INV-2026-000001", 1_000, 0);
    wrong.account = Account::of(Cents(900), money(0, 0));
    assert_eq!(issue(&mut documents, wrong), Err(DocumentError::FiguresDisagree));
    assert_eq!(documents, Documents::default());
}

#[test]
fn what_a_document_comes_to_is_the_price_or_the_money_that_moved() {
    let total = |document: DocumentIssued| document.body.total(&document.account);
    assert_eq!(total(invoice("INV-2026-000001", 1_000, 100)), Cents(1_000));
    assert_eq!(total(receipt("REC-2026-000001", PAYMENT)), Cents(124));
    assert_eq!(total(credit("CRN-2026-000001", 1)), Cents(50));
}

#[test]
fn a_series_gives_one_number_after_the_other_and_only_its_own() {
    let mut series = DocumentSeries::default();
    let take = |series: &DocumentSeries, year| {
        series.decide(DocumentSeriesCommand::Take {
            kind: DocumentKind::Invoice,
            year,
            booking_id: BOOKING,
        })
    };
    for sequence in 1..=1_000 {
        let events = take(&series, 2026).unwrap();
        events.iter().for_each(|event| series.evolve(event));
        assert_eq!(series.last().unwrap().sequence, sequence);
    }
    let last = number("INV-2026-001000");
    assert_eq!(take(&series, 2027), Err(DocumentSeriesError::OtherSeries(last)));
}

#[test]
fn a_text_that_is_no_number_is_refused() {
    for text in [
        "",
        "INV",
        "INV-2026",
        "INV-2026-",
        "INV-2026-1",
        "INV-2026-0000001",
        "INV-2026-000000",
        "INV-2026--00001",
        "INV-2026-+00001",
        "INV-26-000001",
        "inv-2026-000001",
        "XXX-2026-000001",
        "INV-2026-000001-1",
        "INV-2026-00000１",
    ] {
        assert_eq!(text.parse::<DocumentNumber>(), Err(BadDocumentNumber), "{text}");
    }
}

#[test]
fn every_refusal_has_its_code() {
    use DocumentError::*;
    let codes = [
        BookingNotFound,
        NothingToInvoice("cancelled"),
        PaymentNotFound,
        PaymentDoesNotCount,
        RefundNotFound,
        FiguresDisagree,
        AlreadyIssued(number("INV-2026-000001")),
    ]
    .map(|error| error.code());
    assert_eq!(
        codes,
        [
            "NOT_FOUND",
            "WRONG_STATE",
            "NOT_FOUND",
            "WRONG_STATE",
            "NOT_FOUND",
            "FIGURES_DISAGREE",
            "ALREADY_EXISTS"
        ]
    );
}

proptest! {
    #[test]
    fn a_number_survives_its_text(year in 1_i32..=9999, sequence in 1_i64..10_000_000_000, kind in 0_usize..3) {
        let number = DocumentNumber { kind: DocumentKind::ALL[kind], year, sequence };
        prop_assert_eq!(number.to_string().parse(), Ok(number));
        let series = DocumentNumber::series_id(number.kind, year);
        prop_assert_eq!(DocumentNumber::in_series(&series, sequence), Some(number));
    }
}
