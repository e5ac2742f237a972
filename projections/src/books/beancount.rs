//! Entries as beancount reads them.

use chrono::NaiveDate;

use super::Entry;
use crate::tax_export::legible;

const CURRENCY: &str = "USD";

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Text between quotes.
fn quoted(text: &str) -> String {
    let plain = legible(text).replace(['\n', '\r', '\t'], " ");
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The options, and the accounts, opened on the day of the first entry.
pub(super) fn open(out: &mut Vec<u8>, accounts: &[String], on: Option<NaiveDate>) {
    push(
        out,
        &format!("option \"operating_currency\" {}\n\n", quoted(CURRENCY)),
    );
    let Some(on) = on else {
        return;
    };
    for account in accounts {
        push(out, &format!("{on} open {account} {CURRENCY}\n"));
    }
}

/// One entry.
pub(super) fn transaction(out: &mut Vec<u8>, booking: &str, entry: &Entry) {
    let (payee, narration) = (quoted(booking), quoted(&entry.narration));
    push(
        out,
        &format!(
            "\n{} * {payee} {narration}\n  position: {}\n",
            entry.on, entry.position
        ),
    );
    for posting in &entry.postings {
        push(
            out,
            &format!(
                "  {:<54} {:>14} {CURRENCY}\n",
                posting.account,
                posting.cents.to_string()
            ),
        );
    }
}

/// What the books say of themselves.
pub(super) fn close(out: &mut Vec<u8>, fields: &[(&str, String)]) {
    push(out, "\n");
    for (name, value) in fields {
        push(out, &format!("; {name} {value}\n"));
    }
}
