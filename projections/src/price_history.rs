//! How did prices come to be what they are?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, StreamId};
use domain::ids::StationId;
use domain::money::Cents;
use domain::price_list::PriceListEvent;
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Condition, Fold, Order, Page, Poison, ReadError, ReadModels, Select, Slice, Source, Value,
    row, station_scope,
};

row! {
    /// A price that was set.
    pub struct PriceHistoryRow in "price_history", key (position: Position) {
        /// Place of the change in the log.
        pub position: Position,
        /// Whose prices.
        pub station_id: StationId,
        /// What the price is for.
        pub item: String,
        /// Tax-inclusive price right before, in cents; none where the item is new.
        pub old_cents: Option<Cents>,
        /// Tax-inclusive price from then on, in cents.
        pub new_cents: Cents,
        /// From when, inclusive.
        pub effective_from: DateTime<Utc>,
        /// Who set it: a user's id, or a program's name.
        pub actor_id: String,
        /// Why; none where the item is new.
        pub reason: Option<String>,
        /// When it was recorded.
        pub recorded_at: DateTime<Utc>,
    }
}

/// The fold behind the history of prices.
pub struct PriceHistory;

impl Fold for PriceHistory {
    type Key = Position;
    type Row = PriceHistoryRow;
    const NAME: &'static str = "price_history";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &["price_list.item_added", "price_list.price_changed"]
    }

    fn key(event: &Recorded) -> Option<Position> {
        price(event).map(|_| event.position)
    }

    fn apply(_: Option<PriceHistoryRow>, event: &Recorded) -> Option<PriceHistoryRow> {
        let price = price(event)?;
        Some(PriceHistoryRow {
            position: event.position,
            station_id: event.stream.id.parse().ok()?,
            item: price.item.to_owned(),
            old_cents: price.old,
            new_cents: price.new,
            effective_from: price.effective_from,
            actor_id: event.meta.actor_id.clone(),
            reason: price.reason.map(str::to_owned),
            recorded_at: event.recorded_at,
        })
    }

    fn key_of(_: &StreamId, position: Position) -> Option<Position> {
        Some(position)
    }

    fn source(position: &Position) -> Source {
        Source::At(*position)
    }
}

struct Price<'a> {
    item: &'a str,
    old: Option<Cents>,
    new: Cents,
    effective_from: DateTime<Utc>,
    reason: Option<&'a str>,
}

fn price(event: &Recorded) -> Option<Price<'_>> {
    match &event.event {
        DomainEvent::PriceList(PriceListEvent::ItemAdded(added)) => Some(Price {
            item: &added.item,
            old: None,
            new: added.price_cents,
            effective_from: added.effective_from,
            reason: None,
        }),
        DomainEvent::PriceList(PriceListEvent::PriceChanged(changed)) => Some(Price {
            item: &changed.item,
            old: Some(changed.old_cents),
            new: changed.new_cents,
            effective_from: changed.effective_from,
            reason: Some(&changed.reason),
        }),
        DomainEvent::PriceList(
            PriceListEvent::ItemRetired(_)
            | PriceListEvent::TravelBandSet(_)
            | PriceListEvent::MinimumSet(_)
            | PriceListEvent::PolicySet(_),
        )
        | DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::Job(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::Review(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::Message(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::Lead(_) => None,
    }
}

/// Which changes to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceHistoryFilter {
    /// Of this station.
    pub station_id: StationId,
    /// Of this item.
    pub item: Option<String>,
    /// In force from this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// In force from before this instant.
    pub to: Option<DateTime<Utc>>,
}

impl PriceHistoryFilter {
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let mut conditions = station_scope(viewer);
        conditions.push(Condition::Eq("station_id", Value::Uuid(self.station_id.0)));
        let item = self.item.map(|item| Condition::Eq("item", Value::Text(item)));
        let from = self
            .from
            .map(|at| Condition::AtLeast("effective_from", Value::Instant(at)));
        let to = self
            .to
            .map(|at| Condition::Below("effective_from", Value::Instant(at)));
        conditions.extend([item, from, to].into_iter().flatten());
        conditions
    }
}

/// A page of a station's price changes, the latest first.
///
/// # Errors
/// [`ReadError`] when the viewer may not see prices, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: PriceHistoryFilter,
    slice: Slice,
    at: At,
) -> Result<Page<PriceHistoryRow>, ReadError> {
    viewer.require(Permission::PriceRead)?;
    let select = Select {
        conditions: filter.conditions(viewer),
        order: Order::descending(&["position"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<PriceHistory>(viewer.tenant, select, at).await
}

/// How many price changes a station has seen.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: PriceHistoryFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::PriceRead)?;
    models
        .count::<PriceHistory>(viewer.tenant, filter.conditions(viewer), at)
        .await
}
