//! Five wrong guesses, and nobody signs in as the person for a quarter of an hour: told like any wrong password, and as late.

use std::time::{Duration, Instant};

use domain::access::Role;
use serde_json::json;
use tests::http::{Server, global_id};

use super::{code, email, events, sign_in, somebody};

async fn guess(server: &Server, email: &str) -> Option<String> {
    let wrong = sign_in(server, email, json!({"password": "not the password"})).await;
    code(&wrong).map(str::to_owned)
}

#[tokio::test]
async fn five_wrong_guesses_lock_a_person_out_for_a_quarter_of_an_hour() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let admin = email(Role::Admin);
    for _ in 0..4 {
        assert_eq!(guess(&server, &admin).await.as_deref(), Some("WRONG_CREDENTIALS"));
    }
    assert_eq!(
        code(&sign_in(&server, &admin, json!({})).await),
        None,
        "four are forgiven"
    );
    for _ in 0..5 {
        assert_eq!(guess(&server, &admin).await.as_deref(), Some("WRONG_CREDENTIALS"));
    }
    let right = sign_in(&server, &admin, json!({})).await;
    assert_eq!(code(&right), Some("WRONG_CREDENTIALS"));
    server.set_clock("2026-02-10T18:14:59Z");
    assert_eq!(
        code(&sign_in(&server, &admin, json!({})).await),
        Some("WRONG_CREDENTIALS")
    );
    server.set_clock("2026-02-10T18:15:00Z");
    assert_eq!(code(&sign_in(&server, &admin, json!({})).await), None);
    assert_eq!(events(&server, "user.locked_out").await, 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn wrong_guesses_of_long_ago_do_not_count() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let admin = email(Role::Admin);
    for _ in 0..4 {
        guess(&server, &admin).await;
    }
    server.set_clock("2026-02-10T18:15:00Z");
    guess(&server, &admin).await;
    assert_eq!(code(&sign_in(&server, &admin, json!({})).await), None);
}

#[tokio::test]
async fn of_guesses_at_once_five_count_and_none_gets_in_after_them() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let admin = email(Role::Admin);
    let guesses = (0..12).map(|_| guess(&server, &admin));
    futures::future::join_all(guesses).await;
    assert_eq!(
        code(&sign_in(&server, &admin, json!({})).await),
        Some("WRONG_CREDENTIALS")
    );
    assert_eq!(events(&server, "user.locked_out").await, 1);
}

#[tokio::test]
async fn who_sees_to_users_lets_somebody_in_before_the_time_is_over() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let id = admin.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take();
    let unlock = |key: &str| json!({"idempotencyKey": key, "userId": id});
    let refused = owner
        .graphql(
            "mutation($input: UserActionInput!) { userUnlock(input: $input) { userErrors { code } } }",
            json!({"input": unlock("early")}),
        )
        .await;
    assert_eq!(
        refused["data"]["userUnlock"]["userErrors"][0]["code"],
        "NOT_LOCKED"
    );
    for _ in 0..5 {
        guess(&server, &email(Role::Admin)).await;
    }
    server.caught_up(&server.company).await;
    let seen = "query($id: ID!) { user(id: $id) { lockedUntil version } }";
    let seen = owner.data(seen, json!({"id": id})).await;
    assert_eq!(seen["user"]["lockedUntil"], "2026-02-10T18:15:00+00:00");
    let unlocked = owner
        .data(
            "mutation($input: UserActionInput!) { userUnlock(input: $input) {
                user { lockedUntil } userErrors { code } } }",
            json!({"input": unlock("unlock")}),
        )
        .await;
    assert_eq!(
        unlocked["userUnlock"],
        json!({"user": {"lockedUntil": null}, "userErrors": []})
    );
    assert_eq!(
        code(&sign_in(&server, &email(Role::Admin), json!({})).await),
        None
    );
    let unknown = json!({"idempotencyKey": "nobody", "userId": global_id("User", uuid::Uuid::nil())});
    let unknown = owner
        .graphql(
            "mutation($input: UserActionInput!) { userUnlock(input: $input) { userErrors { code } } }",
            json!({"input": unknown}),
        )
        .await;
    assert_eq!(
        unknown["data"]["userUnlock"]["userErrors"][0]["code"],
        "NOT_FOUND"
    );
}

/// How long a refusal takes, the quickest of some.
async fn quickest(server: &Server, organisation: &str, email: &str) -> Duration {
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        let wrong = json!({"organisation": organisation, "password": "not the password"});
        let refused = sign_in(server, email, wrong).await;
        assert_eq!(code(&refused), Some("WRONG_CREDENTIALS"));
        quickest = quickest.min(began.elapsed());
    }
    quickest
}

#[tokio::test]
async fn a_refusal_takes_as_long_whoever_it_is_for() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    server.sign_in(Role::Auditor).await;
    let (slug, locked) = (server.company.slug.clone(), email(Role::Auditor));
    for _ in 0..5 {
        guess(&server, &locked).await;
    }
    let known = quickest(&server, &slug, &email(Role::Admin)).await;
    for (organisation, email) in [
        (slug.as_str(), "nobody@our-hibachi.test"),
        (slug.as_str(), "not an address"),
        ("no-such-company", "nobody@our-hibachi.test"),
        (slug.as_str(), locked.as_str()),
    ] {
        let took = quickest(&server, organisation, email).await;
        // On the same step of a tenth of a second, or one that a busy machine has pushed it to.
        let steps = |took: Duration| took.as_millis() / 100;
        assert!(
            steps(took).abs_diff(steps(known)) <= 1,
            "{organisation} {email}: {took:?}, a known one {known:?}"
        );
        assert!(took >= Duration::from_millis(100));
    }
}
