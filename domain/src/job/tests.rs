//! A job over its life.

use chrono::TimeDelta;
use uuid::Uuid;

use super::*;
use crate::ids::{ConversationId, MessageId, TenantId};

const NOW: &str = "2026-11-21T00:00:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

fn job() -> JobOf {
    JobOf::sending(MessageId(Uuid::from_u128(1)), None)
}

fn fails(attempt: i32, hope: Hope) -> JobCommand {
    JobCommand::Fail(JobFailure {
        job: job(),
        attempt,
        most_attempts: 3,
        code: "UNREACHABLE".to_owned(),
        hope,
        now: now(),
    })
}

fn after(commands: impl IntoIterator<Item = JobCommand>) -> Job {
    commands.into_iter().fold(Job::default(), |mut job, command| {
        for event in job.decide(command).unwrap() {
            job.evolve(&event);
        }
        job
    })
}

fn drops(reason: &str) -> JobCommand {
    JobCommand::Drop {
        reason: reason.to_owned(),
        now: now(),
    }
}

const fn retry(now: DateTime<Utc>) -> JobCommand {
    JobCommand::Retry { now }
}

fn completes() -> JobCommand {
    JobCommand::Complete {
        job: job(),
        count: None,
        now: now(),
    }
}

#[test]
fn a_job_is_tried_again_until_its_attempts_are_used_up() {
    let failed = Job::default().decide(fails(2, Hope::Some)).unwrap().remove(0);
    let JobEvent::Failed(failed) = failed else {
        panic!("it is tried again: {failed:?}")
    };
    assert_eq!(failed.retry_at, now() + wait_after(job().id(), 2));
    let died = after([fails(1, Hope::Some), fails(2, Hope::Some)])
        .decide(fails(3, Hope::Some))
        .unwrap()
        .remove(0);
    assert!(matches!(died, JobEvent::Died(JobDied { attempts: 3, .. })));
}

#[test]
fn a_failure_without_hope_ends_a_job_at_once() {
    assert_eq!(after([fails(1, Hope::None)]).status(), Some(JobStatus::Dead));
}

#[test]
fn a_person_lets_a_dead_job_be_tried_again_or_gives_it_up() {
    assert_eq!(Job::default().decide(retry(now())), Err(JobError::NotFound));
    let retrying = after([fails(1, Hope::Some)]);
    assert_eq!(retrying.decide(retry(now())), Err(JobError::NotDead("retrying")));
    let dead = [fails(1, Hope::None)];
    assert_eq!(after(dead.clone()).decide(drops("x")), Err(JobError::BadReason));
    let dropped = after(dead.clone().into_iter().chain([drops("wrong number")]));
    assert_eq!(dropped.status(), Some(JobStatus::Dropped));
    assert_eq!(
        dropped.decide(fails(1, Hope::Some)),
        Err(JobError::Over("dropped"))
    );
    let again = after(dead.into_iter().chain([retry(now()), completes()]));
    assert_eq!(again.status(), Some(JobStatus::Completed));
}

#[test]
fn of_a_job_that_never_failed_nothing_is_told() {
    assert_eq!(Job::default().decide(completes()), Ok(Vec::new()));
}

#[test]
fn of_a_job_that_recurs_it_is_told_once_what_came_of_it() {
    let tenant = TenantId(Uuid::from_u128(9));
    let recurring = |due_at: &str| JobOf::recurring(JobTask::CheckLog, tenant, due_at.parse().unwrap());
    let job = recurring("2026-11-21T11:15:00Z");
    assert_eq!(job, recurring("2026-11-21T12:15:00+01:00"));
    let others = [
        recurring("2026-11-22T11:15:00Z"),
        JobOf::recurring(JobTask::SweepMedia, tenant, now()),
        JobOf::recurring(JobTask::CheckLog, TenantId(Uuid::from_u128(8)), now()),
    ];
    assert!(others.iter().all(|other| other.id() != job.id()));
    let completes = || JobCommand::Complete {
        job,
        count: Some(12),
        now: now(),
    };
    let [JobEvent::Completed(completed)] = &Job::default().decide(completes()).unwrap()[..] else {
        panic!("it is told")
    };
    assert_eq!(completed.count, Some(12));
    assert_eq!(after([completes()]).decide(completes()), Ok(Vec::new()));
}

#[test]
fn what_recurs_is_due_at_night_and_companies_differ() {
    let usual = |tenant| JobTask::CheckLog.usual_recurrence(TenantId(Uuid::from_u128(tenant)));
    assert_eq!(
        usual(15).map(|usual| usual.to_string()).as_deref(),
        Some("daily 03:15")
    );
    assert_ne!(usual(15), usual(16));
    assert_eq!(JobTask::React.usual_recurrence(TenantId(Uuid::nil())), None);
}

#[test]
fn waits_grow_up_to_an_hour_and_a_quarter_and_differ_from_job_to_job() {
    let other = JobOf::sending(MessageId(Uuid::from_u128(2)), None);
    let mut shortest = 30;
    for attempt in 1..=40 {
        let wait = wait_after(job().id(), attempt);
        assert!(wait >= TimeDelta::seconds(shortest), "{attempt}: {wait}");
        assert!(
            wait <= TimeDelta::seconds(shortest * 5 / 4 + 1),
            "{attempt}: {wait}"
        );
        assert_ne!(wait, wait_after(other.id(), attempt));
        shortest = (shortest * 2).min(3_600);
    }
}

#[test]
fn a_reaction_that_was_done_may_fail_when_a_log_is_followed_anew() {
    let job = JobOf::reacting(Uuid::from_u128(3));
    let fails = || {
        JobCommand::Fail(JobFailure {
            job,
            attempt: 1,
            most_attempts: 3,
            code: "CONFLICT".to_owned(),
            hope: Hope::Some,
            now: now(),
        })
    };
    let completes = JobCommand::Complete {
        job,
        count: None,
        now: now(),
    };
    let again = after([fails(), completes, fails()]);
    assert_eq!(again.status(), Some(JobStatus::Retrying));
}

#[test]
fn every_task_is_found_by_its_word_and_has_jobs_of_its_own() {
    for task in JobTask::ALL {
        assert_eq!(JobTask::parse(task.as_str()), Some(task));
    }
    let subject = Uuid::from_u128(1);
    assert_ne!(JobOf::reacting(subject).id(), job().id());
}

#[test]
fn each_answer_of_a_conversation_is_a_job_of_its_own() {
    let conversation = ConversationId(Uuid::from_u128(1));
    let job = |message| JobOf::answering(conversation, message).id();
    assert_eq!(job(3), job(3));
    assert_ne!(job(3), job(4));
    assert_ne!(job(3), JobOf::sending(MessageId(conversation.0), None).id());
}
