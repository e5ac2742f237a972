//! A refresh token is good once; one that comes again ends the sign-in.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::Server;

use super::{asks, code, email, events, opens, refresh, sign_in};

#[tokio::test]
async fn a_refresh_token_gives_the_next_two_and_is_used_up() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let first = sign_in(&server, &email(Role::Admin), json!({})).await;
    server.set_clock("2026-02-10T18:09:59Z");
    let second = refresh(&server, &first["refreshToken"]).await;
    assert_eq!(second["viewer"]["email"], email(Role::Admin));
    server.set_clock("2026-02-10T18:10:00Z");
    assert!(
        !opens(&server, &first["accessToken"]).await,
        "ten minutes are over"
    );
    assert!(opens(&server, &second["accessToken"]).await);
    let third = refresh(&server, &second["refreshToken"]).await;
    assert!(third["accessToken"].is_string());
    assert_eq!(events(&server, "user.session_revoked").await, 0);
}

#[tokio::test]
async fn a_used_refresh_token_that_comes_again_ends_the_sign_in_and_is_noted() {
    let server = Server::start().await;
    let auditor = server.sign_in(Role::Auditor).await;
    server.sign_in(Role::Admin).await;
    let first = sign_in(&server, &email(Role::Admin), json!({})).await;
    let elsewhere = sign_in(&server, &email(Role::Admin), json!({})).await;
    let second = refresh(&server, &first["refreshToken"]).await;
    assert!(opens(&server, &second["accessToken"]).await);
    for token in [&first, &second, &first] {
        let refused = refresh(&server, &token["refreshToken"]).await;
        assert_eq!(code(&refused), Some("INVALID_REFRESH_TOKEN"));
        assert_eq!(refused["accessToken"], Value::Null);
    }
    let answer = asks(&server, &second["accessToken"]).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert!(opens(&server, &elsewhere["accessToken"]).await, "another sign-in");
    assert_eq!(events(&server, "user.session_revoked").await, 1);
    server.caught_up(&server.company).await;
    let trail = "{ auditLog(first: 1, filter: {type: [\"user.session_revoked\"]}) { nodes { summary } } }";
    let trail = auditor.data(trail, json!({})).await;
    let said = &trail["auditLog"]["nodes"][0]["summary"];
    assert!(
        said.as_str().is_some_and(|said| said.contains("came again")),
        "{said}"
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_wins() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    for _ in 0..10 {
        let signed_in = sign_in(&server, &email(Role::Admin), json!({})).await;
        let token = &signed_in["refreshToken"];
        let (one, other) = tokio::join!(refresh(&server, token), refresh(&server, token));
        let won = [&one, &other].map(|payload| payload["accessToken"].is_string());
        assert!(won[0] != won[1], "{one} {other}");
        let (winner, loser) = if won[0] { (one, other) } else { (other, one) };
        // Who came while the other was at it has hurt nobody; who came after it, as a copy would, has ended it.
        match code(&loser) {
            Some("REFRESH_TOKEN_TAKEN") => assert!(opens(&server, &winner["accessToken"]).await),
            Some("INVALID_REFRESH_TOKEN") => assert!(!opens(&server, &winner["accessToken"]).await),
            told => panic!("{told:?}"),
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_is_not_prolonged_ends_and_so_does_one_that_always_is() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let idle = sign_in(&server, &email(Role::Admin), json!({})).await;
    let mut kept = idle.clone();
    for day in [
        "2026-02-24T17:59:59Z",
        "2026-03-10T17:59:00Z",
        "2026-03-24T17:58:00Z",
    ] {
        server.set_clock(day);
        kept = refresh(&server, &kept["refreshToken"]).await;
        assert!(kept["accessToken"].is_string(), "{day}: {kept}");
    }
    for day in [
        "2026-04-07T17:00:00Z",
        "2026-04-21T16:00:00Z",
        "2026-05-05T15:00:00Z",
    ] {
        server.set_clock(day);
        kept = refresh(&server, &kept["refreshToken"]).await;
        assert!(kept["accessToken"].is_string(), "{day}: {kept}");
    }
    // Ninety days after it began.
    server.set_clock("2026-05-11T18:00:00Z");
    let refused = refresh(&server, &kept["refreshToken"]).await;
    assert_eq!(code(&refused), Some("INVALID_REFRESH_TOKEN"));
    let fresh = sign_in(&server, &email(Role::Admin), json!({})).await;
    server.set_clock("2026-05-25T18:00:00Z");
    let refused = refresh(&server, &fresh["refreshToken"]).await;
    assert_eq!(code(&refused), Some("INVALID_REFRESH_TOKEN"), "fourteen days");
}

#[tokio::test]
async fn what_is_no_refresh_token_opens_nothing_and_none_is_kept_in_clear() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let signed_in = sign_in(&server, &email(Role::Admin), json!({})).await;
    let token = signed_in["refreshToken"].as_str().expect("a token");
    let altered = format!("{}AAAA", &token[..token.len() - 4]);
    for odd in [
        "",
        "hir_",
        "hir_AAAA",
        altered.as_str(),
        signed_in["accessToken"].as_str().expect("one"),
    ] {
        let refused = refresh(&server, &json!(odd)).await;
        assert_eq!(code(&refused), Some("INVALID_REFRESH_TOKEN"), "{odd}");
    }
    assert!(!opens(&server, &json!(token)).await, "it is no access token");
    let mut superuser = server.database().superuser().await;
    let kept: Vec<String> = sqlx::query_scalar(
        "select t::text from refresh_tokens t union all select s::text from sessions s
         union all select i::text from sign_ins i",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("the tables are there");
    assert!(kept.len() > 2);
    for row in kept {
        assert!(!row.contains(&token[4..]) && !row.contains("127.0.0.1"), "{row}");
    }
}
