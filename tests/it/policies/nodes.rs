//! Policies on several nodes at once: each goes on from where another has brought it, and none begins again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tests::http::with;

use super::*;

/// Saturdays in a row, from the first that a party is asked for.
const PARTIES: [&str; 8] = [
    "2026-03-14",
    "2026-03-21",
    "2026-03-28",
    "2026-04-04",
    "2026-04-11",
    "2026-04-18",
    "2026-04-25",
    "2026-05-02",
];

/// Lets the database write down who is told to have seen less than it has.
async fn note_what_is_set_back(server: &Server) {
    let mut superuser = server.database().superuser().await;
    superuser
        .execute(
            "create table set_back (policy text not null, was bigint not null, is_now bigint not null);
             create function note_what_is_set_back() returns trigger language plpgsql security definer as $$
             begin
                 insert into public.set_back values (old.policy, old.position, new.position);
                 return new;
             end $$;
             create trigger note_what_is_set_back before update on policy_checkpoints for each row
                 when (new.position < old.position) execute function note_what_is_set_back()",
        )
        .await
        .expect("the superuser may");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_has_looked_at_no_other_looks_at_again() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    note_what_is_set_back(&server).await;
    let tenant = server.company.tenant;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut nodes = Vec::new();
    for _ in 0..2 {
        let commands = server.another_node().await.commands;
        let is_over = is_over.clone();
        nodes.push(tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                commands.react(tenant).await.expect("the policies go on");
            }
        }));
    }
    let mut booked_ones = Vec::new();
    for day in PARTIES {
        let start = json!({"start": format!("{day}T18:00:00")});
        let booking = booked(&admin, with(party(day), start)).await;
        cash(&admin, &booking, &format!("deposit {day}"), 10_000).await;
        booked_ones.push(booking);
    }
    for booking in &booked_ones {
        becomes(&admin, booking, "CONFIRMED").await;
    }
    is_over.store(true, Ordering::Relaxed);
    for node in nodes {
        node.await.expect("a node goes on");
    }
    let mut superuser = server.database().superuser().await;
    let set_back: Vec<(String, i64, i64)> = sqlx::query_as("select policy, was, is_now from set_back")
        .fetch_all(&mut superuser)
        .await
        .expect("the database answers");
    assert_eq!(set_back, []);
    let confirmed: Vec<i64> = sqlx::query_scalar(
        "select count(*) from events where event_type = 'booking.confirmed' group by aggregate_id",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("the database answers");
    assert_eq!(confirmed, [1; PARTIES.len()], "each once");
    server.quiet(&server.company).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}
