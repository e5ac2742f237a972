//! Which stations does the company have?

use chrono_tz::Tz;
use domain::access::{Permission, Viewer};
use domain::envelope::{Position, StreamId};
use domain::ids::StationId;
use domain::recorded::{DomainEvent, Recorded};
use domain::station::{StationEvent, StationSettings};

use crate::IdList;
use crate::engine::{
    Answer, At, Condition, Fold, Order, Page, Poison, ReadError, ReadModels, Select, Slice, Source, Value,
    row, station_scope,
};

row! {
    /// A station.
    pub struct StationRow in "station_list", key (station_id: StationId) {
        /// The station.
        pub station_id: StationId,
        /// Events of the station so far: what a command expects of it.
        pub version: i64,
        /// Name of the branch.
        pub name: String,
        /// IANA zone of its clock.
        pub zone: Tz,
        /// ZIP that travel is measured from.
        pub zip: String,
        /// Two-letter state.
        pub state: String,
        /// Chefs that work there.
        pub chef_count: i32,
        /// How events are laid into its days.
        pub settings: StationSettings,
        /// Who they are.
        pub chefs: IdList,
    }
}

/// The fold behind the list of stations.
pub struct StationList;

impl Fold for StationList {
    type Key = StationId;
    type Row = StationRow;
    const NAME: &'static str = "station_list";
    const VERSION: i32 = 2;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "station.created",
            "station.chef_joined",
            "station.chef_left",
            "station.settings_changed",
            "station.calendar_issued",
            "station.calendar_revoked",
        ]
    }

    fn key(event: &Recorded) -> Option<StationId> {
        station(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<StationRow>, event: &Recorded) -> Option<StationRow> {
        let Some(happened) = station(event) else {
            return row;
        };
        match happened {
            StationEvent::Created(created) => Some(StationRow {
                station_id: Self::key(event)?,
                version: event.sequence.0,
                name: created.name.clone(),
                zone: created.zone,
                zip: created.zip.to_string(),
                state: created.state.clone(),
                chef_count: 0,
                settings: created.settings.clone(),
                chefs: IdList::default(),
            }),
            StationEvent::ChefJoined(joined) => row.map(|row| StationRow {
                version: event.sequence.0,
                chef_count: row.chef_count + 1,
                chefs: row.chefs.with(joined.chef_id.0),
                ..row
            }),
            StationEvent::ChefLeft(left) => row.map(|row| StationRow {
                version: event.sequence.0,
                chef_count: row.chef_count - 1,
                chefs: row.chefs.without(left.chef_id.0),
                ..row
            }),
            StationEvent::SettingsChanged(changed) => row.map(|row| StationRow {
                version: event.sequence.0,
                settings: changed.settings.clone(),
                ..row
            }),
            StationEvent::CalendarIssued(_) | StationEvent::CalendarRevoked(_) => row.map(|row| StationRow {
                version: event.sequence.0,
                ..row
            }),
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<StationId> {
        (stream.kind == "station").then(|| stream.id.parse().ok())?
    }

    fn source(station: &StationId) -> Source {
        Source::Stream(StreamId::new("station", station.to_string()))
    }
}

fn station(event: &Recorded) -> Option<&StationEvent> {
    match &event.event {
        DomainEvent::Station(station) => Some(station),
        DomainEvent::Organisation(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::PriceList(_)
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

/// A page of the stations within the viewer's reach, by name.
///
/// # Errors
/// [`ReadError`] when the viewer may not see stations, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    slice: Slice,
    at: At,
) -> Result<Page<StationRow>, ReadError> {
    viewer.require(Permission::StationRead)?;
    let select = Select {
        conditions: station_scope(viewer),
        order: Order::ascending(&["name", "station_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<StationList>(viewer.tenant, select, at).await
}

/// How many stations are within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn count(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::StationRead)?;
    models
        .count::<StationList>(viewer.tenant, station_scope(viewer), at)
        .await
}

/// One station, where it exists within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: StationId,
    at: At,
) -> Result<Answer<Option<StationRow>>, ReadError> {
    Ok(many(models, viewer, &[id], at)
        .await?
        .map(|rows| rows.into_iter().next()))
}

/// The stations of these ids within the viewer's reach, in no order.
///
/// # Errors
/// As [`page`].
pub async fn many(
    models: &ReadModels,
    viewer: &Viewer,
    ids: &[StationId],
    at: At,
) -> Result<Answer<Vec<StationRow>>, ReadError> {
    viewer.require(Permission::StationRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::OneOf(
        "station_id",
        ids.iter().map(|id| Value::Uuid(id.0)).collect(),
    ));
    models.all::<StationList>(viewer.tenant, conditions, at).await
}

#[cfg(test)]
mod tests {
    use domain::ids::ChefId;
    use domain::station::{StationChefJoined, StationChefLeft, StationCreated};

    use super::*;
    use crate::testing::{STATION, fold, recorded};

    #[test]
    fn chefs_who_join_are_counted_until_they_leave() {
        let created = StationEvent::Created(StationCreated {
            name: "San Jose".to_owned(),
            zone: chrono_tz::America::Los_Angeles,
            zip: "95112".parse().unwrap(),
            state: "CA".to_owned(),
            settings: StationSettings::default(),
        });
        let chef = |number| ChefId(uuid::Uuid::from_u128(number));
        let joined = |number| {
            StationEvent::ChefJoined(StationChefJoined {
                chef_id: chef(number),
                counted_at: None,
            })
        };
        let left = StationEvent::ChefLeft(StationChefLeft {
            chef_id: chef(1),
            left_at: chrono::DateTime::UNIX_EPOCH,
        });
        let event = |place, event| recorded(place, &STATION.to_string(), place, DomainEvent::Station(event));
        let mut events = vec![event(1, created), event(2, joined(1)), event(3, joined(2))];
        let rows = fold::<StationList>(&events);
        let row = rows.get(&STATION).unwrap();
        assert_eq!(
            (row.name.as_str(), row.chef_count, row.version),
            ("San Jose", 2, 3)
        );
        events.push(event(4, left));
        let rows = fold::<StationList>(&events);
        let row = rows.get(&STATION).unwrap();
        assert_eq!(
            (row.chef_count, row.version, row.chefs.ids::<ChefId>()),
            (1, 4, vec![chef(2)])
        );
    }
}
