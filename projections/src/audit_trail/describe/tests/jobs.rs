//! What came of jobs, told.

use domain::ids::TenantId;
use domain::job::{JobCompleted, JobEvent, JobOf, JobTask};
use uuid::Uuid;

use super::*;

#[test]
fn of_what_recurs_it_is_told_how_much_it_came_to() {
    let told = |task, count| {
        let at = "2026-03-16T11:15:00Z".parse().unwrap();
        let completed = JobCompleted {
            job: JobOf::recurring(task, TenantId(Uuid::from_u128(1)), at),
            count,
            completed_at: at,
        };
        describe(&DomainEvent::Job(JobEvent::Completed(completed)))
    };
    let status = |before| change("status", FieldType::Status, before, "completed");
    let checked = told(JobTask::CheckLog, Some(532));
    assert_eq!(
        checked.summary,
        "Checked the log: 532 more events are as they were written"
    );
    assert_eq!(checked.changes, [status(None)]);
    assert_eq!(
        told(JobTask::CheckLog, Some(1)).summary,
        "Checked the log: 1 more event is as it was written"
    );
    assert_eq!(
        told(JobTask::SweepMedia, Some(2)).summary,
        "Destroyed pictures and videos that no review names: 2"
    );
    let after_failing = told(JobTask::SweepMedia, None);
    assert_eq!(
        after_failing.summary,
        "What had failed before is done: destroying pictures and videos that no review names"
    );
    assert_eq!(after_failing.changes, [status(Some("retrying"))]);
}
