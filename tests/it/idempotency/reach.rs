//! A key is no way to hear of what others did: who may not do it, or not there, is told so as under any other key.

use chrono::TimeDelta;
use commands::price_list::PriceChangeInput;
use commands::{Caller, CommandError, IdempotencyKey};
use domain::access::{Permission, Role, StationScope};
use domain::money::Cents;
use domain::price_list::{Confirmation, PriceListCommand};
use serde_json::{Value, json};
use sqlx::Executor;
use tests::http::{Client, Server, global_id, party, with};
use uuid::Uuid;

use super::{hold_log, waiting};

/// A new price in San Jose.
fn dearer(server: &Server, key: &str) -> Value {
    json!({
        "idempotencyKey": key, "stationId": global_id("Station", server.company.san_jose), "item": "adult",
        "priceMinor": 5_600, "reason": "dearer", "effectiveFrom": "2026-04-01T07:00:00Z",
    })
}

/// Of a command that somebody else has given nothing is told but that it is not there, or that the key is taken.
fn assert_hears_nothing(command: &str, told: &Value) {
    let code = told["userErrors"][0]["code"].as_str();
    assert!(
        matches!(code, Some("NOT_FOUND" | "IDEMPOTENCY_MISMATCH")),
        "{command}: {told}"
    );
    assert_eq!(
        (&told["position"], &told["replayed"]),
        (&Value::Null, &json!(false)),
        "{command}"
    );
}

/// What the owner did in San Jose, each with its key.
async fn done_in_san_jose(server: &Server, owner: &Client) -> [(&'static str, Value); 4] {
    let booked = owner
        .done("bookingRequest", "booking { id }", party("booking"))
        .await;
    let booking = &booked["booking"]["id"];
    let deposit = json!({
        "idempotencyKey": "deposit", "bookingId": booking, "kind": "OTHER", "method": "CASH", "amountMinor": 1,
    });
    let paid = owner
        .done("paymentRecord", "payment { id }", deposit.clone())
        .await;
    let verify = json!({"idempotencyKey": "verify", "paymentId": paid["payment"]["id"], "accept": true});
    let cancel = json!({"idempotencyKey": "cancel", "bookingId": booking, "reason": "plans changed"});
    let price = dearer(server, "price");
    for (command, input) in [
        ("paymentVerify", &verify),
        ("bookingCancel", &cancel),
        ("priceChange", &price),
    ] {
        owner.done(command, "", input.clone()).await;
    }
    [
        ("paymentRecord", deposit),
        ("paymentVerify", verify),
        ("bookingCancel", cancel),
        ("priceChange", price),
    ]
}

/// An administrator of Sacramento alone.
async fn stranger(server: &Server) -> Client {
    let elsewhere = StationScope::Only(vec![server.company.sacramento]);
    server.sign_in_at(&server.company, Role::Admin, elsewhere).await
}

#[tokio::test]
async fn who_does_not_reach_the_station_does_not_hear_the_result_of_anothers_key() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let stranger = stranger(&server).await;
    let done = done_in_san_jose(&server, &owner).await;
    let before = server.written(&server.company).await;
    for (command, first) in done {
        let told = stranger.command(command, "", first.clone()).await;
        assert_hears_nothing(command, &told);
        let again = owner.done(command, "", first).await;
        assert_eq!(again["replayed"], true, "{command}");
    }
    assert_eq!(server.written(&server.company).await, before);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn who_does_not_reach_the_station_does_not_hear_what_is_at_work_under_a_key() {
    let server = Server::start().await;
    let owner = server.sign_in(Role::SuperAdmin).await;
    let stranger = stranger(&server).await;
    let price = dearer(&server, "price");
    let other_body = with(price.clone(), json!({"priceMinor": 5_700}));
    let mut held = hold_log(&server).await;
    let first = {
        let (owner, price) = (owner.clone(), price.clone());
        tokio::spawn(async move { owner.done("priceChange", "", price).await })
    };
    waiting(&server, 1).await;
    for asked in [&price, &other_body] {
        let told = stranger.command("priceChange", "", asked.clone()).await;
        assert_hears_nothing("while the first is at work", &told);
    }
    held.execute("rollback").await.expect("the log is let go");
    assert_eq!(first.await.expect("it ends")["replayed"], false);
    for asked in [&price, &other_body] {
        let told = stranger.command("priceChange", "", asked.clone()).await;
        assert_hears_nothing("once the first is done", &told);
    }
    let mismatch = owner.refused("priceChange", other_body).await;
    assert_eq!(mismatch, "IDEMPOTENCY_MISMATCH");
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_role_without_the_right_does_not_hear_the_result_of_anothers_key() {
    let server = Server::start().await;
    let company = &server.company;
    let commands = &server.app.commands;
    let key = |text: &str| IdempotencyKey::from_client(text).expect("a key");
    let change = PriceChangeInput {
        station: company.san_jose,
        item: "adult".to_owned(),
        price_cents: Cents(5_600),
        effective_from: Some(server.now() + TimeDelta::days(30)),
        reason: "dearer".to_owned(),
        confirmation: Confirmation::NotGiven,
        seen: None,
    };
    let set = PriceListCommand::ChangePrice {
        item: "adult".to_owned(),
        price_cents: Cents(5_700),
        effective_from: server.now() + TimeDelta::days(60),
        reason: "dearer still".to_owned(),
        confirmation: Confirmation::NotGiven,
        now: server.now(),
    };
    let owner = Caller::system(company.tenant, "test");
    let changed = commands.change_price(owner.clone(), key("change"), change.clone());
    assert!(!changed.await.expect("the program may").replayed);
    let were_set = commands.set_prices(owner.clone(), key("set"), company.san_jose, set.clone());
    assert!(!were_set.await.expect("the program may").replayed);
    let before = server.written(company).await;
    for role in Role::ALL {
        let person = owner.clone().acting_as(Uuid::from_u128(9), role);
        for keys in [["change", "set"], ["another change", "another set"]] {
            if role.may(Permission::PriceWrite) {
                continue;
            }
            let [changed, were_set] = keys.map(key);
            let changed = commands
                .change_price(person.clone(), changed, change.clone())
                .await;
            let were_set = commands
                .set_prices(person.clone(), were_set, company.san_jose, set.clone())
                .await;
            for told in [changed, were_set] {
                assert!(
                    matches!(told, Err(CommandError::Forbidden(Permission::PriceWrite))),
                    "{role:?} {keys:?}: {told:?}"
                );
            }
        }
    }
    assert_eq!(server.written(company).await, before);
    let again = commands.set_prices(owner, key("set"), company.san_jose, set);
    assert!(again.await.expect("the program may").replayed);
}
