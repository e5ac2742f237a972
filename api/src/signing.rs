//! Heads signed on schedule: each company's, when its log has moved, once an interval.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use commands::ports::Clock;
use domain::ids::TenantId;
use event_log::proof::HeadSigner;
use event_log::{EventLog, Organisation};
use replays::{SignError, sign_head};
use tokio::sync::watch;

use crate::app::App;
use crate::installation::Installation;

/// The longest time from one look at the heads to the next; the interval itself where that is shorter.
const TURN: Duration = Duration::from_secs(60);

/// When heads are signed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct SignHeads {
    /// How often a company's head is signed, if its log has moved: 30s, 15m, 1h, 7d.
    #[arg(
        long,
        value_name = "TIME",
        env = "HIBACHI_SIGN_HEADS_EVERY",
        default_value = "1h",
        value_parser = interval
    )]
    pub sign_heads_every: Duration,
}

impl SignHeads {
    /// The program, signing heads under the installation's key.
    pub fn by(&self, app: App, installation: &Installation) -> App {
        App {
            head_schedule: Some(HeadSchedule::new(
                HeadSigner::new(&installation.signing_key),
                self.sign_heads_every,
            )),
            ..app
        }
    }
}

/// A number and its unit.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
    let with_unit = units.iter().find_map(|(unit, secs)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*secs)
    });
    match with_unit {
        Some(secs) if (1..=366 * 24 * 60 * 60).contains(&secs) => Ok(Duration::from_secs(secs)),
        Some(_) | None => Err("this is no time from 1s to 366d, such as 30s, 15m, 1h or 7d".to_owned()),
    }
}

/// Who signs, and how often.
#[derive(Debug, Clone)]
pub struct HeadSchedule {
    signer: Arc<HeadSigner>,
    every: Duration,
}

impl HeadSchedule {
    /// A schedule under a key.
    pub fn new(signer: HeadSigner, every: Duration) -> Self {
        Self {
            signer: Arc::new(signer),
            every,
        }
    }

    /// Signs heads until told to stop. A company whose head cannot be signed is tried again at every turn, and is
    /// logged when the reason is a new one.
    pub(crate) async fn sign_until(
        self,
        log: EventLog,
        clock: Arc<dyn Clock>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut troubles: HashMap<TenantId, String> = HashMap::new();
        loop {
            tokio::select! {
                () = self.turn(&log, clock.as_ref(), &mut troubles) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.every.min(TURN)) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn turn(&self, log: &EventLog, clock: &dyn Clock, troubles: &mut HashMap<TenantId, String>) {
        let companies = match log.database().organisations().await {
            Ok(companies) => companies,
            Err(error) => return tracing::warn!(%error, "no head was signed: the companies cannot be read"),
        };
        for company in companies {
            match self.sign_if_due(log, clock, &company).await {
                Ok(_) => drop(troubles.remove(&company.tenant)),
                Err(error) => {
                    let trouble = error.to_string();
                    let known = troubles.insert(company.tenant, trouble.clone());
                    if known.as_ref() != Some(&trouble) {
                        tracing::error!(organisation = company.slug, %error, "the head was not signed");
                    }
                }
            }
        }
    }

    /// Signs a company's head and keeps it, if that is due; says whether it did. Of several programs that do so at
    /// once, one's is kept.
    ///
    /// # Errors
    /// [`SignError::Unverified`] when the log since the last signed head is not as it was written, or cannot be read.
    pub async fn sign_if_due(
        &self,
        log: &EventLog,
        clock: &dyn Clock,
        company: &Organisation,
    ) -> Result<bool, SignError> {
        let now = clock.now();
        let position = log.head(company.tenant).await?.position;
        let last = log.last_signed_head(company.tenant).await?;
        let every = TimeDelta::from_std(self.every).unwrap_or(TimeDelta::MAX);
        let due = match &last {
            None => position.0 > 0,
            Some(last) => {
                position != last.statement.position
                    && now.signed_duration_since(last.statement.signed_at) >= every
            }
        };
        if !due {
            return Ok(false);
        }
        let head = sign_head(log, company, &self.signer, now, &()).await?;
        Ok(log.keep_signed_head(&head).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_and_its_unit() {
        let read = |text| interval(text).map(|interval| interval.as_secs());
        assert_eq!(read("30s"), Ok(30));
        assert_eq!(read("15m"), Ok(900));
        assert_eq!(read("1h"), Ok(3600));
        assert_eq!(read("366d"), Ok(366 * 86_400));
        for wrong in [
            "",
            "h",
            "0s",
            "367d",
            "10",
            "1.5h",
            "-1h",
            "18446744073709551615d",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
