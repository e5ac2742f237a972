//! Jobs in plain sentences.

use domain::job::{JobCompleted, JobEvent, JobStatus, JobTask};

use super::super::description::{Description, Told, instant};

pub(super) fn describe_job(event: &JobEvent) -> Description {
    let status = |status: JobStatus| Told::status(status.as_str());
    match event {
        JobEvent::Failed(failed) => Description::of(format!(
            "Attempt {} at {} failed ({}); the next is at {}",
            failed.attempt,
            doing(failed.job.task),
            failed.code,
            instant(failed.retry_at)
        ))
        .set("status", status(JobStatus::Retrying)),
        JobEvent::Died(died) => Description::of(format!(
            "Gave up {} after {} attempts ({}): a person must look",
            doing(died.job.task),
            died.attempts,
            died.code
        ))
        .set("status", status(JobStatus::Dead)),
        JobEvent::Retried(retried) => {
            Description::of(format!("Let {} be tried again", doing(retried.job.task))).changed(
                "status",
                Some(status(JobStatus::Dead)),
                status(JobStatus::Retrying),
            )
        }
        JobEvent::Dropped(dropped) => {
            Description::of(format!("Gave {} up for good", doing(dropped.job.task)))
                .because(Some(&dropped.reason))
                .changed(
                    "status",
                    Some(status(JobStatus::Dead)),
                    status(JobStatus::Dropped),
                )
        }
        JobEvent::Completed(completed) => {
            let told = Description::of(done(completed));
            let completes = status(JobStatus::Completed);
            match completed.count {
                // What recurs may not have failed before.
                Some(_) => told.set("status", completes),
                None => told.changed("status", Some(status(JobStatus::Retrying)), completes),
            }
        }
    }
}

fn done(completed: &JobCompleted) -> String {
    match (completed.job.task, completed.count) {
        (JobTask::CheckLog, Some(1)) => "Checked the log: 1 more event is as it was written".to_owned(),
        (JobTask::CheckLog, Some(count)) => {
            format!("Checked the log: {count} more events are as they were written")
        }
        (JobTask::SweepMedia, Some(count)) => {
            format!("Destroyed pictures and videos that no review names: {count}")
        }
        (task @ (JobTask::CheckLog | JobTask::SweepMedia), None)
        | (task @ (JobTask::SendMessage | JobTask::SendAnswer | JobTask::React), _) => {
            format!("What had failed before is done: {}", doing(task))
        }
    }
}

fn doing(task: JobTask) -> &'static str {
    match task {
        JobTask::SendMessage => "sending a message",
        JobTask::React => "reacting to what happened",
        JobTask::CheckLog => "checking the log",
        JobTask::SweepMedia => "destroying pictures and videos that no review names",
        JobTask::SendAnswer => "sending an answer",
    }
}
