//! Lists of entries, and single ones.

use chrono::{DateTime, Duration, Utc};
use domain::access::{Permission, Viewer};
use domain::envelope::Position;
use domain::ids::TenantId;

use super::{AuditRow, AuditTrail};
use crate::engine::{
    Answer, At, Condition, Cursor, Direction, FirstPages, Order, Page, ReadError, ReadModels, Select, Slice,
    Value, station_scope,
};

/// Which entries to list. Somebody who is kept to some stations sees the entries that are about one of them, and none
/// that are about no station.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this aggregate.
    pub entity_id: Option<String>,
    /// Of this kind of aggregate.
    pub entity_type: Option<String>,
    /// By this actor.
    pub actor_id: Option<String>,
    /// Of any of these wire names; empty is all.
    pub types: Vec<String>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub to: Option<DateTime<Utc>>,
    /// Part of the sentence or of the reason, letters A to Z in either case.
    pub search: Option<String>,
}

/// How many entries a search looks through for one page: about as many as are read in a tenth of a second.
pub const SEARCH_REACH: i64 = 20_000;

/// In which order to list entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditSort {
    /// The latest first.
    NewestFirst,
    /// As it happened.
    OldestFirst,
}

impl AuditSort {
    fn order(self) -> Order {
        match self {
            Self::NewestFirst => Order::descending(&["position"]),
            Self::OldestFirst => Order::ascending(&["position"]),
        }
    }
}

impl AuditFilter {
    /// All but the period.
    fn conditions(self, viewer: &Viewer) -> Vec<Condition> {
        let text = |column: &'static str, text: String| Condition::Eq(column, Value::Text(text));
        let mut conditions = station_scope(viewer);
        let entity = self.entity_id.map(|id| text("entity_id", id));
        let entity_type = self.entity_type.map(|kind| text("entity_type", kind));
        let actor = self.actor_id.map(|id| text("actor_id", id));
        let types = (!self.types.is_empty()).then(|| {
            let names = self.types.into_iter().map(Value::Text);
            Condition::one_of("event_type", names.collect())
        });
        let search = self
            .search
            .map(|text| Condition::Contains(&["summary", "reason"], text));
        conditions.extend([entity, entity_type, actor, types, search].into_iter().flatten());
        conditions
    }
}

/// Entries after a position, up to another one: a stretch of the log. Instants never go back along it, so a period is
/// one; every event has an entry, so its length is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// None of it is at or before this.
    after: i64,
    /// None of it is behind this; open where there is none.
    until: Option<i64>,
}

impl Stretch {
    async fn of(models: &ReadModels, tenant: TenantId, filter: &AuditFilter) -> Result<Self, ReadError> {
        let log = models.log();
        // The instants of the log have microseconds.
        let before = |at: DateTime<Utc>| at.checked_sub_signed(Duration::microseconds(1)).unwrap_or(at);
        let after = match filter.from {
            None => 0,
            Some(from) => log.position_at(tenant, before(from)).await?.0,
        };
        let until = match filter.to {
            None => None,
            // What is recorded from now on may still be before an instant that has not come.
            Some(to) if to > log.head(tenant).await?.recorded_at => None,
            Some(to) => Some(log.position_at(tenant, before(to)).await?.0),
        };
        Ok(Self { after, until })
    }

    fn conditions(self) -> impl Iterator<Item = Condition> {
        let from = (self.after > 0).then(|| Condition::AtLeast("position", Value::Int(self.after + 1)));
        let to = self
            .until
            .map(|until| Condition::Below("position", Value::Int(until + 1)));
        from.into_iter().chain(to)
    }

    /// The part of it that a search looks through for one page, and where the next page goes on, where some of it is left.
    fn within_reach(self, direction: Direction, seen: Option<i64>, last: i64) -> (Self, Option<i64>) {
        let whole = (self.after, self.until.map_or(last, |until| until.min(last)));
        let (after, until, left) = match direction {
            Direction::Descending => {
                let until = seen.map_or(whole.1, |seen| whole.1.min(seen - 1));
                let after = whole.0.max(until - SEARCH_REACH);
                (after, until, (after > whole.0).then_some(after + 1))
            }
            Direction::Ascending => {
                let after = seen.map_or(whole.0, |seen| whole.0.max(seen));
                let until = whole.1.min(after + SEARCH_REACH);
                (after, until, (until < whole.1).then_some(until))
            }
        };
        let part = Self {
            after,
            until: Some(until),
        };
        (part, left)
    }
}

/// A page of the trail. A search looks through [`SEARCH_REACH`] entries for it: it may have fewer rows than were asked
/// for, or none, while there is a next one.
///
/// # Errors
/// [`ReadError`] when the viewer may not see the trail, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    filter: AuditFilter,
    sort: AuditSort,
    slice: Slice,
    at: At,
) -> Result<Page<AuditRow>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    let order = sort.order();
    let whole = Stretch::of(models, viewer.tenant, &filter).await?;
    let (part, left) = match filter.search {
        None => (whole, None),
        Some(_) => {
            let seen = slice
                .after
                .as_ref()
                .map(|cursor| cursor.read::<AuditRow>(order))
                .transpose()?;
            let last = match at {
                At::AsOf(position) => position,
                At::Live { .. } => models.log().head(viewer.tenant).await?.position,
            };
            whole.within_reach(order.direction, seen.and_then(|place| position(&place)), last.0)
        }
    };
    let mut conditions = filter.conditions(viewer);
    conditions.extend(part.conditions());
    let select = Select {
        conditions,
        order,
        after: slice.after,
        first: slice.first,
    };
    let mut page = models.page::<AuditTrail>(viewer.tenant, select, at).await?;
    if let Some(left) = left.filter(|_| !page.has_next) {
        page.has_next = true;
        page.end = Some(Cursor::at::<AuditRow>(vec![Value::Int(left)], order));
    }
    Ok(page)
}

fn position(place: &[Value]) -> Option<i64> {
    match place {
        [Value::Int(position)] => Some(*position),
        _ => None,
    }
}

/// The first page of what happened to each of these things of a kind, the latest first.
///
/// # Errors
/// As [`page`].
pub async fn first_of_each(
    models: &ReadModels,
    viewer: &Viewer,
    kind: &str,
    ids: &[String],
    first: u16,
    at: At,
) -> Result<FirstPages<AuditRow>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    let filter = AuditFilter {
        entity_type: Some(kind.to_owned()),
        ..AuditFilter::default()
    };
    let select = Select::first(filter.conditions(viewer), AuditSort::NewestFirst.order(), first);
    let of = ("entity_id", ids);
    models
        .first_of_each::<AuditTrail>(viewer.tenant, of, select, at)
        .await
}

/// How many entries there are: a search looks through all of the period for it.
///
/// # Errors
/// As [`page`].
pub async fn count(
    models: &ReadModels,
    viewer: &Viewer,
    filter: AuditFilter,
    at: At,
) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    let whole = Stretch::of(models, viewer.tenant, &filter).await?;
    let mut conditions = filter.conditions(viewer);
    conditions.extend(whole.conditions());
    models.count::<AuditTrail>(viewer.tenant, conditions, at).await
}

/// The entry of one position, where there is one within the viewer's reach.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    position: Position,
    at: At,
) -> Result<Answer<Option<AuditRow>>, ReadError> {
    viewer.require(Permission::AuditRead)?;
    let mut conditions = station_scope(viewer);
    conditions.push(Condition::Eq("position", Value::Int(position.0)));
    let found = models.all::<AuditTrail>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_search_looks_at_every_entry_of_its_period_once(
            last in 0_i64..400_000, after in 0_i64..400_000, length in 0_i64..400_000, open in any::<bool>(),
        ) {
            let whole = Stretch { after, until: (!open).then_some(after + length) };
            let end = whole.until.map_or(last, |until| until.min(last));
            for direction in [Direction::Ascending, Direction::Descending] {
                let (mut seen, mut looked, mut pages) = (None, 0, 0);
                loop {
                    let (part, left) = whole.within_reach(direction, seen, last);
                    looked += (part.until.unwrap() - part.after).max(0);
                    pages += 1;
                    prop_assert!(pages < 50);
                    match left {
                        Some(left) => seen = Some(left),
                        None => break,
                    }
                }
                prop_assert_eq!(looked, (end - after).max(0));
            }
        }
    }
}
