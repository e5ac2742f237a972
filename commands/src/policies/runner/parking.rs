//! What a policy puts aside: a reaction that failed, and what its process has to react to after it, in order.

use chrono::{DateTime, Utc};
use domain::envelope::Position;
use domain::ids::{EventId, TenantId};
use domain::job::JobOf;
use domain::recorded::Recorded;
use event_log::Transaction;
use uuid::Uuid;

use super::PolicyError;
use super::memory::Checkpoint;
use crate::jobs::{Queued, enqueue};

/// Stands for a time that has come, before any event.
pub(super) const TIME: Position = Position::START;

/// Something that a process has to react to.
pub(super) struct Occasion {
    /// The event; [`TIME`] for a time that the process waited for.
    pub(super) position: Position,
    /// When it happened.
    pub(super) since: DateTime<Utc>,
    pub(super) event: Option<EventId>,
    /// The business process that it belongs to, as the log tells; none of a time.
    pub(super) correlation: Option<String>,
}

impl Occasion {
    pub(super) fn of_event(event: &Recorded) -> Self {
        Self {
            position: event.position,
            since: event.recorded_at,
            event: Some(event.event_id),
            correlation: Some(event.meta.correlation_id.clone()),
        }
    }

    pub(super) fn of_time(wake_at: DateTime<Utc>) -> Self {
        Self {
            position: TIME,
            since: wake_at,
            event: None,
            correlation: None,
        }
    }

    /// What a job is about that begins with it: the same each time, and another for what fails later.
    fn subject(&self, policy: &str, process: &str) -> Uuid {
        const WAITING: Uuid = Uuid::from_u128(0x3b0f_92d7_1c55_4e0a_8f46_d2a9_0e61_7b05);
        let since = self.since.timestamp_micros();
        let from = format!("{policy}\n{process}\n{}\n{since}", self.position);
        Uuid::new_v5(&WAITING, from.as_bytes())
    }

    /// The job that reacts to it, and to what waits after it.
    pub(super) fn job(&self, policy: &str, process: &str, run_at: DateTime<Utc>) -> Queued {
        let subject = self.subject(policy, process);
        Queued {
            job: JobOf::reacting(subject),
            caused_by: self.event,
            correlation: self.correlation.clone().unwrap_or_else(|| subject.to_string()),
            run_at,
        }
    }
}

/// What one transaction of a policy puts aside.
pub(super) struct Parking {
    tenant: TenantId,
    policy: &'static str,
    has_waiting: bool,
    jobs: Vec<Queued>,
}

impl Parking {
    pub(super) fn new(tenant: TenantId, policy: &'static str, checkpoint: &Checkpoint) -> Self {
        Self {
            tenant,
            policy,
            has_waiting: checkpoint.has_waiting,
            jobs: Vec::new(),
        }
    }

    /// Whether something of the process waits already; then the event does too.
    pub(super) async fn keeps_behind(
        &self,
        tx: &mut Transaction,
        process: &str,
        event: &Recorded,
    ) -> Result<bool, sqlx::Error> {
        if !self.has_waiting {
            return Ok(false);
        }
        let kept = sqlx::query(
            "insert into policy_waiting (tenant_id, policy, process, position, since, subject)
             select tenant_id, policy, process, $4, $5, subject from policy_waiting
             where tenant_id = $1 and policy = $2 and process = $3 limit 1
             on conflict (tenant_id, policy, process, position) do update set subject = excluded.subject",
        )
        .bind(self.tenant.0)
        .bind(self.policy)
        .bind(process)
        .bind(event.position.0)
        .bind(event.recorded_at)
        .execute(&mut **tx)
        .await?;
        Ok(kept.rows_affected() > 0)
    }

    /// Puts a reaction aside that failed, for a job to try again.
    ///
    /// # Errors
    /// Why it failed, where that holds up the whole policy.
    pub(super) async fn park(
        &mut self,
        tx: &mut Transaction,
        process: &str,
        occasion: &Occasion,
        now: DateTime<Utc>,
        error: PolicyError,
    ) -> Result<(), PolicyError> {
        if error.holds_up_all() {
            return Err(error);
        }
        let queued = occasion.job(self.policy, process, now);
        let (tenant, policy, job) = (self.tenant, self.policy, queued.job.id());
        let (position, why) = (occasion.position.0, error.reason());
        tracing::error!(%tenant, policy, process, position, %job, why, "a reaction waits");
        sqlx::query(
            "insert into policy_waiting (tenant_id, policy, process, position, since, subject)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(tenant.0)
        .bind(policy)
        .bind(process)
        .bind(occasion.position.0)
        .bind(occasion.since)
        .bind(queued.job.subject)
        .execute(&mut **tx)
        .await?;
        rest(tx, tenant, policy, process).await?;
        self.has_waiting = true;
        self.jobs.push(queued);
        Ok(())
    }

    /// Queues what was put aside. Last of all: a new job holds on to the head of the log until its transaction ends, and a
    /// command that the transaction waits for would wait for the transaction.
    pub(super) async fn end(self, tx: &mut Transaction) -> Result<(), sqlx::Error> {
        if self.jobs.is_empty() {
            return Ok(());
        }
        sqlx::query("update policy_checkpoints set has_waiting = true where tenant_id = $1 and policy = $2")
            .bind(self.tenant.0)
            .bind(self.policy)
            .execute(&mut **tx)
            .await?;
        for queued in &self.jobs {
            enqueue(tx, self.tenant, queued).await?;
        }
        Ok(())
    }
}

/// Lets a process sleep while something of it waits: what it waits for comes of that.
pub(super) async fn rest(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    process: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update policy_states set wake_at = null where tenant_id = $1 and policy = $2 and process = $3",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(process)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether something of a process waits.
pub(super) async fn waits(
    tx: &mut Transaction,
    tenant: TenantId,
    policy: &str,
    process: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (
             select from policy_waiting where tenant_id = $1 and policy = $2 and process = $3
         )",
    )
    .bind(tenant.0)
    .bind(policy)
    .bind(process)
    .fetch_one(&mut **tx)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occasion(position: i64, since: &str) -> Occasion {
        Occasion {
            position: Position(position),
            since: since.parse().unwrap(),
            event: None,
            correlation: None,
        }
    }

    #[test]
    fn a_job_is_about_one_occasion_of_one_process() {
        let first = occasion(7, "2026-03-01T00:00:00Z");
        let subject = first.subject("when_it_rains", "b");
        assert_eq!(
            subject,
            occasion(7, "2026-03-01T00:00:00Z").subject("when_it_rains", "b")
        );
        let others = [
            first.subject("when_it_snows", "b"),
            first.subject("when_it_rains", "c"),
            occasion(8, "2026-03-01T00:00:00Z").subject("when_it_rains", "b"),
            // The next time that the same process waited for.
            occasion(0, "2026-03-01T00:00:00Z").subject("when_it_rains", "b"),
            occasion(0, "2026-03-02T00:00:00Z").subject("when_it_rains", "b"),
        ];
        for other in others {
            assert_ne!(subject, other);
        }
        assert_ne!(others[3], others[4]);
    }
}
