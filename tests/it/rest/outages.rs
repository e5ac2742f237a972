//! What a customer's page is told while the database is out of reach or does not come to an end, and that asking again
//! under the same key does it once.

use std::time::Duration;

use api::app::App;
use api::http::Patience;
use domain::access::Role;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tests::http::Server;

use super::{Answered, OURS, ask, give, look, priced, wanted};

/// How long to wait until the program finds its database again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bookings that were ever asked for.
async fn requested(server: &Server) -> i64 {
    let mut superuser = server.database().superuser().await;
    sqlx::query_scalar("select count(*) from events where event_type = 'booking.requested'")
        .fetch_one(&mut superuser)
        .await
        .expect("the log can be read")
}

/// A superuser of the server who is not in the program's database.
async fn outside(server: &Server) -> (PgConnection, String) {
    let options = server.database().superuser_options();
    let name = options.get_database().expect("it has a name").to_owned();
    let outside = options.database("postgres").connect().await;
    (outside.expect("the server takes connections"), name)
}

/// Gives a command under its key until it is done.
async fn done_in_the_end(server: &Server, key: &str) -> Value {
    let path = format!("{OURS}/bookings");
    let page = server.nobody();
    let asking = async {
        loop {
            let said = give(&page, &path, key, &wanted(key)).await;
            if said.status == 201 {
                return said.body;
            }
            assert!([409, 503].contains(&said.status), "{} {}", said.status, said.body);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let done = tokio::time::timeout(PATIENCE, asking).await;
    done.expect("the program finds its database again")
}

fn comes_again(said: &Answered, status: u16, code: &str) {
    assert_eq!(said.refused(), (status, code));
    assert_eq!(said.header("retry-after"), "1");
}

#[tokio::test]
async fn without_a_database_every_page_is_told_to_come_again_and_nothing_is_done_twice() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let page = server.nobody();
    look(&page, OURS).await.done();
    let (mut outside, name) = outside(&server).await;
    let gone = format!(
        "alter database {name} with allow_connections false;
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    outside.execute(AssertSqlSafe(gone)).await.expect("it is shut");

    comes_again(&look(&page, OURS).await, 503, "UNAVAILABLE");
    let quoted = ask(&page, &format!("{OURS}/quotes"), &priced()).await;
    comes_again(&quoted, 503, "UNAVAILABLE");
    let booked = give(&page, &format!("{OURS}/bookings"), "ada", &wanted("ada")).await;
    comes_again(&booked, 503, "UNAVAILABLE");
    let said = admin
        .graphql("{ bookings(first: 1) { totalCount { value } } }", json!({}))
        .await;
    assert_eq!(said["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{said}");
    assert_eq!(look(&page, "/health/live").await.status, 200);
    assert_eq!(look(&page, "/health/ready").await.status, 503);

    let back = format!("alter database {name} with allow_connections true");
    outside.execute(AssertSqlSafe(back)).await.expect("it is opened");
    let done = done_in_the_end(&server, "ada").await;
    assert_eq!(done_in_the_end(&server, "ada").await, done);
    assert_eq!(requested(&server).await, 1);
    look(&page, OURS).await.done();
    server.caught_up(&server.company).await;
    let said = admin
        .data("{ bookings(first: 1) { totalCount { value } } }", json!({}))
        .await;
    assert_eq!(said["bookings"]["totalCount"]["value"], 1);
    assert_eq!(look(&page, "/health/ready").await.status, 200);
}

#[tokio::test]
async fn what_takes_too_long_goes_on_and_is_found_under_its_key() {
    let patience = Patience {
        request: Duration::from_secs(1),
        ..Patience::default()
    };
    let server = Server::start_as(|app| App { patience, ..app }).await;
    let page = server.nobody();
    let mut superuser = server.database().superuser().await;
    let mut holding = superuser.begin().await.expect("a transaction begins");
    holding
        .execute("select from log_head for update")
        .await
        .expect("the log's head is held");

    let slow = give(&page, &format!("{OURS}/bookings"), "ada", &wanted("ada")).await;
    assert_eq!(slow.refused(), (504, "TIMED_OUT"));
    assert_eq!(requested(&server).await, 0);

    holding.rollback().await.expect("the head is let go");
    let done = done_in_the_end(&server, "ada").await;
    assert_eq!(done_in_the_end(&server, "ada").await, done);
    assert_eq!(requested(&server).await, 1);
}
