//! From the log into the queue. What asks for a job is an event; the relay follows the log with a checkpoint of its own and
//! queues jobs in the transaction that moves it.

use chrono::{DateTime, Utc};
use domain::conversation::ConversationEvent;
use domain::ids::{ConversationId, MessageId, TenantId};
use domain::job::{JobEvent, JobOf, JobTask};
use domain::message::MessageEvent;
use domain::recorded::{DomainEvent, Recorded};

use super::JobsError;
use super::queue::{Queued, enqueue, enqueue_anew};
use crate::Commands;
use crate::policies::RELAY;

/// Events that one transaction looks at.
const BATCH: u32 = 500;

/// What an event means to the queue.
enum Asked {
    /// A job that may be in it already.
    Once(JobOf, DateTime<Utc>),
    /// A job that begins anew.
    Anew(JobOf, DateTime<Utc>),
}

/// The job that an event asks for, and from when on.
fn asked_by(event: &Recorded) -> Option<Asked> {
    match &event.event {
        DomainEvent::Message(MessageEvent::Requested(requested)) => {
            let message: MessageId = event.stream.id.parse().ok()?;
            let job = JobOf::sending(message, requested.station_id);
            Some(Asked::Once(job, requested.due_at))
        }
        DomainEvent::Conversation(ConversationEvent::MessagePosted(posted)) if posted.goes_out => {
            let conversation: ConversationId = event.stream.id.parse().ok()?;
            let job = JobOf::answering(conversation, event.sequence.0);
            Some(Asked::Once(job, posted.posted_at))
        }
        DomainEvent::Job(JobEvent::Retried(retried)) => Some(Asked::Anew(retried.job, retried.retried_at)),
        // What waits after the reaction that was given up has to go on.
        DomainEvent::Job(JobEvent::Dropped(dropped)) if dropped.job.task == JobTask::React => {
            Some(Asked::Anew(dropped.job, dropped.dropped_at))
        }
        DomainEvent::Message(
            MessageEvent::Sent(_) | MessageEvent::Suppressed(_) | MessageEvent::Failed(_),
        )
        | DomainEvent::Job(
            JobEvent::Failed(_) | JobEvent::Died(_) | JobEvent::Dropped(_) | JobEvent::Completed(_),
        )
        | DomainEvent::Organisation(_)
        | DomainEvent::Station(_)
        | DomainEvent::Chef(_)
        | DomainEvent::User(_)
        | DomainEvent::Customer(_)
        | DomainEvent::Booking(_)
        | DomainEvent::Payment(_)
        | DomainEvent::PriceList(_)
        | DomainEvent::PromoCode(_)
        | DomainEvent::TaxRate(_)
        | DomainEvent::TaxPeriod(_)
        | DomainEvent::Document(_)
        | DomainEvent::DocumentSeries(_)
        | DomainEvent::Lead(_)
        | DomainEvent::WorkItem(_)
        | DomainEvent::MessageTemplate(_)
        | DomainEvent::Escalation(_)
        | DomainEvent::Conversation(_)
        | DomainEvent::Review(_) => None,
    }
}

impl Commands {
    /// Queues every job that the log asks for and that is not queued yet.
    pub(super) async fn relay_jobs(&self, tenant: TenantId) -> Result<(), JobsError> {
        while let Some((mut tx, checkpoint)) = self.take_checkpoint(tenant, RELAY).await? {
            let stored = self.log().read(tenant, checkpoint.position, BATCH, None).await?;
            let Some(last) = stored.last().map(|event| event.position) else {
                // Given back now, not some time after: the next batch must not find it taken.
                tx.rollback().await?;
                return Ok(());
            };
            for event in stored {
                let event = Recorded::try_from(event)?;
                let queued = |job, run_at| Queued {
                    job,
                    caused_by: Some(event.event_id),
                    correlation: event.meta.correlation_id.clone(),
                    run_at,
                };
                match asked_by(&event) {
                    Some(Asked::Once(job, at)) => enqueue(&mut tx, tenant, &queued(job, at)).await?,
                    Some(Asked::Anew(job, at)) => enqueue_anew(&mut tx, tenant, &queued(job, at)).await?,
                    None => {}
                }
            }
            sqlx::query("update policy_checkpoints set position = $3 where tenant_id = $1 and policy = $2")
                .bind(tenant.0)
                .bind(RELAY)
                .bind(last.0)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
