//! What should a person look at?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, StreamId};
use domain::ids::{BookingId, PaymentId, StationId, WorkItemId};
use domain::money::Cents;
use domain::recorded::{DomainEvent, Recorded};
use domain::work_item::{BankMail, WorkItemEvent, WorkKind, WorkStatus};

use crate::engine::{
    Answer, At, Column, Condition, Fold, Kind, Order, Page, Poison, ReadError, ReadModels, Select, Slice,
    Source, Value, row, shown_only, station_scope,
};

impl Column for WorkKind {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for WorkStatus {
    const KIND: Option<Kind> = Some(Kind::Text);

    fn value(&self) -> Option<Value> {
        Some(Value::Text(self.as_str().to_owned()))
    }
}

impl Column for WorkItemId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

shown_only! {
    BankMail;
}

row! {
    /// An item of the work queue.
    pub struct WorkRow in "work_list", key (work_item_id: WorkItemId) {
        /// The item.
        pub work_item_id: WorkItemId,
        /// Events of the item so far: what a command expects of it.
        pub version: i64,
        /// What sort of thing.
        pub kind: WorkKind,
        /// Where it stands.
        pub status: WorkStatus,
        /// The station that it is about; none where it concerns the whole company.
        pub station_id: Option<StationId>,
        /// The booking that it is about.
        pub booking_id: Option<BookingId>,
        /// That booking's number.
        pub booking_number: Option<String>,
        /// The payment that it is about.
        pub payment_id: Option<PaymentId>,
        /// How much money it is about, in cents.
        pub amount_cents: Option<Cents>,
        /// What is wrong, in a sentence.
        pub detail: String,
        /// What a bank's notification says.
        pub mail: Option<BankMail>,
        /// When it was put into the queue.
        pub opened_at: DateTime<Utc>,
        /// When it was seen to, or became right.
        pub closed_at: Option<DateTime<Utc>>,
        /// What was done, or how it became right.
        pub note: Option<String>,
    }
}

/// The fold behind the work queue.
pub struct WorkList;

impl Fold for WorkList {
    type Key = WorkItemId;
    type Row = WorkRow;
    const NAME: &'static str = "work_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &["work_item.opened", "work_item.resolved", "work_item.settled"]
    }

    fn key(event: &Recorded) -> Option<WorkItemId> {
        work(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<WorkRow>, event: &Recorded) -> Option<WorkRow> {
        let Some(happened) = work(event) else {
            return row;
        };
        let closed = |row: Option<WorkRow>, status, at, note: &String| {
            row.map(|row| WorkRow {
                version: event.sequence.0,
                status,
                closed_at: Some(at),
                note: Some(note.clone()),
                ..row
            })
        };
        match happened {
            WorkItemEvent::Opened(opened) => {
                let opened = opened.clone();
                Some(WorkRow {
                    work_item_id: Self::key(event)?,
                    version: event.sequence.0,
                    kind: opened.kind,
                    status: WorkStatus::Open,
                    station_id: opened.station_id,
                    booking_id: opened.booking_id,
                    booking_number: opened.booking_number,
                    payment_id: opened.payment_id,
                    amount_cents: opened.amount_cents,
                    detail: opened.detail,
                    mail: opened.mail,
                    opened_at: opened.opened_at,
                    closed_at: None,
                    note: None,
                })
            }
            WorkItemEvent::Resolved(resolved) => {
                closed(row, WorkStatus::Resolved, resolved.resolved_at, &resolved.note)
            }
            WorkItemEvent::Settled(settled) => {
                closed(row, WorkStatus::Settled, settled.settled_at, &settled.because)
            }
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<WorkItemId> {
        (stream.kind == "work_item").then(|| stream.id.parse().ok())?
    }

    fn source(item: &WorkItemId) -> Source {
        Source::Stream(StreamId::new("work_item", item.to_string()))
    }
}

fn work(event: &Recorded) -> Option<&WorkItemEvent> {
    if let DomainEvent::WorkItem(item) = &event.event {
        Some(item)
    } else {
        None
    }
}

/// Which items to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkFilter {
    /// That stand there.
    pub status: Option<WorkStatus>,
    /// Of this sort.
    pub kind: Option<WorkKind>,
    /// About this booking.
    pub booking_id: Option<BookingId>,
}

impl WorkFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        let status = self
            .status
            .map(|status| Condition::Eq("status", Value::Text(status.as_str().to_owned())));
        let kind = self
            .kind
            .map(|kind| Condition::Eq("kind", Value::Text(kind.as_str().to_owned())));
        let booking = self
            .booking_id
            .map(|id| Condition::Eq("booking_id", Value::Uuid(id.0)));
        conditions.extend([status, kind, booking].into_iter().flatten());
        conditions
    }
}

/// A page of items, the latest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see payments, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: WorkFilter,
    slice: Slice,
    at: At,
) -> Result<Page<WorkRow>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::descending(&["opened_at", "work_item_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<WorkList>(viewer.tenant, select, at).await
}

/// How many items there are.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: WorkFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    models
        .count::<WorkList>(viewer.tenant, filter.conditions(viewer), at)
        .await
}

/// One item, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: WorkItemId,
    at: At,
) -> Result<Answer<Option<WorkRow>>, ReadError> {
    viewer.require(Permission::PaymentRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("work_item_id", Value::Uuid(id.0)));
    let found = models.all::<WorkList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::work_item::{WorkItemOpened, WorkItemResolved};
    use uuid::Uuid;

    use super::*;
    use crate::testing::{BOOKING, STATION, at, fold, recorded};

    #[test]
    fn an_item_waits_until_somebody_has_seen_to_it() {
        let id = WorkItemId(Uuid::from_u128(5));
        let event =
            |position, event| recorded(position, &id.to_string(), position, DomainEvent::WorkItem(event));
        let opened = event(
            1,
            WorkItemEvent::Opened(WorkItemOpened {
                kind: WorkKind::Overpayment,
                station_id: Some(STATION),
                booking_id: Some(BOOKING),
                booking_number: Some("N".to_owned()),
                payment_id: None,
                amount_cents: Some(Cents(500)),
                detail: "5.00 too much".to_owned(),
                mail: None,
                provider_event: None,
                opened_at: at("2026-11-01T00:00:00Z"),
            }),
        );
        let resolved = event(
            2,
            WorkItemEvent::Resolved(WorkItemResolved {
                station_id: Some(STATION),
                note: "given back".to_owned(),
                resolved_at: at("2026-11-02T00:00:00Z"),
            }),
        );
        let row = |events: &[Recorded]| fold::<WorkList>(events).get(&id).cloned().unwrap();
        let waiting = row(std::slice::from_ref(&opened));
        assert_eq!((waiting.status, waiting.closed_at), (WorkStatus::Open, None));
        let seen_to = row(&[opened, resolved]);
        assert_eq!((seen_to.status, seen_to.version), (WorkStatus::Resolved, 2));
        assert_eq!(seen_to.note.as_deref(), Some("given back"));
    }
}
