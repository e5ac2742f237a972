//! The real clock and real ids.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

use crate::ports::{Clock, Ids};

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the port's one adapter that asks for the time"
    )]
    fn now(&self) -> DateTime<Utc> {
        // Events carry microseconds, as the database does.
        Utc::now().trunc_subsecs(6)
    }
}

/// UUID v7: sorted by time, with a random part.
#[derive(Default)]
pub struct SystemIds {
    context: std::sync::Mutex<ContextV7>,
}

impl Ids for SystemIds {
    fn next(&self, now: DateTime<Utc>) -> Uuid {
        let context = self
            .context
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let secs = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(
            &*context,
            secs,
            now.timestamp_subsec_nanos(),
        ))
    }
}
