//! What recurs: once for each of its times, whoever looks, however often, and after whatever rest.

use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use commands::Commands;
use commands::ports::{CheckedTo, LogCheck, LogCheckError, LogChecked};
use domain::job::{JobCompleted, JobTask};
use event_log::LogError;
use futures::future::join_all;

use super::*;

/// After the hours in which something recurs, by the clock of San Jose.
const NIGHT: &str = "2026-02-11T13:00:00Z";
const NEXT_NIGHT: &str = "2026-02-12T13:00:00Z";

/// A company whose program leaves all jobs to others.
async fn idle() -> (Server, TenantId) {
    let idle = JobSettings {
        at_once: 0,
        ..JobSettings::default()
    };
    let server = Server::start_as(move |app| App {
        commands: app.commands.doing_jobs(idle),
        ..app
    })
    .await;
    let tenant = server.company.tenant;
    (server, tenant)
}

async fn look(node: &Commands, tenant: TenantId) -> usize {
    node.queue_recurring(tenant).await.expect("the database answers")
}

async fn work(node: &Commands, tenant: TenantId) -> usize {
    node.do_jobs(tenant).await.expect("the jobs go on")
}

/// What is told of jobs that are done, with their places in the log.
async fn completed(server: &Server) -> Vec<(i64, JobCompleted)> {
    let events = events(server, server.company.tenant).await;
    let completed = |event: &Recorded| {
        let DomainEvent::Job(JobEvent::Completed(completed)) = &event.event else {
            return None;
        };
        Some((event.position.0, completed.clone()))
    };
    events.iter().filter_map(completed).collect()
}

#[tokio::test]
async fn what_recurs_is_done_once_however_many_nodes_look() {
    let (server, tenant) = idle().await;
    let nodes = [
        server.another_node().await.commands,
        server.another_node().await.commands,
    ];
    let all_look = async || -> usize {
        let looks = (0..8).map(|look| nodes[look % 2].queue_recurring(tenant));
        let queued = join_all(looks).await;
        queued
            .into_iter()
            .map(|queued| queued.expect("the database answers"))
            .sum()
    };
    assert_eq!(all_look().await, 0, "its first time is still to come");
    server.set_clock(NIGHT);
    assert_eq!(all_look().await, 2);
    assert_eq!(all_look().await, 0);
    let done: usize = join_all(nodes.iter().map(|node| work(node, tenant)))
        .await
        .into_iter()
        .sum();
    assert_eq!(done, 2);
    // Of uploads there was nothing to tell.
    let [(position, checked)] = &completed(&server).await[..] else {
        panic!("the log is checked once: {:?}", completed(&server).await)
    };
    assert_eq!(checked.job.task, JobTask::CheckLog);
    assert_eq!(checked.count, Some(position - 1), "all that there was");
    server.set_clock(NEXT_NIGHT);
    assert_eq!(all_look().await, 2);
    work(&nodes[1], tenant).await;
    let [_, (_, checked)] = &completed(&server).await[..] else {
        panic!("and once more")
    };
    let since = server.head(&server.company).await - position;
    assert_eq!(
        checked.count,
        Some(since),
        "what has come since, the first check's own word included"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn what_was_queued_survives_a_restart_and_a_week_of_rest_is_made_up_for_once() {
    let (server, tenant) = idle().await;
    let first = server.another_node().await.commands;
    assert_eq!(look(&first, tenant).await, 0);
    server.set_clock(NIGHT);
    assert_eq!(look(&first, tenant).await, 2);
    // It ends before it does anything, and nobody is there for a week.
    drop(first);
    server.set_clock("2026-02-18T13:00:00Z");
    let second = server.another_node().await.commands;
    assert_eq!(
        look(&second, tenant).await,
        0,
        "what is queued is for this time too"
    );
    assert_eq!(work(&second, tenant).await, 2);
    assert_eq!(completed(&server).await.len(), 1);
    drop(second);

    // Another week, and nothing is queued when it begins.
    server.set_clock("2026-02-25T13:00:00Z");
    let third = server.another_node().await.commands;
    assert_eq!(look(&third, tenant).await, 2);
    assert_eq!(look(&third, tenant).await, 0);
    assert_eq!(work(&third, tenant).await, 2);
    assert_eq!(completed(&server).await.len(), 2, "once, not seven times");

    let auditor = server.sign_in(Role::Auditor).await;
    let query = "{ jobSchedules { task rule zone nextAt lastDueAt lastJobId lastDoneAt } }";
    let schedules = auditor.data(query, json!({})).await["jobSchedules"].take();
    let [check, sweep] = schedules.as_array().map(Vec::as_slice).unwrap_or_default() else {
        panic!("two recur: {schedules}")
    };
    assert_eq!(
        (&check["task"], &sweep["task"]),
        (&json!("CHECK_LOG"), &json!("SWEEP_MEDIA"))
    );
    assert_eq!(check["zone"], "America/Los_Angeles");
    let begins = |value: &Value, with: &str| {
        assert!(
            value.as_str().is_some_and(|text| text.starts_with(with)),
            "{value} not {with}"
        );
    };
    begins(&check["rule"], "daily 03:");
    begins(&check["nextAt"], "2026-02-26T11:");
    begins(&sweep["nextAt"], "2026-02-26T12:");
    begins(&check["lastDueAt"], "2026-02-19T11:");
    begins(&check["lastDoneAt"], "2026-02-25T13:00:00");
    assert!(check["lastJobId"].is_string());
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// Cannot look at logs until it is mended; then finds them as they were written.
#[derive(Default)]
struct Mendable {
    is_mended: AtomicBool,
}

#[async_trait]
impl LogCheck for Mendable {
    async fn check_on(
        &self,
        _tenant: TenantId,
        from: Option<CheckedTo>,
        _at_most: Duration,
    ) -> Result<LogChecked, LogCheckError> {
        if !self.is_mended.load(Ordering::SeqCst) {
            return Err(LogCheckError::Unavailable(LogError::Unavailable {
                retry_after: Duration::from_secs(1),
            }));
        }
        let position = Position(from.map_or(0, |from| from.position.0) + 7);
        Ok(LogChecked {
            to: CheckedTo {
                position,
                block: 1,
                block_hash: String::new(),
            },
            is_head: true,
        })
    }
}

async fn until_jobs(server: &Server, told: &[&str]) {
    until(&format!("{told:?}"), async || {
        super::told(server, server.company.tenant).await == told
    })
    .await;
}

#[tokio::test]
async fn what_fails_waits_for_a_person_and_its_next_time_comes_all_the_same() {
    let check = Arc::new(Mendable::default());
    let by = check.clone();
    let settings = JobSettings {
        most_attempts: NonZeroU16::new(2).expect("two is not nothing"),
        ..JobSettings::default()
    };
    let server = Server::start_as(move |app| {
        let commands = app.commands.checking_logs(by).doing_jobs(settings);
        App { commands, ..app }.queueing_what_recurs()
    })
    .await;
    let schedules = async || {
        let caller = commands::Caller::system(server.company.tenant, "test");
        server
            .app
            .commands
            .job_schedules(&caller)
            .await
            .expect("the database answers")
    };
    until("it has schedules", async || schedules().await.len() == 2).await;
    server.set_clock(NIGHT);
    until_jobs(&server, &["job.failed"]).await;
    server.set_clock("2026-02-11T13:00:40Z");
    until_jobs(&server, &["job.failed", "job.died"]).await;
    let mut admin = server.sign_in(Role::Admin).await;
    let dead = job(&server, &admin).await;
    assert_eq!(
        (&dead["task"], &dead["status"], &dead["code"]),
        (&json!("CHECK_LOG"), &json!("DEAD"), &json!("UNAVAILABLE"))
    );
    let last = schedules().await[0].last_job.expect("there was one");
    assert_eq!(dead["id"], global_id("Job", last));

    check.is_mended.store(true, Ordering::SeqCst);
    server.set_clock(NEXT_NIGHT);
    let told = ["job.failed", "job.died", "job.completed"];
    until_jobs(&server, &told).await;
    admin.sign_in_again().await;
    assert_eq!(
        job(&server, &admin).await["status"],
        "DEAD",
        "that is another job"
    );
    let retry = json!({"idempotencyKey": "again", "jobId": dead["id"]});
    admin.done("jobRetry", "", retry).await;
    until_jobs(&server, &[&told[..], &["job.retried", "job.completed"]].concat()).await;
    assert_eq!(job(&server, &admin).await["status"], "COMPLETED");
    let counts: Vec<Option<i64>> = completed(&server)
        .await
        .iter()
        .map(|(_, done)| done.count)
        .collect();
    assert_eq!(counts, [Some(7), Some(7)]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_log_that_somebody_has_changed_is_told_of_at_once_and_every_night() {
    let (server, tenant) = idle().await;
    let node = server.another_node().await.commands;
    look(&node, tenant).await;
    let mut superuser = server.database().superuser().await;
    sqlx::raw_sql(
        "set session_replication_role = replica;
         update events set recorded_at = recorded_at - interval '1 microsecond' where position = 3",
    )
    .execute(&mut superuser)
    .await
    .expect("the superuser may");
    for (night, deaths) in [(NIGHT, 1), (NEXT_NIGHT, 2)] {
        server.set_clock(night);
        assert_eq!(look(&node, tenant).await, 2);
        work(&node, tenant).await;
        assert_eq!(told(&server, tenant).await, vec!["job.died"; deaths]);
    }
    let auditor = server.sign_in(Role::Auditor).await;
    server.caught_up(&server.company).await;
    let jobs = auditor
        .data(
            "{ jobs(first: 10) { nodes { task status code attempts } } }",
            json!({}),
        )
        .await;
    let dead = json!({"task": "CHECK_LOG", "status": "DEAD", "code": "LOG_CHANGED", "attempts": 1});
    assert_eq!(jobs["jobs"]["nodes"], json!([dead, dead]));
}

#[tokio::test]
async fn a_long_log_is_checked_in_pieces_within_one_job() {
    let (server, tenant) = idle().await;
    let node = server.another_node().await.commands;
    look(&node, tenant).await;
    server.set_clock(NIGHT);
    let node = node.checking_logs(Arc::new(Pieces(server.app.log.clone())));
    assert_eq!(look(&node, tenant).await, 2);
    let turns = work(&node, tenant).await;
    assert!(turns > 3, "{turns}");
    let [(position, checked)] = &completed(&server).await[..] else {
        panic!("it is told once")
    };
    assert_eq!(checked.count, Some(position - 1));
}

/// Checks for no time at all: a block at a time.
struct Pieces(event_log::EventLog);

#[async_trait]
impl LogCheck for Pieces {
    async fn check_on(
        &self,
        tenant: TenantId,
        from: Option<CheckedTo>,
        _at_most: Duration,
    ) -> Result<LogChecked, LogCheckError> {
        let from = from.map_or(replays::VerifiedTo::START, |from| {
            let mut block_hash = [0; 32];
            hex::decode_to_slice(&from.block_hash, &mut block_hash).expect("it is a hash");
            replays::VerifiedTo {
                position: from.position,
                block: from.block,
                block_hash,
            }
        });
        let onward = replays::verify_onward(&self.0, tenant, from, Duration::ZERO).await;
        let (to, is_head) = match onward.expect("the log is as it was written") {
            replays::Onward::Head(to) => (to, true),
            replays::Onward::Part(to) => (to, false),
        };
        let to = CheckedTo {
            position: to.position,
            block: to.block,
            block_hash: hex::encode(to.block_hash),
        };
        Ok(LogChecked { to, is_head })
    }
}
