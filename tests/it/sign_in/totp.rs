//! The second factor: set up, asked for, taken once, and demanded where the company says so.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{Client, PASSWORD, Server};

use super::{account, app_shows, code, email, enrol, events, sign_in};

#[tokio::test]
async fn once_it_is_set_up_a_code_is_asked_for_and_each_is_taken_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (secret, codes) = enrol(&server, &admin, "confirm").await;
    assert_eq!(codes.len(), 10);
    let who = email(Role::Admin);
    let bare = sign_in(&server, &who, json!({})).await;
    assert_eq!(
        (code(&bare), &bare["accessToken"]),
        (Some("TOTP_REQUIRED"), &Value::Null)
    );
    // The code that has confirmed it is used up.
    let shown = app_shows(&secret, server.now());
    let replayed = sign_in(&server, &who, json!({"totp": shown})).await;
    assert_eq!(code(&replayed), Some("INVALID_TOTP"));
    server.set_clock("2026-02-10T18:01:00Z");
    let shown = app_shows(&secret, server.now());
    let first = sign_in(&server, &who, json!({"totp": shown})).await;
    assert_eq!(code(&first), None, "{first}");
    let again = sign_in(&server, &who, json!({"totp": shown})).await;
    assert_eq!(code(&again), Some("INVALID_TOTP"), "a replay");
    server.set_clock("2026-02-10T18:03:00Z");
    for (clock, taken) in [
        ("2026-02-10T18:02:00Z", false),
        ("2026-02-10T18:02:30Z", true),
        ("2026-02-10T18:03:30Z", true),
        ("2026-02-10T18:03:00Z", false),
    ] {
        let shown = app_shows(&secret, clock.parse().expect("an instant"));
        let tried = sign_in(&server, &who, json!({"totp": shown})).await;
        assert_eq!(code(&tried).is_none(), taken, "{clock}: {tried}");
    }
    let state = admin
        .data("{ viewer { secondFactor recoveryCodesLeft } }", json!({}))
        .await;
    assert_eq!(
        state["viewer"],
        json!({"secondFactor": true, "recoveryCodesLeft": 10})
    );
}

#[tokio::test]
async fn wrong_codes_lock_out_as_wrong_passwords_do() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (secret, _) = enrol(&server, &admin, "confirm").await;
    let who = email(Role::Admin);
    server.set_clock("2026-02-10T18:02:00Z");
    let right = app_shows(&secret, server.now());
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let tried = sign_in(&server, &who, json!({"totp": wrong})).await;
        assert_eq!(code(&tried), Some("INVALID_TOTP"));
    }
    let locked = sign_in(&server, &who, json!({"totp": right})).await;
    assert_eq!(code(&locked), Some("WRONG_CREDENTIALS"));
    assert_eq!(events(&server, "user.locked_out").await, 1);
}

async fn begin(client: &Client, password: &str) -> Value {
    let input = json!({"password": password});
    account(client, "totpEnrol", "TotpEnrolInput", "secret", input).await
}

async fn confirm(client: &Client, key: &str, code: &str) -> Value {
    let input = json!({"idempotencyKey": key, "code": code});
    let show = "recoveryCodes replayed";
    account(client, "totpConfirm", "TotpConfirmInput", show, input).await
}

#[tokio::test]
async fn it_is_set_up_with_the_password_and_counts_once_a_code_was_shown() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    assert_eq!(
        code(&confirm(&admin, "early", "123456").await),
        Some("NO_SECOND_FACTOR")
    );
    assert_eq!(
        code(&begin(&admin, "not my password").await),
        Some("WRONG_PASSWORD")
    );
    let first = begin(&admin, PASSWORD).await["secret"].take();
    let second = begin(&admin, PASSWORD).await["secret"].take();
    let (first, second) = (first.as_str().expect("one"), second.as_str().expect("one"));
    assert_ne!(first, second, "another secret");
    let stale = app_shows(first, server.now());
    assert_eq!(
        code(&confirm(&admin, "stale", &stale).await),
        Some("INVALID_TOTP")
    );
    assert_eq!(
        code(&sign_in(&server, &email(Role::Admin), json!({})).await),
        None,
        "it does not count yet"
    );
    let right = app_shows(second, server.now());
    let confirmed = confirm(&admin, "confirm", &right).await;
    assert_eq!((code(&confirmed), &confirmed["replayed"]), (None, &json!(false)));
    let again = confirm(&admin, "confirm", &right).await;
    assert_eq!(
        (&again["replayed"], &again["recoveryCodes"]),
        (&json!(true), &Value::Null),
        "the codes are shown once"
    );
    assert_eq!(code(&begin(&admin, PASSWORD).await), Some("SECOND_FACTOR_IN_USE"));
    assert_eq!(
        code(&confirm(&admin, "more", &right).await),
        Some("SECOND_FACTOR_IN_USE")
    );
    let mut superuser = server.database().superuser().await;
    let kept: String = sqlx::query_scalar("select secret from second_factors")
        .fetch_one(&mut superuser)
        .await
        .expect("it is kept");
    assert!(!kept.contains(second), "it is sealed");
}

#[tokio::test]
async fn it_is_given_up_with_the_password() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    enrol(&server, &admin, "confirm").await;
    let disable = |key: &str, password: &str| json!({"idempotencyKey": key, "password": password});
    let off = async |input| account(&admin, "totpDisable", "WithPasswordInput", "replayed", input).await;
    assert_eq!(
        code(&off(disable("a", "not my password")).await),
        Some("WRONG_PASSWORD")
    );
    assert_eq!(code(&off(disable("b", PASSWORD)).await), None);
    assert_eq!(code(&off(disable("c", PASSWORD)).await), Some("NO_SECOND_FACTOR"));
    assert_eq!(
        code(&sign_in(&server, &email(Role::Admin), json!({})).await),
        None
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn where_the_company_demands_it_people_without_one_set_it_up_and_nothing_else() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = server.sign_in(Role::Admin).await;
    let support = server.sign_in(Role::CustomerSupport).await;
    enrol(&server, &owner, "owner").await;
    let rule = json!({"idempotencyKey": "rule", "rule": "DEMANDED"});
    let set = account(
        &owner,
        "secondFactorRuleSet",
        "SecondFactorRuleSetInput",
        "rule",
        rule,
    )
    .await;
    assert_eq!((code(&set), &set["rule"]), (None, &json!("DEMANDED")));
    let bookings = "{ bookings(first: 1) { totalCount { value } } }";
    owner.data(bookings, json!({})).await;
    support.data(bookings, json!({})).await;
    // Who is signed in already notices too.
    let refused = admin.graphql(bookings, json!({})).await;
    let told = &refused["errors"][0]["extensions"]["code"];
    assert_eq!(told, "SECOND_FACTOR_MISSING", "{refused}");
    for path in [
        "/exports/books?from=2026-01-01&to=2026-02-28&format=csv",
        "/documents/INV-2026-000001.pdf",
    ] {
        let file = admin
            .get(path)
            .bearer_auth(admin.token.as_deref().expect("a token"));
        let file = file.send().await.expect("an answer");
        assert_eq!(file.status(), 403, "{path}");
        let told: Value = file.json().await.expect("a refusal is JSON");
        assert_eq!(
            told["errors"][0]["extensions"]["code"], "SECOND_FACTOR_MISSING",
            "{told}"
        );
    }
    let again = sign_in(&server, &email(Role::Admin), json!({})).await;
    assert_eq!(
        (&again["secondFactorMissing"], &again["viewer"]["permissions"]),
        (&json!(true), &json!([]))
    );
    let admin = admin.with_token(again["accessToken"].as_str().expect("a token"));
    enrol(&server, &admin, "admin").await;
    admin.data(bookings, json!({})).await;
    let off = json!({"idempotencyKey": "off", "password": PASSWORD});
    let refused = account(&admin, "totpDisable", "WithPasswordInput", "replayed", off).await;
    assert_eq!(code(&refused), Some("SECOND_FACTOR_DEMANDED"));
    let twice = json!({"idempotencyKey": "twice", "rule": "DEMANDED"});
    let twice = account(
        &owner,
        "secondFactorRuleSet",
        "SecondFactorRuleSetInput",
        "rule",
        twice,
    )
    .await;
    assert_eq!(code(&twice), Some("UNCHANGED"));
    server.assert_rebuild_changes_nothing(&server.company).await;
}
