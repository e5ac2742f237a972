//! Where people are signed in: listed, ended, and what was tried.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, PASSWORD, Server, global_id, with};

use super::{account, code, email, events, opens, sign_in, somebody};

const SESSIONS: &str = "{ sessions { id current address userAgent createdAt expiresAt } }";

async fn listed(client: &Client) -> Vec<Value> {
    let mut data = client.data(SESSIONS, json!({})).await;
    data["sessions"].take().as_array().expect("a list").clone()
}

fn revoke(key: &str, session: &Value) -> Value {
    json!({"idempotencyKey": key, "sessionId": session})
}

async fn revoked(client: &Client, input: Value) -> Value {
    account(
        client,
        "sessionRevoke",
        "SessionRevokeInput",
        "replayed position",
        input,
    )
    .await
}

#[tokio::test]
async fn a_person_sees_where_they_are_signed_in_and_ends_it_there() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let elsewhere = sign_in(&server, &email(Role::Admin), json!({})).await;
    let sessions = listed(&admin).await;
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session["address"] == "127.0.0.1"));
    assert_eq!(
        sessions
            .iter()
            .filter(|session| session["current"] == true)
            .count(),
        1
    );
    let other = sessions.iter().find(|session| session["current"] == false);
    let other = &other.expect("the other one")["id"];
    let done = revoked(&admin, revoke("end", other)).await;
    assert_eq!((code(&done), &done["replayed"]), (None, &json!(false)));
    assert!(!opens(&server, &elsewhere["accessToken"]).await);
    assert_eq!(
        code(&super::refresh(&server, &elsewhere["refreshToken"]).await),
        Some("INVALID_REFRESH_TOKEN")
    );
    assert_eq!(listed(&admin).await.len(), 1);
    assert_eq!(revoked(&admin, revoke("end", other)).await["replayed"], true);
    assert_eq!(events(&server, "user.session_revoked").await, 1);
    // An ended one that is refreshed is no copy of a used one.
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn others_are_signed_out_by_who_sees_to_users_and_by_nobody_else() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let auditor = somebody(&server, &server.company, Role::Auditor).await;
    let id = admin.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take();
    let session = &listed(&admin).await[0]["id"];
    let of = "query($id: ID!) { sessions(userId: $id) { id current } }";
    let seen = auditor.data(of, json!({"id": id})).await;
    assert_eq!(seen["sessions"], json!([{"id": session, "current": false}]));
    assert_eq!(
        code(&revoked(&auditor, revoke("auditor", session)).await),
        Some("NOT_FOUND")
    );
    let support = somebody(&server, &server.company, Role::CustomerSupport).await;
    let refused = support.graphql(of, json!({"id": id})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let neighbour = server.neighbour().await;
    let spy = somebody(&server, &neighbour, Role::SuperAdmin).await;
    assert_eq!(
        code(&revoked(&spy, revoke("spy", session)).await),
        Some("NOT_FOUND")
    );
    assert_eq!(spy.data(of, json!({"id": id})).await["sessions"], json!([]));
    let nowhere = json!(global_id("Session", uuid::Uuid::nil()));
    for odd in [&nowhere, &id] {
        assert_eq!(
            code(&revoked(&owner, revoke("odd", odd)).await),
            Some("NOT_FOUND")
        );
    }
    assert_eq!(code(&revoked(&owner, revoke("owner", session)).await), None);
    assert!(!opens(&server, &json!(admin.token)).await);
}

#[tokio::test]
async fn who_signs_out_is_out() {
    let server = Server::start().await;
    server.sign_in(Role::Admin).await;
    let signed_in = sign_in(&server, &email(Role::Admin), json!({})).await;
    let client = server
        .nobody()
        .with_token(signed_in["accessToken"].as_str().expect("a token"));
    let out = client
        .data("mutation { signOut { userErrors { code } } }", json!({}))
        .await;
    assert_eq!(out["signOut"]["userErrors"], json!([]));
    assert!(!opens(&server, &signed_in["accessToken"]).await);
    assert_eq!(
        code(&super::refresh(&server, &signed_in["refreshToken"]).await),
        Some("INVALID_REFRESH_TOKEN")
    );
    assert_eq!(events(&server, "user.session_revoked").await, 0, "no alarm");
}

#[tokio::test]
async fn another_password_ends_the_other_sign_ins() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let elsewhere = sign_in(&server, &email(Role::Admin), json!({})).await;
    let change = |key: &str, current: &str, new: &str| json!({"idempotencyKey": key, "currentPassword": current, "newPassword": new});
    let new = "another long pass phrase";
    let who = email(Role::Admin);
    let changed =
        async |input| account(&admin, "passwordChange", "PasswordChangeInput", "replayed", input).await;
    for (input, refused, field) in [
        (
            change("a", "not my password", new),
            "WRONG_PASSWORD",
            "currentPassword",
        ),
        (change("b", PASSWORD, "short"), "INVALID_PASSWORD", "newPassword"),
        (change("b2", PASSWORD, &who), "PASSWORD_TOO_EASY", "newPassword"),
        (
            change("b3", PASSWORD, "Our Hibachi 2026"),
            "PASSWORD_TOO_EASY",
            "newPassword",
        ),
    ] {
        let payload = changed(input).await;
        assert_eq!(code(&payload), Some(refused));
        assert_eq!(payload["userErrors"][0]["field"], json!([field]));
    }
    let done = changed(change("c", PASSWORD, new)).await;
    assert_eq!((code(&done), &done["replayed"]), (None, &json!(false)));
    assert!(
        opens(&server, &json!(admin.token)).await,
        "here one stays signed in"
    );
    assert!(!opens(&server, &elsewhere["accessToken"]).await);
    assert_eq!(
        code(&sign_in(&server, &who, json!({})).await),
        Some("WRONG_CREDENTIALS")
    );
    assert_eq!(
        code(&sign_in(&server, &who, json!({"password": new})).await),
        None
    );
    let again = changed(change("c", PASSWORD, new)).await;
    assert_eq!((code(&again), &again["replayed"]), (None, &json!(true)));
    assert_eq!(events(&server, "user.password_changed").await, 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_stolen_sign_in_guesses_no_more_passwords_than_anybody() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    for number in 0..5 {
        let input = json!({
            "idempotencyKey": format!("{number}"), "currentPassword": "not my password",
            "newPassword": "another long pass phrase",
        });
        let refused = account(&admin, "passwordChange", "PasswordChangeInput", "replayed", input).await;
        assert_eq!(code(&refused), Some("WRONG_PASSWORD"));
    }
    let right = json!({
        "idempotencyKey": "right", "currentPassword": PASSWORD, "newPassword": "another long pass phrase",
    });
    let refused = account(&admin, "passwordChange", "PasswordChangeInput", "replayed", right).await;
    assert_eq!(code(&refused), Some("WRONG_PASSWORD"), "locked out");
    assert_eq!(events(&server, "user.locked_out").await, 1);
}

#[tokio::test]
async fn what_was_tried_is_listed_page_by_page() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let who = email(Role::Admin);
    for (clock, password) in [
        ("2026-02-10T18:01:00Z", "not the password"),
        ("2026-02-10T18:02:00Z", PASSWORD),
    ] {
        server.set_clock(clock);
        sign_in(&server, &who, json!({"password": password})).await;
    }
    let page = "query($after: String) { signIns(first: 2, after: $after) {
        nodes { triedAt outcome address } pageInfo { hasNextPage endCursor } } }";
    let first = admin.data(page, json!({})).await["signIns"].take();
    let tried = |clock: &str, outcome: &str| json!({"triedAt": format!("2026-02-10T{clock}+00:00"), "outcome": outcome, "address": "127.0.0.1"});
    assert_eq!(
        first["nodes"],
        json!([tried("18:02:00", "SIGNED_IN"), tried("18:01:00", "WRONG")])
    );
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = json!({"after": first["pageInfo"]["endCursor"]});
    let second = admin.data(page, after).await["signIns"].take();
    assert_eq!(second["nodes"], json!([tried("18:00:00", "SIGNED_IN")]));
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let odd = admin.graphql(page, json!({"after": "odd"})).await;
    assert_eq!(odd["errors"][0]["extensions"]["code"], "INVALID_CURSOR");
}

#[tokio::test]
async fn a_key_is_none_of_the_people_it_acts_for() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let input = json!({"idempotencyKey": "key", "name": "till", "scopes": ["booking:read", "user:read"]});
    let made = account(&owner, "apiKeyCreate", "ApiKeyCreateInput", "secret", input).await;
    let program = owner.with_token(made["secret"].as_str().expect("a key"));
    for document in [
        SESSIONS,
        "{ signIns(first: 1) { nodes { outcome } } }",
        "mutation { signOut { userErrors { code } } }",
        "mutation { totpEnrol(input: {password: \"x\"}) { secret } }",
    ] {
        let refused = program.graphql(document, json!({})).await;
        assert_eq!(
            refused["errors"][0]["extensions"]["code"], "FORBIDDEN",
            "{document}"
        );
    }
    let with_key = with(
        json!({"idempotencyKey": "k"}),
        json!({"sessionId": global_id("Session", 1)}),
    );
    let revoke = "mutation($input: SessionRevokeInput!) { sessionRevoke(input: $input) { replayed } }";
    let refused = program.graphql(revoke, json!({"input": with_key})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
