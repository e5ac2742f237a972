//! What each document is about: what is charged, what has come, what was given back, and where the booking stands.

use domain::document::{Account, CreditBody, DocumentIssued, InvoiceBody, ReceiptBody};
use domain::money::Cents;
use domain::payment::{PaymentKind, PaymentMethod, RefundKind};
use domain::quote::{LineKind, QuoteLine};

use crate::documents::flow::{
    BAND, BODY, Column, DARK, Flow, INSET, LABEL, Row, SMALL, STRONG, Side, Style, style,
};
use crate::documents::font::Face;
use crate::documents::words;

const DUE: Style = style(Face::SemiBold, 1_200, 1_700, DARK);

pub(super) fn of_invoice(flow: &mut Flow<'_>, issued: &DocumentIssued, invoice: &InvoiceBody) {
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
    let (name, left) = left_of(&issued.account);
    totals(flow, "", &sums, name, left);
    how_to_pay(flow, issued, invoice);
}

/// What a booking's money comes to, down to its balance.
fn account(account: &Account) -> Vec<(String, Cents)> {
    let mut sums = vec![("Total".to_owned(), account.total_cents)];
    if !account.waived_cents.is_zero() {
        sums.push(("Not owed any more".to_owned(), -account.waived_cents));
    }
    sums.push(("Paid".to_owned(), -account.paid_cents));
    if !account.refunded_cents.is_zero() {
        sums.push(("Given back".to_owned(), account.refunded_cents));
    }
    sums
}

/// What is left to pay, or what has come beyond it: nobody is asked for less than nothing.
fn left_of(account: &Account) -> (&'static str, Cents) {
    if account.balance_cents < Cents::ZERO {
        ("Paid too much", -account.balance_cents)
    } else {
        ("Balance due", account.balance_cents)
    }
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
        let fee = words::share(invoice.card_fee_ppm);
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

pub(super) fn of_receipt(flow: &mut Flow<'_>, issued: &DocumentIssued, receipt: &ReceiptBody) {
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

pub(super) fn of_credit(flow: &mut Flow<'_>, issued: &DocumentIssued, credit: &CreditBody) {
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
    let (name, left) = left_of(&issued.account);
    flow.ensure(12_000);
    flow.gap(1_600);
    totals(
        flow,
        "THE BOOKING AFTERWARDS",
        &account(&issued.account),
        name,
        left,
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
