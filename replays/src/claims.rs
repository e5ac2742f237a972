//! The claims that a log's events take and release, compared with the tables that guard them.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use chrono::{DateTime, Utc};
use domain::decider::DecodeError;
use domain::envelope::{Claim, Position, StoredEvent, StreamId};
use domain::ids::TenantId;
use domain::recorded::DomainEvent;
use event_log::{EventLog, HeldClaim};

use crate::lie::{Finding, Lie};
use crate::verify::{Progress, VerifyError, next_page};

/// Compares what a log's events hold, one after the other, with the tables. The memory it takes grows with the
/// claims that are held, not with the log.
///
/// # Errors
/// [`VerifyError::Lie`] with the first event that this program cannot read, as what it takes is then not known, or else
/// with the first claim that differs; [`VerifyError::Log`] when the log cannot be read.
pub async fn verify_claims(
    log: &EventLog,
    tenant: TenantId,
    progress: &dyn Progress,
) -> Result<usize, VerifyError> {
    let (until, held) = log.held_claims(tenant).await?;
    progress.begins(until.0);
    let mut claims = Claims::default();
    let mut at = Position::START;
    let mut pages = pin!(log.stream_pages(tenant, Position::START, Some(until), None));
    while at < until {
        for event in &next_page(&mut pages, at.next()).await? {
            claims.push(event).map_err(|why| Finding {
                position: event.position,
                what: Lie::UnreadableEvent { why },
            })?;
            at = event.position;
        }
        progress.reaches(at.0);
    }
    let held: BTreeSet<HeldClaim> = held.into_iter().collect();
    let expected = claims.held();
    let finding = |what| Finding {
        position: until,
        what,
    };
    if let Some(claim) = expected.difference(&held).next() {
        let claim = claim.to_string();
        return Err(finding(Lie::MissingClaim { claim }).into());
    }
    if let Some(claim) = held.difference(&expected).next() {
        let claim = claim.to_string();
        return Err(finding(Lie::UnfoundedClaim { claim }).into());
    }
    Ok(expected.len())
}

/// A resource, and who has it.
type Holding = (String, StreamId);
/// What is taken of it, by when that begins.
type Taken<T> = BTreeMap<DateTime<Utc>, T>;

/// What is held after some events of a log.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    unique: BTreeMap<(String, String), StreamId>,
    capacity: BTreeMap<Holding, Taken<(DateTime<Utc>, i32)>>,
    intervals: BTreeMap<Holding, Taken<DateTime<Utc>>>,
}

impl Claims {
    /// Adds the next event.
    ///
    /// # Errors
    /// [`DecodeError`] when it cannot be read.
    pub fn push(&mut self, event: &StoredEvent) -> Result<(), DecodeError> {
        let decoded = DomainEvent::decode(&event.event_type, event.event_version, &event.payload)?;
        for claim in decoded.claims() {
            self.apply(&event.stream, claim);
        }
        Ok(())
    }

    /// As the append does it: a key stays with whoever has it, a taking at the same start replaces the one before.
    fn apply(&mut self, stream: &StreamId, claim: Claim) {
        match claim {
            Claim::TakeUnique { scope, key } => {
                let holder = self.unique.entry((scope.into_owned(), key));
                holder.or_insert_with(|| stream.clone());
            }
            Claim::ReleaseUnique { scope, key } => {
                let key = (scope.into_owned(), key);
                if self.unique.get(&key) == Some(stream) {
                    self.unique.remove(&key);
                }
            }
            Claim::TakeCapacity {
                resource,
                from,
                until,
                units,
                limit: _,
            } => {
                let taken = self.capacity.entry((resource, stream.clone())).or_default();
                taken.insert(from, (until, units));
            }
            Claim::ReleaseCapacity { resource } => {
                self.capacity.remove(&(resource, stream.clone()));
            }
            Claim::TakeInterval {
                resource,
                from,
                until,
            } => {
                let taken = self.intervals.entry((resource, stream.clone())).or_default();
                taken.insert(from, until);
            }
            Claim::ReleaseInterval { resource } => {
                self.intervals.remove(&(resource, stream.clone()));
            }
        }
    }

    /// Everything that is held.
    pub fn held(self) -> BTreeSet<HeldClaim> {
        let unique = self
            .unique
            .into_iter()
            .map(|((scope, key), holder)| HeldClaim::Unique { scope, key, holder });
        let capacity = self.capacity.into_iter().flat_map(|((resource, holder), taken)| {
            taken
                .into_iter()
                .map(move |(from, (until, units))| HeldClaim::Capacity {
                    resource: resource.clone(),
                    holder: holder.clone(),
                    from,
                    until,
                    units,
                })
        });
        let intervals = self
            .intervals
            .into_iter()
            .flat_map(|((resource, holder), taken)| {
                taken.into_iter().map(move |(from, until)| HeldClaim::Interval {
                    resource: resource.clone(),
                    holder: holder.clone(),
                    from,
                    until,
                })
            });
        unique.chain(capacity).chain(intervals).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use event_log::HeldClaim;

    use super::*;

    fn stream(id: &str) -> StreamId {
        StreamId::new("booking", id)
    }

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn take(from: i64, units: i32) -> Claim {
        Claim::TakeCapacity {
            resource: "station".to_owned(),
            from: at(from),
            until: at(from + 2),
            units,
            limit: 9,
        }
    }

    fn held(from: i64, units: i32, holder: &str) -> HeldClaim {
        HeldClaim::Capacity {
            resource: "station".to_owned(),
            holder: stream(holder),
            from: at(from),
            until: at(from + 2),
            units,
        }
    }

    #[test]
    fn a_taking_replaces_the_one_of_the_same_start_and_a_release_gives_all_back() {
        let mut claims = Claims::default();
        claims.apply(&stream("a"), take(1, 2));
        claims.apply(&stream("a"), take(1, 3));
        claims.apply(&stream("a"), take(5, 1));
        claims.apply(&stream("b"), take(1, 4));
        let all = claims.clone().held();
        assert_eq!(all, [held(1, 3, "a"), held(5, 1, "a"), held(1, 4, "b")].into());
        let resource = "station".to_owned();
        claims.apply(&stream("a"), Claim::ReleaseCapacity { resource });
        assert_eq!(claims.held(), [held(1, 4, "b")].into());
    }

    #[test]
    fn an_interval_is_held_until_its_own_stream_gives_it_back() {
        let resource = || "chef".to_owned();
        let mut claims = Claims::default();
        let (from, until) = (at(1), at(3));
        claims.apply(
            &stream("a"),
            Claim::TakeInterval {
                resource: resource(),
                from,
                until,
            },
        );
        claims.apply(&stream("b"), Claim::ReleaseInterval { resource: resource() });
        let taken = HeldClaim::Interval {
            resource: resource(),
            holder: stream("a"),
            from,
            until,
        };
        assert_eq!(claims.clone().held(), [taken].into());
        claims.apply(&stream("a"), Claim::ReleaseInterval { resource: resource() });
        assert_eq!(claims.held(), [].into());
    }

    #[test]
    fn a_key_is_its_first_takers_until_that_one_gives_it_back() {
        let take = || Claim::TakeUnique {
            scope: "customer.email".into(),
            key: "k".to_owned(),
        };
        let release = || Claim::ReleaseUnique {
            scope: "customer.email".into(),
            key: "k".to_owned(),
        };
        let held = |holder| HeldClaim::Unique {
            scope: "customer.email".to_owned(),
            key: "k".to_owned(),
            holder: stream(holder),
        };
        let mut claims = Claims::default();
        claims.apply(&stream("a"), take());
        claims.apply(&stream("b"), take());
        claims.apply(&stream("b"), release());
        assert_eq!(claims.clone().held(), [held("a")].into());
        claims.apply(&stream("a"), release());
        claims.apply(&stream("b"), take());
        assert_eq!(claims.held(), [held("b")].into());
    }
}
