//! Whether somebody who follows still stands as when they began.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Ended;
use crate::auth::{Auth, Recognised};

/// How old what is known of somebody may be at a look: with the time between two looks less than five seconds, which is what a
/// request is believed for.
const BELIEVED: Duration = Duration::from_secs(1);

/// Somebody who follows.
pub(super) struct Standing {
    auth: Auth,
    /// The token or key that they have shown.
    shown: String,
    /// Who they were when they began.
    recognised: Recognised,
    every: Duration,
}

impl Standing {
    /// Somebody who shows a token or a key.
    pub(super) async fn of(auth: &Auth, shown: &str, every: Duration) -> Result<Self, Ended> {
        let recognised = auth.recognise_within(shown, BELIEVED).await?;
        if recognised.clone().full().is_none() {
            return Err(Ended::SecondFactorMissing);
        }
        Ok(Self {
            auth: auth.clone(),
            shown: shown.to_owned(),
            recognised,
            every,
        })
    }

    /// Who they are.
    pub(super) fn recognised(&self) -> &Recognised {
        &self.recognised
    }

    /// Whether they stand as they did, for what they begin now.
    pub(super) async fn still(&self) -> Result<(), Ended> {
        let now = self.auth.recognise_within(&self.shown, BELIEVED).await?;
        if now == self.recognised {
            Ok(())
        } else {
            Err(Ended::RightsChanged)
        }
    }

    /// Waits until they stand no more as they did, and says why.
    pub(super) async fn ended(&self) -> Ended {
        let mut look_at = Instant::now();
        loop {
            look_at += self.every;
            sleep_until(look_at).await;
            // Nor does a stream go on for which nobody can vouch: it is followed again.
            if let Err(ended) = self.still().await {
                return ended;
            }
        }
    }
}
