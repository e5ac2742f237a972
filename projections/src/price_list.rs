//! What does a station charge, now and at any time?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::decider::Decider;
use domain::envelope::{Position, StreamId};
use domain::ids::StationId;
use domain::price_list::{PriceList, PricedItem};
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Condition, Fold, Poison, ReadError, ReadModels, Source, Value, row, station_scope,
};

row! {
    /// A station's price list.
    pub struct PriceListRow in "price_list", key (station_id: StationId) {
        /// The station.
        pub station_id: StationId,
        /// Changes so far: what a quote cites, and a command expects.
        pub version: i64,
        /// Every item with every price it ever had or will have, travel, minimum and terms.
        pub list: PriceList,
    }
}

impl PriceListRow {
    /// What is on offer at an instant, by name.
    pub fn items_at(&self, at: DateTime<Utc>) -> Vec<PricedItem> {
        self.list.items_at(at)
    }
}

/// The fold behind price lists: the list itself knows how its events change it.
pub struct PriceListView;

impl Fold for PriceListView {
    type Key = StationId;
    type Row = PriceListRow;
    const NAME: &'static str = "price_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "price_list.item_added",
            "price_list.price_changed",
            "price_list.item_retired",
            "price_list.travel_band_set",
            "price_list.minimum_set",
            "price_list.policy_set",
        ]
    }

    fn key(event: &Recorded) -> Option<StationId> {
        match &event.event {
            DomainEvent::PriceList(_) => event.stream.id.parse().ok(),
            DomainEvent::Organisation(_)
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

    fn apply(row: Option<PriceListRow>, event: &Recorded) -> Option<PriceListRow> {
        match &event.event {
            DomainEvent::PriceList(changed) => {
                let mut list = row.map(|row| row.list).unwrap_or_default();
                list.evolve(changed);
                Some(PriceListRow {
                    station_id: Self::key(event)?,
                    version: event.sequence.0,
                    list,
                })
            }
            DomainEvent::Organisation(_)
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
            | DomainEvent::Lead(_) => row,
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<StationId> {
        (stream.kind == "price_list").then(|| stream.id.parse().ok())?
    }

    fn source(station: &StationId) -> Source {
        Source::Stream(StreamId::new("price_list", station.to_string()))
    }
}

/// A station's price list, where there is one within the viewer's reach.
///
/// # Errors
/// [`ReadError`] when the viewer may not see prices, or there is no answer.
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    station: StationId,
    at: At,
) -> Result<Answer<Option<PriceListRow>>, ReadError> {
    viewer.require(Permission::PriceRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("station_id", Value::Uuid(station.0)));
    let found = models.all::<PriceListView>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use domain::money::Cents;
    use domain::price_list::{ItemAdded, ItemKind, ItemRetired, PriceChanged, PriceListEvent};

    use super::*;
    use crate::price_history::{PriceHistory, PriceHistoryRow};
    use crate::testing::{STATION, at, fold, recorded};

    fn events() -> Vec<Recorded> {
        let added = PriceListEvent::ItemAdded(ItemAdded {
            item: "adult".to_owned(),
            label: "Adult".to_owned(),
            kind: ItemKind::Adult,
            price_cents: Cents(5_500),
            min_cents: Cents(1_000),
            max_cents: Cents(20_000),
            effective_from: at("2026-01-01T00:00:00Z"),
        });
        let changed = PriceListEvent::PriceChanged(PriceChanged {
            item: "adult".to_owned(),
            old_cents: Cents(5_500),
            new_cents: Cents(6_000),
            effective_from: at("2026-06-01T00:00:00Z"),
            reason: "season".to_owned(),
        });
        let retired = PriceListEvent::ItemRetired(ItemRetired {
            item: "adult".to_owned(),
            effective_from: at("2027-01-01T00:00:00Z"),
            reason: "gone".to_owned(),
        });
        [added, changed, retired]
            .into_iter()
            .zip(1..)
            .map(|(event, place)| recorded(place, &STATION.to_string(), place, DomainEvent::PriceList(event)))
            .collect()
    }

    #[test]
    fn a_list_tells_every_price_it_ever_had() {
        let rows = fold::<PriceListView>(&events());
        let row = rows.get(&STATION).unwrap();
        assert_eq!(row.version, 3);
        let price = |text| row.items_at(at(text)).first().map(|item| item.price_cents);
        assert_eq!(price("2025-12-31T00:00:00Z"), None);
        assert_eq!(price("2026-05-31T00:00:00Z"), Some(Cents(5_500)));
        assert_eq!(price("2026-06-01T00:00:00Z"), Some(Cents(6_000)));
        assert_eq!(price("2027-01-01T00:00:00Z"), None);
    }

    #[test]
    fn the_history_has_every_price_with_the_one_before() {
        let rows = fold::<PriceHistory>(&events());
        let mut rows: Vec<&PriceHistoryRow> = rows.iter().collect();
        rows.sort_by_key(|row| row.position);
        let prices: Vec<_> = rows.iter().map(|row| (row.old_cents, row.new_cents)).collect();
        assert_eq!(prices, [(None, Cents(5_500)), (Some(Cents(5_500)), Cents(6_000))]);
        assert_eq!(
            (rows[1].actor_id.as_str(), rows[1].reason.as_deref()),
            ("u1", Some("season"))
        );
    }
}
