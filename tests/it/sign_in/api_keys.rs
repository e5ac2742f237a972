//! Keys for programs: shown once, for no more than they were made for and their maker may do, until they end.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id, party, with};

use super::{account, asks, code, events, opens, somebody};

fn ask(key: &str, scopes: &[&str]) -> Value {
    json!({"idempotencyKey": key, "name": "till", "scopes": scopes})
}

const KEY: &str =
    "secret replayed apiKey { id name endsWith scopes expiresAt revokedAt revokedBecause lastUsedAt userId }";

async fn made(client: &Client, input: Value) -> Value {
    account(client, "apiKeyCreate", "ApiKeyCreateInput", KEY, input).await
}

async fn revoked(client: &Client, key: &str, id: &Value) -> Value {
    let input = json!({"idempotencyKey": key, "apiKeyId": id, "reason": "it leaked"});
    account(client, "apiKeyRevoke", "ApiKeyRevokeInput", KEY, input).await
}

const BOOKINGS: &str = "{ bookings(first: 1) { totalCount { value } } }";

#[tokio::test]
async fn a_key_does_what_it_is_for_and_nothing_else() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let made = made(&admin, ask("key", &["booking:write", "booking:read"])).await;
    let secret = made["secret"].as_str().expect("it is shown");
    assert!(secret.starts_with("hib_"));
    assert!(secret.ends_with(made["apiKey"]["endsWith"].as_str().expect("its end")));
    let program = server.nobody().with_token(secret);
    let viewer = program.data("{ viewer { role permissions } }", json!({})).await;
    assert_eq!(
        viewer["viewer"],
        json!({"role": "ADMIN", "permissions": ["booking:read", "booking:write"]})
    );
    program.data(BOOKINGS, json!({})).await;
    for document in [
        "{ customers(first: 1) { totalCount { value } } }",
        "{ payments(first: 1) { totalCount { value } } }",
        "{ apiKeys(first: 1) { totalCount { value } } }",
        "{ users(first: 1) { totalCount { value } } }",
    ] {
        let refused = program.graphql(document, json!({})).await;
        let told = &refused["errors"][0]["extensions"]["code"];
        assert_eq!(told, "FORBIDDEN", "{document}: {refused}");
    }
    // What a command writes names the person, and the key in its metadata.
    program
        .done("bookingRequest", "booking { id }", party("by-key"))
        .await;
    let mut tx = server
        .app
        .database
        .begin_read(server.company.tenant)
        .await
        .expect("it answers");
    let by: Vec<(String, String)> = sqlx::query_as(
        "select metadata->>'actor_kind', metadata->>'api_key_id' from events
         where tenant_id = $1 and event_type = 'booking.requested'",
    )
    .bind(server.company.tenant.0)
    .fetch_all(&mut *tx)
    .await
    .expect("the log answers");
    let id = made["apiKey"]["id"].as_str().expect("an id");
    assert_eq!(by.len(), 1);
    assert_eq!(
        (by[0].0.as_str(), global_id("ApiKey", &by[0].1).as_str()),
        ("user", id)
    );
    let refused = program
        .graphql(
            "mutation($input: PriceChangeInput!) { priceChange(input: $input) { replayed } }",
            json!({"input": {
                "idempotencyKey": "price", "stationId": global_id("Station", server.company.san_jose),
                "item": "adult", "priceMinor": 6_000, "reason": "dearer",
            }}),
        )
        .await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_only_its_hash_is_kept() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let first = made(&admin, ask("key", &["booking:read"])).await;
    let again = made(&admin, ask("key", &["booking:read"])).await;
    assert_eq!(
        (&again["secret"], &again["replayed"], &again["apiKey"]["id"]),
        (&Value::Null, &json!(true), &first["apiKey"]["id"])
    );
    let secret = first["secret"].as_str().expect("it is shown");
    let mut superuser = server.database().superuser().await;
    let rows: Vec<String> =
        sqlx::query_scalar("select e::text from events e union all select k::text from api_key_list k")
            .fetch_all(&mut superuser)
            .await
            .expect("the tables are there");
    assert!(rows.iter().all(|row| !row.contains(&secret[4..])));
    for odd in [
        "hib_",
        "hib_AAAA",
        &format!("{}AAAA", &secret[..secret.len() - 4]),
    ] {
        assert!(!opens(&server, &json!(odd)).await, "{odd}");
    }
    let told = asks(&server, &json!("hib_AAAA")).await;
    assert_eq!(told["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_key_that_cannot_be_is_refused() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    for (key, fields, refused) in [
        ("a", json!({"scopes": []}), "SCOPES_REQUIRED"),
        ("b", json!({"scopes": ["booking:fly"]}), "INVALID_SCOPE"),
        ("c", json!({"scopes": ["user:write"]}), "SCOPE_BEYOND_ROLE"),
        ("d", json!({"scopes": ["api_key:write"]}), "SCOPE_BEYOND_ROLE"),
        ("e", json!({"scopes": ["tax:close"]}), "SCOPE_BEYOND_ROLE"),
        ("f", json!({"name": " "}), "INVALID_NAME"),
        (
            "g",
            json!({"expiresAt": "2026-02-10T18:00:00Z"}),
            "INVALID_EXPIRY",
        ),
        (
            "h",
            json!({"expiresAt": "2029-02-10T18:00:00Z"}),
            "INVALID_EXPIRY",
        ),
    ] {
        let payload = made(&admin, with(ask(key, &["booking:read"]), fields)).await;
        assert_eq!(code(&payload), Some(refused), "{key}");
        assert_eq!(
            (&payload["secret"], &payload["apiKey"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert_eq!(events(&server, "user.api_key_created").await, 0);
}

#[tokio::test]
async fn a_key_ends_when_it_expires_or_is_revoked() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let until = json!({"expiresAt": "2026-02-10T18:05:00Z"});
    let short = made(&admin, with(ask("short", &["booking:read"]), until)).await["secret"].take();
    let long = made(&admin, ask("long", &["booking:read"])).await;
    server.set_clock("2026-02-10T18:04:59Z");
    assert!(opens(&server, &short).await && opens(&server, &long["secret"]).await);
    server.set_clock("2026-02-10T18:05:00Z");
    assert!(!opens(&server, &short).await);
    assert!(opens(&server, &long["secret"]).await);
    let id = &long["apiKey"]["id"];
    let gone = revoked(&admin, "revoke", id).await;
    assert_eq!(
        (code(&gone), &gone["apiKey"]["revokedBecause"]),
        (None, &json!("it leaked"))
    );
    assert!(!opens(&server, &long["secret"]).await);
    assert_eq!(code(&revoked(&admin, "twice", id).await), Some("API_KEY_REVOKED"));
    let nobody = json!(global_id("ApiKey", uuid::Uuid::nil()));
    assert_eq!(code(&revoked(&admin, "nobody", &nobody).await), Some("NOT_FOUND"));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_key_may_never_do_more_than_its_maker_may_at_the_time() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let made = made(&admin, ask("key", &["booking:read", "price:read"])).await;
    let program = server
        .nobody()
        .with_token(made["secret"].as_str().expect("a key"));
    program.data(BOOKINGS, json!({})).await;
    let id = &made["apiKey"]["userId"];
    let demote = json!({"idempotencyKey": "demote", "userId": id, "role": "CHEF"});
    let demoted = account(
        &owner,
        "userRoleChange",
        "UserRoleChangeInput",
        "user { role }",
        demote,
    )
    .await;
    assert_eq!(demoted["user"]["role"], "CHEF");
    let refused = program.graphql(BOOKINGS, json!({})).await;
    assert_eq!(
        refused["errors"][0]["extensions"]["code"], "FORBIDDEN",
        "{refused}"
    );
    let gone = json!({"idempotencyKey": "gone", "userId": id, "reason": "leaves us"});
    account(
        &owner,
        "userDeactivate",
        "UserDeactivateInput",
        "user { status }",
        gone,
    )
    .await;
    assert!(!opens(&server, &made["secret"]).await);
}

#[tokio::test]
async fn people_see_their_own_keys_and_who_sees_users_all() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let auditor = somebody(&server, &server.company, Role::Auditor).await;
    let of_owner = made(&owner, ask("owner", &["booking:read"])).await;
    let of_admin = made(&admin, ask("admin", &["booking:read"])).await;
    assert!(opens(&server, &of_admin["secret"]).await);
    server.caught_up(&server.company).await;
    let list = "{ apiKeys(first: 10) { totalCount { value } nodes { id lastUsedAt } } }";
    let row = |made: &Value, used: Option<&str>| json!({"id": made["apiKey"]["id"], "lastUsedAt": used});
    let used = Some("2026-02-10T18:00:00+00:00");
    let own = json!({"totalCount": {"value": 1}, "nodes": [row(&of_admin, used)]});
    assert_eq!(admin.data(list, json!({})).await["apiKeys"], own);
    for client in [&owner, &auditor] {
        let all = client.data(list, json!({})).await["apiKeys"].take();
        assert_eq!(all["totalCount"]["value"], 2);
        let nodes = all["nodes"].as_array().expect("rows");
        assert!(nodes.contains(&row(&of_owner, None)) && nodes.contains(&row(&of_admin, used)));
    }
    let not_theirs = revoked(&admin, "not theirs", &of_owner["apiKey"]["id"]).await;
    assert_eq!(code(&not_theirs), Some("NOT_FOUND"));
    assert_eq!(
        code(&revoked(&owner, "theirs", &of_admin["apiKey"]["id"]).await),
        None
    );
    assert!(!opens(&server, &of_admin["secret"]).await);
    let neighbour = server.neighbour().await;
    let spy = somebody(&server, &neighbour, Role::SuperAdmin).await;
    let of_ours = revoked(&spy, "spy", &of_owner["apiKey"]["id"]).await;
    assert_eq!(code(&of_ours), Some("NOT_FOUND"));
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let id = json!({"id": of_owner["apiKey"]["id"]});
    assert_eq!(spy.data(node, id.clone()).await["node"], Value::Null);
    assert_eq!(owner.data(node, id.clone()).await["node"], id);
}
