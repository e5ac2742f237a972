//! Invoices, receipts and credit notes. Tax is inside every amount and never a line.

use domain::document::{Account, CreditBody, DocumentBody, DocumentIssued, InvoiceBody, ReceiptBody};
use domain::money::Cents;
use domain::payment::{PaymentKind, PaymentMethod, RefundKind};
use domain::quote::{LineKind, QuoteLine};

use super::flow::{
    ACCENT, BAND, BODY, Column, DARK, Flow, GREY, HAIR, INSET, LABEL, Row, SMALL, STRONG, Side, Style, style,
};
use super::font::{Face, Fonts};
use super::sheet::{About, Mark, Paper, write};
use super::words;

/// What stands in place of personal data that is not there any more.
const ERASED: &str = "[erased]";
/// What stands in place of personal data that whoever asks may not see.
const WITHHELD: &str = "[not shown]";

const MARGIN: i32 = 5_400;
const TITLE: Style = style(Face::SemiBold, 2_000, 2_600, DARK);
const COMPANY: Style = style(Face::SemiBold, 1_500, 1_900, DARK);
const NUMBER: Style = style(Face::SemiBold, 1_050, 1_500, GREY);
const DUE: Style = style(Face::SemiBold, 1_200, 1_700, DARK);
const GREY_BODY: Style = Style { ink: GREY, ..BODY };

/// Who a document is for, as far as it is still known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The customer's name.
    pub name: Personal,
    /// Street and number of the venue.
    pub street: Personal,
}

/// Something personal, as far as a document shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Personal {
    /// As it was given.
    Text(String),
    /// The person was erased: nobody can read it any more.
    Erased,
    /// Whoever asks may not see it.
    Withheld,
}

/// The document as PDF. The same document for the same contact is the same bytes, for ever.
pub fn document(issued: &DocumentIssued, contact: &Contact) -> Vec<u8> {
    let fonts = Fonts::load();
    let about = About {
        title: format!("{} {}", title(&issued.body), issued.number),
        author: issued.issuer.organisation.clone(),
        id: issued.number.to_string(),
        keywords: Vec::new(),
        on: issued.issued_on,
    };
    write(&fonts, Paper::LETTER, &pages(&fonts, issued, contact), about)
}

/// What stands where on its pages.
pub(super) fn pages(fonts: &Fonts, issued: &DocumentIssued, contact: &Contact) -> Vec<Vec<Mark>> {
    let title = title(&issued.body);
    let running = format!("{title} {} · {}", issued.number, issued.issuer.organisation);
    let mut flow = Flow::new(fonts, Paper::LETTER, MARGIN, running);
    head(&mut flow, issued, title);
    parties(&mut flow, issued, contact);
    match &issued.body {
        DocumentBody::Invoice(invoice) => of_invoice(&mut flow, issued, invoice),
        DocumentBody::Receipt(receipt) => of_receipt(&mut flow, issued, receipt),
        DocumentBody::CreditNote(credit) => of_credit(&mut flow, issued, credit),
    }
    flow.finish(&[format!(
        "{} · {title} {}",
        issued.issuer.organisation, issued.number
    )])
}

fn title(body: &DocumentBody) -> &'static str {
    match body {
        DocumentBody::Invoice(InvoiceBody {
            replaces: Some(_), ..
        }) => "Corrected invoice",
        DocumentBody::Invoice(_) => "Invoice",
        DocumentBody::Receipt(_) => "Receipt",
        DocumentBody::CreditNote(_) => "Credit note",
    }
}

/// Who issues what: the company on the left, the document and its number on the right.
fn head(flow: &mut Flow<'_>, issued: &DocumentIssued, title: &str) {
    let (left, right, width, top) = (flow.left(), flow.right(), flow.width(), flow.y);
    flow.fill(left, top, 3_600, 260, ACCENT);
    let top = top + 1_100;
    let half = width / 2 - 1_000;
    let mut company = flow.text(left, top, half, Side::Left, COMPANY, &issued.issuer.organisation);
    company += flow.text(
        left,
        top + company,
        half,
        Side::Left,
        GREY_BODY,
        &issued.issuer.station,
    );
    let mut named = flow.text(right, top - 400, half, Side::Right, TITLE, title);
    let number = issued.number.to_string();
    named += flow.text(right, top - 400 + named, half, Side::Right, NUMBER, &number);
    flow.y = top + company.max(named) + 1_400;
}

/// A label, and below it lines of text.
fn block(flow: &mut Flow<'_>, x: i32, width: i32, label: &str, lines: &[(Style, String)]) -> i32 {
    let mut below = flow.text(x, flow.y, width, Side::Left, LABEL, label) + 200;
    for (style, line) in lines {
        below += flow.text(x, flow.y + below, width, Side::Left, *style, line);
    }
    below
}

/// For whom, for which party, and when.
fn parties(flow: &mut Flow<'_>, issued: &DocumentIssued, contact: &Contact) {
    let party = &issued.party;
    flow.rule(HAIR);
    flow.gap(1_000);
    let (left, width) = (flow.left(), flow.width());
    let third = width / 3;
    let room = third - 1_200;
    let personal = |text: &Personal, style: Style| match text {
        Personal::Text(text) => (style, text.clone()),
        Personal::Erased => (GREY_BODY, ERASED.to_owned()),
        Personal::Withheld => (GREY_BODY, WITHHELD.to_owned()),
    };
    let customer = [
        personal(&contact.name, STRONG),
        (BODY, format!("Booking {}", party.number)),
    ];
    let local = party.start.local;
    let guests = match party.guests.total() {
        1 => "1 guest".to_owned(),
        guests => format!("{guests} guests"),
    };
    let event = [
        (BODY, words::weekday(local)),
        (BODY, format!("{}, {guests}", words::time(local))),
        personal(&contact.street, BODY),
        (BODY, format!("{}, {} {}", party.city, party.state, party.zip)),
    ];
    let mut facts = vec![(BODY, format!("Issued {}", words::day(issued.issued_on)))];
    if let DocumentBody::Invoice(InvoiceBody {
        replaces: Some(before),
        ..
    }) = &issued.body
    {
        facts.push((STRONG, format!("Replaces {before}")));
    }
    let label = match &issued.body {
        DocumentBody::Invoice(_) => "FOR",
        DocumentBody::Receipt(_) => "RECEIVED FROM",
        DocumentBody::CreditNote(_) => "GIVEN BACK TO",
    };
    let heights = [
        block(flow, left, room, label, &customer),
        block(flow, left + third, room, "EVENT", &event),
        block(flow, left + 2 * third, third, "DOCUMENT", &facts),
    ];
    flow.y += heights.into_iter().max().unwrap_or(0) + 1_800;
}

fn of_invoice(flow: &mut Flow<'_>, issued: &DocumentIssued, invoice: &InvoiceBody) {
    let width = flow.width();
    let columns = [
        Column {
            head: "DESCRIPTION",
            width: width - 25_000,
            side: Side::Left,
        },
        Column {
            head: "QUANTITY",
            width: 7_000,
            side: Side::Right,
        },
        Column {
            head: "PRICE",
            width: 8_600,
            side: Side::Right,
        },
        Column {
            head: "AMOUNT",
            width: 9_400,
            side: Side::Right,
        },
    ];
    let charged = invoice
        .lines
        .iter()
        .filter(|line| line.kind != LineKind::Discount);
    let row = |line: &QuoteLine| Row {
        cells: vec![
            line.label.clone(),
            words::count(i64::from(line.quantity)),
            words::dollars(line.unit_cents),
            words::dollars(line.total_cents),
        ],
        style: BODY,
        band: None,
    };
    let rows: Vec<Row> = charged.clone().map(row).collect();
    flow.table(&columns, &rows);
    let mut sums = Vec::new();
    let discounts = invoice
        .lines
        .iter()
        .filter(|line| line.kind == LineKind::Discount);
    let discounts: Vec<(String, Cents)> = discounts
        .map(|line| (line.label.clone(), line.total_cents))
        .collect();
    if !discounts.is_empty() {
        sums.push(("Subtotal".to_owned(), charged.map(|line| line.total_cents).sum()));
        sums.extend(discounts);
    }
    sums.extend(account(&issued.account));
    totals(flow, "", &sums, "Balance due", issued.account.balance_cents);
    how_to_pay(flow, issued, invoice);
}

/// What a booking's money comes to, down to its balance.
fn account(account: &Account) -> Vec<(String, Cents)> {
    let mut sums = vec![("Total".to_owned(), account.total_cents)];
    if !account.waived_cents.is_zero() {
        sums.push(("Price reduced afterwards".to_owned(), -account.waived_cents));
    }
    sums.push(("Paid".to_owned(), -account.paid_cents));
    if !account.refunded_cents.is_zero() {
        sums.push(("Given back".to_owned(), account.refunded_cents));
    }
    sums
}

/// Amounts that come to one, on the right and kept together, under a heading where they have one.
fn totals(flow: &mut Flow<'_>, heading: &str, sums: &[(String, Cents)], name: &str, due: Cents) {
    const WIDTH: i32 = 26_000;
    let count = i32::try_from(sums.len()).unwrap_or(0);
    flow.ensure(count * 1_700 + 5_000);
    flow.gap(700);
    let (x, edge) = (flow.right() - WIDTH, flow.right());
    if !heading.is_empty() {
        flow.y += flow.text(x, flow.y, WIDTH, Side::Left, LABEL, heading) + 300;
    }
    for (label, amount) in sums {
        let room = WIDTH - 11_000;
        let height = flow.text(x, flow.y, room, Side::Left, BODY, label);
        flow.text(edge, flow.y, WIDTH, Side::Right, BODY, &words::dollars(*amount));
        flow.y += height + 300;
    }
    flow.gap(300);
    flow.fill(x - INSET, flow.y, WIDTH + 2 * INSET, 2_600, BAND);
    flow.fill(x - INSET, flow.y, WIDTH + 2 * INSET, 100, DARK);
    let y = flow.y + 650;
    flow.text(x, y, WIDTH - 12_000, Side::Left, DUE, name);
    flow.text(edge, y, WIDTH, Side::Right, DUE, &words::dollars(due));
    flow.gap(2_600);
}

fn how_to_pay(flow: &mut Flow<'_>, issued: &DocumentIssued, invoice: &InvoiceBody) {
    let account = &issued.account;
    flow.ensure(8_000);
    flow.gap(2_400);
    if account.balance_cents <= Cents::ZERO {
        let text = if account.balance_cents.is_zero() {
            "Paid in full. Thank you.".to_owned()
        } else {
            let over = words::dollars(-account.balance_cents);
            format!("Nothing is left to pay. {over} more has come than is owed.")
        };
        flow.paragraph(STRONG, &text);
    } else {
        flow.paragraph(LABEL, "HOW TO PAY");
        flow.gap(200);
        if let Some(due) = invoice.deposit_due_at {
            let due = due.with_timezone(&issued.party.start.zone).naive_local();
            let text = format!(
                "A deposit of {} is due by {}, {}. It is part of the total and confirms the booking.",
                words::dollars(invoice.deposit_cents),
                words::day(due.date()),
                words::time(due)
            );
            flow.paragraph(BODY, &text);
        }
        flow.paragraph(BODY, &ways_to_pay(invoice, &issued.party.number));
    }
    flow.gap(600);
    flow.paragraph(
        SMALL,
        "All prices include sales tax. Voluntary tips and card fees are not part of this invoice.",
    );
}

/// How it can be paid, and what to name.
fn ways_to_pay(invoice: &InvoiceBody, booking: &str) -> String {
    let ways: Vec<&str> = invoice.methods.iter().map(|method| by(*method)).collect();
    let ways = match ways.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "as agreed".to_owned(),
    };
    let mut letters = ways.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    let mut text = format!(
        "{}{}. Please name booking {booking} with your payment.",
        first.unwrap_or_default(),
        letters.as_str()
    );
    if invoice.methods.contains(&PaymentMethod::Card) && invoice.card_fee_ppm.0 > 0 {
        let fee = words::percent(invoice.card_fee_ppm);
        text.push_str(&format!(
            " Paying by card adds a fee of {fee}; the other ways add none."
        ));
    }
    text
}

fn amounts(flow: &mut Flow<'_>, rows: &[(&str, Cents)]) {
    let width = flow.width();
    let columns = [
        Column {
            head: "DESCRIPTION",
            width: width - 12_000,
            side: Side::Left,
        },
        Column {
            head: "AMOUNT",
            width: 12_000,
            side: Side::Right,
        },
    ];
    let rows: Vec<Row> = rows
        .iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(label, amount)| Row {
            cells: vec![(*label).to_owned(), words::dollars(*amount)],
            style: BODY,
            band: None,
        })
        .collect();
    flow.table(&columns, &rows);
}

fn of_receipt(flow: &mut Flow<'_>, issued: &DocumentIssued, receipt: &ReceiptBody) {
    let what = match receipt.payment_kind {
        PaymentKind::Deposit => "Deposit",
        PaymentKind::Balance => "Balance",
        PaymentKind::Tip | PaymentKind::Other => "Towards the booking",
    };
    let rows = [
        (what, receipt.amount_cents),
        ("Tip", receipt.tip_cents),
        ("Card fee", receipt.fee_cents),
    ];
    amounts(flow, &rows);
    let received = format!(
        "Received {} on {}",
        by(receipt.method),
        words::day(receipt.received_on)
    );
    totals(flow, "", &[], "Received", issued.body.total(&issued.account));
    flow.gap(1_200);
    flow.paragraph(STRONG, &received);
    after(flow, issued);
    flow.paragraph(SMALL, "All prices include sales tax. Thank you.");
}

fn of_credit(flow: &mut Flow<'_>, issued: &DocumentIssued, credit: &CreditBody) {
    let rows = [
        ("Of the booking's price", credit.amount_cents),
        ("Of the tip", credit.tip_cents),
        ("Of the card fee", credit.fee_cents),
    ];
    amounts(flow, &rows);
    totals(flow, "", &[], "Given back", issued.body.total(&issued.account));
    flow.gap(1_200);
    let text = format!(
        "Given back {} on {}: {}.",
        by(credit.method),
        words::day(credit.refunded_on),
        because(credit.refund_kind)
    );
    flow.paragraph(STRONG, &text);
    if let Some(receipt) = credit.receipt {
        flow.paragraph(BODY, &format!("Of the payment that receipt {receipt} is for."));
    }
    after(flow, issued);
    flow.paragraph(SMALL, "All prices include sales tax.");
}

/// Where the booking stands after what the document is about.
fn after(flow: &mut Flow<'_>, issued: &DocumentIssued) {
    flow.ensure(12_000);
    flow.gap(1_600);
    totals(
        flow,
        "THE BOOKING AFTERWARDS",
        &account(&issued.account),
        "Balance due",
        issued.account.balance_cents,
    );
    flow.gap(2_400);
}

fn by(method: PaymentMethod) -> &'static str {
    match method {
        PaymentMethod::Card => "by card",
        PaymentMethod::Zelle => "by Zelle",
        PaymentMethod::Venmo => "by Venmo",
        PaymentMethod::Cash => "in cash",
    }
}

fn because(kind: RefundKind) -> &'static str {
    match kind {
        RefundKind::Goodwill => "with our compliments",
        RefundKind::PriceAdjustment => "the price was lowered",
        RefundKind::FullReversal => "the sale was undone",
        RefundKind::TipOnly => "the tip",
        RefundKind::FeeOnly => "the card fee",
        RefundKind::CancelledBeforeService => "the party was called off",
        RefundKind::Overpayment => "more had come than was owed",
    }
}
