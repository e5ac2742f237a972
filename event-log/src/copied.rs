//! Events as `copy … to stdout (format binary)` sends them: fewer steps on either side than rows of a query.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use uuid::Uuid;

use crate::error::LogError;
use crate::read::event_version;

/// What the copy begins with, before its flags and its extension.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Fields of an event's row.
const FIELDS: i16 = 12;
/// What a row's count of fields is at the end of the copy.
const TRAILER: i16 = -1;
/// Postgres' epoch, 2000-01-01, in microseconds of Unix'.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Takes one tenant's events out of a copy's messages.
pub(crate) struct Copied {
    tenant: TenantId,
    began: bool,
}

impl Copied {
    pub(crate) fn new(tenant: TenantId) -> Self {
        Self { tenant, began: false }
    }

    /// The events of one message, which holds whole rows; before the first is the header.
    pub(crate) fn take(&mut self, message: &[u8], events: &mut Vec<StoredEvent>) -> Result<(), LogError> {
        let mut fields = Fields(message);
        if !self.began {
            fields.header()?;
            self.began = true;
        }
        while !fields.0.is_empty() {
            match i16::from_be_bytes(fields.fixed()?) {
                TRAILER => break,
                FIELDS => events.push(self.event(&mut fields)?),
                _ => return Err(not_as_asked()),
            }
        }
        Ok(())
    }

    fn event(&self, fields: &mut Fields<'_>) -> Result<StoredEvent, LogError> {
        let position = Position(i64::from_be_bytes(fields.sized()?));
        Ok(StoredEvent {
            tenant: self.tenant,
            position,
            stream: StreamId {
                kind: Cow::Owned(fields.text()?.to_owned()),
                id: fields.text()?.to_owned(),
            },
            sequence: Version(i64::from_be_bytes(fields.sized()?)),
            event_type: fields.text()?.to_owned(),
            event_version: event_version(position, fields.text()?)?,
            payload: fields.text()?.to_owned(),
            metadata: fields.text()?.to_owned(),
            event_id: EventId(Uuid::from_bytes(fields.sized()?)),
            command_id: CommandId(Uuid::from_bytes(fields.sized()?)),
            recorded_at: fields.instant()?,
            leaf_hash: fields.sized()?,
        })
    }
}

/// What is left of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn header(&mut self) -> Result<(), LogError> {
        if self.bytes(SIGNATURE.len())? != SIGNATURE {
            return Err(not_as_asked());
        }
        let _flags: [u8; 4] = self.fixed()?;
        self.field().map(drop)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], LogError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(not_as_asked)?;
        self.0 = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], LogError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(not_as_asked)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A field behind its length; a null has none, and no column of ours is null.
    fn field(&mut self) -> Result<&'a [u8], LogError> {
        let length = usize::try_from(i32::from_be_bytes(self.fixed()?)).map_err(|_| not_as_asked())?;
        self.bytes(length)
    }

    fn sized<const N: usize>(&mut self) -> Result<[u8; N], LogError> {
        self.field()?.try_into().map_err(|_| not_as_asked())
    }

    fn text(&mut self) -> Result<&'a str, LogError> {
        std::str::from_utf8(self.field()?).map_err(|_| not_as_asked())
    }

    fn instant(&mut self) -> Result<DateTime<Utc>, LogError> {
        let micros = i64::from_be_bytes(self.sized()?).checked_add(EPOCH_MICROS);
        micros
            .and_then(DateTime::from_timestamp_micros)
            .ok_or_else(not_as_asked)
    }
}

/// A server or a table that is not ours.
fn not_as_asked() -> LogError {
    LogError::beside("an event's row is not of the shape that was asked for")
}
