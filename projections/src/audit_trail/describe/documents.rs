//! Documents that were issued, in plain sentences.

use domain::document::series::DocumentNumberTaken;
use domain::document::{DocumentBody, DocumentIssued};

use super::super::description::Description;

/// Says which document was issued, and what it comes to.
pub(super) fn describe(issued: &DocumentIssued) -> Description {
    let DocumentIssued {
        number,
        party,
        account,
        body,
        ..
    } = issued;
    let total = body.total(account);
    let described = match body {
        DocumentBody::Invoice(invoice) => {
            let replaces = match invoice.replaces {
                Some(before) => format!(", in place of {before}"),
                None => String::new(),
            };
            Description::of(format!(
                "Invoice {number} of {total} issued for booking {}{replaces}",
                party.number
            ))
            .changed(
                "invoice",
                invoice.replaces.map(|before| before.to_string()),
                number.to_string(),
            )
        }
        DocumentBody::Receipt(_) => Description::of(format!(
            "Receipt {number} of {total} issued for booking {}",
            party.number
        ))
        .set("receipt", number.to_string()),
        DocumentBody::CreditNote(credit) => Description::of(format!(
            "Credit note {number} of {total} issued for booking {}: {}",
            party.number,
            credit.refund_kind.as_str()
        ))
        .set("credit_note", number.to_string()),
    };
    described
        .set("total", total)
        .set("balance", account.balance_cents)
        .redacted()
}

/// Says which number was given.
pub(super) fn describe_number(taken: &DocumentNumberTaken) -> Description {
    Description::of(format!("Number {} given to a document", taken.number))
        .set("last", taken.number.to_string())
}
