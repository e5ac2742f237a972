//! Claims that a bundle's events hold, as far as the tables would refuse them.

use std::collections::BTreeSet;

use event_log::HeldClaim;

/// Two streams that hold one thing at one time, in words.
pub(super) fn held_twice(held: &BTreeSet<HeldClaim>) -> Option<String> {
    let mut intervals: Vec<_> = held
        .iter()
        .filter_map(|claim| match claim {
            HeldClaim::Interval {
                resource,
                from,
                until,
                ..
            } => Some((resource, from, until, claim)),
            HeldClaim::Unique { .. } | HeldClaim::Capacity { .. } => None,
        })
        .collect();
    intervals.sort();
    intervals.windows(2).find_map(|pair| {
        let [(resource, _, until, first), (other, from, _, second)] = pair else {
            return None;
        };
        (resource == other && from < until).then(|| format!("{first}, and {second}"))
    })
}
