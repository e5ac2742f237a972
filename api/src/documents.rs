//! Documents as PDF: invoices, receipts and credit notes for customers, tax reports for accountants.
//!
//! Each is a pure function of what it shows: of the event that issued it with the contact as far as it can still be
//! read, or of a report. So the same document is the same bytes for ever. Pages are US Letter; what is long is broken
//! into lines and goes on on the next page.

mod customer;
mod flow;
mod font;
mod issue;
mod sheet;
mod tax;
mod words;

pub use customer::{Contact, Personal, document};
pub(crate) use issue::{issue, pdf};
pub use tax::{Filing, tax_report};

#[cfg(test)]
mod tests;
