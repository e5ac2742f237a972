//! Invoices, receipts and credit notes. Tax is inside every amount and never a line.

mod body;

use domain::document::{DocumentBody, DocumentIssued, InvoiceBody};

use self::body::{of_credit, of_invoice, of_receipt};
use super::flow::{ACCENT, BODY, DARK, Flow, GREY, HAIR, LABEL, STRONG, Side, Style, style};
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
