//! What jobs there are, what each is about, and how long a failed one waits.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Recurrence;
use crate::ids::{ConversationId, JobId, MessageId, StationId, TenantId};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobTask {
    /// A message is taken to a customer.
    SendMessage,
    /// A policy reacts to what it could not react to at once.
    React,
    /// What has come to the log since it was checked last is held against its hashes. Recurs.
    CheckLog,
    /// Pictures and videos are destroyed that were uploaded and that no review names. Recurs.
    SweepMedia,
    /// An answer in a conversation is taken to the customer.
    SendAnswer,
}

impl JobTask {
    /// Every task.
    pub const ALL: [Self; 5] = [
        Self::SendMessage,
        Self::React,
        Self::CheckLog,
        Self::SweepMedia,
        Self::SendAnswer,
    ];

    /// The word in events, rows and the queue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendMessage => "send_message",
            Self::React => "react",
            Self::CheckLog => "check_log",
            Self::SweepMedia => "sweep_media",
            Self::SendAnswer => "send_answer",
        }
    }

    /// The task of a word; none of a word that a newer program wrote.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.as_str() == word)
    }

    /// When the task recurs for a company that has not recurred yet; none of a task that something has to ask for. At night,
    /// and companies do not all begin in the same minute.
    pub fn usual_recurrence(self, tenant: TenantId) -> Option<Recurrence> {
        let hour = match self {
            Self::SendMessage | Self::React | Self::SendAnswer => return None,
            Self::CheckLog => 3,
            Self::SweepMedia => 4,
        };
        let minute = u32::try_from(tenant.0.as_u128() % 60).ok()?;
        NaiveTime::from_hms_opt(hour, minute, 0).map(Recurrence::Daily)
    }

    /// The job of this task for a subject, or a version of it: always the same one, so that it is queued once.
    fn job(self, subject: Uuid, version: Option<i64>) -> JobId {
        const JOBS: Uuid = Uuid::from_u128(0x3b0f_92d7_1c55_4e0a_8f46_d2a9_0e61_7b04);
        let name = match version {
            Some(version) => format!("{}\n{subject}\n{version}", self.as_str()),
            None => format!("{}\n{subject}", self.as_str()),
        };
        JobId(Uuid::new_v5(&JOBS, name.as_bytes()))
    }
}

/// A job, and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOf {
    /// What is to be done.
    pub task: JobTask,
    /// Id of what it is done to; of a task that recurs, the id of one of its times.
    pub subject: Uuid,
    /// The version of the subject that it is about, where that has several such jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// The station that it is about; none where it concerns the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station_id: Option<StationId>,
}

impl JobOf {
    /// Taking a message to a customer.
    pub fn sending(message: MessageId, station_id: Option<StationId>) -> Self {
        Self {
            task: JobTask::SendMessage,
            subject: message.0,
            version: None,
            station_id,
        }
    }

    /// Taking the answer of a version of a conversation to its customer.
    pub fn answering(conversation: ConversationId, message: i64) -> Self {
        Self {
            task: JobTask::SendAnswer,
            subject: conversation.0,
            version: Some(message),
            station_id: None,
        }
    }

    /// Reacting to what waits of a policy's process, under the id that this goes by.
    pub fn reacting(waiting: Uuid) -> Self {
        Self {
            task: JobTask::React,
            subject: waiting,
            version: None,
            station_id: None,
        }
    }

    /// A task that recurs, for a company and one of the times at which it is due: whoever finds that the time has come means
    /// the same job.
    pub fn recurring(task: JobTask, tenant: TenantId, due_at: DateTime<Utc>) -> Self {
        const OCCURRENCES: Uuid = Uuid::from_u128(0x3b0f_92d7_1c55_4e0a_8f46_d2a9_0e61_7b06);
        let due = due_at.timestamp_micros();
        let occurrence = format!("{tenant}\n{}\n{due}", task.as_str());
        Self {
            task,
            subject: Uuid::new_v5(&OCCURRENCES, occurrence.as_bytes()),
            version: None,
            station_id: None,
        }
    }

    /// Its id: always the same one.
    pub fn id(&self) -> JobId {
        self.task.job(self.subject, self.version)
    }
}

/// How long to wait after an attempt that failed, from 1: half a minute, then twice as long each time up to an hour, and up to
/// a quarter more, which differs from job to job, so that what failed together is not tried together again.
pub fn wait_after(job: JobId, attempt: i32) -> TimeDelta {
    const FIRST: i64 = 30;
    const LONGEST: i64 = 3_600;
    let doublings = u32::try_from(attempt.saturating_sub(1).clamp(0, 7)).unwrap_or(0);
    let base = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let [high, low, ..] = *Uuid::new_v5(&job.0, &attempt.to_be_bytes()).as_bytes();
    let share = i64::from(u16::from_be_bytes([high, low]));
    TimeDelta::milliseconds(base * 1_000 + base * 250 * share / i64::from(u16::MAX))
}
