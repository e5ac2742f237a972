//! Finding streams by what people name them by.

use std::collections::BTreeSet;
use std::pin::pin;
use std::str::FromStr;

use domain::booking::{Booking, BookingEvent};
use domain::decider::Decider;
use domain::envelope::{Position, StoredEvent, StreamId};
use domain::ids::TenantId;
use domain::recorded::{DomainEvent, Recorded};
use event_log::EventLog;
use futures::TryStreamExt;

use super::HistoryError;
use crate::show::{is_number, opaque};

/// A stream as people name it: `kind:id`, the opaque id of the API, or the number of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// By kind and id.
    Stream(StreamId),
    /// A booking by its number.
    Booking(String),
}

/// Text that names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadStream {
    /// It is no name of a stream.
    #[error("{0:?} names no stream: give kind:id, as booking:7XBSB-BASH1, or an id of the API")]
    Form(String),
    /// No booking has the number.
    #[error("no booking has the number {0}")]
    NoBooking(String),
    /// More than one booking has the number.
    #[error("more than one booking has the number {number}: {}", streams.join(", "))]
    Several {
        /// The number.
        number: String,
        /// Their streams.
        streams: Vec<String>,
    },
}

impl FromStr for Asked {
    type Err = BadStream;

    fn from_str(text: &str) -> Result<Self, BadStream> {
        if is_number(text) {
            return Ok(Self::Booking(text.to_uppercase()));
        }
        let (kind, id) = match text.split_once(':') {
            Some((kind, id)) => (kind.to_owned(), id.to_owned()),
            None => {
                let (noun, id) = opaque(text).ok_or_else(|| BadStream::Form(text.to_owned()))?;
                (snake(&noun), id)
            }
        };
        if kind.is_empty() || id.is_empty() {
            return Err(BadStream::Form(text.to_owned()));
        }
        if kind == Booking::STREAM && is_number(&id) {
            return Ok(Self::Booking(id.to_uppercase()));
        }
        Ok(Self::Stream(StreamId {
            kind: kind.into(),
            // An id of the API behind the kind is taken for the id in it.
            id: opaque(&id).map_or(id, |(_, id)| id),
        }))
    }
}

/// `PriceList` as streams call it.
fn snake(noun: &str) -> String {
    let mut name = String::new();
    for letter in noun.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

impl Asked {
    /// The stream that is meant.
    ///
    /// # Errors
    /// [`BadStream`] when no booking or more than one has the number; the log's errors.
    pub async fn find(self, log: &EventLog, tenant: TenantId) -> Result<StreamId, HistoryError> {
        let number = match self {
            Self::Stream(stream) => return Ok(stream),
            Self::Booking(number) => number,
        };
        let mut found = BTreeSet::new();
        let mut asked = pin!(log.stream_types(tenant, Position::START, &["booking.requested"]));
        while let Some(stored) = asked.try_next().await? {
            // Of many requests few name it, and only those are read back.
            if !stored.payload.contains(&number) {
                continue;
            }
            let stream = stored.stream.clone();
            if matches!(read(stored)?, DomainEvent::Booking(BookingEvent::Requested(asked)) if asked.number == number)
            {
                found.insert(stream);
            }
        }
        let found: Vec<StreamId> = found.into_iter().collect();
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(BadStream::NoBooking(number).into()),
            several => Err(BadStream::Several {
                number,
                streams: several.iter().map(ToString::to_string).collect(),
            }
            .into()),
        }
    }
}

pub(super) fn read(stored: StoredEvent) -> Result<DomainEvent, HistoryError> {
    let position = stored.position;
    let read = Recorded::try_from(stored).map_err(|error| HistoryError::Unreadable { position, error })?;
    Ok(read.event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_in_every_form_that_people_have() {
        let id = "01930000-0000-7000-8000-000000000001";
        let stream = |kind: &'static str, id: &str| Ok(Asked::Stream(StreamId::new(kind, id)));
        assert_eq!(format!("booking:{id}").parse(), stream("booking", id));
        // "Booking:01930000-…" as the API writes it.
        let opaque = "Qm9va2luZzowMTkzMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDE";
        assert_eq!(opaque.parse(), stream("booking", id));
        assert_eq!(format!("booking:{opaque}").parse(), stream("booking", id));
        assert_eq!(
            "tax_rate:CA/santa clara".parse(),
            stream("tax_rate", "CA/santa clara")
        );
        for number in ["booking:7xbsb-bash1", "7XBSB-BASH1"] {
            assert_eq!(number.parse(), Ok(Asked::Booking("7XBSB-BASH1".to_owned())));
        }
        assert_eq!(snake("PriceList"), "price_list");
        for odd in ["", "booking", "booking:", ":1", "💥"] {
            assert!(matches!(odd.parse::<Asked>(), Err(BadStream::Form(_))), "{odd}");
        }
    }
}
