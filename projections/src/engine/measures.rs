//! What the read models measure of themselves as they follow the log. No company is named.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Bounds of what a batch takes, in seconds.
const SECONDS: [f64; 10] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 60.0];
/// Bounds of how many events share a batch.
const EVENTS: [f64; 7] = [1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 8_192.0];

/// What is measured of the read models of one program. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Measures {
    batch_seconds: Histogram,
    batch_events: Histogram,
    failures: Counter,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            batch_seconds: Histogram::new(SECONDS),
            batch_events: Histogram::new(EVENTS),
            failures: Counter::default(),
        }
    }
}

impl Measures {
    /// A batch of so many events was brought to read models, in vain for some of them.
    pub(crate) fn batch(&self, took: Duration, events: usize, failed: usize) {
        self.batch_seconds.observe(took.as_secs_f64());
        self.batch_events
            .observe(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
        self.failures.inc_by(u64::try_from(failed).unwrap_or(u64::MAX));
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hibachi_projection_batch_seconds",
            "How long it took to bring a batch of events to the read models of one company",
            self.batch_seconds.clone(),
        );
        registry.register(
            "hibachi_projection_batch_events",
            "Events of such a batch",
            self.batch_events.clone(),
        );
        registry.register(
            "hibachi_projection_failures",
            "Times that a read model could not take a batch",
            self.failures.clone(),
        );
    }
}
