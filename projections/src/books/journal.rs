//! The books as a file: for beancount, or as a general journal for accounting programs.

use std::fmt;

use chrono::NaiveDate;
use domain::access::Viewer;
use domain::envelope::Position;
use domain::money::Cents;
use futures::Stream;
use futures::stream::try_unfold;
use tokio::sync::mpsc::Receiver;

use super::query::{BookedEntry, entries};
use super::{Entry, beancount};
use crate::engine::{At, ReadError, ReadModels};
use crate::tax_export::{Cell, head_of, push_record};

/// How books are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BooksFormat {
    /// A ledger for beancount, which also hledger reads.
    Beancount,
    /// A general journal: a record for each posting (RFC 4180).
    Csv,
}

impl fmt::Display for BooksFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beancount => "beancount",
            Self::Csv => "csv",
        })
    }
}

/// Columns of the general journal.
const COLUMNS: [&str; 7] = [
    "date",
    "position",
    "booking",
    "narration",
    "account",
    "debit",
    "credit",
];

/// The books of some days, both ends inclusive, written as they are read. The last lines say the log's position and its
/// hash there.
///
/// # Errors
/// [`ReadError`] when the viewer may not export the books, or there is no answer.
pub async fn books(
    models: &ReadModels,
    viewer: &Viewer,
    format: BooksFormat,
    days: (NaiveDate, NaiveDate),
    at: At,
) -> Result<impl Stream<Item = Result<Vec<u8>, ReadError>> + Send + use<>, ReadError> {
    let answer = entries(models, viewer, days, at).await?;
    let position = answer.info.position;
    let head = head_of(models, viewer.tenant, position).await?;
    let (accounts, pages) = answer.value;
    let writing = Writing {
        format,
        begun: false,
        accounts,
        pages,
        end: (position, head),
    };
    Ok(try_unfold(Some(writing), async |writing| {
        let Some(mut writing) = writing else {
            return Ok(None);
        };
        let page = writing.pages.recv().await.transpose()?;
        let mut out = Vec::new();
        if !writing.begun {
            writing.begin(&mut out, page.as_deref().and_then(<[_]>::first));
        }
        let Some(page) = page else {
            writing.finish(&mut out);
            return Ok(Some((out, None)));
        };
        for booked in &page {
            writing.entry(&mut out, booked);
        }
        Ok(Some((out, Some(writing))))
    }))
}

struct Writing {
    format: BooksFormat,
    begun: bool,
    accounts: Vec<String>,
    pages: Receiver<Result<Vec<BookedEntry>, ReadError>>,
    end: (Position, String),
}

impl Writing {
    /// What comes before the first entry: the accounts are opened on its day.
    fn begin(&mut self, out: &mut Vec<u8>, first: Option<&BookedEntry>) {
        self.begun = true;
        match self.format {
            BooksFormat::Csv => push_record(out, COLUMNS.into_iter().map(Cell::text)),
            BooksFormat::Beancount => beancount::open(out, &self.accounts, first.map(|first| first.entry.on)),
        }
    }

    fn entry(&self, out: &mut Vec<u8>, booked: &BookedEntry) {
        match self.format {
            BooksFormat::Csv => records(out, &booked.booking_number, &booked.entry),
            BooksFormat::Beancount => beancount::transaction(out, &booked.booking_number, &booked.entry),
        }
    }

    fn finish(&self, out: &mut Vec<u8>) {
        let (position, head) = &self.end;
        match self.format {
            BooksFormat::Beancount => beancount::close(out, *position, head),
            BooksFormat::Csv => {
                for (name, value) in [("POSITION", position.to_string()), ("HEAD", head.clone())] {
                    let named = [Cell::text(name), Cell::text(value)];
                    let rest = std::iter::repeat_n(Cell::Empty, COLUMNS.len() - 2);
                    push_record(out, named.into_iter().chain(rest));
                }
            }
        }
    }
}

fn records(out: &mut Vec<u8>, booking: &str, entry: &Entry) {
    for posting in &entry.postings {
        let debit = posting.cents > Cents::ZERO;
        let amount = |shown: bool, cents| if shown { Cell::Money(cents) } else { Cell::Empty };
        let cells = [
            Cell::Date(entry.on),
            Cell::Count(entry.position.0),
            Cell::text(booking),
            Cell::text(entry.narration.as_str()),
            Cell::text(posting.account.as_str()),
            amount(debit, posting.cents),
            amount(!debit, -posting.cents),
        ];
        push_record(out, cells.into_iter());
    }
}
