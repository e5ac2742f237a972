//! How the queues are over all companies, in sums: what the metrics show and whoever looks after the program reads.

use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use uuid::Uuid;

use super::JobsError;
use crate::Commands;

/// The jobs of one task, of all companies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskHealth {
    /// What they are to do: a [`JobTask`](domain::job::JobTask)'s word.
    pub task: String,
    /// How many there are.
    pub jobs: i64,
    /// How many of them could be done by now, and nobody is at.
    pub due: i64,
    /// How many some program is at.
    pub held: i64,
    /// How many have been tried in vain.
    pub again: i64,
    /// Since when the one that could be done for longest waits.
    pub due_since: Option<DateTime<Utc>>,
}

/// One policy, over all companies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyHealth {
    /// Its name.
    pub policy: String,
    /// In how many companies it is behind the log.
    pub behind: i64,
    /// By how many events, in sum.
    pub lag_events: i64,
    /// How much waits of it since a reaction failed.
    pub waiting: i64,
    /// When the first of that happened.
    pub waiting_since: Option<DateTime<Utc>>,
}

type TaskRow = (String, i64, i64, i64, i64, Option<DateTime<Utc>>);
type PolicyRow = (String, i64, i64, i64, Option<DateTime<Utc>>);

impl From<TaskRow> for TaskHealth {
    fn from((task, jobs, due, held, again, due_since): TaskRow) -> Self {
        Self {
            task,
            jobs,
            due,
            held,
            again,
            due_since,
        }
    }
}

impl From<PolicyRow> for PolicyHealth {
    fn from((policy, behind, lag_events, waiting, waiting_since): PolicyRow) -> Self {
        Self {
            policy,
            behind,
            lag_events,
            waiting,
            waiting_since,
        }
    }
}

/// The queues of all companies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueHealth {
    /// Jobs, task by task; none of a task that has none.
    pub tasks: Vec<TaskHealth>,
    /// Policies by name, and what queues jobs.
    pub policies: Vec<PolicyHealth>,
}

impl Commands {
    /// How the queues of all companies are by now.
    ///
    /// # Errors
    /// [`JobsError`] when the database does not answer.
    pub async fn queue_health(&self) -> Result<QueueHealth, JobsError> {
        // On behalf of nobody: the functions give sums, and there are no rows of the nil tenant.
        let mut tx = self.log().database().begin_read(TenantId(Uuid::nil())).await?;
        let tasks: Vec<TaskRow> =
            sqlx::query_as("select task, jobs, due, held, again, due_since from job_health($1)")
                .bind(self.ports.now())
                .fetch_all(&mut *tx)
                .await?;
        let policies: Vec<PolicyRow> =
            sqlx::query_as("select policy, behind, lag_events, waiting, waiting_since from policy_health()")
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(QueueHealth {
            tasks: tasks.into_iter().map(TaskHealth::from).collect(),
            policies: policies.into_iter().map(PolicyHealth::from).collect(),
        })
    }
}
