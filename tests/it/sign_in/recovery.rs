//! The phone is lost: recovery codes, each good once, and somebody who takes the second factor away.

use domain::access::Role;
use serde_json::{Value, json};
use tests::http::{PASSWORD, Server};

use super::{account, code, email, enrol, events, opens, sign_in, somebody};

#[tokio::test]
async fn a_recovery_code_signs_in_once_however_it_is_typed() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let (_, codes) = enrol(&server, &admin, "confirm").await;
    let who = email(Role::Admin);
    let typed = codes[0].to_lowercase().replace('-', " ");
    let used = sign_in(&server, &who, json!({"recoveryCode": typed})).await;
    assert_eq!(code(&used), None, "{used}");
    let again = sign_in(&server, &who, json!({"recoveryCode": codes[0]})).await;
    assert_eq!(code(&again), Some("INVALID_TOTP"));
    let left = admin.data("{ viewer { recoveryCodesLeft } }", json!({})).await;
    assert_eq!(left["viewer"]["recoveryCodesLeft"], 9);
    assert_eq!(events(&server, "user.recovery_code_used").await, 1);
    let wrong_password = json!({"password": "not the password", "recoveryCode": codes[1]});
    let refused = sign_in(&server, &who, wrong_password).await;
    assert_eq!(code(&refused), Some("WRONG_CREDENTIALS"));
    let kept = sign_in(&server, &who, json!({"recoveryCode": codes[1]})).await;
    assert_eq!(code(&kept), None, "with a wrong password none is used up");
    let mut superuser = server.database().superuser().await;
    let rows: Vec<String> = sqlx::query_scalar("select c::text from recovery_codes c")
        .fetch_all(&mut superuser)
        .await
        .expect("they are kept");
    assert_eq!(rows.len(), 8);
    assert!(
        rows.iter()
            .all(|row| !codes.iter().any(|code| row.contains(code)))
    );
}

#[tokio::test]
async fn new_codes_void_those_before_and_are_shown_once() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let renew = |key: &str| json!({"idempotencyKey": key, "password": PASSWORD});
    let show = "recoveryCodes replayed";
    let asked = async |input| account(&admin, "recoveryCodesRenew", "WithPasswordInput", show, input).await;
    assert_eq!(code(&asked(renew("none")).await), Some("NO_SECOND_FACTOR"));
    let (_, before) = enrol(&server, &admin, "confirm").await;
    let renewed = asked(renew("renew")).await;
    let codes = renewed["recoveryCodes"].as_array().expect("codes");
    assert_eq!(codes.len(), 10);
    let again = asked(renew("renew")).await;
    assert_eq!(
        (&again["recoveryCodes"], &again["replayed"]),
        (&Value::Null, &json!(true))
    );
    let who = email(Role::Admin);
    let void = sign_in(&server, &who, json!({"recoveryCode": before[0]})).await;
    assert_eq!(code(&void), Some("INVALID_TOTP"));
    let good = sign_in(&server, &who, json!({"recoveryCode": codes[0]})).await;
    assert_eq!(code(&good), None);
}

#[tokio::test]
async fn who_sees_to_users_takes_a_lost_second_factor_away() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let admin = somebody(&server, &server.company, Role::Admin).await;
    enrol(&server, &admin, "confirm").await;
    let token = json!(admin.token);
    let id = admin.data("{ viewer { userId } }", json!({})).await["viewer"]["userId"].take();
    let reset = json!({"idempotencyKey": "reset", "userId": id});
    let show = "user { secondFactor } replayed";
    let done = account(&owner, "userTotpReset", "UserActionInput", show, reset.clone()).await;
    assert_eq!(
        (code(&done), &done["user"]["secondFactor"]),
        (None, &json!(false))
    );
    assert!(!opens(&server, &token).await, "signed out everywhere");
    assert_eq!(
        code(&sign_in(&server, &email(Role::Admin), json!({})).await),
        None
    );
    let again = account(&owner, "userTotpReset", "UserActionInput", show, reset).await;
    assert_eq!(again["replayed"], true);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
