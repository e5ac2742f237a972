//! A reaction that fails waits by itself, with what comes after it, and holds up nobody else.

use std::num::NonZeroU16;

use api::app::App;
use commands::jobs::JobSettings;
use domain::job::{JobOf, JobTask};
use sqlx::AssertSqlSafe;
use tests::http::with;
use tests::process::{Answer, Installation, answer};

use super::*;

const CONFIRMS: &str = "when_deposit_captured";
const EXPIRES: &str = "when_deposit_overdue";

/// A program whose jobs are tried so often, and somebody who may do all.
async fn open(most_attempts: u16) -> (Server, Client) {
    let server = Server::start_as(move |app| {
        let settings = JobSettings {
            most_attempts: NonZeroU16::new(most_attempts).expect("more than none"),
            ..JobSettings::default()
        };
        App {
            commands: app.commands.doing_jobs(settings),
            ..app
        }
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    (server, admin)
}

/// Two bookings, of which the first is to be stuck.
async fn two(admin: &Client) -> (Value, Value) {
    let on = |key: &str, day: &str| with(party(key), json!({"start": format!("2026-03-{day}T18:00:00")}));
    let stuck = booked(admin, on("stuck", "14")).await;
    (stuck, booked(admin, on("other", "21")).await)
}

/// Lets the database refuse an event of the first booking, and names that.
async fn refuse(server: &Server, event: &str) -> Uuid {
    let mut superuser = server.database().superuser().await;
    let first =
        "select aggregate_id from events where event_type = 'booking.requested' order by position limit 1";
    let booking: String = sqlx::query_scalar(first)
        .fetch_one(&mut superuser)
        .await
        .expect("there is a booking");
    let trigger = format!(
        "create function refuse_one() returns trigger language plpgsql as $$
         begin
             if new.aggregate_id = '{booking}' and new.event_type = '{event}' then
                 raise exception 'not this one';
             end if;
             return new;
         end $$;
         create trigger refuse_one before insert on events for each row execute function refuse_one()"
    );
    superuser
        .execute(AssertSqlSafe(trigger))
        .await
        .expect("the superuser may");
    booking.parse().expect("a booking's stream is its id")
}

async fn refuse_no_more(server: &Server) {
    let mut superuser = server.database().superuser().await;
    superuser
        .execute("drop trigger refuse_one on events; drop function refuse_one()")
        .await
        .expect("the superuser may");
}

/// The jobs that react, what changed last first.
async fn reactions(admin: &Client) -> Vec<Value> {
    let query = "{ jobs(first: 10) { nodes { id version task status attempts code retryAt
        reaction { policy process waiting firstPosition } } } }";
    let found = admin.data(query, json!({})).await;
    let jobs = found["jobs"]["nodes"].as_array().cloned().unwrap_or_default();
    jobs.into_iter().filter(|job| job["task"] == "REACT").collect()
}

/// Waits until the job that reacts is as it must be.
async fn job_becomes(server: &Server, admin: &Client, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Vec::new();
    for _ in 0..LOOKS {
        server.caught_up(&server.company).await;
        last = reactions(admin).await;
        if let Some(job) = last.iter().find(|job| is_so(job)) {
            return job.clone();
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("no job is {what}: {last:?}");
}

async fn with_status(server: &Server, admin: &Client, status: &str) -> Value {
    job_becomes(server, admin, status, |job| job["status"] == status).await
}

/// Which events made a booking what it is: position and id of what caused each event of a name.
async fn causes(server: &Server, booking: Uuid, event: &str) -> Vec<i64> {
    let mut superuser = server.database().superuser().await;
    sqlx::query_scalar(
        "select c.position from events e join events c on c.event_id = (e.metadata->>'causation_id')::uuid
         where e.aggregate_id = $1 and e.event_type = $2 order by e.position",
    )
    .bind(booking.to_string())
    .bind(event)
    .fetch_all(&mut superuser)
    .await
    .expect("the database answers")
}

async fn count(server: &Server, of: &str) -> i64 {
    let mut superuser = server.database().superuser().await;
    let count = format!("select count(*) from {of}");
    sqlx::query_scalar(AssertSqlSafe(count))
        .fetch_one(&mut superuser)
        .await
        .expect("the database answers")
}

/// Nothing waits any more, and no policy believes that something does.
async fn assert_nothing_waits(server: &Server) {
    assert_eq!(count(server, "policy_waiting").await, 0);
    assert_eq!(count(server, "policy_checkpoints where has_waiting").await, 0);
    for _ in 0..LOOKS {
        if count(server, "jobs where task = 'react'").await == 0 {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("a job is left");
}

fn position(job: &Value) -> i64 {
    let first = &job["reaction"]["firstPosition"];
    first
        .as_i64()
        .or_else(|| first.as_str()?.parse().ok())
        .unwrap_or_else(|| panic!("a position: {job}"))
}

#[tokio::test]
async fn what_fails_for_one_booking_waits_in_its_order_and_is_done_once_it_can_be() {
    let (server, admin) = open(10).await;
    let (stuck, other) = two(&admin).await;
    let id = refuse(&server, "booking.confirmed").await;
    cash(&admin, &stuck, "deposit", 10_000).await;
    cash(&admin, &other, "other deposit", 10_000).await;
    becomes(&admin, &other, "CONFIRMED").await;
    let failed = with_status(&server, &admin, "RETRYING").await;
    assert_eq!(
        (&failed["code"], &failed["attempts"]),
        (&json!("LOG_REFUSES"), &json!(1))
    );
    assert_ne!(failed["retryAt"], Value::Null);
    let reaction = &failed["reaction"];
    assert_eq!(
        (&reaction["policy"], &reaction["process"]),
        (&json!(CONFIRMS), &json!(id.to_string()))
    );
    let first = position(&failed);

    // What happens to it meanwhile waits behind, and is no job of its own.
    cash(&admin, &stuck, "more", 5_000).await;
    let behind = job_becomes(&server, &admin, "longer", |job| {
        job["reaction"]["waiting"].as_i64() > Some(1)
    })
    .await;
    assert_eq!(
        (behind["id"].clone(), position(&behind)),
        (failed["id"].clone(), first)
    );
    let third = booked(
        &admin,
        with(party("third"), json!({"start": "2026-03-28T18:00:00"})),
    )
    .await;
    cash(&admin, &third, "third deposit", 10_000).await;
    becomes(&admin, &third, "CONFIRMED").await;

    refuse_no_more(&server).await;
    server.set_clock("2026-02-10T18:00:40Z");
    becomes(&admin, &stuck, "CONFIRMED").await;
    let done = with_status(&server, &admin, "COMPLETED").await;
    assert_eq!(done["id"], failed["id"]);
    assert_eq!(done["reaction"], Value::Null);
    assert_eq!(
        causes(&server, id, "booking.confirmed").await,
        [first],
        "what came first confirmed it, and once"
    );
    assert_eq!(reactions(&admin).await.len(), 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
    assert_nothing_waits(&server).await;
    assert!(
        !remembered(&server)
            .await
            .contains(&(CONFIRMS.to_owned(), id.to_string()))
    );
}

/// The program at a terminal, over the test's database.
fn at_a_terminal(server: &Server, arguments: &[&str]) -> Answer {
    let place = Installation::empty();
    let company = ["--org", server.company.slug.as_str()];
    let mut command = place.command(&[&["jobs"][..], arguments, &company].concat());
    command.env("DATABASE_URL", server.database().url());
    command.env("HIBACHI_MASTER_KEY", "07".repeat(32));
    tokio::task::block_in_place(|| answer(command))
}

/// Moves a job that was let go on at a terminal to the test's own time: the terminal goes by the real clock.
async fn due_now(server: &Server) {
    let mut superuser = server.database().superuser().await;
    for _ in 0..LOOKS {
        let moved = sqlx::query("update jobs set run_at = $1 where task = 'react'")
            .bind(server.now())
            .execute(&mut superuser)
            .await
            .expect("the superuser may");
        if moved.rows_affected() > 0 {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the job is not queued");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_too_often_waits_for_a_person_who_lets_it_go_on() {
    let (server, admin) = open(1).await;
    let (stuck, _) = two(&admin).await;
    let id = refuse(&server, "booking.confirmed").await;
    cash(&admin, &stuck, "deposit", 10_000).await;
    let dead = with_status(&server, &admin, "DEAD").await;
    assert_eq!((&dead["attempts"], &dead["retryAt"]), (&json!(1), &Value::Null));
    let listed = at_a_terminal(&server, &["list", "--status", "dead"]);
    assert_eq!(listed.code, Some(1), "{listed:?}");
    assert!(
        listed.out.contains(" react ") && listed.out.contains("LOG_REFUSES"),
        "{listed:?}"
    );
    let retry = |key: &str| json!({"idempotencyKey": key, "jobId": dead["id"]});
    admin.done("jobRetry", "", retry("in vain")).await;
    let again = job_becomes(&server, &admin, "dead again", |job| {
        job["status"] == "DEAD" && job["version"] != dead["version"]
    })
    .await;
    assert_eq!(
        (again["id"].clone(), position(&again)),
        (dead["id"].clone(), position(&dead))
    );

    refuse_no_more(&server).await;
    let job = listed.out.lines().nth(1).and_then(|line| line.split(' ').next());
    let job = job.expect("a job is listed");
    let shown = at_a_terminal(&server, &["show", job]);
    assert!(
        shown.out.contains(&format!("{CONFIRMS} of {id} waits")),
        "{shown:?}"
    );
    for (task, retried) in [("send_message", 0), ("react", 1)] {
        let answer = at_a_terminal(&server, &["retry", "--all-dead", "--task", task]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(
            answer.err.contains(&format!("tried again: {retried}")),
            "{answer:?}"
        );
    }
    due_now(&server).await;
    becomes(&admin, &stuck, "CONFIRMED").await;
    with_status(&server, &admin, "COMPLETED").await;
    assert_eq!(causes(&server, id, "booking.confirmed").await, [position(&dead)]);
    server.assert_rebuild_changes_nothing(&server.company).await;
    assert_nothing_waits(&server).await;
}

#[tokio::test]
async fn what_a_person_gives_up_is_not_done_and_what_came_after_it_goes_on() {
    let (server, admin) = open(1).await;
    let (stuck, _) = two(&admin).await;
    let id = refuse(&server, "booking.confirmed").await;
    cash(&admin, &stuck, "deposit", 10_000).await;
    let dead = with_status(&server, &admin, "DEAD").await;
    cash(&admin, &stuck, "more", 5_000).await;
    job_becomes(&server, &admin, "longer", |job| {
        job["reaction"]["waiting"].as_i64() > Some(1)
    })
    .await;
    let drop = json!({"idempotencyKey": "drop", "jobId": dead["id"], "reason": "this one is in vain"});
    admin.done("jobDrop", "", drop).await;
    // What came after it fares no better, and is a job of its own.
    let next = job_becomes(&server, &admin, "another", |job| {
        job["status"] == "DEAD" && job["id"] != dead["id"]
    })
    .await;
    assert!(position(&next) > position(&dead), "{next}");
    refuse_no_more(&server).await;
    let retry = json!({"idempotencyKey": "retry", "jobId": next["id"]});
    admin.done("jobRetry", "", retry).await;
    becomes(&admin, &stuck, "CONFIRMED").await;
    with_status(&server, &admin, "COMPLETED").await;
    // The money that was given up still counts: the policy knew of it when more came.
    let causes = causes(&server, id, "booking.confirmed").await;
    assert!(
        matches!(causes[..], [cause] if cause > position(&dead)),
        "{causes:?}"
    );
    let dropped = with_status(&server, &admin, "DROPPED").await;
    assert_eq!(
        (&dropped["id"], &dropped["reaction"]),
        (&dead["id"], &Value::Null)
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
    assert_nothing_waits(&server).await;
}

#[tokio::test]
async fn what_waits_of_a_policy_that_there_is_no_more_is_gone_once_a_person_gives_it_up() {
    let (server, mut admin) = open(1).await;
    let (stuck, _) = two(&admin).await;
    refuse(&server, "booking.confirmed").await;
    cash(&admin, &stuck, "deposit", 10_000).await;
    let dead = with_status(&server, &admin, "DEAD").await;
    // As if the policy were one that the next program does not have.
    let mut superuser = server.database().superuser().await;
    superuser
        .execute(
            "insert into policy_checkpoints (tenant_id, policy, has_waiting)
             select tenant_id, 'when_it_rains', true from policy_checkpoints where policy = 'when_deposit_captured';
             update policy_waiting set policy = 'when_it_rains';
             update policy_checkpoints set has_waiting = false where policy = 'when_deposit_captured'",
        )
        .await
        .expect("the superuser may");
    let drop =
        json!({"idempotencyKey": "drop", "jobId": dead["id"], "reason": "there is no such policy any more"});
    admin.done("jobDrop", "", drop).await;
    let turned_down = "jobs where task = 'react' and held_by is null and run_at > '2026-02-10T18:00:20Z'";
    for _ in 0..LOOKS {
        if count(&server, turned_down).await > 0 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(count(&server, turned_down).await, 1, "somebody else may know it");
    server.set_clock("2026-02-10T18:00:40Z");
    admin.sign_in_again().await;
    for _ in 0..LOOKS {
        if count(&server, "policy_waiting").await == 0 {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert_nothing_waits(&server).await;
    assert_eq!(with_status(&server, &admin, "DROPPED").await["id"], dead["id"]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_time_that_has_come_for_one_booking_waits_like_an_event() {
    let (server, mut admin) = open(10).await;
    let (stuck, other) = two(&admin).await;
    let id = refuse(&server, "booking.expired").await;
    server.set_clock("2026-02-13T18:00:00Z");
    admin.sign_in_again().await;
    becomes(&admin, &other, "EXPIRED").await;
    let failed = with_status(&server, &admin, "RETRYING").await;
    let reaction = &failed["reaction"];
    assert_eq!(
        (&reaction["policy"], &reaction["process"], position(&failed)),
        (&json!(EXPIRES), &json!(id.to_string()), 0)
    );
    refuse_no_more(&server).await;
    server.set_clock("2026-02-13T18:00:40Z");
    becomes(&admin, &stuck, "EXPIRED").await;
    with_status(&server, &admin, "COMPLETED").await;
    server.assert_rebuild_changes_nothing(&server.company).await;
    assert_nothing_waits(&server).await;
}

#[tokio::test]
async fn a_program_that_ends_amid_a_reaction_loses_nothing_and_does_nothing_twice() {
    let (server, admin) = open(10).await;
    let (stuck, _) = two(&admin).await;
    let id = refuse(&server, "booking.confirmed").await;
    cash(&admin, &stuck, "deposit", 10_000).await;
    let failed = with_status(&server, &admin, "RETRYING").await;
    // As if it had ended after the command, and before it noted that nothing waits.
    let mut superuser = server.database().superuser().await;
    superuser
        .execute(
            "create function keep_it() returns trigger language plpgsql as $$
             begin raise exception 'the program ends here'; end $$;
             create trigger keep_it before delete on policy_waiting for each row execute function keep_it()",
        )
        .await
        .expect("the superuser may");
    refuse_no_more(&server).await;
    server.set_clock("2026-02-10T18:00:40Z");
    becomes(&admin, &stuck, "CONFIRMED").await;
    job_becomes(&server, &admin, "tried again", |job| job["attempts"] == 2).await;
    // What came of the command waits in its turn.
    let behind = job_becomes(&server, &admin, "longer", |job| {
        job["reaction"]["waiting"].as_i64() > Some(1)
    })
    .await;
    assert_eq!(position(&behind), position(&failed));
    superuser
        .execute("drop trigger keep_it on policy_waiting; drop function keep_it()")
        .await
        .expect("the superuser may");
    server.set_clock("2026-02-10T18:02:00Z");
    with_status(&server, &admin, "COMPLETED").await;
    assert_eq!(
        causes(&server, id, "booking.confirmed").await,
        [position(&failed)]
    );

    // As if it had ended before it took the job out of the queue.
    let job: (Uuid, Uuid) = sqlx::query_as(
        "select aggregate_id::uuid, (payload->>'subject')::uuid from events where event_type = 'job.completed'",
    )
    .fetch_one(&mut superuser)
    .await
    .expect("it is told");
    assert_eq!(JobOf::reacting(job.1).id().0, job.0);
    sqlx::query(
        "insert into jobs (tenant_id, job_id, task, subject, correlation, run_at) values ($1, $2, $3, $4, 'c', $5)",
    )
    .bind(server.company.tenant.0)
    .bind(job.0)
    .bind(JobTask::React.as_str())
    .bind(job.1)
    .bind(server.now())
    .execute(&mut superuser)
    .await
    .expect("the superuser may");
    server.quiet(&server.company).await;
    assert_nothing_waits(&server).await;
    assert_eq!(causes(&server, id, "booking.confirmed").await.len(), 1);
    assert_eq!(
        count(&server, "events where event_type = 'job.completed'").await,
        1
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_period_is_not_closed_while_what_follows_its_payments_waits() {
    let (server, admin) = open(10).await;
    booked(&admin, party("held")).await;
    let tenant = server.company.tenant;
    server.quiet(&server.company).await;
    assert_eq!(
        server
            .app
            .commands
            .tax_events_behind(tenant)
            .await
            .expect("the log answers"),
        0
    );
    let mut superuser = server.database().superuser().await;
    superuser
        .execute(
            "insert into policy_waiting select tenant_id, policy, 'a booking', 1, now(), gen_random_uuid()
             from policy_checkpoints where policy = 'when_money_changes_tax'",
        )
        .await
        .expect("the superuser may");
    assert_eq!(
        server
            .app
            .commands
            .tax_events_behind(tenant)
            .await
            .expect("the log answers"),
        1
    );
}
