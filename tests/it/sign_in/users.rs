//! Users: created, changed, deactivated, by who sees to them, and what it means to whoever is signed in.

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, PASSWORD, Server, global_id, with};

use super::{account, code, events, opens, sign_in, somebody};

const USER: &str = "user { id version email role stationIds status secondFactor lockedUntil } replayed";

fn new(key: &str, email: &str) -> Value {
    json!({"idempotencyKey": key, "email": email, "password": PASSWORD, "role": "ACCOUNTANT"})
}

async fn create(client: &Client, input: Value) -> Value {
    account(client, "userCreate", "UserCreateInput", USER, input).await
}

async fn user_id(client: &Client) -> Value {
    client.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take()
}

#[tokio::test]
async fn somebody_new_signs_in_as_what_they_were_made() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let station = global_id("Station", server.company.san_jose);
    let at_one = json!({"role": "STATION_MANAGER", "stationIds": [station]});
    let made = create(&owner, with(new("new", "New@Example.com"), at_one.clone())).await;
    assert_eq!(
        made["user"],
        json!({
            "id": made["user"]["id"], "version": 1, "email": "new@example.com", "role": "STATION_MANAGER",
            "stationIds": [station], "status": "ACTIVE", "secondFactor": false, "lockedUntil": null,
        })
    );
    assert_eq!(code(&sign_in(&server, "new@example.com", json!({})).await), None);
    let again = create(&owner, with(new("new", "New@Example.com"), at_one)).await;
    assert_eq!(
        (&again["replayed"], &again["user"]["id"]),
        (&json!(true), &made["user"]["id"])
    );
    for (key, fields, refused) in [
        ("a", json!({}), "EMAIL_TAKEN"),
        ("b", json!({"email": "nobody"}), "INVALID_EMAIL"),
        ("c", json!({"password": "short"}), "INVALID_PASSWORD"),
        ("c2", json!({"password": "new@example.com"}), "PASSWORD_TOO_EASY"),
        (
            "d",
            json!({"email": "d@example.com", "stationIds": [global_id("Station", uuid::Uuid::nil())]}),
            "NOT_FOUND",
        ),
    ] {
        let payload = create(&owner, with(new(key, "new@example.com"), fields)).await;
        assert_eq!(code(&payload), Some(refused), "{key}");
    }
    let users = "{ users(first: 10) { totalCount { value } nodes { email role } } }";
    let users = owner.data(users, json!({})).await["users"].take();
    assert_eq!(users["totalCount"]["value"], 2);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn another_role_counts_for_the_next_request() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let id = user_id(&admin).await;
    admin
        .data("{ bookings(first: 1) { totalCount { value } } }", json!({}))
        .await;
    let change = |key: &str, fields: Value| with(json!({"idempotencyKey": key, "userId": id}), fields);
    let changed = async |input| account(&owner, "userRoleChange", "UserRoleChangeInput", USER, input).await;
    let same = changed(change("same", json!({"role": "ADMIN"}))).await;
    assert_eq!(code(&same), Some("UNCHANGED"));
    let stale = changed(change("stale", json!({"role": "CHEF", "expectedVersion": 7}))).await;
    assert_eq!(code(&stale), Some("VERSION_CONFLICT"));
    let chef = changed(change("chef", json!({"role": "CHEF", "expectedVersion": 1}))).await;
    assert_eq!(
        (&chef["user"]["role"], &chef["user"]["version"]),
        (&json!("CHEF"), &json!(2))
    );
    let refused = admin
        .graphql("{ bookings(first: 1) { totalCount { value } } }", json!({}))
        .await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let own = json!({"idempotencyKey": "own", "userId": user_id(&owner).await, "role": "CHEF"});
    assert_eq!(code(&changed(own).await), Some("OWN_USER"));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_is_deactivated_is_out_until_reactivated() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let id = user_id(&admin).await;
    let off = |key: &str, id: &Value| json!({"idempotencyKey": key, "userId": id, "reason": "leaves us"});
    let deactivate =
        async |input| account(&owner, "userDeactivate", "UserDeactivateInput", USER, input).await;
    assert_eq!(
        code(&deactivate(off("own", &user_id(&owner).await)).await),
        Some("OWN_USER")
    );
    let reasonless = with(off("x", &id), json!({"reason": "x"}));
    assert_eq!(code(&deactivate(reasonless).await), Some("INVALID_REASON"));
    let gone = deactivate(off("off", &id)).await;
    assert_eq!(gone["user"]["status"], "DEACTIVATED");
    assert!(!opens(&server, &json!(admin.token)).await);
    let email = super::email(Role::Admin);
    assert_eq!(
        code(&sign_in(&server, &email, json!({})).await),
        Some("WRONG_CREDENTIALS")
    );
    assert_eq!(
        code(&deactivate(off("twice", &id)).await),
        Some("USER_DEACTIVATED")
    );
    let on = json!({"idempotencyKey": "on", "userId": id});
    let back = account(&owner, "userReactivate", "UserActionInput", USER, on).await;
    assert_eq!(back["user"]["status"], "ACTIVE");
    assert_eq!(code(&sign_in(&server, &email, json!({})).await), None);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_lost_password_is_set_by_another_and_ends_every_sign_in() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let id = user_id(&admin).await;
    let new = "given by another person";
    let set = |key: &str, password: &str| json!({"idempotencyKey": key, "userId": id, "password": password});
    let given = async |input| account(&owner, "userPasswordSet", "UserPasswordSetInput", USER, input).await;
    assert_eq!(
        code(&given(set("short", "short")).await),
        Some("INVALID_PASSWORD")
    );
    for easy in ["qwertyuiop12", super::email(Role::Admin).as_str()] {
        let refused = given(set("easy", easy)).await;
        assert_eq!(code(&refused), Some("PASSWORD_TOO_EASY"), "{easy}");
        assert_eq!(refused["userErrors"][0]["field"], json!(["password"]));
    }
    assert_eq!(code(&given(set("set", new)).await), None);
    assert!(!opens(&server, &json!(admin.token)).await);
    let email = super::email(Role::Admin);
    assert_eq!(
        code(&sign_in(&server, &email, json!({"password": new})).await),
        None
    );
    assert_eq!(events(&server, "user.password_changed").await, 1);
    // A repeat does not take back what they chose since.
    let again = given(set("set", "yet another pass phrase")).await;
    assert_eq!(again["replayed"], true);
    assert_eq!(
        code(&sign_in(&server, &email, json!({"password": new})).await),
        None
    );
}

#[tokio::test]
async fn people_see_themselves_and_users_are_no_other_companys() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    let (own, another) = (user_id(&admin).await, user_id(&owner).await);
    server.caught_up(&server.company).await;
    let one = "query($id: ID!) { user(id: $id) { id role } }";
    let seen = admin.data(one, json!({"id": own})).await;
    assert_eq!(seen["user"], json!({"id": own, "role": "ADMIN"}));
    let refused = admin.graphql(one, json!({"id": another})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let neighbour = server.neighbour().await;
    let spy = server
        .sign_in_at(&neighbour, Role::SuperAdmin, StationScope::All)
        .await;
    let node = "query($id: ID!) { user(id: $id) { id } node(id: $id) { id } }";
    assert_eq!(
        spy.data(node, json!({"id": own})).await,
        json!({"user": null, "node": null})
    );
    for (command, input_type, input) in [
        (
            "userDeactivate",
            "UserDeactivateInput",
            json!({"reason": "leaves us"}),
        ),
        (
            "userPasswordSet",
            "UserPasswordSetInput",
            json!({"password": PASSWORD}),
        ),
        ("userTotpReset", "UserActionInput", json!({})),
        ("userRoleChange", "UserRoleChangeInput", json!({"role": "CHEF"})),
    ] {
        let input = with(json!({"idempotencyKey": command, "userId": own}), input);
        let refused = account(&spy, command, input_type, "replayed", input).await;
        assert_eq!(code(&refused), Some("NOT_FOUND"), "{command}");
    }
}
