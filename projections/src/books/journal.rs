//! The books as a file: for beancount, or as a general journal for accounting programs.

use std::fmt;

use chrono::NaiveDate;
use domain::access::Viewer;
use domain::envelope::Position;
use domain::money::Cents;
use futures::Stream;
use futures::stream::try_unfold;

use super::query::{BookedEntry, Pages, entries, position_of};
use super::{Books, Entry, Posting, beancount};
use crate::engine::{At, Fold, ReadError, ReadModels, beside};
use crate::tax_export::{Cell, Sealing, head_of, push_record, stations_text};

/// How books are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BooksFormat {
    /// A ledger for beancount, which also hledger reads.
    Beancount,
    /// A general journal: a record for each posting (RFC 4180).
    Csv,
}

impl BooksFormat {
    /// The format of a word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "beancount" => Some(Self::Beancount),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Beancount => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// What a file of some days is called.
    pub fn file_name(self, (from, until): (NaiveDate, NaiveDate)) -> String {
        format!("books-{from}-{until}.{self}")
    }
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

/// What books say of themselves, in order: `POSTINGS_CHECKSUM` is SHA-256 over the records of the postings as the general
/// journal has them, each with its CRLF, in either format.
const FIELDS: [&str; 9] = [
    "FORMAT",
    "COMPANY",
    "FROM",
    "TO",
    "STATIONS",
    "POSITION",
    "HEAD",
    "POSTINGS",
    "POSTINGS_CHECKSUM",
];
/// The format that is written.
const FORMAT: &str = "hibachi-books/1";

/// Books that have begun: what they are of is known, their bytes are still to come.
pub struct BooksFile {
    /// The last position of the log that they hold.
    pub position: Position,
    /// Hash of the log there, as hexadecimal digits.
    pub head: String,
    writing: Writing,
}

impl fmt::Debug for BooksFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BooksFile")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// The books of some days, both ends inclusive, written as they are read. What they say of themselves comes last.
///
/// # Errors
/// [`ReadError`] when the viewer may not export the books, or there is no answer.
pub async fn books(
    models: &ReadModels,
    viewer: &Viewer,
    format: BooksFormat,
    days: (NaiveDate, NaiveDate),
    at: At,
) -> Result<BooksFile, ReadError> {
    // One connection after the other: nobody waits for a second while holding a first.
    let position = position_of(models, viewer, at).await?;
    let head = head_of(models, viewer.tenant, position).await?;
    let (accounts, pages) = entries(models, viewer, days, position).await?;
    let stations = viewer.stations.only();
    let writing = Writing {
        format,
        begun: false,
        accounts,
        pages,
        sealing: Sealing::default(),
        of: [
            FORMAT.to_owned(),
            viewer.tenant.to_string(),
            days.0.to_string(),
            days.1.to_string(),
            stations_text(stations),
            position.to_string(),
            head.clone(),
        ],
    };
    Ok(BooksFile {
        position,
        head,
        writing,
    })
}

impl BooksFile {
    /// Their bytes, as they are made. The stream ends with its first error: what came before it is no whole file then, and
    /// says nothing of itself.
    pub fn bytes(self) -> impl Stream<Item = Result<Vec<u8>, ReadError>> + Send + 'static {
        try_unfold(Some(self.writing), async |writing| {
            let Some(mut writing) = writing else {
                return Ok(None);
            };
            let page = writing.pages.recv().await.transpose()?;
            let page = page.ok_or_else(|| ReadError::Unreadable {
                table: Books::NAME,
                reason: "its reading was cut short".to_owned(),
            })?;
            let mut out = Vec::new();
            if !writing.begun {
                writing.begin(&mut out, page.as_deref().and_then(<[_]>::first));
            }
            let Some(page) = page else {
                writing.finish(&mut out);
                return Ok(Some((out, None)));
            };
            // To write a page takes long enough to hold up whoever shares the thread.
            let (writing, out) = beside(move || {
                for booked in &page {
                    writing.entry(&mut out, booked);
                }
                (writing, out)
            })
            .await;
            Ok(Some((out, Some(writing))))
        })
    }
}

struct Writing {
    format: BooksFormat,
    begun: bool,
    accounts: Vec<String>,
    pages: Pages,
    sealing: Sealing,
    /// What is said of them before their postings are known.
    of: [String; 7],
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

    fn entry(&mut self, out: &mut Vec<u8>, booked: &BookedEntry) {
        let records = records(&booked.booking_number, &booked.entry);
        for record in &records {
            self.sealing.take(record);
        }
        match self.format {
            BooksFormat::Csv => out.extend(records.into_iter().flatten()),
            BooksFormat::Beancount => beancount::transaction(out, &booked.booking_number, &booked.entry),
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        let seal = self.sealing.seal();
        let values = self.of.into_iter().chain([seal.rows.to_string(), seal.checksum]);
        let fields: Vec<(&str, String)> = FIELDS.into_iter().zip(values).collect();
        match self.format {
            BooksFormat::Beancount => beancount::close(out, &fields),
            BooksFormat::Csv => {
                for (name, value) in fields {
                    let named = [Cell::text(name), Cell::text(value)];
                    let rest = std::iter::repeat_n(Cell::Empty, COLUMNS.len() - 2);
                    push_record(out, named.into_iter().chain(rest));
                }
            }
        }
    }
}

/// An entry's postings, a record each.
fn records(booking: &str, entry: &Entry) -> Vec<Vec<u8>> {
    let record = |posting: &Posting| {
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
        let mut record = Vec::new();
        push_record(&mut record, cells.into_iter());
        record
    };
    entry.postings.iter().map(record).collect()
}
