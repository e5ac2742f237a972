//! How long things took, in constant memory: exact below 128 µs, above that within a sixty-fourth.

/// Buckets a doubling.
const STEPS: u64 = 64;
/// The doublings up to 2⁶⁴, after the first seven, which need no rounding.
const BUCKETS: usize = 59 * 64;

/// Counts of latencies by bucket.
#[derive(Debug, Clone)]
pub(super) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }
}

impl Latencies {
    /// Counts one.
    pub(super) fn add(&mut self, micros: u64) {
        self.buckets[bucket(micros)] += 1;
        self.count += 1;
    }

    /// Counts all of another's.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    /// The microseconds that so many in a thousand stayed within; none when nothing was counted.
    pub(super) fn permille(&self, permille: u64) -> Option<u64> {
        let rank = (self.count * permille).div_ceil(1000).max(1);
        let mut seen = 0;
        self.buckets
            .iter()
            .position(|count| {
                seen += count;
                seen >= rank
            })
            .map(longest)
    }
}

fn bucket(micros: u64) -> usize {
    let doublings = u64::from(micros.checked_ilog2().unwrap_or(0)).saturating_sub(6);
    usize::try_from(doublings * STEPS + (micros >> doublings)).expect("there are a few thousand buckets")
}

/// The longest time that a bucket counts.
fn longest(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).expect("there are a few thousand buckets");
    let doublings = (bucket / STEPS).saturating_sub(1);
    let step = bucket - doublings * STEPS;
    (step << doublings) + ((1 << doublings) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_read_back_within_a_sixty_fourth_and_never_as_less() {
        let powers = (0..64).flat_map(|power| [1_u64 << power, (1_u64 << power) - 1, (1_u64 << power) + 1]);
        for micros in powers.chain(0..10_000).chain([u64::MAX]) {
            let mut latencies = Latencies::default();
            latencies.add(micros);
            let read = latencies.permille(500).unwrap();
            assert!(
                read >= micros && read - micros <= micros / 64,
                "{micros} became {read}"
            );
        }
    }

    #[test]
    fn a_percentile_is_the_latency_that_so_many_stay_within() {
        let mut one = Latencies::default();
        let mut other = Latencies::default();
        for micros in 1..=100 {
            if micros % 2 == 0 { &mut one } else { &mut other }.add(micros);
        }
        assert_eq!(Latencies::default().permille(500), None);
        one.merge(&other);
        for (permille, micros) in [
            (0, 1),
            (10, 1),
            (500, 50),
            (501, 51),
            (990, 99),
            (999, 100),
            (1000, 100),
        ] {
            assert_eq!(one.permille(permille), Some(micros), "{permille} ‰");
        }
    }
}
