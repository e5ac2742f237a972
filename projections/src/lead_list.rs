//! Which requests failed and are worth a call, and what becomes of them?

mod query;
mod stats;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{BookingId, CustomerId, LeadId, StationId};
pub use domain::lead::LeadStatus;
use domain::lead::{LeadCaptured, LeadEvent};
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{Column, Fold, Kind, Poison, Source, Value, row};

pub use query::{LeadFilter, count, one, page};
pub use stats::{LeadFigures, LeadStats, LeadStatsFilter, stats, wanted};

impl Column for LeadStatus {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

row! {
    /// A lead.
    pub struct LeadRow in "lead_list", key (lead_id: LeadId) {
        /// The lead.
        pub lead_id: LeadId,
        /// Events of the lead so far: what a command expects of it.
        pub version: i64,
        /// Name, sealed.
        pub name: Sealed,
        /// E-mail, sealed.
        pub email: Option<Sealed>,
        /// Phone, sealed.
        pub phone: Option<Sealed>,
        /// Station that was asked.
        pub station_id: StationId,
        /// ZIP of where the event would have been.
        pub zip: String,
        /// Local start that was wanted.
        pub wanted_start: NaiveDateTime,
        /// Guests that were wanted, all kinds.
        pub guests: i32,
        /// Local day that was wanted.
        pub wanted_on: NaiveDate,
        /// Code of the refusal, or of what was abandoned.
        pub failure: String,
        /// Where the customer came from.
        pub source: Option<String>,
        /// Where the customer came from, or nothing: what figures go by.
        pub came_from: String,
        /// The customer who it was of already.
        pub customer_id: Option<CustomerId>,
        /// Where the work on it stands.
        pub status: LeadStatus,
        /// How often somebody has spoken to them.
        pub contacts: i32,
        /// When somebody has spoken to them last.
        pub contacted_at: Option<DateTime<Utc>>,
        /// What was said last, sealed.
        pub note: Option<Sealed>,
        /// When they are to be called.
        pub follow_up_at: Option<DateTime<Utc>>,
        /// The booking that it became.
        pub booking_id: Option<BookingId>,
        /// Why it was given up.
        pub reason: Option<String>,
        /// When it was won or lost.
        pub closed_at: Option<DateTime<Utc>>,
        /// When its personal data was erased, its time being over.
        pub purged_at: Option<DateTime<Utc>>,
        /// When it was asked.
        pub captured_at: DateTime<Utc>,
    }
}

/// The fold behind the list of leads.
pub struct LeadList;

impl Fold for LeadList {
    type Key = LeadId;
    type Row = LeadRow;
    const NAME: &'static str = "lead_list";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "lead.captured",
            "lead.contacted",
            "lead.won",
            "lead.lost",
            "lead.follow_up_set",
            "lead.follow_up_done",
            "lead.purged",
        ]
    }

    fn key(event: &Recorded) -> Option<LeadId> {
        lead(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<LeadRow>, event: &Recorded) -> Option<LeadRow> {
        let Some(happened) = lead(event) else {
            return row;
        };
        if let LeadEvent::Captured(captured) = happened {
            return captured_row(Self::key(event)?, event.sequence.0, captured.clone());
        }
        let row = LeadRow {
            version: event.sequence.0,
            ..row?
        };
        Some(worked_on(row, happened))
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<LeadId> {
        (stream.kind == "lead").then(|| stream.id.parse().ok())?
    }

    fn source(lead: &LeadId) -> Source {
        Source::Stream(StreamId::new("lead", lead.to_string()))
    }
}

fn captured_row(lead_id: LeadId, version: i64, captured: LeadCaptured) -> Option<LeadRow> {
    Some(LeadRow {
        lead_id,
        version,
        name: captured.contact.name,
        email: captured.contact.email,
        phone: captured.contact.phone,
        station_id: captured.station_id,
        zip: captured.zip.into(),
        wanted_start: captured.wanted_start,
        guests: captured.guests.total(),
        wanted_on: captured.wanted_start.date(),
        failure: captured.failure,
        came_from: captured.source.clone().unwrap_or_default(),
        source: captured.source,
        customer_id: captured.customer_id,
        status: LeadStatus::New,
        contacts: 0,
        contacted_at: None,
        note: None,
        follow_up_at: None,
        booking_id: None,
        reason: None,
        closed_at: None,
        purged_at: None,
        captured_at: captured.captured_at,
    })
}

fn worked_on(row: LeadRow, happened: &LeadEvent) -> LeadRow {
    match happened {
        LeadEvent::Captured(_) => row,
        LeadEvent::Contacted(contacted) => LeadRow {
            status: LeadStatus::Contacted,
            contacts: row.contacts.saturating_add(1),
            contacted_at: Some(contacted.contacted_at),
            note: contacted.note.clone().or(row.note),
            ..row
        },
        LeadEvent::Won(won) => LeadRow {
            status: LeadStatus::Won,
            booking_id: won.booking_id,
            reason: None,
            follow_up_at: None,
            closed_at: Some(won.won_at),
            ..row
        },
        LeadEvent::Lost(lost) => LeadRow {
            status: LeadStatus::Lost,
            reason: Some(lost.reason.clone()),
            follow_up_at: None,
            closed_at: Some(lost.lost_at),
            ..row
        },
        LeadEvent::FollowUpSet(set) => LeadRow {
            follow_up_at: Some(set.due_at),
            ..row
        },
        LeadEvent::FollowUpDone(_) => LeadRow {
            follow_up_at: None,
            ..row
        },
        LeadEvent::Purged(purged) => LeadRow {
            follow_up_at: None,
            purged_at: Some(purged.purged_at),
            ..row
        },
    }
}

fn lead(event: &Recorded) -> Option<&LeadEvent> {
    if let DomainEvent::Lead(lead) = &event.event {
        Some(lead)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
