//! Which requests failed and are worth a call?

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{LeadId, StationId};
use domain::lead::LeadEvent;
use domain::recorded::{DomainEvent, Recorded};
use serde::{Deserialize, Serialize};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, station_scope,
};

/// Where the work on a lead stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadStatus {
    /// Nobody has called yet.
    New,
}

impl LeadStatus {
    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
        }
    }
}

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
        /// Code of the refusal.
        pub failure: String,
        /// Where the customer came from.
        pub source: Option<String>,
        /// Where the work on it stands.
        pub status: LeadStatus,
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
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &["lead.captured"]
    }

    fn key(event: &Recorded) -> Option<LeadId> {
        lead(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<LeadRow>, event: &Recorded) -> Option<LeadRow> {
        let Some(LeadEvent::Captured(captured)) = lead(event) else {
            return row;
        };
        let captured = captured.clone();
        Some(LeadRow {
            lead_id: Self::key(event)?,
            version: event.sequence.0,
            name: captured.contact.name,
            email: captured.contact.email,
            phone: captured.contact.phone,
            station_id: captured.station_id,
            zip: captured.zip.into(),
            wanted_start: captured.wanted_start,
            guests: captured.guests.total(),
            failure: captured.failure,
            source: captured.source,
            status: LeadStatus::New,
            captured_at: captured.captured_at,
        })
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<LeadId> {
        (stream.kind == "lead").then(|| stream.id.parse().ok())?
    }

    fn source(lead: &LeadId) -> Source {
        Source::Stream(StreamId::new("lead", lead.to_string()))
    }
}

fn lead(event: &Recorded) -> Option<&LeadEvent> {
    match &event.event {
        DomainEvent::Lead(lead) => Some(lead),
        DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::WorkItem(_) => None,
    }
}

fn conditions(viewer: &Viewer, status: Option<LeadStatus>) -> Vec<Condition> {
    let mut conditions = station_scope(viewer);
    conditions.extend(status.map(|status| Condition::Eq("status", Value::Text(status.as_str().to_owned()))));
    conditions
}

/// A page of leads, the latest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see leads, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    status: Option<LeadStatus>,
    slice: Slice,
    at: At,
) -> Result<Page<LeadRow>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    let select = Select {
        conditions: conditions(viewer, status),
        order: Order::descending(&["captured_at", "lead_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<LeadList>(viewer.tenant, select, at).await
}

/// How many leads there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    status: Option<LeadStatus>,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::LeadRead)?;
    models
        .count::<LeadList>(viewer.tenant, conditions(viewer, status), at)
        .await
}

#[cfg(test)]
mod tests {
    use domain::customer::Contact;
    use domain::guests::Guests;
    use domain::lead::LeadCaptured;

    use super::*;
    use crate::testing::{STATION, at, fold, recorded, sealed};

    #[test]
    fn a_captured_lead_is_new() {
        let captured = LeadEvent::Captured(LeadCaptured {
            contact: Contact {
                name: sealed("name"),
                email: None,
                phone: Some(sealed("phone")),
            },
            station_id: STATION,
            zip: "95112".parse().unwrap(),
            wanted_start: "2026-12-05T18:00:00".parse().unwrap(),
            guests: Guests {
                adults: 10,
                children: 2,
                under6: 1,
            },
            failure: "SLOT_UNAVAILABLE".to_owned(),
            source: None,
            captured_at: at("2026-11-01T00:00:00Z"),
        });
        let id = LeadId(uuid::Uuid::from_u128(3));
        let rows = fold::<LeadList>(&[recorded(1, &id.to_string(), 1, DomainEvent::Lead(captured))]);
        let row = rows.get(&id).unwrap();
        assert_eq!(
            (row.status, row.guests, row.failure.as_str()),
            (LeadStatus::New, 13, "SLOT_UNAVAILABLE")
        );
    }
}
