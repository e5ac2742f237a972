//! The claims tables hold what the events in the log took and did not give back, and nothing else.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::envelope::{Claim, StoredEvent, StreamId};
use domain::ids::{EventId, TenantId};
use sqlx::postgres::PgConnection;
use sqlx::types::Uuid;

use super::Attempt;

/// Of a resource, its holder and the start: until when, and how many units.
type Capacity = BTreeMap<(String, StreamId, DateTime<Utc>), (DateTime<Utc>, i32)>;

/// Resource, holder's kind and id, from, until, units.
type CapacityRow = (String, String, String, DateTime<Utc>, DateTime<Utc>, i32);

/// Resource, holder's kind and id, from, until.
type IntervalRow = (String, String, String, DateTime<Utc>, DateTime<Utc>);

/// What is held, folded from events in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    unique: BTreeMap<(String, String), StreamId>,
    capacity: Capacity,
    intervals: BTreeMap<(String, StreamId, DateTime<Utc>), DateTime<Utc>>,
}

impl Held {
    fn apply(&mut self, holder: &StreamId, claim: &Claim) {
        match claim {
            Claim::TakeUnique { scope, key } => {
                let place = (scope.to_string(), key.clone());
                let before = self.unique.insert(place, holder.clone());
                assert!(
                    before.is_none_or(|before| before == *holder),
                    "{claim:?} was another's"
                );
            }
            Claim::ReleaseUnique { scope, key } => {
                let place = (scope.to_string(), key.clone());
                if self.unique.get(&place) == Some(holder) {
                    self.unique.remove(&place);
                }
            }
            Claim::TakeCapacity {
                resource,
                from,
                until,
                units,
                limit,
            } => {
                let place = (resource.clone(), holder.clone(), *from);
                self.capacity.insert(place, (*until, *units));
                assert!(
                    self.peak(resource, *from, *until) <= *limit,
                    "{claim:?} is over its limit"
                );
            }
            Claim::ReleaseCapacity { resource } => {
                self.capacity
                    .retain(|(held, by, _), _| held != resource || by != holder);
            }
            Claim::TakeInterval {
                resource,
                from,
                until,
            } => {
                let place = (resource.clone(), holder.clone(), *from);
                self.intervals.insert(place, *until);
                assert!(self.is_alone(resource, *from, *until), "{claim:?} was another's");
            }
            Claim::ReleaseInterval { resource } => {
                self.intervals
                    .retain(|(held, by, _), _| held != resource || by != holder);
            }
        }
    }

    /// Whether nobody has the resource in a time but the one who just took it.
    fn is_alone(&self, resource: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let overlapping = self
            .intervals
            .iter()
            .filter(|((held, _, begins), ends)| held == resource && *begins < until && **ends > from);
        overlapping.count() == 1
    }

    /// Most units taken at any instant of an interval. The sum only rises where something starts.
    fn peak(&self, resource: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> i32 {
        let overlapping: Vec<_> = self
            .capacity
            .iter()
            .filter(|((held, ..), _)| held == resource)
            .map(|((_, _, begins), (ends, units))| (*begins, *ends, *units))
            .filter(|(begins, ends, _)| *begins < until && *ends > from)
            .collect();
        let sum_at = |instant: DateTime<Utc>| -> i32 {
            overlapping
                .iter()
                .filter(|(begins, ends, _)| *begins <= instant && instant < *ends)
                .map(|(.., units)| units)
                .sum()
        };
        let starts = overlapping.iter().map(|(begins, ..)| *begins.max(&from));
        starts.map(sum_at).max().unwrap_or(0)
    }
}

/// Asserts that what a tenant's tables hold is what its events lead to.
pub(super) async fn assert_follow_from(
    connection: &mut PgConnection,
    tenant: TenantId,
    events: &[StoredEvent],
    attempts: &[Attempt],
) {
    let claims: HashMap<EventId, &[Claim]> = attempts
        .iter()
        .flat_map(|attempt| &attempt.append.streams)
        .flat_map(|write| &write.events)
        .map(|event| (event.event_id, event.claims.as_slice()))
        .collect();
    let mut held = Held::default();
    for event in events {
        for claim in claims[&event.event_id] {
            held.apply(&event.stream, claim);
        }
    }
    assert_eq!(stored(connection, tenant.0).await, held, "the claims of {tenant}");
}

async fn stored(connection: &mut PgConnection, tenant: Uuid) -> Held {
    let unique: Vec<(String, String, String, String)> =
        sqlx::query_as("select scope, key, holder_kind, holder_id from claims_unique where tenant_id = $1")
            .bind(tenant)
            .fetch_all(&mut *connection)
            .await
            .expect("the database answers");
    let capacity: Vec<CapacityRow> = sqlx::query_as(
        "select resource, holder_kind, holder_id, from_at, until_at, units
         from claims_capacity where tenant_id = $1",
    )
    .bind(tenant)
    .fetch_all(&mut *connection)
    .await
    .expect("the database answers");
    let intervals: Vec<IntervalRow> = sqlx::query_as(
        "select resource, holder_kind, holder_id, from_at, until_at from claims_interval where tenant_id = $1",
    )
    .bind(tenant)
    .fetch_all(&mut *connection)
    .await
    .expect("the database answers");
    Held {
        unique: unique
            .into_iter()
            .map(|(scope, key, kind, id)| ((scope, key), holder(kind, id)))
            .collect(),
        capacity: capacity
            .into_iter()
            .map(|(resource, kind, id, from, until, units)| {
                ((resource, holder(kind, id), from), (until, units))
            })
            .collect(),
        intervals: intervals
            .into_iter()
            .map(|(resource, kind, id, from, until)| ((resource, holder(kind, id), from), until))
            .collect(),
    }
}

fn holder(kind: String, id: String) -> StreamId {
    StreamId {
        kind: kind.into(),
        id,
    }
}
