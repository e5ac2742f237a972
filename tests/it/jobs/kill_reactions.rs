//! kill -9 of a program amid reactions that are made up for.

use std::collections::BTreeMap;

use rand::Rng;
use sqlx::{AssertSqlSafe, Executor};
use tests::seed::{random, remark, seed};

use super::kill::Program;
use super::*;
use crate::scheduling::{about, booked};

/// Bookings whose deposit has come and that are not confirmed at first.
const BOOKINGS: u8 = 16;
/// How often a program is killed.
const ROUNDS: usize = 4;
/// How long a program lives on after the first booking that it confirms, at most.
const LONGEST: Duration = Duration::from_millis(250);

/// Lets no booking be confirmed.
const REFUSE: &str = "create function refuse_all() returns trigger language plpgsql as $$
    begin raise exception 'not now'; end $$;
    create trigger refuse_all before insert on events for each row
    when (new.event_type = 'booking.confirmed') execute function refuse_all()";

/// Lets them be confirmed, each in a while, and its note that it is done take another: so that an end of the program comes
/// before the command, amid it, between the two, or after both. Counts how often jobs are taken up.
const SLOWLY: &str = "drop trigger refuse_all on events;
    create function take_a_while() returns trigger language plpgsql as $$
    begin
        perform pg_sleep(0.02 + random() * 0.05);
        return case when tg_op = 'DELETE' then old else new end;
    end $$;
    create trigger take_a_while before insert on events for each row
    when (new.event_type = 'booking.confirmed') execute function take_a_while();
    create trigger take_a_while before delete on policy_waiting for each row execute function take_a_while();
    create table taken (job_id uuid);
    create function note_taken() returns trigger language plpgsql security definer as $$
    begin insert into taken values (new.job_id); return new; end $$;
    create trigger note_taken before update on jobs for each row
    when (new.task = 'react' and new.attempts > old.attempts) execute function note_taken()";

async fn run(server: &Server, sql: &'static str) {
    let mut superuser = server.database().superuser().await;
    superuser.execute(sql).await.expect("the superuser may");
}

async fn count(server: &Server, of: &str) -> i64 {
    let mut superuser = server.database().superuser().await;
    let count = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {of}")));
    count
        .fetch_one(&mut superuser)
        .await
        .expect("the database answers")
}

const CONFIRMED: &str = "events where event_type = 'booking.confirmed'";

async fn until_count(server: &Server, of: &str, is_so: impl Fn(i64) -> bool) {
    until(of, async || is_so(count(server, of).await)).await;
}

/// How often there is an event of a type, by its stream or by what asked for it.
async fn times(server: &Server, by: &str, event: &str) -> BTreeMap<String, i64> {
    let mut superuser = server.database().superuser().await;
    let times = format!("select {by}, count(*) from events where event_type = '{event}' group by 1");
    let times: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(times))
        .fetch_all(&mut superuser)
        .await
        .expect("the database answers");
    times.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_a_program_amid_its_reactions_loses_none_and_gives_each_command_once() {
    let seed = seed();
    let mut random = random(seed, 1);
    // The test's own program follows the log and puts aside, and leaves the jobs to the others.
    let idle = JobSettings {
        at_once: 0,
        ..JobSettings::default()
    };
    let server = Server::start_as(move |app| App {
        commands: app.commands.doing_jobs(idle),
        ..app
    })
    .await;
    let admin = server.sign_in(Role::Admin).await;
    run(&server, REFUSE).await;
    for number in 1..=BOOKINGS {
        let key = format!("party-{number}");
        let on = json!({"start": format!("2026-03-{number:02}T18:00:00")});
        let booking = booked(&admin, with(party(&key), on)).await;
        let money = json!({"kind": "DEPOSIT", "method": "CASH", "amountMinor": 10_000});
        let recorded = admin.done(
            "paymentRecord",
            "payment { id }",
            about(&booking, &format!("{key} paid"), money),
        );
        let payment = recorded.await["payment"]["id"].take();
        let verify = json!({"idempotencyKey": format!("{key} found"), "paymentId": payment, "accept": true});
        admin.done("paymentVerify", "", verify).await;
    }
    let all = i64::from(BOOKINGS);
    until_count(&server, "jobs where task = 'react'", |queued| queued == all).await;
    assert_eq!(count(&server, CONFIRMED).await, 0);
    run(&server, SLOWLY).await;

    for _ in 0..ROUNDS {
        let before = count(&server, CONFIRMED).await;
        let program = Program::start_now(&server);
        until_count(&server, CONFIRMED, |now| now > before || now == all).await;
        tokio::time::sleep(random.random_range(Duration::ZERO..LONGEST)).await;
        program.kill();
    }
    let last = Program::start_now(&server);
    until_count(&server, CONFIRMED, |now| now >= all).await;
    until_count(&server, "policy_waiting", |left| left == 0).await;
    until_count(&server, "jobs where task = 'react'", |left| left == 0).await;
    let asked = "payload->>'booking_id'";
    until("each is told its customer", async || {
        times(&server, asked, "message.requested").await.len() == usize::from(BOOKINGS)
    })
    .await;
    last.kill();

    let once = |times: &BTreeMap<String, i64>| {
        times.len() == usize::from(BOOKINGS) && times.values().all(|n| *n == 1)
    };
    let confirmed = times(&server, "aggregate_id", "booking.confirmed").await;
    assert!(once(&confirmed), "each is confirmed once: {confirmed:?}");
    let told = times(&server, asked, "message.requested").await;
    assert!(once(&told), "and what follows from it comes once: {told:?}");
    assert_eq!(count(&server, "policy_checkpoints where has_waiting").await, 0);
    assert_eq!(count(&server, "events where event_type = 'job.died'").await, 0);
    let taken = count(&server, "taken").await;
    remark(format_args!(
        "{ROUNDS} kills, {all} reactions taken up {taken} times, {} bookings confirmed",
        confirmed.len()
    ));
    assert!(taken >= all, "{taken}");
    server.assert_rebuild_changes_nothing(&server.company).await;
}
