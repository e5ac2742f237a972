//! Claims as arrays.

use chrono::{DateTime, Utc};
use domain::envelope::Claim;

/// The claims of a batch, an array for each part.
#[derive(Default)]
pub(super) struct Claims<'a> {
    pub(super) append: Vec<i32>,
    pub(super) stream: Vec<i32>,
    pub(super) action: Vec<&'static str>,
    pub(super) name: Vec<&'a str>,
    pub(super) key: Vec<Option<&'a str>>,
    pub(super) from: Vec<Option<DateTime<Utc>>>,
    pub(super) until: Vec<Option<DateTime<Utc>>>,
    pub(super) units: Vec<Option<i32>>,
    pub(super) limit: Vec<Option<i32>>,
    pub(super) claim: Vec<&'a Claim>,
}

impl<'a> Claims<'a> {
    /// Adds what an event of a stream of an append takes or releases.
    pub(super) fn push(&mut self, append: i32, stream: i32, claim: &'a Claim) {
        self.append.push(append);
        self.stream.push(stream);
        self.claim.push(claim);
        let (action, name, key, span, units) = match claim {
            Claim::TakeUnique { scope, key } => {
                ("take_unique", scope.as_ref(), Some(key.as_str()), None, None)
            }
            Claim::ReleaseUnique { scope, key } => {
                ("release_unique", scope.as_ref(), Some(key.as_str()), None, None)
            }
            Claim::TakeCapacity {
                resource,
                from,
                until,
                units,
                limit,
            } => (
                "take_capacity",
                resource.as_str(),
                None,
                Some((*from, *until)),
                Some((*units, *limit)),
            ),
            Claim::ReleaseCapacity { resource } => ("release_capacity", resource.as_str(), None, None, None),
            Claim::TakeInterval {
                resource,
                from,
                until,
            } => (
                "take_interval",
                resource.as_str(),
                None,
                Some((*from, *until)),
                None,
            ),
            Claim::ReleaseInterval { resource } => ("release_interval", resource.as_str(), None, None, None),
        };
        self.action.push(action);
        self.name.push(name);
        self.key.push(key);
        self.from.push(span.map(|(from, _)| from));
        self.until.push(span.map(|(_, until)| until));
        self.units.push(units.map(|(units, _)| units));
        self.limit.push(units.map(|(_, limit)| limit));
    }
}
