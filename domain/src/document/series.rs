//! Series of numbers: one per year and kind, from 1 without gaps.
//!
//! The stream has one event for each number, and is guarded at the version that the number was taken at. So of any
//! that ask at the same time one gets the next number, and whoever is refused takes none.

use serde::{Deserialize, Serialize};

use super::number::{DocumentKind, DocumentNumber};
use crate::decider::{Decider, Refusal};
use crate::ids::BookingId;

crate::events! {
    /// What can happen to a series of numbers.
    pub enum DocumentSeriesEvent {
        "The next number of a series was given to a document." NumberTaken(DocumentNumberTaken) = "document_series.number_taken" v 1;
    }
}

/// The next number of a series was given to a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentNumberTaken {
    /// The number.
    pub number: DocumentNumber,
    /// The booking whose document has it.
    pub booking_id: BookingId,
}

/// What can be asked of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DocumentSeriesCommand {
    /// Give the next number.
    Take {
        /// What sort of document; that of the series.
        kind: DocumentKind,
        /// The year of the series.
        year: i32,
        /// The booking whose document gets it.
        booking_id: BookingId,
    },
}

/// Why a series refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentSeriesError {
    /// It gives numbers of another kind or year.
    #[error("the series gives numbers like {0}")]
    OtherSeries(DocumentNumber),
}

impl Refusal for DocumentSeriesError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherSeries(_) => "OTHER_SERIES",
        }
    }
}

/// A series of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentSeries {
    last: Option<DocumentNumber>,
}

impl DocumentSeries {
    /// The number that was given last.
    pub fn last(&self) -> Option<DocumentNumber> {
        self.last
    }
}

impl Decider for DocumentSeries {
    const STREAM: &'static str = "document_series";
    type Command = DocumentSeriesCommand;
    type Event = DocumentSeriesEvent;
    type Error = DocumentSeriesError;

    fn decide(
        &self,
        command: DocumentSeriesCommand,
    ) -> Result<Vec<DocumentSeriesEvent>, DocumentSeriesError> {
        let DocumentSeriesCommand::Take {
            kind,
            year,
            booking_id,
        } = command;
        if let Some(last) = self.last
            && (last.kind, last.year) != (kind, year)
        {
            return Err(DocumentSeriesError::OtherSeries(last));
        }
        let number = DocumentNumber {
            kind,
            year,
            sequence: self.last.map_or(1, |last| last.sequence + 1),
        };
        let taken = DocumentNumberTaken { number, booking_id };
        Ok(vec![DocumentSeriesEvent::NumberTaken(taken)])
    }

    fn evolve(&mut self, event: &DocumentSeriesEvent) {
        let DocumentSeriesEvent::NumberTaken(taken) = event;
        self.last = Some(taken.number);
    }
}
