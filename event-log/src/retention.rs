//! How long the results of commands are kept, and who forgets them.

use std::time::Duration;

use domain::ids::TenantId;
use sqlx::Row;
use tokio::sync::watch;

use crate::error::LogError;
use crate::log::EventLog;

/// Events that one transaction goes over.
const BATCH: u32 = 1000;
/// Time from one sweep to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How long the result of a command is kept, in days. A key that is used again after that is a new command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    days: u32,
}

/// Too few days: a client may retry what moves money for 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("results of commands are kept for at least {} days", Retention::LEAST_DAYS)]
pub struct TooShort;

impl Retention {
    /// The fewest days; the database refuses to forget earlier.
    pub const LEAST_DAYS: u32 = 30;

    /// So many days.
    ///
    /// # Errors
    /// [`TooShort`] below [`LEAST_DAYS`](Self::LEAST_DAYS).
    pub fn days(days: u32) -> Result<Self, TooShort> {
        if days < Self::LEAST_DAYS {
            return Err(TooShort);
        }
        Ok(Self { days })
    }
}

impl Default for Retention {
    /// 90 days.
    fn default() -> Self {
        Self { days: 90 }
    }
}

/// What one step of a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Results forgotten.
    pub forgotten: i64,
    /// Whether there is more to forget.
    pub more: bool,
}

impl EventLog {
    /// Forgets results of a company's commands that are older than the retention, over at most so many events. Of
    /// several programs that sweep one company at a time, one does.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn forget_results(
        &self,
        tenant: TenantId,
        retention: Retention,
        events: u32,
    ) -> Result<Swept, LogError> {
        let mut transaction = self.database().begin(tenant).await?;
        let row =
            sqlx::query("select forgotten, more from sweep_commands($1, make_interval(days => $2), $3)")
                .bind(tenant.0)
                .bind(i32::try_from(retention.days).unwrap_or(i32::MAX))
                .bind(i32::try_from(events).unwrap_or(i32::MAX))
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(Swept {
            forgotten: row.try_get("forgotten")?,
            more: row.try_get("more")?,
        })
    }

    /// Forgets old results of every company, at once and then every hour, until told to stop.
    pub async fn forget_until(&self, retention: Retention, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.sweep(retention, &stop).await {
                tracing::error!(%error, "old results of commands are kept for now");
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn sweep(&self, retention: Retention, stop: &watch::Receiver<bool>) -> Result<(), LogError> {
        for company in self.database().organisations().await? {
            let mut forgotten = 0;
            while !*stop.borrow() {
                let swept = self.forget_results(company.tenant, retention, BATCH).await?;
                forgotten += swept.forgotten;
                if !swept.more {
                    break;
                }
            }
            if forgotten > 0 {
                tracing::info!(tenant = %company.tenant, forgotten, "old results of commands are forgotten");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_days_than_a_client_may_retry_are_refused() {
        assert_eq!(Retention::days(29), Err(TooShort));
        assert_eq!(Retention::days(90), Ok(Retention::default()));
        assert_eq!(
            TooShort.to_string(),
            "results of commands are kept for at least 30 days"
        );
    }
}
