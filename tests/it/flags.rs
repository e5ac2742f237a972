//! Feature flags: who lets the company into what, for how large a share, and what is seen of it.

use domain::access::{Role, StationScope};
use serde_json::{Value, json};
use tests::http::{Client, Server};

const SETTING: &str = "featureFlag { flag share setAt }";

fn set(key: &str, flag: &str, share: &str) -> Value {
    json!({"idempotencyKey": key, "flag": flag, "share": share, "reason": "a trial in spring"})
}

async fn shares(client: &Client) -> Value {
    let data = client.data("{ featureFlags { flag share } }", json!({})).await;
    data["featureFlags"].clone()
}

/// What a customer writes, and who has spoken after it.
async fn asked(client: &Client, key: &str) -> (Value, Vec<String>) {
    let input = json!({"idempotencyKey": key, "text": "what is the price for 12 adults?"});
    let fields =
        "conversation { id assistantActive messages { author humanOnly } escalation { status reason } }";
    let said = client.done("messagePost", fields, input).await["conversation"].take();
    let messages = said["messages"].as_array().expect("messages").iter();
    let authors = messages.filter_map(|message| message["author"].as_str().map(str::to_owned));
    let authors = authors.collect();
    (said, authors)
}

#[tokio::test]
async fn where_nothing_was_set_all_of_it_is_in_and_each_company_has_its_own() {
    let server = Server::start().await;
    let chief = server.sign_in(Role::SuperAdmin).await;
    let neighbour = server.neighbour().await;
    let other = server
        .sign_in_at(&neighbour, Role::SuperAdmin, StationScope::All)
        .await;
    let whole = json!([
        {"flag": "ASSISTANT_ANSWERS", "share": "1"}, {"flag": "REVIEW_REQUESTS", "share": "1"},
    ]);
    assert_eq!(shares(&chief).await, whole);
    let input = set("quarter", "REVIEW_REQUESTS", "0.25");
    let done = chief.done("featureFlagSet", SETTING, input.clone()).await;
    assert_eq!(
        done["featureFlag"],
        json!({"flag": "REVIEW_REQUESTS", "share": "0.25", "setAt": "2026-02-10T18:00:00+00:00"})
    );
    let again = chief.done("featureFlagSet", "", input).await;
    assert_eq!(
        (&again["position"], &again["replayed"]),
        (&done["position"], &json!(true))
    );
    let quarter = json!([
        {"flag": "ASSISTANT_ANSWERS", "share": "1"}, {"flag": "REVIEW_REQUESTS", "share": "0.25"},
    ]);
    assert_eq!(shares(&server.sign_in(Role::Chef).await).await, quarter);
    assert_eq!(shares(&other).await, whole);
    let trail = "query($at: LogPosition!) { auditLog(first: 1, filter: {type: [\"organisation.feature_flag_set\"]}, fresh: {atLeast: $at, waitMs: 10000}) {
        nodes { type summary reason changes { path before after } } } }";
    let trail = chief.data(trail, json!({"at": done["position"]})).await;
    assert_eq!(
        trail["auditLog"]["nodes"][0],
        json!({
            "type": "organisation.feature_flag_set",
            "summary": "The share for which review_requests is in was set to 25 %",
            "reason": "a trial in spring",
            "changes": [{"path": "flags.review_requests", "before": "1", "after": "0.25"}],
        })
    );
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_share_that_is_none_and_a_change_that_is_none_are_refused() {
    let server = Server::start().await;
    let chief = server.sign_in(Role::SuperAdmin).await;
    let before = server.written(&server.company).await;
    for share in ["1.5", "-0.1", "25%", "", "0.0000001"] {
        let refused = chief
            .refused("featureFlagSet", set("bad", "REVIEW_REQUESTS", share))
            .await;
        assert_eq!(refused, "INVALID_SHARE", "{share}");
    }
    let same = set("same", "REVIEW_REQUESTS", "1.0");
    assert_eq!(chief.refused("featureFlagSet", same).await, "UNCHANGED");
    let short = json!({"idempotencyKey": "short", "flag": "REVIEW_REQUESTS", "share": "0", "reason": "x"});
    assert_eq!(chief.refused("featureFlagSet", short).await, "INVALID_REASON");
    assert_eq!(server.written(&server.company).await, before);
}

#[tokio::test]
async fn where_the_assistant_is_out_a_person_is_called_for() {
    let server = Server::start().await;
    let mut chief = server.sign_in(Role::SuperAdmin).await;
    let (_, authors) = asked(&chief, "in").await;
    assert_eq!(authors, ["customer", "assistant"]);
    chief
        .done("featureFlagSet", "", set("off", "ASSISTANT_ANSWERS", "0"))
        .await;
    let (said, authors) = asked(&chief, "out").await;
    assert_eq!(authors, ["customer"]);
    assert_eq!(
        (
            &said["assistantActive"],
            &said["messages"][0]["humanOnly"],
            &said["escalation"]
        ),
        (
            &json!(false),
            &json!(true),
            &json!({"status": "OPEN", "reason": "the assistant does not answer in this conversation"})
        )
    );
    // The policy that sees to what waits does not answer either.
    server.set_clock("2026-02-10T18:30:00Z");
    server.quiet(&server.company).await;
    chief.sign_in_again().await;
    let now = "query($id: ID!) { conversation(id: $id) { messageCount assistantActive } }";
    assert_eq!(
        chief.data(now, json!({"id": said["id"]})).await["conversation"],
        json!({"messageCount": 1, "assistantActive": false})
    );
    chief
        .done("featureFlagSet", "", set("on", "ASSISTANT_ANSWERS", "1"))
        .await;
    let (_, authors) = asked(&chief, "in again").await;
    assert_eq!(authors, ["customer", "assistant"]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn at_half_a_share_some_conversations_are_answered_and_each_stays_as_it_began() {
    let server = Server::start().await;
    let chief = server.sign_in(Role::SuperAdmin).await;
    chief
        .done("featureFlagSet", "", set("half", "ASSISTANT_ANSWERS", "0.5"))
        .await;
    let mut answered = 0;
    for number in 0..16 {
        let (said, authors) = asked(&chief, &format!("first {number}")).await;
        let is_answered = authors.len() == 2;
        answered += usize::from(is_answered);
        let more = json!({
            "idempotencyKey": format!("more {number}"), "conversationId": said["id"], "text": "and the menu?",
        });
        let more = chief
            .done("messagePost", "conversation { messageCount }", more)
            .await;
        let count = if is_answered { 4 } else { 2 };
        assert_eq!(more["conversation"]["messageCount"], count, "{said}");
    }
    assert!((1..16).contains(&answered), "{answered} of 16");
}
